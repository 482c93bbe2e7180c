/* SPDX-License-Identifier: MIT */
/* What is told of the scheduler to whoever watches. */
#include "config.h"

#include "scheduler_private.h"

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
