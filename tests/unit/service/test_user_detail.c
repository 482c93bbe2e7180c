/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "world.h"

#include "wuts/user_detail_service.h"

#include <string.h>

static int
create(struct world *w, const struct caller *caller, const char *email,
    const char *phone, struct user_details *details_r)
{
	struct user_creation input = {
		.first_name = "Ada",
		.last_name = "Lovelace",
		.email = email,
		.phone = phone,
		.skip_password_check = true
	};

	fault_clear(&w->fault);
	return user_detail_service_create(w->service, w->arena, caller,
	    &input, details_r, &w->fault);
}

/* Every row that a user may have, and every event so far. */
static long
rows(struct world *w)
{
	return world_number(w, "SELECT (SELECT COUNT(*) FROM users)"
	    " + (SELECT COUNT(*) FROM user_email)"
	    " + (SELECT COUNT(*) FROM user_phone)"
	    " + (SELECT COUNT(*) FROM user_profile)"
	    " + (SELECT COUNT(*) FROM user_search)"
	    " + (SELECT COUNT(*) FROM audit)"
	    " + (SELECT COUNT(*) FROM outbox)"
	    " + (SELECT SUM(n) FROM user_count)");
}

static void
what_fails_at_its_last_key_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct user_details details;
	struct world_cast cast;
	struct caller caller;
	size_t events;
	long before;

	world_cast(w, &cast, "Acme");
	caller = world_caller(&cast.by_role[ROLE_ADMIN].user);
	assert_ok(w, create(w, &caller, "ada@example.com", "+4912345",
	    &details));
	before = rows(w);
	events = world_events(w)->n;
	assert_refused(w, create(w, &caller, "new@example.com", "4912345",
	    &details), REFUSAL_PHONE_EXISTS);
	assert_refused(w, create(w, &caller, "ADA@example.com", NULL,
	    &details), REFUSAL_EMAIL_EXISTS);
	assert_int_equal(rows(w), before);
	assert_int_equal(world_events(w)->n, events);
}

static void
only_admins_and_keys_of_the_tenant_get_anywhere(void **state)
{
	struct world *w = *state;
	struct user_details details;
	struct world_cast cast, foreign;
	struct caller caller;

	world_cast(w, &cast, "Acme");
	world_cast(w, &foreign, "Other");
	caller = world_caller(&cast.by_role[ROLE_MANAGER].user);
	assert_refused(w, create(w, &caller, "a@example.com", NULL,
	    &details), REFUSAL_FORBIDDEN);
	assert_refused(w, user_detail_service_get(w->service, w->arena,
	    &caller, &cast.target.user.id, &details, &w->fault),
	    REFUSAL_FORBIDDEN);
	caller = world_caller(&cast.by_role[ROLE_ADMIN].user);
	assert_refused(w, user_detail_service_get(w->service, w->arena,
	    &caller, &foreign.target.user.id, &details, &w->fault),
	    REFUSAL_USER_NOT_FOUND);
	/* What authentication knew is one thing, what the row says another. */
	world_sql(w, "UPDATE users SET role = 'manager'");
	assert_refused(w, create(w, &caller, "a@example.com", NULL,
	    &details), REFUSAL_FORBIDDEN);
}

static void
users_of_every_dialect_are_counted_and_found(void **state)
{
	struct world *w = *state;
	struct user_details details;
	struct world_cast cast;
	struct caller caller;

	world_cast(w, &cast, "Acme");
	caller = world_caller(&cast.by_role[ROLE_ADMIN].user);
	assert_ok(w, create(w, &caller, "ada@example.com", NULL, &details));
	assert_int_equal(world_number(w, "SELECT n FROM user_count"),
	    world_number(w, "SELECT COUNT(*) FROM users"));
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM user_search"),
	    world_number(w, "SELECT COUNT(*) FROM users"));
	assert_ok(w, user_service_delete(w->service, &caller,
	    &details.user.id, NULL, &w->fault));
	assert_ok(w, user_detail_service_delete(w->service, w->arena, &caller,
	    &cast.target.user.id, &w->fault));
	assert_int_equal(world_number(w, "SELECT n FROM user_count"),
	    world_number(w, "SELECT COUNT(*) FROM users"));
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM user_search"),
	    world_number(w, "SELECT COUNT(*) FROM users"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    what_fails_at_its_last_key_leaves_nothing,
		    world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
		    only_admins_and_keys_of_the_tenant_get_anywhere,
		    world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
		    users_of_every_dialect_are_counted_and_found,
		    world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
