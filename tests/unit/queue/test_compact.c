/* SPDX-License-Identifier: MIT */
/* Rewriting a segment: what is left stays as it was and where callers know it,
   what is finished stays finished, and a crash or failure at any step loses
   neither. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/queue.h"
#include "wuts/strbuf.h"

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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Records 1 to LAST in one segment: 10 waits, 20 was tried twice, 30 is
   prepared and marked, 40 prepared and claimed, 50 waits; 31 was discarded,
   41 claimed to be undone, and the others are finished. */
#define LAST 60
static const unsigned left[] = { 10, 20, 30, 40, 50 };
#define LEFT (sizeof(left) / sizeof(left[0]))
#define DUE_US 777

static bool
is_left(unsigned n)
{
	return n % 10 == 0 && n >= left[0] && n <= left[LEFT - 1];
}

static bool
is_prepared(unsigned n)
{
	return n == 30 || n == 31 || n == 40 || n == 41;
}

static void
fill(void *const *state)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);
	struct uuid id;

	for (unsigned n = 1; n <= LAST; n++) {
		if (is_prepared(n))
			prepare(writer, n);
		else
			append(writer, n, 1);
	}
	id = record_id(30);
	queue_commit(writer, &id);
	id = record_id(31);
	queue_discard(writer, &id);
	queue_writer_close(&writer);
}

/* Read all, answer the claims. */
static void
drain(struct sink *sink)
{
	sink_drain(sink);
	for (size_t i = 0; i < sink->nasked; i++)
		queue_resolve(sink->reader, sink->asked[i].pos,
		    sink->asked[i].n == 40);
	sink->nasked = 0;
}

static void
finish_others(struct sink *sink)
{
	for (size_t i = 0; i < sink->ngot; i++)
		if (!is_left(sink->got[i].n))
			queue_reader_finish(sink->reader, sink->got[i].pos,
			    QUEUE_DELIVERED, 1, 0);
	queue_reader_finish(sink->reader, sink_get(sink, 20)->pos,
	    QUEUE_RETRY, 2, DUE_US);
	sink_sync(sink);
}

static void
sink_ready(struct sink *sink, void *const *state)
{
	fill(state);
	sink_open(sink, state);
	drain(sink);
	finish_others(sink);
}

static int
compact(struct sink *sink)
{
	struct fault fault = { .code = FAULT_NONE };

	return queue_reader_compact(sink->reader, 0, 1, &fault);
}

static off_t
size_of_ready(void *const *state)
{
	char path[SCRATCH_PATH_SIZE];
	struct stat st;

	assert_int_equal(stat(only_file(state, "ready", path), &st), 0);
	return st.st_size;
}

/* The record is where it was known to be, whole. */
static void
expect_loads(struct sink *sink, unsigned n)
{
	struct fault fault = { .code = FAULT_NONE };
	struct strbuf buf = STRBUF_INIT;
	struct queue_record record, made;
	char body[BODY_MAX];

	if (queue_reader_load(sink->reader, sink_get(sink, n)->pos, &buf,
	    &record, &fault) < 0)
		fail_msg("%s", fault.text);
	record_make(&made, n, body);
	assert_true(uuid_is_equal(&record.id, &made.id));
	assert_true(uuid_is_equal(&record.tenant_id, &made.tenant_id));
	assert_true(uuid_is_equal(&record.device_id, &made.device_id));
	assert_string_equal(record.event, made.event);
	assert_int_equal(record.created_us, made.created_us);
	assert_string_equal(record.body, made.body);
	strbuf_deinit(&buf);
}

/* A new start finds what is left, each once, with its attempts. */
static void
expect_left(void *const *state, size_t from)
{
	struct sink sink;

	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.nasked, 0);
	assert_int_equal(sink.ngot, LEFT - from);
	for (size_t i = from; i < LEFT; i++) {
		const struct got *got = sink_get(&sink, left[i]);

		assert_int_equal(got->attempts, left[i] == 20 ? 2 : 0);
		assert_int_equal(got->due_us, left[i] == 20 ? DUE_US : 0);
		expect_loads(&sink, left[i]);
	}
	sink_close(&sink);
}

static void
what_is_left_stays_as_it_was_and_where_it_was_known(void **state)
{
	char path[SCRATCH_PATH_SIZE];
	struct sink sink;
	off_t before;

	sink_ready(&sink, state);
	before = size_of_ready(state);
	assert_int_equal(compact(&sink), 1);
	assert_in_range(size_of_ready(state), 1, before / 4);
	assert_true(strstr(only_file(state, "ready", path), ".1.seg") != NULL);
	assert_int_equal(count_files(state, "done"), 1);
	for (size_t i = 0; i < LEFT; i++)
		expect_loads(&sink, left[i]);
	assert_int_equal(compact(&sink), 0);
	sink_close(&sink);
	expect_left(state, 0);
}

static void
outcomes_after_a_rewriting_are_remembered(void **state)
{
	struct queue_status status;
	struct fault fault = { .code = FAULT_NONE };
	char path[SCRATCH_PATH_SIZE];
	struct sink sink;

	sink_ready(&sink, state);
	assert_int_equal(compact(&sink), 1);
	sink_finish(&sink, 10, QUEUE_DELIVERED);
	sink_finish(&sink, 30, QUEUE_DEAD);
	queue_reader_finish(sink.reader, sink_get(&sink, 50)->pos,
	    QUEUE_RETRY, 1, 5);
	sink_sync(&sink);
	sink_close(&sink);
	assert_int_equal(queue_status_read(queue_path(state, "", path),
	    &status, &fault), 0);
	assert_int_equal(status.waiting, 3);
	assert_int_equal(status.retrying, 2);
	assert_int_equal(status.prepared, 0);
	assert_int_equal(status.dead, 1);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 3);
	assert_int_equal(sink_get(&sink, 50)->attempts, 1);
	sink_finish(&sink, 20, QUEUE_DELIVERED);
	sink_finish(&sink, 40, QUEUE_DELIVERED);
	sink_finish(&sink, 50, QUEUE_DELIVERED);
	sink_sync(&sink);
	assert_int_equal(count_files(state, "ready"), 0);
	assert_int_equal(count_files(state, "done"), 0);
	sink_close(&sink);
}

static void
a_segment_can_be_rewritten_again(void **state)
{
	char path[SCRATCH_PATH_SIZE];
	struct sink sink;

	sink_ready(&sink, state);
	assert_int_equal(compact(&sink), 1);
	for (size_t i = 0; i < LEFT - 1; i++)
		sink_finish(&sink, left[i], QUEUE_DELIVERED);
	sink_sync(&sink);
	assert_int_equal(compact(&sink), 1);
	assert_true(strstr(only_file(state, "ready", path), ".2.seg") != NULL);
	assert_int_equal(count_files(state, "done"), 0);
	expect_loads(&sink, 50);
	sink_close(&sink);
	expect_left(state, LEFT - 1);
	sink_open(&sink, state);
	sink_drain(&sink);
	sink_finish(&sink, 50, QUEUE_DEAD);
	sink_sync(&sink);
	assert_int_equal(count_files(state, "ready"), 0);
	assert_int_equal(count_files(state, "dead"), 1);
	sink_close(&sink);
}

static void
only_what_is_worth_it_is_rewritten(void **state)
{
	struct fault fault = { .code = FAULT_NONE };
	struct queue_writer *writer;
	struct sink sink;

	sink_ready(&sink, state);
	/* Finished a moment ago; too little to be gained. */
	assert_int_equal(queue_reader_compact(sink.reader, 60000000, 1,
	    &fault), 0);
	assert_int_equal(queue_reader_compact(sink.reader, 0, 1 << 20,
	    &fault), 0);
	/* An outcome is not written yet. */
	queue_reader_finish(sink.reader, sink_get(&sink, 10)->pos,
	    QUEUE_RETRY, 1, 1);
	assert_int_equal(compact(&sink), 0);
	sink_sync(&sink);
	assert_int_equal(compact(&sink), 1);
	/* Half of it is wanted; and one that is not sealed. */
	writer = writer_open(state, 1 << 20);
	append(writer, 100, 10);
	sink_drain(&sink);
	for (unsigned n = 100; n < 109; n++)
		sink_finish(&sink, n, QUEUE_DELIVERED);
	sink_sync(&sink);
	assert_int_equal(compact(&sink), 0);
	queue_writer_close(&writer);
	sink_drain(&sink);
	assert_int_equal(compact(&sink), 1);
	sink_close(&sink);
}

static void
few_records_that_are_much_of_the_bytes_stay(void **state)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);
	struct sink sink;

	/* Numbers that end in 4 or 9 have the longest bodies, those that end
	   in 0 or 5 the shortest: less than a quarter, and more. */
	for (unsigned n = 4; n <= 24; n += 5)
		append(writer, n, 1);
	for (unsigned n = 100; n < 180; n += 5)
		append(writer, n, 1);
	queue_writer_close(&writer);
	sink_open(&sink, state);
	sink_drain(&sink);
	for (unsigned n = 100; n < 180; n += 5)
		sink_finish(&sink, n, QUEUE_DELIVERED);
	sink_sync(&sink);
	assert_int_equal(compact(&sink), 0);
	sink_finish(&sink, 4, QUEUE_DELIVERED);
	sink_sync(&sink);
	assert_int_equal(compact(&sink), 1);
	sink_close(&sink);
}

static void
a_record_damaged_before_the_rewriting_is_set_aside(void **state)
{
	struct fault fault = { .code = FAULT_NONE };
	struct strbuf buf = STRBUF_INIT;
	struct queue_record record;
	char path[SCRATCH_PATH_SIZE];
	struct sink sink;
	int fd;

	sink_ready(&sink, state);
	fd = open(only_file(state, "ready", path), O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "#", 1,
	    sink_get(&sink, 10)->pos.offset + 50), 1);
	close(fd);
	assert_int_equal(compact(&sink), 1);
	assert_int_equal(count_files(state, "corrupt"), 1);
	assert_int_equal(queue_reader_load(sink.reader,
	    sink_get(&sink, 10)->pos, &buf, &record, &fault), -1);
	for (size_t i = 1; i < LEFT; i++) {
		expect_loads(&sink, left[i]);
		sink_finish(&sink, left[i], QUEUE_DELIVERED);
	}
	sink_sync(&sink);
	assert_int_equal(count_files(state, "ready"), 0);
	strbuf_deinit(&buf);
	sink_close(&sink);
}

static void
of_two_generations_the_later_counts(void **state)
{
	char path[SCRATCH_PATH_SIZE], old[SCRATCH_PATH_SIZE];
	char new_log[SCRATCH_PATH_SIZE];
	struct queue_status status;
	struct fault fault = { .code = FAULT_NONE };
	struct sink sink;

	sink_ready(&sink, state);
	only_file(state, "ready", old);
	assert_int_equal(link(old, scratch_path(state, "old", path)), 0);
	assert_int_equal(compact(&sink), 1);
	sink_finish(&sink, 10, QUEUE_DELIVERED);
	sink_close(&sink);
	only_file(state, "done", new_log);
	/* As if the crash had come before the old one went. */
	assert_int_equal(link(scratch_path(state, "old", path), old), 0);
	assert_int_equal(queue_status_read(queue_path(state, "", path),
	    &status, &fault), 0);
	assert_int_equal(status.waiting, LEFT - 1);
	expect_left(state, 1);
	assert_int_equal(count_files(state, "ready"), 1);
	assert_int_equal(count_files(state, "done"), 1);
}

/* A rewritten segment that went before what it was would bring all back. */
static void
a_rewritten_segment_goes_after_the_old_one(void **state)
{
	struct sink sink;

	sink_ready(&sink, state);
	io_fail_at("fsync", 2, EIO);
	assert_int_equal(compact(&sink), -1);
	assert_true(io_has_failed());
	io_reset();
	assert_int_equal(count_files(state, "ready"), 2);
	for (size_t i = 0; i < LEFT; i++)
		sink_finish(&sink, left[i], QUEUE_DELIVERED);
	sink_sync(&sink);
	sink_close(&sink);
	assert_int_equal(count_files(state, "ready"), 2);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 0);
	sink_sync(&sink);
	assert_int_equal(count_files(state, "ready"), 0);
	assert_int_equal(count_files(state, "done"), 0);
	sink_close(&sink);
}

static void
what_was_read_before_a_rewriting_is_not_taken_for_it(void **state)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);
	struct fault fault = { .code = FAULT_NONE };
	struct queue_record records[9];
	char bodies[9][BODY_MAX];
	struct sink sink;

	/* All of one size, so that each place is one of another record. */
	for (unsigned i = 0; i < 9; i++)
		record_make(&records[i], 100 + i * 10, bodies[i]);
	assert_int_equal(queue_append(writer, records, 9, &fault), 0);
	queue_writer_close(&writer);
	sink_open(&sink, state);
	sink_drain(&sink);
	for (unsigned n = 100; n < 180; n += 10)
		if (n != 150)
			sink_finish(&sink, n, QUEUE_DELIVERED);
	sink_sync(&sink);
	expect_loads(&sink, 100);
	assert_int_equal(compact(&sink), 1);
	expect_loads(&sink, 180);
	expect_loads(&sink, 150);
	sink_close(&sink);
}

static unsigned crash_step;

/* A spooler that rewrites, delivers record 10 and tells, and may end at any
   call of these. */
static void
rewrite_and_crash(void *const *state, int told)
{
	struct sink sink;

	sink_open(&sink, state);
	sink_drain(&sink);
	io_crash_at(crash_step);
	if (compact(&sink) < 0)
		_exit(1);
	sink_finish(&sink, 10, QUEUE_DELIVERED);
	sink_sync(&sink);
	if (write(told, "F", 1) != 1)
		_exit(1);
	sink_close(&sink);
	_exit(io_has_failed() ? CRASHED : 0);
}

static void
a_crash_at_any_step_leaves_one_generation_in_force(void **state)
{
	int status;

	io_skip_syncs();
	for (crash_step = 1; ; crash_step++) {
		char path[SCRATCH_PATH_SIZE], command[2 * SCRATCH_PATH_SIZE];
		struct sink sink;
		char told = 0;
		int fds[2];
		pid_t pid;

		sink_ready(&sink, state);
		sink_close(&sink);
		assert_int_equal(pipe(fds), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			rewrite_and_crash(state, fds[1]);
		close(fds[1]);
		(void)!read(fds[0], &told, 1);
		close(fds[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		sink_open(&sink, state);
		sink_drain(&sink);
		assert_int_equal(sink.nasked, 0);
		if (told == 'F')
			assert_int_equal(sink_has(&sink, 10), 0);
		assert_in_range(sink.ngot, LEFT - 1, LEFT);
		for (size_t i = sink_has(&sink, 10) == 0; i < LEFT; i++) {
			assert_int_equal(sink_has(&sink, left[i]), 1);
			assert_int_equal(sink_get(&sink, left[i])->attempts,
			    left[i] == 20 ? 2 : 0);
			sink_finish(&sink, left[i], QUEUE_DELIVERED);
		}
		sink_sync(&sink);
		assert_int_equal(count_files(state, "done"), 0);
		sink_close(&sink);
		/* At most the half-made one, removed once it is a minute
		   old. */
		assert_in_range(count_files(state, "ready"), 0, 1);
		if (count_files(state, "ready") == 1)
			assert_non_null(strstr(only_file(state, "ready",
			    command), "/.new-"));
		snprintf(command, sizeof(command), "rm -rf %s",
		    queue_path(state, "", path));
		assert_int_equal(system(command), 0);
		if (WEXITSTATUS(status) == 0)
			break;
		assert_int_equal(WEXITSTATUS(status), CRASHED);
	}
	assert_in_range(crash_step, 10, 60);
	print_message("%u steps\n", crash_step);
}

static void
a_failure_at_any_step_leaves_all_records_in_place(void **state)
{
	static const char *const calls[] = {
		"pwrite", "fdatasync", "fsync", "renameat", "ftruncate",
		"unlinkat"
	};

	io_skip_syncs();
	for (size_t i = 0; i < 6; i++) {
		for (unsigned step = 1; step < 4; step++) {
			char path[SCRATCH_PATH_SIZE];
			char command[2 * SCRATCH_PATH_SIZE];
			struct sink sink;

			sink_ready(&sink, state);
			io_fail_at(calls[i], step, ENOSPC);
			(void)compact(&sink);
			io_reset();
			io_skip_syncs();
			for (size_t j = 0; j < LEFT; j++)
				expect_loads(&sink, left[j]);
			sink_finish(&sink, 10, QUEUE_DELIVERED);
			sink_sync(&sink);
			/* And once more, now without a failure. */
			assert_in_range(compact(&sink) + 1, 1, 2);
			sink_drain(&sink);
			assert_int_equal(count_files(state, "ready"), 1);
			sink_close(&sink);
			expect_left(state, 1);
			assert_int_equal(count_files(state, "done"), 1);
			snprintf(command, sizeof(command), "rm -rf %s",
			    queue_path(state, "", path));
			assert_int_equal(system(command), 0);
		}
	}
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_left_stays_as_it_was_and_where_it_was_known),
		TEST(outcomes_after_a_rewriting_are_remembered),
		TEST(a_segment_can_be_rewritten_again),
		TEST(only_what_is_worth_it_is_rewritten),
		TEST(few_records_that_are_much_of_the_bytes_stay),
		TEST(a_record_damaged_before_the_rewriting_is_set_aside),
		TEST(of_two_generations_the_later_counts),
		TEST(a_rewritten_segment_goes_after_the_old_one),
		TEST(what_was_read_before_a_rewriting_is_not_taken_for_it),
		TEST(a_crash_at_any_step_leaves_one_generation_in_force),
		TEST(a_failure_at_any_step_leaves_all_records_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
