/* SPDX-License-Identifier: MIT */
/* Dead letters: the lines of a record as they were, in a file for each day.
   They are on the disk before the outcome log says so; a crash in between
   leaves the letter twice, never not at all. */
#include "config.h"

#include "reader_private.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_LEN 10	/* 2026-06-15 */

static void
day_name(int64_t wall_us, char name[DAY_LEN + 5])
{
	char text[CLOCK_RFC3339_SIZE];

	clock_format(wall_us, text);
	memcpy(name, text, DAY_LEN);
	memcpy(name + DAY_LEN, ".seg", 5);
}

/* The records' lines. One that is damaged by now is set aside and counts as
   done all the same; one that cannot be read now is left for the next start. */
static void
collect(struct queue_reader *reader, struct strbuf *text)
{
	struct fault fault = { .code = FAULT_NONE };
	struct queue_line line;
	bool bad;

	for (size_t i = 0; i < reader->ndying; i++) {
		uint32_t offset = reader->dying[i].pos.offset;
		struct queue_segment *seg = queue_segment_get(reader,
		    reader->dying[i].pos.segment);
		struct queue_view *view;

		if (seg == NULL)
			continue;
		view = queue_load_view(reader, seg, offset);
		if (queue_segment_line(reader, seg, offset, view, &line, &bad,
		    &fault) == 0) {
			strbuf_append(text, line.text, line.len);
			continue;
		}
		log_error("queue dead letter: %s", fault.text);
		if (bad)
			queue_segment_set_aside(reader, seg, offset,
			    queue_view_resync(view,
			    (uint64_t)offset + 1, seg->size));
		else
			seg->kept = reader->dying[i].unread = true;
	}
}

/* What a crash tore at the end of the file: it begins like a letter and ends
   too early. Its record is not finished and dies again. Other damage stays. */
static void
cut_torn(struct queue_reader *reader, int fd, const char *name,
    uint64_t *size)
{
	struct queue_view *view = &reader->mark_view;
	struct queue_line line;
	uint64_t offset = 0, next;
	enum queue_read got;

	queue_view_start(view, fd, UINT32_MAX);
	while ((got = queue_view_line(view, offset, *size, &line)) !=
	    QUEUE_READ_END && got != QUEUE_READ_ERROR) {
		if (got == QUEUE_READ_OK) {
			offset += line.len;
			continue;
		}
		next = queue_view_resync(view, offset + 1, *size);
		if (got == QUEUE_READ_SHORT && next == *size &&
		    queue_io.ftruncate(fd, (off_t)offset) == 0) {
			log_info("queue dead/%s %" PRIu64 " bytes of a torn"
			    " letter cut", name, *size - offset);
			*size = offset;
		}
		offset = next < *size ? next : *size;
	}
	queue_view_start(view, -1, 0);
}

static int
append(struct queue_reader *reader, const struct strbuf *text,
    struct fault *fault)
{
	char name[DAY_LEN + 5];
	uint64_t size = 0;
	struct stat st;
	int fd, ret = -1;

	day_name(clock_wall_us(), name);
	fd = openat(reader->dirs.dead, name, O_RDWR | O_CREAT | O_CLOEXEC,
	    0600);
	if (fd < 0)
		return fault_errno(fault, FAULT_QUEUE, "open dead/%s", name);
	if (fstat(fd, &st) < 0) {
		fault_errno(fault, FAULT_QUEUE, "open dead/%s", name);
		goto out;
	}
	size = (uint64_t)st.st_size;
	/* Once a run and file; who reads it all the day knows how it ends. */
	if (strcmp(reader->dead_name, name) != 0) {
		cut_torn(reader, fd, name, &size);
		strcpy(reader->dead_name, name);
	}
	/* Damage before is ended by the empty line, and whoever reads dead
	   letters finds the next. A failed write is cut off again. */
	if (queue_write_at(fd, "\n", 1, size) < 0 ||
	    queue_write_at(fd, text->data, text->len, size + 1) < 0 ||
	    queue_io.fdatasync(fd) < 0) {
		fault_errno(fault, FAULT_QUEUE, "write dead/%s", name);
		(void)queue_io.ftruncate(fd, (off_t)size);
		goto out;
	}
	if (size == 0 && queue_io.fsync(reader->dirs.dead) < 0) {
		fault_errno(fault, FAULT_QUEUE, "sync dead/ for %s", name);
		goto out;
	}
	ret = 0;
out:
	close(fd);
	return ret;
}

int
queue_dead_write(struct queue_reader *reader, struct fault *fault)
{
	struct strbuf text = STRBUF_INIT;
	int ret = 0;

	if (reader->ndying == 0)
		return 0;
	collect(reader, &text);
	if (text.len > 0)
		ret = append(reader, &text, fault);
	strbuf_deinit(&text);
	if (ret < 0)
		return -1;
	for (size_t i = 0; i < reader->ndying; i++) {
		const struct queue_dying *dying = &reader->dying[i];
		struct queue_segment *seg = queue_segment_get(reader,
		    dying->pos.segment);

		if (seg == NULL)
			continue;
		if (!dying->unread) {
			queue_outcome_format(&seg->lines, QUEUE_NOTE_DEAD,
			    dying->pos.offset, dying->attempts, 0);
			seg->account.terms[QUEUE_TERM_DEAD]++;
		}
		seg->dying--;
	}
	reader->ndying = 0;
	return 0;
}

bool
queue_dead_is_day(const char *name, const char *suffix)
{
	static const char shape[] = "dddd-dd-dd";

	if (strlen(name) != DAY_LEN + strlen(suffix) ||
	    strcmp(name + DAY_LEN, suffix) != 0)
		return false;
	for (size_t i = 0; i < sizeof(shape) - 1; i++) {
		bool digit = name[i] >= '0' && name[i] <= '9';

		if (shape[i] == 'd' ? !digit : name[i] != shape[i])
			return false;
	}
	return true;
}

void
queue_dead_expire(const char *dir, int64_t before_us)
{
	char path[4096], first[DAY_LEN + 5];
	const struct dirent *entry;
	DIR *dead;

	if ((size_t)snprintf(path, sizeof(path), "%s/dead", dir) >=
	    sizeof(path))
		return;
	dead = opendir(path);
	if (dead == NULL) {
		if (errno != ENOENT)
			log_warn("queue open %s: %s", path, strerror(errno));
		return;
	}
	day_name(before_us > 0 ? before_us : 0, first);
	while ((entry = readdir(dead)) != NULL) {
		if ((!queue_dead_is_day(entry->d_name, ".seg") &&
		    !queue_dead_is_day(entry->d_name, ".log")) ||
		    strncmp(entry->d_name, first, DAY_LEN) >= 0)
			continue;
		if (queue_io.unlinkat(dirfd(dead), entry->d_name, 0) < 0)
			log_warn("queue dead/%s: %s", entry->d_name,
			    strerror(errno));
		else
			log_info("queue dead/%s expired", entry->d_name);
	}
	closedir(dead);
}
