/* SPDX-License-Identifier: MIT */
/* Records that can be told from invented ones, a reader that remembers what it
   was given, and a queue_io that fails or ends the process at a chosen call.
   Record number n has n in its id and a body, event and time that follow from
   n, so whatever arrives is checked whole. */
#ifndef WUTS_TEST_QUEUE_HARNESS_H
#define WUTS_TEST_QUEUE_HARNESS_H

#include "wuts/queue.h"

#include "../base/scratch.h"

#define BODY_MAX 400

struct got {
	unsigned n;
	struct queue_pos pos;
	unsigned attempts;
	int64_t due_us;
};

/* What a reader reported. */
struct sink {
	struct got *got;
	size_t ngot;
	size_t cap;
	struct got asked[512];		/* unresolved */
	size_t nasked;
	struct queue_reader *reader;
};

/* cmocka set-up and tear-down: a scratch directory, the log in it, queue_io
   as it should be. Tear-down fails when an error was logged that
   harness_expect_errors() did not announce. */
int harness_setup(void **state);
int harness_teardown(void **state);
void harness_expect_errors(void);
/* How often text is in the log so far. */
unsigned harness_logged(void *const *state, const char *text);

/* The queue's directory, or a file in it; returns buf. */
char *queue_path(void *const *state, const char *name,
    char buf[SCRATCH_PATH_SIZE]);
/* Files in a directory of the queue, dot files included. */
unsigned count_files(void *const *state, const char *dir);
/* The path of the only file there; returns buf. */
char *only_file(void *const *state, const char *dir,
    char buf[SCRATCH_PATH_SIZE]);

struct uuid record_id(unsigned n);
/* body holds BODY_MAX bytes and lives as long as the record. */
void record_make(struct queue_record *record_r, unsigned n,
    char body[BODY_MAX]);

struct queue_writer *writer_open(void *const *state, size_t segment_bytes);
/* Append records from .. from + count - 1 at once; must succeed. */
void append(struct queue_writer *writer, unsigned from, unsigned count);
void prepare(struct queue_writer *writer, unsigned n);

void sink_open(struct sink *sink, void *const *state);
/* Adopt and read until nothing is left. */
void sink_drain(struct sink *sink);
unsigned sink_has(const struct sink *sink, unsigned n);	/* how often */
const struct got *sink_get(const struct sink *sink, unsigned n);
void sink_finish(struct sink *sink, unsigned n, enum queue_outcome outcome);
void sink_sync(struct sink *sink);
void sink_close(struct sink *sink);

/* The call'th call of queue_io from now on, of those that name says ("*":
   any): ends the process with exit code CRASHED, a write after half of its
   bytes; or, with an errno, fails, and so do all that follow. */
#define CRASHED 77
void io_crash_at(unsigned call);
void io_fail_at(const char *name, unsigned call, int error);
void io_reset(void);
/* Leave out the syncs until the test ends: for thousands of cases that no power
   cut is part of. */
void io_skip_syncs(void);
/* Has a failure happened? */
bool io_has_failed(void);

#endif
