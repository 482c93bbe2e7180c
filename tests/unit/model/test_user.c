/* SPDX-License-Identifier: MIT */
/* Who may do what to whom, with every caller, target, action and change, and
   what e-mail addresses and passwords may be. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/user.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BAD_EMAIL "must be a valid e-mail address"
#define SIXTEEN "abcdefghijklmnop"
#define LOCAL64 SIXTEEN SIXTEEN SIXTEEN SIXTEEN

static const struct uuid tenant_a = { { 0xaa } };
static const struct uuid tenant_b = { { 0xbb } };
static const struct uuid caller_id = { { 1 } };
static const struct uuid target_id = { { 2 } };

static struct identity
caller_of(enum identity_kind kind, enum role role)
{
	struct identity caller = { .kind = kind };

	if (kind == IDENTITY_USER) {
		caller.user_id = caller_id;
		caller.tenant_id = tenant_a;
		caller.role = role;
	}
	if (kind == IDENTITY_KEY) {
		caller.key_id = caller_id;
		caller.tenant_id = tenant_a;
		caller.role = ROLE_ADMIN;
	}
	return caller;
}

static struct user
target_of(enum role role)
{
	struct user target = { .role = role, .active = true };

	target.id = target_id;
	target.tenant_id = tenant_a;
	return target;
}

/* spec/wuts.md §3: the default matrix. */
static struct role_matrix
default_matrix(void)
{
	struct role_matrix matrix = { 0 };
	int from, to;

	for (from = 0; from < ROLE_COUNT; from++) {
		for (to = 0; to < ROLE_COUNT; to++)
			matrix.allowed[ROLE_ADMIN][from][to] = from != to;
	}
	matrix.allowed[ROLE_MANAGER][ROLE_USER][ROLE_MANAGER] = true;
	return matrix;
}

static enum fault_code
manage(const struct identity *caller, const struct user *target,
    enum manage_action action)
{
	struct fault fault;
	int ret;

	fault_clear(&fault);
	ret = user_check_manage(caller, target, action, &fault);
	assert_int_equal(ret, fault.code == FAULT_NONE ? 0 : -1);
	return fault.code;
}

static void
a_user_manages_others_by_the_relation_and_itself_never(void **state)
{
	/* caller, target: answer to view, active, role, delete. */
#define OK FAULT_NONE
#define NO REFUSAL_FORBIDDEN
#define ME REFUSAL_SELF_MODIFICATION
	static const struct {
		enum role caller, target;
		bool self;
		enum fault_code answers[MANAGE_COUNT];
		const char *sentence;
	} rows[] = {
		{ ROLE_ADMIN, ROLE_USER, false, { OK, OK, OK, OK },
		    "an admin runs users" },
		{ ROLE_ADMIN, ROLE_MANAGER, false, { OK, OK, OK, OK },
		    "an admin runs managers" },
		{ ROLE_ADMIN, ROLE_ADMIN, false, { OK, OK, OK, OK },
		    "an admin runs other admins" },
		{ ROLE_ADMIN, ROLE_ADMIN, true, { OK, ME, ME, ME },
		    "an admin only looks at itself" },
		{ ROLE_MANAGER, ROLE_USER, false, { OK, OK, OK, NO },
		    "a manager changes users and deletes none" },
		{ ROLE_MANAGER, ROLE_MANAGER, false, { OK, NO, NO, NO },
		    "a manager looks at managers" },
		{ ROLE_MANAGER, ROLE_MANAGER, true, { OK, ME, ME, ME },
		    "a manager only looks at itself" },
		{ ROLE_MANAGER, ROLE_ADMIN, false, { NO, NO, NO, NO },
		    "a manager does not see admins" },
		{ ROLE_USER, ROLE_USER, false, { NO, NO, NO, NO },
		    "a user does not see users" },
		{ ROLE_USER, ROLE_USER, true, { OK, ME, ME, ME },
		    "a user only looks at itself" },
		{ ROLE_USER, ROLE_MANAGER, false, { NO, NO, NO, NO },
		    "a user does not see managers" },
		{ ROLE_USER, ROLE_ADMIN, false, { NO, NO, NO, NO },
		    "a user does not see admins" },
	};
#undef OK
#undef NO
#undef ME
	size_t i;
	int action;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct identity caller = caller_of(IDENTITY_USER,
		    rows[i].caller);
		struct user target = target_of(rows[i].target);

		if (rows[i].self)
			target.id = caller_id;
		for (action = 0; action < MANAGE_COUNT; action++) {
			if (manage(&caller, &target,
			    (enum manage_action)action) !=
			    rows[i].answers[action])
				fail_msg("%s: action %d", rows[i].sentence,
				    action);
		}
	}
}

static void
a_user_of_another_tenant_does_not_exist(void **state)
{
	struct user target = target_of(ROLE_USER);
	int role, action, self;

	(void)state;
	target.tenant_id = tenant_b;
	for (self = 0; self < 2; self++) {
		/* Should ids ever collide, the tenant still counts first. */
		target.id = self ? caller_id : target_id;
		for (role = 0; role < ROLE_COUNT; role++) {
			struct identity caller = caller_of(IDENTITY_USER,
			    (enum role)role);

			for (action = 0; action < MANAGE_COUNT; action++)
				assert_int_equal(manage(&caller, &target,
				    (enum manage_action)action),
				    REFUSAL_USER_NOT_FOUND);
		}
	}
}

static void
an_api_key_is_an_admin_without_a_self(void **state)
{
	struct identity key = caller_of(IDENTITY_KEY, ROLE_ADMIN);
	struct user target;
	int role, action;

	(void)state;
	assert_false(identity_is_super(&key));
	for (role = 0; role < ROLE_COUNT; role++) {
		target = target_of((enum role)role);
		for (action = 0; action < MANAGE_COUNT; action++) {
			enum manage_action a = (enum manage_action)action;

			assert_int_equal(manage(&key, &target, a), FAULT_NONE);
			/* No id makes a user the key itself. */
			target.id = key.user_id;
			assert_int_equal(manage(&key, &target, a), FAULT_NONE);
			target.id = key.key_id;
			assert_int_equal(manage(&key, &target, a), FAULT_NONE);
		}
		target.tenant_id = tenant_b;
		assert_int_equal(manage(&key, &target, MANAGE_VIEW),
		    REFUSAL_USER_NOT_FOUND);
	}
}

static void
an_api_key_that_only_reads_changes_nothing(void **state)
{
	struct identity key = caller_of(IDENTITY_KEY, ROLE_ADMIN);
	struct user target = target_of(ROLE_USER);

	(void)state;
	key.read_only = true;
	assert_int_equal(manage(&key, &target, MANAGE_VIEW), FAULT_NONE);
	assert_int_equal(manage(&key, &target, MANAGE_ACTIVE),
	    REFUSAL_FORBIDDEN);
	assert_int_equal(manage(&key, &target, MANAGE_ROLE),
	    REFUSAL_FORBIDDEN);
	assert_int_equal(manage(&key, &target, MANAGE_DELETE),
	    REFUSAL_FORBIDDEN);
	target.tenant_id = tenant_b;
	assert_int_equal(manage(&key, &target, MANAGE_DELETE),
	    REFUSAL_USER_NOT_FOUND);
}

static void
an_api_key_obeys_the_matrix_as_an_admin(void **state)
{
	struct identity key = caller_of(IDENTITY_KEY, ROLE_ADMIN);
	struct role_matrix matrix = default_matrix();
	struct user target = target_of(ROLE_USER);
	struct user_change change = { false, false, true, ROLE_MANAGER };
	struct fault fault;

	(void)state;
	fault_clear(&fault);
	assert_int_equal(user_check_change(&key, &target, &change, &matrix, 1,
	    &fault), 1);
	matrix.allowed[ROLE_ADMIN][ROLE_USER][ROLE_MANAGER] = false;
	assert_int_equal(user_check_change(&key, &target, &change, &matrix, 1,
	    &fault), -1);
	assert_int_equal(fault.code, REFUSAL_ROLE_TRANSITION);
}

static void
kinds_other_than_user_manage_all_or_nothing(void **state)
{
	static const struct {
		enum identity_kind kind;
		bool super;
	} rows[] = {
		{ IDENTITY_NONE, false }, { IDENTITY_ENGINE, false },
		{ IDENTITY_MASTER, true }, { IDENTITY_OPERATOR, true },
	};
	struct user target;
	size_t i;
	int role, action;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct identity caller = caller_of(rows[i].kind, ROLE_USER);

		assert_int_equal(identity_is_super(&caller), rows[i].super);
		for (role = 0; role < ROLE_COUNT; role++) {
			target = target_of((enum role)role);
			/* Their user and tenant ids mean nothing, not even
			   when they equal the target's. */
			target.id = caller.user_id;
			target.tenant_id = caller.tenant_id;
			for (action = 0; action < MANAGE_COUNT; action++)
				assert_int_equal(manage(&caller, &target,
				    (enum manage_action)action), rows[i].super ?
				    FAULT_NONE : REFUSAL_FORBIDDEN);
		}
	}
}

static void
a_user_token_is_not_super(void **state)
{
	struct identity caller = caller_of(IDENTITY_USER, ROLE_ADMIN);

	(void)state;
	assert_false(identity_is_super(&caller));
}

/* Change the role only; other admins abound. */
static int
change_role(const struct identity *caller, const struct user *target,
    enum role to, const struct role_matrix *matrix, struct fault *fault)
{
	struct user_change change = { .has_role = true, .role = to };

	fault_clear(fault);
	return user_check_change(caller, target, &change, matrix, 9, fault);
}

static void
transitions_follow_the_default_matrix(void **state)
{
	static const struct {
		enum role actor, from, to;
		enum fault_code answer;
		const char *sentence;
	} rows[] = {
		{ ROLE_ADMIN, ROLE_USER, ROLE_MANAGER, FAULT_NONE,
		    "an admin promotes a user" },
		{ ROLE_ADMIN, ROLE_USER, ROLE_ADMIN, FAULT_NONE,
		    "an admin promotes a user to the top" },
		{ ROLE_ADMIN, ROLE_MANAGER, ROLE_ADMIN, FAULT_NONE,
		    "an admin promotes a manager" },
		{ ROLE_ADMIN, ROLE_MANAGER, ROLE_USER, FAULT_NONE,
		    "an admin demotes a manager" },
		{ ROLE_ADMIN, ROLE_ADMIN, ROLE_MANAGER, FAULT_NONE,
		    "an admin demotes another admin" },
		{ ROLE_ADMIN, ROLE_ADMIN, ROLE_USER, FAULT_NONE,
		    "an admin demotes another admin to the bottom" },
		{ ROLE_MANAGER, ROLE_USER, ROLE_MANAGER, FAULT_NONE,
		    "a manager makes a user a manager" },
		{ ROLE_MANAGER, ROLE_USER, ROLE_ADMIN,
		    REFUSAL_ROLE_TRANSITION, "a manager makes no admin" },
		{ ROLE_MANAGER, ROLE_MANAGER, ROLE_USER, REFUSAL_FORBIDDEN,
		    "a manager does not manage managers" },
		{ ROLE_MANAGER, ROLE_MANAGER, ROLE_ADMIN, REFUSAL_FORBIDDEN,
		    "not upwards either" },
		{ ROLE_MANAGER, ROLE_ADMIN, ROLE_MANAGER, REFUSAL_FORBIDDEN,
		    "a manager does not manage admins" },
		{ ROLE_MANAGER, ROLE_ADMIN, ROLE_USER, REFUSAL_FORBIDDEN,
		    "not to the bottom either" },
		{ ROLE_USER, ROLE_USER, ROLE_MANAGER, REFUSAL_FORBIDDEN,
		    "a user promotes nobody" },
		{ ROLE_USER, ROLE_USER, ROLE_ADMIN, REFUSAL_FORBIDDEN,
		    "not to the top" },
		{ ROLE_USER, ROLE_MANAGER, ROLE_USER, REFUSAL_FORBIDDEN,
		    "a user demotes no manager" },
		{ ROLE_USER, ROLE_MANAGER, ROLE_ADMIN, REFUSAL_FORBIDDEN,
		    "and promotes none" },
		{ ROLE_USER, ROLE_ADMIN, ROLE_USER, REFUSAL_FORBIDDEN,
		    "a user demotes no admin" },
		{ ROLE_USER, ROLE_ADMIN, ROLE_MANAGER, REFUSAL_FORBIDDEN,
		    "not by one step either" },
	};
	struct role_matrix matrix = default_matrix();
	struct fault fault;
	size_t i;
	int ret;

	(void)state;
	assert_int_equal(sizeof(rows) / sizeof(rows[0]), ROLE_COUNT * 6);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct identity caller = caller_of(IDENTITY_USER,
		    rows[i].actor);
		struct user target = target_of(rows[i].from);

		ret = change_role(&caller, &target, rows[i].to, &matrix,
		    &fault);
		if (fault.code != rows[i].answer ||
		    ret != (rows[i].answer == FAULT_NONE ? 1 : -1))
			fail_msg("%s: %d, code %d", rows[i].sentence, ret,
			    (int)fault.code);
	}
}

static void
the_matrix_decides_and_not_the_rank(void **state)
{
	struct identity admin = caller_of(IDENTITY_USER, ROLE_ADMIN);
	struct identity manager = caller_of(IDENTITY_USER, ROLE_MANAGER);
	struct user target = target_of(ROLE_USER);
	struct role_matrix matrix = { 0 };
	struct fault fault;

	(void)state;
	assert_int_equal(change_role(&admin, &target, ROLE_MANAGER, &matrix,
	    &fault), -1);
	assert_int_equal(fault.code, REFUSAL_ROLE_TRANSITION);
	matrix.allowed[ROLE_MANAGER][ROLE_USER][ROLE_ADMIN] = true;
	assert_int_equal(change_role(&manager, &target, ROLE_ADMIN, &matrix,
	    &fault), 1);
	assert_int_equal(change_role(&manager, &target, ROLE_MANAGER, &matrix,
	    &fault), -1);
}

static void
a_full_matrix_does_not_lift_the_manage_relation(void **state)
{
	struct identity manager = caller_of(IDENTITY_USER, ROLE_MANAGER);
	struct user target = target_of(ROLE_ADMIN);
	struct role_matrix matrix;
	struct fault fault;

	(void)state;
	memset(&matrix, 1, sizeof(matrix));
	assert_int_equal(change_role(&manager, &target, ROLE_USER, &matrix,
	    &fault), -1);
	assert_int_equal(fault.code, REFUSAL_FORBIDDEN);
	target = target_of(ROLE_MANAGER);
	target.id = caller_id;
	assert_int_equal(change_role(&manager, &target, ROLE_ADMIN, &matrix,
	    &fault), -1);
	assert_int_equal(fault.code, REFUSAL_SELF_MODIFICATION);
}

static void
a_denied_transition_names_actor_from_and_to(void **state)
{
	struct identity caller = caller_of(IDENTITY_USER, ROLE_MANAGER);
	struct user target = target_of(ROLE_USER);
	struct role_matrix matrix = default_matrix();
	struct fault fault;

	(void)state;
	assert_int_equal(change_role(&caller, &target, ROLE_ADMIN, &matrix,
	    &fault), -1);
	assert_string_equal(fault.said, "role transition denied:"
	    " manager may not change user to admin");
}

static void
the_same_value_is_allowed_and_changes_nothing(void **state)
{
	struct identity caller = caller_of(IDENTITY_USER, ROLE_ADMIN);
	struct user target = target_of(ROLE_ADMIN);
	struct user_change change = { true, true, true, ROLE_ADMIN };
	struct user_change none = { false, false, false, ROLE_ADMIN };
	struct role_matrix matrix = { 0 };
	struct fault fault;

	(void)state;
	fault_clear(&fault);
	/* Neither the empty matrix nor the last admin comes into it. */
	assert_int_equal(user_check_change(&caller, &target, &change, &matrix,
	    0, &fault), 0);
	assert_int_equal(user_check_change(&caller, &target, &none, &matrix,
	    0, &fault), 0);
	assert_int_equal(fault.code, FAULT_NONE);
}

static void
what_may_not_be_managed_may_not_be_left_as_it_is_either(void **state)
{
	struct identity manager = caller_of(IDENTITY_USER, ROLE_MANAGER);
	struct user target = target_of(ROLE_ADMIN);
	struct user_change none = { false, false, false, ROLE_ADMIN };
	struct user_change own = { false, false, true, ROLE_MANAGER };
	struct role_matrix matrix = default_matrix();
	struct fault fault;

	(void)state;
	fault_clear(&fault);
	assert_int_equal(user_check_change(&manager, &target, &none, &matrix,
	    0, &fault), -1);
	assert_int_equal(fault.code, REFUSAL_FORBIDDEN);
	target = target_of(ROLE_MANAGER);
	target.id = caller_id;
	fault_clear(&fault);
	assert_int_equal(user_check_change(&manager, &target, &own, &matrix,
	    0, &fault), -1);
	assert_int_equal(fault.code, REFUSAL_SELF_MODIFICATION);
}

static void
the_active_flag_alone_needs_no_transition(void **state)
{
	struct identity manager = caller_of(IDENTITY_USER, ROLE_MANAGER);
	struct user target = target_of(ROLE_USER);
	struct user_change change = { true, false, false, ROLE_ADMIN };
	struct role_matrix matrix = { 0 };
	struct fault fault;

	(void)state;
	fault_clear(&fault);
	assert_int_equal(user_check_change(&manager, &target, &change,
	    &matrix, 0, &fault), 1);
	target.active = false;
	assert_int_equal(user_check_change(&manager, &target, &change,
	    &matrix, 0, &fault), 0);
}

static void
one_forbidden_part_forbids_the_whole_change(void **state)
{
	struct identity manager = caller_of(IDENTITY_USER, ROLE_MANAGER);
	struct user target = target_of(ROLE_USER);
	struct user_change change = { true, false, true, ROLE_ADMIN };
	struct role_matrix matrix = default_matrix();
	struct fault fault;

	(void)state;
	fault_clear(&fault);
	assert_int_equal(user_check_change(&manager, &target, &change,
	    &matrix, 9, &fault), -1);
	assert_int_equal(fault.code, REFUSAL_ROLE_TRANSITION);
}

static void
the_last_active_admin_stays(void **state)
{
	static const struct {
		enum identity_kind kind;
		bool was_active;
		struct user_change change;
		unsigned others;
		int ret;
		const char *sentence;
	} rows[] = {
		{ IDENTITY_USER, true, { false, false, true, ROLE_USER }, 0,
		    -1, "the last is not demoted" },
		{ IDENTITY_USER, true, { true, false, false, ROLE_USER }, 0,
		    -1, "the last is not deactivated" },
		{ IDENTITY_USER, true, { true, false, true, ROLE_MANAGER }, 0,
		    -1, "nor both at once" },
		{ IDENTITY_USER, true, { true, false, true, ROLE_ADMIN }, 0,
		    -1, "nor deactivated with its role confirmed" },
		{ IDENTITY_USER, true, { true, true, true, ROLE_USER }, 0,
		    -1, "nor demoted with its flag confirmed" },
		{ IDENTITY_USER, true, { false, false, true, ROLE_USER }, 1,
		    1, "the last but one is demoted" },
		{ IDENTITY_USER, true, { true, false, false, ROLE_USER }, 1,
		    1, "the last but one is deactivated" },
		{ IDENTITY_USER, false, { false, false, true, ROLE_USER }, 0,
		    1, "an inactive admin does not count" },
		{ IDENTITY_USER, false, { true, true, false, ROLE_USER }, 0,
		    1, "activating an admin takes none away" },
		{ IDENTITY_USER, false, { true, true, true, ROLE_USER }, 0,
		    1, "an inactive admin may come back as a user" },
		{ IDENTITY_KEY, true, { false, false, true, ROLE_USER }, 0,
		    -1, "an API key does not demote the last" },
		{ IDENTITY_KEY, true, { true, false, false, ROLE_USER }, 1,
		    1, "an API key deactivates the last but one" },
		{ IDENTITY_MASTER, true, { false, false, true, ROLE_USER }, 0,
		    1, "the master token may demote the last" },
		{ IDENTITY_OPERATOR, true, { true, false, false, ROLE_USER },
		    0, 1, "the operator may deactivate the last" },
	};
	struct role_matrix matrix = default_matrix();
	struct fault fault;
	size_t i;
	int ret;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct identity caller = caller_of(rows[i].kind, ROLE_ADMIN);
		struct user target = target_of(ROLE_ADMIN);

		target.active = rows[i].was_active;
		fault_clear(&fault);
		ret = user_check_change(&caller, &target, &rows[i].change,
		    &matrix, rows[i].others, &fault);
		if (ret != rows[i].ret)
			fail_msg("%s: %d", rows[i].sentence, ret);
		assert_int_equal(fault.code, ret < 0 ? REFUSAL_LAST_ADMIN :
		    FAULT_NONE);
	}
}

static void
users_and_managers_are_never_the_last_admin(void **state)
{
	struct identity caller = caller_of(IDENTITY_USER, ROLE_ADMIN);
	struct user target = target_of(ROLE_MANAGER);
	struct user_change change = { true, false, true, ROLE_USER };
	struct role_matrix matrix = default_matrix();
	struct fault fault;

	(void)state;
	fault_clear(&fault);
	assert_int_equal(user_check_change(&caller, &target, &change, &matrix,
	    0, &fault), 1);
}

static void
the_master_token_needs_no_matrix(void **state)
{
	struct identity caller = caller_of(IDENTITY_MASTER, ROLE_USER);
	struct role_matrix matrix = { 0 };
	struct fault fault;
	int from, to;

	(void)state;
	for (from = 0; from < ROLE_COUNT; from++) {
		for (to = 0; to < ROLE_COUNT; to++) {
			struct user target = target_of((enum role)from);

			assert_int_equal(change_role(&caller, &target,
			    (enum role)to, &matrix, &fault), from != to);
		}
	}
}

static void
e_mail_addresses_have_the_shape_of_rfc_5321(void **state)
{
	static const struct {
		const char *email;
		bool good;
		const char *sentence;
	} rows[] = {
		{ "a@example.com", true, "the usual" },
		{ "first.last+tag@mail.example.co.uk", true, "tag and dots" },
		{ "!#$%&'*+-/=?^_`{|}~@example.com", true, "all of atext" },
		{ "A@EXAMPLE.COM", true, "upper case" },
		{ "a@localhost", true, "a single label" },
		{ "a@[192.0.2.1]", true, "an address literal" },
		{ "a@[IPv6:2001:db8::1]", true, "an IPv6 literal" },
		{ "\"a b\"@example.com", true, "a quoted local part" },
		{ "\"a@b\"@example.com", true, "an at sign in quotes" },
		{ "\"a\\\"b\"@example.com", true, "a quoted quote" },
		{ LOCAL64 "@example.com", true, "a local part of 64" },
		{ "", false, "nothing" },
		{ "a", false, "no at sign" },
		{ "@example.com", false, "no local part" },
		{ "a@", false, "no domain" },
		{ "a@b@example.com", false, "two at signs" },
		{ ".a@example.com", false, "a dot in front" },
		{ "a.@example.com", false, "a dot behind" },
		{ "a..b@example.com", false, "two dots" },
		{ "a b@example.com", false, "a blank" },
		{ " a@example.com", false, "a blank in front" },
		{ "a@example.com ", false, "a blank behind" },
		{ "a@example.com\n", false, "a line end" },
		{ "a@exa mple.com", false, "a blank in the domain" },
		{ "a@.example.com", false, "a dot before the domain" },
		{ "a@example..com", false, "two dots in the domain" },
		{ "a@example.com.", false, "a dot behind the domain" },
		{ "a@-example.com", false, "a hyphen before a label" },
		{ "a@example-.com", false, "a hyphen behind a label" },
		{ "a,b@example.com", false, "a comma" },
		{ "<a@example.com>", false, "brackets" },
		{ "Al <a@example.com>", false, "a display name" },
		{ "\xc3\xa9@example.com", false, "not ASCII" },
		{ "a@b\xc3\xbc" "cher.example", false, "an IDN not encoded" },
		{ "\"\"@example.com", false, "empty quotes" },
		{ "\"a@example.com", false, "one quote" },
		{ "\"a\"b\"@example.com", false, "a quote inside" },
		{ "\"a\\\"@example.com", false, "an escaped end" },
		{ "\"a\\\\\"b\"@example.com", false,
		    "an escaped backslash escapes nothing more" },
		{ "\"a\nb\"@example.com", false, "a line end in quotes" },
		{ "a@[192.0.2.300]", false, "a wrong literal" },
		{ "a@[]", false, "an empty literal" },
		{ "a@[IPv6:]", false, "an empty IPv6 literal" },
		{ "x" LOCAL64 "@example.com", false, "a local part of 65" },
	};
	const char *answer;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		answer = user_email_check(rows[i].email);
		if ((answer == NULL) != rows[i].good)
			fail_msg("%s: <%s>", rows[i].sentence, rows[i].email);
		if (answer != NULL && rows[i].email[0] != '\0')
			assert_string_equal(answer, BAD_EMAIL);
	}
}

static void
an_e_mail_address_has_at_most_254_characters(void **state)
{
	char email[USER_EMAIL_MAX + 2];
	size_t i;

	(void)state;
	assert_int_equal(USER_EMAIL_MAX, 254);
	memset(email, 'a', sizeof(email));
	email[1] = '@';
	for (i = 32; i < USER_EMAIL_MAX - 1; i += 32)
		email[i] = '.';
	email[USER_EMAIL_MAX] = '\0';
	assert_null(user_email_check(email));
	email[USER_EMAIL_MAX] = 'a';
	email[USER_EMAIL_MAX + 1] = '\0';
	assert_string_equal(user_email_check(email),
	    "must be at most 254 characters");
}

/* count times the character. */
static const char *
check_password(const char *character, size_t count)
{
	char password[4 * (USER_PASSWORD_MAX + 1) + 1];
	size_t i, len = strlen(character);

	for (i = 0; i < count; i++)
		memcpy(password + i * len, character, len);
	password[count * len] = '\0';
	return user_password_check(password);
}

static void
a_password_has_8_to_128_characters_of_any_kind(void **state)
{
	static const char *const characters[] = {
		"a", " ", "\n", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
		assert_non_null(check_password(characters[i], 0));
		assert_non_null(check_password(characters[i], 7));
		assert_null(check_password(characters[i], 8));
		assert_null(check_password(characters[i], 128));
		assert_non_null(check_password(characters[i], 129));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_user_manages_others_by_the_relation_and_itself_never),
		cmocka_unit_test(a_user_of_another_tenant_does_not_exist),
		cmocka_unit_test(an_api_key_is_an_admin_without_a_self),
		cmocka_unit_test(an_api_key_that_only_reads_changes_nothing),
		cmocka_unit_test(an_api_key_obeys_the_matrix_as_an_admin),
		cmocka_unit_test(kinds_other_than_user_manage_all_or_nothing),
		cmocka_unit_test(a_user_token_is_not_super),
		cmocka_unit_test(transitions_follow_the_default_matrix),
		cmocka_unit_test(the_matrix_decides_and_not_the_rank),
		cmocka_unit_test(
		    a_full_matrix_does_not_lift_the_manage_relation),
		cmocka_unit_test(a_denied_transition_names_actor_from_and_to),
		cmocka_unit_test(the_same_value_is_allowed_and_changes_nothing),
		cmocka_unit_test(
		    what_may_not_be_managed_may_not_be_left_as_it_is_either),
		cmocka_unit_test(the_active_flag_alone_needs_no_transition),
		cmocka_unit_test(one_forbidden_part_forbids_the_whole_change),
		cmocka_unit_test(the_last_active_admin_stays),
		cmocka_unit_test(users_and_managers_are_never_the_last_admin),
		cmocka_unit_test(the_master_token_needs_no_matrix),
		cmocka_unit_test(e_mail_addresses_have_the_shape_of_rfc_5321),
		cmocka_unit_test(an_e_mail_address_has_at_most_254_characters),
		cmocka_unit_test(
		    a_password_has_8_to_128_characters_of_any_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
