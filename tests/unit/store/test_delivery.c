/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store_test.h"

#include "wuts/delivery_store.h"

#include <stdio.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)
#define NOTES_MAX 300

static struct uuid
numbered(uint32_t number)
{
	struct uuid id = { { 1 } };

	id.b[14] = (uint8_t)(number >> 8);
	id.b[15] = (uint8_t)number;
	return id;
}

/* The attempt-th of event number, at that second after SOME_TIME_US. */
static struct delivery_note
some_note(uint32_t tenant, uint32_t number, enum delivery_state state,
    unsigned attempt, int second)
{
	struct delivery_note note = {
		.id = numbered(number),
		.tenant_id = numbered(tenant),
		.device_id = numbered(50),
		.event = "message.received",
		.state = state,
		.attempt = attempt,
		.status = state == DELIVERY_DELIVERED ? 200 : 503,
		.at_us = SOME_TIME_US + second * SECOND_US,
		.duration_us = 1234567,
		.error = "",
		.created_us = SOME_TIME_US,
		.noted_us = SOME_TIME_US + second * SECOND_US,
	};

	return note;
}

static void
write_notes(struct fixture *f, const struct delivery_note *notes, size_t n)
{
	if (delivery_store_write(f->db, notes, n, &f->fault) < 0)
		fail_msg("%s", f->fault.text);
}

static struct delivery_entry
find(struct fixture *f, uint32_t tenant, uint32_t number)
{
	struct uuid tenant_id = numbered(tenant), id = numbered(number);
	struct delivery_entry entry;

	assert_int_equal(delivery_store_find(f->db, f->arena, &tenant_id, &id,
	    &entry, &f->fault), 1);
	return entry;
}

static void
attempts_are_gathered_and_the_last_one_decides(void **state)
{
	struct fixture *f = *state;
	struct delivery_note notes[3] = {
		some_note(1, 1, DELIVERY_PENDING, 1, 0),
		some_note(1, 1, DELIVERY_PENDING, 2, 60),
		some_note(1, 1, DELIVERY_DELIVERED, 3, 120),
	};
	struct delivery_entry entry;

	notes[0].answer = (char *)(uintptr_t)"try later";
	notes[0].next_attempt_us = SOME_TIME_US + 60 * SECOND_US;
	notes[1].status = 0;
	notes[1].error = "no answer in time";
	write_notes(f, notes, 1);
	entry = find(f, 1, 1);
	assert_int_equal(entry.state, DELIVERY_PENDING);
	assert_string_equal(entry.event, "message.received");
	assert_string_equal(entry.answer, "try later");
	assert_true(entry.next_attempt_us == notes[0].next_attempt_us);
	assert_true(entry.created_us == SOME_TIME_US);
	assert_string_equal(entry.attempts, "[{\"at\":\"2026-06-15T12:34:56Z"
	    "\",\"status\":503,\"duration_ms\":1234,\"error\":null}]");
	write_notes(f, notes + 1, 2);
	entry = find(f, 1, 1);
	assert_int_equal(entry.state, DELIVERY_DELIVERED);
	assert_null(entry.answer);
	assert_true(entry.next_attempt_us == 0);
	assert_true(entry.updated_us == notes[2].noted_us);
	assert_string_equal(entry.attempts, "["
	    "{\"at\":\"2026-06-15T12:34:56Z\",\"status\":503,"
	    "\"duration_ms\":1234,\"error\":null},"
	    "{\"at\":\"2026-06-15T12:35:56Z\",\"status\":null,"
	    "\"duration_ms\":1234,\"error\":\"no answer in time\"},"
	    "{\"at\":\"2026-06-15T12:36:56Z\",\"status\":200,"
	    "\"duration_ms\":1234,\"error\":null}]");
}

/* A COMMIT without an answer makes the writer write again. */
static void
what_is_written_twice_is_there_once(void **state)
{
	struct fixture *f = *state;
	struct delivery_note notes[3] = {
		some_note(2, 1, DELIVERY_PENDING, 1, 0),
		some_note(2, 1, DELIVERY_PENDING, 2, 60),
		some_note(2, 1, DELIVERY_DEAD, 3, 120),
	};
	const char *attempts;

	write_notes(f, notes, 3);
	attempts = find(f, 2, 1).attempts;
	write_notes(f, notes, 3);
	assert_string_equal(find(f, 2, 1).attempts, attempts);
	assert_int_equal(find(f, 2, 1).state, DELIVERY_DEAD);
	/* A clock that was set back hides no further attempt. */
	notes[0] = some_note(2, 1, DELIVERY_DELIVERED, 4, 1);
	write_notes(f, notes, 1);
	assert_int_equal(find(f, 2, 1).state, DELIVERY_DELIVERED);
}

static void
a_replay_goes_on_where_the_list_ends(void **state)
{
	struct fixture *f = *state;
	struct delivery_note dead = some_note(3, 1, DELIVERY_DEAD, 4, 0);
	struct delivery_note again = some_note(3, 1, DELIVERY_DELIVERED, 1,
	    90);
	struct uuid tenant_id = numbered(3), id = numbered(1);
	struct delivery_entry entry;

	write_notes(f, &dead, 1);
	assert_int_equal(delivery_store_reopen(f->db, &tenant_id, &id,
	    SOME_TIME_US + 60 * SECOND_US, &f->fault), 0);
	entry = find(f, 3, 1);
	assert_int_equal(entry.state, DELIVERY_PENDING);
	assert_true(entry.next_attempt_us == SOME_TIME_US + 60 * SECOND_US);
	write_notes(f, &again, 1);
	entry = find(f, 3, 1);
	assert_int_equal(entry.state, DELIVERY_DELIVERED);
	assert_non_null(strstr(entry.attempts, ":503,"));
	assert_non_null(strstr(entry.attempts, ":200,"));
	id = numbered(99);
	assert_int_equal(delivery_store_reopen(f->db, &tenant_id, &id,
	    SOME_TIME_US, &f->fault), 0);
	assert_int_equal(delivery_store_find(f->db, f->arena, &tenant_id, &id,
	    &entry, &f->fault), 0);
}

static void
a_drop_without_an_attempt_adds_none(void **state)
{
	struct fixture *f = *state;
	struct delivery_note notes[2] = {
		some_note(4, 1, DELIVERY_PENDING, 1, 0),
		some_note(4, 1, DELIVERY_DROPPED, 0, 9),
	};
	const char *attempts;

	write_notes(f, notes, 1);
	attempts = find(f, 4, 1).attempts;
	write_notes(f, notes + 1, 1);
	assert_int_equal(find(f, 4, 1).state, DELIVERY_DROPPED);
	assert_string_equal(find(f, 4, 1).attempts, attempts);
	notes[1].id = numbered(2);
	write_notes(f, notes + 1, 1);
	assert_string_equal(find(f, 4, 2).attempts, "[]");
	notes[0].id = numbered(2);
	notes[0].noted_us += 60 * SECOND_US;
	write_notes(f, notes, 1);
	assert_string_equal(find(f, 4, 2).attempts, attempts);
}

/* 4000 attempts of one event. */
static void
a_list_of_attempts_never_outgrows_its_column(void **state)
{
	static struct delivery_note notes[NOTES_MAX];
	struct fixture *f = *state;
	unsigned i, n = 0;

	while (n < 4000) {
		for (i = 0; i < NOTES_MAX; i++, n++) {
			notes[i] = some_note(5, 1, DELIVERY_PENDING, 1 + n,
			    (int)n);
			notes[i].error = "the host has no address that may be"
			    " connected to";
		}
		write_notes(f, notes, NOTES_MAX);
	}
	assert_in_range(ask_sql(f, "SELECT LENGTH(attempts) FROM delivery"
	    " WHERE tenant_id = UNHEX('01000000000000000000000000000005')"
	    " AND JSON_VALID(attempts)"), 100, 20000);
}

struct seen {
	unsigned n;
	struct delivery_entry last;
	uint32_t numbers[NOTES_MAX];
};

static int
see(void *ctx, const struct delivery_entry *entry, struct fault *fault)
{
	struct seen *seen = ctx;

	(void)fault;
	assert_true(seen->n < NOTES_MAX);
	seen->numbers[seen->n++] = (uint32_t)entry->id.b[14] << 8 |
	    entry->id.b[15];
	seen->last = *entry;
	return 0;
}

static unsigned
list(struct fixture *f, const struct delivery_filter *filter,
    struct seen *seen)
{
	memset(seen, 0, sizeof(*seen));
	if (delivery_store_list(f->db, filter, see, seen, &f->fault) < 0)
		fail_msg("%s", f->fault.text);
	return seen->n;
}

/* 200 events, two a second; every tenth dead, every fourth another kind. */
static void
add_many(struct fixture *f, uint32_t tenant)
{
	static struct delivery_note notes[200];
	unsigned i;

	for (i = 0; i < 200; i++) {
		notes[i] = some_note(tenant, i, i % 10 == 0 ? DELIVERY_DEAD :
		    DELIVERY_DELIVERED, 1, 0);
		notes[i].created_us += i / 2 * SECOND_US;
		if (i % 4 == 0)
			strcpy(notes[i].event, "call.offer");
	}
	write_notes(f, notes, 200);
}

static void
lists_go_from_the_newest_in_pages(void **state)
{
	struct fixture *f = *state;
	struct delivery_filter filter = {
		.tenant_id = numbered(6), .device_id = numbered(50)
	};
	struct delivery_entry after;
	struct seen seen;
	unsigned expected = 200, i;

	add_many(f, 6);
	add_many(f, 7);
	assert_int_equal(list(f, &filter, &seen), 200);
	for (i = 0; i < 200; i++)
		assert_int_equal(seen.numbers[i], 199 - i);
	filter.limit = 7;
	for (;;) {
		list(f, &filter, &seen);
		for (i = 0; i < seen.n; i++)
			assert_int_equal(seen.numbers[i], --expected);
		if (seen.n < filter.limit)
			break;
		after = seen.last;
		filter.after = &after;
	}
	assert_int_equal(expected, 0);
	filter.after = NULL;
	filter.device_id = UUID_NIL;
	assert_int_equal(list(f, &filter, &seen), 0);
}

static void
lists_are_narrowed_by_state_event_and_time(void **state)
{
	struct fixture *f = *state;
	enum delivery_state dead = DELIVERY_DEAD;
	struct delivery_filter filter = {
		.tenant_id = numbered(8), .device_id = numbered(50),
		.state = &dead
	};
	struct seen seen;

	add_many(f, 8);
	assert_int_equal(list(f, &filter, &seen), 20);
	assert_int_equal(seen.numbers[0], 190);
	filter.event = "call.offer";
	assert_int_equal(list(f, &filter, &seen), 10);
	filter.since_us = SOME_TIME_US + 50 * SECOND_US;
	assert_int_equal(list(f, &filter, &seen), 5);
	assert_int_equal(seen.numbers[4], 100);
	filter.state = NULL;
	assert_int_equal(list(f, &filter, &seen), 25);
	filter.event = NULL;
	assert_int_equal(list(f, &filter, &seen), 100);
	filter.event = "no.event";
	assert_int_equal(list(f, &filter, &seen), 0);
}

static void
expire_deletes_what_changed_long_ago(void **state)
{
	struct fixture *f = *state;
	struct delivery_note notes[3] = {
		some_note(9, 1, DELIVERY_DEAD, 1, 0),
		some_note(9, 2, DELIVERY_PENDING, 1, 0),
		some_note(9, 2, DELIVERY_DEAD, 2, 10),
	};

	run_sql(f, "DELETE FROM delivery");
	write_notes(f, notes, 3);
	assert_int_equal(delivery_store_expire(f->db, SOME_TIME_US, 10,
	    &f->fault), 0);
	assert_int_equal(delivery_store_expire(f->db, SOME_TIME_US +
	    10 * SECOND_US, 10, &f->fault), 1);
	assert_int_equal(delivery_store_expire(f->db, SOME_TIME_US +
	    11 * SECOND_US, 10, &f->fault), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    attempts_are_gathered_and_the_last_one_decides),
		cmocka_unit_test(what_is_written_twice_is_there_once),
		cmocka_unit_test(a_replay_goes_on_where_the_list_ends),
		cmocka_unit_test(a_drop_without_an_attempt_adds_none),
		cmocka_unit_test(
		    a_list_of_attempts_never_outgrows_its_column),
		cmocka_unit_test(lists_go_from_the_newest_in_pages),
		cmocka_unit_test(lists_are_narrowed_by_state_event_and_time),
		cmocka_unit_test(expire_deletes_what_changed_long_ago),
	};

	return cmocka_run_group_tests(tests, store_test_begin, store_test_end);
}
