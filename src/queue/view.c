/* SPDX-License-Identifier: MIT */
/* A window that slides over a segment and tells lines that hold from what is
   not written yet, cut off or damaged. It never decides what that means: a
   living writer may still be writing, a dead one will not. Reads by pread(2),
   not by mapping: segments shrink under us when their writers seal them. */
#include "config.h"

#include "queue_private.h"

#include "wuts/crypto.h"
#include "wuts/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_FIRST (8 << 10)
#define CHUNK_MAX (256 << 10)
#define LINE_START "{\"v\":1,"
#define LINE_START_LEN 7

void
queue_view_init(struct queue_view *view)
{
	*view = (struct queue_view){ .fd = -1 };
}

void
queue_view_deinit(struct queue_view *view)
{
	free(view->buf);
	queue_view_init(view);
}

void
queue_view_start(struct queue_view *view, int fd, uint32_t owner)
{
	view->fd = fd;
	view->owner = owner;
	view->error = 0;
	view->off = 0;
	view->len = 0;
	view->chunk = CHUNK_FIRST;
}

/* Sequential readers get ever larger reads, a look at one record stays
   small. A buffer that one huge record needed is given back. */
static void
view_fill(struct queue_view *view, uint64_t off, size_t need, uint64_t limit)
{
	size_t want = need > view->chunk ? need : view->chunk;

	if (want > limit - off)
		want = (size_t)(limit - off);
	if (view->chunk < CHUNK_MAX)
		view->chunk *= 2;
	if (view->cap < want || (view->cap > CHUNK_MAX && want <= CHUNK_MAX)) {
		free(view->buf);
		view->cap = want > CHUNK_MAX ? want : CHUNK_MAX;
		if (want <= CHUNK_FIRST)
			view->cap = CHUNK_FIRST;
		view->buf = mem_calloc(view->cap, 1);
	}
	view->off = off;
	view->len = 0;
	while (view->len < want) {
		ssize_t n = pread(view->fd, view->buf + view->len,
		    want - view->len, (off_t)(off + view->len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			view->error = errno;
		if (n <= 0)
			break;
		view->len += (size_t)n;
	}
}

/* The bytes at off: need of them, or as many as there are before limit. */
static char *
view_get(struct queue_view *view, uint64_t off, size_t need, uint64_t limit,
    size_t *avail_r)
{
	uint64_t end;

	*avail_r = 0;
	if (off >= limit)
		return view->buf;
	if (need > limit - off)
		need = (size_t)(limit - off);
	if (off < view->off || off + need > view->off + view->len)
		view_fill(view, off, need, limit);
	end = view->off + view->len;
	if (end > limit)
		end = limit;
	*avail_r = (size_t)(end - off);
	return view->buf + (off - view->off);
}

static enum queue_read
record_read(struct queue_view *view, uint64_t off, uint64_t limit,
    size_t header_len, struct queue_line *line_r)
{
	size_t body_len = line_r->record.body_len, avail, len;
	uint32_t crc;
	char *p;

	len = header_len + body_len + 1;
	if (len > limit - off)
		return QUEUE_READ_SHORT;
	p = view_get(view, off, len, limit, &avail);
	if (view->error != 0)
		return QUEUE_READ_ERROR;
	if (avail < len)
		return QUEUE_READ_SHORT;
	if (p[len - 1] != '\n')
		return QUEUE_READ_BAD;
	crc = crypto_crc32c(0, p, line_r->covered);
	crc = crypto_crc32c(crc, p + header_len, body_len);
	if (crc != line_r->crc)
		return QUEUE_READ_BAD;
	line_r->text = p;
	line_r->len = (uint32_t)len;
	line_r->record.body = p + header_len;
	return QUEUE_READ_OK;
}

enum queue_read
queue_view_line(struct queue_view *view, uint64_t off, uint64_t limit,
    struct queue_line *line_r)
{
	const char *p, *newline;
	size_t avail, header_len;

	p = view_get(view, off, QUEUE_HEADER_MAX, limit, &avail);
	if (view->error != 0)
		return QUEUE_READ_ERROR;
	if (avail == 0)
		return QUEUE_READ_END;
	if (p[0] == '\0')
		return QUEUE_READ_ZERO;
	line_r->text = p;
	if (p[0] == '\n') {
		line_r->kind = QUEUE_LINE_EMPTY;
		line_r->len = 1;
		return QUEUE_READ_OK;
	}
	if (avail > QUEUE_HEADER_MAX)
		avail = QUEUE_HEADER_MAX;
	newline = memchr(p, '\n', avail);
	if (newline == NULL)
		return avail < QUEUE_HEADER_MAX &&
		    memchr(p, '\0', avail) == NULL ?
		    QUEUE_READ_SHORT : QUEUE_READ_BAD;
	header_len = (size_t)(newline - p) + 1;
	if (!queue_header_parse(p, header_len - 1, line_r))
		return QUEUE_READ_BAD;
	if (line_r->kind == QUEUE_LINE_RECORD)
		return record_read(view, off, limit, header_len, line_r);
	line_r->len = (uint32_t)header_len;
	return crypto_crc32c(0, p, line_r->covered) == line_r->crc ?
	    QUEUE_READ_OK : QUEUE_READ_BAD;
}

enum queue_read
queue_view_batch(struct queue_view *view, uint64_t off, uint64_t limit,
    uint64_t *end_r)
{
	struct queue_line line;
	enum queue_read got;
	unsigned more = 0;

	*end_r = off;
	for (bool first = true; first || more > 0; first = false) {
		got = queue_view_line(view, *end_r, limit, &line);
		if (got != QUEUE_READ_OK)
			return got;
		if (line.kind != QUEUE_LINE_RECORD ||
		    (!first && line.more != more - 1))
			return QUEUE_READ_BAD;
		more = line.more;
		*end_r += line.len;
	}
	return QUEUE_READ_OK;
}

bool
queue_view_is_written(struct queue_view *view, uint64_t off, uint64_t limit)
{
	size_t avail;
	const char *p = view_get(view, off, 1, limit, &avail);

	return avail > 0 && *p != '\0';
}

uint64_t
queue_view_resync(struct queue_view *view, uint64_t off, uint64_t limit)
{
	struct queue_line line;

	/* Not only behind a newline: that byte may be the damaged one. A body
	   cannot pose as a line, because no newline follows inside it. */
	while (off < limit) {
		size_t avail;
		const char *p, *found;

		p = view_get(view, off, CHUNK_FIRST, limit, &avail);
		if (avail < LINE_START_LEN)
			break;
		found = memmem(p, avail, LINE_START, LINE_START_LEN);
		if (found == NULL) {
			off += avail - (LINE_START_LEN - 1);
			continue;
		}
		off += (uint64_t)(found - p);
		if (queue_view_line(view, off, limit, &line) == QUEUE_READ_OK)
			return off;
		off++;
	}
	return limit;
}

int
queue_written_end(int fd, uint64_t size, uint64_t *end_r)
{
	static char block[64 << 10];

	while (size > 0) {
		size_t len = size % sizeof(block);
		ssize_t n;

		if (len == 0)
			len = sizeof(block);
		n = pread(fd, block, len, (off_t)(size - len));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		for (size_t i = (size_t)n; i > 0; i--) {
			if (block[i - 1] != '\0') {
				*end_r = size - len + i;
				return 0;
			}
		}
		size -= len;
	}
	*end_r = 0;
	return 0;
}
