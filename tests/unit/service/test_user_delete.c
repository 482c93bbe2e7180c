/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "world.h"

#include <string.h>

static int
delete(struct world *w, const struct caller *caller, const struct user *user)
{
	fault_clear(&w->fault);
	return user_service_delete(w->service, caller, &user->id, NULL,
	    &w->fault);
}

static void
deleted_user_is_gone_with_all_that_is_its_own(void **state)
{
	struct world *w = *state;
	struct service *other = world_service(w);
	struct identity identity;
	struct world_cast cast;
	struct caller admin, self;
	struct device device;
	struct user user;
	const struct seen *seen;
	size_t i;

	world_cast(w, &cast, "Acme");
	admin = world_caller(&cast.tenant.admin);
	self = world_caller(&cast.target.user);
	world_device(w, &self, "phone", &device);
	for (i = 0; i < 3; i++) {
		assert_int_equal(identity_service_find(other,
		    cast.target.token, UUID_TEXT_LEN, &identity, &w->fault),
		    1);
		assert_ok(w, user_service_get(other, &admin,
		    &cast.target.user.id, &user, &w->fault));
	}
	assert_ok(w, delete(w, &admin, &cast.target.user));
	assert_int_equal(identity_service_find(other, cast.target.token,
	    UUID_TEXT_LEN, &identity, &w->fault), 0);
	assert_refused(w, user_service_get(other, &admin,
	    &cast.target.user.id, &user, &w->fault), REFUSAL_USER_NOT_FOUND);
	assert_refused(w, device_service_find(other, &admin, &device.id,
	    &device, &w->fault), REFUSAL_DEVICE_NOT_FOUND);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM users"), 4);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM device"), 0);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"
	    " WHERE action = 'user.deleted' AND new_value IS NULL AND"
	    " JSON_VALUE(old_value, '$.email') = 't@example.com' AND"
	    " JSON_VALUE(old_value, '$.role') = 'user'"), 1);
	seen = world_events(w);
	for (i = 0; i < seen->n; i++)
		if (strcmp(seen->events[i].name, "user.deleted") == 0)
			break;
	assert_true(i < seen->n);
	assert_non_null(strstr(seen->events[i].body,
	    "\"email\":\"t@example.com\""));
	assert_non_null(strstr(seen->events[i].body, "\"changed_by\":"));
	assert_refused(w, delete(w, &admin, &cast.target.user),
	    REFUSAL_USER_NOT_FOUND);
	assert_int_equal(world_count_events(w, "user.deleted"), 1);
	service_close(&other);
}

static void
deletion_follows_the_manage_relation(void **state)
{
	struct world *w = *state;
	struct world_cast cast, other;
	struct caller caller;
	int role;

	world_cast(w, &cast, "Acme");
	world_cast(w, &other, "Other");
	for (role = 0; role < ROLE_COUNT; role++) {
		caller = world_caller(&cast.by_role[role].user);
		assert_refused(w, delete(w, &caller, &other.target.user),
		    REFUSAL_USER_NOT_FOUND);
		assert_refused(w, delete(w, &caller,
		    &cast.by_role[role].user), REFUSAL_SELF_MODIFICATION);
		if (role == ROLE_ADMIN)
			continue;
		assert_refused(w, delete(w, &caller, &cast.target.user),
		    REFUSAL_FORBIDDEN);
		assert_refused(w, delete(w, &caller, &cast.tenant.admin),
		    REFUSAL_FORBIDDEN);
	}
	caller = world_caller(&cast.by_role[ROLE_ADMIN].user);
	assert_ok(w, delete(w, &caller, &cast.by_role[ROLE_MANAGER].user));
	assert_ok(w, delete(w, &caller, &cast.tenant.admin));
	assert_ok(w, delete(w, &w->master, &other.target.user));
	caller = w->master;
	caller.identity.kind = IDENTITY_ENGINE;
	assert_refused(w, delete(w, &caller, &cast.target.user),
	    REFUSAL_FORBIDDEN);
	assert_int_equal(world_count_events(w, "user.deleted"), 3);
}

static void
last_active_admin_is_deleted_by_super_only(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct user_registered second;
	struct caller key;

	world_tenant(w, "Acme", &tenant);
	world_user(w, &tenant.tenant.id, "b@example.com", ROLE_ADMIN,
	    &second);
	world_sql(w, "UPDATE users SET active = FALSE"
	    " WHERE email = 'b@example.com'");
	world_sql(w, "INSERT INTO api_key (id, tenant_id, name, prefix,"
	    " scope, key_hash, created_at) SELECT id, id, 'k', 'k', 'full',"
	    " REPEAT('h', 32), created_at FROM tenant");
	key = w->master;
	key.identity.kind = IDENTITY_KEY;
	key.identity.key_id = tenant.tenant.id;
	key.identity.tenant_id = tenant.tenant.id;
	key.identity.role = ROLE_ADMIN;
	assert_refused(w, delete(w, &key, &tenant.admin),
	    REFUSAL_LAST_ADMIN);
	assert_ok(w, delete(w, &key, &second.user));
	assert_refused(w, delete(w, &key, &tenant.admin),
	    REFUSAL_LAST_ADMIN);
	assert_ok(w, delete(w, &w->master, &tenant.admin));
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM users"), 0);
}

static void
if_match_is_honoured(void **state)
{
	struct world *w = *state;
	char etag[USER_ETAG_SIZE];
	struct world_cast cast;

	world_cast(w, &cast, "Acme");
	assert_refused(w, user_service_delete(w->service, &w->master,
	    &cast.target.user.id, "\"other\"", &w->fault),
	    REFUSAL_PRECONDITION_FAILED);
	assert_ok(w, user_service_delete(w->service, &w->master,
	    &cast.target.user.id,
	    user_service_etag(&cast.target.user, etag), &w->fault));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(deleted_user_is_gone_with_all_that_is_its_own),
		TEST(deletion_follows_the_manage_relation),
		TEST(last_active_admin_is_deleted_by_super_only),
		TEST(if_match_is_honoured),
	};

	return cmocka_run_group_tests_name("service/user_delete", tests, NULL,
	    NULL);
}
