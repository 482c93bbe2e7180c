/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "world.h"

#include "wuts/arena.h"

#include <stdio.h>
#include <string.h>

static void
registration_makes_tenant_admin_audit_and_events(void **state)
{
	struct world *w = *state;
	struct tenant_registered got;
	struct tenant_registration input = {
		.tenant_name = "  Acme  ",
		.email = "Root@Example.com",
		.password = "correct horse battery",
		.webhook_url = "https://hooks.example.com/in"
	};
	const struct seen *seen;

	assert_ok(w, tenant_service_register(w->service, &w->master, &input,
	    &got, &w->fault));
	assert_string_equal(got.tenant.name, "Acme");
	assert_int_equal(got.admin.role, ROLE_ADMIN);
	assert_true(got.admin.active);
	assert_int_equal(strlen(got.token), UUID_TEXT_LEN);
	assert_int_equal(got.token[14], '4');
	assert_string_equal(world_text(w, "SELECT name FROM tenant"), "Acme");
	assert_string_equal(world_text(w, "SELECT email FROM users"),
	    "Root@Example.com");
	assert_string_equal(world_text(w,
	    "SELECT pending_webhook_url FROM users"),
	    "https://hooks.example.com/in");
	assert_string_equal(world_text(w, "SELECT GROUP_CONCAT(action"
	    " ORDER BY action) FROM audit"), "tenant.created,user.created");
	seen = world_events(w);
	assert_int_equal(seen->n, 2);
	assert_string_equal(seen->events[0].name, "tenant.created");
	assert_string_equal(seen->events[1].name, "user.created");
	assert_true(uuid_is_nil(&seen->events[0].device_id));
	assert_true(uuid_is_equal(&seen->events[0].tenant_id,
	    &got.tenant.id));
	assert_non_null(strstr(seen->events[0].body,
	    "\"device_id\":null,\"data\":{\"tenant_id\":\""));
	assert_non_null(strstr(seen->events[0].body, "\"name\":\"Acme\""));
	assert_non_null(strstr(seen->events[1].body,
	    "\"email\":\"Root@Example.com\",\"role\":\"admin\""));
}

static void
neither_token_nor_password_is_stored_in_the_clear(void **state)
{
	struct world *w = *state;
	struct tenant_registered got;

	world_tenant(w, "Acme", &got);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM users WHERE"
	    " INSTR(token_hash, '%s') OR INSTR(token_sealed, '%s') OR"
	    " INSTR(password_hash, 'correct')", got.token, got.token), 0);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM users WHERE"
	    " password_hash LIKE '$argon2id$%%'"), 1);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit WHERE"
	    " INSTR(new_value, '%s')", got.token), 0);
}

static void
taken_name_in_any_case_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct tenant_registered got;
	struct tenant_registration input = {
		.tenant_name = "aCME",
		.email = "other@example.com",
		.password = "correct horse battery"
	};

	world_tenant(w, "Acme", &got);
	assert_refused(w, tenant_service_register(w->service, &w->master,
	    &input, &got, &w->fault), REFUSAL_TENANT_EXISTS);
	assert_string_equal(w->fault.said, "tenant already exists - please "
	    "contact your administrator to create an account");
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM users"), 1);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"), 2);
	assert_int_equal(world_events(w)->n, 2);
}

static void
registration_without_room_in_the_queue_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct tenant_registered got;
	struct tenant_registration input = {
		.tenant_name = "Acme",
		.email = "admin@example.com",
		.password = "correct horse battery"
	};

	service_close(&w->service);
	w->settings.queue_disk_reserve = (size_t)1 << 60;
	w->service = world_service(w);
	assert_refused(w, tenant_service_register(w->service, &w->master,
	    &input, &got, &w->fault), FAULT_QUEUE_FULL);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM tenant"), 0);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"), 0);
	assert_int_equal(world_events(w)->n, 0);
}

static void
every_bad_field_is_named_and_the_password_is_not_echoed(void **state)
{
	struct world *w = *state;
	struct tenant_registered got;
	struct tenant_registration input = {
		.tenant_name = "  ",
		.email = "no address",
		.password = "s3cret!",
		.webhook_url = "ftp://example.com"
	};
	size_t i;

	assert_refused(w, tenant_service_register(w->service, &w->master,
	    &input, &got, &w->fault), REFUSAL_VALIDATION);
	assert_string_equal(w->fault.said, "validation failed");
	assert_int_equal(w->fault.nfields, 4);
	assert_string_equal(w->fault.fields[0].field, "tenant_name");
	assert_string_equal(w->fault.fields[1].field, "email");
	assert_string_equal(w->fault.fields[1].value, "no address");
	assert_string_equal(w->fault.fields[2].field, "password");
	assert_string_equal(w->fault.fields[2].value, "***");
	assert_string_equal(w->fault.fields[3].field, "webhook_url");
	for (i = 0; i < w->fault.nfields; i++)
		assert_null(strstr(w->fault.fields[i].message, "s3cret"));
	assert_null(strstr(w->fault.text, "s3cret"));
	memset(&input, 0, sizeof(input));
	assert_refused(w, tenant_service_register(w->service, &w->master,
	    &input, &got, &w->fault), REFUSAL_VALIDATION);
	assert_int_equal(w->fault.nfields, 3);
}

/* --- the list --- */

struct names {
	size_t n;
	char name[8][40];
};

static int
take_name(void *ctx, const struct tenant *tenant, struct fault *fault)
{
	struct names *names = ctx;

	(void)fault;
	assert_true(names->n < 8);
	snprintf(names->name[names->n++], sizeof(names->name[0]), "%.39s",
	    tenant->name);
	return 0;
}

static void
list_pages_by_name_without_gap_or_repetition(void **state)
{
	static const char *const made[] = { "Delta", "Alpha", "Ärger",
	    "Charlie", "Bravo" };
	struct world *w = *state;
	struct names whole = { 0 }, paged = { 0 };
	struct tenant_registered got;
	const char *cursor = NULL;
	size_t i, pages = 0;

	for (i = 0; i < sizeof(made) / sizeof(made[0]); i++)
		world_tenant(w, made[i], &got);
	assert_ok(w, tenant_service_list(w->service, w->arena, NULL, 0,
	    take_name, &whole, &cursor, &w->fault));
	assert_null(cursor);
	assert_int_equal(whole.n, 5);
	assert_string_equal(whole.name[0], "Alpha");
	do {
		assert_ok(w, tenant_service_list(w->service, w->arena, cursor,
		    2, take_name, &paged, &cursor, &w->fault));
		assert_true(++pages <= 3);
	} while (cursor != NULL);
	assert_int_equal(pages, 3);
	assert_int_equal(paged.n, whole.n);
	for (i = 0; i < whole.n; i++)
		assert_string_equal(paged.name[i], whole.name[i]);
}

static void
full_last_page_has_no_next_cursor(void **state)
{
	struct world *w = *state;
	struct names names = { 0 };
	struct tenant_registered got;
	const char *cursor = "not cleared";

	world_tenant(w, "Alpha", &got);
	world_tenant(w, "Bravo", &got);
	assert_ok(w, tenant_service_list(w->service, w->arena, NULL, 2,
	    take_name, &names, &cursor, &w->fault));
	assert_int_equal(names.n, 2);
	assert_null(cursor);
}

static void
garbage_cursors_are_refused(void **state)
{
	static const char *const garbage[] = {
		"", "t", "tx", "t0", "t00", "u00112233445566778899aabbccddeeff",
		/* an id without a name */
		"t00112233445566778899aabbccddeeff",
		/* names with NUL, invalid UTF-8, a control character, blanks */
		"t00112233445566778899aabbccddeeff00",
		"t00112233445566778899aabbccddeeff41ff",
		"t00112233445566778899aabbccddeeff410a41",
		"t00112233445566778899aabbccddeeff4120",
		"t00112233445566778899aabbccddeeff4g",
		"t00112233445566778899aabbccddeeff 41",
	};
	char too_long[2002];
	struct world *w = *state;
	struct names names = { 0 };
	const char *cursor;
	size_t i;

	for (i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		assert_refused(w, tenant_service_list(w->service, w->arena,
		    garbage[i], 2, take_name, &names, &cursor, &w->fault),
		    REFUSAL_VALIDATION);
		assert_string_equal(w->fault.fields[0].field, "cursor");
	}
	memset(too_long, '4', sizeof(too_long) - 1);
	too_long[0] = 't';
	too_long[sizeof(too_long) - 1] = '\0';
	assert_refused(w, tenant_service_list(w->service, w->arena, too_long,
	    2, take_name, &names, &cursor, &w->fault), REFUSAL_VALIDATION);
}

/* --- one, and its end --- */

static void
tenant_is_shown_with_its_users_and_devices(void **state)
{
	struct world *w = *state;
	struct tenant_details details;
	struct caller user;
	struct device device;
	struct world_cast cast, other;
	struct uuid nobody;

	world_cast(w, &other, "Other");
	world_cast(w, &cast, "Acme");
	user = world_caller(&cast.target.user);
	world_device(w, &user, "one", &device);
	world_device(w, &user, "two", &device);
	assert_ok(w, tenant_service_get(w->service, &cast.tenant.tenant.id,
	    &details, &w->fault));
	assert_string_equal(details.tenant.name, "Acme");
	assert_int_equal(details.users, 5);
	assert_int_equal(details.devices, 2);
	uuid_new_ordered(&nobody);
	assert_refused(w, tenant_service_get(w->service, &nobody, &details,
	    &w->fault), REFUSAL_TENANT_NOT_FOUND);
}

static int
delete_tenant(struct world *w, const struct caller *caller,
    const struct uuid *id)
{
	struct tenant tenant;
	int64_t deleted_us = 0;
	int ret;

	fault_clear(&w->fault);
	ret = tenant_service_delete(w->service, caller, id, &tenant,
	    &deleted_us, &w->fault);
	if (ret == 0) {
		assert_string_equal(tenant.name, "Acme");
		assert_true(deleted_us > tenant.created_us);
	}
	return ret;
}

static int
find_token(struct world *w, struct service *service, const char *token)
{
	struct identity identity;

	fault_clear(&w->fault);
	return identity_service_find(service, token, strlen(token), &identity,
	    &w->fault);
}

static void
deleted_tenant_leaves_its_trail_and_nothing_else(void **state)
{
	struct world *w = *state;
	struct service *other_process = world_service(w);
	struct world_cast cast, other;
	struct tenant_registered again;
	struct tenant_details details;
	struct caller user;
	struct device device;
	long rows;
	int i;

	world_cast(w, &cast, "Acme");
	world_cast(w, &other, "Other");
	user = world_caller(&cast.target.user);
	world_device(w, &user, "one", &device);
	for (i = 0; i < 3; i++)
		assert_int_equal(find_token(w, other_process,
		    cast.target.token), 1);
	rows = world_number(w, "SELECT COUNT(*) FROM audit");
	assert_ok(w, delete_tenant(w, &w->master, &cast.tenant.tenant.id));
	assert_int_equal(find_token(w, other_process, cast.target.token), 0);
	assert_int_equal(find_token(w, other_process, other.target.token),
	    1);
	assert_refused(w, tenant_service_get(w->service,
	    &cast.tenant.tenant.id, &details, &w->fault),
	    REFUSAL_TENANT_NOT_FOUND);
	assert_refused(w, delete_tenant(w, &w->master,
	    &cast.tenant.tenant.id), REFUSAL_TENANT_NOT_FOUND);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM tenant"), 1);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM users"), 5);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM device"), 0);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"),
	    rows + 1);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"
	    " WHERE action = 'tenant.deleted' AND old_value ="
	    " '{\"name\":\"Acme\"}'"), 1);
	/* The name is free. */
	world_tenant(w, "acme", &again);
	service_close(&other_process);
}

static void
only_who_stands_outside_of_tenants_deletes_one(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct caller admin;

	world_tenant(w, "Acme", &tenant);
	admin = world_caller(&tenant.admin);
	assert_refused(w, delete_tenant(w, &admin, &tenant.tenant.id),
	    REFUSAL_FORBIDDEN);
	admin.identity.kind = IDENTITY_OPERATOR;
	assert_ok(w, delete_tenant(w, &admin, &tenant.tenant.id));
}

/* Two and a half batches, of which nobody sweeps at first. */
static void
what_a_deletion_leaves_is_swept_later(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant, other;
	struct tenant_details details;
	int batches = 0, more;

	world_tenant(w, "Acme", &tenant);
	world_tenant(w, "Other", &other);
	world_sql(w, "INSERT INTO users (id, tenant_id, email, email_key,"
	    " password_hash, role, active, token_hash, token_sealed,"
	    " created_at, updated_at) SELECT UNHEX(MD5(seq)), t.id,"
	    " CONCAT(seq, '@example.com'), CONCAT(seq, '@example.com'), '',"
	    " 'user', TRUE, UNHEX(SHA2(seq, 256)), '', t.created_at,"
	    " t.created_at FROM tenant t, seq_1_to_2500"
	    " WHERE t.name = 'Acme'");
	w->settings.request_timeout_ms = 0;
	assert_ok(w, delete_tenant(w, &w->master, &tenant.tenant.id));
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM users"),
	    1502);
	assert_refused(w, tenant_service_get(w->service, &tenant.tenant.id,
	    &details, &w->fault), REFUSAL_TENANT_NOT_FOUND);
	do {
		more = tenant_service_sweep(w->service, &w->fault);
		assert_ok(w, more);
		batches++;
	} while (more == 1);
	assert_int_equal(batches, 3);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM users"), 1);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM tenant"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(registration_makes_tenant_admin_audit_and_events),
		TEST(neither_token_nor_password_is_stored_in_the_clear),
		TEST(taken_name_in_any_case_leaves_nothing),
		TEST(registration_without_room_in_the_queue_leaves_nothing),
		TEST(every_bad_field_is_named_and_the_password_is_not_echoed),
		TEST(list_pages_by_name_without_gap_or_repetition),
		TEST(full_last_page_has_no_next_cursor),
		TEST(garbage_cursors_are_refused),
		TEST(tenant_is_shown_with_its_users_and_devices),
		TEST(deleted_tenant_leaves_its_trail_and_nothing_else),
		TEST(only_who_stands_outside_of_tenants_deletes_one),
		TEST(what_a_deletion_leaves_is_swept_later),
	};

	return cmocka_run_group_tests_name("service/tenant", tests, NULL,
	    NULL);
}
