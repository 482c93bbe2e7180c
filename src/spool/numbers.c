/* SPDX-License-Identifier: MIT */
/* What the spooler says of itself, once a second: an attempt is counted when it
   ends, the state is surveyed as often as that costs little. */
#include "config.h"

#include "numbers.h"

#include "delivery.h"
#include "endpoint.h"
#include "scheduler.h"
#include "spool_private.h"

#include "wuts/clock.h"
#include "wuts/queue.h"
#include "wuts/spool_numbers.h"

/* A survey of so many takes about a millisecond; larger ones are rarer. */
#define SURVEY_SMALL 50000
#define SURVEY_PAUSE_US (15 * CLOCK_SECOND_US)

static size_t
count_disabled(const struct endpoints *table)
{
	size_t n = 0;

	for (uint32_t i = 0; i < endpoints_limit(table); i++) {
		const struct endpoint *endpoint = endpoints_at(table, i);

		n += endpoint != NULL && endpoint->target != NULL &&
		    !endpoint->target->webhook.enabled;
	}
	return n;
}

static void
survey(struct spool *spool)
{
	struct scheduler_survey found;

	scheduler_survey(spool->scheduler, clock_wall_us(), &found);
	spool_numbers_set(spool->numbers, SPOOL_OLDEST_US, found.oldest_us);
	spool_numbers_set(spool->numbers, SPOOL_LAG_US, found.lag_us);
	spool_numbers_set(spool->numbers, SPOOL_CLOSED,
	    (int64_t)found.closed);
	spool_numbers_set(spool->numbers, SPOOL_HALF_OPEN,
	    (int64_t)found.half_open);
	spool_numbers_set(spool->numbers, SPOOL_OPEN, (int64_t)found.open);
	spool_numbers_set(spool->numbers, SPOOL_DISABLED,
	    (int64_t)count_disabled(spool->endpoints));
}

void
numbers_tick(struct spool *spool, int64_t mono_us)
{
	if (spool->surveyed_us == 0 ||
	    scheduler_size(spool->scheduler) < SURVEY_SMALL ||
	    mono_us - spool->surveyed_us >= SURVEY_PAUSE_US) {
		survey(spool);
		spool->surveyed_us = mono_us;
	}
	spool_numbers_set(spool->numbers, SPOOL_IN_FLIGHT,
	    scheduler_in_flight(spool->scheduler));
	spool_numbers_set(spool->numbers, SPOOL_STUCK, spool->stuck);
	spool_numbers_beat(spool->numbers);
}

void
numbers_note(struct spool *spool, enum queue_outcome outcome,
    const struct delivery_result *result, bool was_tried)
{
	static const enum spool_attempt attempts[] = {
		[QUEUE_DELIVERED] = SPOOL_DELIVERED,
		[QUEUE_RETRY] = SPOOL_RETRY,
		[QUEUE_DEAD] = SPOOL_DEAD,
		[QUEUE_DROPPED] = SPOOL_DROPPED,
	};

	if (outcome == QUEUE_DISCARDED)
		return;
	spool_numbers_count(spool->numbers, attempts[outcome]);
	if (was_tried)
		spool_numbers_observe(spool->numbers, result->status,
		    result->duration_us);
}
