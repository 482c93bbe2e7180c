/* SPDX-License-Identifier: MIT */
/* Whole files: read, replaced durably; directories made. */
#include "config.h"

#include "wuts/file.h"

#include "wuts/arena.h"
#include "wuts/fault.h"
#include "wuts/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES 65536

int
file_read(const char *path, size_t max_len, struct strbuf *out,
    struct fault *fault)
{
	size_t start = out->len;
	int fd, ret = -1;
	ssize_t n;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fault_errno(fault, FAULT_IO, "open %s", path);
	for (;;) {
		strbuf_reserve(out, READ_BYTES);
		n = read(fd, out->data + out->len, READ_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fault_errno(fault, FAULT_IO, "read %s", path);
			goto out;
		}
		if (n == 0)
			break;
		out->len += (size_t)n;
		out->data[out->len] = '\0';
		if (out->len - start > max_len) {
			fault_set(fault, FAULT_IO,
			    "read %s: larger than %zu bytes", path, max_len);
			goto out;
		}
	}
	ret = 0;
out:
	close(fd);
	return ret;
}

int
file_write_all_at(int fd, const void *data, size_t len, off_t offset)
{
	const char *p = data;
	ssize_t n;

	while (len > 0) {
		n = pwrite(fd, p, len, offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
		offset += n;
	}
	return 0;
}

static int
sync_directory_of(const char *path, struct fault *fault)
{
	struct arena *arena = arena_new();
	const char *dir = dirname(arena_strdup(arena, path));
	int fd, ret = 0;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		ret = fault_errno(fault, FAULT_IO, "sync directory %s", dir);
	if (fd >= 0)
		close(fd);
	arena_free(&arena);
	return ret;
}

/* like: whose owner and group it gets, or NULL. */
static int
write_new(const char *path, const void *data, size_t len, mode_t mode,
    const struct stat *like, struct fault *fault)
{
	struct stat st;
	int fd, ret = 0;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
	    mode & 0600);
	if (fd < 0)
		return fault_errno(fault, FAULT_IO, "create %s", path);
	/* The mode counts, whatever the umask or an older file says; it opens
	   last, when the owner is right. */
	if (like != NULL && (fstat(fd, &st) < 0 ||
	    ((st.st_uid != like->st_uid || st.st_gid != like->st_gid) &&
	    fchown(fd, like->st_uid, like->st_gid) < 0)))
		ret = fault_errno(fault, FAULT_IO, "give %s its owner", path);
	else if (fchmod(fd, mode) < 0 ||
	    file_write_all_at(fd, data, len, 0) < 0 || fsync(fd) < 0)
		ret = fault_errno(fault, FAULT_IO, "write %s", path);
	close(fd);
	return ret;
}

static int
replace(const char *path, const void *data, size_t len, mode_t mode,
    const struct stat *like, struct fault *fault)
{
	struct arena *arena = arena_new();
	const char *beside = arena_printf(arena, "%s.new-%ld", path,
	    (long)getpid());
	int ret = -1;

	if (write_new(beside, data, len, mode, like, fault) < 0)
		goto out;
	if (rename(beside, path) < 0) {
		fault_errno(fault, FAULT_IO, "rename %s", beside);
		goto out;
	}
	ret = sync_directory_of(path, fault);
out:
	if (ret < 0)
		unlink(beside);
	arena_free(&arena);
	return ret;
}

int
file_replace(const char *path, const void *data, size_t len, mode_t mode,
    struct fault *fault)
{
	return replace(path, data, len, mode, NULL, fault);
}

int
file_replace_alike(const char *path, const void *data, size_t len,
    struct fault *fault)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return fault_errno(fault, FAULT_IO, "%s", path);
	return replace(path, data, len, st.st_mode & 0777, &st, fault);
}

int
file_make_dirs(const char *path, mode_t mode, struct fault *fault)
{
	struct arena *arena = arena_new();
	char *copy = arena_strdup(arena, path), *slash;
	struct stat st;
	int ret = 0;

	for (slash = copy; ret == 0 && slash != NULL && path[0] != '\0';) {
		slash = strchr(slash + 1, '/');
		if (slash != NULL)
			*slash = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST &&
		    stat(copy, &st) < 0)
			ret = fault_errno(fault, FAULT_IO, "make directory %s",
			    copy);
		if (slash != NULL)
			*slash = '/';
	}
	if (ret == 0 && (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)))
		ret = fault_set(fault, FAULT_IO, "%s is not a directory",
		    path);
	arena_free(&arena);
	return ret;
}
