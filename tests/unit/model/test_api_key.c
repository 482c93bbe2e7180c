/* SPDX-License-Identifier: MIT */
/* What an API key looks like, and what its name and scope may be. */
#include "config.h"

#include "wuts/api_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NAME_SIZE (API_KEY_NAME_MAX * 4 + 1)
#define LENGTH "must be 1 to 100 characters"
#define CONTROL "must not contain control characters"
#define FORTY "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN"

static void
the_form_of_a_key_is_exact(void **state)
{
	static const struct {
		const char *text;
		bool good;
		const char *sentence;
	} rows[] = {
		{ "wuts_" FORTY, true, "letters" },
		{ "wuts_0123456789azAZ0123456789azAZ0123456789ab", true,
		    "digits and letters" },
		{ "wuts_" FORTY "x", false, "one more" },
		{ "wuts_bcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN", false,
		    "one less" },
		{ "", false, "nothing" },
		{ "wuts_", false, "the beginning alone" },
		{ "Wuts_" FORTY, false, "another beginning" },
		{ "wuts-" FORTY, false, "a hyphen" },
		{ "xuts_" FORTY, false, "another first letter" },
		{ "wuts_-bcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN", false,
		    "a hyphen inside" },
		{ "wuts__bcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN", false,
		    "an underscore inside" },
		{ "wuts_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM ", false,
		    "a blank at the end" },
		{ "wuts_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL\xc3\xa9",
		    false, "a letter that is not of ASCII" },
		{ "wuts_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM@", false,
		    "before A" },
		{ "wuts_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM[", false,
		    "behind Z" },
		{ "wuts_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM`", false,
		    "before a" },
		{ "wuts_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM{", false,
		    "behind z" },
		{ "wuts_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM/", false,
		    "before 0" },
		{ "wuts_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM:", false,
		    "behind 9" },
		{ "01890a5d-ac96-774b-bcce-b302099a8057", false,
		    "a user's token" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (api_key_is_text(rows[i].text, strlen(rows[i].text)) !=
		    rows[i].good)
			fail_msg("%s", rows[i].sentence);
	}
}

static void
nothing_behind_the_length_is_looked_at(void **state)
{
	static const char text[] = "wuts_" FORTY " and more";
	static const char with_nul[API_KEY_TEXT_LEN] = "wuts_abc";

	(void)state;
	assert_int_equal(strlen("wuts_" FORTY), API_KEY_TEXT_LEN);
	assert_true(api_key_is_text(text, API_KEY_TEXT_LEN));
	assert_false(api_key_is_text(text, API_KEY_TEXT_LEN + 1));
	assert_false(api_key_is_text(text, API_KEY_TEXT_LEN - 1));
	assert_false(api_key_is_text(with_nul, sizeof(with_nul)));
}

static void
scopes_have_names_and_nothing_else_is_one(void **state)
{
	static const char *const others[] = {
		"", "Full", "READ", "write", "full ", " read", "re", "reader",
	};
	enum api_key_scope scope;
	size_t i;
	int s;

	(void)state;
	assert_string_equal(api_key_scope_name(API_KEY_FULL), "full");
	assert_string_equal(api_key_scope_name(API_KEY_READ), "read");
	for (s = 0; s < API_KEY_SCOPE_COUNT; s++) {
		scope = API_KEY_SCOPE_COUNT;
		assert_true(api_key_scope_parse(
		    api_key_scope_name((enum api_key_scope)s), &scope));
		assert_int_equal(scope, s);
	}
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		scope = API_KEY_SCOPE_COUNT;
		assert_false(api_key_scope_parse(others[i], &scope));
		assert_int_equal(scope, API_KEY_SCOPE_COUNT);
	}
}

static void
names_are_trimmed_and_free_of_control_characters(void **state)
{
	static const struct {
		const char *text;
		const char *name;	/* NULL: refused with answer */
		const char *answer;
	} rows[] = {
		{ "CI", "CI", NULL },
		{ " \t build server \xe3\x80\x80\n", "build server", NULL },
		{ "", NULL, LENGTH },
		{ " \xc2\xa0 ", NULL, LENGTH },
		{ "a\nb", NULL, CONTROL },
		{ "a\xc2\x85" "b", NULL, CONTROL },
	};
	char name[NAME_SIZE];
	const char *answer;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(name, 'x', sizeof(name));
		answer = api_key_name_check(rows[i].text, name);
		if (rows[i].name != NULL) {
			assert_null(answer);
			assert_string_equal(name, rows[i].name);
		} else {
			assert_string_equal(answer, rows[i].answer);
			assert_string_equal(name, "");
		}
	}
}

static void
the_name_has_at_most_100_characters_of_any_kind(void **state)
{
	char text[(API_KEY_NAME_MAX + 1) * 4 + 1] = "", name[NAME_SIZE];
	int i;

	(void)state;
	for (i = 0; i < API_KEY_NAME_MAX; i++)
		strcat(text, "\xf0\x9f\x98\x80");
	assert_null(api_key_name_check(text, name));
	assert_string_equal(name, text);
	strcat(text, "a");
	assert_string_equal(api_key_name_check(text, name), LENGTH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_form_of_a_key_is_exact),
		cmocka_unit_test(nothing_behind_the_length_is_looked_at),
		cmocka_unit_test(scopes_have_names_and_nothing_else_is_one),
		cmocka_unit_test(
		    names_are_trimmed_and_free_of_control_characters),
		cmocka_unit_test(
		    the_name_has_at_most_100_characters_of_any_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
