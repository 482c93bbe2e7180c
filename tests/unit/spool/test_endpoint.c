/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "test_support.h"

#include "spool/endpoint.h"
#include "spool/target.h"

#include "wuts/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define TTL 1000000
#define URL "https://example.com/hook"

static const char key_text[] = "0123456789abcdef0123456789abcdef";

static struct uuid
device(uint32_t i)
{
	struct uuid id = test_uuid((uint8_t)i);

	id.b[14] = (uint8_t)(i >> 8);
	id.b[13] = (uint8_t)(i >> 16);
	return id;
}

static void
endpoints_are_found_by_both_ids(void **state)
{
	struct endpoints *table = endpoints_new();
	struct uuid tenant = test_uuid(1), other = test_uuid(2), id;

	(void)state;
	for (uint32_t i = 0; i < 5000; i++) {
		id = device(i);
		endpoints_add(table, i, &tenant, &id);
	}
	assert_int_equal(endpoints_count(table), 5000);
	for (uint32_t i = 0; i < 5000; i++) {
		id = device(i);
		assert_int_equal(
		    endpoints_find(table, &tenant, &id)->number, i);
		assert_null(endpoints_find(table, &other, &id));
	}
	id = device(5000);
	assert_null(endpoints_find(table, &tenant, &id));
	endpoints_free(&table);
}

static void
a_removed_endpoint_is_gone_and_the_others_stay(void **state)
{
	struct endpoints *table = endpoints_new();
	struct uuid tenant = test_uuid(1), id;

	(void)state;
	for (uint32_t i = 0; i < 300; i++) {
		id = device(i);
		endpoints_add(table, i, &tenant, &id);
	}
	for (uint32_t i = 0; i < 300; i += 3)
		endpoints_remove(table, endpoints_at(table, i));
	for (uint32_t i = 0; i < 300; i++) {
		id = device(i);
		if (i % 3 == 0)
			assert_null(endpoints_find(table, &tenant, &id));
		else
			assert_non_null(endpoints_find(table, &tenant, &id));
	}
	assert_int_equal(endpoints_count(table), 200);
	endpoints_free(&table);
}

static void
settings_are_believed_until_their_generation_or_age_ends(void **state)
{
	struct endpoint endpoint = { .known = false };

	(void)state;
	assert_int_equal(endpoint_state(&endpoint, 0, 0, TTL), ENDPOINT_STALE);
	endpoint_learn(&endpoint, NULL, 7, 1000);
	assert_int_equal(endpoint_state(&endpoint, 7, 1000, TTL),
	    ENDPOINT_FRESH);
	assert_int_equal(endpoint_state(&endpoint, 8, 1000, TTL),
	    ENDPOINT_STALE);
	assert_int_equal(endpoint_state(&endpoint, 7, 1000 + TTL / 2, TTL),
	    ENDPOINT_AGEING);
	assert_int_equal(endpoint_state(&endpoint, 7, 1000 + TTL, TTL),
	    ENDPOINT_STALE);
}

static void
without_a_cache_a_look_up_serves_one_attempt(void **state)
{
	struct endpoint endpoint = { .known = false };

	(void)state;
	endpoint_learn(&endpoint, NULL, 7, 1000);
	assert_int_equal(endpoint_state(&endpoint, 7, 5000, 0),
	    ENDPOINT_FRESH);
	endpoint.granted = false;
	assert_int_equal(endpoint_state(&endpoint, 7, 5000, 0),
	    ENDPOINT_STALE);
}

static void
learning_tells_whether_the_settings_are_others(void **state)
{
	struct endpoint endpoint = { .known = false };
	struct crypto_keys keys;
	struct target *target;

	(void)state;
	test_keys(&keys, key_text);
	target = test_target(&keys, UUID_NIL, URL, "[\"*\"]");
	assert_true(endpoint_learn(&endpoint, target, 1, 1));
	target = test_target(&keys, UUID_NIL, URL, "[\"*\"]");
	assert_false(endpoint_learn(&endpoint, target, 1, 2));
	target = test_target(&keys, UUID_NIL, URL, "[\"*\"]");
	target->webhook.updated_us++;
	assert_true(endpoint_learn(&endpoint, target, 1, 3));
	assert_true(endpoint_learn(&endpoint, NULL, 1, 4));
	assert_false(endpoint_learn(&endpoint, NULL, 1, 5));
	assert_null(endpoint.target);
}

static void
a_target_wants_what_its_set_names(void **state)
{
	struct crypto_keys keys;
	struct target *some, *all;

	(void)state;
	test_keys(&keys, key_text);
	some = test_target(&keys, UUID_NIL, URL,
	    "[\"message.received\",\"of.a.later.release\"]");
	all = test_target(&keys, UUID_NIL, URL, "[\"*\"]");
	assert_true(target_wants(some, "message.received"));
	assert_false(target_wants(some, "message.sent"));
	assert_false(target_wants(some, "of.a.later.release"));
	assert_true(target_wants(all, "message.sent"));
	assert_true(target_wants(all, "of.a.later.release"));
	target_unref(&some);
	target_unref(&all);
}

static void
a_secret_of_another_installation_makes_no_target(void **state)
{
	struct fault fault = { .code = FAULT_NONE };
	struct crypto_keys keys, others;
	struct target *target;

	(void)state;
	test_keys(&keys, key_text);
	test_keys(&others, "another key another key another!");
	target = test_target(&keys, UUID_NIL, URL, "[\"*\"]");
	assert_null(target_new(&target->webhook, &others, &fault));
	assert_int_equal(fault.code, FAULT_INTERNAL);
	target_unref(&target);
}

static void
an_old_secret_signs_until_its_time_has_come(void **state)
{
	struct fault fault = { .code = FAULT_NONE };
	const struct secret *key;
	struct target *target, *other;
	struct crypto_keys keys;
	struct webhook webhook;

	(void)state;
	test_keys(&keys, key_text);
	target = test_target(&keys, UUID_NIL, URL, "[\"*\"]");
	key = target_old_key(target, TEST_OLD_UNTIL_US - 1);
	assert_non_null(key);
	assert_int_equal(key->len, strlen(TEST_OLD_SECRET));
	assert_memory_equal(key->data, TEST_OLD_SECRET, key->len);
	assert_null(target_old_key(target, TEST_OLD_UNTIL_US));
	/* One that cannot be opened takes nothing else along. */
	webhook = target->webhook;
	webhook.old_secret_sealed = webhook.secret_sealed;
	other = target_new(&webhook, &keys, &fault);
	assert_non_null(other);
	assert_null(target_old_key(other, TEST_OLD_UNTIL_US - 1));
	target_unref(&other);
	webhook.old_secret_sealed = NULL;
	webhook.old_secret_sealed_len = 0;
	other = target_new(&webhook, &keys, &fault);
	assert_non_null(other);
	assert_null(target_old_key(other, TEST_OLD_UNTIL_US - 1));
	target_unref(&other);
	target_unref(&target);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoints_are_found_by_both_ids),
		cmocka_unit_test(
		    a_removed_endpoint_is_gone_and_the_others_stay),
		cmocka_unit_test(
		    settings_are_believed_until_their_generation_or_age_ends),
		cmocka_unit_test(without_a_cache_a_look_up_serves_one_attempt),
		cmocka_unit_test(
		    learning_tells_whether_the_settings_are_others),
		cmocka_unit_test(a_target_wants_what_its_set_names),
		cmocka_unit_test(
		    a_secret_of_another_installation_makes_no_target),
		cmocka_unit_test(an_old_secret_signs_until_its_time_has_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
