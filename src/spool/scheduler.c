/* SPDX-License-Identifier: MIT */
/* Which record is tried next. Pure: no I/O, no clock of its own. Guarantees:
   endpoints take turns, one record a turn; an endpoint has at most its window
   in flight and all together at most the maximum; of one endpoint's records
   new ones and due retries take turns, so neither starves the other; an
   ordered endpoint has one in flight, the oldest first, and a record of it
   that waits for a retry blocks the others.

   Slots are shared so that no endpoint can take them all, whatever it does from
   now on: one may have as many as are free, so that n busy ones leave one in
   n + 1 to others (the dynamic thresholds of switch buffers); and those that
   are not trusted (breaker.c) have half of all between them.

   An endpoint is in a ring exactly when may_start() says so, in the one of the
   trusted or in the other; everything that changes the answer ends with
   settle(). Tickets make the two rings one queue. */
#include "config.h"

#include "spool_private.h"

#include "wuts/log.h"
#include "wuts/mem.h"

#include <stdlib.h>

#define NONE UINT32_MAX
#define SECOND_US INT64_C(1000000)
/* How far a rate-limited endpoint may run ahead of even spacing, so that the
   loop need not wake for each record. */
#define RATE_SLACK_US 20000

/* Which one, in a timer without attempts. */
enum alarm {
	ALARM_RATE,
	ALARM_BREAKER
};

struct lane {
	struct pending_fifo fresh;	/* not tried yet */
	struct pending_heap by_age;	/* the same when ordered */
	struct pending_fifo retries;	/* due */
	uint32_t ring_prev, ring_next;
	uint32_t ticket;		/* its place in the ring */
	uint32_t in_flight;
	uint32_t sleeping;		/* retries not due yet */
	uint32_t alarms;		/* of the breaker, not gone off */
	struct scheduler_limits limits;
	struct breaker breaker;
	int64_t allowed_us;		/* next start, evenly spaced */
	int64_t ready_us;		/* since when it is in the ring */
	int64_t newest_us;		/* created_us of all read */
	int64_t settled_us;		/* of those read before last_round */
	uint32_t last_round;
	bool used, open, in_ring, throttled, retry_turn, unsettled, trusted;
};

struct ring {
	uint32_t first;		/* whose turn it is */
	uint32_t count;
	/* Nobody in it may have a slot until one gets free. */
	bool blocked;
};

struct scheduler {
	struct lane *lanes;
	uint32_t nlanes, cap;
	uint32_t *free;			/* numbers to use again */
	uint32_t nfree, free_cap;
	struct ring rings[2];		/* by lane.trusted */
	uint32_t next_ticket;
	uint32_t *unsettled;		/* ordered, waiting for a scan */
	uint32_t nunsettled, unsettled_cap;
	struct pending_timers timers;
	size_t throttled;
	unsigned in_flight, max_in_flight;
	unsigned untrusted_in_flight;
	uint32_t round;			/* scans that have ended */
	int64_t now_us;			/* as told last */
};

static struct lane *
lane_at(const struct scheduler *s, uint32_t endpoint)
{
	wuts_assert(endpoint < s->nlanes && s->lanes[endpoint].used);
	return &s->lanes[endpoint];
}

static struct ring *
ring_of(struct scheduler *s, const struct lane *lane)
{
	return &s->rings[lane->trusted];
}

static void
ring_add(struct scheduler *s, uint32_t endpoint)
{
	struct lane *lane = &s->lanes[endpoint], *first;
	struct ring *ring = ring_of(s, lane);

	lane->in_ring = true;
	lane->ticket = s->next_ticket++;
	lane->ready_us = s->now_us;
	ring->blocked = false;
	if (ring->count++ == 0) {
		ring->first = lane->ring_prev = lane->ring_next = endpoint;
		return;
	}
	first = &s->lanes[ring->first];
	lane->ring_next = ring->first;
	lane->ring_prev = first->ring_prev;
	s->lanes[first->ring_prev].ring_next = endpoint;
	first->ring_prev = endpoint;
}

static void
ring_remove(struct scheduler *s, uint32_t endpoint)
{
	struct lane *lane = &s->lanes[endpoint];
	struct ring *ring = ring_of(s, lane);

	lane->in_ring = false;
	if (--ring->count == 0) {
		ring->first = NONE;
		return;
	}
	s->lanes[lane->ring_prev].ring_next = lane->ring_next;
	s->lanes[lane->ring_next].ring_prev = lane->ring_prev;
	if (ring->first == endpoint)
		ring->first = lane->ring_next;
}

/* Can no record older than the oldest known turn up any more? Whatever a
   client was told is accepted before that record was written is on disk, and a
   scan that began after the record was read has seen it. */
static bool
is_settled(const struct scheduler *s, const struct lane *lane)
{
	int64_t known_us;

	if (s->round == lane->last_round)
		return false;
	known_us = s->round - lane->last_round >= 2 ? lane->newest_us :
	    lane->settled_us;
	return (int64_t)lane->by_age.items[0].created_us <= known_us;
}

static void
note_unsettled(struct scheduler *s, uint32_t endpoint)
{
	if (s->lanes[endpoint].unsettled)
		return;
	if (s->nunsettled == s->unsettled_cap) {
		s->unsettled_cap = s->unsettled_cap * 2 + 16;
		s->unsettled = mem_realloc(s->unsettled, s->unsettled_cap,
		    sizeof(s->unsettled[0]));
	}
	s->unsettled[s->nunsettled++] = endpoint;
	s->lanes[endpoint].unsettled = true;
}

static bool
may_start_ordered(struct scheduler *s, uint32_t endpoint)
{
	const struct lane *lane = &s->lanes[endpoint];

	if (lane->in_flight > 0 || !breaker_may_start(&lane->breaker, 0))
		return false;
	if (lane->retries.count > 0)
		return true;
	if (lane->sleeping > 0 || lane->by_age.count == 0)
		return false;
	if (is_settled(s, lane))
		return true;
	note_unsettled(s, endpoint);
	return false;
}

static bool
may_start(struct scheduler *s, uint32_t endpoint)
{
	const struct lane *lane = &s->lanes[endpoint];

	if (!lane->open || lane->throttled)
		return false;
	if (lane->limits.ordered)
		return may_start_ordered(s, endpoint);
	return breaker_may_start(&lane->breaker, lane->in_flight) &&
	    (lane->fresh.count > 0 || lane->by_age.count > 0 ||
	    lane->retries.count > 0);
}

static void
settle(struct scheduler *s, uint32_t endpoint)
{
	bool may = may_start(s, endpoint);

	if (may && !s->lanes[endpoint].in_ring)
		ring_add(s, endpoint);
	else if (!may && s->lanes[endpoint].in_ring)
		ring_remove(s, endpoint);
}

struct scheduler *
scheduler_new(unsigned max_in_flight)
{
	struct scheduler *s = mem_calloc(1, sizeof(*s));

	s->rings[false].first = s->rings[true].first = NONE;
	s->max_in_flight = max_in_flight;
	/* Rounds of lanes start at 0, "long ago". */
	s->round = 2;
	return s;
}

static void
lane_clear(struct lane *lane)
{
	pending_fifo_clear(&lane->fresh);
	pending_fifo_clear(&lane->retries);
	pending_heap_clear(&lane->by_age);
}

void
scheduler_free(struct scheduler **sp)
{
	struct scheduler *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	for (uint32_t i = 0; i < s->nlanes; i++)
		lane_clear(&s->lanes[i]);
	pending_timers_clear(&s->timers);
	free(s->lanes);
	free(s->free);
	free(s->unsettled);
	free(s);
}

void
scheduler_set_max_in_flight(struct scheduler *s, unsigned max)
{
	s->max_in_flight = max;
	s->rings[false].blocked = s->rings[true].blocked = false;
}

uint32_t
scheduler_add(struct scheduler *s)
{
	uint32_t endpoint;

	if (s->nfree > 0) {
		endpoint = s->free[--s->nfree];
	} else {
		if (s->nlanes == s->cap) {
			s->cap = s->cap * 2 + 16;
			s->lanes = mem_realloc(s->lanes, s->cap,
			    sizeof(s->lanes[0]));
		}
		endpoint = s->nlanes++;
	}
	s->lanes[endpoint] = (struct lane){ .used = true };
	return endpoint;
}

void
scheduler_remove(struct scheduler *s, uint32_t endpoint)
{
	struct lane *lane = lane_at(s, endpoint);

	wuts_assert(scheduler_is_idle(s, endpoint));
	lane_clear(lane);
	lane->used = false;
	if (s->nfree == s->free_cap) {
		s->free_cap = s->free_cap * 2 + 16;
		s->free = mem_realloc(s->free, s->free_cap,
		    sizeof(s->free[0]));
	}
	s->free[s->nfree++] = endpoint;
}

void
scheduler_open(struct scheduler *s, uint32_t endpoint,
    const struct scheduler_limits *limits)
{
	struct lane *lane = lane_at(s, endpoint);
	struct pending item;

	lane->open = true;
	lane->limits = *limits;
	breaker_limit(&lane->breaker, &limits->breaker);
	if (limits->rate == 0)
		lane->allowed_us = 0;
	/* The other way round the heap is emptied before the FIFO. */
	if (limits->ordered)
		while (pending_fifo_pop(&lane->fresh, &item))
			pending_heap_push(&lane->by_age, item);
	settle(s, endpoint);
}

void
scheduler_hold(struct scheduler *s, uint32_t endpoint)
{
	lane_at(s, endpoint)->open = false;
	settle(s, endpoint);
}

bool
scheduler_is_held(const struct scheduler *s, uint32_t endpoint)
{
	return !lane_at(s, endpoint)->open;
}

bool
scheduler_is_idle(const struct scheduler *s, uint32_t endpoint)
{
	const struct lane *lane = lane_at(s, endpoint);

	return lane->fresh.count == 0 && lane->by_age.count == 0 &&
	    lane->retries.count == 0 && lane->sleeping == 0 &&
	    lane->in_flight == 0 && lane->alarms == 0 && !lane->throttled &&
	    !lane->unsettled;
}

static void
note_round(const struct scheduler *s, struct lane *lane, int64_t created_us)
{
	if (lane->last_round != s->round) {
		lane->settled_us = lane->newest_us;
		lane->last_round = s->round;
	}
	if (created_us > lane->newest_us)
		lane->newest_us = created_us;
}

static void
sleep_until(struct scheduler *s, uint32_t endpoint, struct pending item,
    int64_t due_us)
{
	struct pending_timer timer = {
		.due_us = due_us, .endpoint = endpoint, .item = item,
	};

	pending_timers_push(&s->timers, timer);
	s->lanes[endpoint].sleeping++;
}

void
scheduler_push(struct scheduler *s, uint32_t endpoint, struct pending item,
    int64_t due_us)
{
	struct lane *lane = lane_at(s, endpoint);

	if (item.attempts > 0) {
		sleep_until(s, endpoint, item, due_us);
	} else {
		note_round(s, lane, (int64_t)item.created_us);
		if (lane->limits.ordered)
			pending_heap_push(&lane->by_age, item);
		else
			pending_fifo_push(&lane->fresh, item);
	}
	settle(s, endpoint);
}

void
scheduler_hurry(struct scheduler *s, struct queue_pos pos)
{
	(void)pending_timers_hurry(&s->timers, pos);
}

void
scheduler_scanned(struct scheduler *s)
{
	uint32_t n = s->nunsettled;

	s->round++;
	s->nunsettled = 0;
	for (uint32_t i = 0; i < n; i++)
		s->lanes[s->unsettled[i]].unsettled = false;
	/* Entries behind the one looked at are not overwritten: a lane that is
	   unsettled still goes at or before its own place. */
	for (uint32_t i = 0; i < n; i++)
		settle(s, s->unsettled[i]);
}

bool
scheduler_wants_scan(const struct scheduler *s)
{
	return s->nunsettled > 0;
}

static void
set_alarm(struct scheduler *s, uint32_t endpoint, enum alarm alarm,
    int64_t due_us)
{
	struct pending_timer timer = {
		.due_us = due_us,
		.endpoint = endpoint,
		.item.pos.offset = alarm,
	};

	pending_timers_push(&s->timers, timer);
}

static void
on_timer(struct scheduler *s, const struct pending_timer *timer,
    int64_t now_us)
{
	struct lane *lane = lane_at(s, timer->endpoint);

	if (timer->item.attempts > 0) {
		lane->sleeping--;
		pending_fifo_push(&lane->retries, timer->item);
	} else if (timer->item.pos.offset == ALARM_RATE) {
		lane->throttled = false;
		s->throttled--;
	} else {
		lane->alarms--;
		(void)breaker_wake(&lane->breaker, now_us);
	}
	settle(s, timer->endpoint);
}

static void
run_timers(struct scheduler *s, int64_t now_us)
{
	struct pending_timer timer;

	while (s->timers.count > 0 && s->timers.items[0].due_us <= now_us) {
		pending_timers_pop(&s->timers, &timer);
		on_timer(s, &timer, now_us);
	}
}

/* Out of the ring until its rate lets it start again. */
static void
throttle(struct scheduler *s, uint32_t endpoint)
{
	struct lane *lane = &s->lanes[endpoint];

	set_alarm(s, endpoint, ALARM_RATE, lane->allowed_us - RATE_SLACK_US);
	lane->throttled = true;
	s->throttled++;
	settle(s, endpoint);
}

static bool
is_throttled(const struct lane *lane, int64_t now_us)
{
	/* Further away than its spacing: the clock was set back. */
	return lane->limits.rate != 0 &&
	    now_us < lane->allowed_us - RATE_SLACK_US &&
	    now_us >= lane->allowed_us - 2 * SECOND_US;
}

static unsigned
free_slots(const struct scheduler *s)
{
	return s->in_flight < s->max_in_flight ?
	    s->max_in_flight - s->in_flight : 0;
}

/* May anybody of this ring start? */
static bool
is_ring_ready(const struct scheduler *s, bool trusted)
{
	const struct ring *ring = &s->rings[trusted];

	return ring->count > 0 && !ring->blocked && free_slots(s) > 0 &&
	    (trusted || s->untrusted_in_flight <
	    (s->max_in_flight + 1) / 2);
}

/* Whose turn it is in this ring; NONE: nobody may start. Who has more slots
   than are free loses the turn. */
static uint32_t
next_in_ring(struct scheduler *s, bool trusted, int64_t now_us)
{
	struct ring *ring = &s->rings[trusted];

	if (!is_ring_ready(s, trusted))
		return NONE;
	for (uint32_t n = ring->count; n > 0; n--) {
		uint32_t endpoint = ring->first;
		struct lane *lane = &s->lanes[endpoint];

		if (is_throttled(lane, now_us)) {
			throttle(s, endpoint);
		} else if (lane->in_flight < free_slots(s)) {
			return endpoint;
		} else {
			lane->ticket = s->next_ticket++;
			ring->first = lane->ring_next;
		}
	}
	ring->blocked = true;
	return NONE;
}

bool
scheduler_next(struct scheduler *s, int64_t now_us, uint32_t *endpoint_r)
{
	uint32_t a, b;

	s->now_us = now_us;
	run_timers(s, now_us);
	a = next_in_ring(s, true, now_us);
	b = next_in_ring(s, false, now_us);
	if (a == NONE || (b != NONE &&
	    (int32_t)(s->lanes[b].ticket - s->lanes[a].ticket) < 0))
		a = b;
	*endpoint_r = a;
	return a != NONE;
}

/* A retry blocks an ordered endpoint; elsewhere the two kinds take turns. */
static bool
is_retry_next(struct lane *lane)
{
	if (lane->retries.count == 0)
		return false;
	if (lane->limits.ordered ||
	    lane->fresh.count + lane->by_age.count == 0)
		return true;
	lane->retry_turn = !lane->retry_turn;
	return lane->retry_turn;
}

struct pending
scheduler_take(struct scheduler *s, uint32_t endpoint, int64_t now_us)
{
	struct lane *lane = lane_at(s, endpoint);
	struct pending item;
	bool taken;

	wuts_assert(lane->in_ring);
	s->now_us = now_us;
	if (is_retry_next(lane))
		taken = pending_fifo_pop(&lane->retries, &item);
	else
		taken = pending_heap_pop(&lane->by_age, &item) ||
		    pending_fifo_pop(&lane->fresh, &item);
	wuts_assert(taken);
	if (lane->limits.rate > 0) {
		if (lane->allowed_us < now_us ||
		    lane->allowed_us > now_us + SECOND_US)
			lane->allowed_us = now_us;
		lane->allowed_us += SECOND_US / lane->limits.rate;
	}
	lane->in_flight++;
	s->in_flight++;
	s->untrusted_in_flight += !lane->trusted;
	breaker_started(&lane->breaker);
	/* To the end of the ring. */
	ring_remove(s, endpoint);
	settle(s, endpoint);
	return item;
}

static void
end_flight(struct scheduler *s, uint32_t endpoint)
{
	struct lane *lane = lane_at(s, endpoint);

	wuts_assert(lane->in_flight > 0 && s->in_flight > 0);
	if (--lane->in_flight == 0)
		breaker_ended(&lane->breaker);
	s->in_flight--;
	s->untrusted_in_flight -= !lane->trusted;
	s->rings[false].blocked = s->rings[true].blocked = false;
}

/* Its slots in flight count where it belongs now. */
static void
set_trust(struct scheduler *s, uint32_t endpoint)
{
	struct lane *lane = &s->lanes[endpoint];
	bool trusted = breaker_is_trusted(&lane->breaker);

	if (trusted != lane->trusted) {
		if (lane->in_ring)
			ring_remove(s, endpoint);
		if (trusted)
			s->untrusted_in_flight -= lane->in_flight;
		else
			s->untrusted_in_flight += lane->in_flight;
		s->rings[false].blocked = false;
		lane->trusted = trusted;
	}
	settle(s, endpoint);
}

enum breaker_change
scheduler_report(struct scheduler *s, uint32_t endpoint,
    enum breaker_verdict verdict, int64_t now_us, uint64_t random)
{
	struct lane *lane = lane_at(s, endpoint);
	enum breaker_change change = breaker_report(&lane->breaker,
	    &lane->limits.breaker, verdict, now_us, random);

	if (change == BREAKER_HAS_OPENED || change == BREAKER_STAYS_OPEN) {
		set_alarm(s, endpoint, ALARM_BREAKER, lane->breaker.until_us);
		lane->alarms++;
	}
	set_trust(s, endpoint);
	return change;
}

void
scheduler_forgive(struct scheduler *s, uint32_t endpoint)
{
	struct lane *lane = lane_at(s, endpoint);

	breaker_reset(&lane->breaker, &lane->limits.breaker);
	set_trust(s, endpoint);
}

void
scheduler_done(struct scheduler *s, uint32_t endpoint)
{
	end_flight(s, endpoint);
	settle(s, endpoint);
}

void
scheduler_retry(struct scheduler *s, uint32_t endpoint, struct pending item,
    int64_t due_us)
{
	wuts_assert(item.attempts > 0);
	end_flight(s, endpoint);
	sleep_until(s, endpoint, item, due_us);
	settle(s, endpoint);
}

void
scheduler_hurry_all(struct scheduler *s, uint32_t endpoint)
{
	struct pending_timers waiting = s->timers;
	struct lane *lane = lane_at(s, endpoint);

	s->timers = (struct pending_timers){ 0 };
	for (size_t i = 0; i < waiting.count; i++) {
		struct pending_timer *timer = &waiting.items[i];

		if (timer->endpoint != endpoint || timer->item.attempts == 0) {
			pending_timers_push(&s->timers, *timer);
			continue;
		}
		lane->sleeping--;
		pending_fifo_push(&lane->retries, timer->item);
	}
	pending_timers_clear(&waiting);
	settle(s, endpoint);
}

static bool
take_first_old(struct pending_fifo *fifo, int64_t before_us,
    struct pending *item_r)
{
	const struct pending *first = pending_fifo_first(fifo);

	return first != NULL && (int64_t)first->created_us < before_us &&
	    pending_fifo_pop(fifo, item_r);
}

bool
scheduler_take_old(struct scheduler *s, uint32_t endpoint, int64_t before_us,
    struct pending *item_r)
{
	struct lane *lane = lane_at(s, endpoint);

	wuts_assert(!lane->open);
	return take_first_old(&lane->fresh, before_us, item_r) ||
	    take_first_old(&lane->retries, before_us, item_r);
}

int64_t
scheduler_due(const struct scheduler *s)
{
	return s->timers.count > 0 ? s->timers.items[0].due_us : INT64_MAX;
}

bool
scheduler_is_ready(const struct scheduler *s)
{
	return is_ring_ready(s, true) || is_ring_ready(s, false);
}

bool
scheduler_is_throttled(const struct scheduler *s)
{
	return s->throttled > 0;
}

unsigned
scheduler_in_flight(const struct scheduler *s)
{
	return s->in_flight;
}

/* --- for whoever watches --- */

size_t
scheduler_size(const struct scheduler *s)
{
	return s->nlanes + s->timers.count;
}

static void
take_older(struct scheduler_survey *survey, int64_t created_us)
{
	if (survey->oldest_us == 0 || created_us < survey->oldest_us)
		survey->oldest_us = created_us;
}

static void
survey_lane(const struct lane *lane, struct scheduler_survey *survey)
{
	const struct pending *first[] = {
		pending_fifo_first(&lane->fresh),
		pending_fifo_first(&lane->retries),
		lane->by_age.count > 0 ? &lane->by_age.items[0] : NULL
	};

	if (!breaker_is_open(&lane->breaker))
		survey->closed++;
	else if (breaker_is_half_open(&lane->breaker))
		survey->half_open++;
	else
		survey->open++;
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		if (first[i] != NULL)
			take_older(survey, (int64_t)first[i]->created_us);
}

void
scheduler_survey(const struct scheduler *s, int64_t now_us,
    struct scheduler_survey *survey_r)
{
	*survey_r = (struct scheduler_survey){ .closed = 0 };
	for (uint32_t i = 0; i < s->nlanes; i++)
		if (s->lanes[i].used)
			survey_lane(&s->lanes[i], survey_r);
	for (size_t i = 0; i < s->timers.count; i++)
		if (s->timers.items[i].item.attempts > 0)
			take_older(survey_r, (int64_t)
			    s->timers.items[i].item.created_us);
	for (int i = 0; i < 2; i++) {
		const struct ring *ring = &s->rings[i];

		if (ring->count > 0 && now_us - s->lanes[ring->first].ready_us
		    > survey_r->lag_us)
			survey_r->lag_us = now_us -
			    s->lanes[ring->first].ready_us;
	}
}
