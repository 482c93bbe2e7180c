/* SPDX-License-Identifier: MIT */
/* Temporary directories and child processes for tests. Removal stays inside
   the directory that was made. */
#include "config.h"

#include "scratch.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

int
scratch_setup(void **state)
{
	const char *base = getenv("TMPDIR");
	char path[SCRATCH_PATH_SIZE];

	if (base == NULL || *base == '\0')
		base = "/tmp";
	if (snprintf(path, sizeof(path), "%s/wuts-test-XXXXXX", base) >=
	    (int)sizeof(path) || mkdtemp(path) == NULL)
		return -1;
	*state = strdup(path);
	return *state == NULL ? -1 : 0;
}

static int
remove_entry(const char *path, const struct stat *st, int type,
    struct FTW *walk)
{
	(void)st;
	(void)type;
	(void)walk;
	return remove(path);
}

int
scratch_teardown(void **state)
{
	int ret = nftw(*state, remove_entry, 8, FTW_DEPTH | FTW_PHYS);

	free(*state);
	return ret;
}

char *
scratch_path(void *const *state, const char *name,
    char buf[SCRATCH_PATH_SIZE])
{
	assert_in_range(snprintf(buf, SCRATCH_PATH_SIZE, "%s/%s",
	    (const char *)*state, name), 1, SCRATCH_PATH_SIZE - 1);
	return buf;
}

void
scratch_write(const char *path, const char *text, mode_t mode)
{
	size_t len = strlen(text);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

char *
scratch_read(const char *path, char *buf, size_t size)
{
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	buf[fread(buf, 1, size - 1, file)] = '\0';
	fclose(file);
	return buf;
}

int
scratch_run(void (*body)(void), const char *err_path)
{
	const struct rlimit no_core = { 0, 0 };
	int status, fd;
	pid_t pid;

	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		fd = open(err_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
			_exit(99);
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}
