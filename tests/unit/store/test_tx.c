/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store_test.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

struct attempt {
	struct fixture *f;
	struct uuid first, second;
	unsigned runs, retries;
	unsigned kill_until_run;
	enum fault_code refusal;
	pthread_barrier_t *both_hold_one;
	enum tx_result result;
};

static void
count_retry(void *ctx)
{
	struct attempt *a = ctx;

	a->retries++;
}

static void
pause_briefly(void)
{
	struct timespec pause = { 0, 2000000 };

	(void)nanosleep(&pause, NULL);
}

/* Returns when the server has ended the connection. */
static void
kill_connection(struct fixture *f, struct db *db)
{
	int64_t until_us = clock_mono_us() + 60 * CLOCK_SECOND_US;
	long long id = connection_id(f, db);

	run_sql(f, "KILL %lld", id);
	while (ask_sql(f, "SELECT COUNT(*) FROM"
	    " information_schema.processlist WHERE id = %lld", id) > 0) {
		assert_true(clock_mono_us() < until_us);
		pause_briefly();
	}
}

static int
has_outbox(struct fixture *f, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1];

	return (int)ask_sql(f, "SELECT COUNT(*) FROM outbox WHERE id ="
	    " UNHEX(REPLACE('%s', '-', ''))", uuid_format(id, text));
}

static struct attempt
new_attempt(struct fixture *f)
{
	struct attempt a;

	memset(&a, 0, sizeof(a));
	a.f = f;
	uuid_new_ordered(&a.first);
	uuid_new_ordered(&a.second);
	return a;
}

static int
insert_two(struct db *db, void *ctx, struct fault *fault)
{
	struct attempt *a = ctx;

	a->runs++;
	if (outbox_store_insert(db, &a->first, SOME_TIME_US, fault) < 0)
		return -1;
	if (a->runs <= a->kill_until_run)
		kill_connection(a->f, db);
	if (outbox_store_insert(db, &a->second, SOME_TIME_US, fault) < 0)
		return -1;
	if (a->refusal != FAULT_NONE)
		return fault_set(fault, a->refusal, "no");
	return 0;
}

static void
body_that_succeeds_is_committed(void **state)
{
	struct fixture *f = *state;
	struct attempt a = new_attempt(f);

	assert_int_equal(tx_run(f->db, insert_two, count_retry, &a, &f->fault),
	    TX_COMMITTED);
	assert_int_equal(a.runs, 1);
	assert_int_equal(has_outbox(f, &a.first), 1);
	assert_int_equal(has_outbox(f, &a.second), 1);
}

static void
body_that_refuses_is_rolled_back_and_not_run_again(void **state)
{
	struct fixture *f = *state;
	struct attempt a = new_attempt(f);

	a.refusal = REFUSAL_LAST_ADMIN;
	assert_int_equal(tx_run(f->db, insert_two, count_retry, &a, &f->fault),
	    TX_ROLLED_BACK);
	assert_int_equal(f->fault.code, REFUSAL_LAST_ADMIN);
	assert_int_equal(a.runs, 1);
	assert_int_equal(a.retries, 0);
	assert_int_equal(has_outbox(f, &a.first), 0);
}

static void
duplicate_key_inside_leaves_the_transaction_usable(void **state)
{
	struct fixture *f = *state;
	struct attempt a = new_attempt(f);

	assert_int_equal(outbox_store_insert(f->db, &a.first, SOME_TIME_US,
	    &f->fault), 1);
	assert_int_equal(tx_run(f->db, insert_two, NULL, &a, &f->fault),
	    TX_COMMITTED);
	assert_int_equal(has_outbox(f, &a.second), 1);
}

static void
connection_killed_before_commit_runs_the_body_again(void **state)
{
	struct fixture *f = *state;
	struct attempt a = new_attempt(f);

	a.kill_until_run = 1;
	assert_int_equal(tx_run(f->db, insert_two, count_retry, &a, &f->fault),
	    TX_COMMITTED);
	assert_int_equal(a.runs, 2);
	assert_int_equal(a.retries, 1);
	assert_int_equal(has_outbox(f, &a.first), 1);
}

static void
connection_killed_every_time_is_given_up(void **state)
{
	struct fixture *f = *state;
	struct attempt a = new_attempt(f);

	a.kill_until_run = 1000;
	assert_int_equal(tx_run(f->db, insert_two, count_retry, &a, &f->fault),
	    TX_ROLLED_BACK);
	assert_database_fault(f->fault);
	assert_in_range(a.runs, 2, 5);
	assert_int_equal(a.retries, a.runs - 1);
	assert_int_equal(has_outbox(f, &a.first), 0);
}

static int
insert_and_overlook_a_loss(struct db *db, void *ctx, struct fault *fault)
{
	struct attempt *a = ctx;

	if (a->runs++ > 0)
		return 0;
	assert_int_equal(outbox_store_insert(db, &a->first, SOME_TIME_US,
	    fault), 1);
	kill_connection(a->f, db);
	assert_int_equal(outbox_store_insert(db, &a->second, SOME_TIME_US,
	    fault), -1);
	/* Not on a new connection, outside this transaction. */
	assert_int_equal(outbox_store_insert(db, &a->second, SOME_TIME_US,
	    fault), -1);
	return 0;
}

static void
loss_that_the_body_overlooks_still_undoes_it(void **state)
{
	struct fixture *f = *state;
	struct attempt a = new_attempt(f);

	assert_int_equal(tx_run(f->db, insert_and_overlook_a_loss, NULL, &a,
	    &f->fault), TX_COMMITTED);
	assert_int_equal(a.runs, 2);
	assert_int_equal(has_outbox(f, &a.first), 0);
	assert_int_equal(has_outbox(f, &a.second), 0);
}

static int
insert_then_lose_the_connection(struct db *db, void *ctx, struct fault *fault)
{
	struct attempt *a = ctx;

	a->runs++;
	if (outbox_store_insert(db, &a->first, SOME_TIME_US, fault) < 0)
		return -1;
	kill_connection(a->f, db);
	return 0;
}

static void
connection_gone_at_commit_is_unknown_and_not_run_again(void **state)
{
	struct fixture *f = *state;
	struct attempt a = new_attempt(f);

	assert_int_equal(tx_run(f->db, insert_then_lose_the_connection,
	    count_retry, &a, &f->fault), TX_UNKNOWN);
	assert_database_fault(f->fault);
	assert_int_equal(a.runs, 1);
	/* The claim then finds out. */
	assert_int_equal(outbox_store_insert(f->db, &a.first, SOME_TIME_US,
	    &f->fault), 1);
}

static int
lock_one_then_the_other(struct db *db, void *ctx, struct fault *fault)
{
	struct attempt *a = ctx;
	struct tenant tenant;

	if (tenant_store_lock(db, &a->first, &tenant, fault) < 0)
		return -1;
	if (a->runs++ == 0)
		(void)pthread_barrier_wait(a->both_hold_one);
	return tenant_store_lock(db, &a->second, &tenant, fault) < 0 ? -1 : 0;
}

static void *
run_other(void *ctx)
{
	struct attempt *a = ctx;
	struct fault fault;

	fault_clear(&fault);
	a->result = tx_run(a->f->other, lock_one_then_the_other, count_retry,
	    a, &fault);
	return NULL;
}

static void
loser_of_a_deadlock_runs_again(void **state)
{
	struct fixture *f = *state;
	struct tenant one = add_tenant(f, "deadlock one");
	struct tenant two = add_tenant(f, "deadlock two");
	struct attempt here = new_attempt(f), there = new_attempt(f);
	pthread_barrier_t barrier;
	pthread_t thread;

	here.first = there.second = one.id;
	here.second = there.first = two.id;
	here.both_hold_one = there.both_hold_one = &barrier;
	assert_int_equal(pthread_barrier_init(&barrier, NULL, 2), 0);
	assert_int_equal(pthread_create(&thread, NULL, run_other, &there), 0);
	here.result = tx_run(f->db, lock_one_then_the_other, count_retry,
	    &here, &f->fault);
	assert_int_equal(pthread_join(thread, NULL), 0);
	pthread_barrier_destroy(&barrier);
	assert_int_equal(here.result, TX_COMMITTED);
	assert_int_equal(there.result, TX_COMMITTED);
	/* Whoever holds both may keep the other waiting for long enough to end
	   in another retry. */
	assert_in_range(here.retries + there.retries, 1, 5);
}

static int
lock_first(struct db *db, void *ctx, struct fault *fault)
{
	struct attempt *a = ctx;
	struct tenant tenant;

	a->runs++;
	return tenant_store_lock(db, &a->first, &tenant, fault) < 0 ? -1 : 0;
}

static void
lock_that_another_keeps_ends_in_a_fault_in_time(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "kept lock");
	struct attempt a = new_attempt(f);
	int64_t begun_us;

	a.first = tenant.id;
	run_sql(f, "START TRANSACTION");
	run_sql(f, "UPDATE tenant SET updated_at = created_at");
	begun_us = clock_mono_us();
	assert_int_equal(tx_run(f->db, lock_first, count_retry, &a, &f->fault),
	    TX_ROLLED_BACK);
	assert_database_fault(f->fault);
	/* A second, not the server's fifty. */
	assert_true(clock_mono_us() - begun_us < 10 * CLOCK_SECOND_US);
	run_sql(f, "ROLLBACK");
	assert_int_equal(tx_run(f->db, lock_first, count_retry, &a, &f->fault),
	    TX_COMMITTED);
}

static void
read_on_a_connection_that_died_idle_is_answered(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "idle"), out;

	kill_connection(f, f->db);
	assert_int_equal(tenant_store_find(f->db, &tenant.id, &out, &f->fault),
	    1);
	assert_string_equal(out.name, "idle");
	kill_connection(f, f->db);
	assert_int_equal(db_ping(f->db, &f->fault), 0);
}

static int
check_session(struct db *db, void *ctx, struct fault *fault)
{
	struct attempt *a = ctx;
	struct tenant tenant;

	a->runs++;
	/* Read committed: what another commits meanwhile is seen. */
	if (tenant_store_find(db, &a->first, &tenant, fault) != 1)
		return -1;
	assert_string_equal(tenant.name, "before");
	run_sql(a->f, "UPDATE tenant SET name = 'after'"
	    " WHERE name = 'before'");
	if (tenant_store_find(db, &a->first, &tenant, fault) != 1)
		return -1;
	assert_string_equal(tenant.name, "after");
	return 0;
}

static void
transaction_sees_what_others_commit(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "before");
	struct attempt a = new_attempt(f);

	a.first = tenant.id;
	assert_int_equal(tx_run(f->db, check_session, NULL, &a, &f->fault),
	    TX_COMMITTED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(body_that_succeeds_is_committed),
		cmocka_unit_test(
		    body_that_refuses_is_rolled_back_and_not_run_again),
		cmocka_unit_test(
		    duplicate_key_inside_leaves_the_transaction_usable),
		cmocka_unit_test(
		    connection_killed_before_commit_runs_the_body_again),
		cmocka_unit_test(connection_killed_every_time_is_given_up),
		cmocka_unit_test(loss_that_the_body_overlooks_still_undoes_it),
		cmocka_unit_test(
		    connection_gone_at_commit_is_unknown_and_not_run_again),
		cmocka_unit_test(
		    read_on_a_connection_that_died_idle_is_answered),
		cmocka_unit_test(transaction_sees_what_others_commit),
		/* From here on `other` has a connection too. */
		cmocka_unit_test(loser_of_a_deadlock_runs_again),
		cmocka_unit_test(
		    lock_that_another_keeps_ends_in_a_fault_in_time),
	};

	return cmocka_run_group_tests(tests, store_test_begin, store_test_end);
}
