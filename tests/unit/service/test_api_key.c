/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "world.h"

#include "wuts/api_key_service.h"
#include "wuts/clock.h"

#include <stdio.h>
#include <string.h>

struct made {
	struct api_key key;
	char text[API_KEY_TEXT_LEN + 1];
};

static int
create(struct world *w, const struct caller *caller,
    const struct uuid *tenant_id, const char *name, const char *scope,
    const char *expires_at, struct made *made_r)
{
	struct api_key_input input = {
		.tenant_id = *tenant_id,
		.name = name,
		.scope = scope,
		.expires_at = expires_at
	};

	fault_clear(&w->fault);
	return api_key_service_create(w->service, caller, &input,
	    &made_r->key, made_r->text, &w->fault);
}

static int
find(struct world *w, const char *text, struct identity *identity_r)
{
	fault_clear(&w->fault);
	return identity_service_find(w->service, text, strlen(text),
	    identity_r, &w->fault);
}

static struct caller
caller_of(struct world *w, const struct made *made)
{
	struct caller caller = { .request_id = "test", .address = "::1" };

	assert_int_equal(find(w, made->text, &caller.identity), 1);
	return caller;
}

static void
key_acts_as_its_tenant(void **state)
{
	struct world *w = *state;
	struct identity identity;
	struct world_cast cast;
	struct made full, reader;
	int i;

	world_cast(w, &cast, "Acme");
	assert_ok(w, create(w, &w->master, &cast.tenant.tenant.id, " CI ",
	    NULL, NULL, &full));
	assert_string_equal(full.key.name, "CI");
	assert_int_equal(full.key.scope, API_KEY_FULL);
	assert_int_equal(strlen(full.text), API_KEY_TEXT_LEN);
	assert_true(api_key_is_text(full.text, API_KEY_TEXT_LEN));
	assert_memory_equal(full.key.prefix, full.text, API_KEY_PREFIX_LEN);
	assert_int_equal(full.key.expires_us, 0);
	assert_ok(w, create(w, &w->master, &cast.tenant.tenant.id, "view",
	    "read", NULL, &reader));
	assert_string_not_equal(full.text, reader.text);
	/* From the database, then from memory. */
	for (i = 0; i < 3; i++) {
		assert_int_equal(find(w, full.text, &identity), 1);
		assert_int_equal(identity.kind, IDENTITY_KEY);
		assert_int_equal(identity.role, ROLE_ADMIN);
		assert_false(identity.read_only);
		assert_true(uuid_is_equal(&identity.key_id, &full.key.id));
		assert_true(uuid_is_equal(&identity.tenant_id,
		    &cast.tenant.tenant.id));
		assert_int_equal(find(w, reader.text, &identity), 1);
		assert_true(identity.read_only);
	}
	full.text[10] ^= 1;
	assert_int_equal(find(w, full.text, &identity), 0);
	assert_int_equal(identity.kind, IDENTITY_NONE);
}

static void
only_admins_of_the_tenant_make_and_delete_keys(void **state)
{
	struct world *w = *state;
	struct made made, full, reader, more;
	struct world_cast cast, other;
	const struct uuid *tenant_id = &cast.tenant.tenant.id;
	struct caller caller;
	struct uuid nobody;
	int role;

	world_cast(w, &cast, "Acme");
	world_cast(w, &other, "Other");
	caller = world_caller(&cast.by_role[ROLE_ADMIN].user);
	assert_ok(w, create(w, &caller, tenant_id, "k", "full", NULL, &full));
	assert_ok(w, create(w, &caller, tenant_id, "k", "read", NULL,
	    &reader));
	for (role = ROLE_MANAGER; role <= ROLE_USER; role++) {
		caller = world_caller(&cast.by_role[role].user);
		assert_refused(w, create(w, &caller, tenant_id, "k", NULL,
		    NULL, &made), REFUSAL_FORBIDDEN);
		assert_refused(w, api_key_service_delete(w->service, &caller,
		    tenant_id, &full.key.id, &w->fault), REFUSAL_FORBIDDEN);
		/* Also when a cache says admin. */
		caller.identity.role = ROLE_ADMIN;
		assert_refused(w, create(w, &caller, tenant_id, "k", NULL,
		    NULL, &made), REFUSAL_FORBIDDEN);
		assert_refused(w, api_key_service_delete(w->service, &caller,
		    tenant_id, &full.key.id, &w->fault), REFUSAL_FORBIDDEN);
	}
	caller = world_caller(&other.by_role[ROLE_ADMIN].user);
	assert_refused(w, create(w, &caller, tenant_id, "k", NULL, NULL,
	    &made), REFUSAL_FORBIDDEN);
	assert_refused(w, api_key_service_delete(w->service, &caller,
	    &other.tenant.tenant.id, &full.key.id, &w->fault),
	    REFUSAL_NOT_FOUND);
	caller = caller_of(w, &full);
	assert_ok(w, create(w, &caller, tenant_id, "more", NULL, NULL,
	    &more));
	caller = caller_of(w, &reader);
	assert_refused(w, create(w, &caller, tenant_id, "k", NULL, NULL,
	    &made), REFUSAL_FORBIDDEN);
	caller.identity.read_only = false;
	assert_refused(w, create(w, &caller, tenant_id, "k", NULL, NULL,
	    &made), REFUSAL_FORBIDDEN);
	uuid_new_ordered(&nobody);
	assert_refused(w, create(w, &w->master, &nobody, "k", NULL, NULL,
	    &made), REFUSAL_TENANT_NOT_FOUND);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM api_key"), 3);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"
	    " WHERE action = 'api_key.created'"), 3);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"
	    " WHERE actor_kind = 'api_key'"), 1);
}

static void
every_wrong_field_is_named_at_once(void **state)
{
	static const char *const times[] = {
		"tomorrow", "2020-01-01T00:00:00Z", "", "2090-13-01T00:00:00Z"
	};
	struct world *w = *state;
	struct tenant_registered tenant;
	struct made made;
	size_t i;

	world_tenant(w, "Acme", &tenant);
	assert_refused(w, create(w, &w->master, &tenant.tenant.id, NULL,
	    "write", "never", &made), REFUSAL_VALIDATION);
	assert_int_equal(w->fault.nfields, 3);
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		assert_refused(w, create(w, &w->master, &tenant.tenant.id,
		    "k", NULL, times[i], &made), REFUSAL_VALIDATION);
		assert_int_equal(w->fault.nfields, 1);
		assert_string_equal(w->fault.fields[0].field, "expires_at");
		assert_string_equal(made.text, "");
	}
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM api_key"), 0);
}

#define AN_HOUR_US (INT64_C(3600) * CLOCK_SECOND_US)

/* The linker puts this in the place of clock_wall_us(). */
static int64_t later_us;
int64_t __real_clock_wall_us(void);
int64_t __wrap_clock_wall_us(void);

int64_t
__wrap_clock_wall_us(void)
{
	return __real_clock_wall_us() + later_us;
}

static void
expired_key_is_nobody_although_it_is_remembered(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct identity identity;
	struct user_registered user;
	struct user_registration input = {
		.email = "new@example.com",
		.password = "correct horse battery"
	};
	struct caller caller;
	struct made made;
	char soon[CLOCK_RFC3339_SIZE];

	world_tenant(w, "Acme", &tenant);
	clock_format(clock_wall_us() + AN_HOUR_US, soon);
	assert_ok(w, create(w, &w->master, &tenant.tenant.id, "k", NULL, soon,
	    &made));
	assert_true(made.key.expires_us > 0);
	caller = caller_of(w, &made);
	assert_int_equal(find(w, made.text, &identity), 1);
	later_us = AN_HOUR_US;
	assert_int_equal(find(w, made.text, &identity), 0);
	/* A request that came before the end is judged by the time it acts. */
	input.tenant_id = tenant.tenant.id;
	assert_refused(w, user_service_create(w->service, &caller, &input,
	    &user, &w->fault), REFUSAL_UNAUTHORIZED);
	later_us = 0;
}

static void
deleted_key_stops_at_once_in_every_process(void **state)
{
	struct world *w = *state;
	struct service *other = world_service(w);
	struct tenant_registered tenant;
	struct identity identity;
	struct caller caller;
	struct made made, more;
	int i;

	world_tenant(w, "Acme", &tenant);
	assert_ok(w, create(w, &w->master, &tenant.tenant.id, "k", NULL, NULL,
	    &made));
	for (i = 0; i < 3; i++)
		caller = caller_of(w, &made);
	assert_ok(w, api_key_service_delete(other, &w->master,
	    &tenant.tenant.id, &made.key.id, &w->fault));
	assert_int_equal(find(w, made.text, &identity), 0);
	/* One whose identity was found just before. */
	assert_refused(w, create(w, &caller, &tenant.tenant.id, "k", NULL,
	    NULL, &more), REFUSAL_UNAUTHORIZED);
	assert_refused(w, api_key_service_delete(w->service, &w->master,
	    &tenant.tenant.id, &made.key.id, &w->fault), REFUSAL_NOT_FOUND);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"
	    " WHERE action = 'api_key.deleted' AND old_value LIKE"
	    " '%%\"name\":\"k\"%%'"), 1);
	service_close(&other);
}

static void
use_is_noted_to_the_minute(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct identity identity;
	struct made made;
	int i;

	world_tenant(w, "Acme", &tenant);
	assert_ok(w, create(w, &w->master, &tenant.tenant.id, "k", NULL, NULL,
	    &made));
	assert_int_equal(world_number(w, "SELECT last_used_at IS NULL"
	    " FROM api_key"), 1);
	assert_int_equal(find(w, made.text, &identity), 1);
	assert_int_equal(world_number(w, "SELECT ABS(TIMESTAMPDIFF(SECOND,"
	    " last_used_at, UTC_TIMESTAMP(6))) < 60 FROM api_key"), 1);
	world_sql(w, "UPDATE api_key SET last_used_at = '2020-01-01'");
	for (i = 0; i < 5; i++)
		assert_int_equal(find(w, made.text, &identity), 1);
	assert_string_equal(world_text(w, "SELECT DATE(last_used_at)"
	    " FROM api_key"), "2020-01-01");
	/* Another process has not noted it in this minute. */
	service_close(&w->service);
	w->service = world_service(w);
	assert_int_equal(find(w, made.text, &identity), 1);
	assert_string_not_equal(world_text(w, "SELECT DATE(last_used_at)"
	    " FROM api_key"), "2020-01-01");
}

static void
use_that_cannot_be_noted_fails_nothing(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct identity identity;
	struct made made;

	world_tenant(w, "Acme", &tenant);
	assert_ok(w, create(w, &w->master, &tenant.tenant.id, "k", NULL, NULL,
	    &made));
	world_sql(w, "CREATE TRIGGER no BEFORE UPDATE ON api_key FOR EACH ROW"
	    " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'declared'");
	assert_int_equal(find(w, made.text, &identity), 1);
	assert_int_equal(identity.kind, IDENTITY_KEY);
}

struct listed {
	unsigned n;
	char names[16][API_KEY_NAME_MAX * 4 + 1];
};

static int
note_listed(void *ctx, const struct api_key *key, struct fault *fault)
{
	struct listed *listed = ctx;

	(void)fault;
	assert_true(listed->n < 16);
	snprintf(listed->names[listed->n++], sizeof(listed->names[0]), "%s",
	    key->name);
	return 0;
}

static void
list_holds_the_tenants_keys_in_order_page_by_page(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant, other;
	struct listed listed = { .n = 0 };
	const char *next = NULL;
	struct uuid nobody;
	struct made made;
	char name[16];
	unsigned i, pages = 0;

	world_tenant(w, "Acme", &tenant);
	world_tenant(w, "Other", &other);
	for (i = 0; i < 7; i++) {
		snprintf(name, sizeof(name), "key %u", i);
		assert_ok(w, create(w, &w->master, &tenant.tenant.id, name,
		    NULL, NULL, &made));
	}
	assert_ok(w, create(w, &w->master, &other.tenant.id, "foreign", NULL,
	    NULL, &made));
	do {
		assert_ok(w, api_key_service_list(w->service, w->arena,
		    &tenant.tenant.id, next, 3, note_listed, &listed, &next,
		    &w->fault));
		pages++;
	} while (next != NULL);
	assert_int_equal(pages, 3);
	assert_int_equal(listed.n, 7);
	for (i = 0; i < 7; i++) {
		snprintf(name, sizeof(name), "key %u", i);
		assert_string_equal(listed.names[i], name);
	}
	uuid_new_ordered(&nobody);
	assert_refused(w, api_key_service_list(w->service, w->arena, &nobody,
	    NULL, 0, note_listed, &listed, &next, &w->fault),
	    REFUSAL_TENANT_NOT_FOUND);
	assert_refused(w, api_key_service_list(w->service, w->arena,
	    &tenant.tenant.id, "k00", 0, note_listed, &listed, &next,
	    &w->fault), REFUSAL_VALIDATION);
}

static void
key_does_what_an_admin_may_but_has_no_self(void **state)
{
	struct world *w = *state;
	struct user_change change = { .has_role = true, .role = ROLE_MANAGER };
	struct user before, after;
	struct world_cast cast, other;
	struct caller caller;
	struct device device;
	struct made made;

	world_cast(w, &cast, "Acme");
	world_cast(w, &other, "Other");
	assert_ok(w, create(w, &w->master, &cast.tenant.tenant.id, "k", NULL,
	    NULL, &made));
	caller = caller_of(w, &made);
	assert_ok(w, user_service_change(w->service, &caller,
	    &cast.target.user.id, &change, NULL, &before, &after, &w->fault));
	assert_refused(w, user_service_change(w->service, &caller,
	    &other.target.user.id, &change, NULL, &before, &after,
	    &w->fault), REFUSAL_USER_NOT_FOUND);
	assert_refused(w, device_service_create(w->service, &caller, "phone",
	    &device, &w->fault), REFUSAL_FORBIDDEN);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"
	    " WHERE actor_kind = 'api_key' AND action ="
	    " 'user.role_changed' AND actor_user_id IS NULL"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(key_acts_as_its_tenant),
		TEST(only_admins_of_the_tenant_make_and_delete_keys),
		TEST(every_wrong_field_is_named_at_once),
		TEST(expired_key_is_nobody_although_it_is_remembered),
		TEST(deleted_key_stops_at_once_in_every_process),
		TEST(use_is_noted_to_the_minute),
		TEST(use_that_cannot_be_noted_fails_nothing),
		TEST(list_holds_the_tenants_keys_in_order_page_by_page),
		TEST(key_does_what_an_admin_may_but_has_no_self),
	};

	return cmocka_run_group_tests_name("service/api_key", tests, NULL,
	    NULL);
}
