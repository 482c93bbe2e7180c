/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "wuts/clock.h"
#include "wuts/totp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* RFC 6238, appendix B, of which the last six of eight digits. */
static const uint8_t rfc_secret[] = "12345678901234567890";
static const struct {
	int64_t seconds;
	const char *code;
} rfc_rows[] = {
	{ 59, "287082" },
	{ 1111111109, "081804" },
	{ 1111111111, "050471" },
	{ 1234567890, "005924" },
	{ 2000000000, "279037" },
	{ INT64_C(20000000000), "353130" }
};

static void
codes_are_those_of_the_rfc(void **state)
{
	char code[TOTP_DIGITS + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(rfc_rows) / sizeof(rfc_rows[0]); i++) {
		totp_code(rfc_secret, 20,
		    totp_step(rfc_rows[i].seconds * CLOCK_SECOND_US), code);
		assert_string_equal(code, rfc_rows[i].code);
	}
}

static bool
verify_at(int64_t seconds, const char *code, uint64_t last_step,
    uint64_t *step_r)
{
	return totp_verify(rfc_secret, 20, code, seconds * CLOCK_SECOND_US,
	    last_step, step_r);
}

static void
one_step_before_and_behind_is_right_and_no_more(void **state)
{
	uint64_t step = 0;

	(void)state;
	/* 287082 is that of seconds 30 to 59. */
	assert_true(verify_at(0, "287082", 0, &step));
	assert_true(verify_at(45, "287082", 0, &step));
	assert_int_equal(step, 1);
	assert_true(verify_at(89, "287082", 0, &step));
	assert_false(verify_at(90, "287082", 0, &step));
}

static void
a_step_that_was_used_is_not_right_again(void **state)
{
	uint64_t step = 0;

	(void)state;
	assert_true(verify_at(45, "287082", 0, &step));
	assert_false(verify_at(45, "287082", step, &step));
	assert_false(verify_at(45, "287082", step + 1, &step));
}

static void
what_is_no_code_is_not_right(void **state)
{
	uint64_t step = 0;

	(void)state;
	assert_false(verify_at(45, "", 0, &step));
	assert_false(verify_at(45, "28708", 0, &step));
	assert_false(verify_at(45, "2870820", 0, &step));
	assert_false(verify_at(45, "28708a", 0, &step));
	assert_false(verify_at(45, " 287082", 0, &step));
}

static const struct {
	const char *sentence;
	const char *text;
	const char *normal;	/* NULL: refused */
	size_t len;
} secrets[] = {
	{ "16 bytes", "GEZDGNBVGY3TQOJQGEZDGNBVGY", "GEZDGNBVGY3TQOJQGEZDGNBVGY",
	    16 },
	{ "20 bytes", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
	    "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 20 },
	{ "small letters, groups and padding",
	    "gezd gnbv-gy3t\tqojq GEZD GNBV gy======",
	    "GEZDGNBVGY3TQOJQGEZDGNBVGY", 16 },
	{ "the guide's example has ten bytes", "JBSWY3DPEHPK3PXP", NULL, 0 },
	{ "nothing", "", NULL, 0 },
	{ "nothing but padding", "====", NULL, 0 },
	{ "padding inside", "GEZDGNBVGY3TQOJQ=GEZDGNBVGY", NULL, 0 },
	{ "a digit of none", "1EZDGNBVGY3TQOJQGEZDGNBVGY", NULL, 0 },
	{ "half a byte over", "GEZDGNBVGY3TQOJQGEZDGNBVGYA", NULL, 0 },
	{ "another alphabet", "\xc3\xa4" "EZDGNBVGY3TQOJQGEZDGNBVG", NULL, 0 }
};

static void
secrets_are_base32_of_enough_bytes(void **state)
{
	char text[TOTP_TEXT_MAX + 1], again[TOTP_TEXT_MAX + 1];
	uint8_t bytes[TOTP_SECRET_MAX];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		if (totp_secret_parse(secrets[i].text, text, bytes, &len) !=
		    (secrets[i].normal != NULL))
			fail_msg("%s", secrets[i].sentence);
		if (secrets[i].normal == NULL)
			continue;
		assert_string_equal(text, secrets[i].normal);
		assert_int_equal(len, secrets[i].len);
		assert_memory_equal(bytes, "12345678901234567890", len);
		assert_string_equal(totp_secret_format(bytes, len, again),
		    text);
	}
}

static void
a_secret_has_at_most_128_bytes(void **state)
{
	char text[TOTP_TEXT_MAX + 1], long_text[300];
	uint8_t bytes[TOTP_SECRET_MAX];
	size_t len;

	(void)state;
	memset(long_text, 'A', sizeof(long_text));
	long_text[205] = '\0';
	assert_true(totp_secret_parse(long_text, text, bytes, &len));
	assert_int_equal(len, 128);
	long_text[205] = 'A';
	long_text[207] = '\0';
	assert_false(totp_secret_parse(long_text, text, bytes, &len));
	long_text[207] = 'A';
	long_text[299] = '\0';
	assert_false(totp_secret_parse(long_text, text, bytes, &len));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_those_of_the_rfc),
		cmocka_unit_test(
		    one_step_before_and_behind_is_right_and_no_more),
		cmocka_unit_test(a_step_that_was_used_is_not_right_again),
		cmocka_unit_test(what_is_no_code_is_not_right),
		cmocka_unit_test(secrets_are_base32_of_enough_bytes),
		cmocka_unit_test(a_secret_has_at_most_128_bytes)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
