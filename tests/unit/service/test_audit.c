/* SPDX-License-Identifier: MIT */
/* The audit trail: one row a change, chained, so that whatever is done to it
   past the services is found. */
#include "config.h"

#include "world.h"

#include "wuts/arena.h"
#include "wuts/audit.h"
#include "wuts/audit_service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRITERS 4
#define CHANGES 25

struct verdicts {
	unsigned n;
	unsigned bad;
	uint64_t rows;
	struct audit_verdict last_bad;
};

static void
note_verdict(void *ctx, const struct audit_verdict *verdict)
{
	struct verdicts *verdicts = ctx;

	verdicts->n++;
	verdicts->rows += verdict->rows;
	if (verdict->bad_seq != 0) {
		verdicts->bad++;
		verdicts->last_bad = *verdict;
	}
}

static struct verdicts
verify(struct world *w, const struct uuid *tenant_id)
{
	struct verdicts verdicts;

	memset(&verdicts, 0, sizeof(verdicts));
	fault_clear(&w->fault);
	assert_ok(w, audit_service_verify(w->service, tenant_id, note_verdict,
	    &verdicts, &w->fault));
	return verdicts;
}

static void
assert_good(struct world *w, const struct uuid *tenant_id)
{
	struct verdicts verdicts = verify(w, tenant_id);

	if (verdicts.bad > 0)
		fail_msg("row %llu: %s",
		    (unsigned long long)verdicts.last_bad.bad_seq,
		    verdicts.last_bad.why);
	assert_true(verdicts.n > 0);
}

static void
assert_bad(struct world *w, const struct uuid *tenant_id, uint64_t seq)
{
	struct verdicts one = verify(w, tenant_id), all = verify(w, NULL);

	assert_int_equal(one.bad, 1);
	assert_int_equal(one.last_bad.bad_seq, seq);
	assert_true(strlen(one.last_bad.why) > 0);
	assert_int_equal(all.bad, 1);
	assert_true(uuid_is_equal(&all.last_bad.tenant_id, tenant_id));
	assert_int_equal(all.last_bad.bad_seq, seq);
}

static void
set_active(struct world *w, const struct caller *caller,
    const struct uuid *id, bool active)
{
	struct user_change change = { .has_active = true, .active = active };
	struct user before, after;

	assert_ok(w, user_service_change(w->service, caller, id, &change,
	    NULL, &before, &after, &w->fault));
}

/* A tenant with 6 users and some changes: 10 rows. */
static void
make_trail(struct world *w, struct world_cast *cast)
{
	struct caller admin;

	world_cast(w, cast, "Acme");
	admin = world_caller(&cast->tenant.admin);
	set_active(w, &admin, &cast->target.user.id, false);
	set_active(w, &admin, &cast->target.user.id, true);
	set_active(w, &w->master, &cast->target.user.id, false);
	set_active(w, &w->master, &cast->target.user.id, true);
	assert_int_equal(world_number(w, "SELECT MAX(seq) FROM audit"
	    " WHERE actor_kind <> 'operator'"), 10);
}

static void
untouched_trail_holds(void **state)
{
	struct world *w = *state;
	struct tenant_registered other;
	struct world_cast cast;
	struct verdicts verdicts;

	make_trail(w, &cast);
	world_tenant(w, "Other", &other);
	assert_good(w, &cast.tenant.tenant.id);
	verdicts = verify(w, NULL);
	assert_int_equal(verdicts.bad, 0);
	assert_int_equal(verdicts.n, 2);
	assert_int_equal(verdicts.rows, 12);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"), 12);
}

static void
every_edited_column_is_found(void **state)
{
	static const char *const edits[] = {
		"id = REPEAT('x', 16)",
		("actor_kind = 'operator', actor_user_id = NULL,"
		    " actor_role = NULL"),
		"actor_user_id = REPEAT('x', 16)",
		"actor_key_id = REPEAT('x', 16), actor_kind = 'api_key'",
		"actor_role = 'user'",
		"action = 'user.updates'",
		"target_id = REPEAT('x', 16)",
		"old_value = NULL",
		"old_value = ''",
		"new_value = REPLACE(new_value, 'false', 'true')",
		"request_id = CONCAT(request_id, ' ')",
		"address = '192.0.2.8'",
		"created_at = created_at + INTERVAL 1 MICROSECOND",
		"hash = REPEAT('x', 32)",
	};
	struct world *w = *state;
	struct world_cast cast;
	size_t i;

	make_trail(w, &cast);
	world_sql(w, "CREATE TABLE kept AS SELECT * FROM audit"
	    " WHERE seq = 7");
	for (i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		world_sql(w, "UPDATE audit SET %s WHERE seq = 7", edits[i]);
		assert_bad(w, &cast.tenant.tenant.id, 7);
		world_sql(w, "DELETE FROM audit WHERE seq = 7");
		world_sql(w, "INSERT INTO audit SELECT * FROM kept");
		assert_good(w, &cast.tenant.tenant.id);
	}
	world_sql(w, "DROP TABLE kept");
}

static void
deleted_rows_are_found_wherever_they_stood(void **state)
{
	static const struct {
		const char *sql;
		uint64_t seq;
	} cases[] = {
		{ "DELETE FROM audit WHERE seq = 1", 1 },
		{ "DELETE FROM audit WHERE seq = 5", 5 },
		{ "DELETE FROM audit WHERE seq BETWEEN 4 AND 8", 4 },
		{ "DELETE FROM audit WHERE seq = 10", 10 },
		{ "DELETE FROM audit WHERE seq > 3", 4 },
		{ "DELETE FROM audit", 1 },
	};
	struct world *w = *state;
	struct world_cast cast;
	size_t i;

	make_trail(w, &cast);
	world_sql(w, "CREATE TABLE kept AS SELECT * FROM audit");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_sql(w, "%s", cases[i].sql);
		assert_bad(w, &cast.tenant.tenant.id, cases[i].seq);
		world_sql(w, "DELETE FROM audit");
		world_sql(w, "INSERT INTO audit SELECT * FROM kept");
		assert_good(w, &cast.tenant.tenant.id);
	}
	/* Closing the gap by new numbers does not help. */
	world_sql(w, "DELETE FROM audit WHERE seq = 5");
	world_sql(w, "UPDATE audit SET seq = seq - 1 WHERE seq > 5"
	    " ORDER BY seq");
	world_sql(w, "UPDATE audit_chain SET seq = 9 WHERE seq = 10");
	assert_bad(w, &cast.tenant.tenant.id, 5);
	world_sql(w, "DROP TABLE kept");
}

static void
moved_end_of_the_trail_is_found(void **state)
{
	struct world *w = *state;
	struct world_cast cast;
	const struct uuid *tenant_id = &cast.tenant.tenant.id;

	make_trail(w, &cast);
	/* Cut off, and the head moved back: its hash is not to be had. */
	world_sql(w, "CREATE TABLE kept AS SELECT * FROM audit_chain");
	world_sql(w, "UPDATE audit_chain SET seq = 11 WHERE seq = 10");
	assert_bad(w, tenant_id, 11);
	world_sql(w, "UPDATE audit_chain SET seq = 9 WHERE seq = 11");
	assert_bad(w, tenant_id, 10);
	world_sql(w, "UPDATE audit_chain SET seq = 10,"
	    " hash = REPEAT('x', 32) WHERE seq = 9");
	assert_bad(w, tenant_id, 10);
	world_sql(w, "DELETE FROM audit_chain WHERE seq = 10");
	assert_bad(w, tenant_id, 1);
	/* Trail and end together: a tenant that lives must have one. */
	world_sql(w, "DELETE FROM audit");
	assert_bad(w, tenant_id, 1);
	world_sql(w, "DROP TABLE kept");
}

static void
row_written_past_the_services_is_found(void **state)
{
	struct world *w = *state;
	struct world_cast cast;

	make_trail(w, &cast);
	world_sql(w, "INSERT INTO audit (id, tenant_id, actor_kind, action,"
	    " target_id, request_id, address, created_at, seq, hash)"
	    " SELECT REPEAT('n', 16), tenant_id, 'master', 'user.created',"
	    " target_id, '', '', created_at, 11, hash FROM audit"
	    " WHERE seq = 10");
	assert_bad(w, &cast.tenant.tenant.id, 11);
	world_sql(w, "UPDATE audit_chain SET seq = 11 WHERE seq = 10");
	assert_bad(w, &cast.tenant.tenant.id, 11);
}

static void
rows_under_another_installation_key_are_not_genuine(void **state)
{
	struct world *w = *state;
	struct world_cast cast;

	make_trail(w, &cast);
	w->settings.keys.key[0].audit[0] ^= 1;
	assert_bad(w, &cast.tenant.tenant.id, 1);
	/* As an older key it is enough, and the chain goes on. */
	w->settings.keys.key[1] = w->settings.keys.key[0];
	w->settings.keys.key[1].audit[0] ^= 1;
	w->settings.keys.n = 2;
	assert_good(w, &cast.tenant.tenant.id);
	set_active(w, &w->master, &cast.target.user.id, false);
	assert_good(w, &cast.tenant.tenant.id);
}

static void
no_trail_of_no_tenant(void **state)
{
	struct world *w = *state;
	struct verdicts verdicts;
	struct uuid nobody;

	memset(&verdicts, 0, sizeof(verdicts));
	uuid_new_ordered(&nobody);
	assert_refused(w, audit_service_verify(w->service, &nobody,
	    note_verdict, &verdicts, &w->fault), REFUSAL_TENANT_NOT_FOUND);
	assert_int_equal(verdicts.n, 0);
	/* Of the installation there need not be one. */
	assert_good(w, &UUID_NIL);
}

static void
odd_request_ids_and_addresses_are_cut_and_still_hold(void **state)
{
	struct world *w = *state;
	char request_id[400], address[400];
	struct world_cast cast;
	struct caller caller = w->master;
	size_t i;

	world_cast(w, &cast, "Acme");
	/* 3 bytes a character: 128 and 64 fall inside of one. */
	for (i = 0; i + 3 < sizeof(request_id); i += 3) {
		memcpy(request_id + i, "\xe2\x82\xac", 4);
		memcpy(address + i, "\xe2\x82\xac", 4);
	}
	caller.request_id = request_id;
	caller.address = address;
	set_active(w, &caller, &cast.target.user.id, false);
	caller.request_id = NULL;
	caller.address = NULL;
	set_active(w, &caller, &cast.target.user.id, true);
	assert_good(w, &cast.tenant.tenant.id);
	assert_int_equal(world_number(w, "SELECT LENGTH(request_id) FROM"
	    " audit WHERE seq = 7"), 126);
	assert_int_equal(world_number(w, "SELECT LENGTH(address) FROM"
	    " audit WHERE seq = 7"), 63);
}

static void
refused_change_leaves_no_row(void **state)
{
	struct world *w = *state;
	struct user_change change = { .has_role = true, .role = ROLE_ADMIN };
	struct user before, after;
	struct world_cast cast;
	struct caller user;

	world_cast(w, &cast, "Acme");
	user = world_caller(&cast.by_role[ROLE_USER].user);
	assert_refused(w, user_service_change(w->service, &user,
	    &cast.target.user.id, &change, NULL, &before, &after, &w->fault),
	    REFUSAL_FORBIDDEN);
	change.role = ROLE_USER;
	assert_ok(w, user_service_change(w->service, &w->master,
	    &cast.target.user.id, &change, NULL, &before, &after, &w->fault));
	assert_int_equal(world_number(w, "SELECT MAX(seq) FROM audit"), 6);
	assert_good(w, &cast.tenant.tenant.id);
}

static int
change_in_a_child(struct world *w, const struct uuid *ids, unsigned offset)
{
	struct user_change change = { .has_active = true };
	struct user before, after;
	unsigned i;

	w->service = world_service(w);
	for (i = 0; i < CHANGES; i++) {
		change.active = i % 2 != 0;
		fault_clear(&w->fault);
		if (user_service_change(w->service, &w->master, &ids[offset],
		    &change, NULL, &before, &after, &w->fault) < 0)
			return 1;
	}
	return 0;
}

/* Each process changes its own user, half of them in one tenant. */
static void
changes_of_many_processes_make_one_chain_without_gaps(void **state)
{
	struct world *w = *state;
	struct world_cast casts[2];
	struct uuid ids[WRITERS];
	pid_t children[WRITERS];
	unsigned i;
	int status;

	world_cast(w, &casts[0], "Acme");
	world_cast(w, &casts[1], "Other");
	for (i = 0; i < WRITERS; i++)
		ids[i] = i / 2 == 0 ? casts[i % 2].target.user.id :
		    casts[i % 2].by_role[ROLE_USER].user.id;
	for (i = 0; i < WRITERS; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			_exit(change_in_a_child(w, ids, i));
	}
	/* Verified while it grows, too. */
	assert_good(w, NULL);
	for (i = 0; i < WRITERS; i++) {
		assert_int_equal(waitpid(children[i], &status, 0),
		    children[i]);
		assert_int_equal(status, 0);
	}
	assert_good(w, NULL);
	assert_int_equal(verify(w, NULL).rows, 2 * 6 + WRITERS * CHANGES);
}

/* --- the list --- */

struct listed {
	unsigned n;
	uint64_t seq[64];
	char action[64][64];
};

static int
note_listed(void *ctx, const struct audit_entry *entry, struct fault *fault)
{
	struct listed *listed = ctx;

	(void)fault;
	assert_true(listed->n < 64);
	listed->seq[listed->n] = entry->seq;
	snprintf(listed->action[listed->n++], sizeof(listed->action[0]), "%s",
	    entry->action);
	return 0;
}

static const char *
list(struct world *w, const struct audit_query *query, struct listed *listed)
{
	const char *next = NULL;

	memset(listed, 0, sizeof(*listed));
	assert_ok(w, audit_service_list(w->service, w->arena, query,
	    note_listed, listed, &next, &w->fault));
	return next;
}

static void
list_is_newest_first_and_pages_meet(void **state)
{
	struct world *w = *state;
	struct audit_query query;
	struct world_cast cast;
	struct listed listed;
	uint64_t expected = 10;
	unsigned i;

	make_trail(w, &cast);
	memset(&query, 0, sizeof(query));
	query.tenant_id = cast.tenant.tenant.id;
	assert_null(list(w, &query, &listed));
	assert_int_equal(listed.n, 10);
	assert_string_equal(listed.action[9], "tenant.created");
	query.limit = 4;
	do {
		query.cursor = list(w, &query, &listed);
		for (i = 0; i < listed.n; i++)
			assert_int_equal(listed.seq[i], expected--);
	} while (query.cursor != NULL);
	assert_int_equal(expected, 0);
}

static void
list_of_an_action_and_of_a_user(void **state)
{
	struct world *w = *state;
	struct audit_query query;
	struct world_cast cast;
	struct listed listed;

	make_trail(w, &cast);
	memset(&query, 0, sizeof(query));
	query.tenant_id = cast.tenant.tenant.id;
	query.action = "user.updated";
	list(w, &query, &listed);
	assert_int_equal(listed.n, 4);
	/* As the actor and as the target. */
	query.action = NULL;
	query.user_id = &cast.tenant.admin.id;
	list(w, &query, &listed);
	assert_int_equal(listed.n, 3);
	assert_string_equal(listed.action[0], "user.updated");
	assert_string_equal(listed.action[2], "user.created");
	query.action = "user.created";
	list(w, &query, &listed);
	assert_int_equal(listed.n, 1);
	query.tenant_id = cast.tenant.admin.id;
	assert_null(list(w, &query, &listed));
	assert_int_equal(listed.n, 0);
}

static void
cursor_that_is_none_is_refused(void **state)
{
	static const char *const cursors[] = {
		"", "a", "a00", "a0000000000000000", "u0000000000000001",
		"affffffffffffffff", "a00000000000000010", "nonsense"
	};
	struct world *w = *state;
	struct audit_query query;
	struct listed listed;
	const char *next;
	size_t i;

	memset(&query, 0, sizeof(query));
	for (i = 0; i < sizeof(cursors) / sizeof(cursors[0]); i++) {
		query.cursor = cursors[i];
		assert_refused(w, audit_service_list(w->service, w->arena,
		    &query, note_listed, &listed, &next, &w->fault),
		    REFUSAL_VALIDATION);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(untouched_trail_holds),
		TEST(every_edited_column_is_found),
		TEST(deleted_rows_are_found_wherever_they_stood),
		TEST(moved_end_of_the_trail_is_found),
		TEST(row_written_past_the_services_is_found),
		TEST(rows_under_another_installation_key_are_not_genuine),
		TEST(no_trail_of_no_tenant),
		TEST(odd_request_ids_and_addresses_are_cut_and_still_hold),
		TEST(refused_change_leaves_no_row),
		TEST(changes_of_many_processes_make_one_chain_without_gaps),
		TEST(list_is_newest_first_and_pages_meet),
		TEST(list_of_an_action_and_of_a_user),
		TEST(cursor_that_is_none_is_refused),
	};

	return cmocka_run_group_tests_name("service/audit", tests, NULL,
	    NULL);
}
