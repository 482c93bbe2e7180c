/* SPDX-License-Identifier: MIT */
/* RFC 3339 both ways, also at the odd days of the calendar. */
#include "config.h"

#include "wuts/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void
times_are_formatted_in_utc_seconds(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 59, "1970-01-01T00:00:59Z" },
		{ 951782400, "2000-02-29T00:00:00Z" },
		{ 951868799, "2000-02-29T23:59:59Z" },
		{ 951868800, "2000-03-01T00:00:00Z" },
		{ 1709164800, "2024-02-29T00:00:00Z" },
		{ 1735689599, "2024-12-31T23:59:59Z" },
		{ 1735689600, "2025-01-01T00:00:00Z" },
		{ 1781524800, "2026-06-15T12:00:00Z" },
		{ INT64_C(4107542400), "2100-03-01T00:00:00Z" },
		{ INT64_C(253402300799), "9999-12-31T23:59:59Z" },
	};
	char buf[CLOCK_RFC3339_SIZE];
	int64_t wall_us;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_ptr_equal(clock_format(rows[i].seconds *
		    CLOCK_SECOND_US + 999999, buf), buf);
		assert_string_equal(buf, rows[i].text);
		assert_true(clock_parse(rows[i].text, &wall_us));
		assert_true(wall_us == rows[i].seconds * CLOCK_SECOND_US);
	}
}

static void
times_out_of_range_are_clamped(void **state)
{
	char buf[CLOCK_RFC3339_SIZE];

	(void)state;
	assert_string_equal(clock_format(-1, buf), "1970-01-01T00:00:00Z");
	assert_string_equal(clock_format(INT64_MIN, buf),
	    "1970-01-01T00:00:00Z");
	assert_string_equal(clock_format(INT64_MAX, buf),
	    "9999-12-31T23:59:59Z");
}

/* The C library agrees, for a moment of every 11 days of two centuries. */
static void
the_calendar_is_the_c_librarys(void **state)
{
	char buf[CLOCK_RFC3339_SIZE], expected[CLOCK_RFC3339_SIZE];
	int64_t seconds, wall_us;
	struct tm tm;
	time_t t;

	(void)state;
	for (seconds = 0; seconds < INT64_C(6400000000); seconds += 954321) {
		t = (time_t)seconds;
		assert_non_null(gmtime_r(&t, &tm));
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ",
		    &tm);
		assert_string_equal(clock_format(seconds * CLOCK_SECOND_US,
		    buf), expected);
		assert_true(clock_parse(buf, &wall_us));
		assert_true(wall_us == seconds * CLOCK_SECOND_US);
	}
}

static void
fractions_and_offsets_are_understood(void **state)
{
	static const struct {
		const char *text;
		int64_t wall_us;
	} rows[] = {
		{ "1970-01-01T00:00:01.5Z", 1500000 },
		{ "1970-01-01T00:00:00.000001Z", 1 },
		{ "1970-01-01T00:00:00.0000019Z", 1 },
		{ "1970-01-01T00:00:00.123456789123456789123Z", 123456 },
		{ "1970-01-01T01:30:00+01:30", 0 },
		{ "1969-12-31T22:30:00-01:30", 0 },
		{ "1970-01-01T00:00:00-00:00", 0 },
		{ "1970-01-01t00:00:00z", 0 },
		{ "1970-01-01 00:00:00Z", 0 },
		{ "1969-12-31T23:59:59Z", -1000000 },
		{ "2016-12-31T23:59:60Z", INT64_C(1483228799000000) },
		{ "0000-01-01T00:00:00Z", INT64_C(-62167219200000000) },
	};
	int64_t wall_us;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!clock_parse(rows[i].text, &wall_us) ||
		    wall_us != rows[i].wall_us)
			fail_msg("%s", rows[i].text);
	}
}

static void
other_text_is_no_time(void **state)
{
	static const char *const texts[] = {
		"", "2026", "2026-06-15", "2026-06-15T12:00:00",
		"2026-06-15T12:00Z", "2026-06-15T12:00:00ZZ",
		"2026-06-15T12:00:00 Z", " 2026-06-15T12:00:00Z",
		"2026-06-15T12:00:00Z ", "2026-6-15T12:00:00Z",
		"26-06-15T12:00:00Z", "12026-06-15T12:00:00Z",
		"2026-00-15T12:00:00Z", "2026-13-15T12:00:00Z",
		"2026-06-00T12:00:00Z", "2026-06-31T12:00:00Z",
		"2026-02-29T12:00:00Z", "2100-02-29T12:00:00Z",
		"2026-06-15T24:00:00Z", "2026-06-15T12:60:00Z",
		"2026-06-15T12:00:61Z", "2026-06-15T12:00:00.Z",
		"2026-06-15T12:00:00,5Z", "2026-06-15T12:00:00+1:00",
		"2026-06-15T12:00:00+24:00", "2026-06-15T12:00:00+01:60",
		"2026-06-15T12:00:00+0100", "2026-06-15X12:00:00Z",
		"2026/06/15T12:00:00Z", "+026-06-15T12:00:00Z",
		"2026-06-15T-1:00:00Z", "1781524800",
	};
	int64_t wall_us = 7;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (clock_parse(texts[i], &wall_us))
			fail_msg("%s was taken for a time", texts[i]);
		assert_true(wall_us == 7);
	}
}

static void
the_clocks_run(void **state)
{
	int64_t mono_us = clock_mono_us(), wall_s = time(NULL);

	(void)state;
	assert_true(clock_mono_us() >= mono_us);
	assert_in_range(clock_wall_us() / CLOCK_SECOND_US, wall_s - 1,
	    wall_s + 60);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_formatted_in_utc_seconds),
		cmocka_unit_test(times_out_of_range_are_clamped),
		cmocka_unit_test(the_calendar_is_the_c_librarys),
		cmocka_unit_test(fractions_and_offsets_are_understood),
		cmocka_unit_test(other_text_is_no_time),
		cmocka_unit_test(the_clocks_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
