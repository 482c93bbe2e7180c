/* SPDX-License-Identifier: MIT */
/* What is different with the webhooks of On-Premises tenants (spec/onprem.md
   §6): 200 is the only success, waits grow by a straight line and have no
   chance in them, an event is given up by its age and leaves no dead letter,
   failures close nothing, and without a URL events wait for one. */
#include "config.h"

#include "callback.h"

#include "backoff.h"
#include "delivery.h"
#include "dispatch.h"
#include "endpoint.h"
#include "pending.h"
#include "scheduler.h"
#include "spool_private.h"
#include "target.h"

#include "wuts/callback.h"
#include "wuts/callback_counts.h"
#include "wuts/clock.h"
#include "wuts/queue.h"
#include "wuts/settings.h"

#include <string.h>

/* Dropped in one tick. */
#define EXPIRE_MAX 1024
/* In a row, for what the settings do not hold. */
#define WINDOW_DEFAULT 6

static const char too_old[] = "it could not be delivered for too long";

static int64_t
keep_us(const struct spool *spool)
{
	return spool->live->onprem_webhook_keep_ms * 1000;
}

const char *
callback_why_unwanted(const struct spool *spool, const struct target *target,
    const struct queue_record *record)
{
	enum callback_type type;

	if (!callback_event_parse(record->event, &type))
		return "it is no On-Premises event";
	if (clock_wall_us() - record->created_us >= keep_us(spool))
		return too_old;
	if (target->webhook.url[0] == '\0')
		return "no URL is set, and callback_persist is off";
	return NULL;
}

enum queue_outcome
callback_judge(const struct spool *spool, const struct delivery *delivery,
    const struct delivery_result *result, unsigned attempts, int64_t now_us,
    int64_t *due_us)
{
	/* Present settings, where there are any. */
	const struct target *target = delivery->endpoint->target != NULL ?
	    delivery->endpoint->target : delivery->target;
	enum queue_outcome outcome = backoff_callback_outcome(result->status,
	    now_us - delivery->record.created_us, keep_us(spool));

	*due_us = outcome != QUEUE_RETRY ? 0 : now_us +
	    backoff_callback_delay_us(attempts, target->delay_ms,
	    target->delay_max_ms);
	return outcome;
}

void
callback_count(struct spool *spool, const struct delivery *delivery,
    const struct delivery_result *result)
{
	int code = result->status == 200 ? 0 :
	    result->status != 0 ? (int)result->status : -(int)result->code;
	enum callback_type type;

	if (callback_event_parse(delivery->record.event, &type))
		callback_counts_add(spool->counts,
		    &delivery->record.tenant_id, type, code,
		    result->duration_us);
}

/* All of the window at once, and no breaker: the schedule of each event is
   promised. */
void
callback_limits(const struct target *target, struct scheduler_limits *limits)
{
	limits->breaker.window = target->webhook.max_concurrency > 0 ?
	    target->webhook.max_concurrency : WINDOW_DEFAULT;
	limits->breaker.first_window = 0;
	limits->breaker.pause_us = 0;
}

void
callback_changed(struct spool *spool, const struct endpoint *endpoint,
    const struct target *before)
{
	const struct target *target = endpoint->target;

	if (target != NULL && target->kind == TARGET_CALLBACK &&
	    before != NULL &&
	    strcmp(target->webhook.url, before->webhook.url) != 0)
		scheduler_hurry_all(spool->scheduler, endpoint->number);
}

/* What waits is not looked at before it may start. */
void
callback_tick(struct spool *spool)
{
	int64_t before_us = clock_wall_us() - keep_us(spool);
	unsigned left = EXPIRE_MAX;
	struct pending item;

	for (uint32_t i = 0; i < endpoints_limit(spool->endpoints); i++) {
		struct endpoint *endpoint = endpoints_at(spool->endpoints, i);

		if (endpoint == NULL || endpoint->target == NULL ||
		    endpoint->target->kind != TARGET_CALLBACK ||
		    !scheduler_is_held(spool->scheduler, i))
			continue;
		while (left > 0 && !spool->stuck && scheduler_take_old(
		    spool->scheduler, i, before_us, &item)) {
			dispatch_drop(spool, endpoint, item, too_old);
			left--;
		}
	}
}
