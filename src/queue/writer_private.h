/* SPDX-License-Identifier: MIT */
/* What the two files of the writing side share: the writer, and the life of a
   segment in its hands (writer_segment.c). */
#ifndef WUTS_QUEUE_WRITER_PRIVATE_H
#define WUTS_QUEUE_WRITER_PRIVATE_H

#include "queue_private.h"

struct writer_segment {
	struct writer_segment *next;
	int fd;			/* holds the lock */
	uint64_t size;		/* preallocated */
	uint64_t used;
	uint64_t zeroed;	/* up to here the blocks are written */
	unsigned unmarked;	/* prepared records without a mark */
	char name[QUEUE_NAME_MAX];
};

struct unmarked {
	struct uuid id;
	struct uuid account;	/* in the tally */
	int64_t bytes;		/* in the tally */
	struct writer_segment *segment;
};

struct queue_writer {
	struct queue_dirs dirs;
	struct queue_limits limits;
	struct queue_tally *tally;
	char stem[QUEUE_NAME_MAX - 16];
	unsigned seq;
	struct writer_segment *current;
	struct writer_segment *waiting;	/* full, with records unmarked */
	struct unmarked *unmarked;
	size_t nunmarked;
	size_t unmarked_cap;
	char *buf;
	size_t cap;
	uint64_t measured;	/* bytes of all segments, when last looked */
	int64_t measured_us;	/* monotonic; 0: look again */
};

/* May a segment with room for need bytes be made? *size_r is how large.
   -1: FAULT_QUEUE_FULL, or FAULT_QUEUE. */
int queue_writer_limits(struct queue_writer *writer, uint64_t need,
    uint64_t *size_r, struct fault *fault);
/* A limit of whatever kind is reached. -1. */
int queue_writer_full(struct fault *fault, const char *why);
/* A new one in open/, locked, allocated, its name on the disk. */
int queue_writer_segment_new(struct queue_writer *writer, uint64_t need,
    struct writer_segment **seg_r, struct fault *fault);
/* Have the blocks for the next len bytes written. */
void queue_writer_segment_zero(struct writer_segment *seg, size_t len);
/* Cut to what is used, move to ready/, free. Where that fails it stays in
   open/ unlocked, for the reader to do it. An empty one is removed. */
void queue_writer_segment_seal(struct queue_writer *writer,
    struct writer_segment **segp);
/* Unlock and free. */
void queue_writer_segment_close(struct writer_segment **segp);

#endif
