/* SPDX-License-Identifier: MIT */
/* What a dead writer leaves in open/. Its last append may be there in part:
   that was never answered for, and is cut. Everything before it stays, also
   what is damaged, for the scan of the sealed segment to judge. */
#include "config.h"

#include "reader_private.h"

#include "wuts/fault.h"
#include "wuts/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Does the written part end like a synced append, with an empty line? */
static bool
ends_shown(int fd, uint64_t end)
{
	char last[2];

	return end >= 2 && pread(fd, last, 2, (off_t)(end - 2)) == 2 &&
	    last[0] == '\n' && last[1] == '\n';
}

/* Where to cut: written_end, or the start of a last append that is torn. Torn
   is only what begins well, ends too early and has nothing that holds behind
   it; all else is damage and not ours to cut. */
static int
find_end(struct queue_reader *reader, const struct queue_segment *seg,
    int fd, uint64_t written_end, uint64_t *end_r)
{
	struct queue_view *view = &reader->scan_view;
	uint64_t off = seg->scan_off, at, next;
	struct queue_line line;
	enum queue_read got;

	*end_r = written_end;
	queue_view_start(view, fd, seg->number);
	while (off < written_end) {
		at = off;
		got = queue_view_line(view, off, written_end, &line);
		if (got == QUEUE_READ_OK && line.kind == QUEUE_LINE_RECORD)
			got = queue_view_batch(view, off, written_end, &at);
		else if (got == QUEUE_READ_OK)
			at = off + line.len;
		if (got == QUEUE_READ_OK) {
			off = at;
			continue;
		}
		if (got == QUEUE_READ_ERROR) {
			errno = view->error;
			return -1;
		}
		next = queue_view_resync(view, at + 1, written_end);
		if (next == written_end &&
		    (got == QUEUE_READ_SHORT || got == QUEUE_READ_END) &&
		    !ends_shown(fd, written_end)) {
			*end_r = off;
			return 0;
		}
		off = next;
	}
	return 0;
}

static int
move_to_ready(struct queue_reader *reader, const struct queue_segment *seg,
    int fd, uint64_t end)
{
	if (queue_io.ftruncate(fd, (off_t)end) < 0 ||
	    queue_io.fdatasync(fd) < 0)
		return -1;
	if (queue_io.renameat(reader->dirs.open, seg->name,
	    reader->dirs.ready, seg->name) < 0)
		return -1;
	if (queue_io.fsync(reader->dirs.ready) < 0 ||
	    queue_io.fsync(reader->dirs.open) < 0)
		return -1;
	return 0;
}

/* Its writer sealed or removed it between two looks of ours. 1: so it is. */
static int
has_moved(struct queue_reader *reader, struct queue_segment *seg)
{
	struct stat st;

	if (fstatat(reader->dirs.open, seg->name, &st, 0) == 0)
		return 0;
	if (fstatat(reader->dirs.ready, seg->name, &st, 0) == 0)
		queue_segment_found(reader, seg->name);
	else if (seg->live == 0 && seg->scan_off == 0)
		queue_segment_remove(reader, seg);
	return 1;
}

int
queue_adopt_segment(struct queue_reader *reader, struct queue_segment *seg,
    struct fault *fault)
{
	uint64_t written_end, end;
	struct stat st;
	int fd;

	if (has_moved(reader, seg))
		return 0;
	fd = queue_segment_fd(reader, seg);
	if (fd < 0 || fstat(fd, &st) < 0 ||
	    queue_written_end(fd, (uint64_t)st.st_size, &written_end) < 0)
		return fault_errno(fault, FAULT_QUEUE, "adopt segment %s",
		    seg->name);
	if (written_end == 0) {
		(void)queue_io.unlinkat(reader->dirs.open, seg->name, 0);
		queue_segment_remove(reader, seg);
		return 0;
	}
	if (written_end < seg->scan_off)
		written_end = seg->scan_off;
	if (find_end(reader, seg, fd, written_end, &end) < 0 ||
	    move_to_ready(reader, seg, fd, end) < 0)
		return fault_errno(fault, FAULT_QUEUE, "adopt segment %s",
		    seg->name);
	log_info("queue segment=%s sealed for its writer, %" PRIu64
	    " bytes, %" PRIu64 " of an unfinished append cut", seg->name, end,
	    written_end - end);
	seg->size = end;
	seg->sealed = true;
	seg->dirty = true;
	return 0;
}
