/* SPDX-License-Identifier: MIT */
/* One key, one change, one answer: under concurrency, and whoever dies on the
   way. The request under test creates a user. */
#include "config.h"

#include "world.h"

#include "wuts/clock.h"
#include "wuts/idempotency_service.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH "/users"
#define BODY "{\"email\":\"new@example.com\"}"

/* What an HTTP exchange holds. */
struct request {
	struct world *w;
	struct service *service;
	const char *key;
	const char *body;
	struct caller caller;
	struct uuid tenant_id;
	struct user_registered result;
	struct idempotency idempotency;
	struct idempotency_answer answer;
	struct reply reply;
	struct fault fault;
	char text[512];
	/* Stop here, inside the transaction. */
	int stopped, go_on;
};

static void
render(void *ctx, struct idempotency_answer *answer_r)
{
	struct request *r = ctx;
	char byte = 0;

	if (r->stopped > 0) {
		if (write(r->stopped, "", 1) != 1 ||
		    read(r->go_on, &byte, 1) != 1)
			_exit(9);
		r->stopped = 0;
	}
	snprintf(r->text, sizeof(r->text), "created %s token %s",
	    r->result.user.email, r->result.token);
	answer_r->status = 201;
	answer_r->text = r->text;
	answer_r->len = strlen(r->text);
}

static void
init_request(struct request *r, struct world *w, const char *key,
    const struct uuid *tenant_id)
{
	memset(r, 0, sizeof(*r));
	r->w = w;
	r->service = w->service;
	r->key = key;
	r->body = BODY;
	r->caller = w->master;
	r->tenant_id = *tenant_id;
	r->reply.idempotency = &r->idempotency;
	r->reply.render = render;
	r->reply.ctx = r;
}

static int
begin(struct request *r)
{
	fault_clear(&r->fault);
	return idempotency_service_begin(r->service, r->w->arena, &r->caller,
	    r->key, PATH, r->body, strlen(r->body), &r->idempotency,
	    &r->answer, &r->fault);
}

static int
act(struct request *r)
{
	struct user_registration input = {
		.tenant_id = r->tenant_id,
		.email = "new@example.com",
		.password = "correct horse battery",
		.role = ROLE_USER
	};
	int ret;

	r->caller.reply = &r->reply;
	fault_clear(&r->fault);
	ret = user_service_create(r->service, &r->caller, &input, &r->result,
	    &r->fault);
	r->caller.reply = NULL;
	return ret;
}

static void
assert_new_users(struct world *w, long n)
{
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM users"
	    " WHERE email = 'new@example.com'"), n);
	assert_int_equal(world_count_events(w, "user.created"), 1 + n);
}

static void
assert_replayed(struct request *r, const char *text)
{
	if (begin(r) != 1)
		fail_msg("not replayed: %s", r->fault.text);
	assert_int_equal(r->answer.status, 201);
	assert_int_equal(r->answer.len, strlen(text));
	assert_memory_equal(r->answer.text, text, r->answer.len);
}

static void
same_request_gets_the_first_answer_again(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct request first, again;

	world_tenant(w, "Acme", &tenant);
	init_request(&first, w, "k1", &tenant.tenant.id);
	init_request(&again, w, "k1", &tenant.tenant.id);
	assert_int_equal(begin(&first), 0);
	assert_int_equal(act(&first), 0);
	assert_int_equal(first.idempotency.stored, 1);
	/* Ending it once more does no harm. */
	idempotency_service_finish(w->service, &first.idempotency,
	    &first.answer);
	idempotency_service_abandon(w->service, &first.idempotency);
	assert_replayed(&again, first.text);
	service_close(&w->service);
	w->service = again.service = world_service(w);
	assert_replayed(&again, first.text);
	assert_new_users(w, 1);
}

static void
another_body_is_refused_in_flight_and_after(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct request first, other;

	world_tenant(w, "Acme", &tenant);
	init_request(&first, w, "k1", &tenant.tenant.id);
	init_request(&other, w, "k1", &tenant.tenant.id);
	other.body = "{}";
	assert_int_equal(begin(&first), 0);
	assert_int_equal(begin(&other), -1);
	assert_int_equal(other.fault.code, REFUSAL_IDEMPOTENCY_MISMATCH);
	assert_int_equal(act(&first), 0);
	assert_int_equal(begin(&other), -1);
	assert_int_equal(other.fault.code, REFUSAL_IDEMPOTENCY_MISMATCH);
}

static void
request_in_flight_is_not_begun_twice(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct request first, second;

	world_tenant(w, "Acme", &tenant);
	init_request(&first, w, "k1", &tenant.tenant.id);
	init_request(&second, w, "k1", &tenant.tenant.id);
	assert_int_equal(begin(&first), 0);
	assert_int_equal(begin(&second), -1);
	assert_int_equal(second.fault.code, REFUSAL_IDEMPOTENCY_IN_FLIGHT);
	assert_true(second.fault.retry_after_s > 0);
	idempotency_service_abandon(w->service, &first.idempotency);
	assert_int_equal(begin(&second), 0);
}

static void
caller_path_and_key_tell_requests_apart(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct request first, other;
	struct uuid id;

	world_tenant(w, "Acme", &tenant);
	init_request(&first, w, "k1", &tenant.tenant.id);
	assert_int_equal(begin(&first), 0);
	init_request(&other, w, "k2", &tenant.tenant.id);
	assert_int_equal(begin(&other), 0);
	init_request(&other, w, "k1", &tenant.tenant.id);
	other.caller = world_caller(&tenant.admin);
	assert_int_equal(begin(&other), 0);
	other.caller.identity.kind = IDENTITY_KEY;
	other.caller.identity.key_id = tenant.admin.id;
	assert_int_equal(begin(&other), 0);
	uuid_new_ordered(&id);
	other.caller.identity.key_id = id;
	assert_int_equal(begin(&other), 0);
	assert_int_equal(idempotency_service_begin(w->service, w->arena,
	    &first.caller, "k1", PATH "/", BODY, strlen(BODY),
	    &other.idempotency, &other.answer, &w->fault), 0);
	/* Path and key do not run into each other. */
	assert_int_equal(idempotency_service_begin(w->service, w->arena,
	    &first.caller, "sk1", "/user", BODY, strlen(BODY),
	    &other.idempotency, &other.answer, &w->fault), 0);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM idempotency"),
	    7);
}

static void
key_is_visible_ascii_of_bounded_length(void **state)
{
	struct world *w = *state;
	char longest[IDEMPOTENCY_KEY_MAX + 2];
	const char *const wrong[] = {
		"", "a b", "a\tb", "\x7f", "\xc3\xa4", longest
	};
	struct tenant_registered tenant;
	struct request r;
	size_t i;

	world_tenant(w, "Acme", &tenant);
	memset(longest, '!', sizeof(longest));
	longest[IDEMPOTENCY_KEY_MAX + 1] = '\0';
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		init_request(&r, w, wrong[i], &tenant.tenant.id);
		assert_int_equal(begin(&r), -1);
		assert_int_equal(r.fault.code, REFUSAL_VALIDATION);
		assert_int_equal(r.fault.nfields, 1);
	}
	longest[IDEMPOTENCY_KEY_MAX] = '\0';
	assert_int_equal(begin(&r), 0);
}

static void
refusal_is_an_answer_and_a_fault_is_none(void **state)
{
	struct world *w = *state;
	struct idempotency_answer answer = {
		.status = 409, .text = "taken", .len = 5
	};
	struct tenant_registered tenant;
	struct request first, again;

	world_tenant(w, "Acme", &tenant);
	init_request(&first, w, "k0", &tenant.tenant.id);
	assert_int_equal(act(&first), -1);	/* no row: taken over */
	assert_int_equal(first.fault.code, REFUSAL_IDEMPOTENCY_IN_FLIGHT);
	assert_new_users(w, 0);
	init_request(&first, w, "k1", &tenant.tenant.id);
	assert_int_equal(begin(&first), 0);
	assert_int_equal(act(&first), 0);
	init_request(&first, w, "k2", &tenant.tenant.id);
	assert_int_equal(begin(&first), 0);
	assert_int_equal(act(&first), -1);
	assert_int_equal(first.fault.code, REFUSAL_EMAIL_EXISTS);
	assert_int_equal(first.idempotency.stored, 0);
	idempotency_service_finish(w->service, &first.idempotency, &answer);
	init_request(&again, w, "k2", &tenant.tenant.id);
	assert_int_equal(begin(&again), 1);
	assert_int_equal(again.answer.status, 409);
	assert_int_equal(again.answer.len, 5);
	assert_memory_equal(again.answer.text, "taken", 5);
}

static void
answer_is_kept_for_a_day(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct request first, again;

	world_tenant(w, "Acme", &tenant);
	init_request(&first, w, "k1", &tenant.tenant.id);
	assert_int_equal(begin(&first), 0);
	assert_int_equal(act(&first), 0);
	init_request(&again, w, "k1", &tenant.tenant.id);
	world_sql(w, "UPDATE idempotency SET created_at = created_at"
	    " - INTERVAL 86395 SECOND");
	assert_replayed(&again, first.text);
	world_sql(w, "UPDATE idempotency SET created_at = created_at"
	    " - INTERVAL 10 SECOND");
	again.body = "{}";
	assert_int_equal(begin(&again), 0);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM idempotency"),
	    1);
}

/* Each row that comes takes others along that are past their time. */
static void
old_rows_go_by_themselves(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct request r;
	char key[16];
	int i;

	world_tenant(w, "Acme", &tenant);
	world_sql(w, "INSERT INTO idempotency (key_hash, body_hash,"
	    " created_at) SELECT UNHEX(SHA2(seq, 256)), REPEAT('b', 32),"
	    " '2020-01-01' FROM seq_1_to_600");
	for (i = 0; i < 200; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		init_request(&r, w, key, &tenant.tenant.id);
		assert_int_equal(begin(&r), 0);
	}
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM idempotency"),
	    200);
}

static void
very_long_answer_is_not_kept(void **state)
{
	struct world *w = *state;
	static char text[(1 << 20) + 1];
	struct idempotency_answer answer = {
		.status = 200, .text = text, .len = sizeof(text)
	};
	struct tenant_registered tenant;
	struct request r;

	world_tenant(w, "Acme", &tenant);
	memset(text, 'x', sizeof(text));
	init_request(&r, w, "k1", &tenant.tenant.id);
	assert_int_equal(begin(&r), 0);
	idempotency_service_finish(w->service, &r.idempotency, &answer);
	assert_int_equal(begin(&r), 0);
	answer.len--;
	idempotency_service_finish(w->service, &r.idempotency, &answer);
	assert_int_equal(begin(&r), 1);
	assert_int_equal(r.answer.len, 1 << 20);
	assert_memory_equal(r.answer.text, text, r.answer.len);
}

static void
stored_answer_is_sealed_to_its_row(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	struct request one, two;

	world_tenant(w, "Acme", &tenant);
	init_request(&one, w, "k1", &tenant.tenant.id);
	assert_int_equal(begin(&one), 0);
	assert_int_equal(act(&one), 0);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM idempotency"
	    " WHERE sealed LIKE '%%token%%' OR sealed LIKE '%%%s%%'",
	    one.result.token), 0);
	init_request(&two, w, "k2", &tenant.tenant.id);
	assert_int_equal(begin(&two), 0);
	world_sql(w, "CREATE TEMPORARY TABLE t AS SELECT sealed FROM"
	    " idempotency WHERE status = 201");
	world_sql(w, "UPDATE idempotency SET status = 201, sealed ="
	    " (SELECT sealed FROM t) WHERE status IS NULL");
	assert_int_equal(begin(&two), -1);
	assert_int_equal(two.fault.code, FAULT_INTERNAL);
}

/* --- many at once --- */

static int
race_in_a_child(struct request *r, int go)
{
	struct idempotency_answer refused = {
		.status = 409, .text = "no", .len = 2
	};
	char byte;
	int ret;

	r->service = world_service(r->w);
	if (read(go, &byte, 1) != 0)	/* until the parent closes it */
		return 9;
	for (;;) {
		ret = begin(r);
		if (ret == 1)
			return r->answer.status == 201 ? 1 : 8;
		if (ret < 0) {
			if (r->fault.code == REFUSAL_IDEMPOTENCY_IN_FLIGHT)
				continue;
			return 7;
		}
		if (act(r) == 0)
			return 0;
		if (!fault_is_refusal(r->fault.code))
			return 6;
		idempotency_service_finish(r->service, &r->idempotency,
		    &refused);
		return 5;
	}
}

static void
of_many_at_once_one_acts_and_all_get_its_answer(void **state)
{
	struct world *w = *state;
	struct tenant_registered tenant;
	unsigned round, i, acted;
	struct request r;
	pid_t children[6];
	char key[16];
	int go[2], status;

	world_tenant(w, "Acme", &tenant);
	for (round = 0; round < 8; round++) {
		snprintf(key, sizeof(key), "round %u", round);
		key[5] = '-';
		init_request(&r, w, key, &tenant.tenant.id);
		assert_int_equal(pipe(go), 0);
		for (i = 0; i < 6; i++) {
			children[i] = fork();
			assert_true(children[i] >= 0);
			if (children[i] == 0) {
				close(go[1]);
				_exit(race_in_a_child(&r, go[0]));
			}
		}
		close(go[0]);
		close(go[1]);
		for (acted = i = 0; i < 6; i++) {
			assert_int_equal(waitpid(children[i], &status, 0),
			    children[i]);
			assert_true(WIFEXITED(status));
			assert_true(WEXITSTATUS(status) <= 1);
			acted += WEXITSTATUS(status) == 0;
		}
		assert_int_equal(acted, 1);
		assert_int_equal(world_number(w, "SELECT COUNT(*) FROM users"
		    " WHERE email = 'new@example.com'"), 1);
		world_sql(w, "DELETE FROM users"
		    " WHERE email = 'new@example.com'");
	}
	assert_int_equal(world_count_events(w, "user.created"), 9);
}

/* --- the dead and the slow --- */

struct child {
	pid_t pid;
	int stopped, go_on;
};

enum stop {
	STOP_AFTER_BEGIN,
	STOP_IN_TRANSACTION
};

/* A process that begins the request and stops on the way. */
static void
start_child(struct request *r, enum stop where, struct child *child_r)
{
	int stopped[2], go_on[2], ret;
	char byte;

	assert_int_equal(pipe(stopped), 0);
	assert_int_equal(pipe(go_on), 0);
	child_r->pid = fork();
	assert_true(child_r->pid >= 0);
	if (child_r->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		r->service = world_service(r->w);
		if (begin(r) != 0)
			_exit(8);
		if (where == STOP_AFTER_BEGIN) {
			if (write(stopped[1], "", 1) != 1 ||
			    read(go_on[0], &byte, 1) != 1)
				_exit(9);
		} else {
			r->stopped = stopped[1];
			r->go_on = go_on[0];
		}
		ret = act(r);
		_exit(ret == 0 ? 0 : r->fault.code ==
		    REFUSAL_IDEMPOTENCY_IN_FLIGHT ? 1 : 2);
	}
	close(stopped[1]);
	close(go_on[0]);
	child_r->stopped = stopped[0];
	child_r->go_on = go_on[1];
	assert_int_equal(read(child_r->stopped, &byte, 1), 1);
}

static int
end_child(struct child *child)
{
	int status;

	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	close(child->stopped);
	close(child->go_on);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The rows in flight were begun so long ago that their time is over. */
static void
let_time_pass(struct world *w)
{
	world_sql(w, "UPDATE idempotency SET created_at = created_at"
	    " - INTERVAL 61 SECOND WHERE status IS NULL");
}

static void
process_killed_at(struct world *w, enum stop where)
{
	struct tenant_registered tenant;
	struct request r, again;
	struct child child;

	world_tenant(w, "Acme", &tenant);
	init_request(&r, w, "k1", &tenant.tenant.id);
	start_child(&r, where, &child);
	init_request(&again, w, "k1", &tenant.tenant.id);
	assert_int_equal(begin(&again), -1);
	assert_int_equal(again.fault.code, REFUSAL_IDEMPOTENCY_IN_FLIGHT);
	assert_int_equal(kill(child.pid, SIGKILL), 0);
	assert_int_equal(end_child(&child), -1);
	/* Nobody can know yet that it is gone. */
	assert_int_equal(begin(&again), -1);
	assert_int_equal(again.fault.code, REFUSAL_IDEMPOTENCY_IN_FLIGHT);
	let_time_pass(w);
	assert_int_equal(begin(&again), 0);
	assert_int_equal(act(&again), 0);
	assert_new_users(w, 1);
	init_request(&r, w, "k1", &tenant.tenant.id);
	assert_replayed(&r, again.text);
}

static void
process_killed_after_begin_is_taken_over(void **state)
{
	process_killed_at(*state, STOP_AFTER_BEGIN);
}

static void
process_killed_inside_the_transaction_is_taken_over(void **state)
{
	process_killed_at(*state, STOP_IN_TRANSACTION);
}

/* It was only slow: it wakes up when another one has its place. Rows in the
   past are its own created_us then, so time is set by the settings here. */
static void
slow_process_at(struct world *w, enum stop where)
{
	struct tenant_registered tenant;
	struct request r, again;
	struct child child;

	world_tenant(w, "Acme", &tenant);
	init_request(&r, w, "k1", &tenant.tenant.id);
	start_child(&r, where, &child);
	w->settings.request_timeout_ms = 0;
	init_request(&again, w, "k1", &tenant.tenant.id);
	assert_int_equal(begin(&again), 0);
	assert_int_equal(write(child.go_on, "", 1), 1);
	assert_int_equal(end_child(&child), 1);
	assert_new_users(w, 0);
	assert_int_equal(act(&again), 0);
	assert_new_users(w, 1);
	init_request(&r, w, "k1", &tenant.tenant.id);
	assert_replayed(&r, again.text);
}

static void
slow_process_that_was_taken_over_changes_nothing(void **state)
{
	slow_process_at(*state, STOP_AFTER_BEGIN);
}

static void
slow_transaction_that_was_taken_over_is_rolled_back(void **state)
{
	slow_process_at(*state, STOP_IN_TRANSACTION);
}

/* --- while the installation key changes --- */

static void
answers_are_found_whichever_key_is_first(void **state)
{
	struct world *w = *state;
	struct crypto_keys *keys = &w->settings.keys;
	struct tenant_registered tenant;
	struct request first, again;
	struct crypto_key old;

	world_tenant(w, "Acme", &tenant);
	init_request(&first, w, "k1", &tenant.tenant.id);
	assert_int_equal(begin(&first), 0);
	old = keys->key[0];
	keys->key[1] = old;
	memset(&keys->key[0], 7, sizeof(keys->key[0]));
	keys->n = 2;
	init_request(&again, w, "k1", &tenant.tenant.id);
	assert_int_equal(begin(&again), -1);
	assert_int_equal(again.fault.code, REFUSAL_IDEMPOTENCY_IN_FLIGHT);
	assert_int_equal(act(&first), 0);
	assert_replayed(&again, first.text);
	again.body = "{}";
	assert_int_equal(begin(&again), -1);
	assert_int_equal(again.fault.code, REFUSAL_IDEMPOTENCY_MISMATCH);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM idempotency"),
	    1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(same_request_gets_the_first_answer_again),
		TEST(another_body_is_refused_in_flight_and_after),
		TEST(request_in_flight_is_not_begun_twice),
		TEST(caller_path_and_key_tell_requests_apart),
		TEST(key_is_visible_ascii_of_bounded_length),
		TEST(refusal_is_an_answer_and_a_fault_is_none),
		TEST(answer_is_kept_for_a_day),
		TEST(old_rows_go_by_themselves),
		TEST(very_long_answer_is_not_kept),
		TEST(stored_answer_is_sealed_to_its_row),
		TEST(of_many_at_once_one_acts_and_all_get_its_answer),
		TEST(process_killed_after_begin_is_taken_over),
		TEST(process_killed_inside_the_transaction_is_taken_over),
		TEST(slow_process_that_was_taken_over_changes_nothing),
		TEST(slow_transaction_that_was_taken_over_is_rolled_back),
		TEST(answers_are_found_whichever_key_is_first),
	};

	return cmocka_run_group_tests_name("service/idempotency", tests, NULL,
	    NULL);
}
