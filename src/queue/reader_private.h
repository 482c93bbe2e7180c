/* SPDX-License-Identifier: MIT */
/* What the files of the reading side share: the reader, its segments with their
   outcome logs, and what it does with them. visit.c, mend.c and wish.c use
   it too, beside a reader or in its place. */
#ifndef WUTS_QUEUE_READER_PRIVATE_H
#define WUTS_QUEUE_READER_PRIVATE_H

#include "queue_private.h"

/* --- outcome.c --- */

/* What an earlier run noted about one record. */
struct queue_noted {
	uint32_t offset;
	uint32_t attempts;
	int64_t due_us;
	uint32_t line;		/* its place in the log, while loading */
	char kind;		/* last verdict, or 'r', or 'c' */
	bool claimed;		/* committed by claim */
	bool seen;		/* its record is there */
};

struct queue_outcomes {
	struct queue_noted *noted;	/* by offset, one each */
	size_t n;
	uint64_t log_len;	/* behind the last line that holds, synced */
	size_t written;		/* of the lines behind it: not synced yet */
	bool trimmed;		/* what a crash tore is cut off */
	size_t damaged;		/* lines before that which do not */
	bool exists;
};

/* Letters of a log line. */
#define QUEUE_NOTE_DELIVERED 'd'
#define QUEUE_NOTE_RETRY 'r'
#define QUEUE_NOTE_DEAD 'x'
#define QUEUE_NOTE_DROPPED 'n'
#define QUEUE_NOTE_COMMITTED 'c'
#define QUEUE_NOTE_DISCARDED 'u'
#define QUEUE_NOTE_REPLAYED 'p'	/* of a dead letter */

void queue_outcome_format(struct strbuf *out, char kind, uint32_t offset,
    unsigned attempts, int64_t due_us);
bool queue_outcome_is_final(char kind);
/* The log of a segment; a missing one is empty. -1: FAULT_QUEUE. */
int queue_outcomes_load(struct queue_outcomes *outcomes_r, int done_fd,
    const char *segment, struct fault *fault);
const struct queue_noted *queue_outcomes_find(
    const struct queue_outcomes *outcomes, uint32_t offset);
struct queue_noted *queue_outcomes_at(struct queue_outcomes *outcomes,
    uint32_t offset);
/* Forget the records, keep what is needed to append. */
void queue_outcomes_forget(struct queue_outcomes *outcomes);
/* Append lines, of which those counted by outcomes->written may stand there
   already, and sync. -1: FAULT_QUEUE, nothing counts as written. */
int queue_outcomes_sync(struct queue_outcomes *outcomes, int done_fd,
    const char *segment, const struct strbuf *lines, struct fault *fault);
/* Append what of lines is not there yet, without a sync: a kill of this process
   loses none of it. The same lines, or more, go to the next call. */
int queue_outcomes_write(struct queue_outcomes *outcomes, int done_fd,
    const char *segment, const struct strbuf *lines, struct fault *fault);

/* --- account.c --- */

struct queue_accounts;
struct queue_segment;

/* -1: FAULT_QUEUE. */
int queue_accounts_open(struct queue_accounts **accounts_r, int root_fd,
    struct fault *fault);
void queue_accounts_close(struct queue_accounts **accountsp);

enum queue_retire {
	QUEUE_RETIRE_NONE,
	QUEUE_RETIRE_REMOVED,	/* done when the segment is not there */
	QUEUE_RETIRE_REWRITTEN	/* done when this new one is */
};
/* What is about to leave the files. One at a time. */
void queue_accounts_retire(struct queue_accounts *accounts,
    enum queue_retire retire, const char *name,
    const struct queue_account *account);
/* It has left, or it could not. */
void queue_accounts_retired(struct queue_accounts *accounts, bool was_done);
/* The same, found out by whoever starts after a kill. */
void queue_accounts_recover(struct queue_accounts *accounts,
    const struct queue_dirs *dirs);
/* A record that was accepted cannot be read any more. */
void queue_accounts_damage(struct queue_accounts *accounts,
    struct queue_segment *seg);
/* All is read and all outcomes are written: here is what the files hold now.
   counted: what the writers had counted before the reading began. */
void queue_accounts_publish(struct queue_accounts *accounts,
    struct queue_tally *tally, const struct queue_account *here,
    uint64_t counted);

/* --- loaded.c --- */

struct queue_loaded_item {
	struct queue_pos pos;
	struct uuid account;
	uint32_t bytes;		/* 0: a free place */
};

struct queue_loaded {
	struct queue_loaded_item *items;
	size_t n;
	size_t cap;		/* a power of two */
};

bool queue_loaded_has(const struct queue_loaded *loaded,
    struct queue_pos pos);
void queue_loaded_note(struct queue_loaded *loaded, struct queue_pos pos,
    const struct uuid *account, uint32_t bytes);
bool queue_loaded_take(struct queue_loaded *loaded, struct queue_pos pos,
    struct queue_loaded_item *item_r);
void queue_loaded_deinit(struct queue_loaded *loaded);

/* --- segment.c --- */

/* A prepared record whose mark has not been seen. */
struct queue_pending {
	struct uuid id;
	int64_t created_us;
	int64_t due_us;
	uint32_t offset;
	uint32_t attempts;
	bool asked;
};

struct queue_pendings {
	struct queue_pending *item;
	size_t n;
	size_t cap;
};

void queue_pendings_add(struct queue_pendings *pendings,
    const struct queue_pending *pending);
/* Take out the one with this id, or this offset. False: there is none. */
bool queue_pendings_take_id(struct queue_pendings *pendings,
    const struct uuid *id, struct queue_pending *pending_r);
bool queue_pendings_take_offset(struct queue_pendings *pendings,
    uint32_t offset, struct queue_pending *pending_r);

/* A record of a segment that was rewritten: where callers know it to be, and
   where it is. */
struct queue_moved {
	uint32_t from;
	uint32_t to;
};

/* A segment as the reader knows it. */
struct queue_segment {
	uint32_t number;
	char name[QUEUE_NAME_MAX];
	int fd;			/* -1: not open now */
	uint64_t used_tick;
	uint64_t size;
	uint64_t scan_off;	/* what is before has been read */
	uint64_t tally_end;	/* what is before was there at start, and is
				   counted by us */
	uint32_t records;	/* read, in whatever state */
	uint32_t live;		/* records called and not finished */
	struct queue_account account;	/* of the records in the file; one
				   that is dying still waits */
	uint32_t not_below;	/* not worth rewriting with so many live */
	int64_t quiet_us;	/* when the last one was finished, monotonic */
	struct queue_moved *moved;	/* by from, and by to; NULL: none */
	size_t nmoved;
	uint32_t dying;		/* of the finished: not in dead/ yet */
	bool sealed;
	bool dirty;		/* worth a look */
	bool started;		/* its outcome log was read */
	bool scanned;		/* sealed and read to its end */
	bool kept;		/* must outlive this run: see the log */
	bool failed;		/* could not be read: try again later */
	struct queue_pendings pendings;
	struct queue_outcomes outcomes;
	struct strbuf lines;	/* outcomes not written yet */
};

struct queue_dying {
	struct queue_pos pos;
	unsigned attempts;
	bool unread;		/* its segment could not be read now */
};

/* Records are loaded in the order of their endpoints' turns: each of a few busy
   ones reads on where it was. */
#define QUEUE_LOAD_VIEWS 8

struct queue_reader {
	struct queue_dirs dirs;
	struct queue_events events;
	void (*hurry)(void *ctx, struct queue_pos pos);	/* or NULL */
	int lock_fd;
	int inotify_fd;
	int open_watch;
	int ready_watch;
	struct queue_segment **segments;	/* by number */
	size_t nsegments;
	size_t segments_cap;
	uint32_t next_number;
	uint64_t tick;
	unsigned nopen;		/* descriptors of segments */
	struct queue_segment *busy;	/* being read: keep its descriptor */
	struct queue_view scan_view;
	struct queue_view load_views[QUEUE_LOAD_VIEWS];
	uint64_t view_tick;
	struct queue_view mark_view;
	char dead_name[16];	/* the file of letters whose end is right */
	struct queue_dying *dying;
	size_t ndying;
	size_t dying_cap;
	struct queue_tally *tally;
	struct queue_accounts *accounts;
	uint64_t counted;	/* by writers, before the last scan */
	bool is_read;		/* all of the queue, once at least */
	struct queue_loaded loaded;
	struct queue_loaded dropped;	/* by request: the caller does not know
					   yet */
	struct queue_names superseded;	/* in ready/, to be removed */
	bool lost_track;	/* list the directories again */
};

/* Learn of a file in open/ or ready/; one known already changes its state
   only, one that is gone is ignored. */
void queue_segment_found(struct queue_reader *reader, const char *name);
struct queue_segment *queue_segment_get(struct queue_reader *reader,
    uint32_t number);
/* Its descriptor, opened when needed; -1 with errno. */
int queue_segment_fd(struct queue_reader *reader, struct queue_segment *seg);
/* Where the record is that callers know at offset. False: it was damaged when
   the segment was rewritten, and set aside. */
bool queue_segment_place(const struct queue_segment *seg, uint32_t offset,
    uint32_t *place_r);
/* How callers know the record that is at place. */
uint32_t queue_segment_known_as(const struct queue_segment *seg,
    uint32_t place);
struct queue_segment *queue_segment_find(const struct queue_reader *reader,
    const char *name);
/* It was rewritten under another name. Takes moved. */
void queue_segment_rewritten(struct queue_reader *reader,
    struct queue_segment *seg, const char *name, uint64_t size,
    struct queue_moved *moved, size_t nmoved);
/* Forget it: close, free. The file stays. */
void queue_segment_remove(struct queue_reader *reader,
    struct queue_segment *seg);
/* A view that has come to this record, or is free to go there. */
struct queue_view *queue_load_view(struct queue_reader *reader,
    const struct queue_segment *seg, uint32_t offset);
/* The record at an offset. Its strings live in the view. -1: FAULT_QUEUE;
   *bad_r says that the record itself is damaged. */
int queue_segment_line(struct queue_reader *reader, struct queue_segment *seg,
    uint32_t offset, struct queue_view *view, struct queue_line *line_r,
    bool *bad_r, struct fault *fault);
/* Copy a damaged span to corrupt/, once, with one line in the log. Where that
   fails the segment is kept. */
void queue_segment_set_aside(struct queue_reader *reader,
    struct queue_segment *seg, uint64_t from, uint64_t to);

/* --- scan.c --- */

/* Read on in one segment, at most *budget lines. -1: FAULT_QUEUE. */
int queue_scan_segment(struct queue_reader *reader, struct queue_segment *seg,
    size_t *budget, struct fault *fault);
/* Hand a committed record to the caller. counts: nobody has counted it. */
void queue_scan_committed(struct queue_reader *reader,
    struct queue_segment *seg, const struct queue_pending *pending,
    bool counts);

/* --- finish.c --- */

/* Unlink what is finished. -1: FAULT_QUEUE, tried again. */
int queue_finished_remove(struct queue_reader *reader, struct fault *fault);
/* Tell what the files hold, when they hold all that is known. */
void queue_publish(struct queue_reader *reader);

/* --- adopt.c --- */

/* The writer is gone: cut what it did not finish, seal. The segment may be
   removed by this. */
int queue_adopt_segment(struct queue_reader *reader,
    struct queue_segment *seg, struct fault *fault);

/* --- compact.c --- */

/* Remove what was rewritten, for good before its log. -1: FAULT_QUEUE, and
   until it succeeds nothing else may be removed. */
int queue_superseded_remove(struct queue_reader *reader,
    struct fault *fault);

/* --- request.c --- */

/* Do what the operator asks for in requests/. -1: FAULT_QUEUE, tried again. */
int queue_requests_take(struct queue_reader *reader, struct fault *fault);
/* Note that the record, tried so often, is due now, and tell the caller. */
void queue_reader_hurry(struct queue_reader *reader, struct queue_pos pos,
    unsigned attempts);

/* --- dead.c --- */

/* Copy what is dying to today's dead letters, sync, note it. */
int queue_dead_write(struct queue_reader *reader, struct fault *fault);

#endif
