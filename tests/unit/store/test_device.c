/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store_test.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(insert_then_find_gives_the_same_row),
		cmocka_unit_test(device_of_another_tenant_is_absent),
		cmocka_unit_test(update_writes_connection_jid_and_times),
		cmocka_unit_test(only_device_is_none_one_or_several),
	};

	return cmocka_run_group_tests(tests, store_test_begin, store_test_end);
}
