/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "world.h"

#include <string.h>

static void
device_belongs_to_the_user_who_makes_it(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct caller caller;
	struct device device;

	world_tenant(w, "Acme", &tenant);
	caller = world_caller(&tenant.admin);
	world_device(w, &caller, "  Front desk ", &device);
	assert_string_equal(device.name, "Front desk");
	assert_false(device.connected);
	assert_true(uuid_is_equal(&device.user_id, &tenant.admin.id));
	assert_true(uuid_is_equal(&device.tenant_id, &tenant.tenant.id));
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM device WHERE"
	    " name = 'Front desk' AND NOT connected"), 1);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit WHERE"
	    " action = 'device.created'"), 1);
	assert_refused(w, device_service_create(w->service, &caller, " ",
	    &device, &w->fault), REFUSAL_VALIDATION);
	assert_string_equal(w->fault.fields[0].field, "name");
	assert_refused(w, device_service_create(w->service, &w->master, "x",
	    &device, &w->fault), REFUSAL_FORBIDDEN);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM device"), 1);
}

struct reach {
	const char *sentence;
	const struct caller *caller;
	bool reaches;
};

static void
device_is_found_by_whom_it_concerns(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant, foreign;
	struct user_registered owner, other, manager;
	struct device device, got;
	struct caller callers[7];
	size_t i;
	int again;

	world_tenant(w, "Acme", &tenant);
	world_tenant(w, "Other", &foreign);
	world_user(w, &tenant.tenant.id, "o@example.com", ROLE_USER, &owner);
	world_user(w, &tenant.tenant.id, "x@example.com", ROLE_USER, &other);
	world_user(w, &tenant.tenant.id, "m@example.com", ROLE_MANAGER,
	    &manager);
	callers[0] = world_caller(&owner.user);
	callers[1] = world_caller(&tenant.admin);
	callers[2] = world_caller(&manager.user);
	callers[3] = w->master;
	callers[4] = w->master;
	callers[4].identity.kind = IDENTITY_ENGINE;
	callers[5] = world_caller(&other.user);
	callers[6] = world_caller(&foreign.admin);
	world_device(w, &callers[0], "Phone", &device);
	{
		const struct reach reaches[] = {
			{ "its owner", &callers[0], true },
			{ "an admin of the tenant", &callers[1], true },
			{ "a manager of the tenant", &callers[2], true },
			{ "the master", &callers[3], true },
			{ "the engine", &callers[4], true },
			{ "not another user", &callers[5], false },
			{ "not another tenant's admin", &callers[6], false },
		};

		/* The second time out of memory, with the same answers. */
		for (again = 0; again < 2; again++)
			for (i = 0; i < 7; i++) {
				fault_clear(&w->fault);
				if ((device_service_find(w->service,
				    reaches[i].caller, &device.id, &got,
				    &w->fault) == 0) == reaches[i].reaches)
					continue;
				fail_msg("%s: %s", reaches[i].sentence,
				    w->fault.text);
			}
	}
	assert_int_equal(w->fault.code, REFUSAL_DEVICE_NOT_FOUND);
}

static void
omitted_device_is_the_only_one(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct device device, second, got;
	struct caller caller;

	world_tenant(w, "Acme", &tenant);
	caller = world_caller(&tenant.admin);
	assert_refused(w, device_service_find(w->service, &caller, NULL, &got,
	    &w->fault), REFUSAL_DEVICE_NOT_FOUND);
	world_device(w, &caller, "Phone", &device);
	assert_ok(w, device_service_find(w->service, &caller, NULL, &got,
	    &w->fault));
	assert_true(uuid_is_equal(&got.id, &device.id));
	world_device(w, &caller, "Phone 2", &second);
	assert_refused(w, device_service_find(w->service, &caller, NULL, &got,
	    &w->fault), REFUSAL_VALIDATION);
	assert_string_equal(w->fault.fields[0].field, "device_id");
	assert_refused(w, device_service_find(w->service, &w->master, NULL,
	    &got, &w->fault), REFUSAL_VALIDATION);
	assert_string_equal(w->fault.fields[0].field, "device_id");
}

static void
device_of_nobody_is_not_found_and_not_remembered_as_missing(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct caller caller;
	struct device device, got;
	struct uuid id;

	world_tenant(w, "Acme", &tenant);
	caller = world_caller(&tenant.admin);
	uuid_new_ordered(&id);
	assert_refused(w, device_service_find(w->service, &caller, &id, &got,
	    &w->fault), REFUSAL_DEVICE_NOT_FOUND);
	assert_refused(w, device_service_find(w->service, &w->master, &id,
	    &got, &w->fault), REFUSAL_DEVICE_NOT_FOUND);
	world_device(w, &caller, "Phone", &device);
	assert_ok(w, device_service_find(w->service, &caller, &device.id,
	    &got, &w->fault));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(device_belongs_to_the_user_who_makes_it),
		TEST(device_is_found_by_whom_it_concerns),
		TEST(omitted_device_is_the_only_one),
		TEST(device_of_nobody_is_not_found_and_not_remembered_as_missing),
	};

	return cmocka_run_group_tests_name("service/device", tests, NULL,
	    NULL);
}
