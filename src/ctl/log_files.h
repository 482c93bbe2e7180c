/* SPDX-License-Identifier: MIT */
/* Logs of the three programs, line by line and as often as it is needed, also
   when they come through a pipe. */
#ifndef WUTS_CTL_LOG_FILES_H
#define WUTS_CTL_LOG_FILES_H

#include "ctl_private.h"

#include <stdbool.h>
#include <stdio.h>

/* Zero-initialised by the caller. */
struct log_files {
	struct {
		FILE *file;
		const char *path;
	} at[CTL_ARGS_MAX + 1];
	size_t n;
};

/* Called before and after privileges are dropped: what an operator names may
   be readable for root alone. path is kept. */
int log_files_open(struct log_files *logs, const char *path,
    struct fault *fault);
void log_files_close(struct log_files *logs);

/* Every line of every file, from the beginning; what journalctl writes before
   a line is not a part of it. */
int log_files_read(struct log_files *logs, void (*take)(void *ctx, char *line),
    void *ctx, struct fault *fault);

/* Does the line have this id as a whole word? */
bool log_line_mentions(const char *line, const char *id);

/* The value of a line's word, text or JSON; false: it has none. */
bool log_line_word(const char *line, const char *key, char *value_r,
    size_t size);

#endif
