/* SPDX-License-Identifier: MIT */
/* Whose turn it is. An endpoint is in a ring exactly when may_start() says so,
   in the one of the trusted or in the other; everything that changes the answer
   ends with scheduler_settle(). Tickets make the two rings one queue. */
#include "config.h"

#include "scheduler_private.h"

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

void
scheduler_ring_remove(struct scheduler *s, uint32_t endpoint)
{
	struct lane *lane = &s->lanes[endpoint];
	struct ring *ring = ring_of(s, lane);

	lane->in_ring = false;
	if (--ring->count == 0) {
		ring->first = SCHEDULER_NONE;
		return;
	}
	s->lanes[lane->ring_prev].ring_next = lane->ring_next;
	s->lanes[lane->ring_next].ring_prev = lane->ring_prev;
	if (ring->first == endpoint)
		ring->first = lane->ring_next;
}

static bool
may_start(struct scheduler *s, uint32_t endpoint)
{
	const struct lane *lane = &s->lanes[endpoint];

	if (!lane->open || lane->throttled)
		return false;
	if (lane->limits.ordered)
		return scheduler_may_start_ordered(s, endpoint);
	return breaker_may_start(&lane->breaker, lane->in_flight) &&
	    (lane->fresh.count > 0 || lane->by_age.count > 0 ||
	    lane->retries.count > 0);
}

void
scheduler_settle(struct scheduler *s, uint32_t endpoint)
{
	bool may = may_start(s, endpoint);

	if (may && !s->lanes[endpoint].in_ring)
		ring_add(s, endpoint);
	else if (!may && s->lanes[endpoint].in_ring)
		scheduler_ring_remove(s, endpoint);
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

/* Whose turn it is in this ring; SCHEDULER_NONE: nobody may start. Who has more
   slots than are free loses the turn. */
static uint32_t
next_in_ring(struct scheduler *s, bool trusted, int64_t now_us)
{
	struct ring *ring = &s->rings[trusted];

	if (!is_ring_ready(s, trusted))
		return SCHEDULER_NONE;
	for (uint32_t n = ring->count; n > 0; n--) {
		uint32_t endpoint = ring->first;
		struct lane *lane = &s->lanes[endpoint];

		if (scheduler_lane_is_throttled(lane, now_us)) {
			scheduler_throttle(s, endpoint);
		} else if (lane->in_flight < free_slots(s)) {
			return endpoint;
		} else {
			lane->ticket = s->next_ticket++;
			ring->first = lane->ring_next;
		}
	}
	ring->blocked = true;
	return SCHEDULER_NONE;
}

bool
scheduler_next(struct scheduler *s, int64_t now_us, uint32_t *endpoint_r)
{
	uint32_t a, b;

	s->now_us = now_us;
	scheduler_run_timers(s, now_us);
	a = next_in_ring(s, true, now_us);
	b = next_in_ring(s, false, now_us);
	if (a == SCHEDULER_NONE || (b != SCHEDULER_NONE &&
	    (int32_t)(s->lanes[b].ticket - s->lanes[a].ticket) < 0))
		a = b;
	*endpoint_r = a;
	return a != SCHEDULER_NONE;
}

bool
scheduler_is_ready(const struct scheduler *s)
{
	return is_ring_ready(s, true) || is_ring_ready(s, false);
}
