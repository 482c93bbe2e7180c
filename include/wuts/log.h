/* SPDX-License-Identifier: MIT */
/* The log: one event, one line, one write(2):
       2026-06-15T12:00:00.123Z wutsd[71] info request=… status=200 …
   Ids first, then what, then why. Control characters and invalid UTF-8 in the
   text are escaped here, so outside text may be passed as it is. Secrets may
   not: no formatting function takes a struct secret. */
#ifndef WUTS_LOG_H
#define WUTS_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

/* Start (or, on SIGHUP, reopen) the log. path NULL or "-": standard error.
   A file that cannot be opened leaves the log on standard error and returns
   -1 with errno. program is borrowed for the life of the process. */
int log_open(const char *program, const char *path, enum log_level level);

/* From now on a line is a JSON object (true) or text (false, the default):
       {"time":"…","program":"wutsd","pid":71,"level":"info","request":"…",…}
   The key=value words that a text begins with become members, the rest is its
   "message". */
void log_json(bool json);

/* Hold back this thread's info and debug lines, to be written together by one
   write(2) at the latest with log_release(); a warning or an error takes them
   along at once. For a loop that logs often and releases each round: only a
   kill loses what is held. A log that is no regular file is written line by
   line as ever. One thread a process may hold. */
void log_hold(void);
void log_release(void);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* One error line, then exit(1): this process cannot go on. */
void log_fatal(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/* Our own bug: log the place, abort(). Stays on in releases; never used to
   test input. */
#define wuts_assert(expr) \
	((expr) ? (void)0 : log_panic(__FILE__, __LINE__, #expr))
void log_panic(const char *file, int line, const char *expr)
    __attribute__((noreturn));

#endif
