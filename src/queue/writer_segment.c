/* SPDX-License-Identifier: MIT */
/* The life of a segment in its writer's hands: within the limits, made
   under a name no reader looks at, locked and allocated before it gets its
   real one, sealed by moving it to ready/. */
#include "config.h"

#include "writer_private.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MEASURE_US 100000
#define ZERO_AHEAD (1 << 20)
#define SMALL_APPEND (16 << 10)

static const char zeros[ZERO_AHEAD];

int
queue_writer_full(struct fault *fault, const char *why)
{
	fault_set(fault, FAULT_QUEUE_FULL, "queue: %s", why);
	fault->retry_after_s = QUEUE_FULL_RETRY_S;
	return -1;
}

static int
failed(struct fault *fault, const char *name, const char *step)
{
	bool is_full = errno == ENOSPC || errno == EDQUOT;

	fault_errno(fault, is_full ? FAULT_QUEUE_FULL : FAULT_QUEUE,
	    "%s queue segment %s", step, name);
	fault->retry_after_s = is_full ? QUEUE_FULL_RETRY_S : 0;
	return -1;
}

static uint64_t
measure_dir(int dir_fd)
{
	struct queue_names names = { NULL, 0, 0 };
	struct stat st;
	uint64_t bytes = 0;

	if (queue_names_list(&names, dir_fd, ".seg") < 0)
		return 0;
	for (size_t i = 0; i < names.n; i++)
		if (fstatat(dir_fd, names.name[i], &st, 0) == 0)
			bytes += (uint64_t)st.st_size;
	queue_names_deinit(&names);
	return bytes;
}

/* Only new segments make the queue larger, and they are rare, unless it is
   full: then every request asks. */
static uint64_t
measure(struct queue_writer *writer)
{
	int64_t now_us = clock_mono_us();

	if (writer->measured_us == 0 ||
	    now_us - writer->measured_us >= MEASURE_US) {
		writer->measured = measure_dir(writer->dirs.open) +
		    measure_dir(writer->dirs.ready);
		writer->measured_us = now_us;
	}
	return writer->measured;
}

int
queue_writer_limits(struct queue_writer *writer, uint64_t need,
    uint64_t *size_r, struct fault *fault)
{
	const struct queue_limits *limits = &writer->limits;
	uint64_t size = limits->segment_bytes;
	struct statvfs disk;

	if (size > QUEUE_APPEND_MAX)
		size = QUEUE_APPEND_MAX;	/* offsets have 32 bits */
	if (limits->max_bytes > 0) {
		uint64_t bytes = measure(writer);

		if (bytes + need > limits->max_bytes)
			return queue_writer_full(fault, "max_bytes reached");
		/* One writer's empty segment must not fill a small queue. */
		if (size > limits->max_bytes / 8)
			size = limits->max_bytes / 8;
		if (size > limits->max_bytes - bytes)
			size = limits->max_bytes - bytes;
	}
	if (size < need)
		size = need;
	if (limits->disk_reserve > 0) {
		uint64_t avail;

		if (fstatvfs(writer->dirs.root, &disk) < 0)
			return failed(fault, "", "measure the disk for a");
		avail = (uint64_t)disk.f_bavail * disk.f_frsize;
		if (avail < limits->disk_reserve + size)
			return queue_writer_full(fault, "disk_reserve reached");
	}
	*size_r = size;
	return 0;
}

/* Blocks for the whole segment now, so that an append never finds the disk
   full. File systems that cannot reserve get zeros. */
static int
allocate(struct writer_segment *seg)
{
	if (queue_io.fallocate(seg->fd, 0, 0, (off_t)seg->size) == 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)
		return -1;
	while (seg->zeroed < seg->size) {
		size_t len = sizeof(zeros);

		if (len > seg->size - seg->zeroed)
			len = (size_t)(seg->size - seg->zeroed);
		if (queue_write_at(seg->fd, zeros, len, seg->zeroed) < 0)
			return -1;
		seg->zeroed += len;
	}
	return 0;
}

static int
make(struct queue_writer *writer, struct writer_segment *seg,
    const char *new_name, struct fault *fault)
{
	seg->fd = openat(writer->dirs.open, new_name,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (seg->fd < 0)
		return failed(fault, seg->name, "create");
	/* Locked before it is seen: a reader finds no moment in which a
	   living writer's segment is free. */
	if (queue_lock(seg->fd) < 0)
		return failed(fault, seg->name, "lock");
	if (allocate(seg) < 0)
		return failed(fault, seg->name, "allocate");
	if (queue_io.fsync(seg->fd) < 0)
		return failed(fault, seg->name, "sync");
	if (queue_io.renameat(writer->dirs.open, new_name, writer->dirs.open,
	    seg->name) < 0)
		return failed(fault, seg->name, "name");
	/* Without this a power cut takes the name, and with it every append
	   that was answered for. */
	if (queue_io.fsync(writer->dirs.open) < 0)
		return failed(fault, seg->name, "sync open/ for");
	return 0;
}

int
queue_writer_segment_new(struct queue_writer *writer, uint64_t need,
    struct writer_segment **seg_r, struct fault *fault)
{
	struct writer_segment *seg;
	char new_name[QUEUE_NAME_MAX + 8];
	uint64_t size;

	*seg_r = NULL;
	if (queue_writer_limits(writer, need, &size, fault) < 0)
		return -1;
	seg = mem_calloc(1, sizeof(*seg));
	seg->fd = -1;
	seg->size = size;
	snprintf(seg->name, sizeof(seg->name), "%s-%08x.seg", writer->stem,
	    ++writer->seq);
	snprintf(new_name, sizeof(new_name), ".new-%s", seg->name);
	writer->measured_us = 0;
	if (make(writer, seg, new_name, fault) < 0) {
		(void)queue_io.unlinkat(writer->dirs.open, new_name, 0);
		(void)queue_io.unlinkat(writer->dirs.open, seg->name, 0);
		queue_writer_segment_close(&seg);
		return -1;
	}
	*seg_r = seg;
	return 0;
}

/* The first sync of a reserved block costs a commit of the file system's
   journal; blocks that hold zeros already do not. So small appends have them
   written a stretch ahead, and large ones, which would write everything
   twice, do not. Failing is harmless: the append itself will tell. */
void
queue_writer_segment_zero(struct writer_segment *seg, size_t len)
{
	uint64_t end = seg->used + len;
	size_t ahead = sizeof(zeros);

	if (end <= seg->zeroed)
		return;
	if (seg->zeroed < seg->used)
		seg->zeroed = seg->used;
	if (len > SMALL_APPEND) {
		seg->zeroed = end;
		return;
	}
	if (ahead > seg->size - seg->zeroed)
		ahead = (size_t)(seg->size - seg->zeroed);
	if (queue_write_at(seg->fd, zeros, ahead, seg->zeroed) == 0)
		seg->zeroed += ahead;
}

static int
seal(struct queue_writer *writer, const struct writer_segment *seg)
{
	if (queue_io.ftruncate(seg->fd, (off_t)seg->used) < 0 ||
	    queue_io.fdatasync(seg->fd) < 0)
		return -1;
	if (queue_io.renameat(writer->dirs.open, seg->name,
	    writer->dirs.ready, seg->name) < 0)
		return -1;
	/* The new name first: between the two syncs a file system without
	   ordering may show both, never none. */
	if (queue_io.fsync(writer->dirs.ready) < 0 ||
	    queue_io.fsync(writer->dirs.open) < 0)
		return -1;
	return 0;
}

void
queue_writer_segment_seal(struct queue_writer *writer,
    struct writer_segment **segp)
{
	const struct writer_segment *seg = *segp;

	if (seg->used == 0)
		(void)queue_io.unlinkat(writer->dirs.open, seg->name, 0);
	else if (seal(writer, seg) < 0)
		log_warn("queue segment=%s seal: %s; left to the spooler",
		    seg->name, strerror(errno));
	writer->measured_us = 0;
	queue_writer_segment_close(segp);
}

void
queue_writer_segment_close(struct writer_segment **segp)
{
	struct writer_segment *seg = *segp;

	*segp = NULL;
	if (seg == NULL)
		return;
	if (seg->fd >= 0)
		close(seg->fd);
	free(seg);
}
