/* SPDX-License-Identifier: MIT */
/* The rig's processes, files and clients. Whatever it waits for it waits for
   by looking, up to a limit that only a broken program reaches. */
#include "config.h"

#include "rig.h"

#include "../http/fcgi_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 30000
#define LOOK_MS 5
#define ANSWER_S 20
#define CLIENTS_MAX 64

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
look_again(void)
{
	(void)poll(NULL, 0, LOOK_MS);
}

/* --- the directory --- */

static void
write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)),
	    (ssize_t)strlen(text));
	close(fd);
}

void
rig_configure(const struct rig *rig, unsigned workers, const char *extra)
{
	char text[2048];

	snprintf(text, sizeof(text),
	    "run_dir = %s\nqueue_dir = %s/queue\nlog_file = %s\n"
	    "installation_key_file = %s/key\n"
	    "database_socket = %s/no-database\nworkers = %u\n%s\n",
	    rig->dir, rig->dir, rig->log, rig->dir, rig->dir, workers,
	    extra == NULL ? "" : extra);
	write_file(rig->config, text, 0600);
}

void
rig_init(struct rig *rig, unsigned workers, const char *extra)
{
	char path[96];

	memset(rig, 0, sizeof(*rig));
	snprintf(rig->dir, sizeof(rig->dir), "/tmp/wutsd-test.XXXXXX");
	assert_non_null(mkdtemp(rig->dir));
	snprintf(rig->config, sizeof(rig->config), "%s/conf", rig->dir);
	snprintf(rig->log, sizeof(rig->log), "%s/log", rig->dir);
	snprintf(rig->socket, sizeof(rig->socket), "%s/wutsd.sock", rig->dir);
	snprintf(path, sizeof(path), "%s/key", rig->dir);
	write_file(path, "00112233445566778899aabbccddeeff"
	    "00112233445566778899aabbccddeeff", 0600);
	rig_configure(rig, workers, extra);
}

static void
remove_tree(const char *dir)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("rm", "rm", "-rf", dir, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

void
rig_deinit(struct rig *rig)
{
	if (rig->pid > 0) {
		kill(rig->pid, SIGTERM);
		(void)rig_wait(rig);
	}
	remove_tree(rig->dir);
}

/* --- the process --- */

static int
listen_on(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr,
	    sizeof(addr)), 0);
	assert_int_equal(listen(fd, 128), 0);
	return fd;
}

static void
exec_wutsd(const struct rig *rig, enum rig_socket kind, int listen_fd,
    const char *const *args)
{
	const char *argv[16] = { "wutsd", "-c", rig->config };
	size_t n = 3;
	char pid[32];

	while (args != NULL && *args != NULL && n < 15)
		argv[n++] = *args++;
	argv[n] = NULL;
	if (kind == RIG_STDIN)
		dup2(listen_fd, 0);
	if (kind == RIG_ACTIVATED) {
		dup2(listen_fd, 3);
		snprintf(pid, sizeof(pid), "%ld", (long)getpid());
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", "1", 1);
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	execv(WUTSD_PROGRAM, (char *const *)(uintptr_t)argv);
	_exit(127);
}

void
rig_start(struct rig *rig, enum rig_socket kind, const char *const *args)
{
	int listen_fd = kind == RIG_OWN ? -1 : listen_on(rig->socket);

	/* The child's descriptor 3 must not be the one it is copied from. */
	if (listen_fd == 3) {
		listen_fd = fcntl(3, F_DUPFD, 10);
		close(3);
	}
	rig->pid = fork();
	assert_true(rig->pid >= 0);
	if (rig->pid == 0)
		exec_wutsd(rig, kind, listen_fd, args);
	if (listen_fd >= 0)
		close(listen_fd);
}

void
rig_serve(struct rig *rig, enum rig_socket kind, const char *const *args)
{
	rig_start(rig, kind, args);
	rig_log_wait(rig, "ready: ", 1);
	/* Alone, it says so before its socket is polled; that is enough: the
	   backlog holds what comes earlier. */
}

void
rig_signal(const struct rig *rig, int signo)
{
	assert_int_equal(kill(rig->pid, signo), 0);
}

int
rig_wait(struct rig *rig)
{
	int64_t until = now_ms() + PATIENCE_MS;
	int status = 0;

	while (waitpid(rig->pid, &status, WNOHANG) == 0) {
		if (now_ms() > until) {
			kill(rig->pid, SIGKILL);
			waitpid(rig->pid, NULL, 0);
			rig->pid = 0;
			fail_msg("wutsd does not end");
		}
		look_again();
	}
	rig->pid = 0;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
	    WEXITSTATUS(status);
}

int
rig_run(struct rig *rig, const char *const *args, char *out, size_t size)
{
	size_t len = 0;
	ssize_t n;
	int pipe_fds[2];

	assert_int_equal(pipe(pipe_fds), 0);
	rig->pid = fork();
	if (rig->pid == 0) {
		dup2(pipe_fds[1], 1);
		dup2(pipe_fds[1], 2);
		close(pipe_fds[0]);
		exec_wutsd(rig, RIG_OWN, -1, args);
	}
	close(pipe_fds[1]);
	while (len + 1 < size &&
	    (n = read(pipe_fds[0], out + len, size - len - 1)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(pipe_fds[0]);
	return rig_wait(rig);
}

/* --- the log --- */

typedef bool line_f(void *ctx, const char *line);

static void
each_line(const struct rig *rig, line_f *f, void *ctx)
{
	char line[4096];
	FILE *log = fopen(rig->log, "r");

	if (log == NULL)
		return;
	while (fgets(line, sizeof(line), log) != NULL && f(ctx, line))
		continue;
	fclose(log);
}

struct count {
	const char *text;
	unsigned n;
};

static bool
count_line(void *ctx, const char *line)
{
	struct count *count = ctx;

	count->n += strstr(line, count->text) != NULL;
	return true;
}

unsigned
rig_log_count(const struct rig *rig, const char *text)
{
	struct count count = { text, 0 };

	each_line(rig, count_line, &count);
	return count.n;
}

static bool
print_line(void *ctx, const char *line)
{
	(void)ctx;
	print_message("%s", line);
	return true;
}

void
rig_log_wait(const struct rig *rig, const char *text, unsigned n)
{
	int64_t until = now_ms() + PATIENCE_MS;

	while (rig_log_count(rig, text) < n) {
		if (now_ms() > until) {
			each_line(rig, print_line, NULL);
			fail_msg("the log never said: %s", text);
		}
		look_again();
	}
}

struct find {
	char slot[32];
	long pid;
};

static bool
find_worker(void *ctx, const char *line)
{
	struct find *find = ctx;
	const char *pid = strstr(line, "worker pid=");

	if (pid != NULL && strstr(line, find->slot) != NULL)
		find->pid = strtol(pid + 11, NULL, 10);
	return true;
}

pid_t
rig_worker(const struct rig *rig, unsigned slot)
{
	struct find find = { .pid = 0 };

	snprintf(find.slot, sizeof(find.slot), " slot=%u started", slot);
	each_line(rig, find_worker, &find);
	assert_true(find.pid > 0);
	return (pid_t)find.pid;
}

/* --- asking --- */

int
rig_connect(const struct rig *rig)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = ANSWER_S };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", rig->socket);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	close(fd);
	return -1;
}

unsigned
rig_get(int fd, bool is_kept, const char *path)
{
	char uri[128];
	const char *const params[] = { "REQUEST_METHOD=GET", uri,
	    "REMOTE_ADDR=192.0.2.1", NULL };
	struct fcgi_answer answer;
	unsigned status = 0;

	snprintf(uri, sizeof(uri), "REQUEST_URI=%s", path);
	if (!fcgi_send(fd, is_kept, params, NULL, 0))
		return 0;
	if (fcgi_receive(fd, &answer) && answer.is_complete)
		status = answer.status;
	fcgi_answer_free(&answer);
	return status;
}

unsigned
rig_ask(const struct rig *rig, const char *path)
{
	int fd = rig_connect(rig);
	unsigned status;

	if (fd < 0)
		return 0;
	status = rig_get(fd, false, path);
	close(fd);
	return status;
}

/* --- load --- */

struct load_shared {
	atomic_bool is_over;
	atomic_ulong answered, failed;
};

struct rig_load {
	const struct rig *rig;
	struct load_shared *shared;
	unsigned nclients;
	pid_t clients[CLIENTS_MAX];
};

/* One connection for all requests, or one each. A kept connection that is
   closed between two requests counts as failed too: nginx would have sent its
   next request into it. */
static void
client(const struct rig_load *load, bool is_kept)
{
	int fd = -1;

	(void)signal(SIGPIPE, SIG_IGN);
	while (!atomic_load(&load->shared->is_over)) {
		if (fd < 0)
			fd = rig_connect(load->rig);
		if (fd >= 0 && rig_get(fd, is_kept, "/healthz") == 200)
			atomic_fetch_add(&load->shared->answered, 1);
		else
			atomic_fetch_add(&load->shared->failed, 1);
		if (!is_kept && fd >= 0) {
			close(fd);
			fd = -1;
		}
	}
	_exit(0);
}

struct rig_load *
rig_load_start(const struct rig *rig, unsigned kept, unsigned fresh)
{
	struct rig_load *load = calloc(1, sizeof(*load));

	assert_non_null(load);
	assert_true(kept + fresh <= CLIENTS_MAX);
	load->rig = rig;
	load->nclients = kept + fresh;
	load->shared = mmap(NULL, sizeof(*load->shared),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(load->shared != MAP_FAILED);
	for (unsigned i = 0; i < load->nclients; i++) {
		load->clients[i] = fork();
		assert_true(load->clients[i] >= 0);
		if (load->clients[i] == 0)
			client(load, i < kept);
	}
	return load;
}

unsigned long
rig_load_answered(const struct rig_load *load)
{
	return atomic_load(&load->shared->answered);
}

void
rig_load_wait(const struct rig_load *load, unsigned long more)
{
	unsigned long from = rig_load_answered(load);
	int64_t until = now_ms() + PATIENCE_MS;

	while (rig_load_answered(load) < from + more) {
		if (now_ms() > until)
			fail_msg("requests are not answered any more");
		look_again();
	}
}

unsigned long
rig_load_stop(struct rig_load **loadp)
{
	struct rig_load *load = *loadp;
	unsigned long failed;

	*loadp = NULL;
	atomic_store(&load->shared->is_over, true);
	for (unsigned i = 0; i < load->nclients; i++)
		waitpid(load->clients[i], NULL, 0);
	failed = atomic_load(&load->shared->failed);
	munmap(load->shared, sizeof(*load->shared));
	free(load);
	return failed;
}
