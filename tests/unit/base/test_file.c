/* SPDX-License-Identifier: MIT */
/* Files are read whole, replaced whole, and directories made to the last. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/file.h"
#include "wuts/strbuf.h"

#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void
a_file_is_appended_whole(void **state)
{
	char path[SCRATCH_PATH_SIZE];
	struct strbuf sb = STRBUF_INIT;
	struct fault fault;

	scratch_write(scratch_path(state, "f", path), "content", 0600);
	strbuf_append_str(&sb, "before ");
	assert_int_equal(file_read(path, 7, &sb, &fault), 0);
	assert_string_equal(sb.data, "before content");
	assert_int_equal(sb.len, 14);
	strbuf_reset(&sb);
	scratch_write(path, "", 0600);
	assert_int_equal(file_read(path, 0, &sb, &fault), 0);
	assert_int_equal(sb.len, 0);
	strbuf_deinit(&sb);
}

static void
a_file_larger_than_allowed_is_refused(void **state)
{
	char path[SCRATCH_PATH_SIZE];
	struct strbuf sb = STRBUF_INIT;
	struct fault fault;

	scratch_write(scratch_path(state, "f", path), "content", 0600);
	fault_clear(&fault);
	assert_int_equal(file_read(path, 6, &sb, &fault), -1);
	assert_int_equal(fault.code, FAULT_IO);
	assert_non_null(strstr(fault.text, path));
	strbuf_deinit(&sb);
}

static void
a_missing_file_and_a_directory_are_faults(void **state)
{
	char path[SCRATCH_PATH_SIZE];
	struct strbuf sb = STRBUF_INIT;
	struct fault fault;

	fault_clear(&fault);
	assert_int_equal(file_read(scratch_path(state, "missing", path), 9,
	    &sb, &fault), -1);
	assert_int_equal(fault.code, FAULT_IO);
	assert_non_null(strstr(fault.text, "No such file"));
	assert_int_equal(file_read(*state, 9, &sb, &fault), -1);
	strbuf_deinit(&sb);
}

static void
a_large_file_comes_back_as_it_was_written(void **state)
{
	char path[SCRATCH_PATH_SIZE];
	struct strbuf out = STRBUF_INIT, in = STRBUF_INIT;
	struct fault fault;
	unsigned i;

	for (i = 0; i < 50000; i++)
		strbuf_printf(&out, "%05u%c", i, 0);
	scratch_path(state, "large", path);
	assert_int_equal(file_replace(path, out.data, out.len, 0600, &fault),
	    0);
	assert_int_equal(file_read(path, out.len, &in, &fault), 0);
	assert_int_equal(in.len, out.len);
	assert_memory_equal(in.data, out.data, out.len);
	strbuf_deinit(&in);
	strbuf_deinit(&out);
}

static unsigned
count_entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2;
}

static void
replace_sets_content_and_mode_and_leaves_nothing_beside(void **state)
{
	char dir[SCRATCH_PATH_SIZE], path[SCRATCH_PATH_SIZE + 8], text[32];
	struct fault fault;
	struct stat st;
	mode_t old;

	assert_int_equal(mkdir(scratch_path(state, "dir", dir), 0700), 0);
	snprintf(path, sizeof(path), "%s/f", dir);
	scratch_write(path, "a much longer old content", 0644);
	old = umask(0077);
	assert_int_equal(file_replace(path, "new", 3, 0640, &fault), 0);
	umask(old);
	assert_string_equal(scratch_read(path, text, sizeof(text)), "new");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(count_entries(dir), 1);
}

static void
replace_alike_keeps_mode_and_owner(void **state)
{
	char path[SCRATCH_PATH_SIZE], text[32];
	struct stat before, after;
	struct fault fault;

	scratch_write(scratch_path(state, "alike", path), "old", 0640);
	/* Only root may give files away; others keep their own. */
	if (geteuid() == 0)
		assert_int_equal(chown(path, 12345, 54321), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(file_replace_alike(path, "new", 3, &fault), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_string_equal(scratch_read(path, text, sizeof(text)), "new");
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(after.st_uid, before.st_uid);
	assert_int_equal(after.st_gid, before.st_gid);
	assert_true(after.st_ino != before.st_ino);
	fault_clear(&fault);
	assert_int_equal(file_replace_alike(scratch_path(state, "missing",
	    path), "new", 3, &fault), -1);
	assert_int_equal(fault.code, FAULT_IO);
	assert_int_equal(access(path, F_OK), -1);
}

static void
who_has_the_old_file_open_keeps_reading_it(void **state)
{
	char path[SCRATCH_PATH_SIZE], text[4] = "";
	struct fault fault;
	int fd;

	scratch_write(scratch_path(state, "held", path), "old", 0600);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(file_replace(path, "new", 3, 0600, &fault), 0);
	assert_int_equal(read(fd, text, 3), 3);
	assert_string_equal(text, "old");
	close(fd);
}

static void
a_failed_replacement_leaves_the_old_state(void **state)
{
	char dir[SCRATCH_PATH_SIZE], path[SCRATCH_PATH_SIZE + 8];
	struct fault fault;

	/* A directory with something in it cannot be renamed over. */
	assert_int_equal(mkdir(scratch_path(state, "full", dir), 0700), 0);
	snprintf(path, sizeof(path), "%s/d", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	fault_clear(&fault);
	assert_int_equal(file_replace(path, "x", 1, 0600, &fault), -1);
	assert_int_equal(fault.code, FAULT_IO);
	assert_int_equal(count_entries(dir), 1);
	assert_int_equal(file_replace("/no/such/directory/f", "x", 1, 0600,
	    &fault), -1);
}

static void
writing_goes_to_its_offset(void **state)
{
	char path[SCRATCH_PATH_SIZE], text[32];
	int fd;

	scratch_write(scratch_path(state, "at", path), "0123456789", 0600);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(file_write_all_at(fd, "ab", 2, 3), 0);
	assert_int_equal(file_write_all_at(fd, "xy", 2, 10), 0);
	assert_int_equal(file_write_all_at(fd, NULL, 0, 0), 0);
	close(fd);
	assert_string_equal(scratch_read(path, text, sizeof(text)),
	    "012ab56789xy");
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(file_write_all_at(fd, "z", 1, 0), -1);
	close(fd);
}

static void
directories_are_made_with_their_parents(void **state)
{
	static const char *const names[] = {
		"one", "two/three/four", "two/three", "five//six", "seven/",
	};
	char path[SCRATCH_PATH_SIZE];
	struct fault fault;
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		scratch_path(state, names[i], path);
		if (file_make_dirs(path, 0750, &fault) != 0)
			fail_msg("%s: %s", names[i], fault.text);
		assert_int_equal(file_make_dirs(path, 0750, &fault), 0);
		assert_int_equal(stat(path, &st), 0);
		assert_true(S_ISDIR(st.st_mode));
	}
	assert_int_equal(stat(scratch_path(state, "two", path), &st), 0);
	assert_int_equal(st.st_mode & 0777 & ~0750U, 0);
	assert_int_equal(file_make_dirs("/", 0700, &fault), 0);
}

static void
a_file_in_the_way_is_a_fault(void **state)
{
	char path[SCRATCH_PATH_SIZE];
	struct fault fault;

	scratch_write(scratch_path(state, "way", path), "x", 0600);
	fault_clear(&fault);
	assert_int_equal(file_make_dirs(path, 0700, &fault), -1);
	assert_int_equal(fault.code, FAULT_IO);
	assert_int_equal(file_make_dirs(scratch_path(state, "way/below",
	    path), 0700, &fault), -1);
	assert_int_equal(file_make_dirs("", 0700, &fault), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_appended_whole),
		cmocka_unit_test(a_file_larger_than_allowed_is_refused),
		cmocka_unit_test(a_missing_file_and_a_directory_are_faults),
		cmocka_unit_test(a_large_file_comes_back_as_it_was_written),
		cmocka_unit_test(
		    replace_sets_content_and_mode_and_leaves_nothing_beside),
		cmocka_unit_test(replace_alike_keeps_mode_and_owner),
		cmocka_unit_test(who_has_the_old_file_open_keeps_reading_it),
		cmocka_unit_test(a_failed_replacement_leaves_the_old_state),
		cmocka_unit_test(writing_goes_to_its_offset),
		cmocka_unit_test(directories_are_made_with_their_parents),
		cmocka_unit_test(a_file_in_the_way_is_a_fault),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
