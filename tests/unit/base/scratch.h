/* SPDX-License-Identifier: MIT */
/* A directory of its own for a test that needs files; and a child process for
   what ends a process. */
#ifndef WUTS_TEST_SCRATCH_H
#define WUTS_TEST_SCRATCH_H

#include <sys/types.h>

#define SCRATCH_PATH_SIZE 512

/* cmocka set-up and tear-down; *state becomes the path of the directory, which
   is removed with all that is in it. */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* The path of a file in it; returns buf. */
char *scratch_path(void *const *state, const char *name,
    char buf[SCRATCH_PATH_SIZE]);

/* Make a file with that content and mode. */
void scratch_write(const char *path, const char *text, mode_t mode);

/* Its content as a string of at most size - 1 bytes; returns buf. */
char *scratch_read(const char *path, char *buf, size_t size);

/* Run body in a child whose standard error goes to the file err_path; what
   waitpid() says of its end. */
int scratch_run(void (*body)(void), const char *err_path);

#endif
