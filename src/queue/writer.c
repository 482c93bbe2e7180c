/* SPDX-License-Identifier: MIT */
/* The writing side. Owns the segments this process has open, at most one of
   them being filled; the others wait for the marks of their prepared records.
   An append is one pwrite and one fdatasync; then an empty line tells a reader
   beside us that the sync succeeded, so nothing is ever delivered that the
   caller was refused. A write or sync that failed ends the segment: it is cut
   back and let go, never tried again. */
#include "config.h"

#include "queue_private.h"
#include "writer_private.h"

#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEEP_BUFFER (1 << 20)
#define CHECK_BYTES (64 << 10)	/* room that /readyz asks for */

int
queue_writer_open(struct queue_writer **writer_r, const char *dir,
    const struct queue_limits *limits, struct fault *fault)
{
	struct queue_writer *writer;
	uint32_t salt;

	*writer_r = NULL;
	writer = mem_calloc(1, sizeof(*writer));
	if (queue_dirs_open(&writer->dirs, dir, true, fault) < 0) {
		free(writer);
		return -1;
	}
	if (queue_tally_open(&writer->tally, writer->dirs.root, fault) < 0) {
		queue_dirs_close(&writer->dirs);
		free(writer);
		return -1;
	}
	writer->limits = *limits;
	crypto_random(&salt, sizeof(salt));
	/* The start comes first, so that names sort by age. */
	snprintf(writer->stem, sizeof(writer->stem),
	    "%014" PRIx64 ".%06x.%08" PRIx32, (uint64_t)clock_wall_us(),
	    (unsigned)getpid() & 0xffffff, salt);
	*writer_r = writer;
	return 0;
}

static void
forget_unmarked(struct queue_writer *writer, const struct writer_segment *seg)
{
	size_t kept = 0;

	for (size_t i = 0; i < writer->nunmarked; i++)
		if (writer->unmarked[i].segment != seg)
			writer->unmarked[kept++] = writer->unmarked[i];
	writer->nunmarked = kept;
}

static void
unlink_from_list(struct queue_writer *writer, struct writer_segment *seg)
{
	struct writer_segment **at = &writer->waiting;

	if (writer->current == seg) {
		writer->current = NULL;
		return;
	}
	while (*at != NULL && *at != seg)
		at = &(*at)->next;
	if (*at == seg)
		*at = seg->next;
}

/* Out of our hands, as it is: the reader finds it unlocked. */
static void
segment_let_go(struct queue_writer *writer, struct writer_segment *seg)
{
	forget_unmarked(writer, seg);
	unlink_from_list(writer, seg);
	queue_writer_segment_close(&seg);
}

/* An append failed halfway: take back what may have got there. The sync after
   it is best effort; that the caller was told "no" does not depend on it
   unless power fails as well. */
static void
segment_give_up(struct queue_writer *writer, struct writer_segment *seg,
    size_t len)
{
	log_warn("queue segment=%s abandoned at offset %" PRIu64,
	    seg->name, seg->used);
	if (queue_io.ftruncate(seg->fd, (off_t)seg->used) < 0) {
		char *zeros = mem_calloc(len, 1);

		if (queue_write_at(seg->fd, zeros, len, seg->used) < 0)
			log_error("queue segment=%s a failed append of %zu "
			    "bytes could not be taken back: %s", seg->name,
			    len, strerror(errno));
		free(zeros);
	}
	(void)queue_io.fdatasync(seg->fd);
	segment_let_go(writer, seg);
}

static void
segment_finish(struct queue_writer *writer, struct writer_segment *seg)
{
	forget_unmarked(writer, seg);
	unlink_from_list(writer, seg);
	queue_writer_segment_seal(writer, &seg);
}

static bool
has_room(const struct writer_segment *seg, uint64_t len)
{
	uint64_t marks = (uint64_t)seg->unmarked * QUEUE_MARK_MAX;

	return seg->used + len + marks <= seg->size;
}

/* A segment with room for len bytes. One that is full is sealed, or waits
   beside the new one until its prepared records have their marks. */
static struct writer_segment *
segment_for(struct queue_writer *writer, uint64_t len, struct fault *fault)
{
	struct writer_segment *seg = writer->current;

	if (seg != NULL && has_room(seg, len))
		return seg;
	if (seg != NULL && seg->unmarked == 0) {
		segment_finish(writer, seg);
	} else if (seg != NULL) {
		seg->next = writer->waiting;
		writer->waiting = seg;
		writer->current = NULL;
	}
	if (queue_writer_segment_new(writer, len, &writer->current, fault) < 0)
		return NULL;
	return writer->current;
}

/* What is in the buffer goes to disk, with room for marks more marks. */
static struct writer_segment *
append_synced(struct queue_writer *writer, const char *data, size_t len,
    unsigned marks, struct fault *fault)
{
	struct writer_segment *seg;

	seg = segment_for(writer, len + 1 +
	    (uint64_t)marks * QUEUE_MARK_MAX, fault);
	if (seg == NULL)
		return NULL;
	queue_writer_segment_zero(seg, len + 1);
	if (queue_write_at(seg->fd, data, len, seg->used) < 0 ||
	    queue_io.fdatasync(seg->fd) < 0) {
		bool full = errno == ENOSPC || errno == EDQUOT;

		fault_errno(fault, full ? FAULT_QUEUE_FULL : FAULT_QUEUE,
		    "append to queue segment %s", seg->name);
		fault->retry_after_s = full ? QUEUE_FULL_RETRY_S : 0;
		segment_give_up(writer, seg, len);
		return NULL;
	}
	seg->used += len;
	return seg;
}

/* Durable already; now visible. If that fails, the reader sees it when it
   finds the segment let go. */
static void
append_show(struct queue_writer *writer, struct writer_segment *seg)
{
	if (queue_write_at(seg->fd, "\n", 1, seg->used) < 0) {
		log_warn("queue segment=%s write: %s", seg->name,
		    strerror(errno));
		segment_let_go(writer, seg);
		return;
	}
	seg->used++;
}

/* All records as text in the writer's buffer. */
static int
format_all(struct queue_writer *writer, const struct queue_record *records,
    size_t n, bool prepared, size_t *len_r, struct fault *fault)
{
	size_t size = 0, len = 0;

	for (size_t i = 0; i < n; i++) {
		if (queue_record_check(&records[i], fault) < 0)
			return -1;
		size += QUEUE_HEADER_MAX + records[i].body_len + 1;
		if (size > QUEUE_APPEND_MAX)
			return fault_set(fault, FAULT_QUEUE,
			    "append: more than %u bytes", QUEUE_APPEND_MAX);
	}
	if (writer->cap < size ||
	    (writer->cap > KEEP_BUFFER && size <= KEEP_BUFFER)) {
		free(writer->buf);
		writer->cap = size > KEEP_BUFFER ? size : KEEP_BUFFER;
		writer->buf = mem_calloc(writer->cap, 1);
	}
	for (size_t i = 0; i < n; i++)
		len += queue_record_format(writer->buf + len, &records[i],
		    prepared, (unsigned)(n - 1 - i));
	*len_r = len;
	return 0;
}

/* Those counted for the same that follow each other: in practice all, or all
   before the callbacks and all of these. */
static size_t
same_account(const struct queue_record *records, size_t n,
    struct uuid *account_r, int64_t *bytes_r)
{
	struct uuid account;
	size_t i = 0;

	*account_r = queue_tally_account(&records[0]);
	*bytes_r = 0;
	for (; i < n; i++) {
		account = queue_tally_account(&records[i]);
		if (!uuid_is_equal(&account, account_r))
			break;
		*bytes_r += queue_tally_bytes(&records[i]);
	}
	return i;
}

static int
check_tally(struct queue_writer *writer, const struct queue_record *records,
    size_t n, struct fault *fault)
{
	const struct queue_limits *limits = &writer->limits;
	const char *why = queue_tally_over(writer->tally, limits, NULL, n, 0);
	struct uuid account;
	int64_t bytes;

	for (size_t i = 0; why == NULL && i < n; ) {
		size_t run = same_account(records + i, n - i, &account,
		    &bytes);

		why = queue_tally_over(writer->tally, limits, &records[i],
		    run, (uint64_t)bytes);
		i += run;
	}
	return why != NULL ? queue_writer_full(fault, why) : 0;
}

static void
count_appended(struct queue_writer *writer,
    const struct queue_record *records, size_t n)
{
	struct uuid account;
	int64_t bytes;

	queue_tally_count(writer->tally, QUEUE_TOTAL_ACCEPTED, n);
	for (size_t i = 0; i < n; ) {
		size_t run = same_account(records + i, n - i, &account,
		    &bytes);

		queue_tally_add(writer->tally, &account, (int64_t)run, bytes);
		i += run;
	}
}

int
queue_append(struct queue_writer *writer, const struct queue_record *records,
    size_t n, struct fault *fault)
{
	struct writer_segment *seg;
	size_t len;

	if (n == 0 || n > QUEUE_BATCH_MAX)
		return fault_set(fault, FAULT_QUEUE,
		    "append of %zu records", n);
	if (format_all(writer, records, n, false, &len, fault) < 0 ||
	    check_tally(writer, records, n, fault) < 0)
		return -1;
	seg = append_synced(writer, writer->buf, len, 0, fault);
	if (seg == NULL)
		return -1;
	/* Counted first: what a reader sees and nobody has counted is of a
	   writer that was killed. */
	count_appended(writer, records, n);
	append_show(writer, seg);
	return 0;
}

int
queue_prepare(struct queue_writer *writer, const struct queue_record *record,
    struct fault *fault)
{
	struct writer_segment *seg;
	size_t len;

	if (format_all(writer, record, 1, true, &len, fault) < 0)
		return -1;
	seg = append_synced(writer, writer->buf, len, 1, fault);
	if (seg == NULL)
		return -1;
	if (writer->nunmarked == writer->unmarked_cap) {
		writer->unmarked_cap = writer->unmarked_cap * 2 + 8;
		writer->unmarked = mem_realloc(writer->unmarked,
		    writer->unmarked_cap, sizeof(*writer->unmarked));
	}
	writer->unmarked[writer->nunmarked++] =
	    (struct unmarked){ record->id, queue_tally_account(record),
	    queue_tally_bytes(record), seg };
	seg->unmarked++;
	append_show(writer, seg);
	return 0;
}

static void
mark(struct queue_writer *writer, const struct uuid *id, bool commit)
{
	struct writer_segment *seg = NULL;
	struct unmarked unmarked = { .segment = NULL };
	char text[QUEUE_MARK_MAX];
	size_t len;

	for (size_t i = writer->nunmarked; i > 0 && seg == NULL; i--) {
		if (!uuid_is_equal(&writer->unmarked[i - 1].id, id))
			continue;
		unmarked = writer->unmarked[i - 1];
		seg = unmarked.segment;
		writer->unmarked[i - 1] =
		    writer->unmarked[--writer->nunmarked];
	}
	if (seg == NULL)
		return;		/* abandoned meanwhile: decided by claim */
	seg->unmarked--;
	if (commit) {
		queue_tally_count(writer->tally, QUEUE_TOTAL_ACCEPTED, 1);
		queue_tally_add(writer->tally, &unmarked.account, 1,
		    unmarked.bytes);
	}
	len = queue_mark_format(text, id, commit);
	if (queue_write_at(seg->fd, text, len, seg->used) < 0) {
		log_warn("queue segment=%s mark: %s", seg->name,
		    strerror(errno));
		segment_let_go(writer, seg);
		return;
	}
	seg->used += len;
	if (seg != writer->current && seg->unmarked == 0)
		segment_finish(writer, seg);
}

void
queue_commit(struct queue_writer *writer, const struct uuid *id)
{
	mark(writer, id, true);
}

void
queue_discard(struct queue_writer *writer, const struct uuid *id)
{
	mark(writer, id, false);
}

void
queue_abandon(struct queue_writer *writer)
{
	while (writer->waiting != NULL)
		segment_let_go(writer, writer->waiting);
	if (writer->current != NULL)
		segment_let_go(writer, writer->current);
}

int
queue_writer_check(struct queue_writer *writer, struct fault *fault)
{
	const char *why = queue_tally_over(writer->tally, &writer->limits,
	    NULL, 1, 0);
	uint64_t size;

	if (why != NULL)
		return queue_writer_full(fault, why);
	if (writer->current != NULL && has_room(writer->current, CHECK_BYTES))
		return 0;
	return queue_writer_limits(writer, CHECK_BYTES, &size, fault);
}

uint64_t
queue_writer_waiting(const struct queue_writer *writer,
    const struct uuid *tenant_id, bool callbacks)
{
	const struct queue_record one = {
		.tenant_id = *tenant_id,
		.event = callbacks ? QUEUE_CALLBACK_PREFIX : "",
	};
	struct uuid account = queue_tally_account(&one);

	return queue_tally_waiting(writer->tally, &account);
}

void
queue_writer_close(struct queue_writer **writerp)
{
	struct queue_writer *writer = *writerp;

	*writerp = NULL;
	if (writer == NULL)
		return;
	/* Sealed with records unmarked: the reader claims those. */
	while (writer->waiting != NULL)
		segment_finish(writer, writer->waiting);
	if (writer->current != NULL)
		segment_finish(writer, writer->current);
	queue_dirs_close(&writer->dirs);
	queue_tally_close(&writer->tally);
	free(writer->unmarked);
	free(writer->buf);
	free(writer);
}
