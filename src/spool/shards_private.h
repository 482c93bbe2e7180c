/* SPDX-License-Identifier: MIT */
/* What the two files of the parent's side of the shards share. */
#ifndef WUTS_SRC_SPOOL_SHARDS_PRIVATE_H
#define WUTS_SRC_SPOOL_SHARDS_PRIVATE_H

#include "shard_private.h"
#include "shards.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct target;

/* What shards call errors: there are a dozen. */
#define ERRORS_MAX 64

struct child {
	pid_t pid;			/* 0: none runs */
	struct wire wire;
	bool is_writing;
	int64_t started_us;		/* monotonic */
	int64_t start_at_us;		/* of the next one */
	unsigned young;			/* that died young, in a row */
};

/* An attempt under way, by its token. */
struct flight {
	struct delivery *delivery;	/* NULL: free */
	unsigned shard;
	uint32_t next_free;
	int64_t overdue_us;
};
#define NO_FLIGHT UINT32_MAX

/* What the shard of an endpoint knows of its settings. */
struct told {
	struct target *target;		/* a reference; NULL: nothing */
	unsigned shard;
};

struct shards {
	struct spool *spool;
	int epoll_fd;
	unsigned n;
	struct child *children;
	struct flight *flights;
	uint32_t nflights, first_free;
	struct told *told;		/* by endpoint */
	size_t ntold;
	/* What shards call errors: a result's outlives the result, as those
	   that are made here do, which are constants. */
	char *errors[ERRORS_MAX];
	size_t nerrors;
};

/* --- shards_child.c --- */

/* Start the process, or put that off. */
void shards_child_start(struct shards *shards, unsigned i, int64_t now_us);
/* It died, or could not be started: the next one after a pause. */
void shards_child_put_off(struct child *child, int64_t now_us);
void shards_child_say_policy(struct shards *shards, struct child *child);
/* End one whose socket is closed, and say so. */
void shards_child_reap(unsigned i, struct child *child);
/* At the end: a closed socket ends it, or it is killed at that time
   (monotonic). */
void shards_child_wait(struct child *child, int64_t until_us);

#endif
