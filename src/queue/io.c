/* SPDX-License-Identifier: MIT */
/* The queue's ground: system calls that tests may replace, its directories,
   its file names, its locks. */
#include "config.h"

#include "queue_private.h"

#include "wuts/fault.h"
#include "wuts/file.h"
#include "wuts/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct queue_io queue_io = {
	.pwrite = pwrite,
	.fdatasync = fdatasync,
	.fsync = fsync,
	.fallocate = fallocate,
	.ftruncate = ftruncate,
	.renameat = renameat,
	.unlinkat = unlinkat,
};

int
queue_write_at(int fd, const void *data, size_t len, uint64_t offset)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = queue_io.pwrite(fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0) {
			errno = EIO;
			return -1;
		}
		p += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

static int
dir_open(int at_fd, const char *name, bool make, bool *made_r)
{
	if (make) {
		if (mkdirat(at_fd, name, 0700) == 0)
			*made_r = true;
		else if (errno != EEXIST)
			return -1;
	}
	return openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A queue whose own name is not on the disk yet would lose everything with
   it. Its parent may not be readable for us: then it was made by others. */
static int
root_sync(int root_fd)
{
	int parent_fd, ret = 0;

	if (queue_io.fsync(root_fd) < 0)
		return -1;
	parent_fd = openat(root_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent_fd >= 0) {
		ret = queue_io.fsync(parent_fd);
		close(parent_fd);
	}
	return ret;
}

int
queue_dirs_open(struct queue_dirs *dirs_r, const char *dir, bool make,
    struct fault *fault)
{
	static const char *const names[] = {
		"open", "ready", "done", "dead", "corrupt", "requests"
	};
	int *const fds[] = {
		&dirs_r->open, &dirs_r->ready, &dirs_r->done, &dirs_r->dead,
		&dirs_r->corrupt, &dirs_r->requests
	};
	bool made = false;

	*dirs_r = (struct queue_dirs){ -1, -1, -1, -1, -1, -1, -1 };
	if (make && file_make_dirs(dir, 0700, fault) < 0) {
		fault->code = FAULT_QUEUE;
		return fault_prefix(fault, "queue");
	}
	dirs_r->root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirs_r->root < 0)
		return fault_errno(fault, FAULT_QUEUE, "open queue %s", dir);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		*fds[i] = dir_open(dirs_r->root, names[i], make, &made);
		if (*fds[i] < 0 && (make || errno != ENOENT)) {
			fault_errno(fault, FAULT_QUEUE, "open queue %s/%s",
			    dir, names[i]);
			queue_dirs_close(dirs_r);
			return -1;
		}
	}
	if (made && root_sync(dirs_r->root) < 0) {
		fault_errno(fault, FAULT_QUEUE, "sync queue %s", dir);
		queue_dirs_close(dirs_r);
		return -1;
	}
	return 0;
}

void
queue_dirs_close(struct queue_dirs *dirs)
{
	const int fds[] = {
		dirs->root, dirs->open, dirs->ready, dirs->done, dirs->dead,
		dirs->corrupt, dirs->requests
	};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	*dirs = (struct queue_dirs){ -1, -1, -1, -1, -1, -1, -1 };
}

bool
queue_is_name(const char *name, const char *suffix)
{
	size_t len = strlen(name), suffix_len = strlen(suffix);

	if (len <= suffix_len || len >= QUEUE_NAME_MAX || name[0] == '.' ||
	    strcmp(name + len - suffix_len, suffix) != 0)
		return false;
	return strspn(name, "0123456789abcdef.-") >= len - suffix_len;
}

void
queue_name_with(char out[QUEUE_NAME_MAX], const char *segment,
    const char *suffix)
{
	snprintf(out, QUEUE_NAME_MAX, "%.*s%s", (int)(strlen(segment) - 4),
	    segment, suffix);
}

/* The generation of a segment, 0 as its writer made it; *base_r is the length
   of the name that all generations share. */
static unsigned long
generation_of(const char *name, size_t *base_r)
{
	const char *dash = strrchr(name, '-'), *dot;

	dot = strchr(dash != NULL ? dash : name, '.');
	*base_r = (size_t)(dot - name);
	return strcmp(dot, ".seg") == 0 ? 0 : strtoul(dot + 1, NULL, 16);
}

void
queue_name_next(char out[QUEUE_NAME_MAX], const char *segment)
{
	unsigned long generation;
	size_t base;

	generation = generation_of(segment, &base);
	snprintf(out, QUEUE_NAME_MAX, "%.*s.%lx.seg", (int)base, segment,
	    generation + 1);
}

void
queue_names_add(struct queue_names *names, const char *name)
{
	if (names->n == names->cap) {
		names->cap = names->cap > 0 ? names->cap * 2 : 64;
		names->name = mem_realloc(names->name, names->cap,
		    sizeof(*names->name));
	}
	strcpy(names->name[names->n++], name);
}

static int
name_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

int
queue_names_list(struct queue_names *names, int dir_fd, const char *suffix)
{
	const struct dirent *entry;
	DIR *dir;
	int fd;

	fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	dir = fdopendir(fd);
	if (dir == NULL) {
		close(fd);
		return -1;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (!queue_is_name(entry->d_name, suffix))
			continue;
		queue_names_add(names, entry->d_name);
	}
	closedir(dir);
	if (names->n > 0)
		qsort(names->name, names->n, sizeof(*names->name),
		    name_compare);
	return 0;
}

bool
queue_names_has(const struct queue_names *names, const char *name)
{
	return names->n > 0 && bsearch(name, names->name, names->n,
	    sizeof(*names->name), name_compare) != NULL;
}

static bool
is_superseded(const struct queue_names *names, const char *name)
{
	unsigned long generation, other;
	size_t base, other_base;

	generation = generation_of(name, &base);
	for (size_t i = 0; i < names->n; i++) {
		other = generation_of(names->name[i], &other_base);
		if (other > generation && other_base == base &&
		    memcmp(names->name[i], name, base) == 0)
			return true;
	}
	return false;
}

void
queue_names_take_superseded(struct queue_names *names,
    struct queue_names *old)
{
	struct queue_names rewritten = { NULL, 0, 0 };
	size_t base, kept = 0;

	for (size_t i = 0; i < names->n; i++)
		if (generation_of(names->name[i], &base) > 0)
			queue_names_add(&rewritten, names->name[i]);
	for (size_t i = 0; i < names->n && rewritten.n > 0; i++) {
		if (!is_superseded(&rewritten, names->name[i]))
			memmove(names->name[kept++], names->name[i],
			    sizeof(*names->name));
		else if (old != NULL)
			queue_names_add(old, names->name[i]);
	}
	if (rewritten.n > 0)
		names->n = kept;
	queue_names_deinit(&rewritten);
}

void
queue_names_deinit(struct queue_names *names)
{
	free(names->name);
	*names = (struct queue_names){ NULL, 0, 0 };
}

int
queue_lock(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &lock);
}

bool
queue_is_locked(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	/* Who cannot be asked is taken for alive. */
	return fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
}
