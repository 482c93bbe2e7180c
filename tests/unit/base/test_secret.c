/* SPDX-License-Identifier: MIT */
/* Secrets are copied in, read only from files that others cannot read, and
   gone afterwards. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/secret.h"

#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void
set_copies_and_replaces(void **state)
{
	struct secret secret = { NULL, 0 };
	char text[] = "a\0bc";

	(void)state;
	secret_set(&secret, "first", 5);
	secret_set(&secret, text, 4);
	memset(text, 'x', 4);
	assert_int_equal(secret.len, 4);
	assert_memory_equal(secret.data, "a\0bc", 4);
	secret_deinit(&secret);
	assert_null(secret.data);
	assert_int_equal(secret.len, 0);
	secret_deinit(&secret);
	secret_set(&secret, "again", 5);
	assert_memory_equal(secret.data, "again", 5);
	secret_deinit(&secret);
}

static void
a_secret_may_be_set_from_itself(void **state)
{
	struct secret secret = { NULL, 0 };

	(void)state;
	secret_set(&secret, "abcdef", 6);
	secret_set(&secret, secret.data + 2, 3);
	assert_int_equal(secret.len, 3);
	assert_memory_equal(secret.data, "cde", 3);
	secret_deinit(&secret);
}

static void
one_newline_at_the_end_of_a_file_is_dropped(void **state)
{
	static const struct {
		const char *content, *secret;
	} rows[] = {
		{ "s", "s" }, { "secret\n", "secret" },
		{ "secret\n\n", "secret\n" }, { "two\nlines", "two\nlines" },
		{ " blanks ", " blanks " }, { "secret\r\n", "secret\r" },
	};
	struct secret secret = { NULL, 0 };
	char path[SCRATCH_PATH_SIZE];
	struct fault fault;
	size_t i;

	scratch_path(state, "secret", path);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		scratch_write(path, rows[i].content, 0640);
		assert_int_equal(secret_read_file(&secret, path, 16, &fault),
		    0);
		assert_int_equal(secret.len, strlen(rows[i].secret));
		assert_memory_equal(secret.data, rows[i].secret, secret.len);
	}
	secret_deinit(&secret);
}

static void
assert_refused(const char *path, const char *why)
{
	struct secret secret = { NULL, 0 };
	struct fault fault;

	fault_clear(&fault);
	assert_int_equal(secret_read_file(&secret, path, 8, &fault), -1);
	assert_int_equal(fault.code, FAULT_CONFIG);
	if (strstr(fault.text, path) == NULL ||
	    strstr(fault.text, why) == NULL)
		fail_msg("%s", fault.text);
	assert_null(strstr(fault.text, "hush"));
	assert_null(secret.data);
}

static void
a_file_that_others_may_touch_is_refused(void **state)
{
	char path[SCRATCH_PATH_SIZE];
	unsigned mode;

	scratch_path(state, "open", path);
	for (mode = 1; mode <= 7; mode++) {
		scratch_write(path, "hush", 0600 | mode);
		assert_refused(path, "chmod");
	}
}

static void
files_empty_too_long_or_of_another_kind_are_refused(void **state)
{
	char path[SCRATCH_PATH_SIZE];

	scratch_write(scratch_path(state, "f", path), "", 0600);
	assert_refused(path, "1 to 8 bytes");
	scratch_write(path, "\n", 0600);
	assert_refused(path, "empty");
	scratch_write(path, "hushhush!", 0600);
	assert_refused(path, "1 to 8 bytes");
	assert_refused(scratch_path(state, "missing", path), "No such file");
	assert_int_equal(mkdir(scratch_path(state, "dir", path), 0700), 0);
	assert_refused(path, "regular file");
	/* Nobody writes to it: opening must not wait. */
	assert_int_equal(mkfifo(scratch_path(state, "fifo", path), 0600), 0);
	assert_refused(path, "regular file");
}

/* systemd.exec(5): the unit's credentials are files in that directory. */
static void
a_credential_is_read_from_the_directory_that_systemd_names(void **state)
{
	struct secret secret = { NULL, 0 };
	char path[SCRATCH_PATH_SIZE];
	struct fault fault;

	scratch_write(scratch_path(state, "token", path), "hush", 0400);
	assert_false(secret_is_credential(path));
	assert_true(secret_is_credential("$CREDENTIALS_DIRECTORY/token"));
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_refused("$CREDENTIALS_DIRECTORY/token", "LoadCredential");
	*strrchr(path, '/') = '\0';
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", path, 1), 0);
	assert_refused("$CREDENTIALS_DIRECTORY/another", "No such file");
	assert_int_equal(secret_read_file(&secret,
	    "$CREDENTIALS_DIRECTORY/token", 8, &fault), 0);
	assert_int_equal(secret.len, 4);
	assert_memory_equal(secret.data, "hush", 4);
	secret_deinit(&secret);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_copies_and_replaces),
		cmocka_unit_test(a_secret_may_be_set_from_itself),
		cmocka_unit_test(one_newline_at_the_end_of_a_file_is_dropped),
		cmocka_unit_test(a_file_that_others_may_touch_is_refused),
		cmocka_unit_test(
		    files_empty_too_long_or_of_another_kind_are_refused),
		cmocka_unit_test(
		    a_credential_is_read_from_the_directory_that_systemd_names),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
