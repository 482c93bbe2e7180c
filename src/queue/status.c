/* SPDX-License-Identifier: MIT */
/* Counting what is in a queue, for the operator. */
#include "config.h"

#include "queue_private.h"

#include "wuts/fault.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void
count_file(void *ctx, const char *file, uint64_t bytes)
{
	struct queue_status *status = ctx;

	if (strncmp(file, "open/", 5) == 0)
		status->segments_open++;
	else if (strncmp(file, "ready/", 6) == 0)
		status->segments_ready++;
	else
		return;
	status->bytes += bytes;
}

static bool
count_entry(void *ctx, const struct queue_entry *entry)
{
	struct queue_status *status = ctx;
	int64_t created_us = entry->record.created_us;

	switch (entry->state) {
	case QUEUE_STATE_RETRYING:
		status->retrying++;
		/* fall through */
	case QUEUE_STATE_WAITING:
		status->waiting++;
		if (status->oldest_created_us == 0 ||
		    created_us < status->oldest_created_us)
			status->oldest_created_us = created_us;
		break;
	case QUEUE_STATE_PREPARED:
		status->prepared++;
		break;
	case QUEUE_STATE_DEAD:
		status->dead++;
		break;
	default:
		break;
	}
	return true;
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

int
queue_status_read(const char *dir, struct queue_status *status_r,
    struct fault *fault)
{
	const struct queue_walk_files files = { count_file, status_r };
	const struct queue_visitor visitor = {
		.entry = count_entry, .ctx = status_r,
	};
	struct queue_dirs dirs;
	int ret;

	*status_r = (struct queue_status){ .waiting = 0 };
	if (queue_dirs_open(&dirs, dir, false, fault) < 0)
		return -1;
	ret = queue_walk(&dirs, &visitor, &files, fault);
	count_corrupt(dirs.corrupt, status_r);
	status_r->reader_runs = queue_reader_runs(dirs.root);
	queue_dirs_close(&dirs);
	return ret;
}
