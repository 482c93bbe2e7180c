/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "world.h"

#include "wuts/onprem_service.h"

#include <ctype.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int
find(struct world *w, const char *token, struct identity *identity_r)
{
	fault_clear(&w->fault);
	return identity_service_find(w->service, token, strlen(token),
	    identity_r, &w->fault);
}

static void
configured_tokens_are_known_without_a_database(void **state)
{
	struct world *w = *state;
	struct identity identity;

	service_close(&w->service);
	w->settings.database_socket[1] = '?';
	w->service = world_service(w);
	assert_int_equal(find(w, "the master", &identity), 1);
	assert_int_equal(identity.kind, IDENTITY_MASTER);
	assert_int_equal(find(w, "the engine", &identity), 1);
	assert_int_equal(identity.kind, IDENTITY_ENGINE);
	assert_int_equal(find(w, "The master", &identity), 0);
	assert_int_equal(identity.kind, IDENTITY_NONE);
	assert_int_equal(find(w, "", &identity), 0);
	assert_int_equal(find(w, "7d1e2c3b-0000-4000-8000-000000000000",
	    &identity), -1);
	assert_int_equal(w->fault.code, FAULT_DATABASE);
}

static void
unset_tokens_open_nothing(void **state)
{
	struct world *w = *state;
	struct identity identity;

	w->settings.has_master_token = false;
	w->settings.has_engine_token = false;
	assert_int_equal(find(w, "the master", &identity), 0);
	assert_int_equal(find(w, "the engine", &identity), 0);
}

static void
token_of_a_user_is_found_in_either_case(void **state)
{
	struct world *w = *state;
	struct tenant_registered got;
	struct identity identity;
	char upper[UUID_TEXT_LEN + 1];
	size_t i;

	world_tenant(w, "Acme", &got);
	for (i = 0; i <= UUID_TEXT_LEN; i++)
		upper[i] = (char)toupper((unsigned char)got.token[i]);
	assert_int_equal(find(w, upper, &identity), 1);
	assert_int_equal(find(w, got.token, &identity), 1);
	assert_int_equal(identity.kind, IDENTITY_USER);
	assert_int_equal(identity.role, ROLE_ADMIN);
	assert_true(uuid_is_equal(&identity.user_id, &got.admin.id));
	assert_true(uuid_is_equal(&identity.tenant_id, &got.tenant.id));
}

static void
unknown_and_malformed_tokens_are_nobody(void **state)
{
	struct world *w = *state;
	struct tenant_registered got;
	struct identity identity;

	world_tenant(w, "Acme", &got);
	assert_int_equal(find(w, "7d1e2c3b-0000-4000-8000-000000000000",
	    &identity), 0);
	assert_int_equal(find(w, "nonsense", &identity), 0);
	assert_int_equal(identity_service_find(w->service, got.token,
	    UUID_TEXT_LEN - 1, &identity, &w->fault), 0);
	got.token[8] = '_';
	assert_int_equal(find(w, got.token, &identity), 0);
}

static void
set_active(struct world *w, struct service *service, const struct uuid *id,
    bool active)
{
	struct user_change change = { .has_active = true, .active = active };
	struct user before, after;

	assert_ok(w, user_service_change(service, &w->master, id, &change,
	    NULL, &before, &after, &w->fault));
}

static void
token_of_an_inactive_user_is_nobody_at_once(void **state)
{
	struct world *w = *state;
	struct tenant_registered got;
	struct identity identity;
	int i;

	world_tenant(w, "Acme", &got);
	for (i = 0; i < 3; i++)
		assert_int_equal(find(w, got.token, &identity), 1);
	set_active(w, w->service, &got.admin.id, false);
	for (i = 0; i < 3; i++)
		assert_int_equal(find(w, got.token, &identity), 0);
	set_active(w, w->service, &got.admin.id, true);
	assert_int_equal(find(w, got.token, &identity), 1);
}

static void
identity_comes_from_memory_until_another_process_changes_it(void **state)
{
	struct world *w = *state;
	struct tenant_registered got;
	struct user_registered user;
	struct identity identity;
	pid_t child;
	int status;

	world_tenant(w, "Acme", &got);
	world_user(w, &got.tenant.id, "u@example.com", ROLE_USER, &user);
	/* The first look-up learns whose it is, the second is remembered. */
	assert_int_equal(find(w, user.token, &identity), 1);
	assert_int_equal(find(w, user.token, &identity), 1);
	/* Past the services nobody is told: the memory is believed. */
	world_sql(w, "UPDATE users SET role = 'manager' WHERE role = 'user'");
	assert_int_equal(find(w, user.token, &identity), 1);
	assert_int_equal(identity.role, ROLE_USER);
	child = fork();
	if (child == 0) {
		struct service *service = world_service(w);

		set_active(w, service, &user.user.id, false);
		set_active(w, service, &user.user.id, true);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(find(w, user.token, &identity), 1);
	assert_int_equal(identity.role, ROLE_MANAGER);
}

static void
change_of_one_user_leaves_what_is_remembered_of_others(void **state)
{
	struct world *w = *state;
	struct tenant_registered got;
	struct user_registered user;
	struct identity identity;
	int i;

	world_tenant(w, "Acme", &got);
	world_user(w, &got.tenant.id, "u@example.com", ROLE_USER, &user);
	for (i = 0; i < 2; i++) {
		assert_int_equal(find(w, got.token, &identity), 1);
		assert_int_equal(find(w, user.token, &identity), 1);
	}
	set_active(w, w->service, &user.user.id, false);
	assert_int_equal(find(w, user.token, &identity), 0);
	world_sql(w, "UPDATE users SET role = 'manager'");
	assert_int_equal(find(w, got.token, &identity), 1);
	assert_int_equal(identity.role, ROLE_ADMIN);
	/* A user that is new is news to all of the tenant. */
	world_user(w, &got.tenant.id, "v@example.com", ROLE_USER, &user);
	assert_int_equal(find(w, got.token, &identity), 1);
	assert_int_equal(identity.role, ROLE_MANAGER);
}

static void
time_to_live_of_nothing_turns_memory_off(void **state)
{
	struct world *w = *state;
	struct tenant_registered got;
	struct identity identity;

	w->settings.identity_cache_ttl_ms = 0;
	world_tenant(w, "Acme", &got);
	assert_int_equal(find(w, got.token, &identity), 1);
	assert_int_equal(find(w, got.token, &identity), 1);
	world_sql(w, "UPDATE users SET role = 'manager'");
	assert_int_equal(find(w, got.token, &identity), 1);
	assert_int_equal(identity.role, ROLE_MANAGER);
}

static void
remembered_identity_needs_no_database(void **state)
{
	struct world *w = *state;
	struct tenant_registered got;
	struct identity identity;

	world_tenant(w, "Acme", &got);
	assert_int_equal(find(w, got.token, &identity), 1);
	assert_int_equal(find(w, got.token, &identity), 1);
	w->settings.database_socket[1] = '?';
	world_kill_connections(w);
	assert_int_equal(find(w, got.token, &identity), 1);
	assert_int_equal(identity.kind, IDENTITY_USER);
}

static void
failures_are_counted_for_each_address_across_processes(void **state)
{
	struct world *w = *state;
	struct service *other = world_service(w);
	int i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(identity_service_wait_s(w->service,
		    "192.0.2.9"), 0);
		identity_service_count_failure(i == 0 ? other : w->service,
		    "192.0.2.9");
	}
	assert_true(identity_service_wait_s(w->service, "192.0.2.9") > 0);
	assert_true(identity_service_wait_s(other, "192.0.2.9") > 0);
	assert_int_equal(identity_service_wait_s(other, "192.0.2.10"), 0);
	service_close(&other);
}

static void
the_only_tenant_is_meant_until_there_is_another(void **state)
{
	static char nobody[] = "", password[] = "secret";
	struct world *w = *state;
	struct tenant_registered one, two;
	struct user admin;
	struct uuid meant;
	bool was_enabled;

	w->settings.onprem_tenant = nobody;
	w->settings.onprem_admin_password = password;
	world_tenant(w, "One", &one);
	world_tenant(w, "Two", &two);
	assert_refused(w, onprem_service_bind(w->service, "", &meant,
	    &w->fault), FAULT_NOT_READY);
	assert_ok(w, onprem_service_enable(w->service, &w->master,
	    &one.tenant.id, &was_enabled, &admin, &w->fault));
	for (int i = 0; i < 3; i++) {
		assert_ok(w, onprem_service_bind(w->service, "", &meant,
		    &w->fault));
		assert_true(uuid_is_equal(&meant, &one.tenant.id));
	}
	assert_ok(w, onprem_service_enable(w->service, &w->master,
	    &two.tenant.id, &was_enabled, &admin, &w->fault));
	assert_refused(w, onprem_service_bind(w->service, "", &meant,
	    &w->fault), FAULT_NOT_READY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(configured_tokens_are_known_without_a_database),
		TEST(unset_tokens_open_nothing),
		TEST(token_of_a_user_is_found_in_either_case),
		TEST(unknown_and_malformed_tokens_are_nobody),
		TEST(token_of_an_inactive_user_is_nobody_at_once),
		TEST(identity_comes_from_memory_until_another_process_changes_it),
		TEST(change_of_one_user_leaves_what_is_remembered_of_others),
		TEST(time_to_live_of_nothing_turns_memory_off),
		TEST(remembered_identity_needs_no_database),
		TEST(failures_are_counted_for_each_address_across_processes),
		TEST(the_only_tenant_is_meant_until_there_is_another),
	};

	return cmocka_run_group_tests_name("service/identity", tests, NULL,
	    NULL);
}
