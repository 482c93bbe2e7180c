/* SPDX-License-Identifier: MIT */
/* Sessions: a token is believed when signature, row and expiry agree, and not a
   moment longer. */
#include "config.h"

#include "world.h"

#include "wuts/clock.h"
#include "wuts/db.h"
#include "wuts/key_service.h"
#include "wuts/session_service.h"
#include "wuts/session_store.h"

#include <stdio.h>
#include <string.h>

#define WEEK_S 604800

static void
open_for(struct world *w, const struct user *user, int64_t lifetime_s,
    struct session_opened *opened_r)
{
	static const struct caller nobody = {
		.request_id = "test", .address = "192.0.2.1"
	};

	assert_ok(w, session_service_open(w->service, &nobody, user,
	    lifetime_s, "agent \xff\n", opened_r, &w->fault));
}

static int
identify_in(struct world *w, struct service *service,
    const struct uuid *tenant_id, const char *token)
{
	struct identity identity;
	struct user user;
	int found;

	found = session_service_identify(service, tenant_id, token,
	    strlen(token), &identity, &user, &w->fault);
	assert_true(found >= 0);
	assert_true((identity.kind == IDENTITY_USER) == (found == 1));
	if (found == 1)
		assert_true(uuid_is_equal(&identity.user_id, &user.id));
	return found;
}

static int
identify(struct world *w, const char *token)
{
	return identify_in(w, w->service, &UUID_NIL, token);
}

static void
token_is_good_until_it_is_revoked_everywhere(void **state)
{
	struct world *w = *state;
	struct service *other = world_service(w);
	struct session_opened one, two;
	struct world_cast cast, foreign;
	struct caller self;

	world_cast(w, &cast, "Acme");
	world_cast(w, &foreign, "Other");
	open_for(w, &cast.target.user, WEEK_S, &one);
	open_for(w, &cast.target.user, WEEK_S, &two);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(identify(w, one.token), 1);
		assert_int_equal(identify_in(w, other,
		    &cast.tenant.tenant.id, one.token), 1);
		assert_int_equal(identify_in(w, other,
		    &foreign.tenant.tenant.id, one.token), 0);
	}
	assert_string_equal(one.session.user_agent, "agent ??");
	self = world_caller(&cast.target.user);
	assert_ok(w, session_service_revoke(w->service, &self,
	    &cast.target.user.id, &one.session.id, &w->fault));
	assert_int_equal(identify(w, one.token), 0);
	assert_int_equal(identify_in(w, other, &UUID_NIL, one.token), 0);
	assert_int_equal(identify_in(w, other, &UUID_NIL, two.token), 1);
	assert_refused(w, session_service_revoke(w->service, &self,
	    &cast.target.user.id, &one.session.id, &w->fault),
	    REFUSAL_SESSION_NOT_FOUND);
	assert_int_equal(world_count_events(w, "session.created"), 2);
	assert_int_equal(world_count_events(w, "session.deleted"), 1);
	service_close(&other);
}

static void
signature_row_and_expiry_must_agree(void **state)
{
	struct world *w = *state;
	struct session_opened opened;
	struct world_cast cast;

	w->settings.identity_cache_ttl_ms = 0;
	world_cast(w, &cast, "Acme");
	open_for(w, &cast.target.user, WEEK_S, &opened);
	assert_int_equal(identify(w, opened.token), 1);
	world_sql(w, "UPDATE session SET expires_at = expires_at +"
	    " INTERVAL 1 SECOND");
	assert_int_equal(identify(w, opened.token), 0);
	world_sql(w, "UPDATE session SET expires_at = expires_at -"
	    " INTERVAL 1 SECOND");
	assert_int_equal(identify(w, opened.token), 1);
	w->settings.keys.key[0].session[0]++;
	assert_int_equal(identify(w, opened.token), 0);
	w->settings.keys.key[0].session[0]--;
	world_sql(w, "UPDATE users SET active = FALSE"
	    " WHERE email = 't@example.com'");
	assert_int_equal(identify(w, opened.token), 0);
	world_sql(w, "DELETE FROM session");
	assert_int_equal(identify(w, opened.token), 0);
}

static int
no_key(void *ctx, const struct api_key *key, struct fault *fault)
{
	(void)ctx;
	(void)key;
	(void)fault;
	fail_msg("there is no API key");
	return -1;
}

/* As in a rotation: a new key in front, the old one behind. */
static void
token_outlives_a_new_installation_key(void **state)
{
	struct world *w = *state;
	struct session_opened before, after;
	struct key_others_left left;
	struct world_cast cast;

	world_cast(w, &cast, "Acme");
	open_for(w, &cast.target.user, WEEK_S, &before);
	w->settings.keys.key[1] = w->settings.keys.key[0];
	memset(&w->settings.keys.key[0], 2, sizeof(w->settings.keys.key[0]));
	w->settings.keys.n = 2;
	open_for(w, &cast.target.user, WEEK_S, &after);
	assert_int_equal(identify(w, before.token), 1);
	assert_int_equal(identify(w, after.token), 1);
	assert_ok(w, key_service_list_left(w->service, no_key, NULL, &left,
	    &w->fault));
	assert_int_equal(left.sessions, 1);
	assert_ok(w, session_service_revoke(w->service, &w->master,
	    &cast.target.user.id, &before.session.id, &w->fault));
	assert_ok(w, key_service_list_left(w->service, no_key, NULL, &left,
	    &w->fault));
	assert_int_equal(left.sessions, 0);
}

static void
expired_ones_are_told_once_and_gone(void **state)
{
	struct world *w = *state;
	struct session_opened opened;
	struct world_cast cast;
	int i;

	world_cast(w, &cast, "Acme");
	for (i = 0; i < 6; i++)
		open_for(w, &cast.target.user, 0, &opened);
	open_for(w, &cast.target.user, WEEK_S, &opened);
	assert_int_equal(session_service_sweep(w->service, &w->fault), 0);
	assert_int_equal(session_service_sweep(w->service, &w->fault), 0);
	assert_int_equal(world_count_events(w, "session.expired"), 6);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM session"), 1);
	assert_int_equal(identify(w, opened.token), 1);
}

/* What the spooler does once a minute. */
static void
rows_go_a_while_after_their_end(void **state)
{
	struct world *w = *state;
	struct session_opened opened;
	struct world_cast cast;
	struct db *db = db_new(&w->settings);
	int64_t now_us = clock_wall_us();

	world_cast(w, &cast, "Acme");
	for (int i = 0; i < 3; i++)
		open_for(w, &cast.target.user, WEEK_S, &opened);
	assert_ok(w, session_service_revoke(w->service, &w->master,
	    &cast.target.user.id, &opened.session.id, &w->fault));
	assert_int_equal(session_store_expire(db, now_us, 10, &w->fault), 0);
	assert_int_equal(session_store_expire(db, clock_wall_us() + 1, 10,
	    &w->fault), 1);
	assert_int_equal(session_store_expire(db, now_us +
	    (int64_t)(WEEK_S + 60) * CLOCK_SECOND_US, 1, &w->fault), 1);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM session"), 1);
	db_free(&db);
}

static int
count_row(void *ctx, const struct session *session, struct fault *fault)
{
	int *n = ctx;

	(void)fault;
	assert_int_equal(session->revoked_us, 0);
	++*n;
	return 0;
}

static void
all_of_a_user_are_listed_and_ended_by_who_may(void **state)
{
	struct world *w = *state;
	struct session_opened opened[3];
	struct world_cast cast;
	struct caller user, admin;
	size_t ended;
	int n = 0;

	world_cast(w, &cast, "Acme");
	open_for(w, &cast.target.user, WEEK_S, &opened[0]);
	open_for(w, &cast.target.user, WEEK_S, &opened[1]);
	open_for(w, &cast.target.user, 0, &opened[2]);
	user = world_caller(&cast.by_role[ROLE_USER].user);
	admin = world_caller(&cast.by_role[ROLE_ADMIN].user);
	assert_refused(w, session_service_list(w->service, &user,
	    &cast.target.user.id, true, count_row, &n, &w->fault),
	    REFUSAL_FORBIDDEN);
	assert_refused(w, session_service_revoke_all(w->service, &user,
	    &cast.target.user.id, &ended, &w->fault), REFUSAL_FORBIDDEN);
	assert_ok(w, session_service_list(w->service, &admin,
	    &cast.target.user.id, false, count_row, &n, &w->fault));
	assert_int_equal(n, 2);
	assert_ok(w, session_service_list(w->service, &admin,
	    &cast.target.user.id, true, count_row, &n, &w->fault));
	assert_int_equal(n, 5);
	assert_int_equal(identify(w, opened[0].token), 1);
	assert_ok(w, session_service_revoke_all(w->service, &admin,
	    &cast.target.user.id, &ended, &w->fault));
	assert_int_equal(ended, 2);
	for (n = 0; n < 3; n++)
		assert_int_equal(identify(w, opened[n].token), 0);
	assert_ok(w, session_service_revoke_all(w->service, &admin,
	    &cast.target.user.id, &ended, &w->fault));
	assert_int_equal(ended, 0);
	assert_int_equal(world_count_events(w, "session.deleted"), 2);
	assert_int_equal(world_count_events(w, "session.expired"), 1);
}

static const char *
last_body(struct world *w, const char *name)
{
	const struct seen *seen = world_events(w);
	const char *body = NULL;

	for (size_t i = 0; i < seen->n; i++)
		if (strcmp(seen->events[i].name, name) == 0)
			body = seen->events[i].body;
	assert_non_null(body);
	return body;
}

static void
events_have_the_shape_that_wachts_consumers_know(void **state)
{
	static const char *const names[] = {
		"session.created", "session.deleted", "session.expired"
	};
	struct world *w = *state;
	struct session_opened opened;
	char id[UUID_TEXT_LEN + 1], begin[512];
	struct world_cast cast;
	const char *body;

	world_cast(w, &cast, "Acme");
	open_for(w, &cast.target.user, WEEK_S, &opened);
	assert_ok(w, session_service_revoke(w->service, &w->master,
	    &cast.target.user.id, &opened.session.id, &w->fault));
	open_for(w, &cast.target.user, 0, &opened);
	assert_int_equal(session_service_sweep(w->service, &w->fault), 0);
	for (int i = 0; i < 3; i++) {
		body = last_body(w, names[i]);
		snprintf(begin, sizeof(begin), "{\"type\":\"%s\","
		    "\"timestamp\":\"", names[i]);
		assert_memory_equal(body, begin, strlen(begin));
		assert_non_null(strstr(body, "\"entity_type\":\"session\""));
		assert_non_null(strstr(body, "\"signins\":[{\"id\":\""));
		assert_int_equal(strstr(body, "\"changed_by\"") == NULL,
		    i == 2);
	}
	uuid_format(&opened.session.id, id);
	snprintf(begin, sizeof(begin), "\"data\":{\"entity_id\":\"%s\","
	    "\"entity_type\":\"session\",\"id\":\"%s\",\"created_at\"",
	    id, id);
	assert_non_null(strstr(body, begin));
	snprintf(begin, sizeof(begin), "\"active_signin_id\":\"%s\"", id);
	assert_non_null(strstr(body, begin));
}

/* Each event is a write to the disk under the tenant's lock. */
static void
the_end_of_many_is_told_in_few_events(void **state)
{
	struct world *w = *state;
	struct session_opened opened[20];
	char id[UUID_TEXT_LEN + 1];
	const struct seen *seen;
	struct world_cast cast;
	size_t ended, told;

	world_cast(w, &cast, "Acme");
	for (int i = 0; i < 20; i++)
		open_for(w, &cast.target.user, WEEK_S, &opened[i]);
	assert_ok(w, session_service_revoke_all(w->service, &w->master,
	    &cast.target.user.id, &ended, &w->fault));
	assert_int_equal(ended, 20);
	assert_int_equal(world_count_events(w, "session.deleted"), 8);
	seen = world_events(w);
	for (int i = 0; i < 20; i++) {
		uuid_format(&opened[i].session.id, id);
		told = 0;
		for (size_t k = 0; k < seen->n; k++)
			told += strcmp(seen->events[k].name,
			    "session.deleted") == 0 &&
			    strstr(seen->events[k].body, id) != NULL;
		assert_int_equal(told, 1);
	}
}

static void
use_is_noted_to_the_minute(void **state)
{
	struct world *w = *state;
	struct session_opened opened;
	struct world_cast cast;

	world_cast(w, &cast, "Acme");
	open_for(w, &cast.target.user, WEEK_S, &opened);
	world_sql(w, "UPDATE session SET last_active_at = '2020-01-01'");
	assert_int_equal(identify(w, opened.token), 1);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM session"
	    " WHERE last_active_at > '2026-01-01'"), 1);
	world_sql(w, "UPDATE session SET last_active_at = '2020-01-01'");
	assert_int_equal(identify(w, opened.token), 1);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM session"
	    " WHERE last_active_at > '2026-01-01'"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(token_is_good_until_it_is_revoked_everywhere),
		TEST(signature_row_and_expiry_must_agree),
		TEST(token_outlives_a_new_installation_key),
		TEST(expired_ones_are_told_once_and_gone),
		TEST(rows_go_a_while_after_their_end),
		TEST(all_of_a_user_are_listed_and_ended_by_who_may),
		TEST(events_have_the_shape_that_wachts_consumers_know),
		TEST(the_end_of_many_is_told_in_few_events),
		TEST(use_is_noted_to_the_minute),
	};

	return cmocka_run_group_tests_name("service/session", tests, NULL,
	    NULL);
}
