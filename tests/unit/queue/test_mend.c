/* SPDX-License-Identifier: MIT */
/* The operator's eyes and hands: every record is shown in its state, trouble
   with its place; letters go back once and whole; a drop happens at once,
   beside a spooler or without one. */
#include "config.h"

#include "../../../src/queue/reader_private.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/queue.h"
#include "wuts/strbuf.h"

#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What a visit told: the state of each record, by number. */
struct seen {
	unsigned count;
	int state[128];		/* -1: not seen */
	unsigned times[128];
	unsigned attempts[128];
	int64_t due_us[128];
	char trouble[8][160];
	unsigned ntrouble;
	uint64_t done, all;
};

static unsigned
number_of(const struct uuid *id)
{
	return (unsigned)id->b[14] << 8 | id->b[15];
}

static bool
see_entry(void *ctx, const struct queue_entry *entry)
{
	struct seen *seen = ctx;
	unsigned n = number_of(&entry->record.id);
	struct queue_record made;
	char body[BODY_MAX];

	assert_in_range(n, 0, 127);
	record_make(&made, n, body);
	assert_string_equal(entry->record.event, made.event);
	assert_int_equal(entry->record.body_len, made.body_len);
	assert_memory_equal(entry->record.body, body, made.body_len);
	/* A letter tells more than that there is one. */
	if (entry->state != QUEUE_STATE_DIED) {
		seen->state[n] = (int)entry->state;
		seen->times[n]++;
	}
	seen->attempts[n] = entry->attempts;
	seen->due_us[n] = entry->due_us;
	seen->count++;
	return true;
}

static void
see_trouble(void *ctx, const char *file, uint64_t offset, const char *what)
{
	struct seen *seen = ctx;

	assert_in_range(seen->ntrouble, 0, 7);
	snprintf(seen->trouble[seen->ntrouble++], sizeof(seen->trouble[0]),
	    "%s %llu %s", file, (unsigned long long)offset, what);
}

static void
see_progress(void *ctx, uint64_t done, uint64_t all)
{
	struct seen *seen = ctx;

	assert_true(done >= seen->done);
	assert_true(done <= all);
	seen->done = done;
	seen->all = all;
}

static void
visit(void *const *state, struct seen *seen)
{
	struct queue_visitor visitor = {
		see_entry, see_trouble, see_progress, seen
	};
	struct fault fault = { .code = FAULT_NONE };
	char path[SCRATCH_PATH_SIZE];

	memset(seen, 0, sizeof(*seen));
	for (size_t i = 0; i < 128; i++)
		seen->state[i] = -1;
	if (queue_visit(queue_path(state, "", path), &visitor, &fault) < 0)
		fail_msg("%s", fault.text);
	assert_int_equal(seen->done, seen->all);
}

static struct queue_mender *
mender_open(void *const *state)
{
	struct queue_limits limits = { .segment_bytes = 1 << 16 };
	struct fault fault = { .code = FAULT_NONE };
	struct queue_mender *mender;
	char path[SCRATCH_PATH_SIZE];

	if (queue_mender_open(&mender, queue_path(state, "", path), &limits,
	    &fault) < 0)
		fail_msg("%s", fault.text);
	return mender;
}

static void
fill(void *const *state, unsigned count)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);

	for (unsigned n = 1; n <= count; n++)
		append(writer, n, 1);
	queue_writer_close(&writer);
}

static void
finish_retry(struct sink *sink, unsigned n)
{
	queue_reader_finish(sink->reader, sink_get(sink, n)->pos, QUEUE_RETRY,
	    3, 1234);
}

static void
every_record_is_shown_in_its_state(void **state)
{
	struct queue_writer *writer;
	static struct seen seen;
	struct uuid id;
	struct sink sink;

	fill(state, 5);
	writer = writer_open(state, 1 << 16);
	append(writer, 10, 2);
	for (unsigned n = 20; n <= 23; n++)
		prepare(writer, n);
	id = record_id(20);
	queue_commit(writer, &id);
	id = record_id(21);
	queue_discard(writer, &id);
	sink_open(&sink, state);
	sink_drain(&sink);
	sink_finish(&sink, 1, QUEUE_DELIVERED);
	finish_retry(&sink, 2);
	sink_finish(&sink, 3, QUEUE_DEAD);
	sink_finish(&sink, 4, QUEUE_DROPPED);
	sink_sync(&sink);
	visit(state, &seen);
	assert_int_equal(seen.count, 12);
	assert_int_equal(seen.state[1], QUEUE_STATE_DELIVERED);
	assert_int_equal(seen.state[2], QUEUE_STATE_RETRYING);
	assert_int_equal(seen.attempts[2], 3);
	assert_int_equal(seen.due_us[2], 1234);
	assert_int_equal(seen.state[3], QUEUE_STATE_DEAD);
	assert_int_equal(seen.state[4], QUEUE_STATE_DROPPED);
	assert_int_equal(seen.state[5], QUEUE_STATE_WAITING);
	assert_int_equal(seen.state[10], QUEUE_STATE_WAITING);
	assert_int_equal(seen.state[11], QUEUE_STATE_WAITING);
	assert_int_equal(seen.state[20], QUEUE_STATE_WAITING);
	assert_int_equal(seen.state[21], QUEUE_STATE_DISCARDED);
	assert_int_equal(seen.state[22], QUEUE_STATE_PREPARED);
	assert_int_equal(seen.state[23], QUEUE_STATE_PREPARED);
	assert_int_equal(seen.ntrouble, 0);
	sink_close(&sink);
	queue_writer_close(&writer);
}

static void
trouble_is_told_with_its_place(void **state)
{
	char path[SCRATCH_PATH_SIZE], expected[64];
	struct strbuf lines = STRBUF_INIT;
	static struct seen seen;
	uint32_t third;
	struct sink sink;
	int fd;

	fill(state, 4);
	sink_open(&sink, state);
	sink_drain(&sink);
	sink_finish(&sink, 1, QUEUE_DELIVERED);
	third = sink_get(&sink, 3)->pos.offset;
	sink_close(&sink);
	queue_outcome_format(&lines, 'd', 7, 1, 0);
	fd = open(only_file(state, "done", path), O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, lines.data, lines.len), lines.len);
	close(fd);
	strbuf_deinit(&lines);
	visit(state, &seen);
	assert_int_equal(seen.ntrouble, 1);
	assert_non_null(strstr(seen.trouble[0], "done/"));
	assert_non_null(strstr(seen.trouble[0], ".log 7 an outcome of no"));
	fd = open(only_file(state, "ready", path), O_WRONLY);
	assert_int_equal(pwrite(fd, "#", 1, third + 9), 1);
	close(fd);
	visit(state, &seen);
	assert_int_equal(seen.ntrouble, 1);
	snprintf(expected, sizeof(expected), ".seg %u ", third);
	assert_non_null(strstr(seen.trouble[0], expected));
	assert_int_equal(seen.state[3], -1);
	assert_int_equal(seen.state[4], QUEUE_STATE_WAITING);
}

static bool
is_odd(void *ctx, const struct queue_entry *entry)
{
	(void)ctx;
	assert_int_equal(entry->state, QUEUE_STATE_DEAD);
	return number_of(&entry->record.id) % 2 == 1;
}

static bool
is_any(void *ctx, const struct queue_entry *entry)
{
	(void)ctx;
	(void)entry;
	return true;
}

/* Records 1 to count are dead letters. */
static void
fill_dead(void *const *state, unsigned count)
{
	struct sink sink;

	fill(state, count);
	sink_open(&sink, state);
	sink_drain(&sink);
	for (unsigned n = 1; n <= count; n++)
		sink_finish(&sink, n, QUEUE_DEAD);
	sink_close(&sink);
	assert_int_equal(count_files(state, "ready"), 0);
}

static void
letters_go_back_once_and_whole(void **state)
{
	struct queue_mender *mender;
	struct fault fault = { .code = FAULT_NONE };
	static struct seen seen;
	struct sink sink;
	size_t done;

	fill_dead(state, 100);
	for (int run = 0; run < 2; run++) {
		mender = mender_open(state);
		assert_int_equal(queue_mender_letters(mender,
		    QUEUE_LETTER_REPLAY, is_odd, NULL, &done, &fault), 0);
		assert_int_equal(done, run == 0 ? 50 : 0);
		queue_mender_close(&mender);
	}
	visit(state, &seen);
	assert_int_equal(seen.state[2], QUEUE_STATE_DEAD);
	assert_int_equal(seen.times[1], 2);
	assert_int_equal(seen.ntrouble, 0);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 50);
	for (unsigned n = 1; n <= 100; n += 2) {
		assert_int_equal(sink_has(&sink, n), 1);
		assert_int_equal(sink_get(&sink, n)->attempts, 0);
		sink_finish(&sink, n, QUEUE_DELIVERED);
	}
	sink_close(&sink);
	mender = mender_open(state);
	assert_int_equal(queue_mender_letters(mender, QUEUE_LETTER_DROP,
	    is_any, NULL, &done, &fault), 0);
	assert_int_equal(done, 50);
	queue_mender_close(&mender);
	visit(state, &seen);
	assert_int_equal(seen.count, 100);
	assert_int_equal(seen.state[1], QUEUE_STATE_REPLAYED);
	assert_int_equal(seen.state[2], QUEUE_STATE_DROPPED);
}

static void
a_letter_that_cannot_go_back_stays(void **state)
{
	static const char *const calls[] = {
		"pwrite", "fdatasync", "fallocate", "renameat"
	};
	struct fault fault = { .code = FAULT_NONE };
	struct queue_mender *mender;
	static struct seen seen;
	size_t done;

	fill_dead(state, 3);
	for (size_t i = 0; i < 4; i++) {
		mender = mender_open(state);
		io_fail_at(calls[i], 1, ENOSPC);
		assert_int_equal(queue_mender_letters(mender,
		    QUEUE_LETTER_REPLAY, is_any, NULL, &done, &fault), -1);
		assert_int_equal(done, 0);
		io_reset();
		queue_mender_close(&mender);
		visit(state, &seen);
		for (unsigned n = 1; n <= 3; n++) {
			assert_int_equal(seen.state[n], QUEUE_STATE_DEAD);
			assert_int_equal(seen.times[n], 1);
		}
	}
	/* Back in the queue, not noted: it is in both, not in none. */
	mender = mender_open(state);
	io_fail_at("ftruncate", 1, EIO);
	assert_int_equal(queue_mender_letters(mender, QUEUE_LETTER_REPLAY,
	    is_any, NULL, &done, &fault), -1);
	io_reset();
	queue_mender_close(&mender);
	visit(state, &seen);
	assert_int_equal(seen.times[1], 2);
	assert_int_equal(seen.state[1], QUEUE_STATE_DEAD);
}

static void
only_one_operator_at_a_time(void **state)
{
	struct queue_limits limits = { .segment_bytes = 1 << 16 };
	struct fault fault = { .code = FAULT_NONE };
	struct queue_mender *mender = mender_open(state), *other;
	char path[SCRATCH_PATH_SIZE];

	assert_int_equal(queue_mender_open(&other, queue_path(state, "",
	    path), &limits, &fault), -1);
	assert_int_equal(fault.code, FAULT_QUEUE);
	assert_null(other);
	queue_mender_close(&mender);
	mender = mender_open(state);
	queue_mender_close(&mender);
}

typedef int mender_wish(struct queue_mender *mender, const struct uuid *id,
    int timeout_ms, struct fault *fault);

static int
want(void *const *state, mender_wish *wish, unsigned n)
{
	struct queue_mender *mender = mender_open(state);
	struct fault fault = { .code = FAULT_NONE };
	struct uuid id = record_id(n);
	int ret = wish(mender, &id, 10000, &fault);

	queue_mender_close(&mender);
	return ret;
}

static int
drop(void *const *state, unsigned n)
{
	return want(state, queue_mender_drop, n);
}

static void
without_a_spooler_a_drop_happens_directly(void **state)
{
	static struct seen seen;
	struct sink sink;

	fill(state, 4);
	assert_int_equal(drop(state, 9), 0);
	assert_int_equal(drop(state, 3), 1);
	assert_int_equal(drop(state, 3), 0);
	visit(state, &seen);
	assert_int_equal(seen.state[3], QUEUE_STATE_DROPPED);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 3);
	sink_close(&sink);
}

struct asking {
	void *const *state;
	mender_wish *wish;
	unsigned n;
	int result;
};

static void *
ask(void *ctx)
{
	struct asking *asking = ctx;

	asking->result = want(asking->state, asking->wish, asking->n);
	return NULL;
}

/* Until the operator's wish for record n is granted, as a spooler would. */
static int
want_beside(struct sink *sink, void *const *state, mender_wish *wish,
    unsigned n)
{
	struct asking asking = { state, wish, n, 99 };
	int64_t until_us = clock_mono_us() + 60 * CLOCK_SECOND_US;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, ask, &asking), 0);
	while (pthread_tryjoin_np(thread, NULL) != 0) {
		assert_true(clock_mono_us() < until_us);
		sink_drain(sink);
	}
	return asking.result;
}

static int
drop_beside(struct sink *sink, void *const *state, unsigned n)
{
	return want_beside(sink, state, queue_mender_drop, n);
}

static void
a_running_spooler_drops_when_asked(void **state)
{
	struct fault fault = { .code = FAULT_NONE };
	struct strbuf buf = STRBUF_INIT;
	struct queue_record record;
	struct queue_counts counts;
	char path[SCRATCH_PATH_SIZE];
	static struct seen seen;
	struct sink sink;

	fill(state, 5);
	sink_open(&sink, state);
	sink_drain(&sink);
	/* 2 waits for its next time, 3 is under way, 4 was delivered. */
	finish_retry(&sink, 2);
	assert_int_equal(queue_reader_load(sink.reader,
	    sink_get(&sink, 3)->pos, &buf, &record, &fault), 0);
	sink_finish(&sink, 4, QUEUE_DELIVERED);
	for (unsigned n = 1; n <= 3; n++)
		assert_int_equal(drop_beside(&sink, state, n), 1);
	assert_int_equal(drop_beside(&sink, state, 4), 0);
	assert_int_equal(drop_beside(&sink, state, 9), 0);
	assert_int_equal(count_files(state, "requests"), 0);
	visit(state, &seen);
	for (unsigned n = 1; n <= 3; n++)
		assert_int_equal(seen.state[n], QUEUE_STATE_DROPPED);
	assert_int_equal(seen.state[4], QUEUE_STATE_DELIVERED);
	assert_int_equal(queue_counts_read(queue_path(state, "", path),
	    &counts, &fault), 0);
	assert_int_equal(counts.records, 1);
	assert_int_equal(counts.totals[QUEUE_TOTAL_DROPPED], 3);
	/* The scheduler learns of it when their turn comes. */
	for (unsigned n = 1; n <= 2; n++)
		assert_int_equal(queue_reader_load(sink.reader,
		    sink_get(&sink, n)->pos, &buf, &record, &fault), 1);
	finish_retry(&sink, 3);
	assert_int_equal(queue_reader_load(sink.reader,
	    sink_get(&sink, 3)->pos, &buf, &record, &fault), 1);
	sink_finish(&sink, 5, QUEUE_DELIVERED);
	sink_sync(&sink);
	assert_int_equal(count_files(state, "ready"), 0);
	strbuf_deinit(&buf);
	sink_close(&sink);
}

static void
a_drop_under_way_and_in_a_rewritten_segment(void **state)
{
	struct fault fault = { .code = FAULT_NONE };
	struct strbuf buf = STRBUF_INIT;
	struct queue_record record;
	struct sink sink;

	fill(state, 40);
	sink_open(&sink, state);
	sink_drain(&sink);
	for (unsigned n = 1; n <= 40; n++)
		if (n % 10 != 0)
			sink_finish(&sink, n, QUEUE_DELIVERED);
	sink_sync(&sink);
	assert_int_equal(queue_reader_compact(sink.reader, 0, 1, &fault), 1);
	assert_int_equal(queue_reader_load(sink.reader,
	    sink_get(&sink, 20)->pos, &buf, &record, &fault), 0);
	assert_int_equal(drop_beside(&sink, state, 20), 1);
	assert_int_equal(drop_beside(&sink, state, 40), 1);
	sink_finish(&sink, 20, QUEUE_DELIVERED);
	sink_finish(&sink, 10, QUEUE_DELIVERED);
	sink_finish(&sink, 30, QUEUE_DELIVERED);
	sink_sync(&sink);
	/* Finished, and the record that was dropped is still known. */
	assert_int_equal(count_files(state, "ready"), 0);
	assert_int_equal(queue_reader_load(sink.reader,
	    sink_get(&sink, 40)->pos, &buf, &record, &fault), 1);
	strbuf_deinit(&buf);
	sink_close(&sink);
}

static void
retry_much_later(struct sink *sink, unsigned n)
{
	queue_reader_finish(sink->reader, sink_get(sink, n)->pos, QUEUE_RETRY,
	    7, clock_wall_us() + INT64_C(3600) * CLOCK_SECOND_US);
}

static void
assert_due_now(void *const *state, unsigned n)
{
	static struct seen seen;

	visit(state, &seen);
	assert_int_equal(seen.state[n], QUEUE_STATE_RETRYING);
	assert_int_equal(seen.attempts[n], 7);
	assert_in_range(clock_wall_us() - seen.due_us[n], 0,
	    60 * CLOCK_SECOND_US);
}

static void
without_a_spooler_what_waits_is_due_when_one_starts(void **state)
{
	struct sink sink;

	fill(state, 4);
	sink_open(&sink, state);
	sink_drain(&sink);
	retry_much_later(&sink, 2);
	sink_close(&sink);
	assert_int_equal(want(state, queue_mender_hurry, 9), 0);
	assert_int_equal(want(state, queue_mender_hurry, 1), 1);
	assert_int_equal(want(state, queue_mender_hurry, 2), 1);
	assert_due_now(state, 2);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 4);
	assert_int_equal(sink_get(&sink, 2)->attempts, 7);
	assert_int_equal(sink_get(&sink, 1)->attempts, 0);
	sink_close(&sink);
}

static struct queue_pos hurried[8];
static unsigned nhurried;

static void
note_hurried(void *ctx, struct queue_pos pos)
{
	assert_non_null(ctx);
	hurried[nhurried++] = pos;
}

static void
a_running_spooler_is_told_what_is_due_now(void **state)
{
	struct fault fault = { .code = FAULT_NONE };
	struct queue_counts before, after;
	char path[SCRATCH_PATH_SIZE];
	struct queue_pos pos;
	struct sink sink;

	nhurried = 0;
	fill(state, 5);
	sink_open(&sink, state);
	queue_reader_on_hurry(sink.reader, note_hurried);
	sink_drain(&sink);
	retry_much_later(&sink, 2);
	sink_finish(&sink, 4, QUEUE_DELIVERED);
	sink_sync(&sink);
	assert_int_equal(queue_counts_read(queue_path(state, "", path),
	    &before, &fault), 0);
	for (unsigned n = 1; n <= 2; n++)
		assert_int_equal(want_beside(&sink, state,
		    queue_mender_hurry, n), 1);
	assert_int_equal(want_beside(&sink, state, queue_mender_hurry, 4), 0);
	assert_int_equal(count_files(state, "requests"), 0);
	assert_int_equal(nhurried, 1);
	pos = sink_get(&sink, 2)->pos;
	assert_int_equal(hurried[0].segment, pos.segment);
	assert_int_equal(hurried[0].offset, pos.offset);
	assert_due_now(state, 2);
	/* It was not tried once more. */
	assert_int_equal(queue_counts_read(queue_path(state, "", path),
	    &after, &fault), 0);
	assert_memory_equal(before.totals, after.totals,
	    sizeof(after.totals));
	assert_int_equal(before.records, after.records);
	sink_finish(&sink, 2, QUEUE_DELIVERED);
	sink_close(&sink);
}

static void
what_is_hurried_in_a_rewritten_segment_is_known_as_before(void **state)
{
	struct fault fault = { .code = FAULT_NONE };
	struct queue_pos pos;
	struct sink sink;

	nhurried = 0;
	fill(state, 40);
	sink_open(&sink, state);
	queue_reader_on_hurry(sink.reader, note_hurried);
	sink_drain(&sink);
	pos = sink_get(&sink, 40)->pos;
	retry_much_later(&sink, 40);
	for (unsigned n = 1; n < 40; n++)
		sink_finish(&sink, n, QUEUE_DELIVERED);
	sink_sync(&sink);
	assert_int_equal(queue_reader_compact(sink.reader, 0, 1, &fault), 1);
	assert_int_equal(want_beside(&sink, state, queue_mender_hurry, 40),
	    1);
	assert_int_equal(nhurried, 1);
	assert_int_equal(hurried[0].offset, pos.offset);
	assert_due_now(state, 40);
	sink_finish(&sink, 40, QUEUE_DELIVERED);
	sink_close(&sink);
}

static void
a_request_that_is_none_is_removed(void **state)
{
	char path[SCRATCH_PATH_SIZE];
	struct sink sink;

	fill(state, 2);
	sink_open(&sink, state);
	scratch_write(queue_path(state, "requests/1.drop", path),
	    "drop ../x.seg 0 no\n", 0600);
	scratch_write(queue_path(state, "requests/2.drop", path),
	    "drop 1-1.seg 0 01920000-0000-0000-0000-000000000001\n", 0600);
	scratch_write(queue_path(state, "requests/3.retry", path),
	    "drop 1-1.seg 0 01920000-0000-0000-0000-000000000001\n", 0600);
	sink_drain(&sink);
	assert_int_equal(count_files(state, "requests"), 0);
	assert_int_equal(harness_logged(state, "1.drop is no request"), 1);
	assert_int_equal(harness_logged(state, "3.retry is no request"), 1);
	assert_int_equal(sink.ngot, 2);
	sink_close(&sink);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_record_is_shown_in_its_state),
		TEST(trouble_is_told_with_its_place),
		TEST(letters_go_back_once_and_whole),
		TEST(a_letter_that_cannot_go_back_stays),
		TEST(only_one_operator_at_a_time),
		TEST(without_a_spooler_a_drop_happens_directly),
		TEST(a_running_spooler_drops_when_asked),
		TEST(a_drop_under_way_and_in_a_rewritten_segment),
		TEST(without_a_spooler_what_waits_is_due_when_one_starts),
		TEST(a_running_spooler_is_told_what_is_due_now),
		TEST(
		    what_is_hurried_in_a_rewritten_segment_is_known_as_before),
		TEST(a_request_that_is_none_is_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
