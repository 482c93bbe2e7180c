/* SPDX-License-Identifier: MIT */
/* Ordered endpoints: their oldest record starts only when no older one can turn
   up any more in a segment that is still unread. */
#include "config.h"

#include "scheduler_private.h"

#include "wuts/mem.h"

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

bool
scheduler_may_start_ordered(struct scheduler *s, uint32_t endpoint)
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

void
scheduler_note_round(const struct scheduler *s, struct lane *lane,
    int64_t created_us)
{
	if (lane->last_round != s->round) {
		lane->settled_us = lane->newest_us;
		lane->last_round = s->round;
	}
	if (created_us > lane->newest_us)
		lane->newest_us = created_us;
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
		scheduler_settle(s, s->unsettled[i]);
}

bool
scheduler_wants_scan(const struct scheduler *s)
{
	return s->nunsettled > 0;
}
