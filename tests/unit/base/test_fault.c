/* SPDX-License-Identifier: MIT */
/* Codes and texts of faults; a text too long is cut between characters. */
#include "config.h"

#include "wuts/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#define EURO "\xe2\x82\xac"

static void
set_replaces_and_returns_minus_one(void **state)
{
	struct fault fault;

	(void)state;
	fault_clear(&fault);
	assert_int_equal(fault.code, FAULT_NONE);
	assert_int_equal(fault_set(&fault, FAULT_IO, "first"), -1);
	assert_int_equal(fault_set(&fault, FAULT_QUEUE, "%s %d", "x", 2), -1);
	assert_int_equal(fault.code, FAULT_QUEUE);
	assert_string_equal(fault.text, "x 2");
	assert_string_equal(fault.said, "");
}

static void
clear_forgets_everything(void **state)
{
	struct fault fault;

	(void)state;
	fault_clear(&fault);
	fault_add_field(&fault, "f", "m", "v");
	fault_say(&fault, REFUSAL_RATE_LIMITED, "said");
	fault.retry_after_s = 7;
	fault_clear(&fault);
	assert_int_equal(fault.code, FAULT_NONE);
	assert_int_equal(fault.retry_after_s, 0);
	assert_int_equal(fault.nfields, 0);
	assert_string_equal(fault.text, "");
	assert_string_equal(fault.said, "");
}

static void
errno_stands_behind_the_text_and_survives(void **state)
{
	struct fault fault;

	(void)state;
	fault_clear(&fault);
	errno = ENOENT;
	assert_int_equal(fault_errno(&fault, FAULT_IO, "open %s", "x"), -1);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(fault.text, "open x: No such file or directory");
	assert_string_equal(fault.said, "");
}

static void
prefixes_pile_up_in_front(void **state)
{
	struct fault fault;

	(void)state;
	fault_clear(&fault);
	fault_set(&fault, FAULT_DATABASE, "gone");
	assert_int_equal(fault_prefix(&fault, "find user"), -1);
	assert_int_equal(fault_prefix(&fault, "promote %d", 7), -1);
	assert_string_equal(fault.text, "promote 7: find user: gone");
	assert_int_equal(fault.code, FAULT_DATABASE);
}

static void
the_client_text_is_the_operators_only_when_there_is_none(void **state)
{
	struct fault fault;

	(void)state;
	fault_clear(&fault);
	assert_int_equal(fault_say(&fault, REFUSAL_FORBIDDEN, "no %d", 1), -1);
	assert_string_equal(fault.said, "no 1");
	assert_string_equal(fault.text, "no 1");
	fault_clear(&fault);
	fault_set(&fault, FAULT_IO, "internal");
	fault_say(&fault, REFUSAL_FORBIDDEN, "no");
	assert_string_equal(fault.text, "internal");
	assert_string_equal(fault.said, "no");
	assert_int_equal(fault.code, REFUSAL_FORBIDDEN);
}

static void
fields_add_up_to_their_limit(void **state)
{
	struct fault fault;
	int i;

	(void)state;
	fault_clear(&fault);
	for (i = 0; i < FAULT_FIELDS_MAX + 3; i++)
		assert_int_equal(fault_add_field(&fault, i == 0 ? "first" :
		    "next", "must be set", i == 0 ? NULL : "v"), -1);
	assert_int_equal(fault.code, REFUSAL_VALIDATION);
	assert_int_equal(fault.nfields, FAULT_FIELDS_MAX);
	assert_string_equal(fault.fields[0].field, "first");
	assert_string_equal(fault.fields[0].message, "must be set");
	assert_string_equal(fault.fields[0].value, "");
	assert_string_equal(fault.fields[1].value, "v");
	assert_string_equal(fault.text, "first: must be set");
}

/* text is n times EURO, maybe with something in front, and nothing else. */
static void
assert_whole_characters(const char *text, size_t front)
{
	size_t len = strlen(text), i;

	assert_int_equal((len - front) % 3, 0);
	for (i = front; i < len; i += 3)
		assert_memory_equal(text + i, EURO, 3);
}

static void
texts_too_long_are_cut_between_characters(void **state)
{
	char text[1024];
	struct fault fault;
	size_t front, i;

	(void)state;
	for (front = 0; front < 3; front++) {
		memset(text, 'x', front);
		for (i = front; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, EURO, 3);
		text[i] = '\0';

		fault_clear(&fault);
		fault_say(&fault, REFUSAL_FORBIDDEN, "%s", text);
		assert_in_range(strlen(fault.said), sizeof(fault.said) - 3,
		    sizeof(fault.said) - 1);
		assert_whole_characters(fault.said, front);

		fault_clear(&fault);
		fault_set(&fault, FAULT_IO, "%s", text);
		assert_in_range(strlen(fault.text), sizeof(fault.text) - 3,
		    sizeof(fault.text) - 1);
		assert_whole_characters(fault.text, front);
		fault_prefix(&fault, "x");
		assert_in_range(strlen(fault.text), sizeof(fault.text) - 3,
		    sizeof(fault.text) - 1);

		fault_clear(&fault);
		fault_add_field(&fault, text, text, text);
		assert_whole_characters(fault.fields[0].field, front);
		assert_whole_characters(fault.fields[0].message, front);
		assert_whole_characters(fault.fields[0].value, front);
		assert_in_range(strlen(fault.fields[0].value), 61, 63);
	}
}

static void
a_text_that_just_fits_is_not_cut(void **state)
{
	char text[sizeof(((struct fault *)0)->said)];
	struct fault fault;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text + sizeof(text) - 4, EURO, 4);
	fault_clear(&fault);
	fault_say(&fault, REFUSAL_FORBIDDEN, "%s", text);
	assert_string_equal(fault.said, text);
}

static void
refusals_and_faults_are_told_apart(void **state)
{
	int code;

	(void)state;
	assert_false(fault_is_refusal(FAULT_NONE));
	for (code = REFUSAL_VALIDATION; code <= REFUSAL_BUSY; code++)
		assert_true(fault_is_refusal((enum fault_code)code));
	for (code = FAULT_INTERNAL; code < FAULT_CODE_COUNT; code++)
		assert_false(fault_is_refusal((enum fault_code)code));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_replaces_and_returns_minus_one),
		cmocka_unit_test(clear_forgets_everything),
		cmocka_unit_test(errno_stands_behind_the_text_and_survives),
		cmocka_unit_test(prefixes_pile_up_in_front),
		cmocka_unit_test(
		    the_client_text_is_the_operators_only_when_there_is_none),
		cmocka_unit_test(fields_add_up_to_their_limit),
		cmocka_unit_test(texts_too_long_are_cut_between_characters),
		cmocka_unit_test(a_text_that_just_fits_is_not_cut),
		cmocka_unit_test(refusals_and_faults_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
