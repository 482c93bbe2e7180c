/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "world.h"

#include "wuts/crypto.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 250

static int
change_role(struct world *w, const struct caller *caller,
    const struct user *target, enum role role)
{
	struct user_change change = { .has_role = true, .role = role };
	struct user before, after;

	fault_clear(&w->fault);
	return user_service_change(w->service, caller, &target->id, &change,
	    NULL, &before, &after, &w->fault);
}

static int
change_active(struct world *w, const struct caller *caller,
    const struct user *target, bool active)
{
	struct user_change change = { .has_active = true, .active = active };
	struct user before, after;

	fault_clear(&w->fault);
	return user_service_change(w->service, caller, &target->id, &change,
	    NULL, &before, &after, &w->fault);
}

static void
set_role(struct world *w, const struct user *user, enum role role)
{
	char id[2 * 16 + 1];

	crypto_hex(user->id.b, sizeof(user->id.b), id);
	world_sql(w, "UPDATE users SET role = '%s', active = 1"
	    " WHERE id = UNHEX('%s')", role_name(role), id);
}

/* --- create --- */

static int
try_create(struct world *w, const struct caller *caller,
    const struct uuid *tenant_id, const char *email)
{
	struct user_registration input = {
		.tenant_id = *tenant_id,
		.email = email,
		.password = "correct horse battery",
		.role = ROLE_USER
	};
	struct user_registered got;

	fault_clear(&w->fault);
	return user_service_create(w->service, caller, &input, &got,
	    &w->fault);
}

static void
only_admins_of_the_tenant_create_users(void **state)
{
	struct world *w = *state;
	struct world_cast cast, foreign;
	struct caller caller;
	size_t before;

	world_cast(w, &cast, "Acme");
	world_cast(w, &foreign, "Other");
	before = world_count_events(w, "user.created");
	caller = world_caller(&cast.by_role[ROLE_ADMIN].user);
	assert_ok(w, try_create(w, &caller, &cast.tenant.tenant.id,
	    "new@example.com"));
	assert_int_equal(world_count_events(w, "user.created"), before + 1);
	assert_refused(w, try_create(w, &caller, &foreign.tenant.tenant.id,
	    "new2@example.com"), REFUSAL_FORBIDDEN);
	caller = world_caller(&cast.by_role[ROLE_MANAGER].user);
	assert_refused(w, try_create(w, &caller, &cast.tenant.tenant.id,
	    "new3@example.com"), REFUSAL_FORBIDDEN);
	caller.identity.kind = IDENTITY_ENGINE;
	assert_refused(w, try_create(w, &caller, &cast.tenant.tenant.id,
	    "new4@example.com"), REFUSAL_FORBIDDEN);
	assert_int_equal(world_count_events(w, "user.created"), before + 1);
}

static void
email_is_unique_in_its_tenant_in_any_case(void **state)
{
	struct world *w = *state;
	struct world_cast cast, other;

	world_cast(w, &cast, "Acme");
	assert_refused(w, try_create(w, &w->master, &cast.tenant.tenant.id,
	    "T@EXAMPLE.com"), REFUSAL_EMAIL_EXISTS);
	world_cast(w, &other, "Other");
}

static void
user_of_no_tenant_is_refused(void **state)
{
	struct world *w = *state;
	struct uuid nowhere;

	uuid_new_ordered(&nowhere);
	assert_refused(w, try_create(w, &w->master, &nowhere,
	    "new@example.com"), REFUSAL_TENANT_NOT_FOUND);
	assert_refused(w, try_create(w, &w->master, &nowhere, "new"),
	    REFUSAL_VALIDATION);
}

/* What authentication knew is one thing, what the row says another. */
static void
caller_demoted_meanwhile_is_judged_as_what_it_is_now(void **state)
{
	struct world *w = *state;
	struct world_cast cast;
	struct caller caller;

	world_cast(w, &cast, "Acme");
	caller = world_caller(&cast.by_role[ROLE_ADMIN].user);
	set_role(w, &cast.by_role[ROLE_ADMIN].user, ROLE_MANAGER);
	assert_refused(w, try_create(w, &caller, &cast.tenant.tenant.id,
	    "new@example.com"), REFUSAL_FORBIDDEN);
	assert_refused(w, change_role(w, &caller, &cast.target.user,
	    ROLE_ADMIN), REFUSAL_ROLE_TRANSITION);
	assert_ok(w, change_role(w, &caller, &cast.target.user,
	    ROLE_MANAGER));
}

static void
caller_inactive_or_gone_meanwhile_is_nobody(void **state)
{
	struct world *w = *state;
	struct world_cast cast;
	struct caller caller;
	struct user missing;

	world_cast(w, &cast, "Acme");
	caller = world_caller(&cast.by_role[ROLE_ADMIN].user);
	memset(&missing, 0, sizeof(missing));
	world_sql(w, "UPDATE users SET active = 0 WHERE email LIKE 'a@%%'");
	assert_refused(w, change_role(w, &caller, &cast.target.user,
	    ROLE_MANAGER), REFUSAL_UNAUTHORIZED);
	assert_refused(w, change_role(w, &caller, &missing, ROLE_MANAGER),
	    REFUSAL_UNAUTHORIZED);
	world_sql(w, "DELETE FROM users WHERE email LIKE 'a@%%'");
	assert_refused(w, change_role(w, &caller, &cast.target.user,
	    ROLE_MANAGER), REFUSAL_UNAUTHORIZED);
	world_sql(w, "DELETE FROM tenant");
	assert_refused(w, change_role(w, &caller, &cast.target.user,
	    ROLE_MANAGER), REFUSAL_UNAUTHORIZED);
}

/* --- change --- */

struct promotion {
	const char *sentence;
	int caller;		/* a role, or -1: the master */
	enum role from, to;
	enum fault_code refusal;
};

static const struct promotion promotions[] = {
	{ "an admin promotes a user to manager", ROLE_ADMIN, ROLE_USER,
	    ROLE_MANAGER, FAULT_NONE },
	{ "an admin promotes a user to admin", ROLE_ADMIN, ROLE_USER,
	    ROLE_ADMIN, FAULT_NONE },
	{ "an admin promotes a manager to admin", ROLE_ADMIN, ROLE_MANAGER,
	    ROLE_ADMIN, FAULT_NONE },
	{ "an admin demotes a manager", ROLE_ADMIN, ROLE_MANAGER, ROLE_USER,
	    FAULT_NONE },
	{ "an admin demotes another admin to manager", ROLE_ADMIN,
	    ROLE_ADMIN, ROLE_MANAGER, FAULT_NONE },
	{ "an admin demotes another admin to user", ROLE_ADMIN, ROLE_ADMIN,
	    ROLE_USER, FAULT_NONE },
	{ "a manager promotes a user to manager", ROLE_MANAGER, ROLE_USER,
	    ROLE_MANAGER, FAULT_NONE },
	{ "a manager makes no admin", ROLE_MANAGER, ROLE_USER, ROLE_ADMIN,
	    REFUSAL_ROLE_TRANSITION },
	{ "a manager does not manage a manager", ROLE_MANAGER, ROLE_MANAGER,
	    ROLE_USER, REFUSAL_FORBIDDEN },
	{ "a manager does not manage an admin", ROLE_MANAGER, ROLE_ADMIN,
	    ROLE_USER, REFUSAL_FORBIDDEN },
	{ "a user manages nobody", ROLE_USER, ROLE_USER, ROLE_MANAGER,
	    REFUSAL_FORBIDDEN },
	{ "the master may demote an admin", -1, ROLE_ADMIN, ROLE_USER,
	    FAULT_NONE },
	{ "the master may promote a user", -1, ROLE_USER, ROLE_ADMIN,
	    FAULT_NONE },
};

static void
promote_follows_the_permission_table(void **state)
{
	struct world *w = *state;
	const struct promotion *p;
	struct caller caller;
	struct world_cast cast;
	const char *role;
	char id[33];
	size_t i;

	world_cast(w, &cast, "Acme");
	crypto_hex(cast.target.user.id.b, 16, id);
	for (i = 0; i < sizeof(promotions) / sizeof(promotions[0]); i++) {
		p = &promotions[i];
		set_role(w, &cast.target.user, p->from);
		caller = p->caller < 0 ? w->master :
		    world_caller(&cast.by_role[p->caller].user);
		if (change_role(w, &caller, &cast.target.user, p->to) !=
		    (p->refusal == FAULT_NONE ? 0 : -1) ||
		    w->fault.code != p->refusal)
			fail_msg("%s: %d %s", p->sentence, (int)w->fault.code,
			    w->fault.text);
		role = world_text(w, "SELECT role FROM users WHERE"
		    " id = UNHEX('%s')", id);
		assert_string_equal(role, role_name(p->refusal == FAULT_NONE ?
		    p->to : p->from));
	}
}

static void
role_change_is_told_once_with_both_roles_and_who(void **state)
{
	struct world *w = *state;
	const struct seen_event *event;
	char by[UUID_TEXT_LEN + 1], expected[128];
	struct caller caller;
	struct world_cast cast;
	const struct seen *seen;

	world_cast(w, &cast, "Acme");
	caller = world_caller(&cast.by_role[ROLE_ADMIN].user);
	assert_ok(w, change_role(w, &caller, &cast.target.user,
	    ROLE_MANAGER));
	assert_ok(w, change_role(w, &w->master, &cast.target.user,
	    ROLE_USER));
	assert_int_equal(world_count_events(w, "user.role_changed"), 2);
	assert_int_equal(world_count_events(w, "user.updated"), 0);
	seen = world_events(w);
	event = &seen->events[seen->n - 2];
	assert_true(uuid_is_nil(&event->device_id));
	snprintf(expected, sizeof(expected), "\"old_role\":\"user\","
	    "\"new_role\":\"manager\",\"changed_by\":\"%s\"}",
	    uuid_format(&caller.identity.user_id, by));
	assert_non_null(strstr(event->body, expected));
	assert_non_null(strstr(seen->events[seen->n - 1].body,
	    "\"changed_by\":\"super_admin\""));
	assert_string_equal(world_text(w, "SELECT CONCAT(old_value,"
	    " new_value, actor_kind, request_id) FROM audit WHERE"
	    " action = 'user.role_changed' ORDER BY id LIMIT 1"),
	    "{\"role\":\"user\"}{\"role\":\"manager\"}usertest");
}

static void
same_role_changes_nothing_and_tells_nobody(void **state)
{
	struct world *w = *state;
	struct caller caller;
	struct world_cast cast;
	const char *before;
	long audit_rows;
	size_t n;

	world_cast(w, &cast, "Acme");
	n = world_events(w)->n;
	audit_rows = world_number(w, "SELECT COUNT(*) FROM audit");
	before = world_text(w, "SELECT updated_at FROM users"
	    " WHERE email = 't@example.com'");
	caller = world_caller(&cast.by_role[ROLE_ADMIN].user);
	assert_ok(w, change_role(w, &caller, &cast.target.user, ROLE_USER));
	assert_ok(w, change_active(w, &caller, &cast.target.user, true));
	assert_int_equal(world_events(w)->n, n);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"),
	    audit_rows);
	assert_string_equal(world_text(w, "SELECT updated_at FROM users"
	    " WHERE email = 't@example.com'"), before);
}

static void
role_and_active_change_together_or_not_at_all(void **state)
{
	struct world *w = *state;
	struct user_change change = { .has_role = true, .role = ROLE_ADMIN,
	    .has_active = true, .active = false };
	struct user before, after;
	struct caller manager;
	struct world_cast cast;

	world_cast(w, &cast, "Acme");
	manager = world_caller(&cast.by_role[ROLE_MANAGER].user);
	assert_refused(w, user_service_change(w->service, &manager,
	    &cast.target.user.id, &change, NULL, &before, &after, &w->fault),
	    REFUSAL_ROLE_TRANSITION);
	assert_int_equal(world_number(w, "SELECT active FROM users"
	    " WHERE email = 't@example.com'"), 1);
	change.role = ROLE_MANAGER;
	assert_ok(w, user_service_change(w->service, &manager,
	    &cast.target.user.id, &change, NULL, &before, &after, &w->fault));
	assert_int_equal(before.role, ROLE_USER);
	assert_int_equal(after.role, ROLE_MANAGER);
	assert_true(before.active && !after.active);
	assert_true(after.updated_us > before.updated_us);
	assert_int_equal(world_count_events(w, "user.role_changed"), 1);
	assert_int_equal(world_count_events(w, "user.updated"), 1);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit WHERE"
	    " action IN ('user.role_changed', 'user.updated')"), 2);
}

static void
nobody_changes_itself_or_another_tenants_user(void **state)
{
	struct world *w = *state;
	struct world_cast cast, foreign;
	struct caller admin;
	struct user missing;

	world_cast(w, &cast, "Acme");
	world_cast(w, &foreign, "Other");
	memset(&missing, 7, sizeof(missing));
	admin = world_caller(&cast.by_role[ROLE_ADMIN].user);
	assert_refused(w, change_role(w, &admin,
	    &cast.by_role[ROLE_ADMIN].user, ROLE_USER),
	    REFUSAL_SELF_MODIFICATION);
	assert_refused(w, change_active(w, &admin,
	    &cast.by_role[ROLE_ADMIN].user, false),
	    REFUSAL_SELF_MODIFICATION);
	assert_refused(w, change_role(w, &admin, &foreign.target.user,
	    ROLE_MANAGER), REFUSAL_USER_NOT_FOUND);
	assert_refused(w, change_role(w, &admin, &missing, ROLE_MANAGER),
	    REFUSAL_USER_NOT_FOUND);
	assert_refused(w, change_role(w, &w->master, &missing, ROLE_MANAGER),
	    REFUSAL_USER_NOT_FOUND);
}

static void
edited_matrix_is_in_force_at_once(void **state)
{
	struct world *w = *state;
	struct service *other = world_service(w);
	struct caller manager;
	struct world_cast cast;

	world_cast(w, &cast, "Acme");
	manager = world_caller(&cast.by_role[ROLE_MANAGER].user);
	assert_refused(w, change_role(w, &manager, &cast.target.user,
	    ROLE_ADMIN), REFUSAL_ROLE_TRANSITION);
	assert_int_equal(role_service_allow(other, &w->master, ROLE_MANAGER,
	    ROLE_USER, ROLE_ADMIN, true, &w->fault), 1);
	assert_ok(w, change_role(w, &manager, &cast.target.user, ROLE_ADMIN));
	assert_int_equal(role_service_allow(other, &w->master, ROLE_MANAGER,
	    ROLE_USER, ROLE_MANAGER, false, &w->fault), 1);
	service_close(&other);
	assert_refused(w, change_role(w, &manager,
	    &cast.by_role[ROLE_USER].user, ROLE_MANAGER),
	    REFUSAL_ROLE_TRANSITION);
}

/* --- two at once --- */

static void
demote_on_command(struct world *w, const struct user *caller_user,
    const struct user *target, int in, int out)
{
	struct caller caller = world_caller(caller_user);
	char byte, result;

	caller.identity.role = ROLE_ADMIN;
	w->service = world_service(w);
	while (read(in, &byte, 1) == 1) {
		result = change_role(w, &caller, target, ROLE_USER) == 0 ?
		    'y' : 'n';
		if (result == 'n' && w->fault.code != REFUSAL_FORBIDDEN)
			result = '!';
		if (write(out, &result, 1) != 1)
			break;
	}
	_exit(0);
}

struct demoter {
	pid_t pid;
	int to, from;
};

static void
start_demoter(struct world *w, struct demoter *demoter,
    const struct user *caller, const struct user *target)
{
	int to[2], from[2];

	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	demoter->pid = fork();
	assert_true(demoter->pid >= 0);
	if (demoter->pid == 0) {
		close(to[1]);
		demote_on_command(w, caller, target, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	demoter->to = to[1];
	demoter->from = from[0];
}

static void
two_admins_demoting_each_other_leave_one(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct user_registered second;
	struct demoter demoters[2];
	unsigned round, i, done;
	char result[2];

	world_tenant(w, "Acme", &tenant);
	world_user(w, &tenant.tenant.id, "b@example.com", ROLE_ADMIN,
	    &second);
	start_demoter(w, &demoters[0], &tenant.admin, &second.user);
	start_demoter(w, &demoters[1], &second.user, &tenant.admin);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < 2; i++)
			assert_int_equal(write(demoters[i].to, "", 1), 1);
		for (done = i = 0; i < 2; i++) {
			assert_int_equal(read(demoters[i].from, &result[i],
			    1), 1);
			assert_int_not_equal(result[i], '!');
			done += result[i] == 'y';
		}
		assert_int_equal(done, 1);
		assert_int_equal(world_number(w, "SELECT COUNT(*) FROM users"
		    " WHERE role = 'admin' AND active"), 1);
		world_sql(w, "UPDATE users SET role = 'admin'");
	}
	for (i = 0; i < 2; i++) {
		assert_int_equal(kill(demoters[i].pid, SIGKILL), 0);
		assert_int_equal(waitpid(demoters[i].pid, NULL, 0),
		    demoters[i].pid);
		close(demoters[i].to);
		close(demoters[i].from);
	}
	assert_int_equal(world_count_events(w, "user.role_changed"), ROUNDS);
}

/* --- conditions --- */

static void
if_match_is_honoured(void **state)
{
	static const struct {
		const char *format;	/* %s: the present tag */
		bool matches;
	} cases[] = {
		{ "%s", true },
		{ "*", true },
		{ " * ", true },
		{ "\"other\", %s", true },
		{ "\"other\",W/\"x\" ,%s", true },
		{ "\"a, b\", %s", true },
		{ "\"other\"", false },
		{ "W/%s", false },
		{ "", false },
		{ "**", false },
		{ "\"other\" %s", false },
		{ "\"unfinished", false },
	};
	struct world *w = *state;
	struct user_change change = { .has_active = true };
	struct user before, user;
	char etag[USER_ETAG_SIZE], header[128];
	struct world_cast cast;
	size_t i;
	int ret;

	world_cast(w, &cast, "Acme");
	user = cast.target.user;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *tag = user_service_etag(&user, etag);
		const char *at = strstr(cases[i].format, "%s");

		if (at == NULL)
			snprintf(header, sizeof(header), "%s",
			    cases[i].format);
		else
			snprintf(header, sizeof(header), "%.*s%s%s",
			    (int)(at - cases[i].format), cases[i].format, tag,
			    at + 2);
		change.active = !user.active;
		fault_clear(&w->fault);
		ret = user_service_change(w->service, &w->master,
		    &cast.target.user.id, &change, header, &before, &user,
		    &w->fault);
		if (ret != (cases[i].matches ? 0 : -1))
			fail_msg("If-Match: %s: %d", header, ret);
		if (ret < 0) {
			assert_int_equal(w->fault.code,
			    REFUSAL_PRECONDITION_FAILED);
			user = before;
		}
	}
	assert_refused(w, user_service_change(w->service, &w->master,
	    &cast.tenant.tenant.id, &change, "*", &before, &user, &w->fault),
	    REFUSAL_USER_NOT_FOUND);
}

static void
etag_is_new_after_every_change_however_quick(void **state)
{
	struct world *w = *state;
	char etag[USER_ETAG_SIZE], last[USER_ETAG_SIZE];
	struct user_change change = { .has_active = true };
	struct user before, after;
	struct world_cast cast;
	int i;

	world_cast(w, &cast, "Acme");
	/* A clock set back must not bring an old tag back. */
	world_sql(w, "UPDATE users SET updated_at = '2090-01-01'");
	strcpy(last, "");
	for (i = 0; i < 4; i++) {
		change.active = i % 2 != 0;
		assert_ok(w, user_service_change(w->service, &w->master,
		    &cast.target.user.id, &change, NULL, &before, &after,
		    &w->fault));
		user_service_etag(&after, etag);
		assert_int_equal(etag[0], '"');
		assert_true(strcmp(etag, last) > 0);
		strcpy(last, etag);
	}
	assert_ok(w, user_service_get(w->service, &w->master,
	    &cast.target.user.id, &after, &w->fault));
	assert_string_equal(user_service_etag(&after, etag), last);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_admins_of_the_tenant_create_users),
		TEST(email_is_unique_in_its_tenant_in_any_case),
		TEST(user_of_no_tenant_is_refused),
		TEST(caller_demoted_meanwhile_is_judged_as_what_it_is_now),
		TEST(caller_inactive_or_gone_meanwhile_is_nobody),
		TEST(promote_follows_the_permission_table),
		TEST(role_change_is_told_once_with_both_roles_and_who),
		TEST(same_role_changes_nothing_and_tells_nobody),
		TEST(role_and_active_change_together_or_not_at_all),
		TEST(nobody_changes_itself_or_another_tenants_user),
		TEST(edited_matrix_is_in_force_at_once),
		TEST(two_admins_demoting_each_other_leave_one),
		TEST(if_match_is_honoured),
		TEST(etag_is_new_after_every_change_however_quick),
	};

	return cmocka_run_group_tests_name("service/user", tests, NULL, NULL);
}
