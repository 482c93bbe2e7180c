/* SPDX-License-Identifier: MIT */
/* The names of the roles, the manage relation and the matrix look-up. */
#include "config.h"

#include "wuts/role.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
names_and_roles_map_both_ways(void **state)
{
	static const struct {
		const char *name;
		enum role role;
	} rows[] = {
		{ "admin", ROLE_ADMIN },
		{ "manager", ROLE_MANAGER },
		{ "user", ROLE_USER },
	};
	enum role role;
	size_t i;

	(void)state;
	assert_int_equal(sizeof(rows) / sizeof(rows[0]), ROLE_COUNT);
	for (i = 0; i < ROLE_COUNT; i++) {
		role = ROLE_COUNT;
		assert_true(role_parse(rows[i].name, &role));
		assert_int_equal(role, rows[i].role);
		assert_string_equal(role_name(rows[i].role), rows[i].name);
	}
}

static void
other_words_are_no_role(void **state)
{
	static const char *const words[] = {
		"", "Admin", "ADMIN", "admin ", " admin", "admins", "adm",
		"super_admin", "user\n", "0",
	};
	enum role role;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		role = ROLE_COUNT;
		if (role_parse(words[i], &role))
			fail_msg("\"%s\" was taken for a role", words[i]);
		assert_int_equal(role, ROLE_COUNT);
	}
}

/* The table of spec/wuts.md §3, a letter for each action allowed. */
static void
the_manage_relation_is_the_specified_one(void **state)
{
	static const struct {
		enum role caller, target;
		const char *may;
		const char *sentence;
	} rows[] = {
		{ ROLE_ADMIN, ROLE_USER, "vard", "an admin runs users" },
		{ ROLE_ADMIN, ROLE_MANAGER, "vard", "an admin runs managers" },
		{ ROLE_ADMIN, ROLE_ADMIN, "vard", "an admin runs admins" },
		{ ROLE_MANAGER, ROLE_USER, "var",
		    "a manager changes users and deletes none" },
		{ ROLE_MANAGER, ROLE_MANAGER, "v",
		    "a manager looks at managers" },
		{ ROLE_MANAGER, ROLE_ADMIN, "",
		    "a manager does not see admins" },
		{ ROLE_USER, ROLE_USER, "", "a user does not see users" },
		{ ROLE_USER, ROLE_MANAGER, "",
		    "a user does not see managers" },
		{ ROLE_USER, ROLE_ADMIN, "", "a user does not see admins" },
	};
	static const char letters[MANAGE_COUNT] = {
		[MANAGE_VIEW] = 'v',
		[MANAGE_ACTIVE] = 'a',
		[MANAGE_ROLE] = 'r',
		[MANAGE_DELETE] = 'd',
	};
	bool expected;
	size_t i;
	int action;

	(void)state;
	assert_int_equal(sizeof(rows) / sizeof(rows[0]),
	    ROLE_COUNT * ROLE_COUNT);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (action = 0; action < MANAGE_COUNT; action++) {
			expected = strchr(rows[i].may, letters[action]) != NULL;
			if (role_may_manage(rows[i].caller, rows[i].target,
			    (enum manage_action)action) != expected)
				fail_msg("%s: action %c", rows[i].sentence,
				    letters[action]);
		}
	}
}

static void
a_transition_is_allowed_by_its_own_row_only(void **state)
{
	struct role_matrix matrix = { 0 };
	int actor, from, to;

	(void)state;
	matrix.allowed[ROLE_MANAGER][ROLE_USER][ROLE_ADMIN] = true;
	for (actor = 0; actor < ROLE_COUNT; actor++) {
		for (from = 0; from < ROLE_COUNT; from++) {
			for (to = 0; to < ROLE_COUNT; to++)
				assert_int_equal(role_may_change(&matrix,
				    (enum role)actor, (enum role)from,
				    (enum role)to), actor == ROLE_MANAGER &&
				    from == ROLE_USER && to == ROLE_ADMIN);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_roles_map_both_ways),
		cmocka_unit_test(other_words_are_no_role),
		cmocka_unit_test(the_manage_relation_is_the_specified_one),
		cmocka_unit_test(a_transition_is_allowed_by_its_own_row_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
