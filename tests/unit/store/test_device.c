/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store_test.h"

#include "wuts/device_code_store.h"

#include <string.h>

static void
insert_then_find_gives_the_same_row(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "devices");
	struct user user = add_user(f, &tenant, "d@example.com", ROLE_USER);
	struct device in = add_device(f, &user, "Mein Gerät"), out;

	assert_int_equal(device_store_find(f->db, &tenant.id, &in.id, &out,
	    &f->fault), 1);
	assert_true(uuid_is_equal(&out.user_id, &user.id));
	assert_string_equal(out.name, "Mein Gerät");
	assert_string_equal(out.jid, "");
	assert_false(out.connected);
	assert_int_equal(out.last_seen_us, 0);
	assert_int_equal(out.created_us, SOME_TIME_US);
}

static void
device_of_another_tenant_is_absent(void **state)
{
	struct fixture *f = *state;
	struct tenant own = add_tenant(f, "own devices");
	struct tenant foreign = add_tenant(f, "foreign devices");
	struct user user = add_user(f, &own, "d@example.com", ROLE_USER);
	struct device device = add_device(f, &user, "phone"), out;

	assert_int_equal(device_store_find(f->db, &foreign.id, &device.id,
	    &out, &f->fault), 0);
	assert_int_equal(device_store_lock(f->db, &foreign.id, &device.id,
	    &out, &f->fault), 0);
	assert_int_equal(device_store_find_only(f->db, &foreign.id, &user.id,
	    &out, &f->fault), 0);
	assert_int_equal(device_store_find_any_tenant(f->db, &device.id, &out,
	    &f->fault), 1);
	/* Nor can one be made for another tenant's user. */
	uuid_new_ordered(&device.id);
	device.tenant_id = foreign.id;
	assert_int_equal(device_store_insert(f->db, &device, &f->fault), -1);
	assert_database_fault(f->fault);
}

static void
update_writes_connection_jid_and_times(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "connecting");
	struct user user = add_user(f, &tenant, "d@example.com", ROLE_USER);
	struct device device = add_device(f, &user, "phone"), out;

	device.connected = true;
	strcpy(device.jid, "15551234567@s.whatsapp.net");
	device.last_seen_us = SOME_TIME_US + 7;
	device.updated_us = SOME_TIME_US + 8;
	assert_int_equal(device_store_update(f->db, &device, &f->fault), 0);
	assert_int_equal(device_store_lock(f->db, &tenant.id, &device.id,
	    &out, &f->fault), 1);
	assert_true(out.connected);
	assert_string_equal(out.jid, device.jid);
	assert_int_equal(out.last_seen_us, SOME_TIME_US + 7);
	assert_int_equal(out.updated_us, SOME_TIME_US + 8);
	device.last_seen_us = 0;
	assert_int_equal(device_store_update(f->db, &device, &f->fault), 0);
	assert_int_equal(device_store_find(f->db, &tenant.id, &device.id,
	    &out, &f->fault), 1);
	assert_int_equal(out.last_seen_us, 0);
}

static void
only_device_is_none_one_or_several(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "only");
	struct user user = add_user(f, &tenant, "d@example.com", ROLE_USER);
	struct device first, out;

	assert_int_equal(device_store_find_only(f->db, &tenant.id, &user.id,
	    &out, &f->fault), 0);
	first = add_device(f, &user, "first");
	assert_int_equal(device_store_find_only(f->db, &tenant.id, &user.id,
	    &out, &f->fault), 1);
	assert_true(uuid_is_equal(&out.id, &first.id));
	add_device(f, &user, "second");
	add_device(f, &user, "third");
	assert_int_equal(device_store_find_only(f->db, &tenant.id, &user.id,
	    &out, &f->fault), 2);
}

struct listed {
	size_t n;
	struct uuid ids[8];
	char url[64];		/* the last one's */
};

static int
take_listed(void *ctx, const struct device *device, const char *webhook_url,
    struct fault *fault)
{
	struct listed *listed = ctx;

	(void)fault;
	listed->ids[listed->n++] = device->id;
	assert_true(strlen(webhook_url) < sizeof(listed->url));
	strcpy(listed->url, webhook_url);
	return 0;
}

static struct listed
list(struct fixture *f, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *after, unsigned limit)
{
	struct listed listed = { .n = 0 };

	assert_int_equal(device_store_list(f->db, tenant_id, user_id, after,
	    limit, take_listed, &listed, &f->fault), 0);
	return listed;
}

static void
list_is_of_a_user_or_a_tenant_and_in_order(void **state)
{
	struct fixture *f = *state;
	struct tenant own = add_tenant(f, "listing");
	struct tenant foreign = add_tenant(f, "not listed");
	struct user user = add_user(f, &own, "u@example.com", ROLE_USER);
	struct user other = add_user(f, &own, "o@example.com", ROLE_USER);
	struct user stranger = add_user(f, &foreign, "s@example.com",
	    ROLE_USER);
	struct device first = add_device(f, &user, "first");
	struct device second = add_device(f, &other, "second");
	struct device third = add_device(f, &user, "third");
	struct listed listed;

	add_device(f, &stranger, "fourth");
	listed = list(f, &own.id, &user.id, NULL, 0);
	assert_int_equal(listed.n, 2);
	assert_true(uuid_is_equal(&listed.ids[0], &first.id));
	assert_true(uuid_is_equal(&listed.ids[1], &third.id));
	listed = list(f, &own.id, NULL, NULL, 0);
	assert_int_equal(listed.n, 3);
	assert_true(uuid_is_equal(&listed.ids[1], &second.id));
	listed = list(f, &own.id, NULL, &first.id, 1);
	assert_int_equal(listed.n, 1);
	assert_true(uuid_is_equal(&listed.ids[0], &second.id));
	listed = list(f, &foreign.id, &user.id, NULL, 0);
	assert_int_equal(listed.n, 0);
}

static void
list_tells_the_webhook_of_each_device(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "hooked");
	struct user user = add_user(f, &tenant, "u@example.com", ROLE_USER);
	struct device device = add_device(f, &user, "phone");
	struct webhook webhook = {
		.id = "urlof1d",
		.tenant_id = tenant.id,
		.device_id = device.id,
		.url = "https://example.com/hook",
		.enabled_events = "[\"*\"]",
		.max_concurrency = 16,
		.secret_sealed = (const uint8_t *)"sealed",
		.secret_sealed_len = 6,
		.created_us = SOME_TIME_US,
		.updated_us = SOME_TIME_US
	};
	struct listed listed = list(f, &tenant.id, NULL, NULL, 0);

	assert_string_equal(listed.url, "");
	assert_int_equal(webhook_store_insert(f->db, &webhook, &f->fault), 0);
	listed = list(f, &tenant.id, NULL, NULL, 0);
	assert_int_equal(listed.n, 1);
	assert_string_equal(listed.url, webhook.url);
}

static void
delete_takes_the_webhook_along_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "purging");
	struct user user = add_user(f, &tenant, "u@example.com", ROLE_USER);
	struct device device = add_device(f, &user, "phone"), out;
	struct device other = add_device(f, &user, "other phone");
	struct webhook webhook = {
		.id = "gonewit",
		.tenant_id = tenant.id,
		.device_id = device.id,
		.url = "https://example.com/hook",
		.enabled_events = "[\"*\"]",
		.max_concurrency = 16,
		.secret_sealed = (const uint8_t *)"sealed",
		.secret_sealed_len = 6,
		.created_us = SOME_TIME_US,
		.updated_us = SOME_TIME_US
	};

	assert_int_equal(webhook_store_insert(f->db, &webhook, &f->fault), 0);
	assert_int_equal(device_store_delete(f->db, &tenant.id, &device.id,
	    &f->fault), 0);
	assert_int_equal(device_store_find(f->db, &tenant.id, &device.id,
	    &out, &f->fault), 0);
	assert_int_equal(webhook_store_find(f->db, f->arena, &tenant.id,
	    &device.id, &webhook, &f->fault), 0);
	assert_int_equal(device_store_find(f->db, &tenant.id, &other.id, &out,
	    &f->fault), 1);
}

static void
code_is_replaced_found_and_deleted_and_goes_with_its_device(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "coding");
	struct tenant foreign = add_tenant(f, "not coding");
	struct user user = add_user(f, &tenant, "u@example.com", ROLE_USER);
	struct device device = add_device(f, &user, "phone");
	struct device_code in = { "2@one", SOME_TIME_US }, out;
	const struct uuid *tenant_id = &tenant.id, *id = &device.id;

	assert_int_equal(device_code_store_find(f->db, tenant_id, id, &out,
	    &f->fault), 0);
	assert_int_equal(device_code_store_replace(f->db, tenant_id, id, &in,
	    &f->fault), 0);
	memset(in.text, 'x', DEVICE_CODE_MAX);
	in.reported_us++;
	assert_int_equal(device_code_store_replace(f->db, tenant_id, id, &in,
	    &f->fault), 0);
	assert_int_equal(device_code_store_find(f->db, tenant_id, id, &out,
	    &f->fault), 1);
	assert_string_equal(out.text, in.text);
	assert_int_equal(out.reported_us, SOME_TIME_US + 1);
	assert_int_equal(device_code_store_find(f->db, &foreign.id, id, &out,
	    &f->fault), 0);
	assert_int_equal(device_code_store_delete(f->db, &foreign.id, id,
	    &f->fault), 0);
	assert_int_equal(device_code_store_find(f->db, tenant_id, id, &out,
	    &f->fault), 1);
	assert_int_equal(device_code_store_delete(f->db, tenant_id, id,
	    &f->fault), 0);
	assert_int_equal(device_code_store_delete(f->db, tenant_id, id,
	    &f->fault), 0);
	assert_int_equal(device_code_store_find(f->db, tenant_id, id, &out,
	    &f->fault), 0);
	assert_int_equal(device_code_store_replace(f->db, tenant_id, id, &in,
	    &f->fault), 0);
	assert_int_equal(device_store_delete(f->db, tenant_id, id, &f->fault),
	    0);
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM device_code"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(insert_then_find_gives_the_same_row),
		cmocka_unit_test(device_of_another_tenant_is_absent),
		cmocka_unit_test(update_writes_connection_jid_and_times),
		cmocka_unit_test(only_device_is_none_one_or_several),
		cmocka_unit_test(list_is_of_a_user_or_a_tenant_and_in_order),
		cmocka_unit_test(list_tells_the_webhook_of_each_device),
		cmocka_unit_test(
		    code_is_replaced_found_and_deleted_and_goes_with_its_device),
		cmocka_unit_test(
		    delete_takes_the_webhook_along_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, store_test_begin, store_test_end);
}
