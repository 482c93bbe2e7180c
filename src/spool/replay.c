/* SPDX-License-Identifier: MIT */
/* Replays that tenants have asked for: a thread with a connection of its own
   looks for them about once a second and puts the dead letters back into the
   queue, where the loop finds them like any other record. It touches nothing of
   the loop's. The open replays are done together, in one reading of the dead
   letters. A crash on the way leaves them open: what was put back by then is
   noted beside the letters and is not put back again. */
#include "config.h"

#include "replay.h"

#include "target.h"

#include "wuts/arena.h"
#include "wuts/clock.h"
#include "wuts/db.h"
#include "wuts/delivery_store.h"
#include "wuts/event.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/queue.h"
#include "wuts/replay_store.h"
#include "wuts/settings.h"
#include "wuts/uuid.h"
#include "wuts/webhook.h"
#include "wuts/webhook_store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OPEN_MAX 64
#define LOOK_EVERY_S 1
#define AFTER_FAILURE_S 10
#define SAY_EVERY_US CLOCK_SECOND_US
#define KEEP_US (INT64_C(7) * 86400 * CLOCK_SECOND_US)
#define EXPIRE_MAX 1000

struct replayer {
	const struct settings *settings;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	atomic_bool stop;
};

/* The webhook that a replay is for. */
struct receiver {
	bool is_there;
	int64_t created_us;
	struct event_set events;
};

struct pass {
	struct replayer *replayer;
	struct db *db;
	struct replay open[OPEN_MAX];
	struct receiver receiver[OPEN_MAX];
	uint64_t more[OPEN_MAX];	/* put back and not said yet */
	unsigned n;
	int64_t said_us;
};

static int
take_open(void *ctx, const struct replay *replay, struct fault *fault)
{
	struct pass *pass = ctx;

	(void)fault;
	pass->open[pass->n++] = *replay;
	return 0;
}

/* How far they are, for whoever asks. Not said, it is said the next time. */
static void
say(struct pass *pass, bool done)
{
	struct fault fault;

	pass->said_us = clock_mono_us();
	for (unsigned i = 0; i < pass->n; i++) {
		if (pass->more[i] == 0 && !done)
			continue;
		fault_clear(&fault);
		if (replay_store_advance(pass->db, &pass->open[i].tenant_id,
		    &pass->open[i].id, pass->more[i], done, clock_wall_us(),
		    &fault) == 0)
			pass->more[i] = 0;
		else
			log_warn("progress of a replay: %s", fault.text);
	}
}

/* As they are now: what the webhook would not get stays among the dead letters
   instead of being dropped. */
static int
find_receivers(struct pass *pass, struct fault *fault)
{
	struct arena *arena = arena_new();
	struct webhook webhook;
	int found = 0;

	for (unsigned i = 0; i < pass->n && found >= 0; i++) {
		struct receiver *receiver = &pass->receiver[i];

		found = webhook_store_find(pass->db, arena,
		    &pass->open[i].tenant_id, &pass->open[i].device_id,
		    &webhook, fault);
		if (found != 1)
			continue;
		receiver->created_us = webhook.created_us;
		receiver->is_there = target_parse_events(
		    webhook.enabled_events, &receiver->events, fault) == 0;
		if (!receiver->is_there)
			log_warn("replay: %s", fault->text);
	}
	arena_free(&arena);
	return found < 0 ? -1 : 0;
}

static bool
is_meant(const struct replay *replay, const struct receiver *receiver,
    const struct queue_record *record)
{
	if (!receiver->is_there ||
	    record->created_us < receiver->created_us ||
	    !target_events_have(&receiver->events, record->event))
		return false;
	if (!uuid_is_equal(&replay->tenant_id, &record->tenant_id) ||
	    !uuid_is_equal(&replay->device_id, &record->device_id) ||
	    record->created_us > replay->until_us)
		return false;
	if (!uuid_is_nil(&replay->event_id))
		return uuid_is_equal(&replay->event_id, &record->id);
	return record->created_us >= replay->since_us;
}

static bool
wanted(void *ctx, const struct queue_entry *entry)
{
	struct pass *pass = ctx;
	struct fault fault;
	unsigned i;

	for (i = 0; i < pass->n; i++)
		if (is_meant(&pass->open[i], &pass->receiver[i],
		    &entry->record))
			break;
	if (i == pass->n || atomic_load(&pass->replayer->stop))
		return false;
	pass->more[i]++;
	/* Before it can be delivered, so that this is never the last word. */
	fault_clear(&fault);
	if (delivery_store_reopen(pass->db, &entry->record.tenant_id,
	    &entry->record.id, clock_wall_us(), &fault) < 0)
		log_warn("delivery log of a replay: %s", fault.text);
	if (clock_mono_us() - pass->said_us >= SAY_EVERY_US)
		say(pass, false);
	return true;
}

static int
put_back(struct pass *pass, size_t *n_r, struct fault *fault)
{
	const struct settings *settings = pass->replayer->settings;
	struct queue_limits limits = {
		.segment_bytes = settings->queue_segment_bytes,
		.max_bytes = settings->queue_max_bytes,
		.disk_reserve = settings->queue_disk_reserve,
	};
	struct queue_mender *mender;
	int ret;

	if (queue_mender_open(&mender, settings->queue_dir, &limits,
	    fault) < 0)
		return -1;
	ret = queue_mender_letters(mender, QUEUE_LETTER_REPLAY, wanted, pass,
	    n_r, fault);
	queue_mender_close(&mender);
	return ret;
}

/* Do what is open. 0, or -1: not now. A database that is away is the look-up
   thread's to report. */
static int
pass_run(struct replayer *replayer, struct db *db)
{
	struct fault fault = { .code = FAULT_NONE };
	struct pass *pass = mem_calloc(1, sizeof(*pass));
	size_t n = 0;
	int ret = 0;

	pass->replayer = replayer;
	pass->db = db;
	pass->said_us = clock_mono_us();
	if (replay_store_list_open(db, OPEN_MAX, take_open, pass,
	    &fault) < 0 || find_receivers(pass, &fault) < 0) {
		free(pass);
		return -1;
	}
	if (pass->n > 0) {
		ret = put_back(pass, &n, &fault);
		if (ret < 0)
			log_warn("replay, again in %d s: %s", AFTER_FAILURE_S,
			    fault.text);
		say(pass, ret == 0 && !atomic_load(&replayer->stop));
		log_info("replay: %zu dead letters are back in the queue", n);
	}
	free(pass);
	return ret;
}

static void
expire(struct db *db)
{
	struct fault ignored = { .code = FAULT_NONE };

	(void)replay_store_expire(db, clock_wall_us() - KEEP_US, EXPIRE_MAX,
	    &ignored);
}

/* False: stop. */
static bool
wait_seconds(struct replayer *replayer, int seconds)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&replayer->mutex);
	while (!atomic_load(&replayer->stop) &&
	    pthread_cond_timedwait(&replayer->cond, &replayer->mutex,
	    &until) == 0)
		continue;
	pthread_mutex_unlock(&replayer->mutex);
	return !atomic_load(&replayer->stop);
}

static void *
run(void *ctx)
{
	struct replayer *replayer = ctx;
	struct db *db = db_new(replayer->settings);
	unsigned rounds = 0;
	int ret;

	do {
		ret = pass_run(replayer, db);
		if (ret == 0 && rounds++ % 600 == 0)
			expire(db);
	} while (wait_seconds(replayer,
	    ret == 0 ? LOOK_EVERY_S : AFTER_FAILURE_S));
	db_free(&db);
	return NULL;
}

void
replay_once(const struct settings *settings)
{
	struct replayer replayer = { .settings = settings };
	struct db *db = db_new(settings);

	(void)pass_run(&replayer, db);
	db_free(&db);
}

int
replayer_new(struct replayer **replayer_r, const struct settings *settings,
    struct fault *fault)
{
	struct replayer *replayer = mem_calloc(1, sizeof(*replayer));
	pthread_condattr_t attr;
	int error;

	*replayer_r = NULL;
	replayer->settings = settings;
	pthread_mutex_init(&replayer->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&replayer->cond, &attr);
	pthread_condattr_destroy(&attr);
	error = pthread_create(&replayer->thread, NULL, run, replayer);
	if (error != 0) {
		pthread_cond_destroy(&replayer->cond);
		pthread_mutex_destroy(&replayer->mutex);
		free(replayer);
		return fault_set(fault, FAULT_IO,
		    "start the thread for replays: %s", strerror(error));
	}
	*replayer_r = replayer;
	return 0;
}

void
replayer_free(struct replayer **replayerp)
{
	struct replayer *replayer = *replayerp;

	*replayerp = NULL;
	if (replayer == NULL)
		return;
	pthread_mutex_lock(&replayer->mutex);
	atomic_store(&replayer->stop, true);
	pthread_cond_signal(&replayer->cond);
	pthread_mutex_unlock(&replayer->mutex);
	pthread_join(replayer->thread, NULL);
	pthread_cond_destroy(&replayer->cond);
	pthread_mutex_destroy(&replayer->mutex);
	free(replayer);
}
