/* SPDX-License-Identifier: MIT */
/* Time: microseconds since 1970 UTC for what is stored, monotonic
   microseconds for what is measured. */
#ifndef WUTS_CLOCK_H
#define WUTS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_SECOND_US 1000000
#define CLOCK_RFC3339_SIZE 21	/* 2026-06-15T12:00:00Z and NUL */

int64_t clock_wall_us(void);
int64_t clock_mono_us(void);

/* RFC 3339, UTC, seconds, Z (spec/wuts.md §1 "Times"); returns buf. */
char *clock_format(int64_t wall_us, char buf[CLOCK_RFC3339_SIZE]);

/* The same with six or three digits of fraction. */
#define CLOCK_RFC3339_MICROS_SIZE 28	/* 2026-01-15T10:30:00.123456Z */
#define CLOCK_RFC3339_MILLIS_SIZE 25	/* 2026-01-15T10:30:00.123Z */
char *clock_format_micros(int64_t wall_us,
    char buf[CLOCK_RFC3339_MICROS_SIZE]);
char *clock_format_millis(int64_t wall_us,
    char buf[CLOCK_RFC3339_MILLIS_SIZE]);

/* Any RFC 3339 date-time, with fraction and offset. False: it is none. */
bool clock_parse(const char *text, int64_t *wall_us_r);

#endif
