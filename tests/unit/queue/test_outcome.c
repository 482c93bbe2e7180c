/* SPDX-License-Identifier: MIT */
/* What became of a record is remembered: over a restart, over a torn log, as
   dead letters, in the status, and at the size of a real backlog. */
#include "config.h"

#include "../../../src/queue/reader_private.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/queue.h"

#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void
fill(void *const *state, unsigned count)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);

	for (unsigned n = 1; n <= count; n++)
		append(writer, n, 1);
	queue_writer_close(&writer);
}

static void
outcomes_are_remembered_over_a_restart(void **state)
{
	struct sink sink;

	fill(state, 6);
	sink_open(&sink, state);
	sink_drain(&sink);
	sink_finish(&sink, 1, QUEUE_DELIVERED);
	queue_reader_finish(sink.reader, sink_get(&sink, 2)->pos, QUEUE_RETRY,
	    1, 111);
	queue_reader_finish(sink.reader, sink_get(&sink, 2)->pos, QUEUE_RETRY,
	    2, 222);
	sink_finish(&sink, 3, QUEUE_DROPPED);
	sink_finish(&sink, 4, QUEUE_DEAD);
	queue_reader_finish(sink.reader, sink_get(&sink, 5)->pos, QUEUE_RETRY,
	    1, 333);
	sink_finish(&sink, 5, QUEUE_DELIVERED);
	sink_sync(&sink);
	sink_close(&sink);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 2);
	assert_int_equal(sink_get(&sink, 2)->attempts, 2);
	assert_int_equal(sink_get(&sink, 2)->due_us, 222);
	assert_int_equal(sink_get(&sink, 6)->attempts, 0);
	assert_int_equal(sink_get(&sink, 6)->due_us, 0);
	sink_close(&sink);
}

/* In a child, which ends as if it were killed: nothing is synced or closed. */
static void
write_and_die(void *const *state)
{
	struct fault fault = { .code = FAULT_NONE };
	struct sink sink;

	sink_open(&sink, state);
	sink_drain(&sink);
	sink_finish(&sink, 1, QUEUE_DELIVERED);
	if (queue_reader_write(sink.reader, &fault) < 0)
		_exit(1);
	sink_finish(&sink, 2, QUEUE_DELIVERED);
	queue_reader_finish(sink.reader, sink_get(&sink, 3)->pos, QUEUE_RETRY,
	    1, 333);
	if (queue_reader_write(sink.reader, &fault) < 0)
		_exit(1);
	sink_finish(&sink, 4, QUEUE_DELIVERED);
	_exit(0);
}

static void
outcomes_written_survive_a_kill_before_the_sync(void **state)
{
	struct sink sink;
	int status = 0;
	pid_t pid;

	fill(state, 4);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		write_and_die(state);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 2);
	assert_int_equal(sink_get(&sink, 3)->due_us, 333);
	assert_int_equal(sink_get(&sink, 4)->attempts, 0);
	sink_close(&sink);
}

static void
outcomes_written_are_there_once_when_the_sync_has_failed(void **state)
{
	struct fault fault = { .code = FAULT_NONE };
	struct sink sink;

	fill(state, 3);
	sink_open(&sink, state);
	sink_drain(&sink);
	sink_finish(&sink, 1, QUEUE_DELIVERED);
	assert_int_equal(queue_reader_write(sink.reader, &fault), 0);
	io_fail_at("fdatasync", 1, EIO);
	assert_int_equal(queue_reader_sync(sink.reader, &fault), -1);
	io_reset();
	sink_finish(&sink, 2, QUEUE_DELIVERED);
	sink_sync(&sink);
	sink_close(&sink);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 1);
	assert_int_equal(harness_logged(state, "damaged"), 0);
	sink_close(&sink);
}

static void
outcomes_in_an_open_segment_are_remembered(void **state)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);
	struct sink sink;

	append(writer, 1, 3);
	sink_open(&sink, state);
	sink_drain(&sink);
	sink_finish(&sink, 2, QUEUE_DELIVERED);
	sink_close(&sink);
	append(writer, 4, 1);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 3);
	assert_int_equal(sink_has(&sink, 2), 0);
	for (size_t i = 0; i < sink.ngot; i++)
		queue_reader_finish(sink.reader, sink.got[i].pos,
		    QUEUE_DELIVERED, 1, 0);
	sink_sync(&sink);
	assert_int_equal(count_files(state, "open"), 1);
	queue_writer_close(&writer);
	sink_drain(&sink);
	sink_sync(&sink);
	assert_int_equal(count_files(state, "ready"), 0);
	assert_int_equal(count_files(state, "done"), 0);
	sink_close(&sink);
}

static void
a_torn_log_loses_its_last_line_only(void **state)
{
	char path[SCRATCH_PATH_SIZE];
	struct sink sink;
	struct stat st;

	fill(state, 4);
	sink_open(&sink, state);
	sink_drain(&sink);
	sink_finish(&sink, 1, QUEUE_DELIVERED);
	sink_finish(&sink, 2, QUEUE_DELIVERED);
	sink_close(&sink);
	only_file(state, "done", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size - 3), 0);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 3);
	assert_int_equal(sink_has(&sink, 1), 0);
	sink_finish(&sink, 3, QUEUE_DELIVERED);
	sink_close(&sink);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 2);
	assert_int_equal(sink_has(&sink, 2), 1);
	assert_int_equal(sink_has(&sink, 4), 1);
	sink_close(&sink);
	assert_int_equal(harness_logged(state, " warn "), 0);
}

static void
a_damaged_log_line_delivers_again_and_never_loses(void **state)
{
	char path[SCRATCH_PATH_SIZE], text[1024], *p;
	struct sink sink;

	fill(state, 4);
	sink_open(&sink, state);
	sink_drain(&sink);
	sink_finish(&sink, 1, QUEUE_DELIVERED);
	sink_finish(&sink, 2, QUEUE_DELIVERED);
	sink_finish(&sink, 3, QUEUE_DELIVERED);
	sink_close(&sink);
	scratch_read(only_file(state, "done", path), text, sizeof(text));
	p = strchr(text, '\n') + 3;
	*p = *p == '9' ? '8' : '9';
	scratch_write(path, text, 0600);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 2);
	assert_int_equal(sink_has(&sink, 2), 1);
	assert_int_equal(sink_has(&sink, 4), 1);
	sink_close(&sink);
	assert_int_equal(harness_logged(state, "damaged lines"), 1);
}

static void
outcomes_that_cannot_be_written_stay_noted(void **state)
{
	static const char *const calls[] = {
		"pwrite", "fdatasync", "fsync", "ftruncate"
	};
	struct fault fault = { .code = FAULT_NONE };
	struct sink sink;

	for (size_t i = 0; i < 4; i++) {
		char path[SCRATCH_PATH_SIZE];

		fill(state, 2);
		sink_open(&sink, state);
		sink_drain(&sink);
		sink_finish(&sink, 1, QUEUE_DELIVERED);
		io_fail_at(calls[i], 1, EIO);
		assert_int_equal(queue_reader_sync(sink.reader, &fault), -1);
		assert_int_equal(fault.code, FAULT_QUEUE);
		io_reset();
		sink_close(&sink);
		sink_open(&sink, state);
		sink_drain(&sink);
		assert_int_equal(sink.ngot, 1);
		sink_close(&sink);
		unlink(only_file(state, "ready", path));
		unlink(only_file(state, "done", path));
	}
}

static void
a_finished_segment_goes_with_its_log(void **state)
{
	struct sink sink;

	fill(state, 3);
	sink_open(&sink, state);
	sink_drain(&sink);
	sink_finish(&sink, 1, QUEUE_DELIVERED);
	sink_finish(&sink, 2, QUEUE_DELIVERED);
	sink_sync(&sink);
	assert_int_equal(count_files(state, "done"), 1);
	assert_int_equal(count_files(state, "ready"), 1);
	sink_finish(&sink, 3, QUEUE_DELIVERED);
	sink_sync(&sink);
	assert_int_equal(count_files(state, "done"), 0);
	assert_int_equal(count_files(state, "ready"), 0);
	sink_close(&sink);
}

static void
an_orphan_log_is_removed_at_start(void **state)
{
	char path[SCRATCH_PATH_SIZE];
	struct sink sink;

	fill(state, 2);
	sink_open(&sink, state);
	sink_drain(&sink);
	sink_finish(&sink, 1, QUEUE_DELIVERED);
	sink_close(&sink);
	assert_int_equal(unlink(only_file(state, "ready", path)), 0);
	sink_open(&sink, state);
	assert_int_equal(count_files(state, "done"), 0);
	sink_close(&sink);
}

static void
dead_letters_are_kept_whole_and_expire_by_day(void **state)
{
	const int64_t day_us = 86400LL * CLOCK_SECOND_US;
	struct fault fault = { .code = FAULT_NONE };
	char path[SCRATCH_PATH_SIZE], text[8192];
	struct queue_status status;
	struct queue_record record;
	char body[BODY_MAX];
	struct sink sink;

	fill(state, 3);
	sink_open(&sink, state);
	sink_drain(&sink);
	sink_finish(&sink, 1, QUEUE_DEAD);
	sink_sync(&sink);
	sink_finish(&sink, 3, QUEUE_DEAD);
	sink_finish(&sink, 2, QUEUE_DELIVERED);
	sink_sync(&sink);
	sink_close(&sink);
	assert_int_equal(count_files(state, "ready"), 0);
	scratch_read(only_file(state, "dead", path), text, sizeof(text));
	for (unsigned n = 1; n <= 3; n += 2) {
		record_make(&record, n, body);
		assert_non_null(strstr(text, body));
	}
	queue_path(state, "", path);
	assert_int_equal(queue_status_read(path, &status, &fault), 0);
	assert_int_equal(status.dead, 2);
	queue_dead_expire(path, clock_wall_us() - day_us);
	assert_int_equal(count_files(state, "dead"), 1);
	queue_dead_expire(path, clock_wall_us() + 2 * day_us);
	assert_int_equal(count_files(state, "dead"), 0);
}

static void
a_dead_letter_that_cannot_be_copied_is_not_finished(void **state)
{
	struct fault fault = { .code = FAULT_NONE };
	struct sink sink;

	fill(state, 1);
	sink_open(&sink, state);
	sink_drain(&sink);
	sink_finish(&sink, 1, QUEUE_DEAD);
	io_fail_at("pwrite", 1, ENOSPC);
	assert_int_equal(queue_reader_sync(sink.reader, &fault), -1);
	assert_int_equal(count_files(state, "ready"), 1);
	harness_expect_errors();
	queue_reader_close(&sink.reader);
	io_reset();
	sink_close(&sink);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 1);
	sink_finish(&sink, 1, QUEUE_DEAD);
	sink_sync(&sink);
	assert_int_equal(count_files(state, "ready"), 0);
	assert_int_equal(count_files(state, "dead"), 1);
	sink_close(&sink);
}

static void
a_letter_torn_by_a_crash_is_cut(void **state)
{
	char path[SCRATCH_PATH_SIZE], text[8192];
	struct fault fault = { .code = FAULT_NONE };
	struct queue_status status;
	size_t whole;
	struct sink sink;

	fill(state, 2);
	sink_open(&sink, state);
	sink_drain(&sink);
	sink_finish(&sink, 1, QUEUE_DEAD);
	sink_sync(&sink);
	scratch_read(only_file(state, "dead", path), text, sizeof(text));
	whole = strlen(text);
	sink_close(&sink);
	for (size_t len = 1; len < whole; len += 7) {
		char torn[16384];

		memcpy(torn, text, whole);
		memcpy(torn + whole, text, len);
		torn[whole + len] = '\0';
		scratch_write(only_file(state, "dead", path), torn, 0600);
		sink_open(&sink, state);
		sink_drain(&sink);
		sink_finish(&sink, 2, QUEUE_DEAD);
		assert_int_equal(queue_status_read(queue_path(state, "",
		    path), &status, &fault), 0);
		assert_int_equal(status.dead, 1);
		sink_close(&sink);
		assert_int_equal(queue_status_read(queue_path(state, "",
		    path), &status, &fault), 0);
		assert_int_equal(status.dead, 2);
		scratch_read(only_file(state, "dead", path), torn,
		    sizeof(torn));
		assert_memory_equal(torn, text, whole);
		assert_in_range(strlen(torn), whole + 200, 2 * whole + 40);
		fill(state, 2);
		sink_open(&sink, state);
		sink_drain(&sink);
		sink_finish(&sink, 1, QUEUE_DELIVERED);
		sink_close(&sink);
	}
}

static void
the_status_counts_beside_a_running_reader(void **state)
{
	struct queue_writer *writer;
	struct fault fault = { .code = FAULT_NONE };
	char path[SCRATCH_PATH_SIZE];
	struct queue_status status;
	struct uuid id;
	struct sink sink;

	queue_path(state, "", path);
	assert_int_equal(queue_status_read(path, &status, &fault), -1);
	fill(state, 4);
	writer = writer_open(state, 1 << 16);
	append(writer, 10, 2);
	for (unsigned n = 12; n <= 14; n++)
		prepare(writer, n);
	id = record_id(13);
	queue_commit(writer, &id);
	id = record_id(14);
	queue_discard(writer, &id);
	sink_open(&sink, state);
	sink_drain(&sink);
	sink_finish(&sink, 1, QUEUE_DELIVERED);
	queue_reader_finish(sink.reader, sink_get(&sink, 2)->pos, QUEUE_RETRY,
	    1, 111);
	sink_sync(&sink);
	assert_int_equal(queue_status_read(path, &status, &fault), 0);
	assert_int_equal(status.waiting, 6);
	assert_int_equal(status.retrying, 1);
	assert_int_equal(status.prepared, 1);
	assert_int_equal(status.dead, 0);
	assert_int_equal(status.corrupt, 0);
	assert_int_equal(status.segments_open, 1);
	assert_int_equal(status.segments_ready, 1);
	assert_true(status.bytes > 1 << 16);
	assert_int_equal(status.oldest_created_us, 1000002);
	assert_true(status.reader_runs);
	sink_close(&sink);
	assert_int_equal(queue_status_read(path, &status, &fault), 0);
	assert_false(status.reader_runs);
	queue_writer_close(&writer);
}

static void
count_record(void *ctx, struct queue_pos pos,
    const struct queue_record *record, unsigned attempts, int64_t due_us)
{
	(void)pos;
	(void)record;
	(void)attempts;
	(void)due_us;
	++*(unsigned *)ctx;
}

static void
count_unresolved(void *ctx, struct queue_pos pos, const struct uuid *id,
    int64_t created_us)
{
	(void)ctx;
	(void)pos;
	(void)id;
	(void)created_us;
	fail();
}

static long
peak_kib(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

static void
a_hundred_thousand_waiting_cost_no_memory_each(void **state)
{
	struct queue_writer *writer = writer_open(state, 4 << 20);
	struct fault fault = { .code = FAULT_NONE };
	struct queue_events events = { count_record, count_unresolved, NULL };
	char path[SCRATCH_PATH_SIZE];
	struct queue_reader *reader;
	unsigned count = 0;
	int64_t begin_us;
	long before_kib;

	for (unsigned n = 0; n < 100000; n += 1000)
		append(writer, n, 1000);
	queue_writer_close(&writer);
	events.ctx = &count;
	before_kib = peak_kib();
	begin_us = clock_mono_us();
	assert_int_equal(queue_reader_open(&reader, queue_path(state, "",
	    path), &events, &fault), 0);
	assert_int_equal(queue_reader_adopt(reader, &fault), 0);
	while (queue_reader_scan(reader, 4096, &fault) > 0)
		continue;
	assert_int_equal(count, 100000);
	print_message("scan: %.0f records a second, %ld KiB more\n",
	    count * 1e6 / (double)(clock_mono_us() - begin_us),
	    peak_kib() - before_kib);
	assert_in_range(peak_kib() - before_kib, 0, 2048);
	queue_reader_close(&reader);
}

static void
log_lines_are_read_as_written(void **state)
{
	struct queue_outcomes outcomes = { .noted = NULL };
	struct fault fault = { .code = FAULT_NONE };
	struct strbuf lines = STRBUF_INIT;
	const struct queue_noted *noted;
	struct queue_dirs dirs;
	char path[SCRATCH_PATH_SIZE];

	assert_int_equal(queue_dirs_open(&dirs, queue_path(state, "", path),
	    true, &fault), 0);
	queue_outcome_format(&lines, 'c', 4000000000U, 0, 0);
	queue_outcome_format(&lines, 'r', 4000000000U, 7, INT64_MAX);
	queue_outcome_format(&lines, 'd', 5, 1, 0);
	queue_outcome_format(&lines, 'r', 5, 9, 1);
	assert_int_equal(queue_outcomes_sync(&outcomes, dirs.done, "1-1.seg",
	    &lines, &fault), 0);
	assert_int_equal(queue_outcomes_load(&outcomes, dirs.done, "1-1.seg",
	    &fault), 0);
	assert_int_equal(outcomes.log_len, lines.len);
	noted = queue_outcomes_find(&outcomes, 4000000000U);
	assert_non_null(noted);
	assert_true(noted->claimed);
	assert_int_equal(noted->kind, 'r');
	assert_int_equal(noted->attempts, 7);
	assert_true(noted->due_us == INT64_MAX);
	assert_int_equal(queue_outcomes_find(&outcomes, 5)->kind, 'd');
	assert_null(queue_outcomes_find(&outcomes, 6));
	queue_outcomes_forget(&outcomes);
	strbuf_deinit(&lines);
	queue_dirs_close(&dirs);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_hundred_thousand_waiting_cost_no_memory_each),
		TEST(outcomes_are_remembered_over_a_restart),
		TEST(outcomes_written_survive_a_kill_before_the_sync),
		TEST(outcomes_written_are_there_once_when_the_sync_has_failed),
		TEST(outcomes_in_an_open_segment_are_remembered),
		TEST(a_torn_log_loses_its_last_line_only),
		TEST(a_damaged_log_line_delivers_again_and_never_loses),
		TEST(outcomes_that_cannot_be_written_stay_noted),
		TEST(a_finished_segment_goes_with_its_log),
		TEST(an_orphan_log_is_removed_at_start),
		TEST(dead_letters_are_kept_whole_and_expire_by_day),
		TEST(a_dead_letter_that_cannot_be_copied_is_not_finished),
		TEST(a_letter_torn_by_a_crash_is_cut),
		TEST(the_status_counts_beside_a_running_reader),
		TEST(log_lines_are_read_as_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
