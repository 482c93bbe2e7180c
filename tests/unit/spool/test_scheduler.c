/* SPDX-License-Identifier: MIT */
/* What the scheduler promises, seen only through what it hands out. */
#include "config.h"

#include "spool/breaker.h"
#include "spool/pending.h"
#include "spool/scheduler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <malloc.h>

#define NOW INT64_C(1700000000000000)
#define SECOND INT64_C(1000000)

static uint32_t next_offset;

static struct pending
record(int64_t created_us)
{
	struct queue_pos pos = { .segment = 1, .offset = next_offset++ };

	return pending_make(pos, created_us, 0);
}

static uint32_t
endpoint(struct scheduler *s, unsigned window, unsigned rate, bool ordered)
{
	struct scheduler_limits limits = {
		.breaker.window = window, .rate = rate, .ordered = ordered,
	};
	uint32_t number = scheduler_add(s);

	scheduler_open(s, number, &limits);
	return number;
}

static void
push(struct scheduler *s, uint32_t number, int count)
{
	for (int i = 0; i < count; i++)
		scheduler_push(s, number, record(NOW), 0);
}

/* Start the next record; which endpoint it is of, or UINT32_MAX. */
static uint32_t
start(struct scheduler *s, int64_t now_us, struct pending *item_r)
{
	struct pending item = { .attempts = 0 };
	uint32_t number = UINT32_MAX;

	if (scheduler_next(s, now_us, &number))
		item = scheduler_take(s, number, now_us);
	if (item_r != NULL)
		*item_r = item;
	return number;
}

/* One that has answered before. */
static uint32_t
proven(struct scheduler *s, unsigned window)
{
	uint32_t number = endpoint(s, window, 0, false);

	scheduler_report(s, number, BREAKER_QUICK, NOW, 0);
	return number;
}

static void
settle_order(struct scheduler *s)
{
	scheduler_scanned(s);
	scheduler_scanned(s);
}

static void
records_of_one_endpoint_start_in_order(void **state)
{
	struct scheduler *s = scheduler_new(2000);
	uint32_t a = endpoint(s, 1000, 0, false);
	struct pending item, before = { .attempts = 0 };

	(void)state;
	next_offset = 1;
	push(s, a, 1000);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(start(s, NOW, &item), a);
		assert_true(item.pos.offset > before.pos.offset);
		before = item;
	}
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	scheduler_free(&s);
}

static void
endpoints_take_turns_whatever_their_backlog(void **state)
{
	struct scheduler *s = scheduler_new(1000);
	uint32_t a = endpoint(s, 100, 0, false);
	uint32_t b = endpoint(s, 100, 0, false);
	uint32_t c = endpoint(s, 100, 0, false);
	int seen[3] = { 0, 0, 0 };

	(void)state;
	push(s, a, 1000);
	push(s, b, 10);
	push(s, c, 10);
	for (int i = 0; i < 30; i++) {
		uint32_t number = start(s, NOW, NULL);

		assert_true(number <= c);
		seen[number]++;
	}
	assert_int_equal(seen[a], 10);
	assert_int_equal(seen[b], 10);
	assert_int_equal(seen[c], 10);
	scheduler_free(&s);
}

static void
no_endpoint_exceeds_its_window(void **state)
{
	struct scheduler *s = scheduler_new(1000);
	uint32_t a = endpoint(s, 3, 0, false);

	(void)state;
	push(s, a, 10);
	for (int i = 0; i < 3; i++)
		assert_int_equal(start(s, NOW, NULL), a);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	scheduler_done(s, a);
	assert_int_equal(start(s, NOW, NULL), a);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	scheduler_free(&s);
}

static void
all_together_stay_below_the_maximum(void **state)
{
	struct scheduler *s = scheduler_new(4);
	uint32_t numbers[5];

	(void)state;
	for (int i = 0; i < 5; i++) {
		numbers[i] = proven(s, 3);
		push(s, numbers[i], 10);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(start(s, NOW, NULL), numbers[i]);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	assert_false(scheduler_is_ready(s));
	assert_int_equal(scheduler_in_flight(s), 4);
	scheduler_done(s, numbers[0]);
	assert_true(scheduler_is_ready(s));
	assert_int_equal(start(s, NOW, NULL), numbers[4]);
	scheduler_free(&s);
}

static void
no_endpoint_takes_more_slots_than_it_leaves_free(void **state)
{
	struct scheduler *s = scheduler_new(12);
	uint32_t a = proven(s, 100), b = proven(s, 100);

	(void)state;
	push(s, a, 100);
	for (int i = 0; i < 6; i++)
		assert_int_equal(start(s, NOW, NULL), a);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	assert_false(scheduler_is_ready(s));
	push(s, b, 100);
	for (int i = 0; i < 3; i++)
		assert_int_equal(start(s, NOW, NULL), b);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	/* Of 12: 6, 3, and 3 free for whoever comes next. */
	scheduler_done(s, a);
	assert_int_equal(start(s, NOW, NULL), b);
	scheduler_free(&s);
}

static void
the_last_slot_is_for_an_endpoint_that_has_none(void **state)
{
	struct scheduler *s = scheduler_new(1);
	uint32_t a = proven(s, 100);

	(void)state;
	push(s, a, 2);
	assert_int_equal(start(s, NOW, NULL), a);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	scheduler_done(s, a);
	assert_int_equal(start(s, NOW, NULL), a);
	scheduler_free(&s);
}

static void
endpoints_not_trusted_share_half_of_the_slots(void **state)
{
	struct scheduler *s = scheduler_new(8);
	uint32_t numbers[8], good = proven(s, 4);

	(void)state;
	for (int i = 0; i < 8; i++) {
		numbers[i] = endpoint(s, 2, 0, false);
		push(s, numbers[i], 10);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(start(s, NOW, NULL), numbers[i]);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	assert_false(scheduler_is_ready(s));
	push(s, good, 10);
	assert_int_equal(start(s, NOW, NULL), good);
	/* One of them has answered, and its slot is not theirs any more. */
	assert_int_equal(scheduler_report(s, numbers[0], BREAKER_QUICK, NOW,
	    0), BREAKER_AS_BEFORE);
	assert_int_equal(start(s, NOW, NULL), numbers[4]);
	scheduler_free(&s);
}

/* Fail so often that the breaker opens. */
static void
fail_often(struct scheduler *s, uint32_t number, int times)
{
	for (int i = 0; i < times; i++) {
		assert_int_equal(start(s, NOW, NULL), number);
		scheduler_report(s, number, BREAKER_FAILED, NOW, 0);
		scheduler_done(s, number);
	}
}

static uint32_t
breakable(struct scheduler *s)
{
	struct scheduler_limits limits = {
		.breaker = {
			.window = 4, .first_window = 2, .pause_us = 8 * SECOND,
			.pause_max_us = 100 * SECOND,
		},
	};
	uint32_t number = scheduler_add(s);

	scheduler_open(s, number, &limits);
	return number;
}

static void
an_open_breaker_lets_one_probe_pass_after_the_pause(void **state)
{
	struct scheduler *s = scheduler_new(100);
	uint32_t a = breakable(s);

	(void)state;
	push(s, a, 100);
	fail_often(s, a, 5);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	assert_false(scheduler_is_ready(s));
	assert_int_equal(scheduler_due(s), NOW + 8 * SECOND);
	assert_int_equal(start(s, NOW + 8 * SECOND - 1, NULL), UINT32_MAX);
	assert_int_equal(start(s, NOW + 8 * SECOND, NULL), a);
	assert_int_equal(start(s, NOW + 8 * SECOND, NULL), UINT32_MAX);
	/* The probe answers: slow start. */
	assert_int_equal(scheduler_report(s, a, BREAKER_QUICK,
	    NOW + 9 * SECOND, 0), BREAKER_HAS_CLOSED);
	scheduler_done(s, a);
	assert_int_equal(start(s, NOW + 9 * SECOND, NULL), a);
	assert_int_equal(start(s, NOW + 9 * SECOND, NULL), a);
	assert_int_equal(start(s, NOW + 9 * SECOND, NULL), UINT32_MAX);
	scheduler_free(&s);
}

static void
a_retry_due_while_the_breaker_is_open_keeps_its_attempts(void **state)
{
	struct scheduler *s = scheduler_new(100);
	uint32_t a = breakable(s);
	struct pending item;

	(void)state;
	push(s, a, 6);
	fail_often(s, a, 4);
	assert_int_equal(start(s, NOW, &item), a);
	item.attempts = 3;
	scheduler_report(s, a, BREAKER_FAILED, NOW, 0);
	scheduler_retry(s, a, item, NOW + SECOND);
	assert_int_equal(start(s, NOW + 7 * SECOND, NULL), UINT32_MAX);
	assert_int_equal(start(s, NOW + 8 * SECOND, &item), a);
	assert_int_equal(item.attempts, 3);
	scheduler_free(&s);
}

static void
a_probe_that_told_nothing_is_made_again(void **state)
{
	struct scheduler *s = scheduler_new(100);
	uint32_t a = breakable(s);

	(void)state;
	push(s, a, 10);
	fail_often(s, a, 5);
	assert_int_equal(start(s, NOW + 8 * SECOND, NULL), a);
	scheduler_done(s, a);	/* dropped: nobody wanted it */
	assert_int_equal(start(s, NOW + 8 * SECOND, NULL), a);
	assert_int_equal(start(s, NOW + 8 * SECOND, NULL), UINT32_MAX);
	scheduler_free(&s);
}

static void
other_settings_close_the_breaker(void **state)
{
	struct scheduler *s = scheduler_new(100);
	uint32_t a = breakable(s);

	(void)state;
	push(s, a, 20);
	fail_often(s, a, 5);
	scheduler_forgive(s, a);
	assert_int_equal(start(s, NOW, NULL), a);
	scheduler_done(s, a);
	/* The alarm of the pause that was cut short opens nothing later. */
	fail_often(s, a, 5);
	assert_false(scheduler_is_idle(s, a));
	assert_int_equal(start(s, NOW + 8 * SECOND, NULL), a);
	assert_int_equal(start(s, NOW + 8 * SECOND, NULL), UINT32_MAX);
	scheduler_free(&s);
}

static void
an_open_breaker_costs_nobody_else_a_slot(void **state)
{
	struct scheduler *s = scheduler_new(8);
	uint32_t bad = breakable(s), good = proven(s, 100);
	int started = 0;

	(void)state;
	push(s, bad, 1000);
	fail_often(s, bad, 5);
	push(s, good, 1000);
	for (int i = 0; i < 1000; i++)
		if (start(s, NOW, NULL) == good) {
			started++;
			scheduler_done(s, good);
		}
	assert_int_equal(started, 1000);
	scheduler_free(&s);
}

static void
a_held_endpoint_starts_nothing_until_opened(void **state)
{
	struct scheduler_limits limits = { .breaker.window = 1 };
	struct scheduler *s = scheduler_new(10);
	uint32_t a = scheduler_add(s);

	(void)state;
	push(s, a, 1);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	scheduler_open(s, a, &limits);
	assert_int_equal(start(s, NOW, NULL), a);
	push(s, a, 1);
	scheduler_hold(s, a);
	scheduler_done(s, a);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	assert_false(scheduler_is_idle(s, a));
	scheduler_free(&s);
}

static void
retries_come_due_by_time_and_keep_their_count(void **state)
{
	struct scheduler *s = scheduler_new(10);
	uint32_t a = endpoint(s, 10, 0, false);
	struct pending late, soon, item;

	(void)state;
	push(s, a, 2);
	start(s, NOW, &late);
	start(s, NOW, &soon);
	late.attempts = 1;
	soon.attempts = 4;
	scheduler_retry(s, a, late, NOW + 9 * SECOND);
	scheduler_retry(s, a, soon, NOW + 5 * SECOND);
	assert_int_equal(scheduler_due(s), NOW + 5 * SECOND);
	assert_int_equal(start(s, NOW + 5 * SECOND - 1, NULL), UINT32_MAX);
	assert_int_equal(start(s, NOW + 5 * SECOND, &item), a);
	assert_int_equal(item.pos.offset, soon.pos.offset);
	assert_int_equal(item.attempts, 4);
	assert_int_equal(start(s, NOW + 8 * SECOND, NULL), UINT32_MAX);
	assert_int_equal(start(s, NOW + 9 * SECOND, &item), a);
	assert_int_equal(item.pos.offset, late.pos.offset);
	assert_int_equal(scheduler_due(s), INT64_MAX);
	scheduler_free(&s);
}

static void
a_record_tried_in_an_earlier_run_waits_for_its_time(void **state)
{
	struct scheduler *s = scheduler_new(10);
	uint32_t a = endpoint(s, 10, 0, false);
	struct pending item = record(NOW);

	(void)state;
	item.attempts = 2;
	scheduler_push(s, a, item, NOW + SECOND);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	assert_int_equal(start(s, NOW + SECOND, &item), a);
	assert_int_equal(item.attempts, 2);
	scheduler_free(&s);
}

static void
neither_retries_nor_new_records_starve_the_other(void **state)
{
	struct scheduler *s = scheduler_new(1000);
	uint32_t a = endpoint(s, 1000, 0, false);
	int retries = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct pending item = record(NOW);

		item.attempts = 1;
		scheduler_push(s, a, item, NOW - SECOND);
	}
	push(s, a, 100);
	for (int i = 0; i < 100; i++) {
		struct pending item;

		assert_int_equal(start(s, NOW, &item), a);
		retries += item.attempts > 0;
	}
	assert_in_range(retries, 49, 51);
	scheduler_free(&s);
}

static void
an_ordered_endpoint_has_one_in_flight_oldest_first(void **state)
{
	struct scheduler *s = scheduler_new(10);
	uint32_t a = endpoint(s, 16, 0, true);
	struct pending item;

	(void)state;
	scheduler_push(s, a, record(NOW + 2), 0);
	scheduler_push(s, a, record(NOW + 1), 0);
	scheduler_push(s, a, record(NOW + 3), 0);
	settle_order(s);
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(start(s, NOW, &item), a);
		assert_int_equal(item.created_us, NOW + i);
		assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
		scheduler_done(s, a);
	}
	scheduler_free(&s);
}

static void
ordered_records_of_one_moment_keep_their_place(void **state)
{
	struct scheduler *s = scheduler_new(10);
	uint32_t a = endpoint(s, 16, 0, true);
	struct pending item;
	uint32_t before = 0;

	(void)state;
	next_offset = 1;
	push(s, a, 100);
	settle_order(s);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(start(s, NOW, &item), a);
		assert_true(item.pos.offset > before);
		before = item.pos.offset;
		scheduler_done(s, a);
	}
	scheduler_free(&s);
}

static void
a_retry_blocks_later_records_of_an_ordered_endpoint_only(void **state)
{
	struct scheduler *s = scheduler_new(10);
	uint32_t a = endpoint(s, 16, 0, true);
	uint32_t b = endpoint(s, 16, 0, false);
	struct pending first, item;

	(void)state;
	push(s, a, 2);
	settle_order(s);
	assert_int_equal(start(s, NOW, &first), a);
	first.attempts = 1;
	scheduler_retry(s, a, first, NOW + SECOND);
	push(s, b, 1);
	assert_int_equal(start(s, NOW, NULL), b);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	assert_int_equal(start(s, NOW + SECOND, &item), a);
	assert_int_equal(item.pos.offset, first.pos.offset);
	assert_int_equal(start(s, NOW + SECOND, NULL), UINT32_MAX);
	scheduler_done(s, a);
	assert_int_equal(start(s, NOW + SECOND, &item), a);
	assert_int_equal(item.attempts, 0);
	scheduler_free(&s);
}

static void
an_ordered_record_waits_until_no_older_one_can_be_unread(void **state)
{
	struct scheduler *s = scheduler_new(10);
	uint32_t a = endpoint(s, 1, 0, true);
	struct pending item;

	(void)state;
	/* The scan reads one writer's segment, and only the next scan reads
	   what another writer had accepted before. */
	scheduler_push(s, a, record(NOW + 2), 0);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	scheduler_scanned(s);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	assert_true(scheduler_wants_scan(s));
	scheduler_push(s, a, record(NOW + 1), 0);
	scheduler_scanned(s);
	assert_int_equal(start(s, NOW, &item), a);
	assert_int_equal(item.created_us, NOW + 1);
	scheduler_done(s, a);
	assert_int_equal(start(s, NOW, &item), a);
	assert_int_equal(item.created_us, NOW + 2);
	assert_false(scheduler_wants_scan(s));
	scheduler_free(&s);
}

static void
an_endpoint_that_becomes_ordered_orders_what_waits(void **state)
{
	struct scheduler_limits ordered = {
		.breaker.window = 9, .ordered = true,
	};
	struct scheduler *s = scheduler_new(10);
	uint32_t a = scheduler_add(s);
	struct pending item;

	(void)state;
	scheduler_push(s, a, record(NOW + 2), 0);
	scheduler_push(s, a, record(NOW + 1), 0);
	settle_order(s);
	scheduler_open(s, a, &ordered);
	assert_int_equal(start(s, NOW, &item), a);
	assert_int_equal(item.created_us, NOW + 1);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	scheduler_free(&s);
}

static void
a_rate_limit_spaces_the_starts(void **state)
{
	struct scheduler *s = scheduler_new(1000);
	uint32_t a = endpoint(s, 1000, 5, false);
	int64_t now_us = NOW;
	int started = 0;

	(void)state;
	push(s, a, 100);
	while (now_us < NOW + 2 * SECOND) {
		while (start(s, now_us, NULL) == a)
			started++;
		assert_true(scheduler_is_throttled(s));
		assert_true(scheduler_due(s) > now_us);
		now_us = scheduler_due(s);
	}
	assert_in_range(started, 10, 11);
	scheduler_free(&s);
}

static void
a_rate_limited_endpoint_does_not_hold_up_others(void **state)
{
	struct scheduler *s = scheduler_new(1000);
	uint32_t a = endpoint(s, 10, 1, false);
	uint32_t b = endpoint(s, 10, 0, false);

	(void)state;
	push(s, a, 10);
	assert_int_equal(start(s, NOW, NULL), a);
	push(s, b, 2);
	assert_int_equal(start(s, NOW, NULL), b);
	assert_int_equal(start(s, NOW, NULL), b);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	scheduler_free(&s);
}

static void
a_number_is_used_again_after_remove(void **state)
{
	struct scheduler *s = scheduler_new(10);
	uint32_t a = endpoint(s, 1, 0, false);

	(void)state;
	push(s, a, 1);
	start(s, NOW, NULL);
	assert_false(scheduler_is_idle(s, a));
	scheduler_done(s, a);
	assert_true(scheduler_is_idle(s, a));
	scheduler_remove(s, a);
	assert_int_equal(scheduler_add(s), a);
	assert_true(scheduler_is_held(s, a));
	scheduler_free(&s);
}

/* In use, as malloc counts it; a sanitizer's allocator counts nothing. */
static size_t
heap_used(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void
a_million_waiting_take_32_bytes_each_and_give_them_back(void **state)
{
	struct scheduler *s = scheduler_new(2000000);
	size_t before = heap_used(), full;
	uint32_t numbers[100];

	(void)state;
	for (int i = 0; i < 100; i++)
		numbers[i] = endpoint(s, 1000000, 0, false);
	for (int i = 0; i < 1000000; i++)
		scheduler_push(s, numbers[i % 100], record(NOW), 0);
	full = heap_used();
	assert_true(full - before <= 32 * 1000000);
	for (int i = 0; i < 1000000; i++)
		assert_int_not_equal(start(s, NOW, NULL), UINT32_MAX);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	assert_true(heap_used() - before < 100000);
	scheduler_free(&s);
}

static void
a_retry_that_is_hurried_is_due_before_all_others(void **state)
{
	struct scheduler *s = scheduler_new(100);
	uint32_t a = endpoint(s, 100, 0, false);
	struct pending items[20], item;

	(void)state;
	push(s, a, 20);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(start(s, NOW, &items[i]), a);
		scheduler_report(s, a, BREAKER_QUICK, NOW, 0);
		items[i].attempts = 1;
	}
	for (int i = 0; i < 20; i++)
		scheduler_retry(s, a, items[i], NOW + (30 - i) * SECOND);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	scheduler_hurry(s, items[3].pos);
	scheduler_hurry(s, items[7].pos);
	scheduler_hurry(s, (struct queue_pos){ .segment = 9 });
	assert_true(scheduler_due(s) <= NOW);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(start(s, NOW, &item), a);
		assert_true(item.pos.offset == items[3].pos.offset ||
		    item.pos.offset == items[7].pos.offset);
		scheduler_done(s, a);
	}
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	/* The others keep their times. */
	for (int i = 19; i >= 0; i--) {
		if (i == 3 || i == 7)
			continue;
		assert_int_equal(scheduler_due(s), NOW + (30 - i) * SECOND);
		assert_int_equal(start(s, NOW + (30 - i) * SECOND, &item), a);
		assert_int_equal(item.pos.offset, items[i].pos.offset);
		scheduler_done(s, a);
	}
	scheduler_free(&s);
}

static void
a_hurried_endpoint_is_due_at_once_and_no_other(void **state)
{
	struct scheduler *s = scheduler_new(10);
	uint32_t a = endpoint(s, 4, 0, false), b = endpoint(s, 4, 0, false);
	struct pending item;

	(void)state;
	push(s, a, 2);
	push(s, b, 1);
	for (int i = 0; i < 3; i++) {
		uint32_t number = start(s, NOW, &item);

		item.attempts = 1;
		scheduler_retry(s, number, item, NOW + 3600 * SECOND);
	}
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	scheduler_hurry_all(s, a);
	assert_int_equal(start(s, NOW, NULL), a);
	assert_int_equal(start(s, NOW, NULL), a);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	assert_int_equal(start(s, NOW + 3600 * SECOND, NULL), b);
	scheduler_free(&s);
}

static void
times_keep_their_order_when_some_are_taken_out(void **state)
{
	struct scheduler *s = scheduler_new(1000);
	uint32_t a = endpoint(s, 500, 0, false), b = endpoint(s, 500, 0, false);
	struct pending item;

	(void)state;
	for (uint32_t i = 0; i < 400; i++) {
		item = record(NOW);
		item.attempts = 1;
		scheduler_push(s, i % 3 == 0 ? b : a, item,
		    NOW + (int64_t)(i * 7919 % 400 + 1) * SECOND);
	}
	scheduler_hurry_all(s, a);
	assert_int_equal(start(s, NOW, NULL), a);
	for (int64_t due = scheduler_due(s), last = NOW; due != INT64_MAX;
	    due = scheduler_due(s)) {
		assert_true(due > last);
		last = due;
		while (start(s, due, NULL) != UINT32_MAX)
			;
	}
	assert_int_equal(scheduler_in_flight(s), 400);
	scheduler_free(&s);
}

static void
only_what_is_old_is_taken_out_of_a_held_endpoint(void **state)
{
	struct scheduler *s = scheduler_new(10);
	uint32_t a = endpoint(s, 4, 0, false);
	struct pending item;

	(void)state;
	scheduler_hold(s, a);
	for (int i = 0; i < 3; i++)
		scheduler_push(s, a, record(NOW + i), 0);
	assert_false(scheduler_take_old(s, a, NOW, &item));
	assert_true(scheduler_take_old(s, a, NOW + 2, &item));
	assert_int_equal(item.created_us, NOW);
	assert_true(scheduler_take_old(s, a, NOW + 2, &item));
	assert_false(scheduler_take_old(s, a, NOW + 2, &item));
	assert_int_equal(scheduler_in_flight(s), 0);
	assert_true(scheduler_take_old(s, a, NOW + 3, &item));
	assert_true(scheduler_is_idle(s, a));
	scheduler_free(&s);
}

static void
thousands_of_attempts_are_counted(void **state)
{
	struct queue_pos pos = { 1, 2 };
	struct pending item = pending_make(pos, INT64_C(4102444800000000),
	    4000);

	(void)state;
	assert_int_equal(item.attempts, 4000);
	assert_int_equal(item.created_us, INT64_C(4102444800000000));
	assert_int_equal(pending_make(pos, NOW, 70000).attempts,
	    PENDING_ATTEMPTS_MAX);
}

static void
a_survey_tells_the_oldest_the_breakers_and_the_lag(void **state)
{
	struct scheduler_limits limits = {
		.breaker = { .window = 16, .pause_us = SECOND,
		    .pause_max_us = 60 * SECOND },
	};
	struct scheduler *s = scheduler_new(1);
	struct scheduler_survey survey;
	uint32_t broken, fine;
	struct pending item;

	(void)state;
	broken = scheduler_add(s);
	scheduler_open(s, broken, &limits);
	fine = proven(s, 4);
	scheduler_survey(s, NOW, &survey);
	assert_int_equal(survey.closed, 2);
	assert_int_equal(survey.oldest_us, 0);
	assert_int_equal(survey.lag_us, 0);
	for (int i = 0; i < 5; i++)
		scheduler_report(s, broken, BREAKER_FAILED, NOW, 0);
	scheduler_survey(s, NOW, &survey);
	assert_int_equal(survey.closed, 1);
	assert_int_equal(survey.open, 1);
	/* What waits behind a breaker waits for no slot. */
	scheduler_push(s, broken, record(NOW - 7 * SECOND), 0);
	assert_int_equal(start(s, NOW, NULL), UINT32_MAX);
	scheduler_survey(s, NOW, &survey);
	assert_int_equal(survey.oldest_us, NOW - 7 * SECOND);
	assert_int_equal(survey.lag_us, 0);
	/* The only slot is taken: the second one waits for it. */
	push(s, fine, 2);
	assert_int_equal(start(s, NOW, &item), fine);
	assert_int_equal(start(s, NOW + SECOND / 2, NULL), UINT32_MAX);
	scheduler_survey(s, NOW + SECOND / 2, &survey);
	assert_int_equal(survey.lag_us, SECOND / 2);
	/* A retry keeps its age, wherever it waits. */
	item.attempts = 1;
	item.created_us = (uint64_t)(NOW - 9 * SECOND) &
	    ((UINT64_C(1) << 52) - 1);
	scheduler_retry(s, fine, item, NOW + 100 * SECOND);
	scheduler_survey(s, NOW + SECOND / 2, &survey);
	assert_int_equal(survey.oldest_us, NOW - 9 * SECOND);
	/* The pause is over: half open. */
	(void)start(s, NOW + 2 * SECOND, NULL);
	scheduler_survey(s, NOW + 2 * SECOND, &survey);
	assert_int_equal(survey.half_open, 1);
	assert_int_equal(survey.open, 0);
	scheduler_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_of_one_endpoint_start_in_order),
		cmocka_unit_test(endpoints_take_turns_whatever_their_backlog),
		cmocka_unit_test(no_endpoint_exceeds_its_window),
		cmocka_unit_test(all_together_stay_below_the_maximum),
		cmocka_unit_test(
		    no_endpoint_takes_more_slots_than_it_leaves_free),
		cmocka_unit_test(
		    the_last_slot_is_for_an_endpoint_that_has_none),
		cmocka_unit_test(
		    endpoints_not_trusted_share_half_of_the_slots),
		cmocka_unit_test(
		    an_open_breaker_lets_one_probe_pass_after_the_pause),
		cmocka_unit_test(
		    a_retry_due_while_the_breaker_is_open_keeps_its_attempts),
		cmocka_unit_test(a_probe_that_told_nothing_is_made_again),
		cmocka_unit_test(other_settings_close_the_breaker),
		cmocka_unit_test(an_open_breaker_costs_nobody_else_a_slot),
		cmocka_unit_test(a_held_endpoint_starts_nothing_until_opened),
		cmocka_unit_test(retries_come_due_by_time_and_keep_their_count),
		cmocka_unit_test(
		    a_retry_that_is_hurried_is_due_before_all_others),
		cmocka_unit_test(
		    a_record_tried_in_an_earlier_run_waits_for_its_time),
		cmocka_unit_test(
		    neither_retries_nor_new_records_starve_the_other),
		cmocka_unit_test(
		    an_ordered_endpoint_has_one_in_flight_oldest_first),
		cmocka_unit_test(
		    ordered_records_of_one_moment_keep_their_place),
		cmocka_unit_test(
		    a_retry_blocks_later_records_of_an_ordered_endpoint_only),
		cmocka_unit_test(
		    an_ordered_record_waits_until_no_older_one_can_be_unread),
		cmocka_unit_test(
		    an_endpoint_that_becomes_ordered_orders_what_waits),
		cmocka_unit_test(a_rate_limit_spaces_the_starts),
		cmocka_unit_test(
		    a_rate_limited_endpoint_does_not_hold_up_others),
		cmocka_unit_test(a_number_is_used_again_after_remove),
		cmocka_unit_test(
		    a_million_waiting_take_32_bytes_each_and_give_them_back),
		cmocka_unit_test(a_hurried_endpoint_is_due_at_once_and_no_other),
		cmocka_unit_test(
		    times_keep_their_order_when_some_are_taken_out),
		cmocka_unit_test(
		    only_what_is_old_is_taken_out_of_a_held_endpoint),
		cmocka_unit_test(thousands_of_attempts_are_counted),
		cmocka_unit_test(
		    a_survey_tells_the_oldest_the_breakers_and_the_lag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
