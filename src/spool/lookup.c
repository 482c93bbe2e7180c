/* SPDX-License-Identifier: MIT */
/* The one other thread: it owns the database connection and answers jobs in
   order, so that a database that hangs never holds up a delivery. Jobs cross
   by two lists under one mutex; whoever holds a job owns it whole. */
#include "config.h"

#include "lookup.h"

#include "target.h"
#include "trust.h"

#include "wuts/arena.h"
#include "wuts/cache.h"
#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/db.h"
#include "wuts/delivery_store.h"
#include "wuts/event_store.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/onprem.h"
#include "wuts/onprem_store.h"
#include "wuts/outbox_store.h"
#include "wuts/session_store.h"
#include "wuts/settings.h"
#include "wuts/tenant_store.h"
#include "wuts/uuid.h"
#include "wuts/webhook.h"
#include "wuts/webhook_store.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Deleting old rows holds up questions no longer than this. */
#define EXPIRE_SLICE_US (CLOCK_SECOND_US / 8)
/* Another machine's change of certificates is noticed then. */
#define TRUST_KEEP_US (3 * CLOCK_SECOND_US)
#define TRUST_SLOTS 4096
#define SWEEP_EVERY_US (INT64_C(3600) * CLOCK_SECOND_US)

struct job_list {
	struct lookup_job *first, **end;
};

struct lookup {
	const struct settings *settings;
	struct generations *generations;
	struct crypto_keys keys;	/* the thread's, as the next three */
	unsigned picture_folder;	/* the next to be looked through */
	struct cache *trusts;		/* tenant's id: struct trust */
	int64_t swept_us;
	pthread_t thread;
	int event_fd;
	pthread_mutex_t mutex;	/* all below */
	pthread_cond_t asked;
	struct job_list questions, answers;
	bool stop;
};

static void
list_init(struct job_list *list)
{
	list->first = NULL;
	list->end = &list->first;
}

static void
list_append(struct job_list *list, struct lookup_job *job)
{
	job->next = NULL;
	*list->end = job;
	list->end = &job->next;
}

static struct lookup_job *
list_pop(struct job_list *list)
{
	struct lookup_job *job = list->first;

	if (job != NULL) {
		list->first = job->next;
		if (list->first == NULL)
			list->end = &list->first;
		job->next = NULL;
	}
	return job;
}

void
lookup_job_free(struct lookup_job **jobp)
{
	struct lookup_job *job = *jobp;

	*jobp = NULL;
	if (job == NULL)
		return;
	target_unref(&job->target);
	if (job->keys != NULL)
		crypto_wipe(job->keys, sizeof(*job->keys));
	free(job->keys);
	for (size_t i = 0; i < job->nnotes; i++)
		free(job->notes[i].answer);
	free(job->notes);
	free(job);
}

/* What of the tenant's certificates are the ones read, and kept in their file.
   Whoever changes them bumps the generation. */
static int
read_trust(struct lookup *lookup, struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct trust *known,
    struct trust *trust_r, struct fault *fault)
{
	const uint8_t *pem;
	size_t len;
	int found = onprem_store_find_ca(db, arena, tenant_id, &pem, &len,
	    fault);

	*trust_r = (struct trust){ .is_set = found == 1 };
	if (found <= 0)
		return found;
	crypto_sha256(pem, len, trust_r->hash);
	return trust_keep(lookup->settings->queue_dir, tenant_id, pem, len,
	    known != NULL && trust_is_same(known, trust_r), fault);
}

static int
find_trust(struct lookup *lookup, struct db *db, struct arena *arena,
    const struct lookup_job *job, struct trust *trust_r, struct fault *fault)
{
	int64_t now_us = clock_mono_us();
	uint64_t generation = 0;
	const struct trust *known = cache_find(lookup->trusts,
	    &job->tenant_id, now_us, TRUST_KEEP_US, &generation);

	if (known != NULL && generation == job->generation) {
		*trust_r = *known;
		return 0;
	}
	known = cache_find(lookup->trusts, &job->tenant_id, now_us, INT64_MAX,
	    &generation);
	if (read_trust(lookup, db, arena, &job->tenant_id, known, trust_r,
	    fault) < 0)
		return fault_prefix(fault, "CA certificates");
	cache_put(lookup->trusts, &job->tenant_id, trust_r, job->generation,
	    now_us);
	return 0;
}

/* A row that cannot be used is an answer, not a lost database: result 1
   without a target. */
static int
find_webhook(struct lookup *lookup, struct db *db, struct arena *arena,
    struct lookup_job *job)
{
	struct webhook webhook;
	int found = webhook_store_find(db, arena, &job->tenant_id,
	    &job->device_id, &webhook, &job->fault);

	if (found == 1 && webhook_headers_open(&webhook, arena,
	    &lookup->keys, &job->fault) == 0)
		job->target = target_new(&webhook, &lookup->keys,
		    &job->fault);
	return found;
}

static int
find_callback(struct db *db, struct arena *arena, struct lookup_job *job)
{
	struct fault ignored = { .code = FAULT_NONE };
	struct onprem onprem;
	int found = onprem_store_find(db, arena, &job->tenant_id, &onprem,
	    &job->fault);

	if (found == 1)
		job->target = target_new_callback(&onprem);
	/* A row that this release cannot read is one tenant's trouble. */
	if (found < 0 && db_ping(db, &ignored) == 0)
		found = 1;
	return found;
}

static void
find_target(struct lookup *lookup, struct db *db, struct arena *arena,
    struct lookup_job *job)
{
	struct trust trust;

	job->result = uuid_is_equal(&job->device_id, &TARGET_CALLBACK_ID) ?
	    find_callback(db, arena, job) :
	    find_webhook(lookup, db, arena, job);
	if (job->target != NULL) {
		if (find_trust(lookup, db, arena, job, &trust,
		    &job->fault) == 0) {
			job->target->trust = trust;
		} else {
			target_unref(&job->target);
			job->result = job->fault.code == FAULT_DATABASE ? -1 :
			    1;
		}
	}
	arena_reset(arena);
}

/* Notes that cannot be written though the database is there must not hold up
   those behind them. */
static void
write_notes(struct db *db, struct lookup_job *job)
{
	struct fault ignored = { .code = FAULT_NONE };

	job->result = delivery_store_write(db, job->notes, job->nnotes,
	    &job->fault);
	if (job->result < 0 && db_ping(db, &ignored) == 0)
		job->result = 0;
}

static int
sweep_body(struct db *db, void *ctx, struct fault *fault)
{
	int *more = ctx;

	*more = tenant_store_sweep(db, LOOKUP_EXPIRE_BATCH, fault);
	return *more < 0 ? -1 : 0;
}

/* Delete old rows of one kind for a while. LOOKUP_EXPIRE_BATCH: there may be
   more; less: there are not. */
static int
expire_some(struct db *db, int64_t before_us,
    int (*expire_batch)(struct db *db, int64_t before_us, unsigned limit,
	struct fault *fault), struct fault *fault)
{
	int64_t until_us = clock_mono_us() + EXPIRE_SLICE_US;
	int rows;

	do {
		rows = expire_batch(db, before_us, LOOKUP_EXPIRE_BATCH, fault);
	} while (rows == LOOKUP_EXPIRE_BATCH && clock_mono_us() < until_us);
	return rows;
}

static void
sweep_trusts(struct lookup *lookup)
{
	int64_t now_us = clock_mono_us();

	if (lookup->swept_us != 0 &&
	    now_us - lookup->swept_us < SWEEP_EVERY_US)
		return;
	lookup->swept_us = now_us;
	trust_sweep(lookup->settings->queue_dir, clock_wall_us());
}

/* Some of what nobody needs: old rows of the outbox, ids of events that may
   come again, and what is left of tenants that were deleted. */
static void
expire(struct db *db, struct lookup_job *job)
{
	struct fault fault;
	int more = 0, rows;

	job->result = expire_some(db, job->created_us, outbox_store_expire,
	    &job->fault);
	if (job->result < 0)
		return;
	rows = expire_some(db, clock_wall_us() -
	    (int64_t)EVENT_SEEN_KEEP_S * CLOCK_SECOND_US, event_store_expire,
	    &job->fault);
	if (rows >= 0 && rows < LOOKUP_EXPIRE_BATCH)
		rows = expire_some(db, job->log_before_us,
		    delivery_store_expire, &job->fault);
	if (rows >= 0 && rows < LOOKUP_EXPIRE_BATCH)
		rows = expire_some(db, clock_wall_us() -
		    (int64_t)SESSION_KEEP_S * CLOCK_SECOND_US,
		    session_store_expire, &job->fault);
	if (rows < 0 || rows == LOOKUP_EXPIRE_BATCH)
		job->result = rows;
	if (rows < 0)
		return;
	fault_clear(&fault);
	if (tx_run(db, sweep_body, NULL, &more, &fault) != TX_COMMITTED)
		log_warn("remove deleted tenants: %s", fault.text);
	else if (more == 1)
		job->result = LOOKUP_EXPIRE_BATCH;
}

/* Not a matter of the answer: it comes again in a minute. */
static void
sweep_pictures(struct lookup *lookup, struct db *db)
{
	const struct settings *settings = lookup->settings;
	struct fault fault;

	fault_clear(&fault);
	if (settings->picture_url[0] != '\0' &&
	    pictures_sweep(db, settings->picture_dir, &lookup->picture_folder,
	    &fault) < 0)
		log_warn("remove files of pictures: %s", fault.text);
}

static void
answer(struct lookup *lookup, struct db *db, struct arena *arena,
    struct lookup_job *job)
{
	fault_clear(&job->fault);
	switch (job->kind) {
	case LOOKUP_WEBHOOK:
	case LOOKUP_TRIAL:
		find_target(lookup, db, arena, job);
		break;
	case LOOKUP_CLAIM:
		job->result = outbox_store_claim(db, &job->id,
		    job->created_us, &job->fault);
		break;
	case LOOKUP_DISABLE:
		job->result = disable_webhook(lookup->settings, &lookup->keys,
		    lookup->generations, db, job, &job->fault);
		break;
	case LOOKUP_KEYS:
		lookup->keys = *job->keys;
		break;
	case LOOKUP_NOTES:
		write_notes(db, job);
		break;
	case LOOKUP_EXPIRE:
		sweep_trusts(lookup);
		expire(db, job);
		if (job->result >= 0)
			sweep_pictures(lookup, db);
		break;
	}
}

/* Wait for a question; NULL: stop. Called with the mutex held. */
static struct lookup_job *
next_question(struct lookup *lookup)
{
	while (!lookup->stop && lookup->questions.first == NULL)
		pthread_cond_wait(&lookup->asked, &lookup->mutex);
	return lookup->stop ? NULL : list_pop(&lookup->questions);
}

static void
report(struct lookup *lookup, struct lookup_job *job)
{
	const uint64_t one = 1;
	bool was_empty = lookup->answers.first == NULL;

	list_append(&lookup->answers, job);
	/* The counter cannot overflow, so the write cannot fail. */
	if (was_empty && write(lookup->event_fd, &one, sizeof(one)) < 0)
		log_error("wake the loop for a look-up: eventfd");
}

static void *
run(void *ctx)
{
	struct lookup *lookup = ctx;
	struct db *db = db_new(lookup->settings);
	struct arena *arena = arena_new();
	struct lookup_job *job;

	pthread_mutex_lock(&lookup->mutex);
	while ((job = next_question(lookup)) != NULL) {
		pthread_mutex_unlock(&lookup->mutex);
		answer(lookup, db, arena, job);
		pthread_mutex_lock(&lookup->mutex);
		report(lookup, job);
	}
	pthread_mutex_unlock(&lookup->mutex);
	arena_free(&arena);
	db_free(&db);
	return NULL;
}

int
lookup_new(struct lookup **lookup_r, const struct settings *settings,
    struct generations *generations, struct fault *fault)
{
	struct lookup *lookup = mem_calloc(1, sizeof(*lookup));

	*lookup_r = NULL;
	if (trust_make_dir(settings->queue_dir, fault) < 0) {
		free(lookup);
		return -1;
	}
	lookup->settings = settings;
	lookup->generations = generations;
	lookup->keys = settings->keys;
	list_init(&lookup->questions);
	list_init(&lookup->answers);
	lookup->trusts = cache_new(TRUST_SLOTS, sizeof(struct uuid),
	    sizeof(struct trust));
	lookup->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (lookup->event_fd < 0) {
		cache_free(&lookup->trusts);
		free(lookup);
		return fault_errno(fault, FAULT_IO, "eventfd");
	}
	pthread_mutex_init(&lookup->mutex, NULL);
	pthread_cond_init(&lookup->asked, NULL);
	errno = pthread_create(&lookup->thread, NULL, run, lookup);
	if (errno != 0) {
		fault_errno(fault, FAULT_IO, "start the look-up thread");
		close(lookup->event_fd);
		pthread_cond_destroy(&lookup->asked);
		pthread_mutex_destroy(&lookup->mutex);
		cache_free(&lookup->trusts);
		free(lookup);
		return -1;
	}
	*lookup_r = lookup;
	return 0;
}

void
lookup_free(struct lookup **lookupp)
{
	struct lookup *lookup = *lookupp;
	struct lookup_job *job;

	*lookupp = NULL;
	if (lookup == NULL)
		return;
	pthread_mutex_lock(&lookup->mutex);
	lookup->stop = true;
	pthread_cond_signal(&lookup->asked);
	pthread_mutex_unlock(&lookup->mutex);
	pthread_join(lookup->thread, NULL);
	while ((job = list_pop(&lookup->questions)) != NULL)
		lookup_job_free(&job);
	while ((job = list_pop(&lookup->answers)) != NULL)
		lookup_job_free(&job);
	close(lookup->event_fd);
	pthread_cond_destroy(&lookup->asked);
	pthread_mutex_destroy(&lookup->mutex);
	crypto_wipe(&lookup->keys, sizeof(lookup->keys));
	cache_free(&lookup->trusts);
	free(lookup);
}

int
lookup_fd(const struct lookup *lookup)
{
	return lookup->event_fd;
}

void
lookup_ask(struct lookup *lookup, struct lookup_job *job)
{
	pthread_mutex_lock(&lookup->mutex);
	list_append(&lookup->questions, job);
	pthread_cond_signal(&lookup->asked);
	pthread_mutex_unlock(&lookup->mutex);
}

struct lookup_job *
lookup_take(struct lookup *lookup)
{
	struct lookup_job *first;
	uint64_t count;

	pthread_mutex_lock(&lookup->mutex);
	/* Empty it under the mutex: an answer after this wakes us again. */
	(void)!read(lookup->event_fd, &count, sizeof(count));
	first = lookup->answers.first;
	list_init(&lookup->answers);
	pthread_mutex_unlock(&lookup->mutex);
	return first;
}
