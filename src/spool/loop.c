/* SPDX-License-Identifier: MIT */
/* The event loop: signals, the queue's doorbell, the look-up thread's answers,
   libcurl's sockets and timers, all in one epoll. What waits on time alone is
   the time-out of epoll_wait: at most a second, for the tick; so an idle
   spooler wakes once a second. Scans and starts are bounded a round, so a
   million waiting records delay nothing for long. */
#include "config.h"

#include "loop_private.h"

#include "delivery.h"
#include "directory.h"
#include "dispatch.h"
#include "journal.h"
#include "lookup.h"
#include "numbers.h"
#include "probe.h"
#include "scheduler.h"
#include "shards.h"
#include "trial.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/notify.h"
#include "wuts/queue.h"
#include "wuts/settings.h"

#include <errno.h>
#include <signal.h>
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
#define COMPACT_ONCE_MAX 64
/* At exit the delivery log gets this long. */
#define JOURNAL_FINISH_US (3 * CLOCK_SECOND_US)
#define DEAD_EXPIRE_US (INT64_C(3600) * CLOCK_SECOND_US)

/* Perhaps another one, or none any more. */
static void
ask_engine_anew(struct loop *loop)
{
	struct fault fault = { .code = FAULT_NONE };
	struct spool *spool = &loop->spool;

	probe_free(&spool->probe);
	if (probe_new(&spool->probe, spool->live, loop->options->once,
	    &fault) < 0)
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
	ask_engine_anew(loop);
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
		loop_arm_bell(loop);
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
	journal_tick(spool, now_us);
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

/* What else is done by and by is done at the end of --once. True: it is under
   way. */
static bool
tidy(struct loop *loop)
{
	struct fault fault = { .code = FAULT_NONE };
	struct spool *spool = &loop->spool;
	int done, left = COMPACT_ONCE_MAX;

	/* Outcomes first: no segment is rewritten before its own are kept. */
	if (spool->noted_us != 0)
		dispatch_sync(spool);
	do {
		done = queue_reader_compact(spool->reader, 0,
		    COMPACT_MIN_BYTES, &fault);
	} while (done == 1 && --left > 0);
	if (done < 0)
		log_error("rewrite a segment: %s", fault.text);
	return directory_tidy(spool);
}

static bool
is_over(struct loop *loop)
{
	if (loop->draining)
		return scheduler_in_flight(loop->spool.scheduler) == 0 ||
		    clock_mono_us() >= loop->drain_until_us;
	if (!loop->options->once)
		return false;
	if (loop->spool.shards != NULL &&
	    shards_are_hopeless(loop->spool.shards))
		return true;
	return is_at_rest(loop) && !tidy(loop);
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

	if (loop_open(&loop, fault) < 0) {
		loop_close(&loop);
		return -1;
	}
	log_info("started, queue %s", settings->queue_dir);
	notify_send("READY=1");
	run(&loop);
	if (options->once && !loop.draining)
		probe_wait(loop.spool.probe);
	if (loop.spool.noted_us != 0)
		dispatch_sync(&loop.spool);
	directory_save(&loop.spool);
	journal_finish(&loop.spool, JOURNAL_FINISH_US);
	loop_close(&loop);
	log_info("stopped");
	return 0;
}
