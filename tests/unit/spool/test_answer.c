/* SPDX-License-Identifier: MIT */
/* How much of an answer is read, what is kept, what a tenant is told. */
#include "config.h"

#include "spool/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1000000)
#define SECOND INT64_C(1000000)

static void
reading_ends_after_64_kib(void **state)
{
	struct answer answer = { .read = 0 };
	static char block[1024];

	(void)state;
	answer_begin(&answer);
	for (int i = 0; i < 64; i++)
		assert_true(answer_take(&answer, block, sizeof(block), NOW));
	assert_false(answer_take(&answer, block, 1, NOW));
	answer_deinit(&answer);
}

static void
drops_that_come_one_by_one_are_read_for_five_seconds(void **state)
{
	struct answer answer = { .read = 0 };

	(void)state;
	answer_begin(&answer);
	for (int64_t t = 0; t < 5 * SECOND; t += SECOND / 10)
		assert_true(answer_take(&answer, "x", 1, NOW + t));
	assert_false(answer_take(&answer, "x", 1, NOW + 5 * SECOND));
	/* The next answer has its own time. */
	answer_begin(&answer);
	assert_true(answer_take(&answer, "x", 1, NOW + 5 * SECOND));
	answer_deinit(&answer);
}

static void
the_first_4_kib_are_kept(void **state)
{
	struct answer answer = { .read = 0 };
	char block[1000];

	(void)state;
	answer_begin(&answer);
	for (int i = 0; i < 8; i++) {
		memset(block, 'a' + i, sizeof(block));
		assert_true(answer_take(&answer, block, sizeof(block), NOW));
	}
	answer_end(&answer);
	assert_int_equal(answer.text.len, 4096);
	assert_int_equal(strlen(answer.text.data), 4096);
	assert_int_equal(answer.text.data[0], 'a');
	assert_int_equal(answer.text.data[4095], 'e');
	answer_deinit(&answer);
}

static void
what_is_kept_is_harmless_text(void **state)
{
	static const struct {
		const char *came, *kept;
	} rows[] = {
		{ "{\"error\": \"no\"}", "{\"error\": \"no\"}" },
		{ "a\nb\r\tc\x1b[31m\x7f", "a b  c [31m " },
		{ "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
		    "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "\xff\xc3", "??" },
		{ "\xc0\xaf\xed\xa0\x80", "?????" },
		{ "\xc2\x9b" "31m", " 31m" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer answer = { .read = 0 };

		answer_begin(&answer);
		answer_take(&answer, rows[i].came, strlen(rows[i].came), NOW);
		answer_end(&answer);
		assert_string_equal(answer.text.data, rows[i].kept);
		answer_deinit(&answer);
	}
}

static void
a_character_cut_at_the_end_is_not_kept(void **state)
{
	struct answer answer = { .read = 0 };
	char block[4095];

	(void)state;
	memset(block, 'x', sizeof(block));
	answer_begin(&answer);
	answer_take(&answer, block, sizeof(block), NOW);
	answer_take(&answer, "\xc3\xa9", 2, NOW);
	answer_end(&answer);
	assert_string_equal(answer.text.data + 4094, "x?");
	answer_deinit(&answer);
}

static void
an_answer_without_a_body_is_empty(void **state)
{
	struct answer answer = { .read = 0 };

	(void)state;
	answer_begin(&answer);
	answer_end(&answer);
	assert_int_equal(answer.text.len, 0);
	answer_deinit(&answer);
}

static void
every_failure_has_words_without_figures(void **state)
{
	(void)state;
	assert_string_equal(answer_explain(CURLE_OK, false), "");
	for (int code = 1; code < CURL_LAST; code++) {
		const char *text = answer_explain((CURLcode)code, false);

		assert_true(strlen(text) > 10);
		assert_null(strpbrk(text, "0123456789/:"));
	}
	assert_string_equal(answer_explain(CURLE_COULDNT_CONNECT, true),
	    "the host has no address that may be connected to");
	assert_string_equal(answer_explain(CURLE_OPERATION_TIMEDOUT, false),
	    "no answer in time");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_ends_after_64_kib),
		cmocka_unit_test(
		    drops_that_come_one_by_one_are_read_for_five_seconds),
		cmocka_unit_test(the_first_4_kib_are_kept),
		cmocka_unit_test(what_is_kept_is_harmless_text),
		cmocka_unit_test(a_character_cut_at_the_end_is_not_kept),
		cmocka_unit_test(an_answer_without_a_body_is_empty),
		cmocka_unit_test(every_failure_has_words_without_figures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
