/* SPDX-License-Identifier: MIT */
/* The log: a line is put together, made harmless, and written by one write(2),
   alone or with others that were held back, so that lines of several processes
   in one file never mix. */
#include "config.h"

#include "wuts/log.h"

#include "base_private.h"

#include "wuts/clock.h"
#include "wuts/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048
/* As JSON every character may be two. */
#define LINE_BUF_SIZE (2 * LINE_MAX_BYTES + 256)
#define HELD_SIZE (32 * 1024)

static const char *log_program = "wuts";
static enum log_level log_threshold = LOG_LEVEL_INFO;
static bool log_is_json;
static int log_fd = STDERR_FILENO;
/* A pipe takes only a page at a time without mixing. */
static bool log_is_file;

static _Thread_local bool log_is_held;
static char held[HELD_SIZE];
static size_t held_len;
/* Asked for once a round: a process may be a fork of another. */
static long held_pid;

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug"
};

/* Nowhere to report a log that cannot be written. */
static void
write_all(const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(log_fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

static void
flush(void)
{
	write_all(held, held_len);
	held_len = 0;
}

int
log_open(const char *program, const char *path, enum log_level level)
{
	int fd = STDERR_FILENO, ret = 0;
	struct stat st;

	if (log_is_held)
		flush();
	log_program = program;
	log_threshold = level;
	if (path != NULL && strcmp(path, "-") != 0) {
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
		    0640);
		if (fd < 0) {
			fd = STDERR_FILENO;
			ret = -1;
		}
	}
	if (log_fd != STDERR_FILENO)
		close(log_fd);
	log_fd = fd;
	log_is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	return ret;
}

void
log_json(bool json)
{
	log_is_json = json;
}

void
log_hold(void)
{
	log_is_held = true;
	held_pid = (long)getpid();
}

void
log_release(void)
{
	if (!log_is_held)
		return;
	flush();
	log_is_held = false;
}

/* U+0080 to U+009F: terminals act on them as on escape sequences. */
static bool
is_c1(const char *text, size_t len)
{
	return len == 2 && (unsigned char)text[0] == 0xc2 &&
	    (unsigned char)text[1] < 0xa0;
}

/* Copy text to out with control characters and what is not UTF-8 as \xNN.
   Returns the bytes written, at most size. */
static size_t
escape(char *out, size_t size, const char *text)
{
	size_t left = strlen(text), used = 0, n;

	while (left > 0) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c < 0x7f && used < size) {
			out[used++] = *text++;
			left--;
			continue;
		}
		n = utf8_sequence_len(text, left);
		if (n == 0 || c < 0x20 || c == 0x7f || is_c1(text, n)) {
			if (size - used < 5)
				break;
			snprintf(out + used, 5, "\\x%02x", c);
			used += 4;
			n = 1;
		} else {
			if (size - used < n)
				break;
			memcpy(out + used, text, n);
			used += n;
		}
		text += n;
		left -= n;
	}
	return used;
}

/* The whole line in line; its length. */
static size_t __attribute__((format(printf, 3, 0)))
format_line(char line[LINE_BUF_SIZE], enum log_level level, const char *fmt,
    va_list ap)
{
	char text[LINE_MAX_BYTES], safe[LINE_MAX_BYTES];
	char date[CLOCK_RFC3339_MILLIS_SIZE];
	long pid = log_is_held ? held_pid : (long)getpid();
	size_t len;

	clock_format_millis(clock_wall_us(), date);
	vsnprintf(text, sizeof(text), fmt, ap);
	len = (size_t)snprintf(line, 160, log_is_json ?
	    "{\"time\":\"%s\",\"program\":\"%.32s\",\"pid\":%ld,"
	    "\"level\":\"%s\"" : "%s %.32s[%ld] %s ", date, log_program, pid,
	    level_names[level]);
	if (log_is_json) {
		safe[escape(safe, sizeof(safe) - 1, text)] = '\0';
		len += log_json_members(line + len, LINE_BUF_SIZE - len - 2,
		    safe);
		line[len++] = '}';
	} else {
		len += escape(line + len, LINE_MAX_BYTES - 1, text);
	}
	line[len++] = '\n';
	return len;
}

static void __attribute__((format(printf, 2, 0)))
write_line(enum log_level level, const char *fmt, va_list ap)
{
	char line[LINE_BUF_SIZE];

	if (!log_is_held || !log_is_file) {
		write_all(line, format_line(line, level, fmt, ap));
		return;
	}
	if (HELD_SIZE - held_len < LINE_BUF_SIZE)
		flush();
	held_len += format_line(held + held_len, level, fmt, ap);
	if (level <= LOG_LEVEL_WARN)
		flush();
}

#define LOG_AT(level)					\
	do {						\
		va_list ap;				\
		if ((level) > log_threshold)		\
			return;				\
		va_start(ap, fmt);			\
		write_line((level), fmt, ap);		\
		va_end(ap);				\
	} while (0)

void
log_error(const char *fmt, ...)
{
	LOG_AT(LOG_LEVEL_ERROR);
}

void
log_warn(const char *fmt, ...)
{
	LOG_AT(LOG_LEVEL_WARN);
}

void
log_info(const char *fmt, ...)
{
	LOG_AT(LOG_LEVEL_INFO);
}

void
log_debug(const char *fmt, ...)
{
	LOG_AT(LOG_LEVEL_DEBUG);
}

void
log_fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
	exit(1);
}

void
log_panic(const char *file, int line, const char *expr)
{
	log_error("panic: %s:%d: assertion failed: %s", file, line, expr);
	abort();
}
