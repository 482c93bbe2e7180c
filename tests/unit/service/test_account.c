/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "world.h"

#include <string.h>

static int
create(struct world *w, const struct uuid *tenant_id, const char *email,
    const char *username, bool in_any_case, struct user_registered *got_r)
{
	struct user_registration input = {
		.tenant_id = *tenant_id,
		.rules = ACCOUNT_CHECKED,
		.email = email,
		.username = username,
		.username_in_any_case = in_any_case,
		.must_change_password = true,
		.role = ROLE_USER
	};

	fault_clear(&w->fault);
	return user_service_create(w->service, &w->master, &input, got_r,
	    &w->fault);
}

static void
account_needs_neither_address_nor_name_nor_password(void **state)
{
	struct world *w = *state;
	struct user_registered got, again;
	struct world_cast cast;
	struct user user;

	world_cast(w, &cast, "Acme");
	assert_ok(w, create(w, &cast.tenant.tenant.id, NULL, NULL, true,
	    &got));
	assert_ok(w, create(w, &cast.tenant.tenant.id, NULL, NULL, true,
	    &again));
	assert_ok(w, user_service_get(w->service, &w->master, &got.user.id,
	    &user, &w->fault));
	assert_string_equal(user.email, "");
	assert_string_equal(user.username, "");
	assert_true(user.must_change_password);
	assert_int_equal(user_service_check_password(w->service,
	    &w->master, &cast.tenant.tenant.id, "", "", &user, &w->fault), 0);
	/* The rules of the WUTS dialect are as they were. */
	{
		struct user_registration input = {
			.tenant_id = cast.tenant.tenant.id, .role = ROLE_USER
		};

		assert_refused(w, user_service_create(w->service, &w->master,
		    &input, &got, &w->fault), REFUSAL_VALIDATION);
		assert_int_equal(w->fault.nfields, 2);
	}
}

static void
user_name_is_taken_byte_by_byte_or_in_any_case_as_asked(void **state)
{
	struct world *w = *state;
	struct world_cast cast, other;
	struct user_registered got;
	const struct uuid *id = &cast.tenant.tenant.id;

	world_cast(w, &cast, "Acme");
	world_cast(w, &other, "Other");
	assert_ok(w, create(w, id, NULL, "jdoe", false, &got));
	assert_string_equal(got.user.username, "jdoe");
	assert_refused(w, create(w, id, NULL, "jdoe", false, &got),
	    REFUSAL_USERNAME_EXISTS);
	assert_refused(w, create(w, id, NULL, "JDoe", true, &got),
	    REFUSAL_USERNAME_EXISTS);
	assert_ok(w, create(w, id, NULL, "JDoe", false, &got));
	assert_ok(w, create(w, &other.tenant.tenant.id, NULL, "jdoe", true,
	    &got));
}

static void
address_has_its_row_and_is_taken_wherever_it_stands(void **state)
{
	struct world *w = *state;
	struct user_registered got;
	struct world_cast cast;
	const struct uuid *id = &cast.tenant.tenant.id;
	long users;

	world_cast(w, &cast, "Acme");
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM users"),
	    world_number(w, "SELECT COUNT(*) FROM user_email JOIN users"
	    " ON users.id = user_email.user_id"
	    " AND users.email = user_email.email WHERE is_primary"));
	assert_ok(w, create(w, id, "Ada@example.com", NULL, false, &got));
	/* A second address of somebody counts as much as a first one. */
	world_sql(w, "INSERT INTO user_email (id, tenant_id, user_id, email,"
	    " email_key, is_primary, verified, created_at, updated_at)"
	    " SELECT UNHEX(REPLACE(UUID(), '-', '')), tenant_id, id,"
	    " 'two@example.com', 'two@example.com', FALSE, FALSE, created_at,"
	    " created_at FROM users WHERE email_key = 'ada@example.com'");
	users = world_number(w, "SELECT COUNT(*) FROM users");
	assert_refused(w, create(w, id, "ADA@example.com", "x", true, &got),
	    REFUSAL_EMAIL_EXISTS);
	assert_refused(w, create(w, id, "TWO@example.com", NULL, true, &got),
	    REFUSAL_EMAIL_EXISTS);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM users"),
	    users);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    account_needs_neither_address_nor_name_nor_password,
		    world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
		    user_name_is_taken_byte_by_byte_or_in_any_case_as_asked,
		    world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
		    address_has_its_row_and_is_taken_wherever_it_stands,
		    world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
