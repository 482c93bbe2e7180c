/* SPDX-License-Identifier: MIT */
/* What the directory does by time: look again at endpoints whose events wait,
   ask again what had no answer, have old rows deleted, keep the settings last
   read on disk, and read them at the start. */
#include "config.h"

#include "directory_private.h"

#include "callback.h"
#include "endpoint.h"
#include "lookup.h"
#include "scheduler.h"
#include "snapshot.h"
#include "target.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/generations.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/queue.h"
#include "wuts/settings.h"
#include "wuts/uuid.h"

/* Look-ups of waiting endpoints a tick; few while the database is away, as
   each may last a time-out. */
#define RECHECK_MAX 64
#define RECHECK_AWAY_MAX 2
/* A machine that shares no generation counters with us is noticed then. */
#define RECHECK_AGE_US (10 * CLOCK_SECOND_US)
#define RECHECK_CALLBACK_US (4 * CLOCK_SECOND_US)
#define SNAPSHOT_EVERY_US (10 * CLOCK_SECOND_US)
/* For what matters after days only. */
#define SNAPSHOT_HEALTH_US (300 * CLOCK_SECOND_US)
#define EXPIRE_EVERY_US (60 * CLOCK_SECOND_US)
#define OUTBOX_KEPT_US (INT64_C(3600) * CLOCK_SECOND_US)

/* Waits of a callback end when its URL changes: it is looked after though it is
   not held. */
static bool
wants_recheck(const struct spool *spool, const struct endpoint *endpoint,
    int64_t mono_us)
{
	bool is_callback = uuid_is_equal(&endpoint->device_id,
	    &TARGET_CALLBACK_ID);

	if (endpoint->asking ||
	    (!is_callback &&
	    !scheduler_is_held(spool->scheduler, endpoint->number)) ||
	    scheduler_is_idle(spool->scheduler, endpoint->number))
		return false;
	return !endpoint->known || mono_us - endpoint->read_us >=
	    (is_callback ? RECHECK_CALLBACK_US : RECHECK_AGE_US) ||
	    endpoint->generation != generations_get(spool->generations,
	    &endpoint->tenant_id);
}

/* Endpoints whose events wait: a disabled webhook may be enabled again, a
   failed look-up may succeed now. */
static void
recheck(struct spool *spool, int64_t mono_us)
{
	uint32_t limit = endpoints_limit(spool->endpoints);
	unsigned left = spool->away ? RECHECK_AWAY_MAX : RECHECK_MAX;

	if (spool->away && spool->asked >= DIRECTORY_ASKED_AWAY_MAX)
		return;
	for (uint32_t i = 0; i < limit && left > 0; i++) {
		struct endpoint *endpoint = endpoints_at(spool->endpoints,
		    spool->recheck_hand++ % limit);

		if (endpoint == NULL ||
		    !wants_recheck(spool, endpoint, mono_us))
			continue;
		directory_look_up(spool, endpoint);
		left--;
	}
}

/* One probes while the database is away; all when it is there. */
static void
ask_again(struct spool *spool)
{
	struct lookup_job *job;

	while ((job = spool->again) != NULL) {
		spool->again = job->next;
		directory_ask(spool, job);
		if (spool->away)
			break;
	}
}

void
directory_expired(struct spool *spool, const struct lookup_job *job)
{
	spool->expiring = false;
	/* A full batch: there is more. */
	if (job->result == LOOKUP_EXPIRE_BATCH)
		spool->expired_us -= EXPIRE_EVERY_US;
}

/* Rows of table outbox that nobody can need any more: older than every
   prepared record without a verdict, and well past the life of any request.
   While the database is away this is also what asks whether it is back. */
static void
expire(struct spool *spool, int64_t mono_us)
{
	struct lookup_job *job;
	int64_t before_us = clock_wall_us();
	int64_t horizon_us = queue_reader_prepared_horizon(spool->reader);

	if (spool->expiring ||
	    (!spool->away && spool->expired_us != 0 &&
	    mono_us - spool->expired_us < EXPIRE_EVERY_US))
		return;
	spool->expired_us = mono_us;
	spool->expiring = true;
	if (horizon_us < before_us)
		before_us = horizon_us;
	job = mem_calloc(1, sizeof(*job));
	job->kind = LOOKUP_EXPIRE;
	job->created_us = before_us - OUTBOX_KEPT_US;
	job->log_before_us = clock_wall_us() -
	    spool->live->delivery_log_keep_ms * 1000;
	directory_ask(spool, job);
}

bool
directory_tidy(struct spool *spool)
{
	if (!spool->away)
		expire(spool, clock_mono_us());
	return spool->expiring;
}

void
directory_save(struct spool *spool)
{
	struct fault fault = { .code = FAULT_NONE };

	if (!spool->snapshot_changed && !spool->health_changed)
		return;
	spool->snapshot_changed = spool->health_changed = false;
	spool->snapshot_us = clock_mono_us();
	if (snapshot_save(spool->snapshot_path, spool->endpoints,
	    &spool->live->keys, &fault) < 0)
		log_error("save the settings last read: %s", fault.text);
}

void
directory_tick(struct spool *spool, bool scanned)
{
	int64_t mono_us = clock_mono_us();

	if (spool->asked > 0 && mono_us - spool->answered_us >
	    spool->settings->database_timeout_ms * 1000)
		directory_note_away(spool, "it does not answer");
	recheck(spool, mono_us);
	callback_tick(spool);
	ask_again(spool);
	if (scanned)
		expire(spool, mono_us);
	if (mono_us - spool->snapshot_us >= (spool->snapshot_changed ?
	    SNAPSHOT_EVERY_US : SNAPSHOT_HEALTH_US))
		directory_save(spool);
}

static void
restore_one(void *ctx, struct target *target, int64_t failing_us)
{
	struct spool *spool = ctx;
	struct endpoint *endpoint = directory_find_or_add(spool,
	    &target->webhook.tenant_id, &target->webhook.device_id);

	/* Known, but from before any time: looked up at first use. */
	(void)endpoint_learn(endpoint, target, 0, INT64_MIN / 2);
	endpoint->granted = false;
	endpoint->failing_us = failing_us;
	directory_apply(spool, endpoint);
}

void
directory_restore(struct spool *spool)
{
	struct fault fault = { .code = FAULT_NONE };
	size_t refused = 0;

	if (snapshot_load(spool->snapshot_path, &spool->settings->keys,
	    restore_one, spool, &refused, &fault) < 0)
		log_warn("read the settings last read: %s", fault.text);
	if (refused > 0)
		log_warn("%s: %zu lines are damaged or of another "
		    "installation and were left out", spool->snapshot_path,
		    refused);
}
