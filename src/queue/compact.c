/* SPDX-License-Identifier: MIT */
/* A sealed segment in which a few records wait long holds the disk space of
   all. It is rewritten: what is left goes, byte for byte, into a segment of
   the next generation, with a log of its attempts; that is synced, then named,
   and the name decides: of two generations the later counts, so a crash
   anywhere leaves exactly one of them in force. The older is removed only when
   the name of the later is on the disk. */
#include "config.h"

#include "reader_private.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Deliveries wait meanwhile: bytes to read, and to copy. */
#define SEGMENT_MAX (64 << 20)
#define LEFT_MAX (4 << 20)
#define WORTH_PART 4		/* of a segment, at most that part is left */

/* A record that is left. */
struct left {
	uint32_t offset;	/* in the file as it is */
	uint32_t attempts;
	int64_t due_us;
};

struct rewrite {
	struct queue_segment *seg;
	struct queue_view view;
	struct queue_outcomes noted;
	struct queue_pendings pendings;
	struct left *left;
	size_t nleft;
	size_t cap;
	struct strbuf text;	/* the new segment */
	struct strbuf lines;	/* its log */
	struct queue_moved *moved;
};

static void
rewrite_deinit(struct rewrite *rewrite)
{
	queue_view_deinit(&rewrite->view);
	queue_outcomes_forget(&rewrite->noted);
	free(rewrite->pendings.item);
	free(rewrite->left);
	strbuf_deinit(&rewrite->text);
	strbuf_deinit(&rewrite->lines);
	free(rewrite->moved);
}

/* --- what is left --- */

static void
add_left(struct rewrite *rewrite, uint32_t offset, unsigned attempts,
    int64_t due_us)
{
	if (rewrite->nleft == rewrite->cap) {
		rewrite->cap = rewrite->cap * 2 + 64;
		rewrite->left = mem_realloc(rewrite->left, rewrite->cap,
		    sizeof(*rewrite->left));
	}
	rewrite->left[rewrite->nleft++] =
	    (struct left){ offset, attempts, due_us };
}

/* As take_line() of scan.c, from the log as it is on the disk. */
static void
judge(struct rewrite *rewrite, uint32_t offset, const struct queue_line *line)
{
	const struct queue_noted *noted;
	struct queue_pending pending;

	if (line->kind == QUEUE_LINE_MARK &&
	    queue_pendings_take_id(&rewrite->pendings, &line->record.id,
	    &pending) && line->commit)
		add_left(rewrite, pending.offset, pending.attempts,
		    pending.due_us);
	if (line->kind != QUEUE_LINE_RECORD)
		return;
	noted = queue_outcomes_find(&rewrite->noted, offset);
	if (noted != NULL && queue_outcome_is_final(noted->kind))
		return;
	pending = (struct queue_pending){
		.id = line->record.id,
		.offset = offset,
	};
	if (noted != NULL && noted->kind == QUEUE_NOTE_RETRY) {
		pending.attempts = noted->attempts;
		pending.due_us = noted->due_us;
	}
	if (line->prepared && (noted == NULL || !noted->claimed))
		queue_pendings_add(&rewrite->pendings, &pending);
	else
		add_left(rewrite, offset, pending.attempts, pending.due_us);
}

static int
left_compare(const void *a, const void *b)
{
	const struct left *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int
read_failed(const struct rewrite *rewrite, struct fault *fault)
{
	errno = rewrite->view.error != 0 ? rewrite->view.error : EIO;
	return fault_errno(fault, FAULT_QUEUE, "read segment %s",
	    rewrite->seg->name);
}

/* 1: all of it is known, 0: better leave this one alone, -1. */
static int
find_left(struct queue_reader *reader, struct rewrite *rewrite,
    struct fault *fault)
{
	struct queue_segment *seg = rewrite->seg;
	struct queue_line line;
	uint64_t offset = 0, next;
	enum queue_read got;

	while ((got = queue_view_line(&rewrite->view, offset, seg->size,
	    &line)) != QUEUE_READ_END) {
		if (got == QUEUE_READ_ERROR)
			return read_failed(rewrite, fault);
		if (got == QUEUE_READ_OK) {
			judge(rewrite, (uint32_t)offset, &line);
			offset += line.len;
			continue;
		}
		/* Set aside when it was read first, mostly. */
		next = queue_view_resync(&rewrite->view, offset + 1,
		    seg->size);
		queue_segment_set_aside(reader, seg, offset, next);
		if (seg->kept)
			return 0;
		offset = next;
	}
	if (rewrite->nleft > 0)
		qsort(rewrite->left, rewrite->nleft, sizeof(*rewrite->left),
		    left_compare);
	/* A record whose verdict the log has lost is asked for again at the
	   next start, from here. */
	return rewrite->pendings.n == 0 && rewrite->nleft > 0;
}

/* --- the new segment, in memory --- */

static int
copy_record(struct rewrite *rewrite, size_t i, struct fault *fault)
{
	const struct left *left = &rewrite->left[i];
	const struct queue_segment *seg = rewrite->seg;
	uint32_t to = (uint32_t)rewrite->text.len;
	char mark[QUEUE_MARK_MAX];
	struct queue_line line;

	if (queue_view_line(&rewrite->view, left->offset, seg->size, &line) !=
	    QUEUE_READ_OK)
		return read_failed(rewrite, fault);
	strbuf_append(&rewrite->text, line.text, line.len);
	/* Its mark, or what stands for it: the log is not needed to know that
	   it counts. */
	if (line.prepared)
		strbuf_append(&rewrite->text, mark,
		    queue_mark_format(mark, &line.record.id, true));
	if (left->attempts > 0)
		queue_outcome_format(&rewrite->lines, QUEUE_NOTE_RETRY, to,
		    left->attempts, left->due_us);
	rewrite->moved[i].from = queue_segment_known_as(seg,
	    left->offset);
	rewrite->moved[i].to = to;
	return 0;
}

/* 1, 0: too much is left, -1. */
static int
copy_left(struct rewrite *rewrite, uint64_t min_bytes, struct fault *fault)
{
	uint64_t size = rewrite->seg->size;

	rewrite->moved = mem_calloc(rewrite->nleft, sizeof(*rewrite->moved));
	for (size_t i = 0; i < rewrite->nleft; i++) {
		if (copy_record(rewrite, i, fault) < 0)
			return -1;
		if (rewrite->text.len > size / WORTH_PART ||
		    rewrite->text.len > LEFT_MAX ||
		    size - rewrite->text.len < min_bytes)
			return 0;
	}
	strbuf_append_char(&rewrite->text, '\n');
	return 1;
}

/* --- on the disk --- */

static int
write_text(const struct queue_reader *reader, const struct strbuf *text,
    const char *new_name, struct fault *fault)
{
	int fd, ret = 0;

	fd = openat(reader->dirs.ready, new_name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return fault_errno(fault, FAULT_QUEUE, "create ready/%s",
		    new_name);
	if (queue_write_at(fd, text->data, text->len, 0) < 0 ||
	    queue_io.fdatasync(fd) < 0)
		ret = fault_errno(fault, FAULT_QUEUE, "write ready/%s",
		    new_name);
	close(fd);
	return ret;
}

static void
unlink_all(const struct queue_reader *reader, const char *name,
    const char *new_name)
{
	char log[QUEUE_NAME_MAX];

	/* A rename that failed may have been done all the same. */
	queue_name_with(log, name, ".log");
	(void)queue_io.unlinkat(reader->dirs.ready, new_name, 0);
	(void)queue_io.unlinkat(reader->dirs.ready, name, 0);
	(void)queue_io.unlinkat(reader->dirs.done, log, 0);
}

/* Log first: without it the new segment would forget attempts. One that an
   attempt left that failed would tell of other offsets. */
static int
write_log(const struct queue_reader *reader, const struct strbuf *lines,
    const char *name, struct queue_outcomes *outcomes_r, struct fault *fault)
{
	char log[QUEUE_NAME_MAX];

	*outcomes_r = (struct queue_outcomes){ .noted = NULL };
	if (lines->len > 0)
		return queue_outcomes_sync(outcomes_r, reader->dirs.done,
		    name, lines, fault);
	queue_name_with(log, name, ".log");
	if (queue_io.unlinkat(reader->dirs.done, log, 0) < 0 &&
	    errno != ENOENT)
		return fault_errno(fault, FAULT_QUEUE, "unlink done/%s", log);
	return 0;
}

static int
put_in_place(struct queue_reader *reader, struct rewrite *rewrite,
    struct fault *fault)
{
	struct queue_segment *seg = rewrite->seg;
	struct queue_outcomes outcomes;
	char name[QUEUE_NAME_MAX], new_name[QUEUE_NAME_MAX + 8];
	struct queue_account gone = seg->account;
	uint64_t before = seg->size;

	queue_name_next(name, seg->name);
	snprintf(new_name, sizeof(new_name), ".new-%s", name);
	if (write_log(reader, &rewrite->lines, name, &outcomes, fault) < 0 ||
	    write_text(reader, &rewrite->text, new_name, fault) < 0) {
		unlink_all(reader, name, new_name);
		return -1;
	}
	gone.terms[QUEUE_TERM_ACCEPTED] -= seg->live;
	queue_accounts_retire(reader->accounts, QUEUE_RETIRE_REWRITTEN, name,
	    &gone);
	if (queue_io.renameat(reader->dirs.ready, new_name,
	    reader->dirs.ready, name) < 0) {
		fault_errno(fault, FAULT_QUEUE, "rename ready/%s", new_name);
		unlink_all(reader, name, new_name);
		queue_accounts_retired(reader->accounts, false);
		return -1;
	}
	queue_accounts_retired(reader->accounts, true);
	seg->account = (struct queue_account){
		.terms[QUEUE_TERM_ACCEPTED] = seg->live,
	};
	queue_names_add(&reader->superseded, seg->name);
	log_info("queue segment=%s rewritten as %s, %" PRIu64 " bytes of %"
	    PRIu64 " are left, %zu records", seg->name, name,
	    (uint64_t)rewrite->text.len, before, rewrite->nleft);
	queue_segment_rewritten(reader, seg, name, rewrite->text.len,
	    rewrite->moved, rewrite->nleft);
	rewrite->moved = NULL;
	seg->outcomes = outcomes;
	return 0;
}

/* 1, 0: this one is not worth it now, -1. */
static int
compact(struct queue_reader *reader, struct queue_segment *seg,
    uint64_t min_bytes, struct fault *fault)
{
	struct rewrite rewrite = { .seg = seg };
	int fd, ret;

	queue_view_init(&rewrite.view);
	fd = queue_segment_fd(reader, seg);
	if (fd < 0)
		return fault_errno(fault, FAULT_QUEUE, "open segment %s",
		    seg->name);
	if (queue_outcomes_load(&rewrite.noted, reader->dirs.done, seg->name,
	    fault) < 0)
		return -1;
	queue_view_start(&rewrite.view, fd, seg->number);
	ret = find_left(reader, &rewrite, fault);
	if (ret > 0)
		ret = copy_left(&rewrite, min_bytes, fault);
	if (ret > 0 && put_in_place(reader, &rewrite, fault) < 0)
		ret = -1;
	if (ret == 0)
		seg->not_below = seg->live;
	rewrite_deinit(&rewrite);
	return ret;
}

/* By the number of records, as their sizes are not known here. */
static bool
is_worth(const struct queue_segment *seg, int64_t quiet_since_us,
    uint64_t min_bytes)
{
	return seg->scanned && seg->live > 0 && seg->dying == 0 &&
	    seg->pendings.n == 0 && seg->lines.len == 0 && !seg->kept &&
	    (uint64_t)seg->live * WORTH_PART < seg->records &&
	    (seg->not_below == 0 || seg->live < seg->not_below) &&
	    seg->size >= min_bytes && seg->size <= SEGMENT_MAX &&
	    seg->quiet_us <= quiet_since_us;
}

int
queue_reader_compact(struct queue_reader *reader, int64_t quiet_us,
    uint64_t min_bytes, struct fault *fault)
{
	int64_t now_us = clock_mono_us();

	for (size_t i = 0; i < reader->nsegments; i++) {
		struct queue_segment *seg = reader->segments[i];
		int ret;

		if (!is_worth(seg, now_us - quiet_us, min_bytes))
			continue;
		seg->quiet_us = now_us;
		ret = compact(reader, seg, min_bytes, fault);
		if (ret > 0 && queue_superseded_remove(reader, fault) < 0)
			ret = -1;
		return ret;
	}
	return 0;
}

int
queue_superseded_remove(struct queue_reader *reader, struct fault *fault)
{
	struct queue_names *old = &reader->superseded;

	if (old->n == 0)
		return 0;
	if (queue_io.fsync(reader->dirs.ready) < 0)
		return fault_errno(fault, FAULT_QUEUE, "sync ready/");
	for (size_t i = 0; i < old->n; i++)
		if (queue_io.unlinkat(reader->dirs.ready, old->name[i], 0) <
		    0 && errno != ENOENT)
			return fault_errno(fault, FAULT_QUEUE,
			    "unlink ready/%s", old->name[i]);
	if (queue_io.fsync(reader->dirs.ready) < 0)
		return fault_errno(fault, FAULT_QUEUE, "sync ready/");
	/* Otherwise the next start finds them to be orphans. */
	for (size_t i = 0; i < old->n; i++) {
		char log[QUEUE_NAME_MAX];

		queue_name_with(log, old->name[i], ".log");
		(void)queue_io.unlinkat(reader->dirs.done, log, 0);
	}
	old->n = 0;
	return 0;
}
