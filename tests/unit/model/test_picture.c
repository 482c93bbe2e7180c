/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "wuts/connection.h"
#include "wuts/picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	const char *sentence;
	const char *bytes;
	size_t len;
	enum picture_format format;
} rows[] = {
	{ "JPEG", "\xff\xd8\xff\xe0\0\x10JFIF", 10, PICTURE_JPEG },
	{ "PNG", "\x89PNG\r\n\x1a\n\0\0", 10, PICTURE_PNG },
	{ "GIF of 1987", "GIF87a..", 8, PICTURE_GIF },
	{ "GIF of 1989", "GIF89a", 6, PICTURE_GIF },
	{ "WebP", "RIFF\1\2\3\4WEBPVP8 ", 16, PICTURE_WEBP },
	{ "ICO", "\0\0\1\0\1\0", 6, PICTURE_ICO },
	{ "another RIFF", "RIFF\1\2\3\4WAVEfmt ", 16, PICTURE_NONE },
	{ "a RIFF that is cut", "RIFF\1\2\3\4WEB", 11, PICTURE_NONE },
	{ "a cursor", "\0\0\2\0\1\0", 6, PICTURE_NONE },
	{ "a PNG that a mailer has spoilt", "\x89PNG\n\x1a\n\0\0", 9,
	    PICTURE_NONE },
	{ "SVG", "<svg xmlns=", 11, PICTURE_NONE },
	{ "HTML", "<html>", 6, PICTURE_NONE },
	{ "two bytes of a JPEG", "\xff\xd8", 2, PICTURE_NONE },
	{ "nothing", "", 0, PICTURE_NONE }
};

static void
the_leading_bytes_tell_the_format(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (picture_format_of(rows[i].bytes, rows[i].len) !=
		    rows[i].format)
			fail_msg("%s", rows[i].sentence);
}

static void
other_images_are_not_welcome(void **state)
{
	(void)state;
	assert_true(picture_type_is_welcome("image/png"));
	assert_true(picture_type_is_welcome("Image/JPG; q=1"));
	assert_true(picture_type_is_welcome("image/vnd.microsoft.icon"));
	assert_true(picture_type_is_welcome(""));
	assert_true(picture_type_is_welcome("application/octet-stream"));
	assert_false(picture_type_is_welcome("image/svg+xml"));
	assert_false(picture_type_is_welcome("image/"));
	assert_false(picture_type_is_welcome("IMAGE/TIFF"));
	assert_false(picture_type_is_welcome("image/pngx"));
}

static void
only_our_own_names_are_ours(void **state)
{
	static const uint8_t random[16] = { 0x3f, 0x9c, 1 };
	char name[PICTURE_NAME_MAX + 1], other[PICTURE_NAME_MAX + 8];

	(void)state;
	for (int f = PICTURE_NONE + 1; f < PICTURE_FORMAT_COUNT; f++) {
		picture_name_format(random, (enum picture_format)f, name);
		assert_true(picture_name_is_ours(name));
	}
	assert_string_equal(name, "3f/3f9c0100000000000000000000000000.ico");
	snprintf(other, sizeof(other), "%s.new-1", name);
	assert_false(picture_name_is_ours(other));
	assert_false(picture_name_is_ours(
	    "3e/3f9c0100000000000000000000000000.ico"));
	assert_false(picture_name_is_ours(
	    "3f/3f9c0100000000000000000000000000.svg"));
	assert_false(picture_name_is_ours("../etc/passwd"));
	assert_false(picture_name_is_ours(""));
}

static void
passkeys_have_names_of_1_to_255_characters(void **state)
{
	char text[PASSKEY_NAME_MAX * 2 + 3], name[PASSKEY_NAME_MAX * 4 + 1];

	(void)state;
	assert_null(passkey_name_check("  my key\t", name));
	assert_string_equal(name, "my key");
	assert_non_null(passkey_name_check(" \t ", name));
	assert_non_null(passkey_name_check("a\nb", name));
	for (size_t i = 0; i < PASSKEY_NAME_MAX; i++)
		memcpy(text + 2 * i, "\xc3\xa4", 2);
	text[PASSKEY_NAME_MAX * 2] = '\0';
	assert_null(passkey_name_check(text, name));
	strcat(text, "x");
	assert_non_null(passkey_name_check(text, name));
}

static void
nine_providers_are_known(void **state)
{
	(void)state;
	assert_true(connection_provider_is_known("github_oauth"));
	assert_true(connection_provider_is_known("x_oauth"));
	assert_false(connection_provider_is_known("github"));
	assert_false(connection_provider_is_known(""));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_leading_bytes_tell_the_format),
		cmocka_unit_test(other_images_are_not_welcome),
		cmocka_unit_test(only_our_own_names_are_ours),
		cmocka_unit_test(passkeys_have_names_of_1_to_255_characters),
		cmocka_unit_test(nine_providers_are_known)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
