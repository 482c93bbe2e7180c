/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store_test.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

static int
find(struct fixture *f, const struct user *caller, const struct uuid *target,
    struct token_owner *owner, struct user *out, bool *has_target)
{
	struct user_token token;

	fill_token(&token, &caller->id);
	memset(owner, 0xff, sizeof(*owner));
	memset(out, 0xff, sizeof(*out));
	*has_target = true;
	return caller_store_find_both(f->db, token.hash, target, owner, out,
	    has_target, &f->fault);
}

static void
caller_and_target_are_found_together(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "together");
	struct user one = add_user(f, &tenant, "1@example.com", ROLE_ADMIN);
	struct user two = add_user(f, &tenant, "2@example.com", ROLE_MANAGER);
	struct token_owner owner;
	struct user out;
	bool has_target;

	assert_int_equal(find(f, &one, &two.id, &owner, &out, &has_target), 1);
	assert_true(has_target);
	assert_true(uuid_is_equal(&owner.id, &one.id));
	assert_true(uuid_is_equal(&owner.tenant_id, &tenant.id));
	assert_int_equal(owner.role, ROLE_ADMIN);
	assert_true(owner.active);
	assert_true(uuid_is_equal(&out.id, &two.id));
	assert_true(uuid_is_equal(&out.tenant_id, &tenant.id));
	assert_string_equal(out.email, "2@example.com");
	assert_int_equal(out.role, ROLE_MANAGER);
	assert_int_equal(out.created_us, two.created_us);
	assert_int_equal(find(f, &one, &one.id, &owner, &out, &has_target), 1);
	assert_true(has_target);
	assert_string_equal(out.email, "1@example.com");
}

static void
target_of_another_tenant_or_of_none_is_absent(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "here");
	struct tenant another = add_tenant(f, "there");
	struct user caller = add_user(f, &tenant, "1@example.com", ROLE_USER);
	struct user foreign = add_user(f, &another, "2@example.com",
	    ROLE_USER);
	struct token_owner owner;
	struct user out;
	struct uuid unknown;
	bool has_target;

	assert_int_equal(find(f, &caller, &foreign.id, &owner, &out, &has_target), 1);
	assert_false(has_target);
	assert_true(uuid_is_equal(&owner.id, &caller.id));
	uuid_new_ordered(&unknown);
	assert_int_equal(find(f, &caller, &unknown, &owner, &out, &has_target), 1);
	assert_false(has_target);
	assert_int_equal(find(f, &caller, &UUID_NIL, &owner, &out, &has_target), 1);
	assert_false(has_target);
}

static void
token_of_nobody_finds_no_target(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "nobody");
	struct user target = add_user(f, &tenant, "1@example.com", ROLE_USER);
	struct user nobody = { .role = ROLE_USER }, out;
	struct token_owner owner;
	bool has_target;

	uuid_new_ordered(&nobody.id);
	assert_int_equal(find(f, &nobody, &target.id, &owner, &out, &has_target), 0);
	assert_false(has_target);
}

static void
nobody_is_found_in_a_tenant_that_is_being_deleted(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "leaving");
	struct user user = add_user(f, &tenant, "1@example.com", ROLE_ADMIN);
	struct caller_lock lock;
	struct token_owner owner;
	struct user out;
	bool has_target;

	assert_int_equal(tenant_store_mark_deleted(f->db, &tenant.id,
	    SOME_TIME_US, &f->fault), 1);
	assert_int_equal(find(f, &user, &user.id, &owner, &out, &has_target), 0);
	assert_false(has_target);
	assert_int_equal(caller_store_lock(f->db, &tenant.id, &user.id,
	    &user.id, &lock, &f->fault), 0);
	assert_false(lock.has_caller || lock.has_target);
}

static void
lock_brings_head_caller_and_target_along(void **state)
{
	static const uint8_t zero[CRYPTO_HASH_LEN];
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "locked");
	struct user one = add_user(f, &tenant, "1@example.com", ROLE_MANAGER);
	struct user two = add_user(f, &tenant, "2@example.com", ROLE_ADMIN);
	uint8_t head[CRYPTO_HASH_LEN];
	struct caller_lock lock;

	assert_int_equal(caller_store_lock(f->db, &tenant.id, &one.id,
	    &two.id, &lock, &f->fault), 1);
	assert_int_equal(lock.seq, 0);
	assert_memory_equal(lock.hash, zero, sizeof(zero));
	assert_true(lock.has_caller && lock.has_target);
	assert_int_equal(lock.caller_role, ROLE_MANAGER);
	assert_true(lock.caller_active);
	assert_string_equal(lock.target.email, "2@example.com");
	assert_int_equal(lock.target.role, ROLE_ADMIN);
	memset(head, 7, sizeof(head));
	assert_int_equal(audit_store_set_head(f->db, &tenant.id, 5, head,
	    &f->fault), 0);
	one.active = false;
	assert_int_equal(user_store_update(f->db, &one, &f->fault), 0);
	assert_int_equal(caller_store_lock(f->db, &tenant.id, &one.id,
	    &one.id, &lock, &f->fault), 1);
	assert_int_equal(lock.seq, 5);
	assert_memory_equal(lock.hash, head, sizeof(head));
	assert_true(lock.has_caller && lock.has_target);
	assert_false(lock.caller_active);
	assert_false(lock.target.active);
	assert_int_equal(lock.target.role, ROLE_MANAGER);
}

static void
lock_finds_nobody_of_another_tenant(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "alone");
	struct tenant another = add_tenant(f, "elsewhere");
	struct user own = add_user(f, &tenant, "1@example.com", ROLE_ADMIN);
	struct user foreign = add_user(f, &another, "2@example.com",
	    ROLE_ADMIN);
	struct caller_lock lock;

	assert_int_equal(caller_store_lock(f->db, &tenant.id, &foreign.id,
	    &own.id, &lock, &f->fault), 1);
	assert_true(!lock.has_caller && lock.has_target);
	assert_int_equal(caller_store_lock(f->db, &tenant.id, &own.id,
	    &foreign.id, &lock, &f->fault), 1);
	assert_true(lock.has_caller && !lock.has_target);
	assert_int_equal(caller_store_lock(f->db, &tenant.id, &UUID_NIL,
	    &UUID_NIL, &lock, &f->fault), 1);
	assert_true(!lock.has_caller && !lock.has_target);
	assert_int_equal(caller_store_lock(f->db, &UUID_NIL, &own.id,
	    &own.id, &lock, &f->fault), 0);
}

/* --- what one waits for, and what it reads then --- */

struct waiter {
	struct fixture *f;
	struct tenant tenant;
	struct user caller, target;
	struct caller_lock lock;
	int result;
	enum tx_result tx;
};

static int
lock_body(struct db *db, void *ctx, struct fault *fault)
{
	struct waiter *w = ctx;

	w->result = caller_store_lock(db, &w->tenant.id, &w->caller.id,
	    &w->target.id, &w->lock, fault);
	return w->result < 0 ? -1 : 0;
}

static void *
run_waiter(void *ctx)
{
	struct waiter *w = ctx;
	struct fault fault;

	fault_clear(&fault);
	w->tx = tx_run(w->f->other, lock_body, NULL, w, &fault);
	return NULL;
}

static void
wait_until_it_waits(struct fixture *f)
{
	int64_t until_us = clock_mono_us() + 10 * CLOCK_SECOND_US;

	while (ask_sql(f, "SELECT variable_value FROM"
	    " information_schema.global_status WHERE variable_name ="
	    " 'innodb_row_lock_current_waits'") != 1) {
		assert_true(clock_mono_us() < until_us);
		usleep(2000);
	}
}

/* Whoever has the tenant may still lock, and change, any of its users. */
static void
waiting_for_the_tenant_holds_nobody_and_reads_what_it_leaves(void **state)
{
	struct fixture *f = *state;
	struct waiter w = { .f = f, .tenant = add_tenant(f, "awaited") };
	pthread_t thread;

	w.caller = add_user(f, &w.tenant, "1@example.com", ROLE_ADMIN);
	w.target = add_user(f, &w.tenant, "2@example.com", ROLE_USER);
	run_sql(f, "SET innodb_lock_wait_timeout = 1");
	run_sql(f, "START TRANSACTION");
	run_sql(f, "UPDATE tenant SET updated_at = created_at"
	    " WHERE name = 'awaited'");
	assert_int_equal(pthread_create(&thread, NULL, run_waiter, &w), 0);
	wait_until_it_waits(f);
	run_sql(f, "UPDATE users SET role = 'manager'"
	    " WHERE email = '1@example.com'");
	run_sql(f, "UPDATE users SET active = FALSE"
	    " WHERE email = '2@example.com'");
	run_sql(f, "COMMIT");
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(w.tx, TX_COMMITTED);
	assert_int_equal(w.result, 1);
	assert_int_equal(w.lock.caller_role, ROLE_MANAGER);
	assert_false(w.lock.target.active);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(caller_and_target_are_found_together),
		cmocka_unit_test(target_of_another_tenant_or_of_none_is_absent),
		cmocka_unit_test(token_of_nobody_finds_no_target),
		cmocka_unit_test(
		    nobody_is_found_in_a_tenant_that_is_being_deleted),
		cmocka_unit_test(lock_brings_head_caller_and_target_along),
		cmocka_unit_test(lock_finds_nobody_of_another_tenant),
		cmocka_unit_test(
		waiting_for_the_tenant_holds_nobody_and_reads_what_it_leaves),
	};

	return cmocka_run_group_tests(tests, store_test_begin,
	    store_test_end);
}
