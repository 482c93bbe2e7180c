/* SPDX-License-Identifier: MIT */
/* The outcome log of a segment, done/<stem>.log: one line for each thing that
   happened to a record, "kind offset attempts due_us crc". The last word about
   a record counts, and a final one always. A last line that a crash tore is
   written over by the next. */
#include "config.h"

#include "reader_private.h"

#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/file.h"
#include "wuts/log.h"
#include "wuts/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_LEN 64

/* One line a delivery: printf would take as long as all else about it. */
static char *
put_number(char *to, uint64_t value)
{
	*to++ = ' ';
	return queue_put_uint(to, value);
}

void
queue_outcome_format(struct strbuf *out, char kind, uint32_t offset,
    unsigned attempts, int64_t due_us)
{
	char line[LINE_MAX_LEN], *end = line;
	uint32_t crc;

	*end++ = kind;
	end = put_number(end, offset);
	end = put_number(end, attempts);
	end = put_number(end, due_us > 0 ? (uint64_t)due_us : 0);
	crc = crypto_crc32c(0, line, (size_t)(end - line));
	*end++ = ' ';
	end = queue_put_hex32(end, crc);
	*end++ = '\n';
	strbuf_append(out, line, (size_t)(end - line));
}

bool
queue_outcome_is_final(char kind)
{
	return kind == QUEUE_NOTE_DELIVERED || kind == QUEUE_NOTE_DEAD ||
	    kind == QUEUE_NOTE_DROPPED || kind == QUEUE_NOTE_DISCARDED ||
	    kind == QUEUE_NOTE_REPLAYED;
}

/* The checksum held, so the numbers are ours; still nothing out of range. */
static bool
line_parse(const char *text, size_t len, struct queue_noted *noted_r)
{
	char copy[LINE_MAX_LEN], *end;
	uint32_t crc;
	unsigned long long offset, attempts;

	if (len < 16 || len >= sizeof(copy) || text[1] != ' ' ||
	    text[len - 9] != ' ' || !queue_get_hex32(text + len - 8, &crc) ||
	    crypto_crc32c(0, text, len - 9) != crc ||
	    strchr("drxncup", text[0]) == NULL)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	noted_r->kind = copy[0];
	offset = strtoull(copy + 2, &end, 10);
	attempts = strtoull(end, &end, 10);
	noted_r->due_us = strtoll(end, &end, 10);
	if (offset > UINT32_MAX || attempts > UINT32_MAX ||
	    end != copy + len - 9)
		return false;
	noted_r->offset = (uint32_t)offset;
	noted_r->attempts = (uint32_t)attempts;
	noted_r->claimed = noted_r->kind == QUEUE_NOTE_COMMITTED;
	return true;
}

static int
noted_compare(const void *a, const void *b)
{
	const struct queue_noted *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* One entry a record. */
static void
merge(struct queue_outcomes *outcomes)
{
	struct queue_noted *noted = outcomes->noted;
	size_t kept = 0;

	if (outcomes->n == 0)
		return;
	qsort(noted, outcomes->n, sizeof(*noted), noted_compare);
	for (size_t i = 1; i < outcomes->n; i++) {
		struct queue_noted *last = &noted[kept];
		bool claimed;

		if (noted[i].offset != last->offset) {
			noted[++kept] = noted[i];
			continue;
		}
		if (queue_outcome_is_final(last->kind))
			continue;
		claimed = last->claimed || noted[i].claimed;
		if (noted[i].kind != QUEUE_NOTE_COMMITTED)
			*last = noted[i];
		last->claimed = claimed;
	}
	outcomes->n = kept + 1;
	outcomes->noted = mem_realloc(noted, outcomes->n, sizeof(*noted));
}

static void
parse(struct queue_outcomes *outcomes, const char *name, const char *data,
    size_t len)
{
	size_t off = 0, cap = 0, bad = 0, bad_held = 0;

	while (off < len) {
		const char *newline = memchr(data + off, '\n', len - off);
		struct queue_noted noted = { .offset = 0 };
		size_t line_len;

		if (newline == NULL)
			break;
		line_len = (size_t)(newline - (data + off));
		if (!line_parse(data + off, line_len, &noted)) {
			bad++;
		} else {
			if (outcomes->n == cap) {
				cap = cap * 2 + 64;
				outcomes->noted = mem_realloc(outcomes->noted,
				    cap, sizeof(*outcomes->noted));
			}
			noted.line = (uint32_t)outcomes->n;
			outcomes->noted[outcomes->n++] = noted;
			outcomes->log_len = off + line_len + 1;
			bad_held = bad;
		}
		off += line_len + 1;
	}
	/* Damage at the end is a crash while writing; before that it is not,
	   and what those lines said happens once more. */
	outcomes->damaged = bad_held;
	if (bad_held > 0)
		log_warn("queue log=%s %zu damaged lines ignored", name,
		    bad_held);
	merge(outcomes);
}

static int
log_read(int fd, struct strbuf *text)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	strbuf_reserve(text, (size_t)st.st_size + 1);
	for (;;) {
		ssize_t n;

		if (text->cap - text->len < 2)
			strbuf_reserve(text, 4096);
		n = pread(fd, text->data + text->len,
		    text->cap - text->len - 1, (off_t)text->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			return 0;
		text->len += (size_t)n;
	}
}

int
queue_outcomes_load(struct queue_outcomes *outcomes_r, int done_fd,
    const char *segment, struct fault *fault)
{
	struct strbuf text = STRBUF_INIT;
	char name[QUEUE_NAME_MAX];
	int fd, ret = -1;

	*outcomes_r = (struct queue_outcomes){ .noted = NULL };
	queue_name_with(name, segment, ".log");
	fd = openat(done_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return fault_errno(fault, FAULT_QUEUE, "open done/%s", name);
	if (log_read(fd, &text) < 0) {
		fault_errno(fault, FAULT_QUEUE, "read done/%s", name);
		goto out;
	}
	outcomes_r->exists = true;
	parse(outcomes_r, name, text.data, text.len);
	ret = 0;
out:
	strbuf_deinit(&text);
	close(fd);
	return ret;
}

struct queue_noted *
queue_outcomes_at(struct queue_outcomes *outcomes, uint32_t offset)
{
	size_t low = 0, high = outcomes->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (outcomes->noted[middle].offset == offset)
			return &outcomes->noted[middle];
		if (outcomes->noted[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct queue_noted *
queue_outcomes_find(const struct queue_outcomes *outcomes, uint32_t offset)
{
	struct queue_outcomes copy = *outcomes;

	return queue_outcomes_at(&copy, offset);
}

void
queue_outcomes_forget(struct queue_outcomes *outcomes)
{
	free(outcomes->noted);
	outcomes->noted = NULL;
	outcomes->n = 0;
}

/* Opens the log. What a crash tore is cut off first, once; a line that we tore
   ourselves, by a write that failed, is written over. */
static int
put_lines(struct queue_outcomes *outcomes, int done_fd, const char *name,
    const struct strbuf *lines, struct fault *fault)
{
	int fd;

	fd = openat(done_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return fault_errno(fault, FAULT_QUEUE, "open done/%s", name);
	if ((!outcomes->trimmed &&
	    queue_io.ftruncate(fd, (off_t)outcomes->log_len) < 0) ||
	    queue_write_at(fd, lines->data + outcomes->written,
	    lines->len - outcomes->written,
	    outcomes->log_len + outcomes->written) < 0) {
		fault_errno(fault, FAULT_QUEUE, "write done/%s", name);
		close(fd);
		return -1;
	}
	outcomes->trimmed = true;
	outcomes->written = lines->len;
	return fd;
}

int
queue_outcomes_write(struct queue_outcomes *outcomes, int done_fd,
    const char *segment, const struct strbuf *lines, struct fault *fault)
{
	char name[QUEUE_NAME_MAX];
	int fd;

	if (lines->len == outcomes->written)
		return 0;
	queue_name_with(name, segment, ".log");
	fd = put_lines(outcomes, done_fd, name, lines, fault);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

int
queue_outcomes_sync(struct queue_outcomes *outcomes, int done_fd,
    const char *segment, const struct strbuf *lines, struct fault *fault)
{
	char name[QUEUE_NAME_MAX];
	int fd, ret = -1;

	queue_name_with(name, segment, ".log");
	fd = put_lines(outcomes, done_fd, name, lines, fault);
	if (fd < 0)
		return -1;
	if (queue_io.fdatasync(fd) < 0) {
		/* A failed sync is never believed: all of it anew. */
		outcomes->written = 0;
		fault_errno(fault, FAULT_QUEUE, "sync done/%s", name);
		goto out;
	}
	if (!outcomes->exists && queue_io.fsync(done_fd) < 0) {
		fault_errno(fault, FAULT_QUEUE, "sync done/ for %s", name);
		goto out;
	}
	outcomes->exists = true;
	outcomes->log_len += lines->len;
	outcomes->written = 0;
	ret = 0;
out:
	close(fd);
	return ret;
}
