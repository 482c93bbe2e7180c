/* SPDX-License-Identifier: MIT */
/* Lists of a size that must not be held in memory. */
#include "config.h"

#include "store_test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DOUBLINGS 15
#define ROWS (1U << DOUBLINGS)
/* Of each row some 400 bytes come over; all of them would be 13 MiB. */
#define GROWTH_MAX (4L << 20)

struct seen {
	struct uuid tenant_id, last;
	unsigned rows, stop_after;
	bool is_ordered;
	long rss, rss_early;
};

static long
resident_bytes(void)
{
	long total = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%ld %ld", &total, &resident), 2);
	(void)fclose(file);
	return resident * sysconf(_SC_PAGESIZE);
}

static int
see_row(void *ctx, const struct user *user,
    const uint8_t token_sealed[USER_TOKEN_SEALED_LEN], struct fault *fault)
{
	struct seen *seen = ctx;

	if (seen->stop_after != 0 && seen->rows == seen->stop_after)
		return fault_set(fault, FAULT_IO, "the client is gone");
	if (memcmp(user->id.b, seen->last.b, sizeof(user->id.b)) <= 0)
		seen->is_ordered = false;
	assert_int_equal(token_sealed[USER_TOKEN_SEALED_LEN - 1], 0xa5);
	seen->last = user->id;
	if (++seen->rows == 100)
		seen->rss_early = resident_bytes();
	if (seen->rows == ROWS)
		seen->rss = resident_bytes();
	return 0;
}

static struct uuid many_tenant_id;

static void
many_users(struct fixture *f)
{
	struct tenant tenant = add_tenant(f, "very many users");
	char email[USER_EMAIL_MAX + 1];
	int i;

	memset(email, 'e', sizeof(email) - 1);
	email[sizeof(email) - 1] = '\0';
	add_user(f, &tenant, email, ROLE_USER);
	for (i = 0; i < DOUBLINGS; i++)
		run_sql(f, "INSERT INTO users (id, tenant_id, email,"
		    " email_key, password_hash, role, active, token_hash,"
		    " token_sealed, created_at, updated_at) SELECT"
		    " UNHEX(MD5(CONCAT('%d', id))), tenant_id,"
		    " CONCAT(SHA2(CONCAT('%d', id), 512), RIGHT(email, 126)),"
		    " SHA2(CONCAT('%d', id), 256), password_hash, role,"
		    " active, UNHEX(SHA2(CONCAT('%d', id), 256)),"
		    " token_sealed, created_at, updated_at"
		    " FROM users", i, i, i, i);
	many_tenant_id = tenant.id;
}

static int
make_many_users(void **state)
{
	struct fixture *f;

	if (store_test_begin(state) < 0)
		return -1;
	f = *state;
	many_users(f);
	return 0;
}

static struct seen
new_seen(void)
{
	struct seen seen = { .is_ordered = true };

	seen.tenant_id = many_tenant_id;
	return seen;
}

static int
list_all(struct db *db, void *ctx, struct fault *fault)
{
	struct seen *seen = ctx;

	return user_store_list(db, &seen->tenant_id, NULL, 0, see_row, seen,
	    fault);
}

static void
every_row_streams_in_order_and_flat_memory(void **state)
{
	struct fixture *f = *state;
	struct seen seen = new_seen();

	assert_int_equal(list_all(f->db, &seen, &f->fault), 0);
	assert_int_equal(seen.rows, ROWS);
	assert_true(seen.is_ordered);
	assert_in_range(seen.rss_early, 1, seen.rss + GROWTH_MAX);
	assert_true(seen.rss - seen.rss_early < GROWTH_MAX);
}

static void
pages_join_without_gap_or_overlap(void **state)
{
	struct fixture *f = *state;
	struct seen seen = new_seen();
	unsigned before;

	do {
		before = seen.rows;
		assert_int_equal(user_store_list(f->db, &seen.tenant_id,
		    before == 0 ? NULL : &seen.last, 1000, see_row, &seen,
		    &f->fault), 0);
		assert_true(seen.rows - before <= 1000);
	} while (seen.rows > before);
	assert_int_equal(seen.rows, ROWS);
	assert_true(seen.is_ordered);
}

static void
abandoned_list_leaves_the_store_usable(void **state)
{
	struct fixture *f = *state;
	struct seen some = new_seen(), again = new_seen();

	some.stop_after = 10;
	assert_int_equal(list_all(f->db, &some, &f->fault), -1);
	assert_int_equal(f->fault.code, FAULT_IO);
	assert_int_equal(some.rows, 10);
	assert_int_equal(list_all(f->db, &again, &f->fault), 0);
	assert_int_equal(again.rows, ROWS);
}

static int
abandon_a_list_and_go_on(struct db *db, void *ctx, struct fault *fault)
{
	struct seen *seen = ctx;
	struct tenant tenant;

	assert_int_equal(list_all(db, seen, fault), -1);
	return tenant_store_find(db, &seen->tenant_id, &tenant, fault) == 1 ?
	    0 : -1;
}

static void
abandoned_list_leaves_its_transaction_usable(void **state)
{
	struct fixture *f = *state;
	struct seen some = new_seen();

	some.stop_after = 10;
	assert_int_equal(tx_run(f->db, abandon_a_list_and_go_on, NULL, &some,
	    &f->fault), TX_COMMITTED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_streams_in_order_and_flat_memory),
		cmocka_unit_test(pages_join_without_gap_or_overlap),
		cmocka_unit_test(abandoned_list_leaves_the_store_usable),
		cmocka_unit_test(abandoned_list_leaves_its_transaction_usable),
	};

	return cmocka_run_group_tests(tests, make_many_users, store_test_end);
}
