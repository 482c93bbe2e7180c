/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "world.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- get --- */

static void
get_shows_what_the_caller_may_see(void **state)
{
	struct world *w = *state;
	struct caller user, manager, foreign_admin;
	struct world_cast cast, foreign;
	struct user got;
	int i;

	world_cast(w, &cast, "Acme");
	world_cast(w, &foreign, "Other");
	user = world_caller(&cast.by_role[ROLE_USER].user);
	manager = world_caller(&cast.by_role[ROLE_MANAGER].user);
	foreign_admin = world_caller(&foreign.by_role[ROLE_ADMIN].user);
	/* Twice: the second time out of memory, with the same answers. */
	for (i = 0; i < 2; i++) {
		assert_ok(w, user_service_get(w->service, &manager,
		    &cast.target.user.id, &got, &w->fault));
		assert_string_equal(got.email, "t@example.com");
		assert_ok(w, user_service_get(w->service, &user,
		    &cast.by_role[ROLE_USER].user.id, &got, &w->fault));
		assert_ok(w, user_service_get(w->service, &w->master,
		    &cast.target.user.id, &got, &w->fault));
		assert_refused(w, user_service_get(w->service, &user,
		    &cast.target.user.id, &got, &w->fault),
		    REFUSAL_FORBIDDEN);
		assert_refused(w, user_service_get(w->service, &manager,
		    &cast.by_role[ROLE_ADMIN].user.id, &got, &w->fault),
		    REFUSAL_FORBIDDEN);
		assert_refused(w, user_service_get(w->service,
		    &foreign_admin, &cast.target.user.id, &got, &w->fault),
		    REFUSAL_USER_NOT_FOUND);
	}
}

static int
find_with(struct world *w, const char *token, const struct uuid *user_id,
    struct caller *caller)
{
	return identity_service_find_with_user(w->service, token,
	    UUID_TEXT_LEN, user_id, &caller->identity, &w->fault);
}

/* Past the services nobody is told, so what is seen tells when it was read. */
static void
user_read_with_its_caller_is_not_read_again_in_that_request(void **state)
{
	struct world *w = *state;
	const struct uuid *id;
	struct caller caller;
	struct world_cast cast;
	struct user got;

	w->settings.identity_cache_ttl_ms = 0;
	world_cast(w, &cast, "Acme");
	id = &cast.target.user.id;
	caller = world_caller(&cast.by_role[ROLE_MANAGER].user);
	assert_int_equal(find_with(w, cast.by_role[ROLE_MANAGER].token, id,
	    &caller), 1);
	world_sql(w, "UPDATE users SET email = 'x@example.com'"
	    " WHERE email = 't@example.com'");
	assert_ok(w, user_service_get(w->service, &caller, id, &got,
	    &w->fault));
	assert_string_equal(got.email, "t@example.com");
	assert_ok(w, user_service_get(w->service, &caller, id, &got,
	    &w->fault));
	assert_string_equal(got.email, "x@example.com");
	/* Of the request before nothing is left. */
	assert_int_equal(find_with(w, cast.by_role[ROLE_MANAGER].token, id,
	    &caller), 1);
	world_sql(w, "UPDATE users SET email = 'y@example.com'"
	    " WHERE email = 'x@example.com'");
	assert_int_equal(find_with(w, cast.by_role[ROLE_MANAGER].token, NULL,
	    &caller), 1);
	assert_ok(w, user_service_get(w->service, &caller, id, &got,
	    &w->fault));
	assert_string_equal(got.email, "y@example.com");
}

static void
user_read_with_its_caller_is_judged_as_ever(void **state)
{
	struct world *w = *state;
	struct world_cast cast, foreign;
	struct caller caller;
	struct user got;

	w->settings.identity_cache_ttl_ms = 0;
	world_cast(w, &cast, "Acme");
	world_cast(w, &foreign, "Other");
	caller = world_caller(&cast.by_role[ROLE_USER].user);
	assert_int_equal(find_with(w, cast.by_role[ROLE_USER].token,
	    &cast.target.user.id, &caller), 1);
	assert_refused(w, user_service_get(w->service, &caller,
	    &cast.target.user.id, &got, &w->fault), REFUSAL_FORBIDDEN);
	assert_int_equal(find_with(w, cast.by_role[ROLE_USER].token,
	    &foreign.target.user.id, &caller), 1);
	assert_refused(w, user_service_get(w->service, &caller,
	    &foreign.target.user.id, &got, &w->fault),
	    REFUSAL_USER_NOT_FOUND);
	/* It is no other caller's. */
	assert_int_equal(find_with(w, cast.by_role[ROLE_ADMIN].token,
	    &cast.target.user.id, &caller), 1);
	caller = world_caller(&foreign.by_role[ROLE_ADMIN].user);
	assert_refused(w, user_service_get(w->service, &caller,
	    &cast.target.user.id, &got, &w->fault), REFUSAL_USER_NOT_FOUND);
}

/* The first reading learns whose they are, the second is remembered. */
static void
user_read_with_its_caller_is_remembered_until_it_changes(void **state)
{
	struct user_change change = { .has_role = true, .role = ROLE_MANAGER };
	struct world *w = *state;
	struct user before, got;
	const struct uuid *id;
	struct caller caller;
	struct world_cast cast;
	int i;

	world_cast(w, &cast, "Acme");
	id = &cast.target.user.id;
	caller = world_caller(&cast.by_role[ROLE_ADMIN].user);
	for (i = 0; i < 2; i++)
		assert_int_equal(find_with(w, cast.by_role[ROLE_ADMIN].token,
		    id, &caller), 1);
	world_sql(w, "UPDATE users SET email = 'x@example.com'"
	    " WHERE email = 't@example.com'");
	for (i = 0; i < 2; i++) {
		assert_ok(w, user_service_get(w->service, &caller, id, &got,
		    &w->fault));
		assert_string_equal(got.email, "t@example.com");
	}
	assert_ok(w, user_service_change(w->service, &caller, id, &change,
	    NULL, &before, &got, &w->fault));
	for (i = 0; i < 2; i++) {
		assert_int_equal(find_with(w, cast.by_role[ROLE_ADMIN].token,
		    id, &caller), 1);
		assert_ok(w, user_service_get(w->service, &caller, id, &got,
		    &w->fault));
		assert_string_equal(got.email, "x@example.com");
		assert_int_equal(got.role, ROLE_MANAGER);
	}
}

/* What is remembered answers first: what came with the caller is then for
   nobody any more, least of all after a change. */
static void
user_read_with_its_caller_is_forgotten_where_it_is_not_needed(void **state)
{
	struct user_change change = { .has_role = true,
	    .role = ROLE_MANAGER };
	struct world *w = *state;
	const struct uuid *id;
	struct user before, got;
	struct service *other;
	struct caller caller;
	struct world_cast cast;

	world_cast(w, &cast, "Acme");
	id = &cast.target.user.id;
	caller = world_caller(&cast.target.user);
	/* Twice: the first look-up tells whose counters to read. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(find_with(w, cast.target.token, id, &caller),
		    1);
		assert_ok(w, user_service_get(w->service, &caller, id, &got,
		    &w->fault));
	}
	assert_int_equal(got.role, ROLE_USER);
	other = world_service(w);
	assert_ok(w, user_service_change(other, &w->master, id, &change, NULL,
	    &before, &got, &w->fault));
	service_close(&other);
	assert_ok(w, user_service_get(w->service, &caller, id, &got,
	    &w->fault));
	assert_int_equal(got.role, ROLE_MANAGER);
}

static void
get_sees_a_change_by_another_process_at_once(void **state)
{
	struct world *w = *state;
	struct caller admin;
	struct world_cast cast;
	struct user got;
	pid_t child;
	int status;

	world_cast(w, &cast, "Acme");
	admin = world_caller(&cast.by_role[ROLE_ADMIN].user);
	assert_ok(w, user_service_get(w->service, &admin,
	    &cast.target.user.id, &got, &w->fault));
	world_sql(w, "UPDATE users SET email = 'x@example.com'"
	    " WHERE email = 't@example.com'");
	assert_ok(w, user_service_get(w->service, &admin,
	    &cast.target.user.id, &got, &w->fault));
	assert_string_equal(got.email, "t@example.com");
	child = fork();
	if (child == 0) {
		struct user_change change = { .has_role = true,
		    .role = ROLE_MANAGER };
		struct user before;

		w->service = world_service(w);
		_exit(user_service_change(w->service, &w->master,
		    &cast.target.user.id, &change, NULL, &before, &got,
		    &w->fault) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_ok(w, user_service_get(w->service, &admin,
	    &cast.target.user.id, &got, &w->fault));
	assert_int_equal(got.role, ROLE_MANAGER);
	assert_string_equal(got.email, "x@example.com");
}

/* --- the list --- */

struct listed {
	size_t n;
	struct uuid ids[16];
	char tokens[16][UUID_TEXT_LEN + 8];
};

static int
take_user(void *ctx, const struct user *user, const char *token,
    struct fault *fault)
{
	struct listed *listed = ctx;

	(void)fault;
	assert_true(listed->n < 16);
	listed->ids[listed->n] = user->id;
	snprintf(listed->tokens[listed->n++], sizeof(listed->tokens[0]), "%s",
	    token);
	return 0;
}

static int
list(struct world *w, const struct uuid *tenant_id, const char *cursor,
    unsigned limit, struct listed *listed, const char **next_r)
{
	fault_clear(&w->fault);
	return user_service_list(w->service, w->arena, tenant_id, cursor,
	    limit, take_user, listed, next_r, &w->fault);
}

static void
list_shows_the_tenants_own_users_with_their_tokens(void **state)
{
	struct world *w = *state;
	struct listed listed = { 0 }, masked = { 0 };
	struct world_cast cast, foreign;
	char expected[32];
	const char *next;

	world_cast(w, &cast, "Acme");
	world_cast(w, &foreign, "Other");
	assert_ok(w, list(w, &cast.tenant.tenant.id, NULL, 0, &listed,
	    &next));
	assert_null(next);
	assert_int_equal(listed.n, 5);
	assert_true(uuid_is_equal(&listed.ids[0], &cast.tenant.admin.id));
	assert_string_equal(listed.tokens[0], cast.tenant.token);
	assert_string_equal(listed.tokens[4], cast.target.token);
	w->settings.show_tokens = false;
	assert_ok(w, list(w, &cast.tenant.tenant.id, NULL, 0, &masked,
	    &next));
	snprintf(expected, sizeof(expected), "%.4s\xe2\x80\xa6%s",
	    cast.target.token, cast.target.token + UUID_TEXT_LEN - 4);
	assert_string_equal(masked.tokens[4], expected);
}

static void
list_pages_without_gap_or_repetition(void **state)
{
	struct world *w = *state;
	struct listed whole = { 0 }, paged = { 0 };
	struct world_cast cast;
	const char *next;
	size_t i, pages = 0;

	world_cast(w, &cast, "Acme");
	assert_ok(w, list(w, &cast.tenant.tenant.id, NULL, 0, &whole, &next));
	do {
		assert_ok(w, list(w, &cast.tenant.tenant.id, next, 2, &paged,
		    &next));
		assert_true(++pages <= 3);
	} while (next != NULL);
	assert_int_equal(paged.n, whole.n);
	for (i = 0; i < whole.n; i++)
		assert_true(uuid_is_equal(&paged.ids[i], &whole.ids[i]));
}

static void
list_refuses_garbage_cursors_and_unknown_tenants(void **state)
{
	static const char *const garbage[] = { "", "u", "u00", "x",
	    "t00112233445566778899aabbccddeeff",
	    "u00112233445566778899aabbccddee",
	    "u00112233445566778899aabbccddeeff00",
	    "u00112233445566778899aabbccddeefg" };
	struct world *w = *state;
	struct listed listed = { 0 };
	struct world_cast cast;
	struct uuid nowhere;
	const char *next;
	size_t i;

	world_cast(w, &cast, "Acme");
	for (i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
		assert_refused(w, list(w, &cast.tenant.tenant.id, garbage[i],
		    2, &listed, &next), REFUSAL_VALIDATION);
	uuid_new_ordered(&nowhere);
	assert_refused(w, list(w, &nowhere, NULL, 0, &listed, &next),
	    REFUSAL_TENANT_NOT_FOUND);
	assert_int_equal(listed.n, 0);
}

static void
list_with_another_installation_key_says_so(void **state)
{
	struct world *w = *state;
	struct listed listed = { 0 };
	struct world_cast cast;
	const char *next;

	world_cast(w, &cast, "Acme");
	w->settings.keys.key[0].seal[0] ^= 1;
	assert_refused(w, list(w, &cast.tenant.tenant.id, NULL, 0, &listed,
	    &next), FAULT_INTERNAL);
	assert_non_null(strstr(w->fault.text, "installation key"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(get_shows_what_the_caller_may_see),
		TEST(user_read_with_its_caller_is_not_read_again_in_that_request),
		TEST(user_read_with_its_caller_is_judged_as_ever),
		TEST(user_read_with_its_caller_is_remembered_until_it_changes),
		TEST(user_read_with_its_caller_is_forgotten_where_it_is_not_needed),
		TEST(get_sees_a_change_by_another_process_at_once),
		TEST(list_shows_the_tenants_own_users_with_their_tokens),
		TEST(list_pages_without_gap_or_repetition),
		TEST(list_refuses_garbage_cursors_and_unknown_tenants),
		TEST(list_with_another_installation_key_says_so),
	};

	return cmocka_run_group_tests_name("service/user_read", tests, NULL,
	    NULL);
}
