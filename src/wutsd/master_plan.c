/* SPDX-License-Identifier: MIT */
/* The master's decisions. Three rules keep the service whole: a worker is
   retired only while more than the wanted number serve, so a successor always
   stands ready first (but where alive_max leaves no room for one); a worker
   that dies is replaced at once, and only workers that die again and again are
   waited for; whoever overstays a deadline is killed. */
#include "config.h"

#include "master_plan.h"

#include <string.h>

#define SECOND_US INT64_C(1000000)
/* To connect to nothing and open a few files: more means it hangs. */
#define START_TIMEOUT_US (30 * SECOND_US)
#define BACKOFF_FIRST_US (SECOND_US / 10)
#define BACKOFF_MAX_US (5 * SECOND_US)
/* So long without a crash, and the next one is the first again. */
#define STABLE_US (30 * SECOND_US)

void
master_plan_init(struct master_plan *plan, struct plan_slot *slots,
    size_t nslots, const struct plan_limits *limits)
{
	memset(plan, 0, sizeof(*plan));
	memset(slots, 0, nslots * sizeof(*slots));
	plan->limits = *limits;
	plan->slots = slots;
	plan->nslots = nslots;
}

static void
enter(struct plan_slot *slot, enum plan_state state, int64_t now_us)
{
	slot->state = state;
	slot->since_us = now_us;
}

void
master_plan_ready(struct master_plan *plan, size_t slot, int64_t now_us)
{
	if (plan->slots[slot].state == PLAN_STARTING)
		enter(&plan->slots[slot], PLAN_SERVING, now_us);
}

void
master_plan_full(struct master_plan *plan, size_t slot)
{
	plan->slots[slot].is_full = true;
}

void
master_plan_busy(struct master_plan *plan, size_t slot, int64_t busy_since_us)
{
	plan->slots[slot].busy_since_us = busy_since_us;
}

static int64_t
backoff_us(unsigned crashes)
{
	int64_t delay_us = BACKOFF_FIRST_US;

	if (crashes <= 1)
		return 0;
	while (--crashes > 1 && delay_us < BACKOFF_MAX_US)
		delay_us *= 2;
	return delay_us < BACKOFF_MAX_US ? delay_us : BACKOFF_MAX_US;
}

static void
count_crash(struct master_plan *plan, int64_t now_us)
{
	if (plan->crashes > 0 && now_us - plan->last_crash_us > STABLE_US)
		plan->crashes = 0;
	if (plan->crashes < UINT16_MAX)
		plan->crashes++;
	plan->last_crash_us = now_us;
	plan->start_at_us = now_us + backoff_us(plan->crashes);
}

bool
master_plan_exited(struct master_plan *plan, size_t i, int64_t now_us)
{
	struct plan_slot *slot = &plan->slots[i];
	bool is_crash = slot->state == PLAN_STARTING ||
	    slot->state == PLAN_SERVING || slot->is_crash;

	memset(slot, 0, sizeof(*slot));
	if (is_crash)
		count_crash(plan, now_us);
	return is_crash;
}

void
master_plan_reload(struct master_plan *plan, const struct plan_limits *limits)
{
	plan->limits = *limits;
	plan->generation++;
	/* A corrected configuration deserves a new chance at once. */
	plan->crashes = 0;
	plan->start_at_us = 0;
}

void
master_plan_stop(struct master_plan *plan)
{
	plan->is_stopping = true;
}

static bool
is_current(const struct master_plan *plan, const struct plan_slot *slot)
{
	return slot->generation == plan->generation && !slot->is_full;
}

/* The moment at which slot is killed, or -1. */
static int64_t
kill_at_us(const struct master_plan *plan, const struct plan_slot *slot)
{
	int64_t at_us = -1, busy_us = -1;

	if (slot->state == PLAN_EMPTY || slot->state == PLAN_KILLED)
		return -1;
	if (slot->state == PLAN_STARTING)
		at_us = slot->since_us + START_TIMEOUT_US;
	if (slot->state == PLAN_RETIRING)
		at_us = slot->since_us + plan->limits.drain_timeout_us;
	if (slot->busy_since_us != 0)
		busy_us = slot->busy_since_us +
		    plan->limits.request_timeout_us;
	if (at_us < 0 || (busy_us >= 0 && busy_us < at_us))
		return busy_us;
	return at_us;
}

static bool
next_kill(struct master_plan *plan, int64_t now_us, size_t *slot_r)
{
	int64_t at_us;

	for (size_t i = 0; i < plan->nslots; i++) {
		at_us = kill_at_us(plan, &plan->slots[i]);
		if (at_us < 0 || now_us < at_us)
			continue;
		plan->slots[i].is_crash =
		    plan->slots[i].state == PLAN_STARTING;
		enter(&plan->slots[i], PLAN_KILLED, now_us);
		*slot_r = i;
		return true;
	}
	return false;
}

/* The slots of workers that count towards the wanted number; *empty_r: the
   first free slot, or nslots. */
static unsigned
count_current(const struct master_plan *plan, size_t *empty_r)
{
	unsigned current = 0;

	*empty_r = plan->nslots;
	for (size_t i = plan->nslots; i-- > 0;) {
		const struct plan_slot *slot = &plan->slots[i];

		if (slot->state == PLAN_EMPTY)
			*empty_r = i;
		else if ((slot->state == PLAN_STARTING ||
		    slot->state == PLAN_SERVING) && is_current(plan, slot))
			current++;
	}
	return current;
}

static bool
is_start_wanted(const struct master_plan *plan, size_t *slot_r)
{
	return !plan->is_stopping &&
	    count_current(plan, slot_r) < plan->limits.workers &&
	    *slot_r < plan->nslots;
}

static bool
is_room_for_one(const struct master_plan *plan)
{
	unsigned alive = 0;

	for (size_t i = 0; i < plan->nslots; i++)
		alive += plan->slots[i].state != PLAN_EMPTY;
	return plan->limits.alive_max == 0 || alive < plan->limits.alive_max;
}

/* A successor is wanted, nobody is on the way in or out, and there is no
   room. */
static bool
is_stuck(const struct master_plan *plan)
{
	size_t empty;

	for (size_t i = 0; i < plan->nslots; i++)
		if (plan->slots[i].state != PLAN_EMPTY &&
		    plan->slots[i].state != PLAN_SERVING)
			return false;
	return is_start_wanted(plan, &empty) && !is_room_for_one(plan);
}

/* Whom to let go: when stopping everybody; else one whom nobody needs to wait
   for (of an old configuration and not serving yet), or one of too many that
   serve, the outdated first; where no successor fits in, one outdated. */
static bool
next_retire(struct master_plan *plan, int64_t now_us, size_t *slot_r)
{
	size_t victim = plan->nslots;
	unsigned serving = 0;
	struct plan_slot *slot;

	for (size_t i = 0; i < plan->nslots; i++) {
		slot = &plan->slots[i];
		serving += slot->state == PLAN_SERVING;
		if ((slot->state == PLAN_STARTING &&
		    (plan->is_stopping || !is_current(plan, slot))) ||
		    (slot->state == PLAN_SERVING && plan->is_stopping)) {
			victim = i;
			serving = plan->limits.workers + 1;
			break;
		}
		if (slot->state == PLAN_SERVING && (victim == plan->nslots ||
		    is_current(plan, &plan->slots[victim])))
			victim = i;
	}
	if (victim == plan->nslots)
		return false;
	if (serving <= plan->limits.workers && (!is_stuck(plan) ||
	    is_current(plan, &plan->slots[victim])))
		return false;
	enter(&plan->slots[victim], PLAN_RETIRING, now_us);
	*slot_r = victim;
	return true;
}

static bool
next_start(struct master_plan *plan, int64_t now_us, size_t *slot_r)
{
	struct plan_slot *slot;

	if (!is_start_wanted(plan, slot_r) || !is_room_for_one(plan) ||
	    now_us < plan->start_at_us)
		return false;
	slot = &plan->slots[*slot_r];
	memset(slot, 0, sizeof(*slot));
	slot->generation = plan->generation;
	enter(slot, PLAN_STARTING, now_us);
	return true;
}

static bool
is_empty(const struct master_plan *plan)
{
	for (size_t i = 0; i < plan->nslots; i++)
		if (plan->slots[i].state != PLAN_EMPTY)
			return false;
	return true;
}

struct plan_action
master_plan_next(struct master_plan *plan, int64_t now_us)
{
	struct plan_action action = { PLAN_WAIT, 0 };

	if (next_kill(plan, now_us, &action.slot))
		action.verb = PLAN_KILL;
	else if (next_retire(plan, now_us, &action.slot))
		action.verb = PLAN_RETIRE;
	else if (next_start(plan, now_us, &action.slot))
		action.verb = PLAN_START;
	else if (plan->is_stopping && is_empty(plan))
		action.verb = PLAN_EXIT;
	return action;
}

int64_t
master_plan_wait_us(const struct master_plan *plan, int64_t now_us)
{
	int64_t at_us, first_us = -1;
	size_t slot;

	for (size_t i = 0; i < plan->nslots; i++) {
		at_us = kill_at_us(plan, &plan->slots[i]);
		if (at_us >= 0 && (first_us < 0 || at_us < first_us))
			first_us = at_us;
	}
	if (is_start_wanted(plan, &slot) && is_room_for_one(plan) &&
	    (first_us < 0 || plan->start_at_us < first_us))
		first_us = plan->start_at_us;
	if (first_us < 0)
		return -1;
	return first_us > now_us ? first_us - now_us : 0;
}

bool
master_plan_is_settled(const struct master_plan *plan)
{
	unsigned serving = 0;

	for (size_t i = 0; i < plan->nslots; i++) {
		if (plan->slots[i].state == PLAN_EMPTY)
			continue;
		if (plan->slots[i].state != PLAN_SERVING ||
		    !is_current(plan, &plan->slots[i]))
			return false;
		serving++;
	}
	return serving == plan->limits.workers;
}
