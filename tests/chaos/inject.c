/* SPDX-License-Identifier: MIT */
/* Preloaded into a process (LD_PRELOAD): the WUTS_INJECT_AT'th call that
   changes something below the directory WUTS_INJECT_DIR goes wrong. Which way
   says WUTS_INJECT: "kill" ends the process there, a write after half of its
   bytes; "after" ends it when a sync has been done; "EIO" and "ENOSPC" fail, a
   write after half of its bytes. With WUTS_INJECT_CALL only calls of that name
   count. The name of the call is written to the file WUTS_INJECT_LOG, so that
   whoever started us knows that it happened; while that file is there it does
   not happen again, in no process that a master starts anew. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static unsigned calls;

static bool
is_ours(int fd)
{
	const char *dir = getenv("WUTS_INJECT_DIR");
	char link[64], path[PATH_MAX];
	ssize_t len;

	if (dir == NULL)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0)
		return false;
	path[len] = '\0';
	/* The tally is no record, and made by whoever comes first. */
	return strncmp(path, dir, strlen(dir)) == 0 &&
	    strstr(path, "/tally.") == NULL;
}

static void
tell(const char *name)
{
	const char *log = getenv("WUTS_INJECT_LOG");
	int fd = log == NULL ? -1 : open(log, O_WRONLY | O_CREAT | O_TRUNC,
	    0600);

	if (fd >= 0) {
		if (write(fd, name, strlen(name)) < 0)
			abort();
		close(fd);
	}
}

/* Is it this call? */
static bool
is_hit(int fd, const char *name)
{
	const char *at = getenv("WUTS_INJECT_AT");
	const char *only = getenv("WUTS_INJECT_CALL");
	const char *log = getenv("WUTS_INJECT_LOG");

	if (at == NULL || (only != NULL && strcmp(only, name) != 0) ||
	    !is_ours(fd) || __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST) !=
	    strtoul(at, NULL, 10) || (log != NULL && access(log, F_OK) == 0))
		return false;
	tell(name);
	return true;
}

static int
go_wrong(void)
{
	const char *how = getenv("WUTS_INJECT");

	if (how == NULL || strcmp(how, "kill") == 0 ||
	    strcmp(how, "after") == 0)
		raise(SIGKILL);
	errno = how != NULL && strcmp(how, "ENOSPC") == 0 ? ENOSPC : EIO;
	return -1;
}

typedef ssize_t pwrite_fn(int, const void *, size_t, off_t);
typedef int fd_fn(int);
typedef int truncate_fn(int, off_t);
typedef int fallocate_fn(int, int, off_t, off_t);
typedef int renameat_fn(int, const char *, int, const char *);
typedef int unlinkat_fn(int, const char *, int);
typedef int rename_fn(const char *, const char *);
typedef int unlink_fn(const char *);

static void *
find(const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (symbol == NULL)
		abort();
	return symbol;
}

/* A function pointer from a data pointer, as POSIX has it. */
#define FIND(type, real, name) \
	do { \
		void *symbol = find(name); \
		memcpy(&(real), &symbol, sizeof(real)); \
	} while (0)

ssize_t
pwrite(int fd, const void *data, size_t len, off_t offset)
{
	pwrite_fn *real;

	FIND(pwrite_fn, real, "pwrite");
	if (!is_hit(fd, "pwrite"))
		return real(fd, data, len, offset);
	if (len > 1 && real(fd, data, len / 2, offset) < 0)
		abort();
	return go_wrong();
}

ssize_t
pwrite64(int fd, const void *data, size_t len, off_t offset)
{
	return pwrite(fd, data, len, offset);
}

static bool
is_done_first(void)
{
	const char *how = getenv("WUTS_INJECT");

	return how != NULL && strcmp(how, "after") == 0;
}

int
fdatasync(int fd)
{
	fd_fn *real;

	FIND(fd_fn, real, "fdatasync");
	if (!is_hit(fd, "fdatasync"))
		return real(fd);
	if (is_done_first() && real(fd) < 0)
		abort();
	return go_wrong();
}

int
fsync(int fd)
{
	fd_fn *real;

	FIND(fd_fn, real, "fsync");
	return is_hit(fd, "fsync") ? go_wrong() : real(fd);
}

int
ftruncate(int fd, off_t len)
{
	truncate_fn *real;

	FIND(truncate_fn, real, "ftruncate");
	return is_hit(fd, "ftruncate") ? go_wrong() : real(fd, len);
}

int
ftruncate64(int fd, off_t len)
{
	return ftruncate(fd, len);
}

int
fallocate(int fd, int mode, off_t offset, off_t len)
{
	fallocate_fn *real;

	FIND(fallocate_fn, real, "fallocate");
	return is_hit(fd, "fallocate") ? go_wrong() :
	    real(fd, mode, offset, len);
}

int
fallocate64(int fd, int mode, off_t offset, off_t len)
{
	return fallocate(fd, mode, offset, len);
}

int
renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	renameat_fn *real;

	FIND(renameat_fn, real, "renameat");
	return is_hit(from_fd, "renameat") ? go_wrong() :
	    real(from_fd, from, to_fd, to);
}

int
unlinkat(int fd, const char *name, int flags)
{
	unlinkat_fn *real;

	FIND(unlinkat_fn, real, "unlinkat");
	return is_hit(fd, "unlinkat") ? go_wrong() : real(fd, name, flags);
}

/* Calls by path count where WUTS_INJECT_PATHS is set: what is kept in the queue
   is changed by descriptors. */
static bool
is_path_hit(const char *path, const char *name)
{
	const char *dir = getenv("WUTS_INJECT_DIR");
	int fd;
	bool hit;

	if (getenv("WUTS_INJECT_PATHS") == NULL || dir == NULL ||
	    strncmp(path, dir, strlen(dir)) != 0)
		return false;
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return false;
	hit = is_hit(fd, name);
	close(fd);
	return hit;
}

int
rename(const char *from, const char *to)
{
	rename_fn *real;

	FIND(rename_fn, real, "rename");
	return is_path_hit(from, "rename") ? go_wrong() : real(from, to);
}

int
unlink(const char *path)
{
	unlink_fn *real;

	FIND(unlink_fn, real, "unlink");
	return is_path_hit(path, "unlink") ? go_wrong() : real(path);
}
