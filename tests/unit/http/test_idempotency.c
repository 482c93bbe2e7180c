/* SPDX-License-Identifier: MIT */
/* Idempotency-Key on the request path: what is given again, what is kept, and
   when the answer of a change is rendered. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/log.h"
#include "wuts/uuid.h"

#include "rig.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct input_field fields[] = {
	{ "name", INPUT_STRING, INPUT_REQUIRED },
	{ "password", INPUT_STRING, INPUT_SECRET }
};

static struct {
	unsigned tries, done, rendered;
} changes;

/* What a use case with a transaction does: the answer is rendered inside it,
   and again when it is retried. ?fail= is the fault it ends with. */
static int
change_body(struct exchange *x, unsigned *number, struct fault *fault)
{
	const char *how = request_query(x, "fail");
	struct idempotency_answer answer;

	*number = ++changes.tries;
	if (x->caller.reply != NULL)
		x->caller.reply->render(x->caller.reply->ctx, &answer);
	if (how != NULL && strcmp(how, "late") == 0)
		return fault_set(fault, FAULT_DATABASE, "lost at COMMIT");
	if (how != NULL)
		return fault_say(fault, strcmp(how, "401") == 0 ?
		    REFUSAL_UNAUTHORIZED : REFUSAL_FORBIDDEN, "not you");
	if (x->caller.reply != NULL) {
		keep(&answer);
		x->idempotency.stored = 1;
	}
	changes.done++;
	return 0;
}

static void
render_change(struct exchange *x, const void *ctx)
{
	const unsigned *number = ctx;
	struct json_writer *w = response_begin(x, 201);

	changes.rendered++;
	response_header(x, "ETag", "\"x\"");
	json_write_key(w, "number");
	json_write_int(w, *number);
	json_write_object_end(w);
}

static int
change_something(struct exchange *x, struct fault *fault)
{
	const json_t *in[2];
	unsigned number = 0;

	if (request_object(x, fields, 2, in, fault) < 0)
		return -1;
	response_plan(x, render_change, &number);
	if (request_query(x, "twice") != NULL)
		(void)change_body(x, &number, fault);
	if (change_body(x, &number, fault) < 0)
		return -1;
	return response_render_planned(x);
}

/* Nothing of it is in a transaction. */
static int
make_ids(struct exchange *x, struct fault *fault)
{
	char text[UUID_TEXT_LEN + 1];
	struct json_writer *w;
	struct uuid id;

	if (request_query(x, "fail") != NULL)
		return fault_set(fault, FAULT_QUEUE, "disk");
	w = response_begin(x, 202);
	json_write_key(w, "ids");
	json_write_array_begin(w);
	for (uint32_t n = 0; n < 2; n++) {
		request_new_id(x, n, &id);
		json_write_string(w, uuid_format(&id, text));
	}
	json_write_array_end(w);
	json_write_object_end(w);
	return 0;
}

static const struct route routes[] = {
	{ HTTP_POST, "/change", ACCESS_MEMBER, change_something, 0 },
	{ HTTP_POST, "/relay", ACCESS_MEMBER, change_something, ROUTE_RELAY },
	{ HTTP_PUT, "/change", ACCESS_MEMBER, change_something, 0 },
	{ HTTP_POST, "/ids", ACCESS_MEMBER, make_ids, 0 }
};

static const struct dialect dialect = { .name = "test", .routes = routes,
    .nroutes = sizeof(routes) / sizeof(routes[0]), .write_error = write_fault,
    .flags = DIALECT_IDEMPOTENT };

static int
set_up(void **state)
{
	memset(&changes, 0, sizeof(changes));
	return rig_set_up(state);
}

#define GOOD_BODY "{\"name\":\"n\",\"password\":\"p\"}"
#define CHANGE(key_, uri_) (&(const struct ask) { .method = "POST", \
    .uri = (uri_), .authorization = "user", .body = GOOD_BODY, \
    .key = (key_) })
#define CHANGE_BY(key_, body_) (&(const struct ask) { .method = "POST", \
    .uri = "/change", .authorization = "user", .body = (body_), \
    .key = (key_) })

static void
without_a_key_a_change_is_rendered_once_and_kept_nowhere(void **state)
{
	(void)state;
	expect(CHANGE(NULL, "/change"), 201, "\"number\":1");
	expect(CHANGE(NULL, "/change"), 201, "\"number\":2");
	assert_int_equal(changes.rendered, 2);
	assert_false(kept.exists);
}

static void
a_key_replays_status_headers_and_body(void **state)
{
	struct fcgi_answer first, again;
	char buf[128];

	(void)state;
	ask(CHANGE_BY("k", "{\"name\":\"n\",\"password\":\"p\","
	    "\"typo\":1}"), &first);
	ask(CHANGE_BY("k", "{\"name\":\"n\",\"password\":\"p\","
	    "\"typo\":1}"), &again);
	assert_int_equal(first.status, 201);
	assert_int_equal(again.status, 201);
	assert_string_equal(first.body, again.body);
	assert_null(fcgi_header(&first, "Idempotent-Replayed", buf,
	    sizeof(buf)));
	assert_string_equal(fcgi_header(&again, "Idempotent-Replayed", buf,
	    sizeof(buf)), "true");
	assert_string_equal(fcgi_header(&again, "ETag", buf, sizeof(buf)),
	    "\"x\"");
	assert_string_equal(fcgi_header(&again, "X-WUTS-Ignored", buf,
	    sizeof(buf)), "typo");
	assert_int_equal(changes.done, 1);
	assert_int_equal(changes.rendered, 1);
	assert_int_equal(kept.finished, 0);
	fcgi_answer_free(&first);
	fcgi_answer_free(&again);
}

static void
a_retried_transaction_renders_the_answer_of_its_last_try(void **state)
{
	(void)state;
	expect(CHANGE("k", "/change?twice=1"), 201,
	    "{\"success\":true,\"number\":2}");
	assert_int_equal(changes.rendered, 2);
	expect(CHANGE("k", "/change?twice=1"), 201,
	    "{\"success\":true,\"number\":2}");
	assert_int_equal(changes.rendered, 2);
}

static void
a_key_is_told_apart_by_body_and_target(void **state)
{
	(void)state;
	expect(CHANGE("k", "/change"), 201, "\"number\":1");
	expect(CHANGE_BY("k", "{\"name\":\"m\",\"password\":\"p\"}"), 422,
	    NULL);
	expect(CHANGE("k", "/change?x=1"), 201,
	    "\"number\":2");
	assert_string_equal(kept.target, "/change?x=1");
	kept.status = 0;
	expect(CHANGE("k", "/change?x=1"), 409, NULL);
	expect(CHANGE("", "/change"), 400, "Idempotency-Key");
	assert_int_equal(changes.done, 2);
}

static void
a_relayed_request_is_another_servers_to_repeat(void **state)
{
	(void)state;
	expect(CHANGE("k", "/relay"), 201, "\"number\":1");
	expect(CHANGE("k", "/relay"), 201, "\"number\":2");
	assert_false(kept.exists);
}

static void
a_refusal_is_kept_and_given_again(void **state)
{
	(void)state;
	expect(CHANGE("k", "/change?fail=403"), 403, "not you");
	expect(CHANGE("k", "/change?fail=403"), 403, "not you");
	assert_int_equal(changes.tries, 1);
	expect(CHANGE_BY("l", "{"), 400, "invalid JSON");
	expect(CHANGE_BY("l", "{"), 400, "invalid JSON");
	assert_int_equal(kept.finished, 1);
}

static void
of_a_fault_and_of_401_nothing_is_kept(void **state)
{
	(void)state;
	expect(CHANGE("k", "/change?fail=late"), 503, NULL);
	assert_int_equal(kept.abandoned, 1);
	assert_false(kept.exists);
	expect(CHANGE("k", "/change?fail=401"), 401, "not you");
	assert_int_equal(kept.abandoned, 1);
	assert_false(kept.exists);
	assert_int_equal(changes.tries, 2);
}

static void
a_key_is_read_on_post_only_and_after_who_asks(void **state)
{
	(void)state;
	expect(ASK(.method = "PUT", .uri = "/change",
	    .authorization = "user", .body = GOOD_BODY, .key = "k"), 201,
	    NULL);
	expect(ASK(.method = "POST", .uri = "/change",
	    .authorization = "nobody", .body = GOOD_BODY, .key = "k"), 401,
	    NULL);
	expect(ASK(.method = "POST", .uri = "/change",
	    .authorization = "user", .body = GOOD_BODY, .key = "k",
	    .content_type = "text/plain"), 415, NULL);
	assert_false(kept.exists);
}

static void
ids_made_under_a_key_are_the_same_after_a_crash(void **state)
{
	struct fcgi_answer first, other, again;
	const struct ask ids = { .method = "POST", .uri = "/ids",
		.authorization = "user", .body = "{}", .key = "k" };
	struct ask changed = ids;

	(void)state;
	expect(ASK(.method = "POST", .uri = "/ids?fail=1",
	    .authorization = "user", .body = "{}", .key = "k"), 503, NULL);
	ask(&ids, &first);
	assert_int_equal(first.status, 202);
	assert_int_equal(kept.finished, 1);
	kept.exists = false;
	ask(&ids, &again);
	assert_string_equal(first.body, again.body);
	kept.exists = false;
	changed.body = "{ }";
	ask(&changed, &other);
	assert_string_not_equal(first.body, other.body);
	fcgi_answer_free(&other);
	changed.key = NULL;
	ask(&changed, &other);
	assert_string_not_equal(first.body, other.body);
	fcgi_answer_free(&other);
	/* {"success":true,"ids":["xxxxxxxx-xxxx-8xxx… */
	assert_int_equal(strchr(first.body, '[')[2 + 14], '8');
	assert_memory_not_equal(strchr(first.body, '[') + 2,
	    strchr(first.body, ',') + 2, UUID_TEXT_LEN);
	fcgi_answer_free(&first);
	fcgi_answer_free(&again);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, rig_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_key_a_change_is_rendered_once_and_kept_nowhere),
		TEST(a_key_replays_status_headers_and_body),
		TEST(a_retried_transaction_renders_the_answer_of_its_last_try),
		TEST(a_key_is_told_apart_by_body_and_target),
		TEST(a_relayed_request_is_another_servers_to_repeat),
		TEST(a_refusal_is_kept_and_given_again),
		TEST(of_a_fault_and_of_401_nothing_is_kept),
		TEST(a_key_is_read_on_post_only_and_after_who_asks),
		TEST(ids_made_under_a_key_are_the_same_after_a_crash)
	};

	rig.dialect = &dialect;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)log_open("test", "/dev/null", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
