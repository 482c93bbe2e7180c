/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store_test.h"

#include <stdio.h>
#include <string.h>

#define HOUR_US (INT64_C(3600) * CLOCK_SECOND_US)

static void
key_hash(const struct api_key *key, uint8_t hash[CRYPTO_HASH_LEN])
{
	memset(hash, 0, CRYPTO_HASH_LEN);
	memcpy(hash, key->id.b, sizeof(key->id.b));
}

static struct api_key
add_key(struct fixture *f, const struct tenant *tenant, const char *name)
{
	uint8_t hash[CRYPTO_HASH_LEN];
	struct api_key key;

	memset(&key, 0, sizeof(key));
	uuid_new_ordered(&key.id);
	key.tenant_id = tenant->id;
	(void)snprintf(key.name, sizeof(key.name), "%s", name);
	memcpy(key.prefix, "wuts_abcdefg", sizeof("wuts_abcdefg"));
	key.scope = API_KEY_READ;
	key.created_us = SOME_TIME_US;
	key_hash(&key, hash);
	assert_int_equal(api_key_store_insert(f->db, &key, hash, &f->fault),
	    0);
	return key;
}

static int
find_key(struct fixture *f, const struct api_key *key, struct api_key *key_r)
{
	uint8_t hash[CRYPTO_HASH_LEN];

	key_hash(key, hash);
	return api_key_store_find_by_hash(f->db, hash, key_r, &f->fault);
}

static void
assert_same_key(const struct api_key *a, const struct api_key *b)
{
	assert_true(uuid_is_equal(&a->id, &b->id));
	assert_true(uuid_is_equal(&a->tenant_id, &b->tenant_id));
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->prefix, b->prefix);
	assert_int_equal(a->scope, b->scope);
	assert_int_equal(a->created_us, b->created_us);
	assert_int_equal(a->expires_us, b->expires_us);
	assert_int_equal(a->last_used_us, b->last_used_us);
}

static void
hash_names_its_key_and_no_other(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "keys");
	struct api_key in = add_key(f, &tenant, "first"), out, other;
	uint8_t hash[CRYPTO_HASH_LEN];

	other = add_key(f, &tenant, "second");
	assert_int_equal(find_key(f, &in, &out), 1);
	assert_same_key(&in, &out);
	assert_int_equal(find_key(f, &other, &out), 1);
	assert_same_key(&other, &out);
	memset(hash, 0x5a, sizeof(hash));
	assert_int_equal(api_key_store_find_by_hash(f->db, hash, &out,
	    &f->fault), 0);
}

static void
every_field_comes_back_also_the_longest_name(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "long keys");
	uint8_t hash[CRYPTO_HASH_LEN];
	struct api_key in, out;
	int i;

	memset(&in, 0, sizeof(in));
	uuid_new_ordered(&in.id);
	in.tenant_id = tenant.id;
	for (i = 0; i < API_KEY_NAME_MAX; i++)
		strcat(in.name, "\xf0\x9f\x90\xa2");
	memcpy(in.prefix, "wuts_ZZZZ999", sizeof("wuts_ZZZZ999"));
	in.scope = API_KEY_FULL;
	in.created_us = SOME_TIME_US;
	in.expires_us = SOME_TIME_US + 1;
	in.last_used_us = SOME_TIME_US + 2;
	key_hash(&in, hash);
	assert_int_equal(api_key_store_insert(f->db, &in, hash, &f->fault), 0);
	assert_int_equal(find_key(f, &in, &out), 1);
	assert_same_key(&in, &out);
}

static void
a_second_key_of_the_same_hash_is_a_fault(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "same hash");
	struct api_key key = add_key(f, &tenant, "first");
	uint8_t hash[CRYPTO_HASH_LEN];

	key_hash(&key, hash);
	uuid_new_ordered(&key.id);
	assert_int_equal(api_key_store_insert(f->db, &key, hash, &f->fault),
	    -1);
	assert_database_fault(f->fault);
}

static void
scope_that_this_release_does_not_know_is_a_fault(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "odd scope");
	struct api_key key = add_key(f, &tenant, "odd"), out;

	run_sql(f, "UPDATE api_key SET scope = 'zebra' WHERE name = 'odd'");
	assert_int_equal(find_key(f, &key, &out), -1);
	assert_database_fault(f->fault);
}

struct page {
	char text[64];
	struct uuid last;
};

static int
page_row(void *ctx, const struct api_key *key, struct fault *fault)
{
	struct page *page = ctx;

	(void)fault;
	strcat(page->text, key->name);
	strcat(page->text, " ");
	page->last = key->id;
	return 0;
}

static void
list_goes_by_creation_in_pages_within_the_tenant(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "listed");
	struct tenant other = add_tenant(f, "not listed");
	struct page first = { .text = "" }, second = { .text = "" };
	struct page all = { .text = "" };

	add_key(f, &tenant, "one");
	add_key(f, &other, "foreign");
	add_key(f, &tenant, "two");
	add_key(f, &tenant, "three");
	assert_int_equal(api_key_store_list(f->db, &tenant.id, NULL, 0,
	    page_row, &all, &f->fault), 0);
	assert_string_equal(all.text, "one two three ");
	assert_int_equal(api_key_store_list(f->db, &tenant.id, NULL, 2,
	    page_row, &first, &f->fault), 0);
	assert_string_equal(first.text, "one two ");
	assert_int_equal(api_key_store_list(f->db, &tenant.id, &first.last, 2,
	    page_row, &second, &f->fault), 0);
	assert_string_equal(second.text, "three ");
}

static void
delete_works_once_in_its_tenant_and_tells_what_it_was(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "key deleted");
	struct tenant other = add_tenant(f, "key kept");
	struct api_key key = add_key(f, &tenant, "gone"), out;

	assert_int_equal(api_key_store_delete(f->db, &other.id, &key.id, &out,
	    &f->fault), 0);
	assert_int_equal(find_key(f, &key, &out), 1);
	memset(&out, 0, sizeof(out));
	assert_int_equal(api_key_store_delete(f->db, &tenant.id, &key.id,
	    &out, &f->fault), 1);
	assert_same_key(&key, &out);
	assert_int_equal(find_key(f, &key, &out), 0);
	assert_int_equal(api_key_store_delete(f->db, &tenant.id, &key.id,
	    &out, &f->fault), 0);
}

static void
touch_keeps_the_latest_use_and_forgives_a_key_that_is_gone(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "touched");
	struct api_key key = add_key(f, &tenant, "used"), out;
	struct uuid gone;

	assert_int_equal(api_key_store_touch(f->db, &key.id,
	    SOME_TIME_US + HOUR_US, &f->fault), 0);
	assert_int_equal(find_key(f, &key, &out), 1);
	assert_int_equal(out.last_used_us, SOME_TIME_US + HOUR_US);
	assert_int_equal(api_key_store_touch(f->db, &key.id, SOME_TIME_US,
	    &f->fault), 0);
	assert_int_equal(find_key(f, &key, &out), 1);
	assert_int_equal(out.last_used_us, SOME_TIME_US + HOUR_US);
	uuid_new_random(&gone);
	assert_int_equal(api_key_store_touch(f->db, &gone, SOME_TIME_US,
	    &f->fault), 0);
}

static void
hash_anew_takes_the_old_ones_place_and_is_counted_no_more(void **state)
{
	static const uint8_t old[CRYPTO_KEY_NAME_LEN] = { 'o', 'l', 'd' };
	static const uint8_t new[CRYPTO_KEY_NAME_LEN] = { 'n', 'e', 'w' };
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "rotated");
	struct api_key key = add_key(f, &tenant, "rotated"), out;
	uint8_t hash[CRYPTO_HASH_LEN];
	uint64_t others;

	run_sql(f, "DELETE FROM api_key WHERE name <> 'rotated'");
	memset(hash, 0x77, sizeof(hash));
	memcpy(hash, old, sizeof(old));
	assert_int_equal(api_key_store_update_hash(f->db, &key.id, hash,
	    &f->fault), 0);
	assert_int_equal(api_key_store_count_others(f->db, new, &others,
	    &f->fault), 0);
	assert_int_equal(others, 1);
	assert_int_equal(find_key(f, &key, &out), 0);
	memcpy(hash, new, sizeof(new));
	assert_int_equal(api_key_store_update_hash(f->db, &key.id, hash,
	    &f->fault), 0);
	assert_int_equal(api_key_store_find_by_hash(f->db, hash, &out,
	    &f->fault), 1);
	assert_same_key(&key, &out);
	assert_int_equal(api_key_store_count_others(f->db, new, &others,
	    &f->fault), 0);
	assert_int_equal(others, 0);
}

static void
key_needs_its_tenant_and_goes_with_it(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "goes"), nobody = tenant;
	uint8_t hash[CRYPTO_HASH_LEN];
	struct api_key key;

	key = add_key(f, &tenant, "goes along");
	run_sql(f, "DELETE FROM tenant WHERE name = 'goes'");
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM api_key"
	    " WHERE name = 'goes along'"), 0);
	uuid_new_random(&nobody.id);
	key.tenant_id = nobody.id;
	key_hash(&key, hash);
	assert_int_equal(api_key_store_insert(f->db, &key, hash, &f->fault),
	    -1);
	assert_database_fault(f->fault);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_names_its_key_and_no_other),
		cmocka_unit_test(every_field_comes_back_also_the_longest_name),
		cmocka_unit_test(a_second_key_of_the_same_hash_is_a_fault),
		cmocka_unit_test(
		    scope_that_this_release_does_not_know_is_a_fault),
		cmocka_unit_test(
		    list_goes_by_creation_in_pages_within_the_tenant),
		cmocka_unit_test(
		    delete_works_once_in_its_tenant_and_tells_what_it_was),
		cmocka_unit_test(
		    touch_keeps_the_latest_use_and_forgives_a_key_that_is_gone),
		cmocka_unit_test(
		    hash_anew_takes_the_old_ones_place_and_is_counted_no_more),
		cmocka_unit_test(key_needs_its_tenant_and_goes_with_it),
	};

	return cmocka_run_group_tests(tests, store_test_begin, store_test_end);
}
