/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "wuts/user_policy.h"

#include "wuts/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef void check(const struct user_policy *policy, const char *field,
    const char *value, struct fault *fault);

static size_t
problems(check *rule, const struct user_policy *policy, const char *value)
{
	struct fault fault;

	fault_clear(&fault);
	rule(policy, "it", value, &fault);
	return fault.nfields;
}

static size_t
password_problems(const char *value, bool skip)
{
	struct user_policy policy;
	struct fault fault;

	user_policy_init(&policy);
	fault_clear(&fault);
	user_policy_check_password(&policy, "it", value, skip, &fault);
	return fault.nfields;
}

static void
addresses_have_the_form_of_the_specification(void **state)
{
	static const char *const good[] = {
		"a@b.co", "A.b-c_d%e+f@x-y.Example.ORG", "1@2.3.io",
	};
	static const char *const bad[] = {
		"a", "@b.co", "a@", "a@b", "a@b.c", "a@b.c1", "a b@c.de",
		".a@b.co", "a.@b.co", "a..b@c.de", "a@.b.co", "a@b..co",
		"a@b.co.", "a@b@c.de", "\xc3\xa4@b.co", "a@b\xc3\xa4.co",
		"a@b.co\n", "\"a\"@b.co", "a!@b.co",
	};
	struct user_policy policy;
	char longest[300];
	size_t i;

	(void)state;
	user_policy_init(&policy);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (problems(user_policy_check_email, &policy, good[i]) != 0)
			fail_msg("%s is refused", good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (problems(user_policy_check_email, &policy, bad[i]) != 1)
			fail_msg("%s is taken", bad[i]);
	memset(longest, 'a', sizeof(longest));
	memcpy(longest + 249, "@b.co", 6);
	assert_int_equal(problems(user_policy_check_email, &policy, longest),
	    0);
	memcpy(longest + 250, "@b.co", 6);
	longest[249] = 'a';
	assert_int_equal(problems(user_policy_check_email, &policy, longest),
	    1);
}

static void
user_names_are_letters_and_digits_of_any_script(void **state)
{
	static const struct {
		const char *value;
		size_t problems;
	} rows[] = {
		{ "ada", 0 }, { "Ada_L-1", 0 }, { "ab", 1 }, { "ada!", 1 },
		{ "a!", 2 }, { "a b c", 1 }, { "\xc3\xa4\xc3\xb6\xc3\xbc", 0 },
		{ "\xe5\xbc\xa0\xe4\xbc\x9f\xe5\xbc\xba", 0 },	/* Han */
		{ "\xd9\xa1\xd9\xa2\xd9\xa3", 0 },	/* Arabic digits */
		{ "abc\xf0\x9f\x98\x80", 1 },		/* an emoji */
		{ "abc\xe2\x80\x8b", 1 },		/* invisible */
		{ "012345678901234567890123456789", 0 },
		{ "0123456789012345678901234567890", 1 },
		{ "\xc3\xa4\xc3\xa4", 1 },	/* two characters, four bytes */
	};
	struct user_policy policy;

	(void)state;
	user_policy_init(&policy);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (problems(user_policy_check_username, &policy,
		    rows[i].value) != rows[i].problems)
			fail_msg("%s", rows[i].value);
}

static void
passwords_break_every_rule_that_they_break(void **state)
{
	char longest[1026];

	(void)state;
	assert_int_equal(password_problems("Passw0rd!", false), 0);
	assert_int_equal(password_problems("passw0rd!", false), 1);
	assert_int_equal(password_problems("Passw0rd", false), 1);
	assert_int_equal(password_problems("a", false), 4);
	assert_int_equal(password_problems("a", true), 0);
	assert_int_equal(password_problems("", true), 1);
	assert_int_equal(password_problems(NULL, false), 1);
	/* In characters: four of them, eight bytes. */
	assert_int_equal(password_problems("\xc3\xa4""Aa1!\xc3\xa4", false), 1);
	assert_int_equal(password_problems("\xc3\xa4""Aa1!xyz", false), 0);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[1025] = '\0';
	assert_int_equal(password_problems(longest, true), 1);
	longest[1024] = '\0';
	assert_int_equal(password_problems(longest, true), 0);
}

static void
names_are_short_and_without_control_characters(void **state)
{
	struct user_policy policy;
	char longest[256 * 2 + 1];

	(void)state;
	user_policy_init(&policy);
	for (size_t i = 0; i < 256; i++)
		memcpy(longest + 2 * i, "\xc3\xa4", 2);
	longest[512] = '\0';
	assert_int_equal(problems(user_policy_check_name, &policy, longest),
	    1);
	longest[510] = '\0';
	assert_int_equal(problems(user_policy_check_name, &policy, longest),
	    0);
	assert_int_equal(problems(user_policy_check_name, &policy, "a\tb"), 1);
	assert_int_equal(problems(user_policy_check_name, &policy,
	    "a\xc2\x85"), 1);
	assert_int_equal(problems(user_policy_check_name, &policy, ""), 1);
	assert_int_equal(problems(user_policy_check_name, &policy, "  "), 1);
	policy.names_required = false;
	assert_int_equal(problems(user_policy_check_name, &policy, ""), 0);
	assert_int_equal(problems(user_policy_check_name, &policy, "  "), 0);
}

static void
settings_are_set_by_name_and_shown_as_they_were_set(void **state)
{
	char value[USER_POLICY_VALUE_SIZE];
	struct user_policy policy;

	(void)state;
	user_policy_init(&policy);
	assert_null(user_policy_set(&policy, "email_required", "false"));
	assert_false(policy.email_required);
	assert_null(user_policy_set(&policy, "username_max", "128"));
	assert_int_equal(policy.username_max, 128);
	assert_non_null(user_policy_set(&policy, "username_max", "129"));
	assert_non_null(user_policy_set(&policy, "username_max", "0"));
	assert_non_null(user_policy_set(&policy, "username_max", ""));
	assert_non_null(user_policy_set(&policy, "email_required", "yes"));
	assert_non_null(user_policy_set(&policy, "colour", "blue"));
	assert_int_equal(policy.username_max, 128);
	for (size_t i = 0; i < user_policy_count(); i++)
		assert_null(user_policy_set(&policy, user_policy_name(i),
		    user_policy_format(&policy, i, value)));
}

static void
what_is_not_enabled_is_refused_and_what_is_required_is_missed(void **state)
{
	struct user_policy policy;

	(void)state;
	user_policy_init(&policy);
	assert_int_equal(problems(user_policy_check_email, &policy, ""), 1);
	assert_int_equal(problems(user_policy_check_username, &policy, ""), 0);
	policy.email_enabled = policy.username_enabled = false;
	assert_int_equal(problems(user_policy_check_email, &policy, ""), 0);
	assert_int_equal(problems(user_policy_check_email, &policy,
	    "a@b.co"), 1);
	assert_int_equal(problems(user_policy_check_username, &policy,
	    "ada"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_have_the_form_of_the_specification),
		cmocka_unit_test(
		    user_names_are_letters_and_digits_of_any_script),
		cmocka_unit_test(passwords_break_every_rule_that_they_break),
		cmocka_unit_test(
		    names_are_short_and_without_control_characters),
		cmocka_unit_test(
		    settings_are_set_by_name_and_shown_as_they_were_set),
		cmocka_unit_test(
		    what_is_not_enabled_is_refused_and_what_is_required_is_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
