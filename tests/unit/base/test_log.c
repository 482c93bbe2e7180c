/* SPDX-License-Identifier: MIT */
/* A log line is one line whatever it holds; levels, reopening, the ends of a
   process. */
#include "config.h"

#include "wuts/log.h"

#include "scratch.h"

#include <errno.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void
assert_matches(const char *text, const char *pattern)
{
	regex_t regex;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB),
	    0);
	if (regexec(&regex, text, 0, NULL, 0) != 0)
		fail_msg("<%s> does not match %s", text, pattern);
	regfree(&regex);
}

/* The text of the line that this makes, behind "info ". */
static const char *
logged(void **state, const char *text, char *buf, size_t size)
{
	char path[SCRATCH_PATH_SIZE], *begin;

	scratch_path(state, "log", path);
	unlink(path);
	assert_int_equal(log_open("test", path, LOG_LEVEL_INFO), 0);
	log_info("%s", text);
	assert_int_equal(log_open("test", NULL, LOG_LEVEL_INFO), 0);
	begin = strstr(scratch_read(path, buf, size), " info ");
	assert_non_null(begin);
	return begin + 6;
}

static void
a_line_has_time_program_process_level_and_text(void **state)
{
	char path[SCRATCH_PATH_SIZE], line[256];

	scratch_path(state, "log", path);
	assert_int_equal(log_open("wutsd", path, LOG_LEVEL_INFO), 0);
	log_warn("id=%d it happened", 7);
	log_open("wutsd", "-", LOG_LEVEL_INFO);
	assert_matches(scratch_read(path, line, sizeof(line)),
	    "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
	    "\\.[0-9]{3}Z wutsd\\[[0-9]+\\] warn id=7 it happened\n$");
}

/* One line's text, as the JSON object that it is logged as. */
static const struct json_row {
	const char *text, *line;
} json_rows[] = {
	{ "request=r-1 status=200 ms=0.512 path=/users",
	    "\"request\":\"r-1\",\"status\":200,\"ms\":0.512,"
	    "\"path\":\"/users\"" },
	{ "stopping: signal 15", "\"message\":\"stopping: signal 15\"" },
	{ "event=e1 dropped as asked",
	    "\"event\":\"e1\",\"message\":\"dropped as asked\"" },
	{ "why=\"size 3\"4, no\" n=1",
	    "\"why\":\"size 3\\\"4, no\",\"n\":1" },
	{ "why=\"no end", "\"message\":\"why=\\\"no end\"" },
	{ "path=/a\\b", "\"path\":\"/a\\\\b\"" },
	{ "id=007 n=1. m=.5 big=1234567890123456",
	    "\"id\":\"007\",\"n\":\"1.\",\"m\":\".5\","
	    "\"big\":\"1234567890123456\"" },
	{ "status=200 status=500",
	    "\"status\":200,\"message\":\"status=500\"" },
	{ "line\nbreak", "\"message\":\"line\\\\x0abreak\"" }
};

static void
a_line_can_be_a_json_object(void **state)
{
	char path[SCRATCH_PATH_SIZE], line[512];
	const char *rest;

	scratch_path(state, "log", path);
	for (size_t i = 0; i < sizeof(json_rows) / sizeof(json_rows[0]); i++) {
		unlink(path);
		log_json(true);
		assert_int_equal(log_open("t", path, LOG_LEVEL_INFO), 0);
		log_info("%s", json_rows[i].text);
		log_json(false);
		log_open("t", "-", LOG_LEVEL_INFO);
		assert_matches(scratch_read(path, line, sizeof(line)),
		    "^\\{\"time\":\"[0-9T:.-]+Z\",\"program\":\"t\","
		    "\"pid\":[0-9]+,\"level\":\"info\",.*\\}\n$");
		rest = strstr(line, "\"info\",") + 7;
		line[strlen(line) - 2] = '\0';
		assert_string_equal(rest, json_rows[i].line);
	}
}

static void
a_long_line_stays_a_json_object(void **state)
{
	char path[SCRATCH_PATH_SIZE], text[3000], line[8192];
	size_t len;

	memset(text, '"', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "k=", 2);
	scratch_path(state, "log", path);
	unlink(path);
	log_json(true);
	assert_int_equal(log_open("t", path, LOG_LEVEL_INFO), 0);
	log_info("%s", text);
	log_json(false);
	log_open("t", "-", LOG_LEVEL_INFO);
	len = strlen(scratch_read(path, line, sizeof(line)));
	assert_true(len > 2000);
	assert_string_equal(line + len - 3, "\"}\n");
}

static void
levels_below_the_threshold_are_not_written(void **state)
{
	static const char *const expected[] = {
		[LOG_LEVEL_ERROR] = "error ",
		[LOG_LEVEL_WARN] = "error warn ",
		[LOG_LEVEL_INFO] = "error warn info ",
		[LOG_LEVEL_DEBUG] = "error warn info debug ",
	};
	char path[SCRATCH_PATH_SIZE], text[1024], levels[64];
	char *line, *rest;
	int level;

	scratch_path(state, "log", path);
	for (level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
		unlink(path);
		assert_int_equal(log_open("t", path, (enum log_level)level),
		    0);
		log_error("x");
		log_warn("x");
		log_info("x");
		log_debug("x");
		log_open("t", "-", LOG_LEVEL_INFO);
		levels[0] = '\0';
		scratch_read(path, text, sizeof(text));
		for (line = strtok_r(text, "\n", &rest); line != NULL;
		    line = strtok_r(NULL, "\n", &rest)) {
			line = strstr(line, "] ") + 2;
			strncat(levels, line, strcspn(line, " ") + 1);
		}
		assert_string_equal(levels, expected[level]);
	}
}

static void
outside_text_cannot_make_lines_or_control_the_terminal(void **state)
{
	static const struct {
		const char *text, *line;
	} rows[] = {
		{ "plain \"text\" \\ 100%", "plain \"text\" \\ 100%\n" },
		{ "a\nb\r\tc", "a\\x0ab\\x0d\\x09c\n" },
		{ "\x1b[31mred\x7f", "\\x1b[31mred\\x7f\n" },
		{ "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
		    "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\n" },
		{ "\xff\xc3", "\\xff\\xc3\n" },
		{ "\xc0\xaf \xed\xa0\x80", "\\xc0\\xaf \\xed\\xa0\\x80\n" },
		{ "\xc2\x9b" "31m", "\\xc2\\x9b31m\n" },
		{ "\xc2\xa0", "\xc2\xa0\n" },
	};
	char buf[512];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(logged(state, rows[i].text, buf,
		    sizeof(buf)), rows[i].line);
}

static void
a_long_text_is_cut_and_still_one_line(void **state)
{
	char text[10000], buf[8192];
	const char *line;

	memset(text, '\n', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	line = logged(state, text, buf, sizeof(buf));
	assert_in_range(strlen(line), 1000, 4096);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	memset(text, 'x', sizeof(text) - 1);
	line = logged(state, text, buf, sizeof(buf));
	assert_in_range(strlen(line), 2000, 4096);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void
opening_again_follows_a_rotation(void **state)
{
	char path[SCRATCH_PATH_SIZE], moved[SCRATCH_PATH_SIZE], text[256];

	scratch_path(state, "log", path);
	scratch_path(state, "log.1", moved);
	unlink(path);
	assert_int_equal(log_open("t", path, LOG_LEVEL_INFO), 0);
	log_info("before");
	assert_int_equal(rename(path, moved), 0);
	log_info("between");
	assert_int_equal(log_open("t", path, LOG_LEVEL_INFO), 0);
	log_info("after");
	log_open("t", "-", LOG_LEVEL_INFO);
	assert_matches(scratch_read(moved, text, sizeof(text)),
	    "before\n.*between\n$");
	assert_matches(scratch_read(path, text, sizeof(text)),
	    "^[^\n]*after\n$");
}

static void
log_to_an_impossible_file(void)
{
	if (log_open("t", "/no/such/directory/log", LOG_LEVEL_INFO) != -1 ||
	    errno != ENOENT)
		_exit(98);
	log_info("still here");
}

static void
a_file_that_cannot_be_opened_leaves_standard_error(void **state)
{
	char path[SCRATCH_PATH_SIZE], text[256];

	scratch_path(state, "err", path);
	assert_int_equal(scratch_run(log_to_an_impossible_file, path), 0);
	assert_matches(scratch_read(path, text, sizeof(text)),
	    "info still here\n$");
}

static void
end_fatally(void)
{
	log_fatal("cannot go on: %d", 7);
}

static void
fatal_writes_one_error_and_exits_with_1(void **state)
{
	char path[SCRATCH_PATH_SIZE], text[256];
	int status;

	scratch_path(state, "err", path);
	status = scratch_run(end_fatally, path);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_matches(scratch_read(path, text, sizeof(text)),
	    "^[^\n]* error cannot go on: 7\n$");
}

static void
assert_what_is_false(void)
{
	volatile int one = 1;

	wuts_assert(one == 1);
	wuts_assert(one == 2);
}

static void
a_false_assertion_names_its_place_and_aborts(void **state)
{
	char path[SCRATCH_PATH_SIZE], text[512];
	int status;

	scratch_path(state, "err", path);
	status = scratch_run(assert_what_is_false, path);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_matches(scratch_read(path, text, sizeof(text)),
	    "error panic: [^\n]*test_log\\.c:[0-9]+: .*one == 2\n$");
}

/* What the file holds now, without the times. */
static void
assert_log(const char *path, const char *pattern)
{
	static char text[256 * 1024];

	assert_matches(scratch_read(path, text, sizeof(text)), pattern);
}

static void
held_lines_are_written_in_order_when_released(void **state)
{
	char path[SCRATCH_PATH_SIZE];

	scratch_path(state, "log", path);
	unlink(path);
	assert_int_equal(log_open("t", path, LOG_LEVEL_INFO), 0);
	log_hold();
	log_info("one");
	log_info("two");
	assert_log(path, "^$");
	log_release();
	assert_log(path, "^[^\n]* one\n[^\n]* two\n$");
	log_info("three");
	assert_log(path, " two\n[^\n]* three\n$");
	log_open("t", "-", LOG_LEVEL_INFO);
}

static void
a_warning_takes_held_lines_along_at_once(void **state)
{
	char path[SCRATCH_PATH_SIZE];

	scratch_path(state, "log", path);
	unlink(path);
	assert_int_equal(log_open("t", path, LOG_LEVEL_INFO), 0);
	log_hold();
	log_info("one");
	log_warn("two");
	assert_log(path, "^[^\n]* info one\n[^\n]* warn two\n$");
	log_release();
	log_open("t", "-", LOG_LEVEL_INFO);
	assert_log(path, "^[^\n]* info one\n[^\n]* warn two\n$");
}

static void
opening_again_writes_held_lines_to_the_old_file(void **state)
{
	char path[SCRATCH_PATH_SIZE], moved[SCRATCH_PATH_SIZE];

	scratch_path(state, "log", path);
	scratch_path(state, "log.1", moved);
	unlink(path);
	assert_int_equal(log_open("t", path, LOG_LEVEL_INFO), 0);
	log_hold();
	log_info("before");
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(log_open("t", path, LOG_LEVEL_INFO), 0);
	log_info("after");
	log_release();
	log_open("t", "-", LOG_LEVEL_INFO);
	assert_log(moved, "^[^\n]* before\n$");
	assert_log(path, "^[^\n]* after\n$");
}

static void
more_than_can_be_held_is_complete_and_in_order(void **state)
{
	static char text[256 * 1024];
	char path[SCRATCH_PATH_SIZE], *line, *rest;
	int n = 0;

	scratch_path(state, "log", path);
	unlink(path);
	assert_int_equal(log_open("t", path, LOG_LEVEL_INFO), 0);
	log_hold();
	for (int i = 0; i < 2000; i++)
		log_info("line %d%*s", i, i % 90, "");
	log_release();
	log_open("t", "-", LOG_LEVEL_INFO);
	scratch_read(path, text, sizeof(text));
	for (line = strtok_r(text, "\n", &rest); line != NULL;
	    line = strtok_r(NULL, "\n", &rest))
		assert_int_equal(atoi(strstr(line, "line ") + 5), n++);
	assert_int_equal(n, 2000);
}

static void
end_fatally_holding_lines(void)
{
	log_open("t", "-", LOG_LEVEL_INFO);
	log_hold();
	log_info("held");
	log_fatal("the end");
}

static void
panic_holding_lines(void)
{
	log_open("t", "-", LOG_LEVEL_INFO);
	log_hold();
	log_info("held");
	wuts_assert(log_open("t", "/", LOG_LEVEL_INFO) == 0);
}

static void
held_lines_survive_the_end_of_the_process(void **state)
{
	char path[SCRATCH_PATH_SIZE];

	scratch_path(state, "err", path);
	assert_true(WIFEXITED(scratch_run(end_fatally_holding_lines, path)));
	assert_log(path, "info held\n[^\n]*error the end\n$");
	assert_true(WIFSIGNALED(scratch_run(panic_holding_lines, path)));
	assert_log(path, "info held\n[^\n]*error panic: ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_line_has_time_program_process_level_and_text),
		cmocka_unit_test(a_line_can_be_a_json_object),
		cmocka_unit_test(a_long_line_stays_a_json_object),
		cmocka_unit_test(levels_below_the_threshold_are_not_written),
		cmocka_unit_test(
		    outside_text_cannot_make_lines_or_control_the_terminal),
		cmocka_unit_test(a_long_text_is_cut_and_still_one_line),
		cmocka_unit_test(opening_again_follows_a_rotation),
		cmocka_unit_test(
		    a_file_that_cannot_be_opened_leaves_standard_error),
		cmocka_unit_test(fatal_writes_one_error_and_exits_with_1),
		cmocka_unit_test(a_false_assertion_names_its_place_and_aborts),
		cmocka_unit_test(
		    held_lines_are_written_in_order_when_released),
		cmocka_unit_test(a_warning_takes_held_lines_along_at_once),
		cmocka_unit_test(
		    opening_again_writes_held_lines_to_the_old_file),
		cmocka_unit_test(
		    more_than_can_be_held_is_complete_and_in_order),
		cmocka_unit_test(held_lines_survive_the_end_of_the_process),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
