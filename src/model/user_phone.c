/* SPDX-License-Identifier: MIT */
/* Phone numbers (spec/wacht.md §4): kept without separators, in two parts as
   they came, the same ones when their digits are. */
#include "config.h"

#include "wuts/user_phone.h"

#include <stdio.h>
#include <string.h>

#define DIGITS_MIN 2
#define CODE_DIGITS_MAX 4

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Without separators, when that fits. */
static bool
strip(const char *text, char *out, size_t size)
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (strchr(" -()", *text) != NULL)
			continue;
		if (n + 1 == size)
			return false;
		out[n++] = *text;
	}
	out[n] = '\0';
	return true;
}

static bool
is_digits(const char *text)
{
	for (; is_digit(*text); text++)
		continue;
	return *text == '\0';
}

/* "" or +1 to +9999, the plus may be missing. */
static const char *
parse_code(const char *code, char code_r[PHONE_CODE_MAX + 1])
{
	const char *digits = code + (code[0] == '+');

	code_r[0] = '\0';
	if (code[0] == '\0')
		return NULL;
	if (strlen(digits) > CODE_DIGITS_MAX || digits[0] == '\0' ||
	    digits[0] == '0' || !is_digits(digits))
		return "must be empty or + and 1 to 4 digits";
	snprintf(code_r, PHONE_CODE_MAX + 1, "+%s", digits);
	return NULL;
}

static const char *
check_number(const char *code, const char *number)
{
	const char *digits = number + (code[0] == '\0' && number[0] == '+');
	size_t n = strlen(digits) + (code[0] == '\0' ? 0 : strlen(code) - 1);

	if (digits[0] == '\0' || !is_digits(digits))
		return code[0] == '\0' ?
		    "must be a phone number" : "must be digits only";
	if (digits[0] == '0')
		return "must not begin with 0";
	if (n < DIGITS_MIN || n > PHONE_DIGITS_MAX)
		return "must have 2 to 15 digits, the country code included";
	return NULL;
}

const char *
phone_parse(const char *code, const char *number,
    char code_r[PHONE_CODE_MAX + 1], char number_r[PHONE_NUMBER_MAX + 1],
    bool *bad_code_r)
{
	const char *problem = parse_code(code, code_r);

	number_r[0] = '\0';
	*bad_code_r = problem != NULL;
	if (problem != NULL)
		return problem;
	if (!strip(number, number_r, PHONE_NUMBER_MAX + 1)) {
		number_r[0] = '\0';
		return "must have 2 to 15 digits, the country code included";
	}
	return check_number(code_r, number_r);
}

char *
phone_key(const struct user_phone *phone, char key_r[PHONE_DIGITS_MAX + 1])
{
	const char *code = phone->country_code, *number = phone->phone_number;

	snprintf(key_r, PHONE_DIGITS_MAX + 1, "%s%s", code + (code[0] == '+'),
	    number + (number[0] == '+'));
	return key_r;
}

char *
phone_whole(const struct user_phone *phone, char whole_r[PHONE_WHOLE_MAX + 1])
{
	snprintf(whole_r, PHONE_WHOLE_MAX + 1, "%s%s", phone->country_code,
	    phone->phone_number);
	return whole_r;
}
