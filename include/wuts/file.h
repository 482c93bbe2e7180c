/* SPDX-License-Identifier: MIT */
/* Files and directories, with the syncs that make a change durable. */
#ifndef WUTS_FILE_H
#define WUTS_FILE_H

#include <stddef.h>
#include <sys/types.h>

struct fault;
struct strbuf;

/* Append the whole file, at most max_len bytes (more: FAULT_IO). 0 / -1. */
int file_read(const char *path, size_t max_len, struct strbuf *out,
    struct fault *fault);

/* Replace path by data: temporary file beside it, sync, rename, sync of the
   directory. Readers see the old or the new content, whole. 0 / -1. */
int file_replace(const char *path, const void *data, size_t len, mode_t mode,
    struct fault *fault);

/* As file_replace(), for a file that is there: it keeps mode and owner. */
int file_replace_alike(const char *path, const void *data, size_t len,
    struct fault *fault);

/* Write all bytes at offset, going on after short writes and EINTR. */
int file_write_all_at(int fd, const void *data, size_t len, off_t offset);

/* Make path and its missing parents. 0 / -1. */
int file_make_dirs(const char *path, mode_t mode, struct fault *fault);

#endif
