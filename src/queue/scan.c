/* SPDX-License-Identifier: MIT */
/* Reading on in a segment. While its writer lives, an append counts when all
   its records hold and the line behind it says that the sync succeeded;
   anything else means "wait". In a sealed segment every line is judged alone:
   what does not hold is set aside, and the next line that does goes on. */
#include "config.h"

#include "reader_private.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static void
call_record(struct queue_reader *reader, struct queue_segment *seg,
    const struct queue_pending *pending, struct queue_line *line,
    bool counts)
{
	struct queue_pos pos = { seg->number, pending->offset };
	/* The view's buffer is ours: end the body for callers that want a
	   string, then put its newline back. */
	char *end = (char *)(uintptr_t)line->text + line->len - 1;

	struct uuid account;

	seg->live++;
	seg->account.terms[QUEUE_TERM_ACCEPTED]++;
	queue_line_bind(line);
	account = queue_tally_account(&line->record);
	if (counts)
		queue_tally_add(reader->tally, &account, 1,
		    queue_tally_bytes(&line->record));
	*end = '\0';
	reader->events.record(reader->events.ctx, pos, &line->record,
	    pending->attempts, pending->due_us);
	*end = '\n';
}

void
queue_scan_committed(struct queue_reader *reader, struct queue_segment *seg,
    const struct queue_pending *pending, bool counts)
{
	struct fault fault = { .code = FAULT_NONE };
	struct queue_line line;
	bool bad;

	if (queue_segment_line(reader, seg, pending->offset,
	    &reader->mark_view, &line, &bad, &fault) < 0) {
		log_error("queue %s", fault.text);
		/* Damaged since: copied as far as its header tells. An error of
		   the disk keeps the segment for the next start. */
		if (bad)
			queue_segment_set_aside(reader, seg, pending->offset,
			    queue_view_resync(&reader->mark_view,
			    (uint64_t)pending->offset + 1, seg->size));
		else
			seg->kept = true;
		return;
	}
	call_record(reader, seg, pending, &line, counts);
}

/* Finished in an earlier run. A record that was undone has never counted. */
static void
account_finished(struct queue_segment *seg, char kind)
{
	enum queue_term term;

	switch (kind) {
	case QUEUE_NOTE_DELIVERED:
		term = QUEUE_TERM_DELIVERED;
		break;
	case QUEUE_NOTE_DEAD:
		term = QUEUE_TERM_DEAD;
		break;
	case QUEUE_NOTE_DROPPED:
		term = QUEUE_TERM_DROPPED;
		break;
	default:
		return;
	}
	seg->account.terms[QUEUE_TERM_ACCEPTED]++;
	seg->account.terms[term]++;
}

static void
take_record(struct queue_reader *reader, struct queue_segment *seg,
    uint32_t offset, struct queue_line *line)
{
	const struct queue_noted *noted;
	struct queue_pending pending;

	seg->records++;
	noted = queue_outcomes_find(&seg->outcomes, offset);
	if (noted != NULL && queue_outcome_is_final(noted->kind)) {
		account_finished(seg, noted->kind);
		return;
	}
	pending = (struct queue_pending){
		.id = line->record.id,
		.created_us = line->record.created_us,
		.offset = offset,
	};
	if (noted != NULL && noted->kind == QUEUE_NOTE_RETRY) {
		pending.attempts = noted->attempts;
		pending.due_us = noted->due_us;
	}
	if (line->prepared && (noted == NULL || !noted->claimed))
		queue_pendings_add(&seg->pendings, &pending);
	else
		call_record(reader, seg, &pending, line,
		    offset < seg->tally_end);
}

static void
take_line(struct queue_reader *reader, struct queue_segment *seg,
    uint64_t offset, struct queue_line *line)
{
	struct queue_pending pending;

	switch (line->kind) {
	case QUEUE_LINE_RECORD:
		take_record(reader, seg, (uint32_t)offset, line);
		break;
	case QUEUE_LINE_MARK:
		/* None: it was finished in an earlier run. */
		if (queue_pendings_take_id(&seg->pendings, &line->record.id,
		    &pending) && line->commit)
			queue_scan_committed(reader, seg, &pending,
			    offset < seg->tally_end);
		break;
	case QUEUE_LINE_EMPTY:
		break;
	}
}

static int
view_failed(const struct queue_view *view, const struct queue_segment *seg,
    uint64_t offset, struct fault *fault)
{
	errno = view->error;
	return fault_errno(fault, FAULT_QUEUE, "read segment %s at %" PRIu64,
	    seg->name, offset);
}

/* All of one append. It was checked whole before. */
static int
take_batch(struct queue_reader *reader, struct queue_segment *seg,
    uint64_t end, size_t *budget, struct fault *fault)
{
	struct queue_view *view = &reader->scan_view;
	struct queue_line line;

	while (seg->scan_off < end) {
		uint64_t offset = seg->scan_off;

		if (queue_view_line(view, offset, seg->size, &line) !=
		    QUEUE_READ_OK) {
			if (view->error == 0)
				view->error = EIO;
			return view_failed(view, seg, offset, fault);
		}
		seg->scan_off += line.len;
		take_line(reader, seg, offset, &line);
		if (*budget > 0)
			--*budget;
	}
	return 0;
}

static int
scan_open(struct queue_reader *reader, struct queue_segment *seg,
    size_t *budget, struct fault *fault)
{
	struct queue_view *view = &reader->scan_view;
	struct queue_line line;
	enum queue_read got;

	while (*budget > 0) {
		uint64_t offset = seg->scan_off, end;

		got = queue_view_line(view, offset, seg->size, &line);
		if (got == QUEUE_READ_OK && line.kind != QUEUE_LINE_RECORD) {
			seg->scan_off += line.len;
			take_line(reader, seg, offset, &line);
			continue;
		}
		if (got == QUEUE_READ_OK)
			got = queue_view_batch(view, offset, seg->size, &end);
		if (got == QUEUE_READ_ERROR)
			return view_failed(view, seg, offset, fault);
		if (got != QUEUE_READ_OK ||
		    !queue_view_is_written(view, end, seg->size)) {
			seg->dirty = false;
			return 0;
		}
		if (take_batch(reader, seg, end, budget, fault) < 0)
			return -1;
	}
	return 0;
}

/* Ask once a run; the answer may come at once, from inside the call. */
static void
ask_unresolved(struct queue_reader *reader, struct queue_segment *seg)
{
	for (size_t i = 0; i < seg->pendings.n; i++) {
		struct queue_pending *pending = &seg->pendings.item[i];
		struct queue_pos pos = { seg->number, pending->offset };
		struct queue_pending copy;

		if (pending->asked)
			continue;
		pending->asked = true;
		copy = *pending;
		reader->events.unresolved(reader->events.ctx, pos, &copy.id,
		    copy.created_us);
		i = (size_t)-1;
	}
}

static int
scan_sealed(struct queue_reader *reader, struct queue_segment *seg,
    size_t *budget, struct fault *fault)
{
	struct queue_view *view = &reader->scan_view;
	struct queue_line line;
	uint64_t next;

	while (*budget > 0) {
		uint64_t offset = seg->scan_off;

		switch (queue_view_line(view, offset, seg->size, &line)) {
		case QUEUE_READ_OK:
			seg->scan_off += line.len;
			take_line(reader, seg, offset, &line);
			if (line.kind != QUEUE_LINE_EMPTY)
				--*budget;
			break;
		case QUEUE_READ_END:
			seg->scanned = true;
			seg->dirty = false;
			seg->quiet_us = clock_mono_us();
			queue_outcomes_forget(&seg->outcomes);
			ask_unresolved(reader, seg);
			return 0;
		case QUEUE_READ_ERROR:
			return view_failed(view, seg, offset, fault);
		case QUEUE_READ_ZERO:
		case QUEUE_READ_SHORT:
		case QUEUE_READ_BAD:
			next = queue_view_resync(view, offset + 1, seg->size);
			queue_segment_set_aside(reader, seg, offset, next);
			seg->scan_off = next;
			--*budget;
			break;
		}
	}
	return 0;
}

int
queue_scan_segment(struct queue_reader *reader, struct queue_segment *seg,
    size_t *budget, struct fault *fault)
{
	int fd, ret;

	fd = queue_segment_fd(reader, seg);
	if (fd < 0 && errno == ENOENT && seg->scan_off == 0) {
		/* Its writer removed it, empty. */
		queue_segment_remove(reader, seg);
		return 0;
	}
	if (fd < 0)
		return fault_errno(fault, FAULT_QUEUE, "open segment %s",
		    seg->name);
	if (!seg->started) {
		if (queue_outcomes_load(&seg->outcomes, reader->dirs.done,
		    seg->name, fault) < 0)
			return -1;
		seg->started = true;
	}
	reader->busy = seg;
	queue_view_start(&reader->scan_view, fd, seg->number);
	if (seg->sealed)
		ret = scan_sealed(reader, seg, budget, fault);
	else
		ret = scan_open(reader, seg, budget, fault);
	reader->busy = NULL;
	if (ret == 0)
		seg->failed = false;
	return ret;
}
