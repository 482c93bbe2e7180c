/* SPDX-License-Identifier: MIT */
/* What the two files of the loop share. */
#ifndef WUTS_SRC_SPOOL_LOOP_PRIVATE_H
#define WUTS_SRC_SPOOL_LOOP_PRIVATE_H

#include "loop.h"
#include "policy.h"
#include "spool_private.h"

#include <stdbool.h>
#include <stdint.h>

struct fault;
struct settings;

struct loop {
	struct spool spool;
	const struct loop_options *options;
	int epoll_fd, signal_fd;
	struct policies policies;
	struct settings *reloaded;	/* spool.live, after a SIGHUP */
	bool scan;			/* there may be something to read */
	bool heard;			/* the bell rang: scan after the pause */
	int64_t scanned_us;		/* the last look, monotonic */
	bool scan_failed;
	bool scanned_all;		/* once since the start, at least */
	bool draining;
	int64_t drain_until_us;
	int64_t tick_us;		/* the next one */
	int64_t dead_expired_us;	/* 0: never yet */
};

/* --- loop_open.c --- */

/* Open all that the loop works with; spool.settings, spool.live and options are
   set. Also after a failure it is to be closed. */
int loop_open(struct loop *loop, struct fault *fault);
void loop_close(struct loop *loop);
/* The bell rings once, then is deaf until it is armed again. */
void loop_arm_bell(struct loop *loop);

#endif
