/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store_test.h"

#include "wuts/event_store.h"

#include <string.h>

#define IDS_MAX 200
#define DAY_US (INT64_C(86400) * 1000000)

static struct uuid
numbered(uint32_t number)
{
	struct uuid id = { { 0 } };

	id.b[14] = (uint8_t)(number >> 8);
	id.b[15] = (uint8_t)number;
	return id;
}

struct noting {
	const struct uuid *tenant_id;
	struct uuid ids[IDS_MAX];
	bool is_new[IDS_MAX];
	size_t n;
	int64_t now_us;
	bool fail;
};

static int
note_body(struct db *db, void *ctx, struct fault *fault)
{
	struct noting *noting = ctx;

	if (event_store_note(db, noting->tenant_id, noting->ids, noting->n,
	    noting->now_us, noting->is_new, fault) < 0)
		return -1;
	return noting->fail ? -1 : 0;
}

/* n ids, every step-th number from first on. */
static void
note(struct fixture *f, struct noting *noting, uint32_t first, uint32_t step,
    size_t n)
{
	noting->n = n;
	for (size_t i = 0; i < n; i++)
		noting->ids[i] = numbered(first + (uint32_t)i * step);
	memset(noting->is_new, 0xff, sizeof(noting->is_new));
	assert_int_equal(tx_run(f->db, note_body, NULL, noting, &f->fault),
	    noting->fail ? TX_ROLLED_BACK : TX_COMMITTED);
}

static void
an_id_is_new_once_a_day_for_each_tenant(void **state)
{
	struct fixture *f = *state;
	struct uuid one = numbered(1000), other = numbered(1001);
	struct noting noting = { .tenant_id = &one, .now_us = SOME_TIME_US };

	note(f, &noting, 7, 1, 1);
	assert_true(noting.is_new[0]);
	noting.now_us += DAY_US;
	note(f, &noting, 7, 1, 1);
	assert_false(noting.is_new[0]);
	assert_int_equal(event_store_is_seen(f->db, &one, &noting.ids[0],
	    noting.now_us, &f->fault), 1);
	assert_int_equal(event_store_is_seen(f->db, &one, &noting.ids[0],
	    noting.now_us + 1, &f->fault), 0);
	noting.now_us += 1;
	note(f, &noting, 7, 1, 1);
	assert_true(noting.is_new[0]);
	note(f, &noting, 7, 1, 1);
	assert_false(noting.is_new[0]);
	noting.tenant_id = &other;
	assert_int_equal(event_store_is_seen(f->db, &other, &noting.ids[0],
	    noting.now_us, &f->fault), 0);
	note(f, &noting, 7, 1, 1);
	assert_true(noting.is_new[0]);
}

static void
of_many_ids_just_those_that_are_there_are_not_new(void **state)
{
	struct fixture *f = *state;
	struct uuid tenant_id = numbered(2000);
	struct noting noting = {
		.tenant_id = &tenant_id, .now_us = SOME_TIME_US
	};

	/* Whole chunks, and a rest. */
	note(f, &noting, 0, 7, 150);
	for (size_t i = 0; i < 150; i++)
		assert_true(noting.is_new[i]);
	note(f, &noting, 0, 5, 200);
	for (size_t i = 0; i < 200; i++)
		assert_int_equal(noting.is_new[i], i % 7 != 0);
	note(f, &noting, 0, 5, 200);
	for (size_t i = 0; i < 200; i++)
		assert_false(noting.is_new[i]);
}

static void
what_was_rolled_back_was_not_seen(void **state)
{
	struct fixture *f = *state;
	struct uuid tenant_id = numbered(3000);
	struct noting noting = {
		.tenant_id = &tenant_id, .now_us = SOME_TIME_US, .fail = true
	};

	note(f, &noting, 0, 1, 100);
	noting.fail = false;
	note(f, &noting, 0, 1, 100);
	for (size_t i = 0; i < 100; i++)
		assert_true(noting.is_new[i]);
}

static void
expire_deletes_what_is_older_and_no_more_than_asked(void **state)
{
	struct fixture *f = *state;
	struct uuid tenant_id = numbered(4000);
	struct noting noting = { .tenant_id = &tenant_id };

	run_sql(f, "DELETE FROM event_seen");
	noting.now_us = SOME_TIME_US;
	note(f, &noting, 0, 1, 10);
	noting.now_us = SOME_TIME_US + 1;
	note(f, &noting, 10, 1, 10);
	assert_int_equal(event_store_expire(f->db, SOME_TIME_US + 1, 4,
	    &f->fault), 4);
	assert_int_equal(event_store_expire(f->db, SOME_TIME_US + 1, 100,
	    &f->fault), 6);
	assert_int_equal(event_store_expire(f->db, SOME_TIME_US + 1, 100,
	    &f->fault), 0);
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM event_seen"), 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_is_new_once_a_day_for_each_tenant),
		cmocka_unit_test(
		    of_many_ids_just_those_that_are_there_are_not_new),
		cmocka_unit_test(what_was_rolled_back_was_not_seen),
		cmocka_unit_test(
		    expire_deletes_what_is_older_and_no_more_than_asked),
	};

	return cmocka_run_group_tests(tests, store_test_begin, store_test_end);
}
