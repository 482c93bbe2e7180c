/* SPDX-License-Identifier: MIT */
/* The segments a reader knows: found, opened when needed, forgotten. A few
   hundred bytes each and nothing for each record, so that a million records
   waiting cost what their segments cost. */
#include "config.h"

#include "reader_private.h"

#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
queue_pendings_add(struct queue_pendings *pendings,
    const struct queue_pending *pending)
{
	if (pendings->n == pendings->cap) {
		pendings->cap = pendings->cap * 2 + 8;
		pendings->item = mem_realloc(pendings->item, pendings->cap,
		    sizeof(*pendings->item));
	}
	pendings->item[pendings->n++] = *pending;
}

static void
take(struct queue_pendings *pendings, size_t i,
    struct queue_pending *pending_r)
{
	*pending_r = pendings->item[i];
	pendings->item[i] = pendings->item[--pendings->n];
}

bool
queue_pendings_take_id(struct queue_pendings *pendings, const struct uuid *id,
    struct queue_pending *pending_r)
{
	for (size_t i = pendings->n; i > 0; i--) {
		if (uuid_is_equal(&pendings->item[i - 1].id, id)) {
			take(pendings, i - 1, pending_r);
			return true;
		}
	}
	return false;
}

bool
queue_pendings_take_offset(struct queue_pendings *pendings, uint32_t offset,
    struct queue_pending *pending_r)
{
	for (size_t i = 0; i < pendings->n; i++) {
		if (pendings->item[i].offset == offset) {
			take(pendings, i, pending_r);
			return true;
		}
	}
	return false;
}

struct queue_segment *
queue_segment_find(const struct queue_reader *reader, const char *name)
{
	for (size_t i = reader->nsegments; i > 0; i--)
		if (strcmp(reader->segments[i - 1]->name, name) == 0)
			return reader->segments[i - 1];
	return NULL;
}

/* Where is it, and how large? A segment moves from open/ to ready/ only, so
   one look at each in this order cannot miss it. */
static int
look(const struct queue_reader *reader, const char *name, bool *sealed_r,
    uint64_t *size_r)
{
	struct stat st;

	*sealed_r = false;
	if (fstatat(reader->dirs.open, name, &st, 0) < 0) {
		*sealed_r = true;
		if (fstatat(reader->dirs.ready, name, &st, 0) < 0)
			return -1;
	}
	*size_r = (uint64_t)st.st_size;
	return 0;
}

void
queue_segment_found(struct queue_reader *reader, const char *name)
{
	struct queue_segment *seg;
	uint64_t size;
	bool sealed;

	if (!queue_is_name(name, ".seg") ||
	    look(reader, name, &sealed, &size) < 0)
		return;
	seg = queue_segment_find(reader, name);
	if (seg != NULL) {
		if (sealed && !seg->sealed) {
			seg->sealed = true;
			seg->dirty = true;
		}
		if (!seg->scanned)
			seg->size = size;
		return;
	}
	if (reader->nsegments == reader->segments_cap) {
		reader->segments_cap = reader->segments_cap * 2 + 64;
		reader->segments = mem_realloc(reader->segments,
		    reader->segments_cap, sizeof(*reader->segments));
	}
	seg = mem_calloc(1, sizeof(*seg));
	strcpy(seg->name, name);
	seg->number = reader->next_number++;
	seg->fd = -1;
	seg->sealed = sealed;
	seg->size = size;
	seg->dirty = true;
	reader->segments[reader->nsegments++] = seg;
}

/* Numbers only grow, so the array is sorted. */
static size_t
index_of(const struct queue_reader *reader, uint32_t number)
{
	size_t low = 0, high = reader->nsegments;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (reader->segments[middle]->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct queue_segment *
queue_segment_get(struct queue_reader *reader, uint32_t number)
{
	size_t i = index_of(reader, number);

	if (i == reader->nsegments || reader->segments[i]->number != number)
		return NULL;
	return reader->segments[i];
}

static void
segment_fd_close(struct queue_reader *reader, struct queue_segment *seg)
{
	if (seg->fd < 0)
		return;
	close(seg->fd);
	seg->fd = -1;
	reader->nopen--;
}

static void
close_oldest(struct queue_reader *reader)
{
	struct queue_segment *oldest = NULL;

	for (size_t i = 0; i < reader->nsegments; i++) {
		struct queue_segment *seg = reader->segments[i];

		if (seg->fd >= 0 && seg != reader->busy &&
		    (oldest == NULL || seg->used_tick < oldest->used_tick))
			oldest = seg;
	}
	if (oldest != NULL)
		segment_fd_close(reader, oldest);
}

int
queue_segment_fd(struct queue_reader *reader, struct queue_segment *seg)
{
	seg->used_tick = ++reader->tick;
	if (seg->fd >= 0)
		return seg->fd;
	if (reader->nopen >= QUEUE_OPEN_FDS)
		close_oldest(reader);
	if (!seg->sealed)
		seg->fd = openat(reader->dirs.open, seg->name,
		    O_RDWR | O_CLOEXEC);
	/* Sealed since we looked? */
	if (seg->fd < 0)
		seg->fd = openat(reader->dirs.ready, seg->name,
		    O_RDWR | O_CLOEXEC);
	if (seg->fd < 0)
		return -1;
	reader->nopen++;
	return seg->fd;
}

bool
queue_segment_place(const struct queue_segment *seg, uint32_t offset,
    uint32_t *place_r)
{
	size_t low = 0, high = seg->nmoved;

	*place_r = offset;
	if (seg->moved == NULL)
		return true;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (seg->moved[middle].from == offset) {
			*place_r = seg->moved[middle].to;
			return true;
		}
		if (seg->moved[middle].from < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

uint32_t
queue_segment_known_as(const struct queue_segment *seg, uint32_t place)
{
	size_t low = 0, high = seg->nmoved;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (seg->moved[middle].to == place)
			return seg->moved[middle].from;
		if (seg->moved[middle].to < place)
			low = middle + 1;
		else
			high = middle;
	}
	return place;
}

static void
view_forget(struct queue_view *view, const struct queue_segment *seg)
{
	if (view->owner == seg->number)
		queue_view_start(view, -1, 0);
}

void
queue_segment_rewritten(struct queue_reader *reader,
    struct queue_segment *seg, const char *name, uint64_t size,
    struct queue_moved *moved, size_t nmoved)
{
	/* What the views remember is the old file's, and its descriptor may
	   become the new one's. */
	view_forget(&reader->scan_view, seg);
	for (size_t i = 0; i < QUEUE_LOAD_VIEWS; i++)
		view_forget(&reader->load_views[i], seg);
	view_forget(&reader->mark_view, seg);
	segment_fd_close(reader, seg);
	strcpy(seg->name, name);
	seg->size = seg->scan_off = size;
	free(seg->moved);
	seg->moved = moved;
	seg->nmoved = nmoved;
	seg->records = (uint32_t)nmoved;
}

void
queue_segment_remove(struct queue_reader *reader, struct queue_segment *seg)
{
	size_t i = index_of(reader, seg->number);

	segment_fd_close(reader, seg);
	memmove(&reader->segments[i], &reader->segments[i + 1],
	    (reader->nsegments - i - 1) * sizeof(*reader->segments));
	reader->nsegments--;
	queue_outcomes_forget(&seg->outcomes);
	strbuf_deinit(&seg->lines);
	free(seg->pendings.item);
	free(seg->moved);
	free(seg);
}

int
queue_segment_line(struct queue_reader *reader, struct queue_segment *seg,
    uint32_t offset, struct queue_view *view, struct queue_line *line_r,
    bool *bad_r, struct fault *fault)
{
	enum queue_read got = QUEUE_READ_BAD;
	int fd;

	*bad_r = false;
	fd = queue_segment_fd(reader, seg);
	if (fd < 0)
		return fault_errno(fault, FAULT_QUEUE, "open segment %s",
		    seg->name);
	/* What the view remembers may be older than the record. */
	if (view->fd == fd && view->owner == seg->number && view->error == 0)
		got = queue_view_line(view, offset, seg->size, line_r);
	if (got != QUEUE_READ_OK) {
		queue_view_start(view, fd, seg->number);
		got = queue_view_line(view, offset, seg->size, line_r);
	}
	if (got == QUEUE_READ_ERROR) {
		errno = view->error;
		return fault_errno(fault, FAULT_QUEUE, "read segment %s at %"
		    PRIu32, seg->name, offset);
	}
	if (got != QUEUE_READ_OK || line_r->kind != QUEUE_LINE_RECORD) {
		*bad_r = true;
		return fault_set(fault, FAULT_QUEUE,
		    "segment %s: the record at %" PRIu32 " is damaged",
		    seg->name, offset);
	}
	return 0;
}

struct queue_view *
queue_load_view(struct queue_reader *reader, const struct queue_segment *seg,
    uint32_t offset)
{
	struct queue_view *oldest = &reader->load_views[0];

	reader->view_tick++;
	for (size_t i = 0; i < QUEUE_LOAD_VIEWS; i++) {
		struct queue_view *view = &reader->load_views[i];

		if (view->owner == seg->number && view->fd >= 0 &&
		    offset >= view->off && offset <= view->off + view->len) {
			view->used = reader->view_tick;
			return view;
		}
		if (view->used < oldest->used)
			oldest = view;
	}
	/* A look at one record is small until others follow it. */
	queue_view_start(oldest, -1, 0);
	oldest->used = reader->view_tick;
	return oldest;
}

static int
copy_span(int from_fd, int to_fd, uint64_t from, uint64_t to)
{
	static char block[64 << 10];
	uint64_t at = 0;

	while (from < to) {
		size_t len = sizeof(block);
		ssize_t n;

		if (len > to - from)
			len = (size_t)(to - from);
		n = pread(from_fd, block, len, (off_t)from);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		if (queue_write_at(to_fd, block, (size_t)n, at) < 0)
			return -1;
		at += (uint64_t)n;
		from += (uint64_t)n;
	}
	return queue_io.fsync(to_fd);
}

/* 1: copied, 0: an earlier run did, -1. */
static int
set_aside(struct queue_reader *reader, struct queue_segment *seg,
    uint64_t from, uint64_t to)
{
	char name[QUEUE_NAME_MAX + 32], new_name[QUEUE_NAME_MAX + 40];
	struct stat st;
	int fd, to_fd, ret = -1;

	snprintf(name, sizeof(name), "%.*s-%" PRIu64 ".bad",
	    (int)(strlen(seg->name) - 4), seg->name, from);
	if (fstatat(reader->dirs.corrupt, name, &st, 0) == 0 &&
	    (uint64_t)st.st_size >= to - from)
		return 0;
	fd = queue_segment_fd(reader, seg);
	if (fd < 0)
		return -1;
	snprintf(new_name, sizeof(new_name), ".new-%s", name);
	to_fd = openat(reader->dirs.corrupt, new_name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (to_fd < 0)
		return -1;
	if (copy_span(fd, to_fd, from, to) == 0 &&
	    queue_io.renameat(reader->dirs.corrupt, new_name,
	    reader->dirs.corrupt, name) == 0 &&
	    queue_io.fsync(reader->dirs.corrupt) == 0)
		ret = 1;
	close(to_fd);
	return ret;
}

void
queue_segment_set_aside(struct queue_reader *reader,
    struct queue_segment *seg, uint64_t from, uint64_t to)
{
	int copied = set_aside(reader, seg, from, to);

	if (copied > 0)
		log_warn("queue segment=%s offset=%" PRIu64 " %" PRIu64
		    " damaged bytes set aside in corrupt/", seg->name, from,
		    to - from);
	if (copied < 0) {
		log_error("queue segment=%s offset=%" PRIu64 " %" PRIu64
		    " damaged bytes could not be set aside: %s", seg->name,
		    from, to - from, strerror(errno));
		seg->kept = true;
	}
}
