/* SPDX-License-Identifier: MIT */
/* One attempt from its turn to its outcome: load the record, decide whether
   anybody wants it, hand it to delivery.c, note what became of it, one log
   line. An outcome is noted before the endpoint's next record may start and is
   durable 100 ms later at most; while outcomes cannot be written no attempt
   starts, so that a crash repeats little. */
#include "config.h"

#include "dispatch.h"

#include "backoff.h"
#include "breaker.h"
#include "callback.h"
#include "delivery.h"
#include "directory.h"
#include "endpoint.h"
#include "health.h"
#include "journal.h"
#include "numbers.h"
#include "pending.h"
#include "scheduler.h"
#include "shards.h"
#include "spool_private.h"
#include "target.h"
#include "trial.h"

#include "wuts/callback.h"
#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/queue.h"
#include "wuts/settings.h"
#include "wuts/uuid.h"

#include <inttypes.h>
#include <stdio.h>

/* Started or dropped before the loop looks at its sockets again. */
#define START_MAX 256

static const char *const outcome_names[] = {
	[QUEUE_DELIVERED] = "delivered",
	[QUEUE_RETRY] = "retry",
	[QUEUE_DEAD] = "dead",
	[QUEUE_DROPPED] = "dropped",
	[QUEUE_DISCARDED] = "discarded",
};

void
dispatch_record(void *ctx, struct queue_pos pos,
    const struct queue_record *record, unsigned attempts, int64_t due_us)
{
	struct spool *spool = ctx;
	enum callback_type type;
	struct endpoint *endpoint = directory_endpoint(spool,
	    &record->tenant_id, callback_event_parse(record->event, &type) ?
	    &TARGET_CALLBACK_ID : &record->device_id);

	scheduler_push(spool->scheduler, endpoint->number,
	    pending_make(pos, record->created_us, attempts), due_us);
}

static void
log_outcome(const struct queue_record *record, unsigned attempt,
    enum queue_outcome outcome, const struct delivery_result *result)
{
	char id[UUID_TEXT_LEN + 1], tenant[UUID_TEXT_LEN + 1];
	char device[UUID_TEXT_LEN + 1];
	bool why = result->why[0] != '\0';
	bool is_known = record->request != NULL && record->request[0] != '\0';

	log_info("event=%s request=%s tenant=%s device=%s attempt=%u "
	    "status=%ld outcome=%s ms=%" PRId64 "%s%s%s",
	    uuid_format(&record->id, id), is_known ? record->request : "-",
	    uuid_format(&record->tenant_id, tenant),
	    uuid_is_nil(&record->device_id) ? "-" :
	    uuid_format(&record->device_id, device),
	    attempt, result->status, outcome_names[outcome],
	    result->duration_us / 1000,
	    why ? " why=\"" : "", why ? result->why : "", why ? "\"" : "");
}

static void
note(struct spool *spool, struct queue_pos pos, enum queue_outcome outcome,
    unsigned attempts, int64_t due_us)
{
	queue_reader_finish(spool->reader, pos, outcome, attempts, due_us);
	if (spool->noted_us == 0)
		spool->noted_us = clock_mono_us();
}

/* NULL: it is wanted. */
static const char *
why_unwanted(const struct spool *spool, const struct target *target,
    const struct queue_record *record)
{
	if (target == NULL)
		return "no webhook is configured";
	if (target->kind == TARGET_CALLBACK)
		return callback_why_unwanted(spool, target, record);
	if (record->created_us < target->webhook.created_us)
		return "the event is older than the webhook";
	if (!target_wants(target, record->event))
		return "the webhook does not want this event";
	return NULL;
}

static void
drop(struct spool *spool, const struct delivery *delivery, const char *why)
{
	struct delivery_result result = { .error = "", .answer = "" };
	unsigned attempts = delivery->item.attempts;

	snprintf(result.why, sizeof(result.why), "%s", why);
	note(spool, delivery->item.pos, QUEUE_DROPPED, attempts, 0);
	numbers_note(spool, QUEUE_DROPPED, &result, false);
	log_outcome(&delivery->record, attempts, QUEUE_DROPPED, &result);
	/* One that was never tried is in no log. */
	if (attempts > 0)
		journal_note(spool, &delivery->record, 0, QUEUE_DROPPED,
		    &result, clock_wall_us(), 0);
}

void
dispatch_drop(struct spool *spool, struct endpoint *endpoint,
    struct pending item, const char *why)
{
	struct fault fault = { .code = FAULT_NONE };
	struct delivery *delivery = delivery_get(spool->pool);
	int loaded;

	delivery->endpoint = endpoint;
	delivery->item = item;
	loaded = queue_reader_load(spool->reader, item.pos, &delivery->buf,
	    &delivery->record, &fault);
	if (loaded < 0)
		log_error("load a record: %s", fault.text);
	else if (loaded == 0)
		drop(spool, delivery, why);
	delivery_release(spool->pool, delivery);
}

/* True: in flight. False: there is nothing to try, the record is done with. */
static bool
attempt(struct spool *spool, struct delivery *delivery)
{
	struct fault fault = { .code = FAULT_NONE };
	const char *why;
	int loaded;

	loaded = queue_reader_load(spool->reader, delivery->item.pos,
	    &delivery->buf, &delivery->record, &fault);
	if (loaded < 0)
		log_error("load a record: %s", fault.text);
	if (loaded != 0)
		return false;
	why = why_unwanted(spool, delivery->endpoint->target,
	    &delivery->record);
	if (why != NULL) {
		drop(spool, delivery, why);
		return false;
	}
	delivery->target = target_ref(delivery->endpoint->target);
	if (spool->shards != NULL)
		shards_start(spool->shards, delivery,
		    delivery->item.attempts + 1u, clock_wall_us());
	else
		delivery_start(spool->pool, delivery,
		    delivery->item.attempts + 1u, clock_wall_us(),
		    clock_mono_us());
	return true;
}

void
dispatch_start(struct spool *spool)
{
	int64_t wall_us = clock_wall_us(), mono_us = clock_mono_us();
	uint32_t number;

	for (unsigned n = 0; n < START_MAX; n++) {
		struct delivery *delivery;
		struct endpoint *endpoint;

		if (spool->stuck ||
		    !scheduler_next(spool->scheduler, wall_us, &number))
			return;
		endpoint = endpoints_at(spool->endpoints, number);
		if (!directory_may_use(spool, endpoint, mono_us))
			continue;
		if (spool->shards != NULL &&
		    !shards_may_start(spool->shards, endpoint)) {
			scheduler_hold(spool->scheduler, number);
			continue;
		}
		delivery = delivery_get(spool->pool);
		delivery->endpoint = endpoint;
		delivery->item = scheduler_take(spool->scheduler, number,
		    wall_us);
		if (!attempt(spool, delivery)) {
			scheduler_done(spool->scheduler, number);
			delivery_release(spool->pool, delivery);
		}
	}
}

static void
log_breaker(const struct delivery *delivery, enum breaker_change change)
{
	const struct endpoint *endpoint = delivery->endpoint;
	char tenant[UUID_TEXT_LEN + 1], device[UUID_TEXT_LEN + 1];

	if (change != BREAKER_HAS_OPENED && change != BREAKER_HAS_CLOSED)
		return;
	log_info("tenant=%s device=%s %s",
	    uuid_format(&endpoint->tenant_id, tenant),
	    uuid_is_nil(&endpoint->device_id) ? "-" :
	    uuid_format(&endpoint->device_id, device),
	    change == BREAKER_HAS_OPENED ?
	    "endpoint fails, only probes from now on" :
	    "endpoint answers again");
}

/* What the attempt told about its endpoint. */
static void
report(struct spool *spool, const struct delivery *delivery,
    const struct delivery_result *result, int64_t now_us)
{
	enum breaker_verdict verdict = breaker_judge(result->status,
	    result->duration_us);
	uint64_t random = 0;

	/* An attempt under settings that were replaced since tells nothing
	   about those that hold now. */
	if (delivery->target != delivery->endpoint->target)
		return;
	if (verdict != BREAKER_QUICK)
		crypto_random(&random, sizeof(random));
	log_breaker(delivery, scheduler_report(spool->scheduler,
	    delivery->endpoint->number, verdict, now_us, random));
}

static int64_t
retry_due(const struct spool *spool, unsigned attempts,
    const struct delivery_result *result, int64_t now_us)
{
	uint64_t random;

	crypto_random(&random, sizeof(random));
	return now_us + backoff_delay_us(attempts,
	    spool->live->retry_base_ms, spool->live->retry_cap_ms,
	    result->retry_after_s, random);
}

/* due_us: of a retry. */
static enum queue_outcome
judge(const struct spool *spool, const struct delivery *delivery,
    const struct delivery_result *result, unsigned attempts, int64_t now_us,
    int64_t *due_us)
{
	enum queue_outcome outcome;

	if (delivery->target->kind == TARGET_CALLBACK)
		return callback_judge(spool, delivery, result, attempts,
		    now_us, due_us);
	outcome = backoff_outcome(result->status, attempts,
	    delivery->target->webhook.retry_attempts);
	*due_us = outcome != QUEUE_RETRY ? 0 :
	    retry_due(spool, attempts, result, now_us);
	return outcome;
}

static void
note_result(struct spool *spool, struct delivery *delivery,
    const struct delivery_result *result)
{
	uint32_t number = delivery->endpoint->number;
	unsigned attempts = delivery->item.attempts + 1u;
	int64_t now_us = clock_wall_us(), due_us;
	enum queue_outcome outcome = judge(spool, delivery, result, attempts,
	    now_us, &due_us);

	note(spool, delivery->item.pos, outcome, attempts, due_us);
	numbers_note(spool, outcome, result, true);
	log_outcome(&delivery->record, attempts, outcome, result);
	journal_note(spool, &delivery->record, attempts, outcome, result,
	    now_us, due_us);
	report(spool, delivery, result, now_us);
	if (delivery->target->kind == TARGET_CALLBACK)
		callback_count(spool, delivery, result);
	else
		health_note(spool, delivery, result, now_us);
	if (outcome == QUEUE_RETRY)
		scheduler_retry(spool->scheduler, number,
		    pending_make(delivery->item.pos,
		    delivery->record.created_us, attempts), due_us);
	else
		scheduler_done(spool->scheduler, number);
}

void
dispatch_result(void *ctx, struct delivery *delivery,
    const struct delivery_result *result)
{
	struct spool *spool = ctx;

	if (delivery->trial != NULL)
		trial_result(spool, delivery, result);
	else
		note_result(spool, delivery, result);
}

void
dispatch_lost(struct spool *spool, struct delivery *delivery)
{
	uint32_t number = delivery->endpoint->number;

	scheduler_done(spool->scheduler, number);
	scheduler_push(spool->scheduler, number, delivery->item,
	    clock_wall_us());
	delivery_release(spool->pool, delivery);
}

static void
is_stuck(struct spool *spool, const struct fault *fault)
{
	if (!spool->stuck)
		log_error("outcomes cannot be written, deliveries pause: %s",
		    fault->text);
	spool->stuck = true;
}

void
dispatch_write(struct spool *spool)
{
	struct fault fault = { .code = FAULT_NONE };

	if (queue_reader_write(spool->reader, &fault) < 0)
		is_stuck(spool, &fault);
}

void
dispatch_sync(struct spool *spool)
{
	struct fault fault = { .code = FAULT_NONE };

	if (queue_reader_sync(spool->reader, &fault) < 0) {
		is_stuck(spool, &fault);
		return;
	}
	journal_kept(spool);
	spool->noted_us = 0;
	if (spool->stuck)
		log_info("outcomes are written again");
	spool->stuck = false;
}
