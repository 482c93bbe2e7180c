/* SPDX-License-Identifier: MIT */
/* The connections of one worker in one epoll set, together with the listening
   socket, so that an idle kept connection costs nobody anything. Connections
   change hands through a queue that all workers share: a message there holds
   the descriptor, so one on its way survives its sender, and what nginx has
   already written to it waits in it. */
#include "config.h"

#include "wuts/clock.h"
#include "wuts/log.h"
#include "wuts/mem.h"

#include "wutsd_private.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* nginx has the whole request before it begins to send it, so a peer that
   pauses inside one has gone wrong. */
#define PEER_TIMEOUT_S 5
#define GIVE_PAUSE_MS 20

struct conns {
	const struct heritage *heritage;
	int epoll_fd;
	int signal_fd;
	size_t cap;
	unsigned char *kinds;		/* by descriptor: enum conns_kind */
	unsigned counts[CONNS_KEPT + 1];	/* of NONE: meaningless */
};

static bool
watch(const struct conns *conns, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(conns->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void
unwatch(const struct conns *conns, int fd)
{
	(void)epoll_ctl(conns->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

struct conns *
conns_new(const struct heritage *heritage, int signal_fd)
{
	struct conns *conns = mem_calloc(1, sizeof(*conns));

	conns->heritage = heritage;
	conns->signal_fd = signal_fd;
	conns->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	/* EXCLUSIVE: one connection wakes one worker. */
	if (conns->epoll_fd < 0 || !watch(conns, signal_fd, EPOLLIN) ||
	    !watch(conns, heritage->listen_fd, EPOLLIN | EPOLLEXCLUSIVE) ||
	    !watch(conns, heritage->take_fd, EPOLLIN | EPOLLEXCLUSIVE))
		log_fatal("epoll: %s", strerror(errno));
	return conns;
}

static void
set_kind(struct conns *conns, int fd, enum conns_kind kind)
{
	size_t i = (size_t)fd, cap = conns->cap;

	if (i >= cap) {
		while (i >= conns->cap)
			conns->cap = conns->cap == 0 ? 64 : 2 * conns->cap;
		conns->kinds = mem_realloc(conns->kinds, conns->cap, 1);
		memset(conns->kinds + cap, CONNS_NONE, conns->cap - cap);
	}
	conns->counts[conns->kinds[i]]--;
	conns->kinds[i] = (unsigned char)kind;
	conns->counts[kind]++;
}

enum conns_kind
conns_kind(const struct conns *conns, int fd)
{
	return (size_t)fd < conns->cap ? conns->kinds[fd] : CONNS_NONE;
}

unsigned
conns_count(const struct conns *conns, enum conns_kind kind)
{
	return conns->counts[kind];
}

void
conns_wait(struct conns *conns, int timeout_ms, struct conns_ready *ready_r)
{
	struct epoll_event events[CONNS_BATCH];
	int n = epoll_wait(conns->epoll_fd, events, CONNS_BATCH, timeout_ms);

	if (n < 0 && errno != EINTR)
		log_fatal("epoll_wait: %s", strerror(errno));
	ready_r->n = n < 0 ? 0 : n;
	for (int i = 0; i < ready_r->n; i++)
		ready_r->fds[i] = events[i].data.fd;
}

static void
set_timeouts(int fd)
{
	struct timeval limit = { .tv_sec = PEER_TIMEOUT_S };
	int on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	/* Fails on a unix socket, which has no Nagle to turn off. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Blocking from here on, as libfcgi needs it: a flag of the listening socket's
   is not inherited. */
int
conns_accept(struct conns *conns)
{
	int fd = accept4(conns->heritage->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0) {
		set_timeouts(fd);
		return fd;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
	    errno == ENOBUFS) {
		/* The connection stays in the backlog, so the socket stays
		   readable: without a pause this would spin. */
		log_warn("accept: %s", strerror(errno));
		(void)poll(NULL, 0, GIVE_PAUSE_MS);
	}
	return -1;
}

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int
conns_take(struct conns *conns, enum conns_kind *kind_r)
{
	char kind = 0;
	union control control;
	struct iovec iov = { &kind, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control) };
	const struct cmsghdr *header;
	int fd;

	if (recvmsg(conns->heritage->take_fd, &msg,
	    MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
		return -1;
	header = CMSG_FIRSTHDR(&msg);
	if (header == NULL || header->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	*kind_r = kind == CONNS_FRESH ? CONNS_FRESH : CONNS_KEPT;
	return fd;
}

void
conns_keep(struct conns *conns, int fd, enum conns_kind kind)
{
	if (conns_kind(conns, fd) == CONNS_NONE && !watch(conns, fd, EPOLLIN)) {
		log_error("epoll: watch a connection: %s", strerror(errno));
		close(fd);
		return;
	}
	set_kind(conns, fd, kind);
}

void
conns_forget(struct conns *conns, int fd)
{
	if (conns_kind(conns, fd) != CONNS_NONE)
		set_kind(conns, fd, CONNS_NONE);
}

void
conns_close(struct conns *conns, int fd)
{
	conns_forget(conns, fd);
	close(fd);
}

static bool
send_fd(const struct conns *conns, int fd, enum conns_kind kind)
{
	char byte = (char)kind;
	union control control = { .bytes = { 0 } };
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&msg);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(conns->heritage->give_fd, &msg,
	    MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

bool
conns_give(struct conns *conns, int fd)
{
	enum conns_kind kind = conns_kind(conns, fd);

	/* Out of the set before close(): the message keeps the connection
	   open, and an open one would stay in the set for ever. */
	unwatch(conns, fd);
	if (!send_fd(conns, fd, kind)) {
		if (!watch(conns, fd, EPOLLIN))
			log_error("epoll: watch a connection: %s",
			    strerror(errno));
		return false;
	}
	conns_close(conns, fd);
	return true;
}

unsigned
conns_give_all(struct conns *conns, int except_fd, int64_t timeout_ms)
{
	int64_t until_us = clock_mono_us() + timeout_ms * 1000;
	struct pollfd room = { .fd = conns->heritage->give_fd,
	    .events = POLLOUT };
	unsigned left = 0;

	for (int fd = 0; (size_t)fd < conns->cap; fd++) {
		if (fd == except_fd || conns->kinds[fd] == CONNS_NONE)
			continue;
		while (!conns_give(conns, fd)) {
			if (clock_mono_us() >= until_us) {
				left++;
				break;
			}
			(void)poll(&room, 1, GIVE_PAUSE_MS);
		}
	}
	return left;
}

void
conns_stop_taking(struct conns *conns)
{
	unwatch(conns, conns->heritage->listen_fd);
	unwatch(conns, conns->heritage->take_fd);
}

void
conns_free(struct conns **connsp)
{
	struct conns *conns = *connsp;

	*connsp = NULL;
	if (conns == NULL)
		return;
	for (size_t fd = 0; fd < conns->cap; fd++)
		if (conns->kinds[fd] != CONNS_NONE)
			close((int)fd);
	close(conns->epoll_fd);
	free(conns->kinds);
	free(conns);
}
