/* SPDX-License-Identifier: MIT */
/* Keeps what is known of the endpoints true: asks the look-up thread, applies
   its answers, opens and holds endpoints in the scheduler accordingly. While
   the database is away settings read before go on being used, and what was
   never read waits. Also the claims of prepared records, which need the
   database too. Logs the loss and the return of the database, once each. */
#include "config.h"

#include "directory_private.h"

#include "callback.h"
#include "endpoint.h"
#include "health.h"
#include "journal.h"
#include "lookup.h"
#include "scheduler.h"
#include "target.h"
#include "trial.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/generations.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/queue.h"
#include "wuts/settings.h"
#include "wuts/uuid.h"

#include <string.h>

/* Endpoints beyond this many are forgotten when they are idle. */
#define ENDPOINTS_KEPT 16384
#define EVICT_STEPS 64
/* Slow start, and the longest pause of a breaker. */
#define FIRST_WINDOW 2
#define PAUSE_MAX_US (INT64_C(300) * CLOCK_SECOND_US)

void
directory_ask(struct spool *spool, struct lookup_job *job)
{
	if (spool->asked++ == 0)
		spool->answered_us = clock_mono_us();
	lookup_ask(spool->lookup, job);
}

/* The generation is read before the row is: a change in between makes the
   answer stale, never wrong. */
void
directory_look_up(struct spool *spool, struct endpoint *endpoint)
{
	struct lookup_job *job;

	if (endpoint->asking)
		return;
	job = mem_calloc(1, sizeof(*job));
	job->kind = LOOKUP_WEBHOOK;
	job->tenant_id = endpoint->tenant_id;
	job->device_id = endpoint->device_id;
	job->generation = generations_get(spool->generations,
	    &endpoint->tenant_id);
	job->asked_us = clock_mono_us();
	endpoint->asked_us = job->asked_us;
	endpoint->asking = true;
	directory_ask(spool, job);
}

/* Let the scheduler do what the endpoint's settings say. Without a webhook its
   records are taken one by one and dropped. */
void
directory_apply(struct spool *spool, struct endpoint *endpoint)
{
	struct scheduler_limits limits = {
		.breaker = {
			.window = 1,
			.first_window = FIRST_WINDOW,
			.pause_us = spool->live->retry_base_ms * 1000,
			.pause_max_us = PAUSE_MAX_US,
		},
	};
	const struct target *target = endpoint->target;

	if (!endpoint->known || endpoint->unusable || endpoint->disabling ||
	    (target != NULL && !target->webhook.enabled)) {
		scheduler_hold(spool->scheduler, endpoint->number);
		return;
	}
	if (target != NULL && target->kind == TARGET_CALLBACK) {
		callback_limits(target, &limits);
	} else if (target != NULL) {
		if (target->webhook.max_concurrency > 0)
			limits.breaker.window =
			    target->webhook.max_concurrency;
		limits.rate = target->webhook.rate_limit;
		limits.ordered = target->webhook.ordered;
	}
	scheduler_open(spool->scheduler, endpoint->number, &limits);
}

/* Forget an idle endpoint. Looks at a few only, so adding stays cheap. */
static void
evict(struct spool *spool)
{
	uint32_t limit = endpoints_limit(spool->endpoints);

	for (int i = 0; i < EVICT_STEPS; i++) {
		uint32_t number = spool->evict_hand++ % limit;
		struct endpoint *endpoint = endpoints_at(spool->endpoints,
		    number);

		if (endpoint == NULL || endpoint->asking ||
		    endpoint->disabling ||
		    !scheduler_is_idle(spool->scheduler, number))
			continue;
		scheduler_remove(spool->scheduler, number);
		endpoints_remove(spool->endpoints, endpoint);
		return;
	}
}

struct endpoint *
directory_find_or_add(struct spool *spool, const struct uuid *tenant_id,
    const struct uuid *device_id)
{
	struct endpoint *endpoint = endpoints_find(spool->endpoints,
	    tenant_id, device_id);

	if (endpoint != NULL)
		return endpoint;
	if (endpoints_count(spool->endpoints) >= ENDPOINTS_KEPT)
		evict(spool);
	return endpoints_add(spool->endpoints,
	    scheduler_add(spool->scheduler), tenant_id, device_id);
}

struct endpoint *
directory_endpoint(struct spool *spool, const struct uuid *tenant_id,
    const struct uuid *device_id)
{
	struct endpoint *endpoint = directory_find_or_add(spool, tenant_id,
	    device_id);

	/* Also one that the snapshot says is held: it may be enabled by now, and
	   nobody would ask again before the end of a run of --once. */
	if (endpoint->asked_us == 0 &&
	    scheduler_is_held(spool->scheduler, endpoint->number))
		directory_look_up(spool, endpoint);
	return endpoint;
}

bool
directory_may_use(struct spool *spool, struct endpoint *endpoint,
    int64_t mono_us)
{
	enum endpoint_state state = endpoint_state(endpoint,
	    generations_get(spool->generations, &endpoint->tenant_id),
	    mono_us, spool->live->identity_cache_ttl_ms * 1000);

	endpoint->granted = false;
	if (state == ENDPOINT_FRESH)
		return true;
	if (spool->away) {
		if (spool->asked < DIRECTORY_ASKED_AWAY_MAX &&
		    mono_us - endpoint->asked_us >= CLOCK_SECOND_US)
			directory_look_up(spool, endpoint);
		/* A delivery by old settings is as good as its time; that
		   there is no webhook would drop events for ever. */
		if (endpoint->target != NULL)
			return true;
		scheduler_hold(spool->scheduler, endpoint->number);
		return false;
	}
	directory_look_up(spool, endpoint);
	if (state == ENDPOINT_AGEING)
		return true;
	scheduler_hold(spool->scheduler, endpoint->number);
	return false;
}

void
directory_claim(struct spool *spool, struct queue_pos pos,
    const struct uuid *id, int64_t created_us)
{
	struct lookup_job *job = mem_calloc(1, sizeof(*job));

	job->kind = LOOKUP_CLAIM;
	job->pos = pos;
	job->id = *id;
	job->created_us = created_us;
	directory_ask(spool, job);
}

void
directory_apply_all(struct spool *spool)
{
	for (uint32_t i = 0; i < endpoints_limit(spool->endpoints); i++) {
		struct endpoint *endpoint = endpoints_at(spool->endpoints, i);

		if (endpoint != NULL)
			directory_apply(spool, endpoint);
	}
}

void
directory_note_away(struct spool *spool, const char *why)
{
	if (spool->away)
		return;
	spool->away = true;
	log_warn("the database is away, deliveries go on with the settings "
	    "last read: %s", why);
	directory_apply_all(spool);
}

static void
note_back(struct spool *spool)
{
	if (!spool->away)
		return;
	spool->away = false;
	log_info("the database is back");
	for (uint32_t i = 0; i < endpoints_limit(spool->endpoints); i++) {
		struct endpoint *endpoint = endpoints_at(spool->endpoints, i);

		if (endpoint != NULL &&
		    (!endpoint->known || endpoint->target == NULL) &&
		    !scheduler_is_idle(spool->scheduler, i))
			directory_look_up(spool, endpoint);
	}
}

/* A row that cannot be used: its events wait for somebody to mend it. */
static void
learn_unusable(struct endpoint *endpoint, struct lookup_job *job)
{
	if (!endpoint->unusable)
		log_error("%s", job->fault.text);
	endpoint->known = true;
	endpoint->unusable = true;
	endpoint->generation = job->generation;
	endpoint->read_us = job->asked_us;
}

static void
answer_webhook(struct spool *spool, struct lookup_job *job)
{
	struct endpoint *endpoint = endpoints_find(spool->endpoints,
	    &job->tenant_id, &job->device_id);
	struct target *before;

	wuts_assert(endpoint != NULL);	/* not evicted while asking */
	endpoint->asking = false;
	before = target_ref(endpoint->target);
	if (job->result == 1 && job->target == NULL) {
		learn_unusable(endpoint, job);
	} else if (job->result >= 0) {
		if (endpoint_learn(endpoint, job->target, job->generation,
		    job->asked_us)) {
			spool->snapshot_changed = true;
			scheduler_forgive(spool->scheduler, endpoint->number);
			health_forget(endpoint);
			callback_changed(spool, endpoint, before);
		}
		job->target = NULL;
	}
	target_unref(&before);
	directory_apply(spool, endpoint);
}

/* The look-up thread has the new keys: no target under way is of those before,
   and no snapshot needs them any more. */
static void
answer_keys(struct spool *spool, const struct lookup_job *job)
{
	struct endpoint *endpoint;

	for (uint32_t i = 0; i < endpoints_limit(spool->endpoints); i++) {
		endpoint = endpoints_at(spool->endpoints, i);
		if (endpoint != NULL && endpoint->target != NULL)
			target_reseal(endpoint->target, job->keys);
	}
	spool->snapshot_changed = true;
	directory_save(spool);
	queue_reader_say(spool->reader, job->keys);
}

void
directory_take_keys(struct spool *spool)
{
	struct lookup_job *job = mem_calloc(1, sizeof(*job));

	job->kind = LOOKUP_KEYS;
	job->keys = mem_calloc(1, sizeof(*job->keys));
	*job->keys = spool->live->keys;
	directory_ask(spool, job);
}

/* True: the job was kept. */
static bool
keep_for_later(struct spool *spool, struct lookup_job *job)
{
	if (job->result >= 0)
		return false;
	job->next = spool->again;
	spool->again = job;
	return true;
}

/* Held as it is, the endpoint waits for what its row says now. */
static bool
answer_disable(struct spool *spool, struct lookup_job *job)
{
	struct endpoint *endpoint = endpoints_find(spool->endpoints,
	    &job->tenant_id, &job->device_id);

	wuts_assert(endpoint != NULL);	/* not evicted while disabling */
	if (keep_for_later(spool, job))
		return true;
	health_answer(endpoint, job);
	endpoint->known = false;
	directory_look_up(spool, endpoint);
	return false;
}

/* True: the job was kept. */
static bool
answer_claim(struct spool *spool, struct lookup_job *job)
{
	char id[UUID_TEXT_LEN + 1];

	if (keep_for_later(spool, job))
		return true;
	log_info("event=%s claimed: its transaction %s",
	    uuid_format(&job->id, id),
	    job->result == 0 ? "has committed" : "never will commit");
	queue_resolve(spool->reader, job->pos, job->result == 0);
	return false;
}

static bool
answer_notes(struct spool *spool, struct lookup_job *job)
{
	if (keep_for_later(spool, job))
		return true;
	journal_answered(spool, job);
	return false;
}

/* What a job tells of the database. */
static void
judge_database(struct spool *spool, struct lookup_job *job)
{
	if (job->result >= 0)
		note_back(spool);
	else if (job->fault.code == FAULT_DATABASE)
		directory_note_away(spool, job->fault.text);
	else if (!job->complained)
		log_error("%s", job->fault.text);
	job->complained = job->result < 0;
}

void
directory_answers(struct spool *spool)
{
	struct lookup_job *job = lookup_take(spool->lookup), *next;

	for (; job != NULL; job = next) {
		bool kept = false;

		next = job->next;
		spool->asked--;
		spool->answered_us = clock_mono_us();
		/* That one never asks the database. */
		if (job->kind == LOOKUP_KEYS)
			answer_keys(spool, job);
		else
			judge_database(spool, job);
		if (job->kind == LOOKUP_WEBHOOK)
			answer_webhook(spool, job);
		else if (job->kind == LOOKUP_EXPIRE)
			directory_expired(spool, job);
		else if (job->kind == LOOKUP_CLAIM)
			kept = answer_claim(spool, job);
		else if (job->kind == LOOKUP_TRIAL)
			trial_found(spool, job);
		else if (job->kind == LOOKUP_NOTES)
			kept = answer_notes(spool, job);
		else if (job->kind == LOOKUP_DISABLE)
			kept = answer_disable(spool, job);
		if (!kept)
			lookup_job_free(&job);
	}
}
