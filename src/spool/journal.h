/* SPDX-License-Identifier: MIT */
/* The delivery log, on its way to the database. */
#ifndef WUTS_SRC_SPOOL_JOURNAL_H
#define WUTS_SRC_SPOOL_JOURNAL_H

#include "wuts/queue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct delivery_note;
struct delivery_result;
struct lookup_job;
struct spool;

struct journal {
	struct delivery_note *notes;	/* a ring */
	size_t first, count, cap;
	size_t kept;			/* of them: those that may be told */
	size_t bytes;			/* of the notes in it */
	bool asking;			/* a batch is under way */
	size_t lost;			/* given up and not said yet */
	int64_t said_us;
};

/* What became of an attempt (0: of an event without another one). */
void journal_note(struct spool *spool, const struct queue_record *record,
    unsigned attempt, enum queue_outcome outcome,
    const struct delivery_result *result, int64_t wall_us, int64_t due_us);
/* What was noted so far stands in the queue's files: begin to write it. Not
   earlier, as who reads that an event is dead may have it replayed at once, and
   then its letter must be there. */
void journal_kept(struct spool *spool);
/* A batch was written, or cannot be. */
void journal_answered(struct spool *spool, const struct lookup_job *job);
/* About once a second. */
void journal_tick(struct spool *spool, int64_t mono_us);
/* Nothing is noted any more: wait until all is written, if the database is
   there, but no longer than this. */
void journal_finish(struct spool *spool, int64_t timeout_us);
void journal_deinit(struct journal *journal);

#endif
