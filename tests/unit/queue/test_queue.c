/* SPDX-License-Identifier: MIT */
/* What is written arrives: appends, batches, prepared records and their marks,
   segments that fill, limits, one reader. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/queue.h"
#include "wuts/strbuf.h"

#include "../../../src/queue/queue_private.h"

#include "harness.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void
expect_range(const struct sink *sink, unsigned from, unsigned to)
{
	assert_int_equal(sink->ngot, to - from + 1);
	for (unsigned n = from; n <= to; n++)
		assert_int_equal(sink->got[n - from].n, n);
}

static void
records_arrive_from_an_open_segment_in_order(void **state)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);
	struct sink sink;

	append(writer, 1, 1);
	append(writer, 2, 5);
	sink_open(&sink, state);
	sink_drain(&sink);
	expect_range(&sink, 1, 6);
	append(writer, 7, 1);
	sink_drain(&sink);
	expect_range(&sink, 1, 7);
	assert_int_equal(count_files(state, "open"), 1);
	queue_writer_close(&writer);
	assert_null(writer);
	sink_drain(&sink);
	expect_range(&sink, 1, 7);
	assert_int_equal(count_files(state, "open"), 0);
	assert_int_equal(count_files(state, "ready"), 1);
	sink_close(&sink);
}

static void
the_doorbell_rings_for_an_append(void **state)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);
	struct fault fault = { .code = FAULT_NONE };
	struct sink sink;
	struct pollfd bell;

	sink_open(&sink, state);
	bell = (struct pollfd){ queue_reader_fd(sink.reader), POLLIN, 0 };
	assert_int_equal(queue_reader_scan(sink.reader, 100, &fault), 0);
	assert_int_equal(poll(&bell, 1, 0), 0);
	append(writer, 1, 1);
	assert_int_equal(poll(&bell, 1, 10000), 1);
	assert_int_equal(queue_reader_scan(sink.reader, 100, &fault), 0);
	expect_range(&sink, 1, 1);
	assert_int_equal(poll(&bell, 1, 0), 0);
	append(writer, 2, 1);
	assert_int_equal(poll(&bell, 1, 10000), 1);
	assert_int_equal(queue_reader_scan(sink.reader, 100, &fault), 0);
	expect_range(&sink, 1, 2);
	queue_writer_close(&writer);
	sink_close(&sink);
}

static void
full_segments_are_sealed_and_all_of_them_read(void **state)
{
	struct queue_writer *writer = writer_open(state, 8192);
	struct sink sink;

	sink_open(&sink, state);
	for (unsigned n = 1; n <= 150; n++) {
		append(writer, n, 1);
		if (n % 40 == 0)
			sink_drain(&sink);
	}
	assert_in_range(count_files(state, "ready"), 5, 30);
	queue_writer_close(&writer);
	sink_drain(&sink);
	expect_range(&sink, 1, 150);
	sink_close(&sink);
}

static void
a_segment_sealed_between_the_look_and_its_open_is_read(void **state)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);
	struct fault fault = { .code = FAULT_NONE };
	char bell[4096];
	struct sink sink;

	append(writer, 1, 3);
	sink_open(&sink, state);
	queue_writer_close(&writer);
	assert_int_equal(count_files(state, "ready"), 1);
	/* The reader has not heard of it yet. */
	assert_true(read(queue_reader_fd(sink.reader), bell,
	    sizeof(bell)) > 0);
	assert_int_equal(queue_reader_scan(sink.reader, 100, &fault), 0);
	expect_range(&sink, 1, 3);
	sink_drain(&sink);
	expect_range(&sink, 1, 3);
	for (unsigned n = 1; n <= 3; n++)
		sink_finish(&sink, n, QUEUE_DELIVERED);
	sink_sync(&sink);
	assert_int_equal(count_files(state, "ready"), 0);
	sink_close(&sink);
}

static void
more_segments_than_descriptors_are_read(void **state)
{
	struct queue_writer *writer = writer_open(state, 500);
	struct strbuf buf = STRBUF_INIT;
	struct fault fault = { .code = FAULT_NONE };
	struct queue_record record;
	unsigned open_fds = 0;
	struct sink sink;

	for (unsigned n = 1; n <= 200; n++)
		append(writer, n, 1);
	queue_writer_close(&writer);
	assert_in_range(count_files(state, "ready"), 150, 200);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 200);
	for (unsigned n = 200; n > 0; n--) {
		assert_int_equal(queue_reader_load(sink.reader,
		    sink_get(&sink, n)->pos, &buf, &record, &fault), 0);
		assert_int_equal(record.created_us, 1000000 + n);
	}
	for (int fd = 0; fd < 1024; fd++)
		open_fds += fcntl(fd, F_GETFD) >= 0;
	assert_in_range(open_fds, QUEUE_OPEN_FDS, QUEUE_OPEN_FDS + 20);
	strbuf_deinit(&buf);
	sink_close(&sink);
}

static void
an_append_larger_than_a_segment_gets_a_larger_one(void **state)
{
	struct queue_writer *writer = writer_open(state, 4096);
	struct sink sink;

	append(writer, 1, 1);
	append(writer, 2, 1000);
	append(writer, 1002, 1);
	queue_writer_close(&writer);
	sink_open(&sink, state);
	sink_drain(&sink);
	expect_range(&sink, 1, 1002);
	sink_close(&sink);
}

static void
a_record_can_be_loaded_again(void **state)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);
	struct fault fault = { .code = FAULT_NONE };
	struct strbuf buf = STRBUF_INIT;
	struct queue_record record, made;
	char body[BODY_MAX];
	struct sink sink;

	sink_open(&sink, state);
	for (unsigned n = 1; n <= 20; n++) {
		append(writer, n, 1);
		sink_drain(&sink);
		assert_int_equal(queue_reader_load(sink.reader,
		    sink_get(&sink, n)->pos, &buf, &record, &fault), 0);
		record_make(&made, n, body);
		assert_true(uuid_is_equal(&record.id, &made.id));
		assert_string_equal(record.event, made.event);
		assert_int_equal(record.body_len, made.body_len);
		assert_string_equal(record.body, made.body);
	}
	strbuf_deinit(&buf);
	queue_writer_close(&writer);
	sink_close(&sink);
}

static void
a_body_with_a_newline_or_nul_is_refused(void **state)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);
	static const char *const bodies[] = { "a\nb", "a\0b" };
	struct queue_record record;
	char body[BODY_MAX];
	struct sink sink;

	for (size_t i = 0; i < 2; i++) {
		struct fault fault = { .code = FAULT_NONE };

		record_make(&record, 1, body);
		record.body = bodies[i];
		record.body_len = 3;
		assert_int_equal(queue_append(writer, &record, 1, &fault), -1);
		assert_int_equal(fault.code, FAULT_QUEUE);
	}
	append(writer, 2, 1);
	sink_open(&sink, state);
	sink_drain(&sink);
	expect_range(&sink, 2, 2);
	queue_writer_close(&writer);
	sink_close(&sink);
}

static void
a_prepared_record_counts_with_its_commit_only(void **state)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);
	struct uuid id;
	struct sink sink;

	sink_open(&sink, state);
	prepare(writer, 1);
	prepare(writer, 2);
	append(writer, 3, 1);
	sink_drain(&sink);
	expect_range(&sink, 3, 3);
	assert_int_equal(queue_reader_prepared_horizon(sink.reader), 1000001);
	id = record_id(1);
	queue_discard(writer, &id);
	sink_drain(&sink);
	assert_int_equal(queue_reader_prepared_horizon(sink.reader), 1000002);
	id = record_id(2);
	queue_commit(writer, &id);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 2);
	assert_int_equal(sink.got[1].n, 2);
	assert_int_equal(queue_reader_prepared_horizon(sink.reader),
	    INT64_MAX);
	queue_writer_close(&writer);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 2);
	assert_int_equal(sink.nasked, 0);
	sink_close(&sink);
}

static void
a_mark_finds_its_record_in_a_segment_that_is_full(void **state)
{
	struct queue_writer *writer = writer_open(state, 2048);
	struct uuid id;
	struct sink sink;

	sink_open(&sink, state);
	prepare(writer, 1);
	for (unsigned n = 2; n <= 20; n++)
		append(writer, n, 1);
	prepare(writer, 21);
	sink_drain(&sink);
	expect_range(&sink, 2, 20);
	assert_int_equal(sink.nasked, 0);
	id = record_id(1);
	queue_commit(writer, &id);
	id = record_id(21);
	queue_discard(writer, &id);
	queue_writer_close(&writer);
	sink_drain(&sink);
	assert_int_equal(sink_has(&sink, 1), 1);
	assert_int_equal(sink_has(&sink, 21), 0);
	assert_int_equal(sink.nasked, 0);
	sink_close(&sink);
}

static void
a_segment_keeps_room_for_the_marks(void **state)
{
	struct queue_writer *writer = writer_open(state, 4096);
	char path[SCRATCH_PATH_SIZE];
	unsigned n = 0;
	struct stat st;

	do
		prepare(writer, ++n);
	while (count_files(state, "open") == 1);
	assert_in_range(n, 5, 20);
	for (unsigned i = 1; i < n; i++) {
		struct uuid id = record_id(i);

		queue_commit(writer, &id);
	}
	assert_int_equal(stat(only_file(state, "ready", path), &st), 0);
	assert_in_range(st.st_size, 3000, 4096);
	queue_writer_close(&writer);
}

static void
records_of_an_abandoned_segment_are_claimed(void **state)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);
	struct uuid id = record_id(1);
	struct sink sink;

	sink_open(&sink, state);
	prepare(writer, 1);
	prepare(writer, 2);
	append(writer, 3, 1);
	sink_drain(&sink);
	assert_int_equal(sink.nasked, 0);
	queue_abandon(writer);
	queue_commit(writer, &id);	/* comes too late: says nothing */
	append(writer, 4, 1);
	sink_drain(&sink);
	sink_drain(&sink);
	assert_int_equal(sink.nasked, 2);
	assert_int_equal(sink.ngot, 2);
	queue_resolve(sink.reader, sink.asked[0].pos, true);
	queue_resolve(sink.reader, sink.asked[1].pos, false);
	queue_resolve(sink.reader, sink.asked[1].pos, true);
	assert_int_equal(sink.ngot, 3);
	assert_int_equal(sink.got[2].n, sink.asked[0].n);
	queue_writer_close(&writer);
	sink_close(&sink);
}

static void
a_claim_is_remembered_over_a_restart(void **state)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);
	struct sink sink;

	prepare(writer, 1);
	prepare(writer, 2);
	queue_writer_close(&writer);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.nasked, 2);
	assert_int_equal(sink.asked[0].n, 1);
	queue_resolve(sink.reader, sink.asked[0].pos, true);
	queue_resolve(sink.reader, sink.asked[1].pos, false);
	sink_close(&sink);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.nasked, 0);
	expect_range(&sink, 1, 1);
	sink_finish(&sink, 1, QUEUE_DELIVERED);
	sink_sync(&sink);
	assert_int_equal(count_files(state, "ready"), 0);
	sink_close(&sink);
}

static void
a_record_not_claimed_is_asked_for_again_after_a_restart(void **state)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);
	struct sink sink;

	prepare(writer, 1);
	queue_writer_close(&writer);
	for (int run = 0; run < 2; run++) {
		sink_open(&sink, state);
		sink_drain(&sink);
		assert_int_equal(sink.nasked, 1);
		sink_sync(&sink);
		assert_int_equal(count_files(state, "ready"), 1);
		sink_close(&sink);
	}
}

static void
a_second_reader_is_refused(void **state)
{
	struct queue_events events = { .ctx = NULL };
	struct fault fault = { .code = FAULT_NONE };
	char path[SCRATCH_PATH_SIZE];
	struct queue_reader *other;
	struct sink sink;

	sink_open(&sink, state);
	assert_int_equal(queue_reader_open(&other, queue_path(state, "", path),
	    &events, &fault), -1);
	assert_int_equal(fault.code, FAULT_QUEUE);
	assert_null(other);
	sink_close(&sink);
	sink_open(&sink, state);
	sink_close(&sink);
}

static void
max_bytes_refuses_and_room_is_found_again(void **state)
{
	struct queue_limits limits = {
		.segment_bytes = 4096, .max_bytes = 16384
	};
	struct fault fault = { .code = FAULT_NONE };
	char path[SCRATCH_PATH_SIZE], body[BODY_MAX];
	struct queue_writer *writer;
	struct queue_record record;
	struct sink sink;
	unsigned n = 0;

	assert_int_equal(queue_writer_open(&writer, queue_path(state, "",
	    path), &limits, &fault), 0);
	assert_int_equal(queue_writer_check(writer, &fault), -1);
	assert_int_equal(fault.code, FAULT_QUEUE_FULL);
	do {
		record_make(&record, ++n, body);
		assert_in_range(n, 1, 100);
	} while (queue_append(writer, &record, 1, &fault) == 0);
	assert_int_equal(fault.code, FAULT_QUEUE_FULL);
	assert_true(fault.retry_after_s > 0);
	assert_true(n > 20);
	sink_open(&sink, state);
	sink_drain(&sink);
	expect_range(&sink, 1, n - 1);
	for (unsigned i = 1; i < n; i++)
		sink_finish(&sink, i, QUEUE_DELIVERED);
	sink_sync(&sink);
	/* The measure is up to 100 ms old. */
	for (int i = 0; queue_append(writer, &record, 1, &fault) < 0; i++) {
		assert_in_range(i, 0, 5000);
		poll(NULL, 0, 1);
	}
	sink_drain(&sink);
	assert_int_equal(sink_has(&sink, n), 1);
	queue_writer_close(&writer);
	sink_close(&sink);
}

static void
disk_reserve_refuses(void **state)
{
	struct queue_limits limits = {
		.segment_bytes = 4096, .disk_reserve = SIZE_MAX / 2
	};
	struct fault fault = { .code = FAULT_NONE };
	char path[SCRATCH_PATH_SIZE], body[BODY_MAX];
	struct queue_writer *writer;
	struct queue_record record;

	assert_int_equal(queue_writer_open(&writer, queue_path(state, "",
	    path), &limits, &fault), 0);
	assert_int_equal(queue_writer_check(writer, &fault), -1);
	record_make(&record, 1, body);
	assert_int_equal(queue_append(writer, &record, 1, &fault), -1);
	assert_int_equal(fault.code, FAULT_QUEUE_FULL);
	assert_int_equal(count_files(state, "open"), 0);
	queue_writer_close(&writer);
}

static void
an_unused_writer_leaves_nothing(void **state)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);
	struct fault fault = { .code = FAULT_NONE };

	assert_int_equal(queue_writer_check(writer, &fault), 0);
	queue_writer_close(&writer);
	queue_writer_close(&writer);
	assert_int_equal(count_files(state, "open"), 0);
	assert_int_equal(count_files(state, "ready"), 0);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_arrive_from_an_open_segment_in_order),
		TEST(the_doorbell_rings_for_an_append),
		TEST(full_segments_are_sealed_and_all_of_them_read),
		TEST(a_segment_sealed_between_the_look_and_its_open_is_read),
		TEST(more_segments_than_descriptors_are_read),
		TEST(an_append_larger_than_a_segment_gets_a_larger_one),
		TEST(a_record_can_be_loaded_again),
		TEST(a_body_with_a_newline_or_nul_is_refused),
		TEST(a_prepared_record_counts_with_its_commit_only),
		TEST(a_mark_finds_its_record_in_a_segment_that_is_full),
		TEST(a_segment_keeps_room_for_the_marks),
		TEST(records_of_an_abandoned_segment_are_claimed),
		TEST(a_claim_is_remembered_over_a_restart),
		TEST(a_record_not_claimed_is_asked_for_again_after_a_restart),
		TEST(a_second_reader_is_refused),
		TEST(max_bytes_refuses_and_room_is_found_again),
		TEST(disk_reserve_refuses),
		TEST(an_unused_writer_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
