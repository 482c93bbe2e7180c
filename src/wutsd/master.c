/* SPDX-License-Identifier: MIT */
/* The master: the thin shell around master_plan.c. It forks, waits and sends
   signals; it reads nothing that comes from outside but its own configuration
   and never talks to the database, so there is little in it to fail. */
#include "config.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/metrics.h"
#include "wuts/notify.h"
#include "wuts/presence.h"
#include "wuts/settings.h"

#include "master_plan.h"
#include "wutsd_private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MIN_MS 50
#define TICK_MAX_MS 1000

struct master {
	struct heritage *heritage;
	struct listener *listener;
	const struct options *options;
	struct settings *settings;
	struct metrics *metrics;
	struct master_plan plan;
	struct plan_slot *slots;
	pid_t *pids;
	int signal_fd;
	bool is_announced;	/* systemd knows of the present settings */
	sigset_t old_mask;
};

static struct plan_limits
limits_of(const struct master *m)
{
	const struct settings *s = m->settings;

	return (struct plan_limits) {
		.workers = options_workers(m->options, s),
		.alive_max = s->database_connections != 0 ?
		    settings_workers_max(s) : 0,
		.request_timeout_us = s->request_timeout_ms * 1000,
		.drain_timeout_us = s->drain_timeout_ms * 1000
	};
}

static void
catch_signals(struct master *m)
{
	static const int caught[] = { SIGCHLD, SIGHUP, SIGINT, SIGQUIT,
	    SIGTERM, SIGUSR1 };
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		sigaddset(&mask, caught[i]);
	m->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (m->signal_fd < 0 ||
	    sigprocmask(SIG_BLOCK, &mask, &m->old_mask) < 0)
		log_fatal("signals: %s", strerror(errno));
	(void)signal(SIGPIPE, SIG_IGN);
}

static void
init(struct master *m)
{
	struct plan_limits limits = limits_of(m);
	/* A reload may ask for more workers, and doubles them for a moment. */
	unsigned nslots = 2 * 1024 + 16;

	m->slots = mem_calloc(nslots, sizeof(*m->slots));
	m->pids = mem_calloc(nslots, sizeof(*m->pids));
	master_plan_init(&m->plan, m->slots, nslots, &limits);
	m->metrics = metrics_open(m->settings->run_dir, m->heritage->routes,
	    m->heritage->nroutes);
	metrics_remove_others(m->metrics, m->settings->run_dir);
	m->heritage->board = board_new(nslots);
	m->heritage->master_pid = getpid();
	m->heritage->doorbell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->heritage->doorbell_fd < 0)
		log_fatal("eventfd: %s", strerror(errno));
	catch_signals(m);
}

static void
deinit(struct master *m)
{
	close(m->signal_fd);
	close(m->heritage->doorbell_fd);
	board_free(&m->heritage->board);
	metrics_close(&m->metrics);
	free(m->pids);
	free(m->slots);
	settings_free(&m->settings);
}

static void __attribute__((noreturn))
become_worker(struct master *m)
{
	int status;

	/* What is the master's alone. The lock is of the kind that does not
	   pass to a child, and closing it here does not release it. */
	close(m->signal_fd);
	metrics_close(&m->metrics);
	if (m->listener->lock_fd >= 0)
		close(m->listener->lock_fd);
	status = worker_run(m->heritage);
	free(m->pids);
	free(m->slots);
	settings_free(&m->settings);
	exit(status);
}

static void
start_worker(struct master *m, size_t slot)
{
	pid_t pid;

	board_clear_slot(m->heritage->board, (unsigned)slot);
	m->heritage->slot = (unsigned)slot;
	m->heritage->settings = m->settings;
	m->heritage->workers = m->plan.limits.workers;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		become_worker(m);
	if (pid < 0) {
		log_error("fork: %s", strerror(errno));
		(void)master_plan_exited(&m->plan, slot, clock_mono_us());
		return;
	}
	m->pids[slot] = pid;
	log_info("worker pid=%ld slot=%zu started", (long)pid, slot);
}

static void
signal_worker(const struct master *m, size_t slot, int signo)
{
	if (m->pids[slot] > 0 && kill(m->pids[slot], signo) < 0)
		log_warn("worker pid=%ld: kill: %s", (long)m->pids[slot],
		    strerror(errno));
}

static void
kill_worker(const struct master *m, size_t slot)
{
	int64_t busy_us = m->slots[slot].busy_since_us;

	log_error("worker pid=%ld slot=%zu overdue%s, killed",
	    (long)m->pids[slot], slot,
	    busy_us != 0 ? " in a request" : "");
	metrics_count_worker(m->metrics, METRICS_WORKER_KILLED);
	signal_worker(m, slot, SIGKILL);
}

/* False: the end. */
static bool
act(struct master *m)
{
	struct plan_action action;

	for (;;) {
		action = master_plan_next(&m->plan, clock_mono_us());
		switch (action.verb) {
		case PLAN_WAIT:
			return true;
		case PLAN_START:
			start_worker(m, action.slot);
			break;
		case PLAN_RETIRE:
			signal_worker(m, action.slot, SIGTERM);
			break;
		case PLAN_KILL:
			kill_worker(m, action.slot);
			break;
		case PLAN_EXIT:
			return false;
		}
	}
}

static void
log_exit(const struct master *m, size_t slot, int status, bool is_crash)
{
	long pid = (long)m->pids[slot];

	if (is_crash)
		metrics_count_worker(m->metrics, METRICS_WORKER_DIED);
	if (!is_crash)
		log_info("worker pid=%ld slot=%zu ended", pid, slot);
	else if (WIFSIGNALED(status))
		log_error("worker pid=%ld slot=%zu died: signal %d", pid, slot,
		    WTERMSIG(status));
	else
		log_error("worker pid=%ld slot=%zu died: status %d", pid, slot,
		    WEXITSTATUS(status));
}

static void
reap(struct master *m)
{
	size_t slot;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (slot = 0; slot < m->plan.nslots; slot++)
			if (m->pids[slot] == pid)
				break;
		if (slot == m->plan.nslots)
			continue;	/* as process 1: somebody's orphan */
		log_exit(m, slot, status, master_plan_exited(&m->plan, slot,
		    clock_mono_us()) && !m->plan.is_stopping);
		m->pids[slot] = 0;
		board_clear_slot(m->heritage->board, (unsigned)slot);
	}
}

static bool
is_fixed_changed(const struct settings *a, const struct settings *b)
{
	return strcmp(a->run_dir, b->run_dir) != 0 ||
	    strcmp(a->socket, b->socket) != 0 ||
	    a->socket_mode != b->socket_mode ||
	    strcmp(a->user, b->user) != 0 || strcmp(a->group, b->group) != 0;
}

static void
reopen_log(const struct settings *settings)
{
	if (settings_open_log(settings, "wutsd") < 0)
		log_error("%s: %s", settings->log_file, strerror(errno));
}

static void
reload(struct master *m)
{
	struct settings *settings;
	struct plan_limits limits;
	struct fault fault;

	if (m->plan.is_stopping)
		return;
	fault_clear(&fault);
	if (settings_load(&settings, m->options->config, &fault) < 0) {
		log_error("reload: %s: the old configuration stays",
		    fault.text);
		return;
	}
	if (options_check(m->options, settings, &fault) < 0) {
		log_error("reload: %s: the old configuration stays",
		    fault.text);
		settings_free(&settings);
		return;
	}
	notify_send("RELOADING=1");
	m->is_announced = false;
	if (is_fixed_changed(m->settings, settings))
		log_warn("reload: run_dir, socket, socket_mode, user and "
		    "group change with a restart only");
	settings_free(&m->settings);
	m->settings = settings;
	reopen_log(settings);
	limits = limits_of(m);
	master_plan_reload(&m->plan, &limits);
	log_info("reload: %u workers with the new configuration",
	    limits.workers);
}

static void
stop(struct master *m, unsigned signo)
{
	if (m->plan.is_stopping)
		return;
	log_info("stopping: signal %u", signo);
	notify_send("STOPPING=1");
	atomic_store(&m->heritage->board->is_stopping, true);
	/* What has connected is still served; what comes now is told so at
	   once instead of waiting for an answer. */
	listener_remove(m->listener);
	master_plan_stop(&m->plan);
}

static void
reopen_all_logs(const struct master *m)
{
	reopen_log(m->settings);
	for (size_t i = 0; i < m->plan.nslots; i++)
		signal_worker(m, i, SIGUSR1);
}

static void
take_signals(struct master *m)
{
	struct signalfd_siginfo info;

	while (read(m->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			reap(m);
			break;
		case SIGHUP:
			reload(m);
			break;
		case SIGUSR1:
			reopen_all_logs(m);
			break;
		default:
			stop(m, info.ssi_signo);
		}
	}
}

/* What the workers say on the board becomes events of the plan. */
static void
read_board(struct master *m)
{
	const struct board *board = m->heritage->board;
	unsigned used = atomic_load(&board->used);
	const struct board_slot *slot;

	for (unsigned i = 0; i < used; i++) {
		if (m->pids[i] == 0)
			continue;
		slot = &board->slots[i];
		if (atomic_load(&slot->is_ready))
			master_plan_ready(&m->plan, i, clock_mono_us());
		if (atomic_load(&slot->is_full))
			master_plan_full(&m->plan, i);
		master_plan_busy(&m->plan, i,
		    atomic_load(&slot->busy_since_us));
	}
}

static void
announce(struct master *m)
{
	if (m->is_announced || !master_plan_is_settled(&m->plan))
		return;
	m->is_announced = true;
	if (m->listener->lock_fd >= 0)
		presence_say(m->listener->lock_fd, &m->settings->keys);
	notify_send("READY=1");
	log_info("ready: %u workers serve", m->plan.limits.workers);
}

/* The board must be looked at often enough to see a request overstay. */
static int
tick_ms(const struct master *m)
{
	int64_t tick = m->plan.limits.request_timeout_us / 1000 / 10;
	int64_t wait_us = master_plan_wait_us(&m->plan, clock_mono_us());

	if (tick > TICK_MAX_MS)
		tick = TICK_MAX_MS;
	if (tick < TICK_MIN_MS)
		tick = TICK_MIN_MS;
	if (wait_us >= 0 && wait_us / 1000 + 1 < tick)
		tick = wait_us / 1000 + 1;
	return (int)tick;
}

static void
wait_for_events(struct master *m)
{
	struct pollfd fds[] = {
		{ .fd = m->signal_fd, .events = POLLIN },
		{ .fd = m->heritage->doorbell_fd, .events = POLLIN }
	};
	uint64_t rings;

	if (poll(fds, 2, tick_ms(m)) < 0 && errno != EINTR)
		log_fatal("poll: %s", strerror(errno));
	if (read(m->heritage->doorbell_fd, &rings, sizeof(rings)) < 0 &&
	    errno != EAGAIN)
		log_fatal("doorbell: %s", strerror(errno));
	take_signals(m);
	read_board(m);
}

int
master_run(struct heritage *heritage, struct listener *listener,
    const struct options *options, struct settings *settings)
{
	struct master m = { .heritage = heritage, .listener = listener,
	    .options = options, .settings = settings };

	init(&m);
	while (act(&m)) {
		announce(&m);
		notify_alive(clock_mono_us());
		wait_for_events(&m);
	}
	log_info("stopped");
	deinit(&m);
	return 0;
}
