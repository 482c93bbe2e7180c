/* SPDX-License-Identifier: MIT */
/* The accounts agree with the files, whoever was killed at whatever step. */
#include "config.h"

#include "../../../src/queue/queue_private.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/queue.h"

#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Records 1 to LAST: the first three come to an end of each kind, 4 is tried
   again, the rest waits. */
#define LAST 40

static int64_t later_us;
int64_t __real_clock_mono_us(void);
int64_t __wrap_clock_mono_us(void);

int64_t
__wrap_clock_mono_us(void)
{
	return __real_clock_mono_us() + later_us;
}

static struct queue_books
books(void *const *state)
{
	struct fault fault = { .code = FAULT_NONE };
	char path[SCRATCH_PATH_SIZE];
	struct queue_books books;

	assert_int_equal(queue_books_read(queue_path(state, "", path), &books,
	    &fault), 0);
	return books;
}

static struct queue_counts
counts(void *const *state)
{
	struct fault fault = { .code = FAULT_NONE };
	char path[SCRATCH_PATH_SIZE];
	struct queue_counts counts;

	assert_int_equal(queue_counts_read(queue_path(state, "", path),
	    &counts, &fault), 0);
	return counts;
}

static void
assert_books(void *const *state, uint64_t accepted, uint64_t delivered,
    uint64_t dead, uint64_t dropped)
{
	struct queue_books b = books(state);

	assert_int_equal(b.account.terms[QUEUE_TERM_ACCEPTED], accepted);
	assert_int_equal(b.account.terms[QUEUE_TERM_DELIVERED], delivered);
	assert_int_equal(b.account.terms[QUEUE_TERM_DEAD], dead);
	assert_int_equal(b.account.terms[QUEUE_TERM_DROPPED], dropped);
	assert_int_equal(b.account.terms[QUEUE_TERM_DAMAGED], 0);
	assert_int_equal(b.waiting, accepted - delivered - dead - dropped);
	assert_int_equal(b.missing, 0);
}

static void
fill(void *const *state, unsigned from, unsigned count)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);

	for (unsigned n = from; n < from + count; n++)
		append(writer, n, 1);
	queue_writer_close(&writer);
}

static void
end_three(struct sink *sink)
{
	sink_finish(sink, 1, QUEUE_DELIVERED);
	sink_finish(sink, 2, QUEUE_DEAD);
	sink_finish(sink, 3, QUEUE_DROPPED);
	sink_finish(sink, 4, QUEUE_RETRY);
	sink_sync(sink);
}

static void
every_record_is_accounted_for_once(void **state)
{
	struct sink sink = { .got = NULL };

	fill(state, 1, LAST);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_books(state, LAST, 0, 0, 0);
	end_three(&sink);
	assert_books(state, LAST, 1, 1, 1);
	sink_close(&sink);

	/* The same again from the files. */
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_books(state, LAST, 1, 1, 1);
	for (unsigned n = 4; n <= LAST; n++)
		sink_finish(&sink, n, QUEUE_DELIVERED);
	sink_sync(&sink);
	assert_int_equal(count_files(state, "ready"), 0);
	assert_books(state, LAST, LAST - 2, 1, 1);
	sink_close(&sink);
	fill(state, LAST + 1, 2);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_books(state, LAST + 2, LAST - 2, 1, 1);
	assert_int_equal(books(state).retired.terms[QUEUE_TERM_ACCEPTED],
	    LAST);
	sink_close(&sink);
}

static void
what_never_committed_is_not_accepted(void **state)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);
	struct sink sink = { .got = NULL };
	struct uuid id = record_id(2);

	prepare(writer, 1);
	prepare(writer, 2);
	prepare(writer, 3);
	queue_discard(writer, &id);
	queue_writer_close(&writer);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_books(state, 0, 0, 0, 0);
	assert_int_equal(sink.nasked, 2);
	for (size_t i = 0; i < sink.nasked; i++)
		queue_resolve(sink.reader, sink.asked[i].pos,
		    sink.asked[i].n == 1);
	sink_sync(&sink);
	assert_books(state, 1, 0, 0, 0);
	sink_close(&sink);
}

/* The whole life of a segment up to its end, with a rewriting. */
static void
child_live(void *const *state, unsigned crash_at)
{
	struct fault fault = { .code = FAULT_NONE };
	struct sink sink = { .got = NULL };

	sink_open(&sink, state);
	io_crash_at(crash_at);
	sink_drain(&sink);
	for (unsigned n = 1; n <= LAST; n++) {
		if (sink_has(&sink, n) == 0)
			continue;
		if (n == LAST)
			(void)queue_reader_compact(sink.reader, 0, 0, &fault);
		sink_finish(&sink, n, n % 10 == 0 ? QUEUE_DEAD :
		    QUEUE_DELIVERED);
		if (n % 3 == 0)
			(void)queue_reader_write(sink.reader, &fault);
		if (n % 7 == 0 || n == LAST - 1)
			(void)queue_reader_sync(sink.reader, &fault);
	}
	sink_close(&sink);
}

static int
run_child(void *const *state, unsigned crash_at)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		child_live(state, crash_at);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
assert_no_less(const struct queue_books *now, const struct queue_books *then)
{
	for (int i = 0; i < QUEUE_TERM_COUNT; i++)
		assert_true(now->account.terms[i] >= then->account.terms[i]);
}

static void
a_kill_at_any_step_leaves_the_sums_exact(void **state)
{
	struct queue_books then = { .waiting = 0 }, now;
	uint64_t all = 0, dead = 0;
	unsigned call;
	int code;

	io_skip_syncs();
	for (call = 1; ; call++) {
		struct sink sink = { .got = NULL };

		fill(state, 1, LAST);
		all += LAST;
		code = run_child(state, call);
		if (code != CRASHED)
			break;
		/* No count goes back, as whoever reads it sees it. */
		now = books(state);
		assert_no_less(&now, &then);
		then = now;
		sink_open(&sink, state);
		sink_drain(&sink);
		now = books(state);
		assert_no_less(&now, &then);
		assert_int_equal(now.account.terms[QUEUE_TERM_ACCEPTED], all);
		assert_int_equal(now.waiting, sink.ngot);
		for (size_t i = 0; i < sink.ngot; i++)
			sink_finish(&sink, sink.got[i].n, QUEUE_DELIVERED);
		sink_sync(&sink);
		then = books(state);
		assert_int_equal(then.waiting, 0);
		sink_close(&sink);
	}
	assert_int_equal(code, 0);
	assert_in_range(call, 20, 1000);
	now = books(state);
	dead = now.account.terms[QUEUE_TERM_DEAD];
	assert_books(state, all, all - dead, dead, 0);
	assert_true(dead >= LAST / 10);
}

/* What a writer that is killed just before it counts leaves. */
static void
append_uncounted(void *const *state, unsigned n)
{
	char from[SCRATCH_PATH_SIZE], to[SCRATCH_PATH_SIZE];

	/* Its count is in the file that is put back. */
	queue_path(state, "tally.1", from);
	queue_path(state, "kept", to);
	assert_int_equal(rename(from, to), 0);
	fill(state, n, 1);
	assert_int_equal(rename(to, from), 0);
}

static void
what_a_killed_writer_did_not_count_is_made_good(void **state)
{
	struct fault fault = { .code = FAULT_NONE };
	struct sink sink = { .got = NULL };

	fill(state, 1, 5);
	sink_open(&sink, state);
	sink_drain(&sink);
	sink_close(&sink);
	append_uncounted(state, 6);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_books(state, 6, 0, 0, 0);
	assert_int_equal(counts(state).totals[QUEUE_TOTAL_ACCEPTED], 5);
	later_us += 2 * CLOCK_SECOND_US;
	assert_int_equal(queue_reader_scan(sink.reader, 100, &fault), 0);
	assert_int_equal(counts(state).totals[QUEUE_TOTAL_ACCEPTED], 6);
	assert_int_equal(books(state).mended, 1);
	sink_close(&sink);
}

/* A reader beside the writer, which looks whenever there is something new to
   see, and has all the time in the world until the writer goes on. */
static struct sink *beside;
static ssize_t (*write_only)(int fd, const void *data, size_t len,
    off_t offset);

static ssize_t
write_and_read(int fd, const void *data, size_t len, off_t offset)
{
	struct fault fault = { .code = FAULT_NONE };
	ssize_t ret = write_only(fd, data, len, offset);

	if (beside == NULL || (len > 1 && memcmp(data, "{\"v\":1", 6) != 0))
		return ret;
	sink_drain(beside);
	for (int i = 0; i < 3; i++) {
		later_us += 2 * CLOCK_SECOND_US;
		assert_int_equal(queue_reader_scan(beside->reader, 100,
		    &fault), 0);
	}
	return ret;
}

static void
a_slow_writer_is_not_taken_for_a_killed_one(void **state)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);
	struct fault fault = { .code = FAULT_NONE };
	struct uuid prepared = record_id(4);
	struct sink sink = { .got = NULL };

	append(writer, 1, 1);
	sink_open(&sink, state);
	sink_drain(&sink);
	write_only = queue_io.pwrite;
	queue_io.pwrite = write_and_read;
	beside = &sink;
	append(writer, 2, 2);
	prepare(writer, 4);
	queue_commit(writer, &prepared);
	beside = NULL;
	queue_io.pwrite = write_only;
	assert_int_equal(queue_reader_scan(sink.reader, 100, &fault), 0);
	assert_books(state, 4, 0, 0, 0);
	assert_int_equal(counts(state).totals[QUEUE_TOTAL_ACCEPTED], 4);
	assert_int_equal(counts(state).records, 4);
	assert_int_equal(books(state).mended, 0);
	queue_writer_close(&writer);
	sink_close(&sink);
}

static void
an_accepted_event_without_a_file_is_reported(void **state)
{
	struct fault fault = { .code = FAULT_NONE };
	struct sink sink = { .got = NULL };
	char path[SCRATCH_PATH_SIZE];

	fill(state, 1, 5);
	sink_open(&sink, state);
	sink_drain(&sink);
	for (unsigned n = 1; n <= 5; n++)
		sink_finish(&sink, n, QUEUE_DELIVERED);
	sink_sync(&sink);
	sink_close(&sink);
	fill(state, 6, 2);
	assert_int_equal(unlink(only_file(state, "ready", path)), 0);
	harness_expect_errors();
	sink_open(&sink, state);
	sink_drain(&sink);
	/* It may be in a segment that is about to be adopted. */
	assert_int_equal(books(state).missing, 0);
	later_us += 10 * CLOCK_SECOND_US;
	assert_int_equal(queue_reader_scan(sink.reader, 100, &fault), 0);
	assert_int_equal(books(state).missing, 2);
	assert_int_equal(harness_logged(state, "are in no file"), 1);
	sink_close(&sink);
}

static void
accounts_begin_with_what_was_counted_before(void **state)
{
	struct sink sink = { .got = NULL };
	char path[SCRATCH_PATH_SIZE];

	fill(state, 1, LAST);
	sink_open(&sink, state);
	sink_drain(&sink);
	end_three(&sink);
	for (unsigned n = 4; n <= LAST; n++)
		sink_finish(&sink, n, QUEUE_DELIVERED);
	sink_sync(&sink);
	sink_close(&sink);
	fill(state, LAST + 1, 7);
	assert_int_equal(unlink(queue_path(state, "accounts.1", path)), 0);
	assert_int_equal(books(state).account.terms[QUEUE_TERM_ACCEPTED], 0);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_books(state, LAST + 7, LAST - 2, 1, 1);
	sink_close(&sink);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define IN_QUEUE(test) \
		cmocka_unit_test_setup_teardown(test, harness_setup, \
		    harness_teardown)
		IN_QUEUE(every_record_is_accounted_for_once),
		IN_QUEUE(what_never_committed_is_not_accepted),
		IN_QUEUE(a_kill_at_any_step_leaves_the_sums_exact),
		IN_QUEUE(what_a_killed_writer_did_not_count_is_made_good),
		IN_QUEUE(a_slow_writer_is_not_taken_for_a_killed_one),
		IN_QUEUE(an_accepted_event_without_a_file_is_reported),
		IN_QUEUE(accounts_begin_with_what_was_counted_before)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
