/* SPDX-License-Identifier: MIT */
/* Counting what is in a queue, for the operator. Takes no lock and changes
   nothing: beside a running spooler the numbers are a moment old, and a file
   that goes away while we look has just been finished. */
#include "config.h"

#include "queue_private.h"

#include "wuts/fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct count {
	struct queue_status *status;
	struct queue_outcomes outcomes;
	struct queue_pendings pendings;
};

static void
count_waiting(struct count *count, int64_t created_us, unsigned attempts)
{
	struct queue_status *status = count->status;

	status->waiting++;
	if (attempts > 0)
		status->retrying++;
	if (status->oldest_created_us == 0 ||
	    created_us < status->oldest_created_us)
		status->oldest_created_us = created_us;
}

static void
count_line(struct count *count, uint64_t offset, const struct queue_line *line)
{
	const struct queue_noted *noted;
	struct queue_pending pending;

	if (line->kind == QUEUE_LINE_EMPTY)
		return;
	if (line->kind == QUEUE_LINE_MARK) {
		if (queue_pendings_take_id(&count->pendings, &line->record.id,
		    &pending) && line->commit)
			count_waiting(count, pending.created_us,
			    pending.attempts);
		return;
	}
	noted = queue_outcomes_find(&count->outcomes, (uint32_t)offset);
	if (noted != NULL && queue_outcome_is_final(noted->kind))
		return;
	pending = (struct queue_pending){
		.id = line->record.id,
		.created_us = line->record.created_us,
		.offset = (uint32_t)offset,
		.attempts = noted != NULL ? noted->attempts : 0,
	};
	if (line->prepared && (noted == NULL || !noted->claimed))
		queue_pendings_add(&count->pendings, &pending);
	else
		count_waiting(count, pending.created_us, pending.attempts);
}

/* In an open segment the first thing that does not hold is the end. */
static void
count_lines(struct count *count, int fd, uint64_t size, bool sealed)
{
	struct queue_view view;
	uint64_t offset = 0, batch_end = 0;
	struct queue_line line;

	queue_view_init(&view);
	queue_view_start(&view, fd, 0);
	while (view.error == 0 && offset < size) {
		enum queue_read got;

		got = queue_view_line(&view, offset, size, &line);
		if (got == QUEUE_READ_OK && !sealed && offset >= batch_end &&
		    line.kind == QUEUE_LINE_RECORD && line.more > 0) {
			got = queue_view_batch(&view, offset, size,
			    &batch_end);
			if (got == QUEUE_READ_OK)
				got = queue_view_line(&view, offset, size,
				    &line);
		}
		if (got == QUEUE_READ_OK) {
			count_line(count, offset, &line);
			offset += line.len;
		} else if (!sealed || got == QUEUE_READ_END) {
			break;
		} else {
			offset = queue_view_resync(&view, offset + 1, size);
		}
	}
	queue_view_deinit(&view);
}

static int
count_segment(const struct queue_dirs *dirs, const char *name,
    struct queue_status *status, struct fault *fault)
{
	struct count count = { .status = status };
	bool sealed = false;
	struct stat st;
	int fd;

	fd = openat(dirs->open, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		sealed = true;
		fd = openat(dirs->ready, name, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		return errno == ENOENT ? 0 : fault_errno(fault, FAULT_QUEUE,
		    "open segment %s", name);
	if (fstat(fd, &st) < 0 || queue_outcomes_load(&count.outcomes,
	    dirs->done, name, fault) < 0) {
		close(fd);
		return fault_prefix(fault, "segment %s", name);
	}
	if (sealed)
		status->segments_ready++;
	else
		status->segments_open++;
	status->bytes += (uint64_t)st.st_size;
	count_lines(&count, fd, (uint64_t)st.st_size, sealed);
	status->prepared += count.pendings.n;
	queue_outcomes_forget(&count.outcomes);
	free(count.pendings.item);
	close(fd);
	return 0;
}

static void
count_letters(int dead_fd, const char *name, struct queue_status *status)
{
	struct queue_view view;
	struct queue_line line;
	struct stat st;
	uint64_t offset = 0, size;
	int fd;

	fd = openat(dead_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	size = fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
	queue_view_init(&view);
	queue_view_start(&view, fd, 0);
	while (view.error == 0 && offset < size) {
		if (queue_view_line(&view, offset, size, &line) !=
		    QUEUE_READ_OK) {
			offset = queue_view_resync(&view, offset + 1, size);
			continue;
		}
		if (line.kind == QUEUE_LINE_RECORD)
			status->dead++;
		offset += line.len;
	}
	queue_view_deinit(&view);
	close(fd);
}

static void
count_dead(int dead_fd, struct queue_status *status)
{
	struct queue_names names = { NULL, 0, 0 };

	if (dead_fd < 0 || queue_names_list(&names, dead_fd, ".seg") < 0)
		return;
	for (size_t i = 0; i < names.n; i++)
		count_letters(dead_fd, names.name[i], status);
	queue_names_deinit(&names);
}

static void
count_corrupt(int corrupt_fd, struct queue_status *status)
{
	const struct dirent *entry;
	DIR *dir;
	int fd;

	fd = openat(corrupt_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			status->corrupt++;
	closedir(dir);
}

static bool
reader_runs(int root_fd)
{
	bool runs;
	int fd;

	fd = openat(root_fd, "reader.lock", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	runs = queue_is_locked(fd);
	close(fd);
	return runs;
}

int
queue_status_read(const char *dir, struct queue_status *status_r,
    struct fault *fault)
{
	struct queue_names open = { NULL, 0, 0 }, ready = { NULL, 0, 0 };
	struct queue_dirs dirs;
	int ret = -1;

	*status_r = (struct queue_status){ .waiting = 0 };
	if (queue_dirs_open(&dirs, dir, false, fault) < 0)
		return -1;
	/* In this order none that is being sealed is missed; it may be in both
	   lists. */
	if ((dirs.open >= 0 &&
	    queue_names_list(&open, dirs.open, ".seg") < 0) ||
	    (dirs.ready >= 0 &&
	    queue_names_list(&ready, dirs.ready, ".seg") < 0)) {
		fault_errno(fault, FAULT_QUEUE, "list queue %s", dir);
		goto out;
	}
	queue_names_take_superseded(&ready, NULL);
	for (size_t i = 0; i < open.n; i++)
		if (!queue_names_has(&ready, open.name[i]) &&
		    count_segment(&dirs, open.name[i], status_r, fault) < 0)
			goto out;
	for (size_t i = 0; i < ready.n; i++)
		if (count_segment(&dirs, ready.name[i], status_r, fault) < 0)
			goto out;
	count_dead(dirs.dead, status_r);
	count_corrupt(dirs.corrupt, status_r);
	status_r->reader_runs = reader_runs(dirs.root);
	ret = 0;
out:
	queue_names_deinit(&open);
	queue_names_deinit(&ready);
	queue_dirs_close(&dirs);
	return ret;
}
