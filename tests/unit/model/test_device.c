/* SPDX-License-Identifier: MIT */
/* What the name of a device may be: counted in characters, trimmed first; when
   it is logged in; how long a code for pairing lives. */
#include "config.h"

#include "wuts/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NAME_SIZE (DEVICE_NAME_MAX * 4 + 1)
#define LENGTH "must be 1 to 100 characters"
#define CONTROL "must not contain control characters"

static void
names_are_trimmed_and_free_of_control_characters(void **state)
{
	static const struct {
		const char *text;
		const char *name;	/* NULL: refused with answer */
		const char *answer;
		const char *sentence;
	} rows[] = {
		{ "A", "A", NULL, "one character is a name" },
		{ "Acme Ltd", "Acme Ltd", NULL, "inner blanks stay" },
		{ "  Acme \t\r\n", "Acme", NULL, "outer blanks go" },
		{ "\xc2\xa0" "Acme\xe3\x80\x80", "Acme", NULL,
		    "Unicode white space goes as well" },
		{ "\xc2\x85" "Acme\xe2\x80\xa8", "Acme", NULL,
		    "white space that is control goes at the ends" },
		{ "a\xe2\x80\x83z", "a\xe2\x80\x83z", NULL,
		    "an inner Unicode blank stays" },
		{ "\xe2\x80\x8bx", "\xe2\x80\x8bx", NULL,
		    "a zero-width space is no white space" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", NULL,
		    "a character of four bytes is a name" },
		{ "", NULL, LENGTH, "nothing is no name" },
		{ " \t\n", NULL, LENGTH, "white space is no name" },
		{ "\xe3\x80\x80\xe2\x80\x89", NULL, LENGTH,
		    "Unicode white space is no name" },
		{ "a\nb", NULL, CONTROL, "no line feed inside" },
		{ "a\tb", NULL, CONTROL, "no tab inside" },
		{ "\x1b[31m", NULL, CONTROL, "no escape at the beginning" },
		{ "a\x7f", NULL, CONTROL, "no DEL at the end" },
		{ "a\xc2\x85" "b", NULL, CONTROL, "no C1 control inside" },
		{ "a\xc2\x9b", NULL, CONTROL, "no C1 control at the end" },
	};
	char name[NAME_SIZE];
	const char *answer;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(name, 'x', sizeof(name));
		answer = device_name_check(rows[i].text, name);
		if (rows[i].name == NULL) {
			if (answer == NULL)
				fail_msg("%s", rows[i].sentence);
			assert_string_equal(answer, rows[i].answer);
			assert_string_equal(name, "");
		} else {
			if (answer != NULL)
				fail_msg("%s: %s", rows[i].sentence, answer);
			assert_string_equal(name, rows[i].name);
		}
	}
}

/* count times the character, with blanks around. */
static const char *
check_repeated(const char *character, size_t count, char name_r[NAME_SIZE])
{
	char text[4 * (DEVICE_NAME_MAX + 1) + 3];
	size_t i, len = strlen(character);

	text[0] = ' ';
	for (i = 0; i < count; i++)
		memcpy(text + 1 + i * len, character, len);
	memcpy(text + 1 + count * len, " ", 2);
	return device_name_check(text, name_r);
}

static void
the_limit_counts_characters_not_bytes(void **state)
{
	static const char *const characters[] = {
		"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
	};
	char name[NAME_SIZE];
	size_t i;

	(void)state;
	assert_int_equal(DEVICE_NAME_MAX, 100);
	for (i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
		assert_null(check_repeated(characters[i],
		    DEVICE_NAME_MAX, name));
		assert_int_equal(strlen(name),
		    strlen(characters[i]) * DEVICE_NAME_MAX);
		assert_string_equal(check_repeated(characters[i],
		    DEVICE_NAME_MAX + 1, name), LENGTH);
	}
}

static void
a_device_is_logged_in_while_its_account_is_known(void **state)
{
	struct device device;

	(void)state;
	memset(&device, 0, sizeof(device));
	assert_false(device_is_logged_in(&device));
	device.connected = true;	/* the engine has told no account */
	assert_true(device_is_logged_in(&device));
	memcpy(device.jid, "x", 2);
	assert_true(device_is_logged_in(&device));
	device.connected = false;
	assert_true(device_is_logged_in(&device));
}

static void
a_code_lives_for_a_minute(void **state)
{
	const int64_t now_us = INT64_C(1781526896000000);
	struct device_code code = { .reported_us = now_us };

	(void)state;
	assert_true(device_code_is_fresh(&code, now_us));
	assert_true(device_code_is_fresh(&code, now_us + 59999999));
	assert_false(device_code_is_fresh(&code, now_us + 60000000));
	assert_false(device_code_is_fresh(&code, now_us - 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    names_are_trimmed_and_free_of_control_characters),
		cmocka_unit_test(the_limit_counts_characters_not_bytes),
		cmocka_unit_test(
		    a_device_is_logged_in_while_its_account_is_known),
		cmocka_unit_test(a_code_lives_for_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
