/* SPDX-License-Identifier: MIT */
/* The end of records: what became of each is noted, written, synced, and what
   is finished is removed. A record is finished on disk before anything of it is
   removed, and accounted for before that is told. */
#include "config.h"

#include "reader_private.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/mem.h"

#include <errno.h>
#include <unistd.h>

/* --- removing what is finished --- */

static bool
is_finished(const struct queue_reader *reader, const struct queue_segment *seg)
{
	/* A segment that was rewritten must not go before what it was. */
	return seg->scanned && seg->live == 0 && seg->dying == 0 &&
	    seg->pendings.n == 0 && !seg->kept && seg != reader->busy &&
	    reader->superseded.n == 0;
}

/* The segment goes first and for good: without it its log says nothing, while
   a segment without its log would be delivered again. So outcomes that finish
   a segment need not be synced. */
int
queue_finished_remove(struct queue_reader *reader, struct fault *fault)
{
	struct queue_names logs = { NULL, 0, 0 };
	bool removed = false;
	int ret = 0;

	for (size_t i = 0; i < reader->nsegments; ) {
		struct queue_segment *seg = reader->segments[i];

		if (!is_finished(reader, seg)) {
			i++;
			continue;
		}
		queue_accounts_retire(reader->accounts, QUEUE_RETIRE_REMOVED,
		    seg->name, &seg->account);
		if (queue_io.unlinkat(reader->dirs.ready, seg->name, 0) < 0 &&
		    errno != ENOENT) {
			ret = fault_errno(fault, FAULT_QUEUE,
			    "unlink ready/%s", seg->name);
			queue_accounts_retired(reader->accounts, false);
			break;
		}
		queue_accounts_retired(reader->accounts, true);
		removed = true;
		if (seg->outcomes.exists || seg->outcomes.trimmed) {
			logs.name = mem_realloc(logs.name, logs.n + 1,
			    sizeof(*logs.name));
			queue_name_with(logs.name[logs.n++], seg->name,
			    ".log");
		}
		queue_segment_remove(reader, seg);
	}
	if (removed && queue_io.fsync(reader->dirs.ready) < 0)
		ret = fault_errno(fault, FAULT_QUEUE, "sync ready/");
	/* Otherwise the next start finds them to be orphans. */
	for (size_t i = 0; ret == 0 && i < logs.n; i++)
		(void)queue_io.unlinkat(reader->dirs.done, logs.name[i], 0);
	queue_names_deinit(&logs);
	return ret;
}

/* --- accounts --- */

/* What the files hold, if nothing is in memory that they do not tell yet: a
   kill must not take back what was published. */
void
queue_publish(struct queue_reader *reader)
{
	struct queue_account here = { { 0 } };

	if (!reader->is_read)
		return;
	for (size_t i = 0; i < reader->nsegments; i++) {
		const struct queue_segment *seg = reader->segments[i];

		if (seg->lines.len > seg->outcomes.written)
			return;
		for (size_t t = 0; t < QUEUE_TERM_COUNT; t++)
			here.terms[t] += seg->account.terms[t];
	}
	queue_accounts_publish(reader->accounts, reader->tally, &here,
	    reader->counted);
}

/* --- outcomes --- */

static void
note_dying(struct queue_reader *reader, struct queue_segment *seg,
    struct queue_pos pos, unsigned attempts)
{
	if (reader->ndying == reader->dying_cap) {
		reader->dying_cap = reader->dying_cap * 2 + 16;
		reader->dying = mem_realloc(reader->dying, reader->dying_cap,
		    sizeof(*reader->dying));
	}
	reader->dying[reader->ndying++] =
	    (struct queue_dying){ .pos = pos, .attempts = attempts };
	seg->dying++;
}

/* It does not wait any more, or it does, and was tried. */
static void
count_outcome(struct queue_reader *reader, struct queue_segment *seg,
    struct queue_pos pos, uint32_t place, enum queue_outcome outcome)
{
	static const enum queue_total totals[] = {
		[QUEUE_DELIVERED] = QUEUE_TOTAL_DELIVERED,
		[QUEUE_RETRY] = QUEUE_TOTAL_RETRIED,
		[QUEUE_DEAD] = QUEUE_TOTAL_DEAD,
		[QUEUE_DROPPED] = QUEUE_TOTAL_DROPPED,
		[QUEUE_DISCARDED] = QUEUE_TOTAL_DROPPED,
	};
	struct fault fault = { .code = FAULT_NONE };
	struct queue_loaded_item item;
	struct queue_line line;
	struct uuid account;
	bool bad;

	queue_tally_count(reader->tally, totals[outcome], 1);
	if (queue_loaded_take(&reader->loaded, pos, &item)) {
		if (outcome != QUEUE_RETRY)
			queue_tally_add(reader->tally, &item.account, -1,
			    -(int64_t)item.bytes);
		return;
	}
	/* Finished without a look at it. */
	if (outcome == QUEUE_RETRY || queue_segment_line(reader, seg, place,
	    queue_load_view(reader, seg, place), &line, &bad, &fault) < 0)
		return;
	queue_line_bind(&line);
	account = queue_tally_account(&line.record);
	queue_tally_add(reader->tally, &account, -1,
	    -queue_tally_bytes(&line.record));
}

void
queue_reader_finish(struct queue_reader *reader, struct queue_pos pos,
    enum queue_outcome outcome, unsigned attempts, int64_t due_us)
{
	static const enum queue_term terms[] = {
		[QUEUE_DELIVERED] = QUEUE_TERM_DELIVERED,
		[QUEUE_DROPPED] = QUEUE_TERM_DROPPED,
	};
	static const char kinds[] = {
		[QUEUE_DELIVERED] = QUEUE_NOTE_DELIVERED,
		[QUEUE_RETRY] = QUEUE_NOTE_RETRY,
		[QUEUE_DEAD] = QUEUE_NOTE_DEAD,
		[QUEUE_DROPPED] = QUEUE_NOTE_DROPPED,
		[QUEUE_DISCARDED] = QUEUE_NOTE_DISCARDED,
	};
	struct queue_segment *seg = queue_segment_get(reader, pos.segment);
	struct queue_loaded_item dropped;
	uint32_t place;
	bool there;

	/* Under way when the operator had it dropped. */
	if (outcome == QUEUE_RETRY ? queue_loaded_has(&reader->dropped, pos) :
	    queue_loaded_take(&reader->dropped, pos, &dropped))
		return;
	wuts_assert(seg != NULL);
	there = queue_segment_place(seg, pos.offset, &place);
	if (there)
		count_outcome(reader, seg, pos, place, outcome);
	pos.offset = place;
	if (!there && outcome != QUEUE_RETRY)
		queue_accounts_damage(reader->accounts, seg);
	else if (there && (outcome == QUEUE_DELIVERED ||
	    outcome == QUEUE_DROPPED))
		seg->account.terms[terms[outcome]]++;
	else if (outcome == QUEUE_DISCARDED)
		seg->account.terms[QUEUE_TERM_ACCEPTED]--;
	if (there && outcome == QUEUE_DEAD)
		note_dying(reader, seg, pos, attempts);
	else if (there)
		queue_outcome_format(&seg->lines, kinds[outcome], pos.offset,
		    attempts, outcome == QUEUE_RETRY ? due_us : 0);
	if (outcome != QUEUE_RETRY) {
		wuts_assert(seg->live > 0);
		seg->live--;
		seg->quiet_us = clock_mono_us();
	}
}

int
queue_reader_write(struct queue_reader *reader, struct fault *fault)
{
	int ret = 0;

	for (size_t i = 0; i < reader->nsegments; i++) {
		struct queue_segment *seg = reader->segments[i];

		if (seg->lines.len == 0)
			continue;
		if (queue_outcomes_write(&seg->outcomes, reader->dirs.done,
		    seg->name, &seg->lines, fault) < 0)
			ret = -1;
	}
	if (ret == 0)
		queue_publish(reader);
	return ret;
}

int
queue_reader_sync(struct queue_reader *reader, struct fault *fault)
{
	int ret = queue_dead_write(reader, fault);

	for (size_t i = 0; i < reader->nsegments; i++) {
		struct queue_segment *seg = reader->segments[i];

		if (seg->lines.len == 0 || is_finished(reader, seg))
			continue;
		if (queue_outcomes_sync(&seg->outcomes, reader->dirs.done,
		    seg->name, &seg->lines, fault) < 0) {
			ret = -1;
			continue;
		}
		/* Outcomes come in bursts; hundreds of idle buffers add up. */
		strbuf_deinit(&seg->lines);
	}
	if (queue_finished_remove(reader, fault) < 0)
		ret = -1;
	if (ret == 0)
		queue_publish(reader);
	return ret;
}
