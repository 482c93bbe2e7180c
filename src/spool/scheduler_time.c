/* SPDX-License-Identifier: MIT */
/* What waits on time: retries, rates, and the pauses of breakers, in one heap
   of timers. */
#include "config.h"

#include "scheduler_private.h"

#define SECOND_US INT64_C(1000000)
/* How far a rate-limited endpoint may run ahead of even spacing, so that the
   loop need not wake for each record. */
#define RATE_SLACK_US 20000

void
scheduler_sleep(struct scheduler *s, uint32_t endpoint, struct pending item,
    int64_t due_us)
{
	struct pending_timer timer = {
		.due_us = due_us, .endpoint = endpoint, .item = item,
	};

	pending_timers_push(&s->timers, timer);
	s->lanes[endpoint].sleeping++;
}

void
scheduler_set_alarm(struct scheduler *s, uint32_t endpoint, enum alarm alarm,
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
	struct lane *lane = scheduler_lane(s, timer->endpoint);

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
	scheduler_settle(s, timer->endpoint);
}

void
scheduler_run_timers(struct scheduler *s, int64_t now_us)
{
	struct pending_timer timer;

	while (s->timers.count > 0 && s->timers.items[0].due_us <= now_us) {
		pending_timers_pop(&s->timers, &timer);
		on_timer(s, &timer, now_us);
	}
}

/* Out of the ring until its rate lets it start again. */
void
scheduler_throttle(struct scheduler *s, uint32_t endpoint)
{
	struct lane *lane = &s->lanes[endpoint];

	scheduler_set_alarm(s, endpoint, ALARM_RATE,
	    lane->allowed_us - RATE_SLACK_US);
	lane->throttled = true;
	s->throttled++;
	scheduler_settle(s, endpoint);
}

bool
scheduler_lane_is_throttled(const struct lane *lane, int64_t now_us)
{
	/* Further away than its spacing: the clock was set back. */
	return lane->limits.rate != 0 &&
	    now_us < lane->allowed_us - RATE_SLACK_US &&
	    now_us >= lane->allowed_us - 2 * SECOND_US;
}

void
scheduler_hurry(struct scheduler *s, struct queue_pos pos)
{
	(void)pending_timers_hurry(&s->timers, pos);
}

static void
wake(void *ctx, struct pending item)
{
	struct lane *lane = ctx;

	lane->sleeping--;
	pending_fifo_push(&lane->retries, item);
}

void
scheduler_hurry_all(struct scheduler *s, uint32_t endpoint)
{
	struct lane *lane = scheduler_lane(s, endpoint);

	if (lane->sleeping > 0)
		pending_timers_take(&s->timers, endpoint, wake, lane);
	scheduler_settle(s, endpoint);
}

int64_t
scheduler_due(const struct scheduler *s)
{
	return s->timers.count > 0 ? s->timers.items[0].due_us : INT64_MAX;
}

bool
scheduler_is_throttled(const struct scheduler *s)
{
	return s->throttled > 0;
}
