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
   are not trusted (breaker.c) have half of all between them. */
#include "config.h"

#include "scheduler_private.h"

#include "wuts/mem.h"

#include <stdlib.h>

#define SECOND_US INT64_C(1000000)

struct scheduler *
scheduler_new(unsigned max_in_flight)
{
	struct scheduler *s = mem_calloc(1, sizeof(*s));

	s->rings[false].first = s->rings[true].first = SCHEDULER_NONE;
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
	struct lane *lane = scheduler_lane(s, endpoint);

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
	struct lane *lane = scheduler_lane(s, endpoint);
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
	scheduler_settle(s, endpoint);
}

void
scheduler_hold(struct scheduler *s, uint32_t endpoint)
{
	scheduler_lane(s, endpoint)->open = false;
	scheduler_settle(s, endpoint);
}

bool
scheduler_is_held(const struct scheduler *s, uint32_t endpoint)
{
	return !scheduler_lane(s, endpoint)->open;
}

bool
scheduler_is_idle(const struct scheduler *s, uint32_t endpoint)
{
	const struct lane *lane = scheduler_lane(s, endpoint);

	return lane->fresh.count == 0 && lane->by_age.count == 0 &&
	    lane->retries.count == 0 && lane->sleeping == 0 &&
	    lane->in_flight == 0 && lane->alarms == 0 && !lane->throttled &&
	    !lane->unsettled;
}

void
scheduler_push(struct scheduler *s, uint32_t endpoint, struct pending item,
    int64_t due_us)
{
	struct lane *lane = scheduler_lane(s, endpoint);

	if (item.attempts > 0) {
		scheduler_sleep(s, endpoint, item, due_us);
	} else {
		scheduler_note_round(s, lane, (int64_t)item.created_us);
		if (lane->limits.ordered)
			pending_heap_push(&lane->by_age, item);
		else
			pending_fifo_push(&lane->fresh, item);
	}
	scheduler_settle(s, endpoint);
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
	struct lane *lane = scheduler_lane(s, endpoint);
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
	scheduler_ring_remove(s, endpoint);
	scheduler_settle(s, endpoint);
	return item;
}

static void
end_flight(struct scheduler *s, uint32_t endpoint)
{
	struct lane *lane = scheduler_lane(s, endpoint);

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
			scheduler_ring_remove(s, endpoint);
		if (trusted)
			s->untrusted_in_flight -= lane->in_flight;
		else
			s->untrusted_in_flight += lane->in_flight;
		s->rings[false].blocked = false;
		lane->trusted = trusted;
	}
	scheduler_settle(s, endpoint);
}

enum breaker_change
scheduler_report(struct scheduler *s, uint32_t endpoint,
    enum breaker_verdict verdict, int64_t now_us, uint64_t random)
{
	struct lane *lane = scheduler_lane(s, endpoint);
	enum breaker_change change = breaker_report(&lane->breaker,
	    &lane->limits.breaker, verdict, now_us, random);

	if (change == BREAKER_HAS_OPENED || change == BREAKER_STAYS_OPEN) {
		scheduler_set_alarm(s, endpoint, ALARM_BREAKER,
		    lane->breaker.until_us);
		lane->alarms++;
	}
	set_trust(s, endpoint);
	return change;
}

void
scheduler_forgive(struct scheduler *s, uint32_t endpoint)
{
	struct lane *lane = scheduler_lane(s, endpoint);

	breaker_reset(&lane->breaker, &lane->limits.breaker);
	set_trust(s, endpoint);
}

void
scheduler_done(struct scheduler *s, uint32_t endpoint)
{
	end_flight(s, endpoint);
	scheduler_settle(s, endpoint);
}

void
scheduler_retry(struct scheduler *s, uint32_t endpoint, struct pending item,
    int64_t due_us)
{
	wuts_assert(item.attempts > 0);
	end_flight(s, endpoint);
	scheduler_sleep(s, endpoint, item, due_us);
	scheduler_settle(s, endpoint);
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
	struct lane *lane = scheduler_lane(s, endpoint);

	wuts_assert(!lane->open);
	return take_first_old(&lane->fresh, before_us, item_r) ||
	    take_first_old(&lane->retries, before_us, item_r);
}

unsigned
scheduler_in_flight(const struct scheduler *s)
{
	return s->in_flight;
}
