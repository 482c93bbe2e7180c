/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "wuts/user_phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct row {
	const char *code, *number;
	const char *code_kept, *number_kept;	/* NULL: refused */
	const char *key, *whole;
} rows[] = {
	{ "", "+15551234567", "", "+15551234567", "15551234567",
	    "+15551234567" },
	{ "", "15551234567", "", "15551234567", "15551234567",
	    "15551234567" },
	{ "+1", "555 123-4567", "+1", "5551234567", "15551234567",
	    "+15551234567" },
	{ "1", "(555)1234567", "+1", "5551234567", "15551234567",
	    "+15551234567" },
	{ "+1234", "5", "+1234", "5", "12345", "+12345" },
	{ "", "22", "", "22", "22", "22" },
	{ "", "+123456789012345", "", "+123456789012345",
	    "123456789012345", "+123456789012345" },
	{ "", "2", NULL, NULL, NULL, NULL },
	{ "", "", NULL, NULL, NULL, NULL },
	{ "", "+", NULL, NULL, NULL, NULL },
	{ "", " - ", NULL, NULL, NULL, NULL },
	{ "", "0123", NULL, NULL, NULL, NULL },
	{ "", "+0123", NULL, NULL, NULL, NULL },
	{ "", "1234567890123456", NULL, NULL, NULL, NULL },
	{ "+1", "123456789012345", NULL, NULL, NULL, NULL },
	{ "+1", "+5551234567", NULL, NULL, NULL, NULL },
	{ "+1", "0551234567", NULL, NULL, NULL, NULL },
	{ "+0", "5551234567", NULL, NULL, NULL, NULL },
	{ "+", "5551234567", NULL, NULL, NULL, NULL },
	{ "+12345", "555", NULL, NULL, NULL, NULL },
	{ "x", "5551234567", NULL, NULL, NULL, NULL },
	{ " +1", "5551234567", NULL, NULL, NULL, NULL },
	{ "", "555x1234", NULL, NULL, NULL, NULL },
	{ "", "555.1234", NULL, NULL, NULL, NULL },
	{ "", "12+34", NULL, NULL, NULL, NULL },
	{ "", "\xd9\xa1\xd9\xa2\xd9\xa3", NULL, NULL, NULL, NULL },
};

static void
numbers_are_kept_without_separators_or_refused(void **state)
{
	char key[PHONE_DIGITS_MAX + 1], whole[PHONE_WHOLE_MAX + 1];
	struct user_phone phone;
	const char *problem;
	bool bad_code;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		problem = phone_parse(rows[i].code, rows[i].number,
		    phone.country_code, phone.phone_number, &bad_code);
		if ((problem == NULL) != (rows[i].key != NULL))
			fail_msg("%s %s: %s", rows[i].code, rows[i].number,
			    problem == NULL ? "taken" : problem);
		if (problem != NULL)
			continue;
		assert_string_equal(phone.country_code, rows[i].code_kept);
		assert_string_equal(phone.phone_number, rows[i].number_kept);
		assert_string_equal(phone_key(&phone, key), rows[i].key);
		assert_string_equal(phone_whole(&phone, whole),
		    rows[i].whole);
	}
}

static void
whose_fault_it_is_is_told(void **state)
{
	struct user_phone phone;
	bool bad_code;

	(void)state;
	assert_non_null(phone_parse("+0", "555", phone.country_code,
	    phone.phone_number, &bad_code));
	assert_true(bad_code);
	assert_non_null(phone_parse("+1", "x", phone.country_code,
	    phone.phone_number, &bad_code));
	assert_false(bad_code);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    numbers_are_kept_without_separators_or_refused),
		cmocka_unit_test(whose_fault_it_is_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
