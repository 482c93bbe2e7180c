/* SPDX-License-Identifier: MIT */
/* What the two sides of the queue, the reader (reader_private.h) and the writers
   (writer_private.h), and those who only look, share and nobody else sees: the
   operating system as tests may replace it, names and directories, lines of a
   segment, what waits. The format is described in doc/queue-format.md. */
#ifndef WUTS_QUEUE_PRIVATE_H
#define WUTS_QUEUE_PRIVATE_H

#include "wuts/queue.h"
#include "wuts/strbuf.h"

#include <sys/types.h>

#define QUEUE_HEADER_MAX 544	/* a header line with its newline */
#define QUEUE_MARK_MAX 96	/* a mark line with its newline */
#define QUEUE_EVENT_MAX 63
#define QUEUE_NAME_MAX 64	/* a segment's file name with its NUL */
#define QUEUE_OPEN_FDS 64	/* segments a reader keeps open */
#define QUEUE_FULL_RETRY_S 5
#define QUEUE_APPEND_MAX (1U << 30)	/* bytes: offsets have 32 bits */

/* --- io.c --- */

/* The calls whose failure the queue must survive; tests replace them. */
struct queue_io {
	ssize_t (*pwrite)(int fd, const void *data, size_t len, off_t offset);
	int (*fdatasync)(int fd);
	int (*fsync)(int fd);
	int (*fallocate)(int fd, int mode, off_t offset, off_t len);
	int (*ftruncate)(int fd, off_t len);
	int (*renameat)(int from_fd, const char *from, int to_fd,
	    const char *to);
	int (*unlinkat)(int fd, const char *name, int flags);
};
extern struct queue_io queue_io;

/* All bytes, going on after short writes and EINTR. 0, or -1 with errno. */
int queue_write_at(int fd, const void *data, size_t len, uint64_t offset);

/* The directories, as descriptors; -1 where missing and not made. */
struct queue_dirs {
	int root;
	int open;
	int ready;
	int done;
	int dead;
	int corrupt;
	int requests;
};

/* make: create what is missing. -1: FAULT_QUEUE, nothing stays open. */
int queue_dirs_open(struct queue_dirs *dirs_r, const char *dir, bool make,
    struct fault *fault);
void queue_dirs_close(struct queue_dirs *dirs);

/* File names, in their order. */
struct queue_names {
	char (*name)[QUEUE_NAME_MAX];
	size_t n;
	size_t cap;
};

/* Is this <stem><suffix> with a stem of ours? */
bool queue_is_name(const char *name, const char *suffix);
/* A copy of a segment's name with another suffix in place of ".seg". */
void queue_name_with(char out[QUEUE_NAME_MAX], const char *segment,
    const char *suffix);
/* Add the files <stem><suffix> of a directory, sorted; -1 with errno. */
int queue_names_list(struct queue_names *names, int dir_fd,
    const char *suffix);
bool queue_names_has(const struct queue_names *names, const char *name);
void queue_names_add(struct queue_names *names, const char *name);
/* Take out the segments of which a later generation is among them, too: they
   were rewritten, see compact.c. old may be NULL. */
void queue_names_take_superseded(struct queue_names *names,
    struct queue_names *old);
/* The name of a segment's next generation. */
void queue_name_next(char out[QUEUE_NAME_MAX], const char *segment);
void queue_names_deinit(struct queue_names *names);

/* Locks belong to the open file description and end with the process. */
int queue_lock(int fd);		/* 0, or -1 with errno: somebody has it */
bool queue_is_locked(int fd);	/* by another description; takes nothing */

/* --- record.c --- */

enum queue_line_kind {
	QUEUE_LINE_RECORD,
	QUEUE_LINE_MARK,
	QUEUE_LINE_EMPTY	/* ends a synced append */
};

struct queue_line {
	enum queue_line_kind kind;
	const char *text;	/* the whole of it, in the view */
	uint32_t len;		/* with all its newlines */
	uint32_t crc;		/* as written */
	uint32_t covered;	/* bytes of the header under the checksum */
	unsigned more;
	bool prepared;		/* a record's state */
	bool commit;		/* a mark's verdict */
	struct queue_record record;	/* of a mark: the id only */
	char event[QUEUE_EVENT_MAX + 1];
	char request[QUEUE_REQUEST_MAX + 1];
};

/* The record's strings are in the line: again, when that was copied. */
static inline void
queue_line_bind(struct queue_line *line)
{
	line->record.event = line->event;
	line->record.request = line->request;
}

/* Can it be written? -1: FAULT_QUEUE. */
int queue_record_check(const struct queue_record *record,
    struct fault *fault);
/* Both lines; at most QUEUE_HEADER_MAX + body_len + 1 bytes. */
size_t queue_record_format(char *out, const struct queue_record *record,
    bool prepared, unsigned more);
size_t queue_mark_format(char out[QUEUE_MARK_MAX], const struct uuid *id,
    bool commit);
/* A header or mark without its newline. Exactly as written above, else
   false. The checksum is not looked at. */
bool queue_header_parse(const char *text, size_t len,
    struct queue_line *line_r);
char *queue_put_uint(char *p, uint64_t value);
char *queue_put_hex32(char *p, uint32_t value);
bool queue_get_hex32(const char *p, uint32_t *value_r);

/* --- view.c --- */

enum queue_read {
	QUEUE_READ_OK,
	QUEUE_READ_END,		/* nothing behind this */
	QUEUE_READ_ZERO,	/* not written yet */
	QUEUE_READ_SHORT,	/* begins like a line, ends too early */
	QUEUE_READ_BAD,
	QUEUE_READ_ERROR	/* the disk; errno in view->error */
};

/* A window that slides over a file. */
struct queue_view {
	int fd;
	uint32_t owner;
	int error;
	char *buf;
	size_t cap;
	size_t len;
	size_t chunk;		/* how much to read next time */
	uint64_t used;		/* when, by whoever has several */
	uint64_t off;		/* of buf[0] in the file */
};

void queue_view_init(struct queue_view *view);
void queue_view_deinit(struct queue_view *view);
/* Look at fd from now on, with nothing remembered. */
void queue_view_start(struct queue_view *view, int fd, uint32_t owner);

/* The line at off, whole and with its checksum right. Its strings live until
   the view is used again. */
enum queue_read queue_view_line(struct queue_view *view, uint64_t off,
    uint64_t limit, struct queue_line *line_r);
/* All records of the append that begins at off. OK: *end_r is behind the last;
   otherwise *end_r is where it stopped. */
enum queue_read queue_view_batch(struct queue_view *view, uint64_t off,
    uint64_t limit, uint64_t *end_r);
/* Is the byte at off written? */
bool queue_view_is_written(struct queue_view *view, uint64_t off,
    uint64_t limit);
/* The next place from off on where a line holds, or limit. */
uint64_t queue_view_resync(struct queue_view *view, uint64_t off,
    uint64_t limit);
/* Behind the last byte that is not zero. -1 with errno. */
int queue_written_end(int fd, uint64_t size, uint64_t *end_r);

/* --- tally.c --- */

struct queue_tally;

/* A record's share: its body, and about what its header takes. */
static inline int64_t
queue_tally_bytes(const struct queue_record *record)
{
	return 256 + (int64_t)record->body_len;
}

/* -1: FAULT_QUEUE or FAULT_QUEUE_FULL. */
int queue_tally_open(struct queue_tally **tally_r, int root_fd,
    struct fault *fault);
void queue_tally_close(struct queue_tally **tallyp);
/* Whom a record is counted for: its tenant, or the tenant's callbacks. */
struct uuid queue_tally_account(const struct queue_record *record);
bool queue_tally_is_callback(const char *event);
/* So many more wait, or fewer. */
void queue_tally_add(struct queue_tally *tally, const struct uuid *account,
    int64_t records, int64_t bytes);
uint64_t queue_tally_waiting(const struct queue_tally *tally,
    const struct uuid *account);
void queue_tally_count(struct queue_tally *tally, enum queue_total total,
    uint64_t n);
/* Nothing waits: before the reader counts anew. The totals stay. */
void queue_tally_clear(struct queue_tally *tally);
/* Which limit would so many more exceed? NULL: none. first: one of them, the
   others are counted for the same; NULL: ask for the limits of all. */
const char *queue_tally_over(const struct queue_tally *tally,
    const struct queue_limits *limits, const struct queue_record *first,
    uint64_t records, uint64_t bytes);

uint64_t queue_tally_total(const struct queue_tally *tally,
    enum queue_total total);
void queue_tally_put_total(struct queue_tally *tally, enum queue_total total,
    uint64_t n);

/* --- request.c --- */

/* The text of a request for a record, and how the name of its file ends. */
enum queue_wish {
	QUEUE_WISH_DROP,
	QUEUE_WISH_HURRY
};
void queue_request_format(struct strbuf *out, enum queue_wish wish,
    const char *segment, uint32_t offset, const struct uuid *id);
const char *queue_request_suffix(enum queue_wish wish);

/* --- wish.c --- */

/* As queue_mender_drop() and queue_mender_hurry(). */
int queue_wish(const struct queue_dirs *dirs, const char *dir,
    enum queue_wish wish, const struct uuid *id, int timeout_ms,
    struct fault *fault);

/* --- visit.c --- */

/* Does a reader hold the lock? */
bool queue_reader_runs(int root_fd);

/* As queue_visit(), and where the files are. */
struct queue_walk_files {
	void (*file)(void *ctx, const char *file, uint64_t bytes);
	void *ctx;
};
int queue_walk(const struct queue_dirs *dirs,
    const struct queue_visitor *visitor,
    const struct queue_walk_files *files, struct fault *fault);

/* --- dead.c --- */

/* Is it a file of dead letters? suffix: ".seg", or ".log" for what became of
   them. */
bool queue_dead_is_day(const char *name, const char *suffix);

#endif
