/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "world.h"

#include "wuts/audit_service.h"

#include <string.h>

static struct role_matrix
matrix_of(struct world *w, struct service *service)
{
	struct role_matrix matrix;

	memset(&matrix, 0, sizeof(matrix));
	assert_ok(w, role_service_matrix(service, &matrix, &w->fault));
	return matrix;
}

static unsigned
count(const struct role_matrix *matrix)
{
	const bool *cell = &matrix->allowed[0][0][0];
	unsigned n = 0, i;

	for (i = 0; i < ROLE_COUNT * ROLE_COUNT * ROLE_COUNT; i++)
		n += cell[i];
	return n;
}

static int
allow(struct world *w, struct service *service, enum role actor,
    enum role from, enum role to, bool allowed)
{
	fault_clear(&w->fault);
	return role_service_allow(service, &w->master, actor, from, to,
	    allowed, &w->fault);
}

static void
shipped_matrix_is_the_documented_one(void **state)
{
	struct world *w = *state;
	struct role_matrix matrix = matrix_of(w, w->service);

	assert_int_equal(count(&matrix), 7);
	assert_true(role_may_change(&matrix, ROLE_ADMIN, ROLE_USER,
	    ROLE_ADMIN));
	assert_true(role_may_change(&matrix, ROLE_MANAGER, ROLE_USER,
	    ROLE_MANAGER));
	assert_false(role_may_change(&matrix, ROLE_MANAGER, ROLE_MANAGER,
	    ROLE_USER));
}

static void
edit_is_in_force_at_once_in_every_process(void **state)
{
	struct world *w = *state;
	struct service *other = world_service(w);
	struct role_matrix matrix;
	int i;

	matrix = matrix_of(w, other);
	for (i = 0; i < 4; i++) {
		bool allowed = i % 2 == 0;

		assert_int_equal(allow(w, w->service, ROLE_USER, ROLE_USER,
		    ROLE_ADMIN, allowed), 1);
		assert_int_equal(allow(w, w->service, ROLE_USER, ROLE_USER,
		    ROLE_ADMIN, allowed), 0);
		matrix = matrix_of(w, other);
		assert_int_equal(role_may_change(&matrix, ROLE_USER,
		    ROLE_USER, ROLE_ADMIN), allowed);
	}
	service_close(&other);
}

static void
matrix_comes_from_memory_while_nobody_edits_it(void **state)
{
	struct world *w = *state;
	struct role_matrix matrix;

	(void)matrix_of(w, w->service);
	world_sql(w, "DELETE FROM role_transition");
	matrix = matrix_of(w, w->service);
	assert_int_equal(count(&matrix), 7);
	w->settings.identity_cache_ttl_ms = 0;
	matrix = matrix_of(w, w->service);
	assert_int_equal(count(&matrix), 0);
}

static void
every_edit_is_audited_once_in_a_trail_of_its_own(void **state)
{
	struct world *w = *state;

	assert_int_equal(allow(w, w->service, ROLE_MANAGER, ROLE_USER,
	    ROLE_MANAGER, false), 1);
	assert_int_equal(allow(w, w->service, ROLE_MANAGER, ROLE_USER,
	    ROLE_MANAGER, false), 0);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"
	    " WHERE action = 'matrix.changed' AND tenant_id ="
	    " REPEAT(X'00', 16) AND seq = 1 AND"
	    " JSON_VALUE(old_value, '$.allowed') = 1 AND"
	    " JSON_VALUE(new_value, '$.allowed') = 0 AND"
	    " JSON_VALUE(new_value, '$.actor') = 'manager' AND"
	    " JSON_VALUE(new_value, '$.from') = 'user' AND"
	    " JSON_VALUE(new_value, '$.to') = 'manager'"), 1);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"), 1);
}

static void
reset_brings_the_shipped_matrix_back(void **state)
{
	struct world *w = *state;
	struct role_matrix before = matrix_of(w, w->service), after;

	assert_int_equal(allow(w, w->service, ROLE_USER, ROLE_USER,
	    ROLE_ADMIN, true), 1);
	assert_int_equal(allow(w, w->service, ROLE_ADMIN, ROLE_USER,
	    ROLE_ADMIN, false), 1);
	assert_ok(w, role_service_reset(w->service, &w->master, &w->fault));
	after = matrix_of(w, w->service);
	assert_memory_equal(&after, &before, sizeof(after));
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"), 4);
	/* Nothing to do is nothing done. */
	assert_ok(w, role_service_reset(w->service, &w->master, &w->fault));
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"), 4);
}

static void
no_transition_from_a_role_to_itself(void **state)
{
	struct world *w = *state;

	assert_refused(w, allow(w, w->service, ROLE_ADMIN, ROLE_USER,
	    ROLE_USER, true), REFUSAL_VALIDATION);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"), 0);
}

static void
only_who_stands_outside_of_tenants_edits_it(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct caller admin;

	world_tenant(w, "Acme", &tenant);
	admin = world_caller(&tenant.admin);
	assert_refused(w, role_service_allow(w->service, &admin, ROLE_USER,
	    ROLE_USER, ROLE_ADMIN, true, &w->fault), REFUSAL_FORBIDDEN);
	assert_refused(w, role_service_reset(w->service, &admin, &w->fault),
	    REFUSAL_FORBIDDEN);
	admin.identity.kind = IDENTITY_OPERATOR;
	assert_int_equal(role_service_allow(w->service, &admin, ROLE_USER,
	    ROLE_USER, ROLE_ADMIN, true, &w->fault), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(shipped_matrix_is_the_documented_one),
		TEST(edit_is_in_force_at_once_in_every_process),
		TEST(matrix_comes_from_memory_while_nobody_edits_it),
		TEST(every_edit_is_audited_once_in_a_trail_of_its_own),
		TEST(reset_brings_the_shipped_matrix_back),
		TEST(no_transition_from_a_role_to_itself),
		TEST(only_who_stands_outside_of_tenants_edits_it),
	};

	return cmocka_run_group_tests_name("service/role", tests, NULL,
	    NULL);
}
