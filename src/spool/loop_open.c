/* SPDX-License-Identifier: MIT */
/* What the event loop works with, opened in the order that each thing needs,
   and closed. */
#include "config.h"

#include "loop_private.h"

#include "delivery.h"
#include "directory.h"
#include "dispatch.h"
#include "endpoint.h"
#include "journal.h"
#include "lookup.h"
#include "probe.h"
#include "replay.h"
#include "scheduler.h"
#include "shards.h"
#include "trial.h"

#include "wuts/callback_counts.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/generations.h"
#include "wuts/log.h"
#include "wuts/queue.h"
#include "wuts/settings.h"
#include "wuts/spool_numbers.h"
#include "wuts/strbuf.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

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

void
loop_arm_bell(struct loop *loop)
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
	loop_arm_bell(loop);
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
int
loop_open(struct loop *loop, struct fault *fault)
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
	if (loop->options->once)
		replay_once(spool->settings);
	else if (replayer_new(&spool->replayer, spool->settings, fault) < 0)
		return -1;
	return probe_new(&spool->probe, spool->live, loop->options->once,
	    fault);
}

void
loop_close(struct loop *loop)
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
