/* SPDX-License-Identifier: MIT */
/* Which sockets epoll looks at for libcurl. It asks for a connection's events
   with each attempt and takes that back at its end: two system calls an attempt
   that change nothing, when the next uses the same connection. So a connection
   stays in epoll until something happens to it that nobody wants to know, or
   until it is closed. Sockets of other kinds, whose end nobody tells us (those
   of the resolver), leave when libcurl says so: their numbers come again. */
#include "config.h"

#include "watch.h"

#include "wuts/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

void
watches_init(struct watches *watches, int epoll_fd)
{
	*watches = (struct watches){ .epoll_fd = epoll_fd };
}

void
watches_deinit(struct watches *watches)
{
	free(watches->items);
	watches->items = NULL;
	watches->n = 0;
}

static struct watch *
watch_of(struct watches *watches, int fd)
{
	size_t i = (size_t)fd, n;

	if (i >= watches->n) {
		n = i * 2 + 64;
		watches->items = mem_realloc(watches->items, n,
		    sizeof(watches->items[0]));
		memset(watches->items + watches->n, 0,
		    (n - watches->n) * sizeof(watches->items[0]));
		watches->n = n;
	}
	return &watches->items[i];
}

static int
tell(struct watches *watches, struct watch *watch, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };
	int op = events == 0 ? EPOLL_CTL_DEL :
	    watch->set == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if (watch->set == events)
		return 0;
	/* Taking out what is out already is no failure. */
	if (epoll_ctl(watches->epoll_fd, op, fd, &event) < 0 && events != 0)
		return -1;
	watch->set = events;
	return 0;
}

void
watches_keep(struct watches *watches, int fd)
{
	*watch_of(watches, fd) = (struct watch){ .is_kept = true };
}

void
watches_forget(struct watches *watches, int fd)
{
	/* With the last descriptor of a socket epoll forgets it. */
	*watch_of(watches, fd) = (struct watch){ .is_kept = false };
}

int
watches_want(struct watches *watches, int fd, uint32_t events)
{
	struct watch *watch = watch_of(watches, fd);

	watch->wanted = events;
	if (events == 0 && watch->is_kept)
		return 0;
	return tell(watches, watch, fd, events);
}

bool
watches_are_for(struct watches *watches, int fd)
{
	struct watch *watch = watch_of(watches, fd);

	if (watch->wanted != 0)
		return true;
	(void)tell(watches, watch, fd, 0);
	return false;
}
