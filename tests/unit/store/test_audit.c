/* SPDX-License-Identifier: MIT */
/* The trail and its chain: what is written comes back as it was, newest or
   oldest first, and nobody shares a link. */
#include "config.h"

#include "store_test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINKS 25
#define HEAVY_ROWS 8192
#define HEAVY_LEN 2000

static struct audit_entry
new_entry(const struct uuid *tenant_id, uint64_t seq, const char *action)
{
	struct audit_entry entry;

	memset(&entry, 0, sizeof(entry));
	uuid_new_ordered(&entry.id);
	uuid_new_ordered(&entry.target_id);
	entry.tenant_id = *tenant_id;
	entry.actor.kind = IDENTITY_MASTER;
	entry.action = action;
	entry.request_id = "request";
	entry.address = "192.0.2.1";
	entry.created_us = SOME_TIME_US + (int64_t)seq;
	entry.seq = seq;
	memset(entry.hash, (int)seq, sizeof(entry.hash));
	return entry;
}

static void
insert(struct fixture *f, const struct audit_entry *entry)
{
	assert_int_equal(audit_store_insert(f->db, entry, &f->fault), 0);
}

static void
assert_same_entry(const struct audit_entry *a, const struct audit_entry *b)
{
	assert_true(uuid_is_equal(&a->id, &b->id));
	assert_true(uuid_is_equal(&a->tenant_id, &b->tenant_id));
	assert_int_equal(a->actor.kind, b->actor.kind);
	assert_true(uuid_is_equal(&a->actor.user_id, &b->actor.user_id));
	assert_true(uuid_is_equal(&a->actor.key_id, &b->actor.key_id));
	assert_true(uuid_is_equal(&a->actor.tenant_id, &b->actor.tenant_id));
	assert_int_equal(a->actor.role, b->actor.role);
	assert_string_equal(a->action, b->action);
	assert_true(uuid_is_equal(&a->target_id, &b->target_id));
	if (a->old_value == NULL)
		assert_null(b->old_value);
	else
		assert_string_equal(a->old_value, b->old_value);
	if (a->new_value == NULL)
		assert_null(b->new_value);
	else
		assert_string_equal(a->new_value, b->new_value);
	assert_string_equal(a->request_id, b->request_id);
	assert_string_equal(a->address, b->address);
	assert_int_equal(a->created_us, b->created_us);
	assert_int_equal(a->seq, b->seq);
	assert_memory_equal(a->hash, b->hash, CRYPTO_HASH_LEN);
}

static int
compare_row(void *ctx, const struct audit_entry *entry, struct fault *fault)
{
	const struct audit_entry **expected = ctx;

	(void)fault;
	assert_same_entry(*expected, entry);
	(*expected)++;
	return 0;
}

static void
every_field_of_every_kind_of_actor_comes_back(void **state)
{
	struct fixture *f = *state;
	static char long_value[60000];
	struct audit_entry entries[5];
	const struct audit_entry *expected = entries;
	struct uuid tenant_id;
	size_t i;

	uuid_new_ordered(&tenant_id);
	for (i = 0; i < 5; i++)
		entries[i] = new_entry(&tenant_id, i + 1, "user.created");
	entries[0].actor.kind = IDENTITY_USER;
	entries[0].actor.tenant_id = tenant_id;
	entries[0].actor.role = ROLE_MANAGER;
	uuid_new_ordered(&entries[0].actor.user_id);
	entries[0].old_value = "{}";
	entries[0].new_value = "";
	entries[1].actor.kind = IDENTITY_KEY;
	entries[1].actor.tenant_id = tenant_id;
	entries[1].actor.role = ROLE_ADMIN;
	uuid_new_ordered(&entries[1].actor.key_id);
	memset(long_value, 'v', sizeof(long_value) - 1);
	entries[1].new_value = long_value;
	entries[2].actor.kind = IDENTITY_OPERATOR;
	entries[2].request_id = "";
	entries[2].address = "";
	entries[3].actor.kind = IDENTITY_ENGINE;
	for (i = 0; i < 5; i++)
		insert(f, &entries[i]);
	assert_int_equal(audit_store_walk(f->db, &tenant_id, 0, 0,
	    compare_row, &expected, &f->fault), 0);
	assert_ptr_equal(expected, entries + 5);
}

struct numbers {
	char text[256];
	unsigned rows;
};

static int
number_row(void *ctx, const struct audit_entry *entry, struct fault *fault)
{
	struct numbers *numbers = ctx;
	size_t len = strlen(numbers->text);

	(void)fault;
	(void)snprintf(numbers->text + len, sizeof(numbers->text) - len,
	    "%u ", (unsigned)entry->seq);
	numbers->rows++;
	return 0;
}

struct history {
	struct uuid tenant_id, alice, bob;
};

/* 1 alice a.x bob; 2 bob a.x bob; 3 master b.y alice; 4 alice b.y nobody;
   5 alice a.x alice. */
static struct history
make_history(struct fixture *f)
{
	struct history h;
	struct audit_entry e;
	struct uuid other;

	uuid_new_ordered(&h.tenant_id);
	uuid_new_ordered(&h.alice);
	uuid_new_ordered(&h.bob);
	e = new_entry(&h.tenant_id, 1, "a.x");
	e.actor.kind = IDENTITY_USER;
	e.actor.user_id = h.alice;
	e.target_id = h.bob;
	insert(f, &e);
	e = new_entry(&h.tenant_id, 2, "a.x");
	e.actor.kind = IDENTITY_USER;
	e.actor.user_id = h.bob;
	e.target_id = h.bob;
	insert(f, &e);
	e = new_entry(&h.tenant_id, 3, "b.y");
	e.target_id = h.alice;
	insert(f, &e);
	e = new_entry(&h.tenant_id, 4, "b.y");
	e.actor.kind = IDENTITY_USER;
	e.actor.user_id = h.alice;
	insert(f, &e);
	e = new_entry(&h.tenant_id, 5, "a.x");
	e.actor.kind = IDENTITY_USER;
	e.actor.user_id = h.alice;
	e.target_id = h.alice;
	insert(f, &e);
	/* The same people in another tenant's trail. */
	uuid_new_ordered(&other);
	e = new_entry(&other, 9, "a.x");
	e.target_id = h.alice;
	insert(f, &e);
	return h;
}

static void
assert_listed(struct fixture *f, const struct uuid *tenant_id,
    uint64_t before, const char *action, const struct uuid *user_id,
    unsigned limit, const char *expected)
{
	struct numbers numbers = { .text = "" };

	assert_int_equal(audit_store_list(f->db, tenant_id, before, action,
	    user_id, limit, number_row, &numbers, &f->fault), 0);
	assert_string_equal(numbers.text, expected);
}

static void
list_is_newest_first_of_action_and_of_user_in_pages(void **state)
{
	struct fixture *f = *state;
	struct history h = make_history(f);
	const struct uuid *t = &h.tenant_id;

	assert_listed(f, t, 0, NULL, NULL, 0, "5 4 3 2 1 ");
	assert_listed(f, t, 0, NULL, NULL, 2, "5 4 ");
	assert_listed(f, t, 4, NULL, NULL, 2, "3 2 ");
	assert_listed(f, t, 2, NULL, NULL, 2, "1 ");
	assert_listed(f, t, 1, NULL, NULL, 2, "");
	assert_listed(f, t, 0, "a.x", NULL, 0, "5 2 1 ");
	assert_listed(f, t, 5, "a.x", NULL, 1, "2 ");
	assert_listed(f, t, 0, "a", NULL, 0, "");
	assert_listed(f, t, 0, NULL, &h.alice, 0, "5 4 3 1 ");
	assert_listed(f, t, 0, NULL, &h.bob, 0, "2 1 ");
	assert_listed(f, t, 0, NULL, &h.alice, 2, "5 4 ");
	assert_listed(f, t, 4, NULL, &h.alice, 2, "3 1 ");
	assert_listed(f, t, 0, "b.y", &h.alice, 0, "4 3 ");
	assert_listed(f, t, 4, "b.y", &h.alice, 1, "3 ");
	assert_listed(f, t, 0, "b.y", &h.bob, 0, "");
	assert_listed(f, t, UINT64_MAX, NULL, NULL, 1, "5 ");
}

static void
walk_is_oldest_first_from_where_it_is_told(void **state)
{
	struct fixture *f = *state;
	struct history h = make_history(f);
	struct numbers numbers = { .text = "" };

	assert_int_equal(audit_store_walk(f->db, &h.tenant_id, 2, 2,
	    number_row, &numbers, &f->fault), 0);
	assert_string_equal(numbers.text, "3 4 ");
	numbers.text[0] = '\0';
	assert_int_equal(audit_store_walk(f->db, &h.tenant_id, 4, 2,
	    number_row, &numbers, &f->fault), 0);
	assert_string_equal(numbers.text, "5 ");
}

static void
rows_older_than_the_chain_are_kept_and_in_no_list(void **state)
{
	struct fixture *f = *state;
	struct audit_entry entry;
	struct uuid tenant_id;

	uuid_new_ordered(&tenant_id);
	entry = new_entry(&tenant_id, 0, "old.one");
	insert(f, &entry);
	entry = new_entry(&tenant_id, 0, "old.two");
	insert(f, &entry);
	entry = new_entry(&tenant_id, 1, "new.one");
	insert(f, &entry);
	assert_listed(f, &tenant_id, 0, NULL, NULL, 0, "1 ");
	assert_listed(f, &tenant_id, 0, NULL, &entry.target_id, 0, "1 ");
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM audit WHERE"
	    " action LIKE 'old.%%' AND seq IS NULL AND hash IS NULL"), 2);
}

static void
no_two_rows_have_one_place_in_the_chain(void **state)
{
	struct fixture *f = *state;
	struct audit_entry entry;
	struct uuid tenant_id;

	uuid_new_ordered(&tenant_id);
	entry = new_entry(&tenant_id, 1, "first");
	insert(f, &entry);
	entry = new_entry(&tenant_id, 1, "second");
	assert_int_equal(audit_store_insert(f->db, &entry, &f->fault), -1);
	assert_database_fault(f->fault);
}

static void
actor_that_this_release_does_not_know_is_a_fault(void **state)
{
	struct fixture *f = *state;
	struct audit_entry entry;
	struct numbers numbers = { .text = "" };
	struct uuid tenant_id;

	uuid_new_ordered(&tenant_id);
	entry = new_entry(&tenant_id, 1, "odd.actor");
	insert(f, &entry);
	run_sql(f, "UPDATE audit SET actor_kind = 'zebra'"
	    " WHERE action = 'odd.actor'");
	assert_int_equal(audit_store_walk(f->db, &tenant_id, 0, 0, number_row,
	    &numbers, &f->fault), -1);
	assert_database_fault(f->fault);
	assert_int_equal(numbers.rows, 0);
}

static void
head_is_zero_then_what_was_set_last(void **state)
{
	static const uint8_t zero[CRYPTO_HASH_LEN];
	struct fixture *f = *state;
	uint8_t in[CRYPTO_HASH_LEN], out[CRYPTO_HASH_LEN];
	struct uuid tenant_id;
	uint64_t seq = 99;

	uuid_new_ordered(&tenant_id);
	memset(out, 0xff, sizeof(out));
	assert_int_equal(audit_store_head(f->db, &tenant_id, &seq, out,
	    &f->fault), 0);
	assert_int_equal(seq, 0);
	assert_memory_equal(out, zero, sizeof(out));
	memset(in, 1, sizeof(in));
	assert_int_equal(audit_store_set_head(f->db, &tenant_id, 1, in,
	    &f->fault), 0);
	memset(in, 2, sizeof(in));
	assert_int_equal(audit_store_set_head(f->db, &tenant_id, 2, in,
	    &f->fault), 0);
	assert_int_equal(audit_store_head(f->db, &tenant_id, &seq, out,
	    &f->fault), 1);
	assert_int_equal(seq, 2);
	assert_memory_equal(in, out, sizeof(out));
	assert_int_equal(audit_store_head(f->db, &UUID_NIL, &seq, out,
	    &f->fault), 0);
	assert_int_equal(seq, 0);
}

static void
lock_of_a_tenant_brings_the_head_along(void **state)
{
	static const uint8_t zero[CRYPTO_HASH_LEN];
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "chained"), out;
	uint8_t in[CRYPTO_HASH_LEN], hash[CRYPTO_HASH_LEN];
	uint64_t seq = 99;

	assert_int_equal(tenant_store_lock_chain(f->db, &tenant.id, &out,
	    &seq, hash, &f->fault), 1);
	assert_string_equal(out.name, "chained");
	assert_int_equal(seq, 0);
	assert_memory_equal(hash, zero, sizeof(hash));
	memset(in, 7, sizeof(in));
	assert_int_equal(audit_store_set_head(f->db, &tenant.id, 5, in,
	    &f->fault), 0);
	assert_int_equal(tenant_store_lock_chain(f->db, &tenant.id, &out,
	    &seq, hash, &f->fault), 1);
	assert_int_equal(seq, 5);
	assert_memory_equal(hash, in, sizeof(hash));
	assert_int_equal(tenant_store_lock_chain(f->db, &UUID_NIL, &out,
	    &seq, hash, &f->fault), 0);
}

static int
add_link(struct db *db, void *ctx, struct fault *fault)
{
	const struct uuid *tenant_id = ctx;
	uint8_t hash[CRYPTO_HASH_LEN];
	struct audit_entry entry;
	uint64_t seq;

	if (audit_store_head(db, tenant_id, &seq, hash, fault) < 0)
		return -1;
	entry = new_entry(tenant_id, seq + 1, "link");
	entry.hash[0] = (uint8_t)(hash[0] + 1);
	if (audit_store_insert(db, &entry, fault) < 0)
		return -1;
	return audit_store_set_head(db, tenant_id, entry.seq, entry.hash,
	    fault);
}

static void *
add_links(void *ctx)
{
	struct db *db = ctx;
	struct fault fault;
	struct uuid nil = UUID_NIL;
	size_t done = 0;
	int i;

	for (i = 0; i < LINKS; i++) {
		fault_clear(&fault);
		done += tx_run(db, add_link, NULL, &nil, &fault) ==
		    TX_COMMITTED;
	}
	return (void *)done;
}

/* What belongs to no tenant has no tenant's lock before it, not even for the
   first link. */
static void
links_of_two_at_once_make_one_chain(void **state)
{
	struct fixture *f = *state;
	uint8_t hash[CRYPTO_HASH_LEN];
	pthread_t thread;
	void *done;
	uint64_t seq;

	run_sql(f, "DELETE FROM audit WHERE action = 'link'");
	assert_int_equal(pthread_create(&thread, NULL, add_links, f->other),
	    0);
	assert_int_equal((size_t)add_links(f->db), LINKS);
	assert_int_equal(pthread_join(thread, &done), 0);
	assert_int_equal((size_t)done, LINKS);
	assert_int_equal(audit_store_head(f->db, &UUID_NIL, &seq, hash,
	    &f->fault), 1);
	assert_int_equal(seq, 2 * LINKS);
	assert_int_equal(hash[0], 2 * LINKS);
	assert_int_equal(ask_sql(f, "SELECT COUNT(DISTINCT seq) FROM audit"
	    " WHERE action = 'link'"), 2 * LINKS);
}

static unsigned
count_tenants(struct fixture *f, const struct uuid *wanted, bool *found_r)
{
	struct uuid tenant_id, after;
	unsigned n = 0;
	int ret;

	*found_r = false;
	ret = audit_store_next_tenant(f->db, NULL, &tenant_id, &f->fault);
	while (ret == 1) {
		n++;
		if (uuid_is_equal(&tenant_id, wanted))
			*found_r = true;
		after = tenant_id;
		ret = audit_store_next_tenant(f->db, &after, &tenant_id,
		    &f->fault);
		assert_true(ret != 1 || memcmp(after.b, tenant_id.b, 16) < 0);
	}
	assert_int_equal(ret, 0);
	return n;
}

static void
tenants_are_found_by_head_or_by_rows_the_nil_one_first(void **state)
{
	static const uint8_t hash[CRYPTO_HASH_LEN];
	struct fixture *f = *state;
	struct uuid beheaded, cut_off, old, first;
	struct audit_entry entry;
	bool found;

	run_sql(f, "DELETE FROM audit");
	run_sql(f, "UPDATE audit_chain SET seq = 0");
	assert_int_equal(count_tenants(f, &UUID_NIL, &found), 0);
	uuid_new_ordered(&old);
	entry = new_entry(&old, 0, "before.the.chain");
	insert(f, &entry);
	assert_int_equal(count_tenants(f, &old, &found), 0);
	uuid_new_ordered(&beheaded);
	entry = new_entry(&beheaded, 1, "no.head");
	insert(f, &entry);
	uuid_new_ordered(&cut_off);
	assert_int_equal(audit_store_set_head(f->db, &cut_off, 1, hash,
	    &f->fault), 0);
	assert_int_equal(count_tenants(f, &beheaded, &found), 2);
	assert_true(found);
	assert_int_equal(count_tenants(f, &cut_off, &found), 2);
	assert_true(found);
	assert_int_equal(audit_store_set_head(f->db, &UUID_NIL, 1, hash,
	    &f->fault), 0);
	assert_int_equal(audit_store_next_tenant(f->db, NULL, &first,
	    &f->fault), 1);
	assert_true(uuid_is_nil(&first));
	assert_int_equal(count_tenants(f, &UUID_NIL, &found), 3);
	assert_true(found);
}

struct weight {
	long early, late;
	unsigned rows;
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
weigh_row(void *ctx, const struct audit_entry *entry, struct fault *fault)
{
	struct weight *weight = ctx;

	(void)fault;
	assert_int_equal(strlen(entry->new_value), HEAVY_LEN);
	if (++weight->rows == 10)
		weight->early = resident_bytes();
	if (weight->rows == HEAVY_ROWS)
		weight->late = resident_bytes();
	return 0;
}

/* All of them are 16 MB. */
static void
long_trail_streams_in_flat_memory(void **state)
{
	struct fixture *f = *state;
	struct weight weight = { 0, 0, 0 };
	struct audit_entry entry;
	struct uuid tenant_id;
	unsigned rows;

	uuid_new_ordered(&tenant_id);
	entry = new_entry(&tenant_id, 1, "heavy");
	insert(f, &entry);
	run_sql(f, "UPDATE audit SET new_value = REPEAT('v', %d)"
	    " WHERE action = 'heavy'", HEAVY_LEN);
	for (rows = 1; rows < HEAVY_ROWS; rows *= 2)
		run_sql(f, "INSERT INTO audit (id, tenant_id, actor_kind,"
		    " action, target_id, new_value, request_id, address,"
		    " created_at, seq, hash)"
		    " SELECT UNHEX(MD5(seq + %u)), tenant_id, actor_kind,"
		    " action, target_id, new_value, request_id, address,"
		    " created_at, seq + %u, hash FROM audit"
		    " WHERE action = 'heavy'", rows, rows);
	assert_int_equal(audit_store_list(f->db, &tenant_id, 0, NULL, NULL, 0,
	    weigh_row, &weight, &f->fault), 0);
	assert_int_equal(weight.rows, rows);
	assert_true(weight.late - weight.early < 4L << 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_every_kind_of_actor_comes_back),
		cmocka_unit_test(
		    list_is_newest_first_of_action_and_of_user_in_pages),
		cmocka_unit_test(walk_is_oldest_first_from_where_it_is_told),
		cmocka_unit_test(
		    rows_older_than_the_chain_are_kept_and_in_no_list),
		cmocka_unit_test(no_two_rows_have_one_place_in_the_chain),
		cmocka_unit_test(
		    actor_that_this_release_does_not_know_is_a_fault),
		cmocka_unit_test(head_is_zero_then_what_was_set_last),
		cmocka_unit_test(lock_of_a_tenant_brings_the_head_along),
		cmocka_unit_test(links_of_two_at_once_make_one_chain),
		cmocka_unit_test(
		    tenants_are_found_by_head_or_by_rows_the_nil_one_first),
		cmocka_unit_test(long_trail_streams_in_flat_memory),
	};

	return cmocka_run_group_tests(tests, store_test_begin, store_test_end);
}
