/* SPDX-License-Identifier: MIT */
/* Limits by number of records and by tenant, and the numbers they rest on:
   shared by writers and reader, right again after a restart of the reader. */
#include "config.h"

#include "../../../src/queue/queue_private.h"

#include "wuts/fault.h"
#include "wuts/queue.h"
#include "wuts/strbuf.h"

#include "harness.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct queue_writer *
limited(void *const *state, size_t max_records, size_t tenant_max_records,
    size_t tenant_max_bytes)
{
	struct queue_limits limits = {
		.segment_bytes = 1 << 20,
		.max_records = max_records,
		.tenant_max_records = tenant_max_records,
		.tenant_max_bytes = tenant_max_bytes,
	};
	struct fault fault = { .code = FAULT_NONE };
	char path[SCRATCH_PATH_SIZE];
	struct queue_writer *writer;

	if (queue_writer_open(&writer, queue_path(state, "", path), &limits,
	    &fault) < 0)
		fail_msg("%s", fault.text);
	return writer;
}

/* Record n of the harness has a tenant of its own; or this one's. */
static int
try_append(struct queue_writer *writer, unsigned n, unsigned count,
    const struct uuid *tenant)
{
	struct fault fault = { .code = FAULT_NONE };
	struct queue_record records[8];
	char bodies[8][BODY_MAX];

	for (unsigned i = 0; i < count; i++) {
		record_make(&records[i], n + i, bodies[i]);
		if (tenant != NULL)
			records[i].tenant_id = *tenant;
	}
	if (queue_append(writer, records, count, &fault) == 0)
		return 0;
	assert_int_equal(fault.code, FAULT_QUEUE_FULL);
	assert_true(fault.retry_after_s > 0);
	return -1;
}

static struct queue_counts
counts(void *const *state)
{
	struct fault fault = { .code = FAULT_NONE };
	struct queue_counts counts;
	char path[SCRATCH_PATH_SIZE];

	assert_int_equal(queue_counts_read(queue_path(state, "", path),
	    &counts, &fault), 0);
	return counts;
}

static void
expect_counts(void *const *state, uint64_t records)
{
	struct queue_counts now = counts(state);

	assert_int_equal(now.records, records);
	assert_int_equal(now.bytes > 0, records > 0);
}

static void
max_records_refuses_until_records_are_finished(void **state)
{
	struct queue_writer *writer = limited(state, 5, 0, 0);
	struct queue_writer *other = limited(state, 5, 0, 0);
	struct fault fault = { .code = FAULT_NONE };
	struct sink sink;

	assert_int_equal(try_append(writer, 1, 3, NULL), 0);
	assert_int_equal(try_append(other, 4, 3, NULL), -1);
	assert_int_equal(try_append(other, 4, 2, NULL), 0);
	assert_int_equal(try_append(writer, 6, 1, NULL), -1);
	assert_int_equal(queue_writer_check(writer, &fault), -1);
	assert_int_equal(fault.code, FAULT_QUEUE_FULL);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(try_append(writer, 6, 1, NULL), -1);
	sink_finish(&sink, 2, QUEUE_DELIVERED);
	sink_finish(&sink, 4, QUEUE_DEAD);
	queue_reader_finish(sink.reader, sink_get(&sink, 5)->pos, QUEUE_RETRY,
	    1, 1);
	assert_int_equal(queue_writer_check(writer, &fault), 0);
	assert_int_equal(try_append(writer, 6, 3, NULL), -1);
	assert_int_equal(try_append(writer, 6, 2, NULL), 0);
	assert_int_equal(try_append(writer, 8, 1, NULL), -1);
	sink_close(&sink);
	queue_writer_close(&writer);
	queue_writer_close(&other);
}

static void
a_tenant_over_its_quota_is_refused_and_no_other(void **state)
{
	struct uuid one = record_id(7777), two = record_id(8888);
	struct queue_writer *writer = limited(state, 0, 3, 0);

	assert_int_equal(try_append(writer, 1, 2, &one), 0);
	assert_int_equal(try_append(writer, 3, 2, &one), -1);
	assert_int_equal(try_append(writer, 3, 1, &one), 0);
	assert_int_equal(try_append(writer, 4, 1, &one), -1);
	assert_int_equal(try_append(writer, 4, 3, &two), 0);
	assert_int_equal(try_append(writer, 7, 1, &two), -1);
	assert_int_equal(counts(state).ntenants, 2);
	assert_int_equal(counts(state).tenants[0].records, 3);
	/* A transaction's event is taken all the same. */
	prepare(writer, 50);
	queue_writer_close(&writer);
	writer = limited(state, 0, 0, 1000);
	assert_int_equal(try_append(writer, 10, 1, &one), -1);
	assert_int_equal(try_append(writer, 10, 3, NULL), 0);
	queue_writer_close(&writer);
}

static void
a_batch_of_several_tenants_is_refused_for_one_of_them(void **state)
{
	struct queue_writer *writer = limited(state, 0, 1, 0);
	struct queue_record records[2];
	struct fault fault = { .code = FAULT_NONE };
	char bodies[2][BODY_MAX];

	record_make(&records[0], 1, bodies[0]);
	record_make(&records[1], 2, bodies[1]);
	assert_int_equal(queue_append(writer, &records[1], 1, &fault), 0);
	assert_int_equal(queue_append(writer, records, 2, &fault), -1);
	assert_int_equal(queue_append(writer, records, 1, &fault), 0);
	expect_counts(state, 2);
	queue_writer_close(&writer);
}

/* Whatever the numbers were, a reader that starts puts them right. */
static void
a_start_of_the_reader_counts_anew(void **state)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);
	struct fault fault = { .code = FAULT_NONE };
	struct queue_tally *tally;
	struct queue_dirs dirs;
	struct uuid id = record_id(21), nobody = record_id(9);
	char path[SCRATCH_PATH_SIZE];
	struct sink sink;

	append(writer, 1, 3);
	queue_writer_close(&writer);
	writer = writer_open(state, 1 << 20);
	append(writer, 4, 2);
	prepare(writer, 20);
	prepare(writer, 21);
	prepare(writer, 22);
	queue_commit(writer, &id);
	expect_counts(state, 6);
	assert_int_equal(queue_dirs_open(&dirs, queue_path(state, "", path),
	    false, &fault), 0);
	assert_int_equal(queue_tally_open(&tally, dirs.root, &fault), 0);
	queue_tally_add(tally, &nobody, 1000, 1000);
	queue_tally_close(&tally);
	queue_dirs_close(&dirs);
	for (int run = 0; run < 2; run++) {
		sink_open(&sink, state);
		expect_counts(state, 0);
		sink_drain(&sink);
		expect_counts(state, 6 + (uint64_t)run);
		/* What comes now is counted by its writer alone. */
		if (run == 0) {
			append(writer, 6, 1);
			sink_drain(&sink);
			expect_counts(state, 7);
		}
		if (run == 1) {
			id = record_id(22);
			queue_commit(writer, &id);
			sink_drain(&sink);
			expect_counts(state, 8);
			queue_abandon(writer);
			sink_drain(&sink);
			assert_int_equal(sink.nasked, 1);
			queue_resolve(sink.reader, sink.asked[0].pos, true);
			expect_counts(state, 9);
			for (size_t i = 0; i < sink.ngot; i++)
				queue_reader_finish(sink.reader,
				    sink.got[i].pos, QUEUE_DELIVERED, 1, 0);
			expect_counts(state, 0);
		}
		sink_close(&sink);
	}
	/* The one that was claimed nobody has counted yet. */
	assert_int_equal(counts(state).totals[QUEUE_TOTAL_ACCEPTED], 8);
	assert_int_equal(counts(state).totals[QUEUE_TOTAL_DELIVERED], 9);
	assert_int_equal(counts(state).ntenants, 0);
	queue_writer_close(&writer);
}

static void
what_was_loaded_is_counted_off_without_a_look(void **state)
{
	struct queue_writer *writer = writer_open(state, 1 << 20);
	struct fault fault = { .code = FAULT_NONE };
	struct strbuf buf = STRBUF_INIT;
	struct queue_record record;
	struct sink sink;

	for (unsigned n = 1; n <= 500; n++)
		append(writer, n, 1);
	sink_open(&sink, state);
	sink_drain(&sink);
	for (unsigned n = 1; n <= 500; n++)
		assert_int_equal(queue_reader_load(sink.reader,
		    sink_get(&sink, n)->pos, &buf, &record, &fault), 0);
	/* In another order than loaded, some twice. */
	for (unsigned i = 0; i < 500; i++) {
		unsigned n = i * 7 % 500 + 1;

		if (n % 3 == 0) {
			queue_reader_finish(sink.reader,
			    sink_get(&sink, n)->pos, QUEUE_RETRY, 1, 1);
			assert_int_equal(queue_reader_load(sink.reader,
			    sink_get(&sink, n)->pos, &buf, &record, &fault),
			    0);
		}
		sink_finish(&sink, n, QUEUE_DELIVERED);
		expect_counts(state, 499 - i);
	}
	assert_int_equal(counts(state).ntenants, 0);
	assert_int_equal(counts(state).totals[QUEUE_TOTAL_RETRIED], 166);
	strbuf_deinit(&buf);
	sink_close(&sink);
	queue_writer_close(&writer);
}

/* One record of the tenant, of that event. */
static int
try_append_event(struct queue_writer *writer, unsigned n,
    const struct uuid *tenant, const char *event)
{
	struct fault fault = { .code = FAULT_NONE };
	struct queue_record records[2];
	char bodies[2][BODY_MAX];

	for (unsigned i = 0; i < 2; i++) {
		record_make(&records[i], n + i, bodies[i]);
		records[i].tenant_id = *tenant;
	}
	records[1].event = event;
	return queue_append(writer, records, 2, &fault);
}

static void
note_callback(void *ctx, struct queue_pos pos,
    const struct queue_record *record, unsigned attempts, int64_t due_us)
{
	struct queue_pos *last = ctx;

	(void)attempts;
	(void)due_us;
	if (strcmp(record->event, "onprem.error") == 0)
		*last = pos;
}

static void
callbacks_have_a_limit_of_their_own(void **state)
{
	struct queue_limits limits = {
		.segment_bytes = 1 << 20, .tenant_max_records = 5,
		.tenant_max_callbacks = 2,
	};
	struct fault fault = { .code = FAULT_NONE };
	struct uuid one = { { 1, 2, 3, 4, 5, 6, 7, 8, 0x9a, 10 } };
	struct queue_pos last = { UINT32_MAX, 0 };
	struct queue_events events = { note_callback, NULL, &last };
	struct queue_reader *reader;
	struct queue_writer *writer;
	char path[SCRATCH_PATH_SIZE];

	assert_int_equal(queue_writer_open(&writer,
	    queue_path(state, "", path), &limits, &fault), 0);
	assert_int_equal(try_append_event(writer, 1, &one, "onprem.error"), 0);
	assert_int_equal(try_append_event(writer, 3, &one, "onprem.error"), 0);
	assert_int_equal(try_append_event(writer, 5, &one, "onprem.error"),
	    -1);
	assert_int_equal(queue_writer_waiting(writer, &one, true), 2);
	assert_int_equal(queue_writer_waiting(writer, &one, false), 2);
	assert_int_equal(try_append(writer, 7, 3, &one), 0);
	assert_int_equal(try_append(writer, 11, 1, &one), -1);
	assert_int_equal(counts(state).ntenants, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(uuid_is_equal(&counts(state).tenants[i].tenant_id,
		    &one));
		assert_int_equal(counts(state).tenants[i].callbacks, i == 1);
	}
	assert_int_equal(queue_reader_open(&reader, path, &events, &fault),
	    0);
	while (queue_reader_scan(reader, 100, &fault) > 0)
		;
	assert_int_equal(queue_writer_waiting(writer, &one, true), 2);
	queue_reader_finish(reader, last, QUEUE_DELIVERED, 1, 0);
	assert_int_equal(queue_writer_waiting(writer, &one, true), 1);
	assert_int_equal(queue_writer_waiting(writer, &one, false), 5);
	queue_reader_close(&reader);
	queue_writer_close(&writer);
}

static void
more_tenants_than_places_are_served_without_a_quota(void **state)
{
	struct fault fault = { .code = FAULT_NONE };
	struct queue_limits limits = { .tenant_max_records = 1 };
	struct queue_record record = { .event = "message.received" };
	struct queue_counts now;
	struct queue_tally *tally;
	struct queue_dirs dirs;
	char path[SCRATCH_PATH_SIZE];
	struct uuid id = { { 1 } };
	unsigned over = 0;

	assert_int_equal(queue_dirs_open(&dirs, queue_path(state, "", path),
	    true, &fault), 0);
	assert_int_equal(queue_tally_open(&tally, dirs.root, &fault), 0);
	for (unsigned n = 0; n < 40000; n++) {
		memcpy(id.b + 8, &n, sizeof(n));
		id.b[15] = 1;
		queue_tally_add(tally, &id, n < 39990 ? 1 : 2, 300);
		record.tenant_id = id;
		over += queue_tally_over(tally, &limits, &record, 1, 1) !=
		    NULL;
	}
	assert_in_range(over, 32000, 32768);
	now = counts(state);
	assert_int_equal(now.records, 40010);
	assert_int_equal(now.ntenants, QUEUE_COUNTS_TENANTS);
	queue_tally_clear(tally);
	expect_counts(state, 0);
	assert_int_equal(counts(state).ntenants, 0);
	queue_tally_close(&tally);
	queue_dirs_close(&dirs);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(max_records_refuses_until_records_are_finished),
		TEST(a_tenant_over_its_quota_is_refused_and_no_other),
		TEST(a_batch_of_several_tenants_is_refused_for_one_of_them),
		TEST(a_start_of_the_reader_counts_anew),
		TEST(what_was_loaded_is_counted_off_without_a_look),
		TEST(callbacks_have_a_limit_of_their_own),
		TEST(more_tenants_than_places_are_served_without_a_quota),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
