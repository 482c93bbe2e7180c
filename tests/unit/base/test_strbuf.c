/* SPDX-License-Identifier: MIT */
/* The growing buffer is always terminated and keeps what was put in. */
#include "config.h"

#include "wuts/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
appended_pieces_stand_in_a_row(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_append_str(&sb, "ab");
	strbuf_append_char(&sb, 'c');
	strbuf_append(&sb, "d\0e", 3);
	strbuf_printf(&sb, "%s-%03d", "f", 7);
	assert_int_equal(sb.len, 11);
	assert_memory_equal(sb.data, "abcd\0ef-007", 12);
	strbuf_deinit(&sb);
}

static void
nothing_appended_is_an_empty_string(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_append(&sb, NULL, 0);
	assert_string_equal(sb.data, "");
	assert_int_equal(sb.len, 0);
	strbuf_deinit(&sb);
}

static void
it_grows_through_every_size(void **state)
{
	struct strbuf sb = STRBUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < 70000; i++) {
		strbuf_append_char(&sb, (char)('a' + i % 26));
		assert_int_equal(sb.data[sb.len], 0);
	}
	for (i = 0; i < 70000; i++)
		assert_int_equal(sb.data[i], 'a' + i % 26);
	strbuf_deinit(&sb);
}

static void
reserved_room_is_writable(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_append_str(&sb, "x");
	strbuf_reserve(&sb, 5000);
	assert_true(sb.cap > 5001);
	memset(sb.data + 1, 'y', 5000);
	sb.len += 5000;
	strbuf_append_str(&sb, "z");
	assert_int_equal(strlen(sb.data), 5002);
	strbuf_deinit(&sb);
}

static void
long_formatted_text_fits(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_printf(&sb, "%4000d|", 1);
	strbuf_printf(&sb, "%4000d", 2);
	assert_int_equal(sb.len, 8001);
	assert_int_equal(sb.data[4000], '|');
	strbuf_deinit(&sb);
}

static void
reset_empties_and_deinit_makes_new(void **state)
{
	struct strbuf sb = STRBUF_INIT;
	size_t cap;

	(void)state;
	strbuf_reset(&sb);
	assert_null(sb.data);
	strbuf_append_str(&sb, "x");
	cap = sb.cap;
	strbuf_reset(&sb);
	assert_string_equal(sb.data, "");
	assert_int_equal(sb.len, 0);
	assert_int_equal(sb.cap, cap);
	strbuf_deinit(&sb);
	assert_null(sb.data);
	strbuf_append_str(&sb, "again");
	assert_string_equal(sb.data, "again");
	strbuf_deinit(&sb);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appended_pieces_stand_in_a_row),
		cmocka_unit_test(nothing_appended_is_an_empty_string),
		cmocka_unit_test(it_grows_through_every_size),
		cmocka_unit_test(reserved_room_is_writable),
		cmocka_unit_test(long_formatted_text_fits),
		cmocka_unit_test(reset_empties_and_deinit_makes_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
