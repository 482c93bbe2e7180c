/* SPDX-License-Identifier: MIT */
/* The end of a tenant: from the mark on it exists for nobody, and then its
   rows go, a bounded number at a time. */
#include "config.h"

#include "store_test.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define USERS 5000
#define BATCH 1000

static struct webhook
add_webhook(struct fixture *f, const struct uuid *tenant_id,
    const struct uuid *device_id)
{
	struct webhook webhook = {
		.tenant_id = *tenant_id,
		.device_id = *device_id,
		.url = "https://example.com/",
		.enabled_events = "[\"*\"]",
		.created_us = SOME_TIME_US,
		.updated_us = SOME_TIME_US,
	};

	crypto_random(webhook.id, sizeof(webhook.id));
	assert_int_equal(webhook_store_insert(f->db, &webhook, &f->fault), 0);
	return webhook;
}

static void
add_key(struct fixture *f, const struct uuid *tenant_id,
    uint8_t hash_r[CRYPTO_HASH_LEN])
{
	struct api_key key = { .name = "key", .prefix = "wuts_1234567" };

	uuid_new_ordered(&key.id);
	key.tenant_id = *tenant_id;
	key.created_us = SOME_TIME_US;
	crypto_random(hash_r, CRYPTO_HASH_LEN);
	assert_int_equal(api_key_store_insert(f->db, &key, hash_r, &f->fault),
	    0);
}

/* A tenant with one of everything. */
struct estate {
	struct tenant tenant;
	struct user user;
	struct device device;
	uint8_t key_hash[CRYPTO_HASH_LEN];
};

static struct estate
add_estate(struct fixture *f, const char *name)
{
	struct estate e;

	e.tenant = add_tenant(f, name);
	e.user = add_user(f, &e.tenant, "heir@example.com", ROLE_ADMIN);
	e.device = add_device(f, &e.user, "phone");
	add_webhook(f, &e.tenant.id, &UUID_NIL);
	add_webhook(f, &e.tenant.id, &e.device.id);
	add_key(f, &e.tenant.id, e.key_hash);
	return e;
}

static int
find_name(void *ctx, const struct tenant *tenant, struct fault *fault)
{
	const char **name = ctx;

	(void)fault;
	if (strcmp(tenant->name, *name) == 0)
		*name = "";
	return 0;
}

static bool
is_listed(struct fixture *f, const char *name)
{
	assert_int_equal(tenant_store_list(f->db, NULL, 0, find_name, &name,
	    &f->fault), 0);
	return *name == '\0';
}

/* Every look-up that does not come by way of a tenant already found. */
static void
assert_exists(struct fixture *f, const struct estate *e, int exists)
{
	char password_hash[CRYPTO_PASSWORD_HASH_MAX];
	const struct uuid *id = &e->tenant.id;
	struct user_token token;
	struct webhook webhook;
	struct api_key key;
	struct tenant tenant;
	struct device device;
	struct token_owner owner;
	struct user user;

	fill_token(&token, &e->user.id);
	assert_int_equal(tenant_store_find(f->db, id, &tenant, &f->fault),
	    exists);
	assert_int_equal(tenant_store_lock(f->db, id, &tenant, &f->fault),
	    exists);
	assert_int_equal(tenant_store_find_by_name(f->db, e->tenant.name,
	    &tenant, &f->fault), exists);
	assert_int_equal(is_listed(f, e->tenant.name), exists);
	assert_int_equal(caller_store_find(f->db, token.hash, &owner,
	    &f->fault), exists);
	assert_int_equal(user_store_find_any_tenant(f->db, &e->user.id, &user,
	    &f->fault), exists);
	assert_int_equal(user_store_find_password(f->db, id, e->user.email,
	    &user, password_hash, &f->fault), exists);
	assert_int_equal(device_store_find_any_tenant(f->db, &e->device.id,
	    &device, &f->fault), exists);
	assert_int_equal(webhook_store_find(f->db, f->arena, id, &UUID_NIL,
	    &webhook, &f->fault), exists);
	assert_int_equal(webhook_store_find(f->db, f->arena, id,
	    &e->device.id, &webhook, &f->fault), exists);
	assert_int_equal(api_key_store_find_by_hash(f->db, e->key_hash, &key,
	    &f->fault), exists);
}

static void
sweep_all(struct fixture *f)
{
	int ret;

	do {
		ret = tenant_store_sweep(f->db, BATCH, &f->fault);
	} while (ret == 1);
	assert_int_equal(ret, 0);
}

static void
marked_tenant_exists_for_nobody_and_its_neighbour_does(void **state)
{
	struct fixture *f = *state;
	struct estate gone = add_estate(f, "Gone");
	struct estate kept = add_estate(f, "Kept");

	assert_exists(f, &gone, 1);
	assert_int_equal(tenant_store_mark_deleted(f->db, &gone.tenant.id,
	    SOME_TIME_US, &f->fault), 1);
	assert_exists(f, &gone, 0);
	assert_exists(f, &kept, 1);
	assert_int_equal(tenant_store_mark_deleted(f->db, &gone.tenant.id,
	    SOME_TIME_US, &f->fault), 0);
	sweep_all(f);
	assert_exists(f, &gone, 0);
	assert_exists(f, &kept, 1);
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM tenant"
	    " WHERE name = 'Gone'"), 0);
}

static void
name_is_free_from_the_mark_on_again_and_again(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant;
	int i;

	for (i = 0; i < 3; i++) {
		tenant = add_tenant(f, i == 1 ? "PHOENIX" : "Phoenix");
		assert_int_equal(tenant_store_mark_deleted(f->db, &tenant.id,
		    SOME_TIME_US + i, &f->fault), 1);
	}
	tenant = add_tenant(f, "phoenix");
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM tenant"
	    " WHERE deleted_at IS NOT NULL"), 3);
	sweep_all(f);
	assert_int_equal(tenant_store_find(f->db, &tenant.id, &tenant,
	    &f->fault), 1);
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM tenant"
	    " WHERE LOWER(name) = 'phoenix'"), 1);
}

static void
unknown_tenant_is_not_marked(void **state)
{
	struct fixture *f = *state;
	struct uuid id;

	uuid_new_random(&id);
	assert_int_equal(tenant_store_mark_deleted(f->db, &id, SOME_TIME_US,
	    &f->fault), 0);
}

static int
mark_then_fail(struct db *db, void *ctx, struct fault *fault)
{
	assert_int_equal(tenant_store_mark_deleted(db, ctx, SOME_TIME_US,
	    fault), 1);
	return -1;
}

static void
mark_that_rolled_back_was_never_there(void **state)
{
	struct fixture *f = *state;
	struct estate e = add_estate(f, "Nearly");

	assert_int_equal(tx_run(f->db, mark_then_fail, NULL, &e.tenant.id,
	    &f->fault), TX_ROLLED_BACK);
	assert_exists(f, &e, 1);
	sweep_all(f);
	assert_exists(f, &e, 1);
}

/* Every user with a device, every device with a webhook, an event
   and a delivery. */
static void
add_many(struct fixture *f, const struct tenant *tenant)
{
	char id[2 * sizeof(tenant->id.b) + 1];
	long long users = 1;

	crypto_hex(tenant->id.b, sizeof(tenant->id.b), id);
	add_user(f, tenant, "0@example.com", ROLE_USER);
	while (users < USERS) {
		run_sql(f, "INSERT INTO users (id, tenant_id, email, email_key,"
		    " password_hash, role, active, token_hash, token_sealed,"
		    " created_at, updated_at) SELECT UNHEX(MD5(CONCAT(%lld,"
		    " id))), tenant_id, CONCAT(%lld, email), CONCAT(%lld,"
		    " email_key), password_hash, role, active,"
		    " UNHEX(SHA2(CONCAT(%lld, id), 256)), token_sealed,"
		    " created_at, updated_at FROM users"
		    " WHERE tenant_id = UNHEX('%s') LIMIT %lld", users, users,
		    users, users, id, USERS - users);
		users = ask_sql(f, "SELECT COUNT(*) FROM users"
		    " WHERE tenant_id = UNHEX('%s')", id);
	}
	run_sql(f, "INSERT INTO device SELECT UNHEX(MD5(CONCAT('d', id))),"
	    " tenant_id, id, 'phone', '', 0, NULL, created_at, updated_at"
	    " FROM users WHERE tenant_id = UNHEX('%s')", id);
	run_sql(f, "INSERT INTO webhook SELECT LEFT(id, 8), tenant_id, id, id,"
	    " 'https://example.com/', '[]', 1, 3, 30, 0, 16, 0, '{}', NULL,"
	    " 's', created_at, updated_at, NULL, NULL FROM device"
	    " WHERE tenant_id = UNHEX('%s')", id);
	run_sql(f, "INSERT INTO delivery SELECT tenant_id, id, id, 'e',"
	    " 'dead', 1, '[]', NULL, NULL, created_at, created_at"
	    " FROM device WHERE tenant_id = UNHEX('%s')", id);
	run_sql(f, "INSERT INTO event_seen SELECT tenant_id, id, created_at"
	    " FROM device WHERE tenant_id = UNHEX('%s')", id);
}

static unsigned long long
rows_left(struct fixture *f)
{
	return (unsigned long long)ask_sql(f, "SELECT"
	    " (SELECT COUNT(*) FROM users) + (SELECT COUNT(*) FROM device)"
	    " + (SELECT COUNT(*) FROM event_seen)"
	    " + (SELECT COUNT(*) FROM delivery)");
}

static void
each_sweep_takes_a_bounded_piece_of_a_large_tenant(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant, small;
	uint64_t users, devices;
	unsigned long long before, left;
	unsigned sweeps = 0;
	int ret;

	run_sql(f, "DELETE FROM tenant");
	tenant = add_tenant(f, "Large");
	small = add_tenant(f, "Small");
	add_user(f, &small, "stays@example.com", ROLE_USER);
	add_many(f, &tenant);
	assert_int_equal(tenant_store_count(f->db, &tenant.id, &users,
	    &devices, &f->fault), 0);
	assert_int_equal(users, USERS);
	assert_int_equal(devices, USERS);
	assert_int_equal(tenant_store_mark_deleted(f->db, &tenant.id,
	    SOME_TIME_US, &f->fault), 1);
	left = rows_left(f);
	do {
		before = left;
		ret = tenant_store_sweep(f->db, BATCH, &f->fault);
		left = rows_left(f);
		assert_in_range(before - left, 0, BATCH);
		sweeps++;
	} while (ret == 1);
	assert_int_equal(ret, 0);
	assert_in_range(sweeps, 4 * USERS / BATCH, 4 * USERS / BATCH + 2);
	assert_int_equal(left, 1);
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM webhook"), 0);
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM tenant"), 1);
	assert_int_equal(tenant_store_count(f->db, &small.id, &users,
	    &devices, &f->fault), 0);
	assert_int_equal(users, 1);
	assert_int_equal(devices, 0);
}

static int
sweep_body(struct db *db, void *ctx, struct fault *fault)
{
	int *more = ctx;

	*more = tenant_store_sweep(db, 100, fault);
	return *more < 0 ? -1 : 0;
}

/* The number of sweeps that failed. */
static void *
sweep_until_done(void *ctx)
{
	struct db *db = ctx;
	struct fault fault;
	size_t failed = 0;
	int more = 1;

	while (more == 1) {
		fault_clear(&fault);
		if (tx_run(db, sweep_body, NULL, &more, &fault) !=
		    TX_COMMITTED) {
			failed++;
			more = failed < 10;
		}
	}
	return (void *)failed;
}

static void
two_who_sweep_at_once_take_turns(void **state)
{
	struct fixture *f = *state;
	struct settings settings = f->settings;
	struct db *one, *two;
	struct tenant tenant;
	pthread_t thread;
	void *failed;

	/* On a busy machine a turn may take longer than others wait. */
	settings.database_timeout_ms = 60000;
	one = db_new(&settings);
	two = db_new(&settings);
	run_sql(f, "DELETE FROM tenant");
	tenant = add_tenant(f, "Shared");
	add_many(f, &tenant);
	assert_int_equal(tenant_store_mark_deleted(f->db, &tenant.id,
	    SOME_TIME_US, &f->fault), 1);
	assert_int_equal(pthread_create(&thread, NULL, sweep_until_done,
	    two), 0);
	assert_int_equal((size_t)sweep_until_done(one), 0);
	assert_int_equal(pthread_join(thread, &failed), 0);
	db_free(&two);
	db_free(&one);
	assert_int_equal((size_t)failed, 0);
	assert_int_equal(rows_left(f), 0);
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM tenant"), 0);
}

static void
sweep_takes_the_tenant_marked_first(void **state)
{
	struct fixture *f = *state;
	struct tenant late, early;

	run_sql(f, "DELETE FROM tenant");
	late = add_tenant(f, "late");
	early = add_tenant(f, "early");
	assert_int_equal(tenant_store_mark_deleted(f->db, &late.id,
	    SOME_TIME_US + 1, &f->fault), 1);
	assert_int_equal(tenant_store_mark_deleted(f->db, &early.id,
	    SOME_TIME_US, &f->fault), 1);
	assert_int_equal(tenant_store_sweep(f->db, BATCH, &f->fault), 1);
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM tenant"
	    " WHERE name = 'early'"), 0);
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM tenant"
	    " WHERE name = 'late'"), 1);
	sweep_all(f);
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM tenant"), 0);
	assert_int_equal(tenant_store_sweep(f->db, BATCH, &f->fault), 0);
}

static void
audit_trail_and_its_head_survive(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "remembered");
	struct audit_entry entry = {
		.actor = { .kind = IDENTITY_MASTER },
		.action = "tenant.deleted",
		.created_us = SOME_TIME_US,
		.seq = 1,
	};
	uint8_t hash[CRYPTO_HASH_LEN];
	uint64_t seq;

	uuid_new_ordered(&entry.id);
	entry.tenant_id = entry.target_id = tenant.id;
	assert_int_equal(audit_store_insert(f->db, &entry, &f->fault), 0);
	assert_int_equal(audit_store_set_head(f->db, &tenant.id, 1,
	    entry.hash, &f->fault), 0);
	assert_int_equal(tenant_store_mark_deleted(f->db, &tenant.id,
	    SOME_TIME_US, &f->fault), 1);
	sweep_all(f);
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM audit"
	    " WHERE action = 'tenant.deleted'"), 1);
	assert_int_equal(audit_store_head(f->db, &tenant.id, &seq, hash,
	    &f->fault), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    marked_tenant_exists_for_nobody_and_its_neighbour_does),
		cmocka_unit_test(
		    name_is_free_from_the_mark_on_again_and_again),
		cmocka_unit_test(unknown_tenant_is_not_marked),
		cmocka_unit_test(mark_that_rolled_back_was_never_there),
		cmocka_unit_test(
		    each_sweep_takes_a_bounded_piece_of_a_large_tenant),
		cmocka_unit_test(two_who_sweep_at_once_take_turns),
		cmocka_unit_test(sweep_takes_the_tenant_marked_first),
		cmocka_unit_test(audit_trail_and_its_head_survive),
	};

	return cmocka_run_group_tests(tests, store_test_begin, store_test_end);
}
