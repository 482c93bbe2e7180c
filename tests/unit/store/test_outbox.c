/* SPDX-License-Identifier: MIT */
/* The tables without a tenant above them: outbox, audit, role_transition. */
#include "config.h"

#include "store_test.h"

#include <string.h>

struct claimed {
	struct uuid id;
	int inserted;
};

static int
insert_then_roll_back(struct db *db, void *ctx, struct fault *fault)
{
	struct claimed *claimed = ctx;

	claimed->inserted = outbox_store_insert(db, &claimed->id, SOME_TIME_US,
	    fault);
	return -1;
}

static int
insert_then_commit(struct db *db, void *ctx, struct fault *fault)
{
	struct claimed *claimed = ctx;

	claimed->inserted = outbox_store_insert(db, &claimed->id, SOME_TIME_US,
	    fault);
	return claimed->inserted < 0 ? -1 : 0;
}

static void
claim_tells_a_commit_from_a_rollback(void **state)
{
	struct fixture *f = *state;
	struct claimed gone, there;

	uuid_new_ordered(&gone.id);
	uuid_new_ordered(&there.id);
	assert_int_equal(tx_run(f->db, insert_then_roll_back, NULL, &gone,
	    &f->fault), TX_ROLLED_BACK);
	assert_int_equal(gone.inserted, 1);
	assert_int_equal(tx_run(f->db, insert_then_commit, NULL, &there,
	    &f->fault), TX_COMMITTED);
	assert_int_equal(outbox_store_claim(f->other, &gone.id, SOME_TIME_US,
	    &f->fault), 1);
	assert_int_equal(outbox_store_claim(f->other, &there.id,
	    SOME_TIME_US, &f->fault), 0);
	/* Made again, a claim says the same. */
	assert_int_equal(outbox_store_claim(f->db, &gone.id, SOME_TIME_US,
	    &f->fault), 1);
	assert_int_equal(outbox_store_claim(f->db, &there.id, SOME_TIME_US,
	    &f->fault), 0);
}

static void
tombstone_stops_the_late_transaction(void **state)
{
	struct fixture *f = *state;
	struct claimed late;

	uuid_new_ordered(&late.id);
	assert_int_equal(outbox_store_claim(f->other, &late.id, SOME_TIME_US,
	    &f->fault), 1);
	assert_int_equal(tx_run(f->db, insert_then_commit, NULL, &late,
	    &f->fault), TX_COMMITTED);
	assert_int_equal(late.inserted, 0);
}

static void
expire_deletes_the_oldest_and_no_more_than_asked(void **state)
{
	struct fixture *f = *state;
	struct uuid id;
	int i;

	run_sql(f, "DELETE FROM outbox");
	for (i = 0; i < 10; i++) {
		uuid_new_ordered(&id);
		assert_int_equal(outbox_store_insert(f->db, &id,
		    SOME_TIME_US + i, &f->fault), 1);
	}
	assert_int_equal(outbox_store_expire(f->db, SOME_TIME_US + 7, 4,
	    &f->fault), 4);
	assert_int_equal(outbox_store_expire(f->db, SOME_TIME_US + 7, 4,
	    &f->fault), 3);
	assert_int_equal(outbox_store_expire(f->db, SOME_TIME_US + 7, 4,
	    &f->fault), 0);
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM outbox"), 3);
	assert_int_equal(ask_sql(f, "SELECT MICROSECOND(MIN(created_at))"
	    " FROM outbox"), 789012 + 7);
}

static void
audit_entry_is_kept_and_what_is_too_long_is_cut(void **state)
{
	struct fixture *f = *state;
	char request_id[300];
	struct audit_entry entry = {
		.actor = { .kind = IDENTITY_USER, .role = ROLE_MANAGER },
		.action = "user.role_changed",
		.old_value = "{\"role\":\"user\"}",
		.new_value = "{\"role\":\"manager\"}",
		.request_id = request_id,
		.address = "2001:db8::1",
		.created_us = SOME_TIME_US,
	};

	memset(request_id, 'r', sizeof(request_id) - 1);
	request_id[sizeof(request_id) - 1] = '\0';
	uuid_new_ordered(&entry.id);
	uuid_new_ordered(&entry.tenant_id);
	uuid_new_ordered(&entry.target_id);
	uuid_new_ordered(&entry.actor.user_id);
	assert_int_equal(audit_store_insert(f->db, &entry, &f->fault), 0);
	assert_int_equal(ask_sql(f, "SELECT LENGTH(request_id) FROM audit"
	    " WHERE action = 'user.role_changed' AND actor_kind = 'user'"
	    " AND actor_role = 'manager' AND address = '2001:db8::1'"
	    " AND old_value = '{\"role\":\"user\"}'"
	    " AND actor_user_id IS NOT NULL"), 128);
	uuid_new_ordered(&entry.id);
	entry.actor.kind = IDENTITY_OPERATOR;
	entry.old_value = NULL;
	entry.request_id = "";
	assert_int_equal(audit_store_insert(f->db, &entry, &f->fault), 0);
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM audit WHERE"
	    " actor_kind = 'operator' AND actor_role IS NULL"
	    " AND actor_user_id IS NULL AND old_value IS NULL"), 1);
}

static void
matrix_is_seeded_as_specified(void **state)
{
	struct fixture *f = *state;
	struct role_matrix matrix;
	int actor, from, to, allowed = 0;

	assert_int_equal(role_store_load(f->db, &matrix, &f->fault), 0);
	for (actor = 0; actor < ROLE_COUNT; actor++)
		for (from = 0; from < ROLE_COUNT; from++)
			for (to = 0; to < ROLE_COUNT; to++) {
				allowed += matrix.allowed[actor][from][to];
				assert_false(from == to &&
				    matrix.allowed[actor][from][to]);
			}
	assert_int_equal(allowed, 7);
	assert_true(matrix.allowed[ROLE_MANAGER][ROLE_USER][ROLE_MANAGER]);
	assert_true(matrix.allowed[ROLE_ADMIN][ROLE_ADMIN][ROLE_USER]);
	assert_false(matrix.allowed[ROLE_MANAGER][ROLE_USER][ROLE_ADMIN]);
}

static void
matrix_row_is_added_and_taken_once(void **state)
{
	struct fixture *f = *state;
	struct role_matrix before, after;
	bool *cell = &after.allowed[ROLE_MANAGER][ROLE_USER][ROLE_ADMIN];

	assert_int_equal(role_store_load(f->db, &before, &f->fault), 0);
	assert_int_equal(role_store_allow(f->db, ROLE_MANAGER, ROLE_USER,
	    ROLE_ADMIN, true, &f->fault), 1);
	assert_int_equal(role_store_allow(f->db, ROLE_MANAGER, ROLE_USER,
	    ROLE_ADMIN, true, &f->fault), 0);
	assert_int_equal(role_store_load(f->db, &after, &f->fault), 0);
	assert_true(*cell);
	*cell = false;
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(role_store_allow(f->db, ROLE_MANAGER, ROLE_USER,
	    ROLE_ADMIN, false, &f->fault), 1);
	assert_int_equal(role_store_allow(f->db, ROLE_MANAGER, ROLE_USER,
	    ROLE_ADMIN, false, &f->fault), 0);
	assert_int_equal(role_store_load(f->db, &after, &f->fault), 0);
	assert_memory_equal(&before, &after, sizeof(before));
}

static void
matrix_with_an_unknown_role_is_a_fault_and_not_half_loaded(void **state)
{
	struct fixture *f = *state;
	struct role_matrix matrix;

	memset(&matrix, 0, sizeof(matrix));
	run_sql(f, "INSERT INTO role_transition VALUES"
	    " ('zebra', 'user', 'admin')");
	assert_int_equal(role_store_load(f->db, &matrix, &f->fault), -1);
	assert_database_fault(f->fault);
	assert_false(matrix.allowed[ROLE_ADMIN][ROLE_USER][ROLE_ADMIN]);
	run_sql(f, "DELETE FROM role_transition WHERE actor = 'zebra'");
	assert_int_equal(role_store_load(f->db, &matrix, &f->fault), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claim_tells_a_commit_from_a_rollback),
		cmocka_unit_test(tombstone_stops_the_late_transaction),
		cmocka_unit_test(
		    expire_deletes_the_oldest_and_no_more_than_asked),
		cmocka_unit_test(
		    audit_entry_is_kept_and_what_is_too_long_is_cut),
		cmocka_unit_test(matrix_is_seeded_as_specified),
		cmocka_unit_test(matrix_row_is_added_and_taken_once),
		cmocka_unit_test(
		    matrix_with_an_unknown_role_is_a_fault_and_not_half_loaded),
	};

	return cmocka_run_group_tests(tests, store_test_begin, store_test_end);
}
