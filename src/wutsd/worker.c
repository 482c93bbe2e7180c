/* SPDX-License-Identifier: MIT */
/* A worker: one request at a time, taken from whichever connection is
   readable. So no idle connection can park this process, and none is lost:
   when the worker retires, its siblings get them; when the service ends, what
   has arrived is still served. */
#include "config.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/log.h"
#include "wuts/metrics.h"
#include "wuts/privilege.h"
#include "wuts/service.h"
#include "wuts/settings.h"

#include "wutsd_private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* New connections served in a row before the kept ones have their turn. */
#define ACCEPT_BATCH 8
/* nginx writes right after it has connected. */
#define FIRST_BYTE_MS 1
/* How long, when the service ends, a connection that was made but has brought
   nothing yet is waited for. */
#define FRESH_GRACE_US 500000
#define GIVE_TIMEOUT_MS 5000
/* The same, of a worker that would wait for somebody. */
#define LEAVE_TIMEOUT_MS 500

struct worker {
	const struct heritage *heritage;
	struct board_slot *slot;
	int signal_fd;
	struct conns *conns;
	struct metrics *metrics;
	struct service *service;
	struct seats *seats;
	uint64_t full_at;		/* requests; 0: never */
	bool has_left;			/* others have our connections */
	bool is_ending;
	bool is_resting;		/* without a database connection */
};

static bool
is_service_ending(const struct worker *w)
{
	const struct heritage *h = w->heritage;

	return h->master_pid == 0 || getppid() != h->master_pid ||
	    atomic_load(&h->board->is_stopping);
}

static void
ring_doorbell(const struct worker *w)
{
	uint64_t one = 1;

	if (w->heritage->doorbell_fd >= 0 &&
	    write(w->heritage->doorbell_fd, &one, sizeof(one)) < 0)
		log_warn("doorbell: %s", strerror(errno));
}

static void
take_signals(struct worker *w)
{
	const struct settings *settings = w->heritage->settings;
	struct signalfd_siginfo info;

	while (read(w->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGUSR1)
			w->is_ending = true;
		else if (settings_open_log(settings, "wutsd") < 0)
			log_error("%s: %s", settings->log_file,
			    strerror(errno));
	}
}

static void
count_served(void *ctx)
{
	struct worker *w = ctx;
	uint64_t served = atomic_load_explicit(&w->slot->served,
	    memory_order_relaxed) + 1;

	atomic_store_explicit(&w->slot->served, served, memory_order_relaxed);
	if (served != w->full_at)
		return;
	atomic_store(&w->slot->is_full, true);
	ring_doorbell(w);
}

/* One that waits serves nobody: its siblings take over what nginx keeps to it,
   and half of them, one at least, stay. */
static int
leave(void *ctx, struct fault *fault)
{
	struct worker *w = ctx;
	const struct heritage *h = w->heritage;

	fault->retry_after_s = 2;
	if (h->workers < 2)
		return fault_say(fault, REFUSAL_BUSY,
		    "one worker alone cannot wait for a test delivery");
	if (w->is_ending || is_service_ending(w) ||
	    !board_leave(h->board, h->slot, h->workers / 2))
		return fault_say(fault, REFUSAL_BUSY,
		    "too many test deliveries at once");
	w->has_left = true;
	if (conns_give_all(w->conns, seats_fd(w->seats),
	    LEAVE_TIMEOUT_MS) == 0)
		return 0;
	board_return(h->board, h->slot);
	return fault_say(fault, REFUSAL_BUSY,
	    "every worker is busy: a test delivery would hold others up");
}

static void
come_back(void *ctx)
{
	struct worker *w = ctx;

	board_return(w->heritage->board, w->heritage->slot);
}

/* A connection that is in no set yet: most have brought their request along,
   and need never enter one. */
static void
serve_new(struct worker *w, int fd, enum conns_kind kind, int wait_ms)
{
	struct pollfd first = { .fd = fd, .events = POLLIN };

	if (poll(&first, 1, wait_ms) > 0)
		seats_serve(w->seats, fd);
	else
		conns_keep(w->conns, fd, kind);
}

static bool
accept_some(struct worker *w, int wait_ms)
{
	int fd, n;

	for (n = 0; n < ACCEPT_BATCH; n++) {
		fd = conns_accept(w->conns);
		if (fd < 0)
			break;
		serve_new(w, fd, CONNS_FRESH, wait_ms);
	}
	return n > 0;
}

static bool
take_one(struct worker *w)
{
	enum conns_kind kind;
	int fd = conns_take(w->conns, &kind);

	if (fd < 0)
		return false;
	serve_new(w, fd, kind, 0);
	return true;
}

/* A connection stays with the worker that has it, and nginx chooses without
   knowing: so requests can meet here while siblings have nothing to do. They
   get what this worker would have left waiting. */
static void
share_surplus(struct worker *w, struct conns_ready *ready)
{
	unsigned idle, spare = 0;
	int fd;

	for (int i = 0; i < ready->n; i++)
		spare += conns_kind(w->conns, ready->fds[i]) != CONNS_NONE;
	if (spare < 2)
		return;
	idle = board_idle(w->heritage->board, w->heritage->slot);
	for (; spare > 1 && idle > 0 && ready->n > 0; ready->n--) {
		fd = ready->fds[ready->n - 1];
		if (conns_kind(w->conns, fd) == CONNS_NONE) {
			/* Not one to give: the turn of this one goes first. */
			ready->fds[ready->n - 1] = ready->fds[0];
			ready->fds[0] = fd;
			fd = ready->fds[ready->n - 1];
		}
		if (conns_kind(w->conns, fd) == CONNS_NONE ||
		    !conns_give(w->conns, fd))
			return;
		spare--;
		idle--;
	}
}

static void
serve_ready(struct worker *w, struct conns_ready *ready)
{
	int wait_ms = ready->n == 1 ? FIRST_BYTE_MS : 0;

	share_surplus(w, ready);
	w->has_left = false;
	/* After that the rest may be a sibling's, or another's by now. */
	for (int i = 0; i < ready->n && !w->has_left; i++) {
		if (ready->fds[i] == w->signal_fd)
			take_signals(w);
		else if (ready->fds[i] == w->heritage->listen_fd)
			(void)accept_some(w, wait_ms);
		else if (ready->fds[i] == w->heritage->take_fd)
			(void)take_one(w);
		else
			seats_serve(w->seats, ready->fds[i]);
	}
	seats_end_round(w->seats);
}

/* Wait for something to do. Where connections to the database are scarce, ours
   is let go when there was nothing for a while. */
static void
wait_for_work(struct worker *w, struct conns_ready *ready_r)
{
	int64_t rest_ms = w->heritage->settings->database_idle_timeout_ms;

	atomic_store(&w->slot->is_idle, true);
	conns_wait(w->conns, rest_ms > 0 && !w->is_resting ? (int)rest_ms : -1,
	    ready_r);
	atomic_store(&w->slot->is_idle, false);
	w->is_resting = ready_r->n == 0;
	if (w->is_resting)
		service_rest(w->service);
}

static void
work(struct worker *w)
{
	struct conns_ready ready;

	while (!w->is_ending) {
		wait_for_work(w, &ready);
		serve_ready(w, &ready);
	}
}

/* The siblings go on: they get everything. */
static void
retire(struct worker *w)
{
	unsigned left;

	conns_stop_taking(w->conns);
	left = conns_give_all(w->conns, -1, GIVE_TIMEOUT_MS);
	if (left > 0)
		log_warn("nobody took %u connections over: closed", left);
}

/* Nobody goes on: serve what has arrived, wait a moment for what is about to,
   then close. */
static void
finish(struct worker *w)
{
	int64_t until_us = clock_mono_us() + FRESH_GRACE_US;
	struct conns_ready ready;
	bool is_more = true;

	conns_stop_taking(w->conns);
	while (is_more || (conns_count(w->conns, CONNS_FRESH) > 0 &&
	    clock_mono_us() < until_us)) {
		conns_wait(w->conns, is_more ? 0 : 10, &ready);
		is_more = ready.n > 0;
		for (int i = 0; i < ready.n; i++) {
			if (ready.fds[i] == w->signal_fd)
				take_signals(w);
			else
				seats_serve(w->seats, ready.fds[i]);
		}
		if (!w->heritage->is_listener_kept)
			is_more |= accept_some(w, 0);
		is_more |= take_one(w);
		seats_end_round(w->seats);
	}
}

static void
catch_signals(struct worker *w)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGUSR1);
	if (w->heritage->master_pid == 0)
		sigaddset(&mask, SIGINT);
	w->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	/* Blocked, so that no read of a request is interrupted: libfcgi takes
	   EINTR for a broken connection. What is not caught (a terminal's
	   SIGINT is the master's) waits for ever. */
	sigfillset(&mask);
	sigdelset(&mask, SIGSEGV);
	sigdelset(&mask, SIGBUS);
	sigdelset(&mask, SIGFPE);
	sigdelset(&mask, SIGILL);
	sigdelset(&mask, SIGABRT);
	if (w->signal_fd < 0 || sigprocmask(SIG_SETMASK, &mask, NULL) < 0)
		log_fatal("signals: %s", strerror(errno));
	(void)signal(SIGPIPE, SIG_IGN);
}

/* Not all at the same time: up to a tenth more, by slot. */
static uint64_t
full_at(const struct heritage *h)
{
	uint64_t max = h->settings->worker_max_requests;

	if (max == 0 || h->master_pid == 0)
		return 0;
	return max + max / 10 * (h->slot % 8) / 8;
}

static void
init(struct worker *w, const struct heritage *heritage)
{
	const struct service_wait wait = {
		.begin = leave, .end = come_back, .ctx = w
	};
	struct fault fault;

	memset(w, 0, sizeof(*w));
	w->heritage = heritage;
	w->slot = &heritage->board->slots[heritage->slot];
	w->full_at = full_at(heritage);
	catch_signals(w);
	if (heritage->master_pid != 0 &&
	    prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		log_fatal("prctl: %s", strerror(errno));
	privilege_hide_memory();
	fault_clear(&fault);
	if (service_open(&w->service, heritage->settings, &fault) < 0)
		log_fatal("start: %s", fault.text);
	w->metrics = metrics_open(heritage->settings->run_dir,
	    heritage->routes, heritage->nroutes);
	metrics_worker_begin(w->metrics);
	metrics_count_worker(w->metrics, METRICS_WORKER_STARTED);
	service_set_wait(w->service, &wait);
	service_set_metrics(w->service, w->metrics);
	w->conns = conns_new(heritage, w->signal_fd);
	w->seats = seats_new(heritage, w->conns, w->service, w->metrics);
	seats_tell(w->seats, count_served, w);
	/* A master that died before prctl() sends no signal. */
	if (heritage->master_pid != 0 && getppid() != heritage->master_pid)
		w->is_ending = true;
}

int
worker_run(const struct heritage *heritage)
{
	struct worker w;

	init(&w, heritage);
	atomic_store(&w.slot->is_ready, true);
	ring_doorbell(&w);
	work(&w);
	if (is_service_ending(&w))
		finish(&w);
	else
		retire(&w);
	seats_free(&w.seats);
	conns_free(&w.conns);
	service_close(&w.service);
	metrics_close(&w.metrics);
	close(w.signal_fd);
	return 0;
}
