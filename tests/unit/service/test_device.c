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

struct rows {
	size_t n;
	struct uuid ids[8];
};

static int
take_row(void *ctx, const struct device *device, const char *webhook_url,
    struct fault *fault)
{
	struct rows *rows = ctx;

	(void)webhook_url;
	(void)fault;
	rows->ids[rows->n++] = device->id;
	return 0;
}

static int
list(struct world *w, const struct caller *caller,
    const struct device_query *query, struct rows *rows)
{
	const char *next_cursor;

	memset(rows, 0, sizeof(*rows));
	return device_service_list(w->service, w->arena, caller, query,
	    take_row, rows, &next_cursor, &w->fault);
}

static void
list_is_the_callers_own_or_the_tenants(void **state)
{
	struct world *w = *state;
	struct device_query query = { .all_of_tenant = false };
	struct world_cast cast, foreign;
	struct caller user, admin, key, stranger;
	struct device device, other;
	struct rows rows;

	world_cast(w, &cast, "Acme");
	world_cast(w, &foreign, "Other");
	user = world_caller(&cast.by_role[ROLE_USER].user);
	admin = world_caller(&cast.tenant.admin);
	stranger = world_caller(&foreign.tenant.admin);
	key = admin;
	key.identity.kind = IDENTITY_KEY;
	world_device(w, &user, "Phone", &device);
	world_device(w, &admin, "Other phone", &other);
	query.tenant_id = cast.tenant.tenant.id;
	assert_ok(w, list(w, &user, &query, &rows));
	assert_int_equal(rows.n, 1);
	assert_true(uuid_is_equal(&rows.ids[0], &device.id));
	assert_ok(w, list(w, &key, &query, &rows));
	assert_int_equal(rows.n, 2);
	assert_ok(w, list(w, &w->master, &query, &rows));
	assert_int_equal(rows.n, 2);
	query.all_of_tenant = true;
	assert_ok(w, list(w, &admin, &query, &rows));
	assert_int_equal(rows.n, 2);
	assert_refused(w, list(w, &user, &query, &rows), REFUSAL_FORBIDDEN);
	assert_refused(w, list(w, &stranger, &query, &rows),
	    REFUSAL_FORBIDDEN);
	query.tenant_id = UUID_NIL;
	assert_refused(w, list(w, &w->master, &query, &rows),
	    REFUSAL_TENANT_NOT_FOUND);
}

/* As if another machine had changed the row: no counter moves here. */
static void
look_is_fresh_where_find_remembers(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct caller caller;
	struct device device, got;

	world_tenant(w, "Acme", &tenant);
	caller = world_caller(&tenant.admin);
	world_device(w, &caller, "Phone", &device);
	assert_ok(w, device_service_find(w->service, &caller, &device.id,
	    &got, &w->fault));
	world_sql(w, "UPDATE device SET connected = TRUE");
	assert_ok(w, device_service_look(w->service, &caller, &device.id,
	    &got, &w->fault));
	assert_true(got.connected);
	world_sql(w, "DELETE FROM device");
	assert_refused(w, device_service_look(w->service, &caller, &device.id,
	    &got, &w->fault), REFUSAL_DEVICE_NOT_FOUND);
}

static void
disconnecting_changes_and_tells_once(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct caller caller;
	struct device device, got;
	const struct seen *seen;

	world_tenant(w, "Acme", &tenant);
	caller = world_caller(&tenant.admin);
	world_device(w, &caller, "Phone", &device);
	assert_ok(w, device_service_disconnect(w->service, &caller,
	    &device.id, false, &w->fault));
	assert_int_equal(world_count_events(w, "device.disconnected"), 0);
	world_sql(w, "UPDATE device SET connected = TRUE, jid = '1@s'");
	assert_ok(w, device_service_disconnect(w->service, &caller,
	    &device.id, false, &w->fault));
	assert_ok(w, device_service_disconnect(w->service, &caller,
	    &device.id, false, &w->fault));
	assert_ok(w, device_service_find(w->service, &caller, &device.id,
	    &got, &w->fault));
	assert_false(got.connected);
	assert_string_equal(got.jid, "1@s");
	assert_true(got.last_seen_us > device.created_us);
	assert_int_equal(world_count_events(w, "device.disconnected"), 1);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit WHERE"
	    " action = 'device.disconnected'"), 1);
	seen = world_events(w);
	assert_true(uuid_is_equal(&seen->events[seen->n - 1].device_id,
	    &device.id));
	assert_non_null(strstr(seen->events[seen->n - 1].body,
	    "\"reason\":\"requested\""));
}

static void
purging_removes_the_device_and_what_is_remembered_of_it(void **state)
{
	struct world *w = *state;
	struct world_cast cast;
	struct caller owner, other;
	struct device device, got;

	world_cast(w, &cast, "Acme");
	owner = world_caller(&cast.by_role[ROLE_MANAGER].user);
	other = world_caller(&cast.by_role[ROLE_USER].user);
	world_device(w, &owner, "Phone", &device);
	assert_ok(w, device_service_find(w->service, &owner, &device.id, &got,
	    &w->fault));
	assert_refused(w, device_service_disconnect(w->service, &other,
	    &device.id, true, &w->fault), REFUSAL_DEVICE_NOT_FOUND);
	world_sql(w, "UPDATE device SET connected = TRUE");
	assert_ok(w, device_service_disconnect(w->service, &owner, &device.id,
	    true, &w->fault));
	assert_refused(w, device_service_find(w->service, &owner, &device.id,
	    &got, &w->fault), REFUSAL_DEVICE_NOT_FOUND);
	assert_refused(w, device_service_disconnect(w->service, &owner,
	    &device.id, true, &w->fault), REFUSAL_DEVICE_NOT_FOUND);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM device"), 0);
	assert_int_equal(world_count_events(w, "device.disconnected"), 1);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit WHERE"
	    " action = 'device.deleted' AND new_value IS NULL"), 1);
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
		TEST(list_is_the_callers_own_or_the_tenants),
		TEST(look_is_fresh_where_find_remembers),
		TEST(disconnecting_changes_and_tells_once),
		TEST(purging_removes_the_device_and_what_is_remembered_of_it),
	};

	return cmocka_run_group_tests_name("service/device", tests, NULL,
	    NULL);
}
