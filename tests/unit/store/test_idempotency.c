/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store_test.h"

#include <string.h>

#define SOME_SEALED_LEN 70000	/* more than a BLOB holds */

static struct idempotency_row
new_row(uint8_t number)
{
	struct idempotency_row row = { .created_us = SOME_TIME_US + number };

	memset(row.key_hash, number, sizeof(row.key_hash));
	row.key_hash[0] = 0;
	memset(row.body_hash, 0xb0, sizeof(row.body_hash));
	return row;
}

static struct idempotency_row
find_row(struct fixture *f, const struct idempotency_row *row)
{
	struct idempotency_row out;

	assert_int_equal(idempotency_store_find(f->db, f->arena,
	    row->key_hash, &out, &f->fault), 1);
	return out;
}

static void
first_insert_wins_and_is_in_flight(void **state)
{
	struct fixture *f = *state;
	struct idempotency_row row = new_row(1), second = row, out;

	assert_int_equal(idempotency_store_find(f->db, f->arena, row.key_hash,
	    &out, &f->fault), 0);
	assert_int_equal(idempotency_store_insert(f->db, &row, &f->fault), 1);
	second.created_us++;
	second.body_hash[0] = 1;
	assert_int_equal(idempotency_store_insert(f->other, &second,
	    &f->fault), 0);
	out = find_row(f, &row);
	assert_memory_equal(out.key_hash, row.key_hash, CRYPTO_HASH_LEN);
	assert_memory_equal(out.body_hash, row.body_hash, CRYPTO_HASH_LEN);
	assert_int_equal(out.status, 0);
	assert_null(out.sealed);
	assert_int_equal(out.sealed_len, 0);
	assert_int_equal(out.created_us, row.created_us);
}

static void
finished_answer_comes_back_whole_and_stays(void **state)
{
	struct fixture *f = *state;
	static uint8_t sealed[SOME_SEALED_LEN];
	struct idempotency_row row = new_row(2), out;
	size_t i;

	for (i = 0; i < sizeof(sealed); i++)
		sealed[i] = (uint8_t)(i * 7);
	assert_int_equal(idempotency_store_insert(f->db, &row, &f->fault), 1);
	row.status = 201;
	row.sealed = sealed;
	row.sealed_len = sizeof(sealed);
	assert_int_equal(idempotency_store_finish(f->db, &row, &f->fault), 1);
	out = find_row(f, &row);
	assert_int_equal(out.status, 201);
	assert_int_equal(out.sealed_len, sizeof(sealed));
	assert_memory_equal(out.sealed, sealed, sizeof(sealed));
	row.status = 500;
	assert_int_equal(idempotency_store_finish(f->db, &row, &f->fault), 0);
	assert_int_equal(idempotency_store_take_over(f->db, row.key_hash,
	    row.created_us, row.created_us + 1, &f->fault), 0);
	assert_int_equal(idempotency_store_delete(f->db, row.key_hash,
	    row.created_us, &f->fault), 0);
	assert_int_equal(find_row(f, &row).status, 201);
}

static void
of_two_who_take_over_one_does_and_the_old_owner_is_out(void **state)
{
	struct fixture *f = *state;
	struct idempotency_row row = new_row(3), heir = row;

	heir.created_us = row.created_us + 1000;
	row.status = heir.status = 200;
	assert_int_equal(idempotency_store_insert(f->db, &row, &f->fault), 1);
	assert_int_equal(idempotency_store_take_over(f->db, row.key_hash,
	    row.created_us, heir.created_us, &f->fault), 1);
	assert_int_equal(idempotency_store_take_over(f->other, row.key_hash,
	    row.created_us, row.created_us + 2000, &f->fault), 0);
	assert_int_equal(idempotency_store_finish(f->db, &row, &f->fault), 0);
	assert_int_equal(idempotency_store_delete(f->db, row.key_hash,
	    row.created_us, &f->fault), 0);
	assert_int_equal(find_row(f, &row).created_us, heir.created_us);
	assert_int_equal(idempotency_store_finish(f->other, &heir, &f->fault),
	    1);
	assert_int_equal(find_row(f, &row).status, 200);
}

static int
finish_then_fail(struct db *db, void *ctx, struct fault *fault)
{
	assert_int_equal(idempotency_store_finish(db, ctx, fault), 1);
	return -1;
}

static void
answer_of_a_change_that_rolled_back_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct idempotency_row row = new_row(4);

	assert_int_equal(idempotency_store_insert(f->db, &row, &f->fault), 1);
	row.status = 201;
	assert_int_equal(tx_run(f->db, finish_then_fail, NULL, &row,
	    &f->fault), TX_ROLLED_BACK);
	assert_int_equal(find_row(f, &row).status, 0);
}

static void
forgotten_row_can_be_inserted_again(void **state)
{
	struct fixture *f = *state;
	struct idempotency_row row = new_row(5);

	assert_int_equal(idempotency_store_insert(f->db, &row, &f->fault), 1);
	assert_int_equal(idempotency_store_delete(f->db, row.key_hash,
	    row.created_us, &f->fault), 0);
	assert_int_equal(idempotency_store_insert(f->db, &row, &f->fault), 1);
}

static void
empty_answer_is_an_answer(void **state)
{
	struct fixture *f = *state;
	struct idempotency_row row = new_row(6), out;

	assert_int_equal(idempotency_store_insert(f->db, &row, &f->fault), 1);
	row.status = 204;
	assert_int_equal(idempotency_store_finish(f->db, &row, &f->fault), 1);
	out = find_row(f, &row);
	assert_int_equal(out.status, 204);
	assert_int_equal(out.sealed_len, 0);
}

static void
expire_deletes_the_oldest_and_no_more_than_asked(void **state)
{
	struct fixture *f = *state;
	struct idempotency_row row;
	uint8_t i;

	run_sql(f, "DELETE FROM idempotency");
	for (i = 0; i < 10; i++) {
		row = new_row(i);
		assert_int_equal(idempotency_store_insert(f->db, &row,
		    &f->fault), 1);
	}
	assert_int_equal(idempotency_store_expire(f->db, SOME_TIME_US + 7, 4,
	    &f->fault), 4);
	assert_int_equal(idempotency_store_expire(f->db, SOME_TIME_US + 7, 4,
	    &f->fault), 3);
	assert_int_equal(idempotency_store_expire(f->db, SOME_TIME_US + 7, 4,
	    &f->fault), 0);
	assert_int_equal(ask_sql(f, "SELECT MICROSECOND(MIN(created_at))"
	    " FROM idempotency"), 789012 + 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_insert_wins_and_is_in_flight),
		cmocka_unit_test(finished_answer_comes_back_whole_and_stays),
		cmocka_unit_test(
		    of_two_who_take_over_one_does_and_the_old_owner_is_out),
		cmocka_unit_test(
		    answer_of_a_change_that_rolled_back_is_not_there),
		cmocka_unit_test(forgotten_row_can_be_inserted_again),
		cmocka_unit_test(empty_answer_is_an_answer),
		cmocka_unit_test(
		    expire_deletes_the_oldest_and_no_more_than_asked),
	};

	return cmocka_run_group_tests(tests, store_test_begin, store_test_end);
}
