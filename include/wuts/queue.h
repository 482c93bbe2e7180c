/* SPDX-License-Identifier: MIT */
/* The filesystem queue between workers and spooler (design §5). A log of
   segments: a writer appends records to its own preallocated file in open/,
   seals it by renaming it to ready/; the one reader appends what became of
   each record to done/<segment>.log and unlinks both when all are finished.

       queue/open/<writer>-<seq>.seg    being written, locked by its writer
       queue/ready/<writer>-<seq>.seg   sealed; -<seq>.<n>.seg: rewritten
       queue/done/<writer>-<seq>.log    outcomes
       queue/dead/<day>.seg             dead letters
       queue/corrupt/                   what failed its checksum, set aside

   A record is two lines of text: a JSON header and the body,
       {"v":1,"id":…,"tenant":…,"device":…,"event":…,"created":…,
        "state":"ready"|"prepared","more":n,"length":n,"crc":"8 hex"}
       body
   so the body must hold no newline. `more` is how many records of the same
   append follow: a reader counts them only when all are there, so a batch is
   all or nothing. The CRC-32C covers the header up to `,"crc"` and the body.
   A mark ends a prepared record:
       {"v":1,"id":…,"mark":"commit"|"discard","crc":"8 hex"}
   An empty line behind an append says that its sync succeeded. All formats and
   the table of states are in doc/queue-format.md. */
#ifndef WUTS_QUEUE_H
#define WUTS_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wuts/uuid.h"

struct fault;

/* Events of one request, each with its On-Premises form (wuts/callback.h). */
#define QUEUE_BATCH_MAX 2000
/* Records of events with such a name are a class of their own: they do not
   count in a tenant's limits, which are for the others, but in one of theirs. */
#define QUEUE_CALLBACK_PREFIX "onprem."

#define QUEUE_REQUEST_MAX 64

struct queue_record {
	struct uuid id;
	struct uuid tenant_id;
	struct uuid device_id;	/* nil: an event of the tenant */
	const char *event;	/* catalogue name */
	/* Id of the request that reported it, for the log; NULL or "": none.
	   Not kept unless it is 1 to QUEUE_REQUEST_MAX visible ASCII characters
	   without quote and backslash. */
	const char *request;
	int64_t created_us;
	const char *body;	/* no newline, no NUL */
	size_t body_len;
};

struct queue_limits {
	size_t segment_bytes;	/* preallocated a segment; a larger append gets
				   a larger segment */
	size_t max_bytes;	/* all segments together; 0: none */
	size_t disk_reserve;	/* bytes that stay free on the disk */
	size_t max_records;	/* waiting, of all tenants; 0: none */
	size_t tenant_max_records;	/* of one tenant; 0: none */
	size_t tenant_max_bytes;
	size_t tenant_max_callbacks;	/* records of that class; 0: none */
};

/* --- writing: one writer a process, never shared across a fork --- */

struct queue_writer;

/* Make the directories where missing. No segment is opened before the first
   append. -1: FAULT_QUEUE. */
int queue_writer_open(struct queue_writer **writer_r, const char *dir,
    const struct queue_limits *limits, struct fault *fault);

/* Append n (1..QUEUE_BATCH_MAX) records, all or none, and sync: when this
   returns 0 a power cut loses none of them. -1: FAULT_QUEUE_FULL (limits,
   disk) or FAULT_QUEUE (I/O); then none of them will be delivered, and the
   next call opens another segment. Limits of records and of tenants are
   approximate: what several processes append at the same time counts a moment
   later. */
int queue_append(struct queue_writer *writer,
    const struct queue_record *records, size_t n, struct fault *fault);

/* Append one record in state prepared and sync. The reader ignores it until
   commit; its id goes into table outbox with the transaction. Only the limits
   of bytes and disk apply: a tenant whose webhook is down may still change its
   users. */
int queue_prepare(struct queue_writer *writer,
    const struct queue_record *record, struct fault *fault);

/* End a prepared record; not synced, none needed. When the mark cannot be
   written the segment is abandoned: the reader then decides by claim, with the
   same result. */
void queue_commit(struct queue_writer *writer, const struct uuid *id);
void queue_discard(struct queue_writer *writer, const struct uuid *id);

/* The outcome of a transaction is unknown and cannot be found out now: let go
   of the segment, so that the reader claims its unmarked records. */
void queue_abandon(struct queue_writer *writer);

/* Can an append be expected to succeed now? 0, or -1 as queue_append(). For
   /readyz; writes nothing. */
int queue_writer_check(struct queue_writer *writer, struct fault *fault);

/* How many records of the tenant wait, of the callbacks or of the others. */
uint64_t queue_writer_waiting(const struct queue_writer *writer,
    const struct uuid *tenant_id, bool callbacks);

/* Seal the segment and free. Clears the caller's pointer, accepts NULL. */
void queue_writer_close(struct queue_writer **writerp);

/* --- reading: one reader a queue --- */

struct queue_reader;

/* Where a record stands; stable while the record is not finished. */
struct queue_pos {
	uint32_t segment;	/* the reader's number for it */
	uint32_t offset;	/* where it was when it was called */
};

enum queue_outcome {
	QUEUE_DELIVERED,
	QUEUE_RETRY,		/* not finished: tried, next time at due_us */
	QUEUE_DEAD,		/* copied to dead/ first, synced */
	QUEUE_DROPPED,		/* no webhook wants it */
	QUEUE_DISCARDED		/* its transaction never committed */
};

struct queue_events {
	/* A record that counts, in the order of its segment. attempts and
	   due_us (0: now) come from the outcome log of an earlier run. The
	   record's strings are valid during the call only. */
	void (*record)(void *ctx, struct queue_pos pos,
	    const struct queue_record *record, unsigned attempts,
	    int64_t due_us);
	/* A prepared record whose writer is gone without a mark: claim its id
	   in table outbox, then call queue_resolve(). Asked once a run. */
	void (*unresolved)(void *ctx, struct queue_pos pos,
	    const struct uuid *id, int64_t created_us);
	void *ctx;
};

/* Take the reader's lock (-1 FAULT_QUEUE: another spooler runs) and make the
   directories where missing. events is copied. */
int queue_reader_open(struct queue_reader **reader_r, const char *dir,
    const struct queue_events *events, struct fault *fault);

/* Call hurry (with the events' ctx) when the operator wants a record that waits
   for its next attempt to be due at once; that is noted already. What is under
   way goes on. */
void queue_reader_on_hurry(struct queue_reader *reader,
    void (*hurry)(void *ctx, struct queue_pos pos));

/* Say in the reader's lock file who reads, and with which installation keys
   (wuts/presence.h). */
struct crypto_keys;
void queue_reader_say(struct queue_reader *reader,
    const struct crypto_keys *keys);

/* Readable when something was written or sealed: for epoll. */
int queue_reader_fd(const struct queue_reader *reader);

/* Read what is new, calling events. Returns at once when nothing is. Bounded:
   at most about max_records a call; 1: there is more, 0: all read, -1. */
int queue_reader_scan(struct queue_reader *reader, size_t max_records,
    struct fault *fault);

/* Find segments whose writer is gone, seal them and ask for their unresolved
   records. Call at start and about once a second. */
int queue_reader_adopt(struct queue_reader *reader, struct fault *fault);

/* What a claim found. committed false: discard. True: the record event is
   called (from inside this call). */
void queue_resolve(struct queue_reader *reader, struct queue_pos pos,
    bool committed);

/* Read one record again. The strings live in buf, which grows and belongs to
   the caller. 1: forget the record and do not finish it: the operator had it
   dropped, which is noted already. -1: FAULT_QUEUE: the same; when its checksum
   fails now it was set aside; when the disk failed it stays for the next
   start. */
struct strbuf;
int queue_reader_load(struct queue_reader *reader, struct queue_pos pos,
    struct strbuf *buf, struct queue_record *record_r, struct fault *fault);

/* Note an outcome, final ones once for each record called; written by the next
   queue_reader_write(), synced by the next queue_reader_sync(). May be called
   from inside events. attempts: tried so far, this one included. due_us: for
   QUEUE_RETRY. */
void queue_reader_finish(struct queue_reader *reader, struct queue_pos pos,
    enum queue_outcome outcome, unsigned attempts, int64_t due_us);

/* Write the outcomes noted so far, dead ones excepted, without a sync: from
   here on a kill of this process loses none of them, a power cut still may.
   Before the next step of the reader's owner. 0 / -1 (they stay noted). */
int queue_reader_write(struct queue_reader *reader, struct fault *fault);

/* Write and sync the outcomes noted so far, then unlink segments that are
   finished. Call at most 100 ms after the first outcome. 0 / -1 (they stay
   noted, call again). */
int queue_reader_sync(struct queue_reader *reader, struct fault *fault);

/* Rewrite one sealed segment of which little is wanted any more: less than a
   quarter of its records and bytes, and nothing was finished in it for
   quiet_us; at least min_bytes must be gained. What is left is copied as it
   is, with its attempts; positions stay valid. Bounded: a segment larger than
   64 MiB, or with more than 4 MiB left, is left alone. Call about once a
   second. 1: one was, 0: none, -1: FAULT_QUEUE, nothing is lost, tried again
   after quiet_us. */
int queue_reader_compact(struct queue_reader *reader, int64_t quiet_us,
    uint64_t min_bytes, struct fault *fault);

/* Delete dead letters of days before wall-clock before_us. */
void queue_dead_expire(const char *dir, int64_t before_us);

/* Oldest created_us of a prepared record not resolved yet, or INT64_MAX: what
   is older than that in table outbox is not needed any more. */
int64_t queue_reader_prepared_horizon(const struct queue_reader *reader);

/* Sync what is noted, let go of the lock, free. */
void queue_reader_close(struct queue_reader **readerp);

/* --- looking: for wutsctl, beside a running spooler --- */

enum queue_state {
	QUEUE_STATE_WAITING,	/* not tried yet */
	QUEUE_STATE_RETRYING,	/* tried, waits for the next time */
	QUEUE_STATE_PREPARED,	/* its transaction is under way, or must be
				   claimed */
	QUEUE_STATE_DEAD,	/* a letter in dead/ */
	/* Finished, and still in their files. */
	QUEUE_STATE_DELIVERED,
	QUEUE_STATE_DIED,	/* its letter is in dead/ */
	QUEUE_STATE_DROPPED,
	QUEUE_STATE_DISCARDED,
	QUEUE_STATE_REPLAYED,	/* a letter that was put back */
	QUEUE_STATE_COUNT
};

struct queue_entry {
	struct queue_record record;	/* its strings: during the call */
	enum queue_state state;
	unsigned attempts;
	int64_t due_us;		/* 0: at once */
	const char *file;	/* in the queue's directory */
	uint32_t offset;
};

/* Each may be NULL. */
struct queue_visitor {
	/* False: enough, look no further. */
	bool (*entry)(void *ctx, const struct queue_entry *entry);
	/* What does not hold, and where. */
	void (*trouble)(void *ctx, const char *file, uint64_t offset,
	    const char *what);
	/* A file begins; done of all bytes are behind us. */
	void (*progress)(void *ctx, uint64_t done, uint64_t all);
	void *ctx;
};

/* Look at every record in every file. Takes no lock and changes nothing. -1:
   FAULT_QUEUE. */
int queue_visit(const char *dir, const struct queue_visitor *visitor,
    struct fault *fault);

struct queue_status {
	uint64_t waiting;	/* records that count and are not finished */
	uint64_t retrying;	/* of these: tried at least once */
	uint64_t prepared;	/* without a mark yet */
	uint64_t dead;
	uint64_t corrupt;	/* files set aside */
	uint64_t segments_open, segments_ready;
	uint64_t bytes;		/* of these */
	int64_t oldest_created_us;	/* of the waiting; 0: none */
	bool reader_runs;
};
int queue_status_read(const char *dir, struct queue_status *status_r,
    struct fault *fault);

/* Numbers kept by writers and reader as they go: cheap to read, off by a step
   where a process was killed. The totals are since the queue was made. */
#define QUEUE_COUNTS_TENANTS 32

enum queue_total {
	QUEUE_TOTAL_ACCEPTED,
	QUEUE_TOTAL_DELIVERED,
	QUEUE_TOTAL_RETRIED,
	QUEUE_TOTAL_DEAD,
	QUEUE_TOTAL_DROPPED,
	QUEUE_TOTAL_COUNT
};

struct queue_tenant_counts {
	struct uuid tenant_id;
	bool callbacks;		/* these of its records, or the others */
	uint64_t records;
	uint64_t bytes;
};

struct queue_counts {
	uint64_t records;	/* waiting */
	uint64_t bytes;		/* of these */
	uint64_t totals[QUEUE_TOTAL_COUNT];
	struct queue_tenant_counts tenants[QUEUE_COUNTS_TENANTS];
	size_t ntenants;	/* with most records, most first */
};
int queue_counts_read(const char *dir, struct queue_counts *counts_r,
    struct fault *fault);

/* The accounts that the reader keeps of the files: exact whenever processes are
   killed, as of the last outcomes that were written. accepted = delivered +
   dead + dropped + damaged + waiting, always. A letter that is put back is
   accepted anew; what becomes of a letter does not change what was counted when
   its record died. */
enum queue_term {
	QUEUE_TERM_ACCEPTED,
	QUEUE_TERM_DELIVERED,
	QUEUE_TERM_DEAD,
	QUEUE_TERM_DROPPED,
	QUEUE_TERM_DAMAGED,	/* failed its checksum later: in corrupt/ */
	QUEUE_TERM_COUNT
};

struct queue_account {
	uint64_t terms[QUEUE_TERM_COUNT];
};

struct queue_books {
	struct queue_account account;
	uint64_t waiting;
	struct queue_account retired;	/* of these: in no file any more */
	bool is_current;	/* a reader runs, and has read all once */
	/* Writers count what they accept, too. */
	uint64_t missing;	/* counted, and in no file; must be 0 */
	uint64_t mended;	/* not counted: a writer was killed before */
	int64_t checked_us;	/* when that was compared last; 0: never */
};
int queue_books_read(const char *dir, struct queue_books *books_r,
    struct fault *fault);

/* --- mending: the operator's hands, one pair at a time --- */

struct queue_mender;

/* -1: FAULT_QUEUE, also when another operator is at it. Only bytes and disk of
   the limits count. */
int queue_mender_open(struct queue_mender **mender_r, const char *dir,
    const struct queue_limits *limits, struct fault *fault);
void queue_mender_close(struct queue_mender **menderp);

enum queue_letter_end {
	QUEUE_LETTER_REPLAY,	/* into the queue, as a new record with the
				   same id; durable before the letter is done */
	QUEUE_LETTER_DROP
};

/* Do that with the dead letters that wanted() says. *n_r: how many, also when
   it failed on the way. A crash in between replays some again. */
int queue_mender_letters(struct queue_mender *mender,
    enum queue_letter_end end,
    bool (*wanted)(void *ctx, const struct queue_entry *entry), void *ctx,
    size_t *n_r, struct fault *fault);

/* Drop what waits with this id: by the running spooler, which is asked through
   a file and given timeout_ms, or in its place. 1: nothing waits with this id
   any more, 0: nothing did, -1: FAULT_QUEUE. What is being delivered at this
   moment may arrive all the same. */
int queue_mender_drop(struct queue_mender *mender, const struct uuid *id,
    int timeout_ms, struct fault *fault);

/* Let what waits with this id for its next attempt be due at once, likewise;
   its attempts stay counted. 1: it is due, or was delivered meanwhile, 0:
   nothing waits with this id, -1: FAULT_QUEUE. */
int queue_mender_hurry(struct queue_mender *mender, const struct uuid *id,
    int timeout_ms, struct fault *fault);

#endif
