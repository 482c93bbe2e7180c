/* SPDX-License-Identifier: MIT */
/* The state that the loop, the directory and the dispatch share. One thread
   runs everything except lookup.c, probe.c and replay.c, whose threads touch
   nothing of it. Two clocks: wall for what is stored (created, due), monotonic
   for what is measured. */
#ifndef WUTS_SPOOL_PRIVATE_H
#define WUTS_SPOOL_PRIVATE_H

#include "journal.h"

#include <stdbool.h>
#include <stdint.h>

struct callback_counts;
struct delivery_pool;
struct endpoints;
struct generations;
struct lookup;
struct lookup_job;
struct probe;
struct queue_reader;
struct replayer;
struct scheduler;
struct settings;
struct shards;
struct spool_numbers;
struct trials;

struct spool {
	const struct settings *settings;	/* as at start */
	const struct settings *live;		/* as of the last reload */

	struct queue_reader *reader;
	struct generations *generations;
	struct scheduler *scheduler;
	struct endpoints *endpoints;
	struct lookup *lookup;
	struct delivery_pool *pool;

	/* directory.c */
	char *snapshot_path;
	bool snapshot_changed;
	bool health_changed;		/* may be saved later */
	int64_t snapshot_us;		/* last saved */
	bool away;			/* the database does not answer */
	unsigned asked;			/* jobs under way */
	int64_t answered_us;		/* its last sign of life */
	uint32_t evict_hand, recheck_hand;
	struct lookup_job *again;	/* claims, disablings to ask again */
	bool expiring;
	int64_t expired_us;

	struct shards *shards;		/* NULL: attempts are made here */
	struct spool_numbers *numbers;	/* NULL: nobody sees them */
	int64_t surveyed_us;		/* monotonic; 0: never */
	struct callback_counts *counts;
	struct journal journal;
	struct probe *probe;		/* NULL: there is no engine to ask */
	struct replayer *replayer;	/* NULL: with --once */
	struct trials *trials;		/* NULL: none can be made */

	/* dispatch.c */
	int64_t noted_us;		/* first outcome not synced; 0: none */
	bool stuck;			/* outcomes cannot be written */
};

#endif
