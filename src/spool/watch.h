/* SPDX-License-Identifier: MIT */
/* Which sockets epoll looks at for libcurl. */
#ifndef WUTS_SRC_SPOOL_WATCH_H
#define WUTS_SRC_SPOOL_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watch {
	uint32_t wanted;	/* events that libcurl asks for */
	uint32_t set;		/* those that epoll was told */
	bool is_kept;		/* whether it closes is told to us */
};

struct watches {
	int epoll_fd;		/* borrowed */
	struct watch *items;	/* by descriptor */
	size_t n;
};

void watches_init(struct watches *watches, int epoll_fd);
void watches_deinit(struct watches *watches);

/* A new socket, of which forget will tell the end. */
void watches_keep(struct watches *watches, int fd);
void watches_forget(struct watches *watches, int fd);
/* Look for these events from now on; 0: for none. -1 with errno. */
int watches_want(struct watches *watches, int fd, uint32_t events);
/* Something happened to fd: does libcurl want to know? */
bool watches_are_for(struct watches *watches, int fd);

#endif
