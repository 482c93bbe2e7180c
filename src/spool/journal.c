/* SPDX-License-Identifier: MIT */
/* The delivery log: what became of each attempt, for whoever owns the webhook.
   Noted in memory when the outcome is, and written when that is on disk, by the
   look-up thread, a batch at a time and after its questions, so no delivery
   ever waits for it. It is a report, not a record of truth: that is the queue.
   While the database is away or too slow notes wait within a bound, beyond
   which the oldest are given up and counted in the log. */
#include "config.h"

#include "journal.h"

#include "delivery.h"
#include "directory.h"
#include "lookup.h"
#include "spool_private.h"

#include "wuts/callback.h"
#include "wuts/clock.h"
#include "wuts/delivery_store.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/queue.h"
#include "wuts/settings.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 1024
#define BYTES_MAX ((size_t)16 << 20)
#define SAY_LOST_US (10 * CLOCK_SECOND_US)

static size_t
size_of(const struct delivery_note *note)
{
	return sizeof(*note) +
	    (note->answer != NULL ? strlen(note->answer) + 1 : 0);
}

static struct delivery_note *
note_at(const struct journal *journal, size_t i)
{
	return &journal->notes[(journal->first + i) % journal->cap];
}

static void
grow(struct journal *journal)
{
	size_t cap = journal->cap * 2 + BATCH;
	struct delivery_note *notes = mem_calloc(cap, sizeof(*notes));

	for (size_t i = 0; i < journal->count; i++)
		notes[i] = *note_at(journal, i);
	free(journal->notes);
	journal->notes = notes;
	journal->first = 0;
	journal->cap = cap;
}

static struct delivery_note
take_first(struct journal *journal)
{
	struct delivery_note note = *note_at(journal, 0);

	journal->first = (journal->first + 1) % journal->cap;
	journal->count--;
	if (journal->kept > 0)
		journal->kept--;
	journal->bytes -= size_of(&note);
	return note;
}

/* Make room for one more by giving up the oldest. */
static void
give_up(struct journal *journal, size_t size)
{
	while (journal->count > 0 && journal->bytes + size > BYTES_MAX) {
		struct delivery_note note = take_first(journal);

		free(note.answer);
		journal->lost++;
	}
}

/* The next batch, when none is under way. While the database is away the one
   that is under way is asked again like all that has no answer. */
static void
flush(struct spool *spool)
{
	struct journal *journal = &spool->journal;
	struct lookup_job *job;

	if (spool->away || journal->asking || journal->kept == 0)
		return;
	job = mem_calloc(1, sizeof(*job));
	job->kind = LOOKUP_NOTES;
	job->nnotes = journal->kept < BATCH ? journal->kept : BATCH;
	job->notes = mem_calloc(job->nnotes, sizeof(*job->notes));
	for (size_t i = 0; i < job->nnotes; i++)
		job->notes[i] = take_first(journal);
	journal->asking = true;
	directory_ask(spool, job);
}

static bool
state_of(enum queue_outcome outcome, enum delivery_state *state_r)
{
	switch (outcome) {
	case QUEUE_DELIVERED:
		*state_r = DELIVERY_DELIVERED;
		return true;
	case QUEUE_RETRY:
		*state_r = DELIVERY_PENDING;
		return true;
	case QUEUE_DEAD:
		*state_r = DELIVERY_DEAD;
		return true;
	case QUEUE_DROPPED:
		*state_r = DELIVERY_DROPPED;
		return true;
	case QUEUE_DISCARDED:
		break;
	}
	return false;
}

void
journal_note(struct spool *spool, const struct queue_record *record,
    unsigned attempt, enum queue_outcome outcome,
    const struct delivery_result *result, int64_t wall_us, int64_t due_us)
{
	struct journal *journal = &spool->journal;
	enum callback_type type;
	struct delivery_note note = {
		.id = record->id,
		.tenant_id = record->tenant_id,
		.device_id = record->device_id,
		.attempt = attempt,
		.status = (unsigned)result->status,
		.at_us = wall_us - result->duration_us,
		.duration_us = result->duration_us,
		.error = result->error,
		.next_attempt_us = due_us,
		.created_us = record->created_us,
		.noted_us = wall_us,
	};

	if (spool->live->delivery_log_keep_ms == 0 ||
	    !state_of(outcome, &note.state))
		return;
	memcpy(note.event, record->event, strnlen(record->event,
	    sizeof(note.event) - 1));
	/* What a callback's receiver says is nobody's business, and it has a
	   place of its own in the log. */
	if (callback_event_parse(record->event, &type))
		note.device_id = TARGET_CALLBACK_ID;
	else if (outcome != QUEUE_DELIVERED && result->answer[0] != '\0')
		note.answer = mem_strdup(result->answer);
	give_up(journal, size_of(&note));
	if (journal->count == journal->cap)
		grow(journal);
	journal->count++;
	journal->bytes += size_of(&note);
	*note_at(journal, journal->count - 1) = note;
}

void
journal_kept(struct spool *spool)
{
	spool->journal.kept = spool->journal.count;
	flush(spool);
}

void
journal_answered(struct spool *spool, const struct lookup_job *job)
{
	struct journal *journal = &spool->journal;

	if (job->fault.code != FAULT_NONE)
		log_error("%zu entries of the delivery log are lost: %s",
		    job->nnotes, job->fault.text);
	journal->asking = false;
	flush(spool);
}

void
journal_tick(struct spool *spool, int64_t mono_us)
{
	struct journal *journal = &spool->journal;

	if (journal->lost > 0 && mono_us - journal->said_us >= SAY_LOST_US) {
		log_warn("%zu entries of the delivery log were given up: the "
		    "database is away or too slow", journal->lost);
		journal->lost = 0;
		journal->said_us = mono_us;
	}
	/* What came in when there was much, and nothing since. */
	flush(spool);
}

void
journal_finish(struct spool *spool, int64_t timeout_us)
{
	struct journal *journal = &spool->journal;
	struct pollfd fd = {
		.fd = lookup_fd(spool->lookup), .events = POLLIN
	};
	int64_t until_us = clock_mono_us() + timeout_us, left_us;

	flush(spool);
	while (journal->asking && !spool->away &&
	    (left_us = until_us - clock_mono_us()) > 0)
		if (poll(&fd, 1, (int)(left_us / 1000) + 1) > 0)
			directory_answers(spool);
	if (journal->asking || journal->count > 0 || journal->lost > 0)
		log_warn("%s of the delivery log were not written",
		    journal->asking ? "the last entries" : "some entries");
}

void
journal_deinit(struct journal *journal)
{
	for (size_t i = 0; i < journal->count; i++)
		free(note_at(journal, i)->answer);
	free(journal->notes);
	journal->notes = NULL;
	journal->count = journal->cap = 0;
}
