/* SPDX-License-Identifier: MIT */
/* The socket nginx connects to: handed to us on descriptor 0 or by systemd,
   else our own. For our own one a lock in run_dir keeps a second master away,
   so a socket file that we find is a dead master's, and is replaced once
   nobody answers on it any more. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/mem.h"
#include "wuts/presence.h"
#include "wuts/settings.h"

#include "wutsd_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ACTIVATED_FD 3		/* the first one systemd passes */
#define BACKLOG 4096		/* cut by net.core.somaxconn */
#define STALE_TRIES 100
#define STALE_PAUSE_MS 50

static bool
is_listening(int fd)
{
	int on = 0;
	socklen_t len = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 &&
	    on != 0;
}

static int
set_nonblocking(int fd, struct fault *fault)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return fault_errno(fault, FAULT_IO, "listening socket");
	return 0;
}

/* Move it off descriptor 0, where libraries expect a standard input. */
static int
take_stdin(struct listener *listener, struct fault *fault)
{
	int null_fd;

	listener->kind = LISTENER_STDIN;
	listener->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (listener->fd < 0 || null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0)
		return fault_errno(fault, FAULT_IO, "socket on descriptor 0");
	close(null_fd);
	return set_nonblocking(listener->fd, fault);
}

/* 1: systemd passed us one; 0: it did not; -1: it passed what we cannot use. */
static int
take_activated(struct listener *listener, struct fault *fault)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	char self[16];
	bool is_one;

	if (pid == NULL || fds == NULL)
		return 0;
	snprintf(self, sizeof(self), "%ld", (long)getpid());
	if (strcmp(pid, self) != 0)
		return 0;
	is_one = strcmp(fds, "1") == 0;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (!is_one || !is_listening(ACTIVATED_FD))
		return fault_set(fault, FAULT_CONFIG, "socket activation must "
		    "pass exactly one listening stream socket");
	listener->kind = LISTENER_ACTIVATED;
	listener->fd = ACTIVATED_FD;
	return set_nonblocking(listener->fd, fault) < 0 ? -1 : 1;
}

/* POSIX record locks: unlike flock() they do not pass to the workers, so the
   lock ends with the master whatever becomes of them. */
static int
take_lock(struct listener *listener, const struct settings *settings,
    struct fault *fault)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/wutsd.lock",
	    settings->run_dir) >= (int)sizeof(path))
		return fault_set(fault, FAULT_CONFIG, "run_dir is too long");
	listener->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (listener->lock_fd < 0)
		return fault_errno(fault, FAULT_IO, "%s", path);
	if (owner_give(settings, path, fault) < 0)
		return -1;
	if (fcntl(listener->lock_fd, F_SETLK, &lock) == 0) {
		presence_say(listener->lock_fd, NULL);
		return 0;
	}
	if (errno != EAGAIN && errno != EACCES)
		return fault_errno(fault, FAULT_IO, "lock %s", path);
	if (fcntl(listener->lock_fd, F_GETLK, &lock) < 0 ||
	    lock.l_type == F_UNLCK)
		lock.l_pid = 0;
	return fault_set(fault, FAULT_CONFIG,
	    "another wutsd (pid %ld) runs with run_dir %s: stop it, or give "
	    "this one another run_dir", (long)lock.l_pid, settings->run_dir);
}

/* 1: somebody answers; 0: nobody; -1: it cannot be told. */
static int
does_answer(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	int ret;

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 ||
	    errno == EAGAIN)
		ret = 1;
	else
		ret = errno == ECONNREFUSED || errno == ENOENT ? 0 : -1;
	close(fd);
	return ret;
}

/* A master that was killed leaves its socket, and for a moment its workers,
   which finish their requests: they are given a few seconds. */
static int
remove_stale(const struct sockaddr_un *addr, struct fault *fault)
{
	const char *path = addr->sun_path;
	struct stat st;
	int answer = 0;

	if (lstat(path, &st) < 0) {
		if (errno == ENOENT)
			return 0;
		return fault_errno(fault, FAULT_IO, "%s", path);
	}
	if (!S_ISSOCK(st.st_mode))
		return fault_set(fault, FAULT_CONFIG,
		    "%s exists and is not a socket: remove it or change the "
		    "setting socket", path);
	for (int i = 0; i < STALE_TRIES; i++) {
		answer = does_answer(addr);
		if (answer != 1)
			break;
		(void)poll(NULL, 0, STALE_PAUSE_MS);
	}
	if (answer < 0)
		return fault_errno(fault, FAULT_IO, "connect to %s", path);
	if (answer == 1)
		return fault_set(fault, FAULT_CONFIG,
		    "another program answers on %s: stop it or change the "
		    "setting socket", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return fault_errno(fault, FAULT_IO, "remove %s", path);
	return 0;
}

static int
bind_own(struct listener *listener, const struct settings *settings,
    struct fault *fault)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *path = settings->socket;
	struct stat st;
	mode_t mask;
	int ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return fault_set(fault, FAULT_CONFIG,
		    "the path of the socket is longer than %zu bytes: %s",
		    sizeof(addr.sun_path) - 1, path);
	memcpy(addr.sun_path, path, strlen(path));
	if (remove_stale(&addr, fault) < 0)
		return -1;
	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return fault_errno(fault, FAULT_IO, "socket");
	mask = umask(0777);	/* nobody, until owner and mode are right */
	ret = bind(listener->fd, (const struct sockaddr *)&addr,
	    sizeof(addr));
	umask(mask);
	if (ret < 0)
		return fault_errno(fault, FAULT_IO, "bind %s", path);
	if (owner_give(settings, path, fault) < 0)
		return -1;
	if (listen(listener->fd, BACKLOG) < 0 ||
	    chmod(path, (mode_t)settings->socket_mode) < 0 ||
	    lstat(path, &st) < 0)
		return fault_errno(fault, FAULT_IO, "%s", path);
	listener->path = mem_strdup(path);
	listener->device = st.st_dev;
	listener->inode = st.st_ino;
	return 0;
}

int
listener_open(struct listener *listener, const struct settings *settings,
    struct fault *fault)
{
	int activated;

	*listener = (struct listener) { .fd = -1, .lock_fd = -1 };
	activated = take_activated(listener, fault);
	if (activated < 0)
		return -1;
	if (activated == 0 && is_listening(STDIN_FILENO))
		return take_stdin(listener, fault);
	if (take_lock(listener, settings, fault) < 0)
		return -1;
	return activated == 1 ? 0 : bind_own(listener, settings, fault);
}

void
listener_remove(struct listener *listener)
{
	struct stat st;

	if (listener->path != NULL && lstat(listener->path, &st) == 0 &&
	    st.st_dev == listener->device && st.st_ino == listener->inode)
		(void)unlink(listener->path);
	free(listener->path);
	listener->path = NULL;
}

void
listener_close(struct listener *listener)
{
	listener_remove(listener);
	if (listener->fd >= 0)
		close(listener->fd);
	if (listener->lock_fd >= 0)
		close(listener->lock_fd);
	listener->fd = listener->lock_fd = -1;
}
