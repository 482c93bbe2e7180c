/* SPDX-License-Identifier: MIT */
/* The whole truth table: every caller, target and change against the rules of
   spec/wuts.md §3, said here a second time, in its words and in its order. A
   cell is a caller and what it asks for; the first sentence that applies to a
   cell is its answer. Nothing here looks at how src/model decides. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/user.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

enum { ADMIN, MANAGER, USER, ROLES };

static const enum role roles[ROLES] = {
	[ADMIN] = ROLE_ADMIN,
	[MANAGER] = ROLE_MANAGER,
	[USER] = ROLE_USER,
};
static const char *const names[ROLES] = {
	[ADMIN] = "admin",
	[MANAGER] = "manager",
	[USER] = "user",
};

/* --- who asks, for what --- */

struct caller_row {
	const char *name;
	enum identity_kind kind;
	int role;
	bool is_super, is_nobody, has_self, only_reads;
};

static const struct caller_row callers[] = {
	{ "nobody", IDENTITY_NONE, USER, .is_nobody = true },
	{ "the engine", IDENTITY_ENGINE, USER, .is_nobody = true },
	{ "the master", IDENTITY_MASTER, USER, .is_super = true },
	{ "the operator", IDENTITY_OPERATOR, USER, .is_super = true },
	{ "an admin", IDENTITY_USER, ADMIN, .has_self = true },
	{ "a manager", IDENTITY_USER, MANAGER, .has_self = true },
	{ "a user", IDENTITY_USER, USER, .has_self = true },
	{ "a full key", IDENTITY_KEY, ADMIN, .is_super = false },
	{ "a reading key", IDENTITY_KEY, ADMIN, .only_reads = true },
};

enum ask { ASK_VIEW, ASK_CHANGE, ASK_DELETE };

/* -1: not asked for. */
static const int actives[] = { -1, 0, 1 };
static const int wishes[] = { -1, ADMIN, MANAGER, USER };
static const unsigned others[] = { 0, 1, 2 };

struct cell {
	const struct caller_row *caller;
	bool is_foreign;	/* the target, to the caller */
	bool is_self;
	int role;		/* the target's */
	bool active;
	enum ask ask;
	int new_active, new_role;
	unsigned other_admins;
	const struct role_matrix *matrix;
};

/* --- the rules --- */

/* Rows caller, columns target: view, active, role, delete. */
static const char *const manage[ROLES][ROLES] = {
	/*		  ADMIN   MANAGER USER */
	[ADMIN] =	{ "vard", "vard", "vard" },
	[MANAGER] =	{ "",     "v",    "var" },
	[USER] =	{ "",     "",     "" },
};

static bool
changes_role(const struct cell *c)
{
	return c->ask == ASK_CHANGE && c->new_role >= 0 &&
	    c->new_role != c->role;
}

static bool
changes_active(const struct cell *c)
{
	return c->ask == ASK_CHANGE && c->new_active >= 0 &&
	    (c->new_active != 0) != c->active;
}

static bool
asks_more_than_a_look(const struct cell *c)
{
	return c->ask == ASK_DELETE || (c->ask == ASK_CHANGE &&
	    (c->new_active >= 0 || c->new_role >= 0));
}

static bool
a_super_admin_may_do_everything(const struct cell *c)
{
	return c->caller->is_super;
}

static bool
nobody_may_do_nothing(const struct cell *c)
{
	return c->caller->is_nobody;
}

static bool
another_tenants_user_does_not_exist(const struct cell *c)
{
	return c->is_foreign;
}

static bool
nobody_changes_themself(const struct cell *c)
{
	return c->caller->has_self && c->is_self && asks_more_than_a_look(c);
}

static bool
everybody_sees_themself(const struct cell *c)
{
	return c->caller->has_self && c->is_self;
}

static bool
a_reading_key_changes_nothing(const struct cell *c)
{
	return c->caller->only_reads && asks_more_than_a_look(c);
}

static bool
lacks(const struct cell *c, char letter)
{
	return strchr(manage[c->caller->role][c->role], letter) == NULL;
}

static bool
who_may_not_view_may_nothing(const struct cell *c)
{
	return lacks(c, 'v');
}

static bool
active_needs_the_relation(const struct cell *c)
{
	return c->ask == ASK_CHANGE && c->new_active >= 0 && lacks(c, 'a');
}

static bool
role_needs_the_relation(const struct cell *c)
{
	return c->ask == ASK_CHANGE && c->new_role >= 0 && lacks(c, 'r');
}

static bool
delete_needs_the_relation(const struct cell *c)
{
	return c->ask == ASK_DELETE && lacks(c, 'd');
}

static bool
a_transition_needs_its_row(const struct cell *c)
{
	return changes_role(c) && !c->matrix->allowed[
	    roles[c->caller->role]][roles[c->role]][roles[c->new_role]];
}

static bool
the_last_active_admin_stays(const struct cell *c)
{
	if (c->role != ADMIN || !c->active || c->other_admins > 0)
		return false;
	return c->ask == ASK_DELETE || changes_role(c) || changes_active(c);
}

static bool
the_rest_is_allowed(const struct cell *c)
{
	(void)c;
	return true;
}

static const struct {
	bool (*applies)(const struct cell *c);
	enum fault_code answer;
	const char *sentence;
} rules[] = {
#define RULE(function, answer) { function, answer, #function }
	RULE(a_super_admin_may_do_everything, FAULT_NONE),
	RULE(nobody_may_do_nothing, REFUSAL_FORBIDDEN),
	RULE(another_tenants_user_does_not_exist, REFUSAL_USER_NOT_FOUND),
	RULE(nobody_changes_themself, REFUSAL_SELF_MODIFICATION),
	RULE(everybody_sees_themself, FAULT_NONE),
	RULE(a_reading_key_changes_nothing, REFUSAL_FORBIDDEN),
	RULE(who_may_not_view_may_nothing, REFUSAL_FORBIDDEN),
	RULE(active_needs_the_relation, REFUSAL_FORBIDDEN),
	RULE(role_needs_the_relation, REFUSAL_FORBIDDEN),
	RULE(delete_needs_the_relation, REFUSAL_FORBIDDEN),
	RULE(a_transition_needs_its_row, REFUSAL_ROLE_TRANSITION),
	RULE(the_last_active_admin_stays, REFUSAL_LAST_ADMIN),
	RULE(the_rest_is_allowed, FAULT_NONE),
#undef RULE
};

/* --- a cell, asked of the code --- */

static const struct uuid home = { { 0xaa } };
static const struct uuid abroad = { { 0xbb } };
static const struct uuid caller_id = { { 1 } };
static const struct uuid target_id = { { 2 } };
static unsigned rule_used[LEN(rules)];

static struct identity
identity_of(const struct caller_row *row)
{
	struct identity identity = { .kind = row->kind };

	if (row->is_super || row->is_nobody)
		return identity;
	identity.tenant_id = home;
	identity.role = roles[row->role];
	identity.read_only = row->only_reads;
	if (row->has_self)
		identity.user_id = caller_id;
	else
		identity.key_id = caller_id;
	return identity;
}

static int
ask(const struct cell *c, struct fault *fault)
{
	struct identity identity = identity_of(c->caller);
	struct user target = { .role = roles[c->role], .active = c->active };
	struct user_change change = {
		.has_active = c->new_active >= 0,
		.active = c->new_active > 0,
		.has_role = c->new_role >= 0,
		.role = c->new_role >= 0 ? roles[c->new_role] : ROLE_ADMIN
	};

	target.id = c->is_self ? caller_id : target_id;
	target.tenant_id = c->is_foreign ? abroad : home;
	fault_clear(fault);
	switch (c->ask) {
	case ASK_VIEW:
		return user_check_manage(&identity, &target, MANAGE_VIEW,
		    fault);
	case ASK_DELETE:
		return user_check_delete(&identity, &target, c->other_admins,
		    fault);
	case ASK_CHANGE:
		break;
	}
	return user_check_change(&identity, &target, &change, c->matrix,
	    c->other_admins, fault);
}

static void
check_names(const struct cell *c, const struct fault *fault)
{
	int named[] = { c->caller->role, c->role, c->new_role };
	size_t i;

	for (i = 0; i < LEN(named); i++) {
		if (strstr(fault->said, names[named[i]]) == NULL)
			fail_msg("\"%s\" does not name %s", fault->said,
			    names[named[i]]);
	}
}

static void
check(const struct cell *c)
{
	struct fault fault;
	size_t rule = 0;
	int ret, expected = -1;

	while (!rules[rule].applies(c))
		rule++;
	rule_used[rule]++;
	if (rules[rule].answer == FAULT_NONE)
		expected = changes_role(c) || changes_active(c);
	ret = ask(c, &fault);
	if (ret != expected || fault.code != rules[rule].answer)
		fail_msg("%s%s%s, target %s%s, asks %d (active %d, role %d), "
		    "%u other admins: %d, code %d; but %s", c->caller->name,
		    c->is_self ? " itself" : "",
		    c->is_foreign ? " abroad" : "", names[c->role],
		    c->active ? "" : " (inactive)", (int)c->ask, c->new_active,
		    c->new_role, c->other_admins, ret, (int)fault.code,
		    rules[rule].sentence);
	if (fault.code == REFUSAL_ROLE_TRANSITION)
		check_names(c, &fault);
}

/* --- all of them --- */

static void
check_asks(struct cell *c)
{
	size_t i, j;

	c->new_active = c->new_role = -1;
	c->ask = ASK_VIEW;
	check(c);
	c->ask = ASK_DELETE;
	check(c);
	c->ask = ASK_CHANGE;
	for (i = 0; i < LEN(actives); i++) {
		for (j = 0; j < LEN(wishes); j++) {
			c->new_active = actives[i];
			c->new_role = wishes[j];
			check(c);
		}
	}
}

static void
check_targets(struct cell *c)
{
	unsigned bits;
	size_t i;

	for (bits = 0; bits < 8; bits++) {
		c->is_foreign = (bits & 1) != 0;
		c->is_self = (bits & 2) != 0;
		c->active = (bits & 4) != 0;
		for (c->role = 0; c->role < ROLES; c->role++) {
			for (i = 0; i < LEN(others); i++) {
				c->other_admins = others[i];
				check_asks(c);
			}
		}
	}
}

static void
check_matrix(const struct role_matrix *matrix)
{
	struct cell c = { .matrix = matrix };
	size_t i;

	for (i = 0; i < LEN(callers); i++) {
		c.caller = &callers[i];
		check_targets(&c);
	}
}

/* Bit 0 to 26 of bits: actor, from, to. That a matrix says something of a
   change into the same role must not matter. */
static struct role_matrix
matrix_of(uint32_t bits)
{
	struct role_matrix matrix;
	int actor, from, to;

	for (actor = 0; actor < ROLES; actor++)
		for (from = 0; from < ROLES; from++)
			for (to = 0; to < ROLES; to++)
				matrix.allowed[roles[actor]][roles[from]]
				    [roles[to]] = (bits >> (actor * 9 +
				    from * 3 + to) & 1) != 0;
	return matrix;
}

static uint32_t
bit(int actor, int from, int to)
{
	return (uint32_t)1 << (actor * 9 + from * 3 + to);
}

static uint32_t
shipped(void)
{
	return bit(ADMIN, ADMIN, MANAGER) | bit(ADMIN, ADMIN, USER) |
	    bit(ADMIN, MANAGER, ADMIN) | bit(ADMIN, MANAGER, USER) |
	    bit(ADMIN, USER, ADMIN) | bit(ADMIN, USER, MANAGER) |
	    bit(MANAGER, USER, MANAGER);
}

#define ALL_BITS (((uint32_t)1 << 27) - 1)

static void
every_cell_of_the_shipped_matrix_obeys_the_rules(void **state)
{
	struct role_matrix matrix = matrix_of(shipped());
	size_t i;

	(void)state;
	memset(rule_used, 0, sizeof(rule_used));
	check_matrix(&matrix);
	for (i = 0; i < LEN(rules); i++) {
		if (rule_used[i] == 0)
			fail_msg("no cell shows that %s", rules[i].sentence);
	}
}

static void
every_cell_of_the_empty_and_the_full_matrix_obeys_the_rules(void **state)
{
	struct role_matrix matrix = matrix_of(0);

	(void)state;
	check_matrix(&matrix);
	matrix = matrix_of(ALL_BITS);
	check_matrix(&matrix);
}

static void
one_row_more_or_less_changes_that_transition_only(void **state)
{
	struct role_matrix matrix;
	unsigned i;

	(void)state;
	for (i = 0; i < 27; i++) {
		matrix = matrix_of((uint32_t)1 << i);
		check_matrix(&matrix);
		matrix = matrix_of(ALL_BITS ^ (uint32_t)1 << i);
		check_matrix(&matrix);
		matrix = matrix_of(shipped() ^ (uint32_t)1 << i);
		check_matrix(&matrix);
	}
}

static void
every_cell_of_a_sample_of_matrices_obeys_the_rules(void **state)
{
	struct role_matrix matrix;
	uint32_t random = 20260101;
	int i;

	(void)state;
	for (i = 0; i < 64; i++) {
		/* Numerical Recipes' generator; its upper bits are good. */
		random = random * 1664525 + 1013904223;
		matrix = matrix_of(random >> 5);
		check_matrix(&matrix);
	}
}

static void
an_actors_part_of_a_matrix_is_read_as_it_is(void **state)
{
	struct role_matrix matrix;
	uint32_t bits;
	int actor, from, to;

	(void)state;
	/* Every part that an actor can have, beside the opposite one. */
	for (bits = 0; bits < (uint32_t)1 << 9; bits++) {
		matrix = matrix_of(bits | bits << 9 | (bits ^ 0x1ff) << 18);
		for (actor = 0; actor < ROLES; actor++)
			for (from = 0; from < ROLES; from++)
				for (to = 0; to < ROLES; to++)
					assert_int_equal(role_may_change(
					    &matrix, roles[actor], roles[from],
					    roles[to]), ((actor == USER ?
					    bits ^ 0x1ff : bits) >>
					    (from * 3 + to) & 1) != 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_cell_of_the_shipped_matrix_obeys_the_rules),
		cmocka_unit_test(
		    every_cell_of_the_empty_and_the_full_matrix_obeys_the_rules
		    ),
		cmocka_unit_test(
		    one_row_more_or_less_changes_that_transition_only),
		cmocka_unit_test(
		    every_cell_of_a_sample_of_matrices_obeys_the_rules),
		cmocka_unit_test(an_actors_part_of_a_matrix_is_read_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
