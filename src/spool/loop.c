/* SPDX-License-Identifier: MIT */
/* The event loop: signals, the queue's doorbell, the look-up thread's answers,
   libcurl's sockets and timers, all in one epoll. What waits on time alone is
   the time-out of epoll_wait: at most a second, for the tick; so an idle
   spooler wakes once a second. Scans and starts are bounded a round, so a
   million waiting records delay nothing for long. */
#include "config.h"

#include "loop.h"

#include "delivery.h"
#include "directory.h"
#include "dispatch.h"
#include "endpoint.h"
#include "journal.h"
#include "lookup.h"
#include "numbers.h"
#include "policy.h"
#include "probe.h"
#include "replay.h"
#include "scheduler.h"
#include "shards.h"
#include "spool_private.h"
#include "trial.h"

#include "wuts/callback_counts.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/generations.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/notify.h"
#include "wuts/queue.h"
#include "wuts/settings.h"
#include "wuts/spool_numbers.h"
#include "wuts/strbuf.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define EVENTS_MAX 128
#define SCAN_MAX 2048
#define TICK_US CLOCK_SECOND_US
#define SYNC_US (CLOCK_SECOND_US / 10)
/* Between two looks at the queue. Every append rings the bell: without a pause
   the workers would be held up by waking us thousands of times a second. */
#define SCAN_PAUSE_US 1000
/* A segment in which nothing was finished for so long, and what must be gained
   by rewriting it. */
#define COMPACT_QUIET_US (60 * CLOCK_SECOND_US)
#define COMPACT_MIN_BYTES (64 << 10)
/* At exit the delivery log gets this long. */
#define JOURNAL_FINISH_US (3 * CLOCK_SECOND_US)
#define DEAD_EXPIRE_US (INT64_C(3600) * CLOCK_SECOND_US)

struct loop {
	struct spool spool;
	const struct loop_options *options;
	int epoll_fd, signal_fd;
	struct policies policies;
	struct settings *reloaded;	/* spool.live, after a SIGHUP */
	bool scan;			/* there may be something to read */
	bool heard;			/* the bell rang: scan after the pause */
	int64_t scanned_us;		/* the last look, monotonic */
	bool scan_failed;
	bool scanned_all;		/* once since the start, at least */
	bool draining;
	int64_t drain_until_us;
	int64_t tick_us;		/* the next one */
	int64_t dead_expired_us;	/* 0: never yet */
};

static void
unresolved(void *ctx, struct queue_pos pos, const struct uuid *id,
    int64_t created_us)
{
	directory_claim(ctx, pos, id, created_us);
}

static int
watch(struct loop *loop, int fd, struct fault *fault)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return fault_errno(fault, FAULT_IO, "epoll_ctl");
	return 0;
}

static int
open_signals(struct loop *loop, struct fault *fault)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	loop->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (loop->signal_fd < 0)
		return fault_errno(fault, FAULT_IO, "signalfd");
	return watch(loop, loop->signal_fd, fault);
}

/* The bell rings once, then is deaf until it is armed again. */
static void
arm_bell(struct loop *loop)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT };

	event.data.fd = queue_reader_fd(loop->spool.reader);
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, event.data.fd,
	    &event) < 0)
		log_fatal("epoll_ctl: %m");
	loop->heard = false;
}

static void
hurry(void *ctx, struct queue_pos pos)
{
	struct spool *spool = ctx;

	scheduler_hurry(spool->scheduler, pos);
}

static int
open_queue(struct loop *loop, struct fault *fault)
{
	struct queue_events events = {
		.record = dispatch_record,
		.unresolved = unresolved,
		.ctx = &loop->spool,
	};

	if (queue_reader_open(&loop->spool.reader,
	    loop->spool.settings->queue_dir, &events, fault) < 0)
		return -1;
	queue_reader_on_hurry(loop->spool.reader, hurry);
	if (watch(loop, queue_reader_fd(loop->spool.reader), fault) < 0)
		return -1;
	arm_bell(loop);
	return 0;
}

/* Without test deliveries all else works. */
static int
open_trials(struct loop *loop, struct fault *fault)
{
	struct fault why = { .code = FAULT_NONE };

	if (loop->options->once)
		return 0;
	if (trials_open(&loop->spool.trials,
	    loop->spool.settings->queue_dir, &why) < 0) {
		log_warn("no test deliveries: %s", why.text);
		return 0;
	}
	return watch(loop, trials_fd(loop->spool.trials), fault);
}

static char *
path_in(const char *dir, const char *name)
{
	struct strbuf path = STRBUF_INIT;

	strbuf_printf(&path, "%s/%s", dir, name);
	return path.data;
}

static int
open_generations(struct spool *spool, struct fault *fault)
{
	char *path = path_in(spool->settings->run_dir, "generations");
	int ret = generations_open(&spool->generations, path, fault);

	free(path);
	return ret;
}

static int
open_counts(struct spool *spool, struct fault *fault)
{
	char *path = path_in(spool->settings->run_dir, CALLBACK_COUNTS_FILE);
	int ret = callback_counts_open(&spool->counts, path, fault);

	free(path);
	return ret;
}

/* The queue's lock first: whoever finds another spooler running has touched
   nothing. */
static int
open_all(struct loop *loop, struct fault *fault)
{
	struct spool *spool = &loop->spool;

	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return fault_errno(fault, FAULT_IO, "epoll_create1");
	if (policies_read(&loop->policies, spool->live, fault) < 0 ||
	    open_queue(loop, fault) < 0 ||
	    open_signals(loop, fault) < 0 ||
	    open_generations(spool, fault) < 0 ||
	    open_counts(spool, fault) < 0)
		return -1;
	spool->numbers = spool_numbers_open(spool->settings->run_dir);
	spool_numbers_set(spool->numbers, SPOOL_STARTED_US, clock_wall_us());
	spool->scheduler = scheduler_new(spool->live->spool_max_in_flight);
	spool->endpoints = endpoints_new();
	spool->pool = delivery_pool_new(loop->epoll_fd,
	    spool->settings->queue_dir, spool->live->spool_max_in_flight,
	    dispatch_result, spool);
	policies_apply(&loop->policies, spool->live, spool->pool);
	if (loop->options->shards > 0)
		spool->shards = shards_new(spool, loop->epoll_fd,
		    loop->options->shards);
	spool->snapshot_path = path_in(spool->settings->queue_dir,
	    "settings.snapshot");
	directory_restore(spool);
	if (lookup_new(&spool->lookup, spool->settings, spool->generations,
	    fault) < 0)
		return -1;
	if (watch(loop, lookup_fd(spool->lookup), fault) < 0)
		return -1;
	queue_reader_say(spool->reader, &spool->settings->keys);
	if (open_trials(loop, fault) < 0)
		return -1;
	if (!loop->options->once)
		return replayer_new(&spool->replayer, spool->settings,
		    fault) < 0 ? -1 :
		    probe_new(&spool->probe, spool->live, fault);
	replay_once(spool->settings);
	return 0;
}

static void
close_all(struct loop *loop)
{
	struct spool *spool = &loop->spool;

	probe_free(&spool->probe);
	replayer_free(&spool->replayer);
	lookup_free(&spool->lookup);
	while (spool->again != NULL) {
		struct lookup_job *job = spool->again;

		spool->again = job->next;
		lookup_job_free(&job);
	}
	shards_free(&spool->shards);
	delivery_pool_free(&spool->pool);
	trials_close(&spool->trials);
	journal_deinit(&spool->journal);
	queue_reader_close(&spool->reader);
	endpoints_free(&spool->endpoints);
	scheduler_free(&spool->scheduler);
	callback_counts_close(&spool->counts);
	generations_close(&spool->generations);
	spool_numbers_close(&spool->numbers);
	free(spool->snapshot_path);
	policies_deinit(&loop->policies);
	settings_free(&loop->reloaded);
	if (loop->signal_fd >= 0)
		close(loop->signal_fd);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
}

/* Perhaps another one, or none any more. */
static void
ask_engine_anew(struct spool *spool)
{
	struct fault fault = { .code = FAULT_NONE };

	probe_free(&spool->probe);
	if (probe_new(&spool->probe, spool->live, &fault) < 0)
		log_error("%s", fault.text);
}

/* Take over what can change under way; directories and the database connection
   stay as at start. A configuration that does not hold changes nothing. */
static void
reload(struct loop *loop)
{
	struct fault fault = { .code = FAULT_NONE };
	struct spool *spool = &loop->spool;
	struct policies policies, old = loop->policies;
	struct settings *settings;

	if (settings_load(&settings, loop->options->config, &fault) < 0) {
		log_error("reload: %s; the old settings stay", fault.text);
		(void)settings_open_log(spool->live, "wuts-spool");
		if (spool->shards != NULL)
			shards_reload(spool->shards);
		return;
	}
	if (policies_read(&policies, settings, &fault) < 0) {
		log_error("reload: %s; the old settings stay", fault.text);
		settings_free(&settings);
		return;
	}
	if (settings_open_log(settings, "wuts-spool") < 0)
		log_error("open log %s: %m", settings->log_file);
	loop->policies = policies;
	policies_apply(&loop->policies, settings, spool->pool);
	policies_deinit(&old);
	scheduler_set_max_in_flight(spool->scheduler,
	    settings->spool_max_in_flight);
	spool->live = settings;
	settings_free(&loop->reloaded);
	loop->reloaded = settings;
	if (spool->shards != NULL)
		shards_reload(spool->shards);
	directory_take_keys(spool);
	ask_engine_anew(spool);
	log_info("settings reloaded");
}

static void
drain(struct loop *loop)
{
	int64_t now_us = clock_mono_us();

	if (loop->draining) {
		/* Asked twice: do not wait for what is in flight. */
		loop->drain_until_us = now_us;
		return;
	}
	loop->draining = true;
	loop->drain_until_us = now_us +
	    loop->spool.live->drain_timeout_ms * 1000;
	notify_send("STOPPING=1");
	log_info("stopping: %u in flight",
	    scheduler_in_flight(loop->spool.scheduler));
}

static void
on_signal(struct loop *loop)
{
	struct signalfd_siginfo info;

	while (read(loop->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGHUP) {
			drain(loop);
			continue;
		}
		notify_send("RELOADING=1");
		reload(loop);
		notify_send("READY=1");
	}
}

static void
scan(struct loop *loop)
{
	struct fault fault = { .code = FAULT_NONE };
	struct spool *spool = &loop->spool;
	int more;

	if (loop->heard)
		arm_bell(loop);
	more = queue_reader_scan(spool->reader, SCAN_MAX, &fault);
	loop->scanned_us = clock_mono_us();
	if (more < 0 && !loop->scan_failed)
		log_error("read the queue: %s", fault.text);
	loop->scan_failed = more < 0;
	/* After a failure the next tick tries again. */
	loop->scan = more == 1;
	if (more != 0)
		return;
	loop->scanned_all = true;
	scheduler_scanned(spool->scheduler);
	loop->scan = scheduler_wants_scan(spool->scheduler);
}

static void
tick(struct loop *loop, int64_t now_us)
{
	struct fault fault = { .code = FAULT_NONE };
	struct spool *spool = &loop->spool;

	loop->tick_us = now_us + TICK_US;
	if (!loop->draining && queue_reader_adopt(spool->reader, &fault) < 0)
		log_error("look for abandoned segments: %s", fault.text);
	if (!loop->draining && queue_reader_compact(spool->reader,
	    COMPACT_QUIET_US, COMPACT_MIN_BYTES, &fault) < 0)
		log_error("rewrite a segment: %s", fault.text);
	loop->scan = true;
	directory_tick(spool, loop->scanned_all);
	if (spool->shards != NULL)
		shards_tick(spool->shards, now_us);
	numbers_tick(spool, now_us);
	if (loop->dead_expired_us == 0 ||
	    now_us - loop->dead_expired_us >= DEAD_EXPIRE_US) {
		loop->dead_expired_us = now_us;
		queue_dead_expire(spool->settings->queue_dir, clock_wall_us() -
		    spool->live->dead_letter_keep_ms * 1000);
	}
}

/* Could an attempt start at once? */
static bool
is_ready(const struct loop *loop)
{
	return !loop->draining && !loop->spool.stuck &&
	    scheduler_is_ready(loop->spool.scheduler);
}

/* Is there nothing left to do but to wait for a retry or a new record? */
static bool
is_at_rest(const struct loop *loop)
{
	const struct spool *spool = &loop->spool;

	return (spool->shards == NULL || shards_are_up(spool->shards)) &&
	    !is_ready(loop) && !loop->scan && !loop->heard &&
	    loop->scanned_all &&
	    spool->asked == 0 &&
	    scheduler_in_flight(spool->scheduler) == 0 &&
	    !scheduler_is_throttled(spool->scheduler);
}

static bool
is_over(const struct loop *loop)
{
	if (loop->draining)
		return scheduler_in_flight(loop->spool.scheduler) == 0 ||
		    clock_mono_us() >= loop->drain_until_us;
	return loop->options->once && (is_at_rest(loop) ||
	    (loop->spool.shards != NULL &&
	    shards_are_hopeless(loop->spool.shards)));
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Milliseconds, rounded up, so that waking early and again is rare. */
static int
wait_ms(const struct loop *loop)
{
	const struct spool *spool = &loop->spool;
	int64_t now_us = clock_mono_us(), until_us = loop->tick_us;
	int64_t retry_us = scheduler_due(spool->scheduler);

	if (loop->scan || is_ready(loop))
		return 0;
	if (loop->heard)
		until_us = earlier(until_us,
		    loop->scanned_us + SCAN_PAUSE_US);
	until_us = earlier(until_us, delivery_pool_due(spool->pool));
	if (spool->shards != NULL)
		until_us = earlier(until_us, shards_due(spool->shards));
	if (spool->noted_us != 0 && !spool->stuck)
		until_us = earlier(until_us, spool->noted_us + SYNC_US);
	if (loop->draining)
		until_us = earlier(until_us, loop->drain_until_us);
	else if (retry_us != INT64_MAX)
		until_us = earlier(until_us,
		    now_us + retry_us - clock_wall_us());
	if (until_us <= now_us)
		return 0;
	return (int)((until_us - now_us + 999) / 1000);
}

static void
on_events(struct loop *loop, const struct epoll_event *events, int n)
{
	struct spool *spool = &loop->spool;

	for (int i = 0; i < n; i++) {
		int fd = events[i].data.fd;

		if (fd == loop->signal_fd)
			on_signal(loop);
		else if (fd == lookup_fd(spool->lookup))
			directory_answers(spool);
		else if (spool->trials != NULL &&
		    fd == trials_fd(spool->trials))
			trials_take(spool);
		else if (fd == queue_reader_fd(spool->reader))
			loop->heard = true;
		else if (spool->shards == NULL ||
		    !shards_socket(spool->shards, fd, events[i].events))
			delivery_pool_socket(spool->pool, fd,
			    events[i].events);
	}
}

/* A kill repeats what is in flight and no more, a power cut the last 100 ms. */
static void
keep_outcomes(struct loop *loop)
{
	struct spool *spool = &loop->spool;
	int64_t now_us;

	if (spool->noted_us == 0)
		return;
	now_us = clock_mono_us();
	if (now_us - spool->noted_us >= (spool->stuck ? 0 : SYNC_US)) {
		dispatch_sync(spool);
		/* Not written: again in a second. */
		if (spool->stuck)
			spool->noted_us = now_us + TICK_US;
	} else if (!spool->stuck) {
		dispatch_write(spool);
		if (spool->stuck)
			spool->noted_us = now_us + TICK_US;
	}
}

static void
run(struct loop *loop)
{
	struct epoll_event events[EVENTS_MAX];
	struct spool *spool = &loop->spool;

	while (!is_over(loop)) {
		int n = epoll_wait(loop->epoll_fd, events, EVENTS_MAX,
		    wait_ms(loop));

		if (n < 0 && errno != EINTR)
			log_fatal("epoll_wait: %m");
		notify_alive(clock_mono_us());
		log_hold();
		on_events(loop, events, n);
		delivery_pool_run(spool->pool, clock_mono_us());
		if (clock_mono_us() >= loop->tick_us)
			tick(loop, clock_mono_us());
		if (loop->scan || (loop->heard && clock_mono_us() -
		    loop->scanned_us >= SCAN_PAUSE_US))
			scan(loop);
		if (!loop->draining)
			dispatch_start(spool);
		if (spool->shards != NULL)
			shards_run(spool->shards, clock_mono_us());
		/* libcurl begins what was added when its timer runs. */
		delivery_pool_run(spool->pool, clock_mono_us());
		keep_outcomes(loop);
		log_release();
	}
}

int
loop_run(const struct settings *settings, const struct loop_options *options,
    struct fault *fault)
{
	struct loop loop = {
		.spool = {
			.settings = settings,
			.live = settings,
		},
		.options = options,
		.epoll_fd = -1,
		.signal_fd = -1,
	};

	if (open_all(&loop, fault) < 0) {
		close_all(&loop);
		return -1;
	}
	log_info("started, queue %s", settings->queue_dir);
	notify_send("READY=1");
	run(&loop);
	if (loop.spool.noted_us != 0)
		dispatch_sync(&loop.spool);
	directory_save(&loop.spool);
	journal_finish(&loop.spool, JOURNAL_FINISH_US);
	close_all(&loop);
	log_info("stopped");
	return 0;
}
