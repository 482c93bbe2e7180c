/* SPDX-License-Identifier: MIT */
/* The request path over real FastCGI records. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/log.h"

#include "rig.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

/* --- a dialect --- */

static int
answer_ok(struct exchange *x, struct fault *fault)
{
	(void)fault;
	response_begin(x, 200);
	json_write_object_end(response_json(x));
	return 0;
}

static const struct input_field fields[] = {
	{ "name", INPUT_STRING, INPUT_REQUIRED },
	{ "count", INPUT_INT, 0 },
	{ "on", INPUT_BOOL, 0 },
	{ "list", INPUT_ARRAY, 0 },
	{ "map", INPUT_OBJECT, 0 },
	{ "password", INPUT_STRING, INPUT_REQUIRED | INPUT_SECRET }
};

static int
take_object(struct exchange *x, struct fault *fault)
{
	const json_t *in[6];
	struct json_writer *w;

	if (request_object(x, fields, 6, in, fault) < 0)
		return -1;
	w = response_begin(x, 201);
	json_write_key(w, "name");
	json_write_string(w, input_text(in[0]));
	json_write_key(w, "has_count");
	json_write_bool(w, in[1] != NULL);
	json_write_object_end(w);
	return 0;
}

static int
take_lines(struct exchange *x, struct fault *fault)
{
	const char *body;
	size_t len;
	bool is_ndjson;
	struct json_writer *w;

	if (request_body(x, &body, &len, &is_ndjson, fault) < 0)
		return -1;
	w = response_begin(x, 202);
	json_write_key(w, "bytes");
	json_write_int(w, (int64_t)len);
	json_write_key(w, "ndjson");
	json_write_bool(w, is_ndjson);
	json_write_object_end(w);
	return 0;
}

/* The answer waits for a verdict, where it may. */
static int
take_event(struct exchange *x, struct fault *fault)
{
	if (take_lines(x, fault) < 0)
		return -1;
	if (response_verdict(x) != NULL)
		response_hold(x);
	return 0;
}

static int
show_query(struct exchange *x, struct fault *fault)
{
	const char *value = request_query(x, "q"), *cursor;
	unsigned limit;
	struct json_writer *w;

	if (request_paging(x, &limit, &cursor, fault) < 0)
		return -1;
	w = response_begin(x, 200);
	json_write_key(w, "q");
	if (value == NULL)
		json_write_null(w);
	else
		json_write_string(w, value);
	json_write_key(w, "limit");
	json_write_int(w, limit);
	json_write_object_end(w);
	return 0;
}

static int
take_id(struct exchange *x, struct fault *fault)
{
	struct uuid id;

	if (request_arg_uuid(x, 0, "id", &id, fault) < 0)
		return -1;
	return answer_ok(x, fault);
}

static int
tell_identity(struct exchange *x, struct fault *fault)
{
	const struct uuid device = { .b = { 0xd } };
	bool is_device = request_query(x, "device") != NULL;

	(void)fault;
	x->caller.identity.tenant_id.b[0] =
	    x->caller.identity.kind == IDENTITY_MASTER ? 0 : 0x7e;
	if (x->caller.identity.kind == IDENTITY_USER)
		x->caller.identity.user_id.b[0] = 0x05;
	response_status(x, 204);
	response_identity(x, &x->caller.identity.tenant_id,
	    is_device ? &device : &UUID_NIL);
	return 0;
}

/* A list of many pieces; "broken" fails in the middle. */
#define LONG_ROWS 20000

static int
list_long(struct exchange *x, struct fault *fault)
{
	struct json_writer *w = response_begin(x, 200);
	bool is_broken = request_query(x, "broken") != NULL;

	json_write_key(w, "rows");
	json_write_array_begin(w);
	for (int i = 0; i < LONG_ROWS; i++) {
		json_write_int(w, i);
		response_flush(x);
		if (is_broken && i == LONG_ROWS / 2)
			return fault_set(fault, FAULT_DATABASE, "lost");
	}
	json_write_array_end(w);
	json_write_object_end(w);
	return 0;
}

static int
fail_late(struct exchange *x, struct fault *fault)
{
	struct json_writer *w = response_begin(x, 200);

	response_header(x, "X-Early", "1");
	json_write_key(w, "half");
	return fault_set(fault, FAULT_INTERNAL, "a secret of ours");
}

static const struct route routes[] = {
	{ HTTP_GET, "/public", ACCESS_PUBLIC, answer_ok, 0 },
	{ HTTP_GET, "/master", ACCESS_MASTER, answer_ok, 0 },
	{ HTTP_GET, "/member", ACCESS_MEMBER, answer_ok, 0 },
	{ HTTP_GET, "/admin", ACCESS_ADMIN, answer_ok, 0 },
	{ HTTP_GET, "/self", ACCESS_USER, answer_ok, 0 },
	{ HTTP_GET, "/engine", ACCESS_ENGINE, answer_ok, 0 },
	{ HTTP_POST, "/things", ACCESS_PUBLIC, take_object, 0 },
	{ HTTP_POST, "/guarded", ACCESS_ADMIN, take_object, 0 },
	{ HTTP_GET, "/things/{id}", ACCESS_PUBLIC, take_id, 0 },
	{ HTTP_POST, "/ingest", ACCESS_PUBLIC, take_lines, ROUTE_INGEST },
	{ HTTP_POST, "/event", ACCESS_PUBLIC, take_event, ROUTE_INGEST },
	{ HTTP_POST, "/unread", ACCESS_PUBLIC, answer_ok, 0 },
	{ HTTP_GET, "/query", ACCESS_PUBLIC, show_query, 0 },
	{ HTTP_GET, "/whoami", ACCESS_MEMBER, tell_identity, 0 },
	{ HTTP_GET, "/long", ACCESS_PUBLIC, list_long, 0 },
	{ HTTP_GET, "/late", ACCESS_PUBLIC, fail_late, 0 },
	{ HTTP_POST, "/relayed", ACCESS_MEMBER, answer_ok,
	    ROUTE_RELAY | ROUTE_ANY_MEDIA }
};

static const struct dialect dialect = { .name = "test", .routes = routes,
    .nroutes = sizeof(routes) / sizeof(routes[0]), .write_error = write_fault };

/* --- who may call --- */

static const struct access_row {
	const char *path, *authorization;
	unsigned status;
	const char *said;
	unsigned failures;
} access_rows[] = {
	{ "/public", NULL, 200, NULL, 0 },
	{ "/public", "Bearer nonsense", 200, NULL, 0 },
	{ "/member", NULL, 401, "\"missing token\"", 0 },
	{ "/member", "", 401, "\"missing token\"", 0 },
	{ "/member", "Bearer", 401, "\"missing token\"", 0 },
	{ "/member", "Bearer ", 401, "\"missing token\"", 0 },
	{ "/member", "Bearer nobody", 401, "\"invalid token\"", 1 },
	{ "/member", "Basic dXNlcjpwdw==", 401, "\"invalid token\"", 0 },
	{ "/member", "Bearer user more", 401, "\"invalid token\"", 0 },
	{ "/member", "Bearer us\xc3\xa9r", 401, "\"invalid token\"", 0 },
	{ "/member", "Bearer user", 200, NULL, 0 },
	{ "/member", "bEaReR user", 200, NULL, 0 },
	{ "/member", "Bearer  \tuser  ", 200, NULL, 0 },
	{ "/member", "user", 200, NULL, 0 },
	{ "/member", " user ", 200, NULL, 0 },
	{ "/member", "Bearer manager", 200, NULL, 0 },
	{ "/member", "Bearer master", 200, NULL, 0 },
	{ "/member", "Bearer engine", 403, NULL, 0 },
	{ "/member", "Bearer key", 200, NULL, 0 },
	{ "/member", "Bearer reader", 200, NULL, 0 },
	{ "/admin", "Bearer user", 403, "admin role required", 0 },
	{ "/admin", "Bearer manager", 403, "admin role required", 0 },
	{ "/admin", "Bearer admin", 200, NULL, 0 },
	{ "/admin", "Bearer master", 200, NULL, 0 },
	{ "/admin", "Bearer engine", 403, NULL, 0 },
	{ "/admin", "Bearer key", 200, NULL, 0 },
	{ "/admin", "Bearer reader", 200, NULL, 0 },
	{ "/admin", NULL, 401, "\"missing token\"", 0 },
	{ "/self", "Bearer user", 200, NULL, 0 },
	{ "/self", "Bearer master", 403, NULL, 0 },
	{ "/self", "Bearer engine", 403, NULL, 0 },
	{ "/self", "Bearer key", 403, "a user's token is required", 0 },
	{ "/self", "Bearer reader", 403, "a user's token is required", 0 },
	{ "/engine", "Bearer engine", 200, NULL, 0 },
	{ "/engine", "Bearer user", 200, NULL, 0 },
	{ "/engine", "Bearer master", 200, NULL, 0 },
	{ "/engine", "Bearer key", 200, NULL, 0 },
	{ "/engine", "Bearer reader", 200, NULL, 0 },
	{ "/engine", "Bearer nobody", 401, "\"invalid token\"", 1 },
	{ "/master", NULL, 401, "\"master token required\"", 0 },
	{ "/master", "Bearer admin", 401, "\"master token required\"", 0 },
	{ "/master", "Bearer user", 401, "\"master token required\"", 0 },
	{ "/master", "Bearer engine", 401, "\"master token required\"", 0 },
	{ "/master", "Bearer key", 401, "\"master token required\"", 0 },
	{ "/master", "Bearer reader", 401, "\"master token required\"", 0 },
	{ "/master", "Bearer nobody", 401, "\"invalid master token\"", 1 },
	{ "/master", "Basic x", 401, "\"invalid master token\"", 0 },
	{ "/master", "Bearer master", 200, NULL, 0 },
};

static void
every_access_meets_every_token(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(access_rows) / sizeof(access_rows[0]);
	    i++) {
		const struct access_row *row = &access_rows[i];

		print_message("%s with %s\n", row->path,
		    row->authorization == NULL ? "none" : row->authorization);
		fake.failures = 0;
		expect(ASK(.uri = row->path,
		    .authorization = row->authorization), row->status,
		    row->said);
		assert_int_equal(fake.failures, row->failures);
	}
}

static void
a_key_that_may_only_read_passes_get_and_head_only(void **state)
{
	(void)state;
	expect(ASK(.method = "POST", .uri = "/guarded",
	    .authorization = "Bearer key",
	    .body = "{\"name\":\"n\",\"password\":\"p\"}"), 201, NULL);
	expect(ASK(.method = "POST", .uri = "/guarded",
	    .authorization = "Bearer reader", .body = "{"), 403,
	    "this key may only read");
	expect(ASK(.method = "HEAD", .uri = "/admin",
	    .authorization = "Bearer reader"), 200, NULL);
}

static void
every_401_asks_for_a_bearer_token(void **state)
{
	(void)state;
	expect_header(ASK(.uri = "/member"), "WWW-Authenticate", "Bearer");
	expect_header(ASK(.uri = "/master", .authorization = "Bearer admin"),
	    "WWW-Authenticate", "Bearer");
	expect_header(ASK(.uri = "/admin", .authorization = "Bearer user"),
	    "WWW-Authenticate", NULL);
}

static void
an_address_over_the_limit_is_refused_before_the_look_up(void **state)
{
	(void)state;
	fake.wait_s = 17;
	expect(ASK(.uri = "/member", .authorization = "Bearer user"), 429,
	    "17 s");
	assert_int_equal(fake.lookups, 0);
	expect(ASK(.uri = "/member"), 401, "missing token");
	expect(ASK(.uri = "/public"), 200, NULL);
}

static void
an_endless_token_is_never_looked_up(void **state)
{
	char header[1000];

	(void)state;
	memset(header, 'a', sizeof(header) - 1);
	header[sizeof(header) - 1] = '\0';
	expect(ASK(.uri = "/member", .authorization = header), 401,
	    "invalid token");
	assert_int_equal(fake.lookups, 0);
}

static void
a_database_that_is_down_is_503_not_401(void **state)
{
	(void)state;
	fake.is_database_down = true;
	expect(ASK(.uri = "/member", .authorization = "Bearer user"), 503,
	    "\"error\":\"\"");
	assert_int_equal(fake.failures, 0);
}

/* --- order of refusals --- */

static void
refusals_come_in_their_order(void **state)
{
	const char *wrong = "text/plain", *master = "Bearer admin";

	(void)state;
	expect(ASK(.method = "POST", .uri = "/nowhere", .content_type = wrong,
	    .body = "x"), 404, NULL);
	expect(ASK(.method = "PUT", .uri = "/guarded", .content_type = wrong,
	    .body = "x"), 405, NULL);
	expect(ASK(.method = "POST", .uri = "/guarded", .content_type = wrong,
	    .body = "x"), 401, NULL);
	expect(ASK(.method = "POST", .uri = "/guarded", .content_type = wrong,
	    .body = "x", .authorization = "Bearer user"), 403, NULL);
	expect(ASK(.method = "POST", .uri = "/guarded", .content_type = wrong,
	    .body = "x", .length = "99999999", .authorization = master), 415,
	    NULL);
	expect(ASK(.method = "POST", .uri = "/guarded", .body = "x",
	    .length = "99999999", .authorization = master), 413, NULL);
	expect(ASK(.method = "POST", .uri = "/guarded", .body = "x",
	    .authorization = master), 400, NULL);
	expect(ASK(.method = "POST", .uri = "/guarded", .body = "{}",
	    .authorization = master), 400, "is required");
}

static void
a_wrong_method_is_told_the_right_ones(void **state)
{
	(void)state;
	expect_header(ASK(.method = "DELETE", .uri = "/things"), "Allow",
	    "POST, OPTIONS");
	expect_header(ASK(.method = "PROPFIND", .uri = "/public"), "Allow",
	    "GET, HEAD, OPTIONS");
}

static void
options_is_answered_without_a_token(void **state)
{
	(void)state;
	expect(ASK(.method = "OPTIONS", .uri = "/master"), 204, NULL);
	expect_header(ASK(.method = "OPTIONS", .uri = "/master"), "Allow",
	    "GET, HEAD, OPTIONS");
	expect(ASK(.method = "OPTIONS", .uri = "/nowhere"), 404, NULL);
}

static void
cors_headers_come_only_where_configured(void **state)
{
	(void)state;
	expect_header(ASK(.uri = "/public", .origin = "https://a.test"),
	    "Access-Control-Allow-Origin", NULL);
	memcpy(rig.origin, "https://a.test", 15);
	expect_header(ASK(.uri = "/public", .origin = "https://a.test"),
	    "Access-Control-Allow-Origin", "https://a.test");
	expect_header(ASK(.uri = "/public", .origin = "https://b.test"),
	    "Access-Control-Allow-Origin", NULL);
	expect_header(ASK(.method = "OPTIONS", .uri = "/things",
	    .origin = "https://a.test"), "Access-Control-Allow-Methods",
	    "POST, OPTIONS");
}

/* --- the body --- */

static const struct media_row {
	const char *uri, *type;
	unsigned status;
} media_rows[] = {
	{ "/things", "application/json", 201 },
	{ "/things", "Application/JSON", 201 },
	{ "/things", "application/json; charset=utf-8", 201 },
	{ "/things", "application/json;charset=\"UTF-8\"", 201 },
	{ "/things", "application/json ; profile=x", 201 },
	{ "/things", "application/json; charset=latin1", 415 },
	{ "/things", "application/json; charset=utf-8x", 415 },
	{ "/things", "application/jsonx", 415 },
	{ "/things", "application/x-ndjson", 415 },
	{ "/things", "text/json", 415 },
	{ "/things", "", 415 },
	{ "/ingest", "application/x-ndjson", 202 },
	{ "/ingest", "application/json", 202 },
	{ "/ingest", "text/plain", 415 }
};

static void
only_json_is_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(media_rows) / sizeof(media_rows[0]);
	    i++)
		expect(ASK(.method = "POST", .uri = media_rows[i].uri,
		    .content_type = media_rows[i].type,
		    .body = "{\"name\":\"n\",\"password\":\"p\"}"),
		    media_rows[i].status, NULL);
}

static void
an_ingest_route_has_its_own_limit(void **state)
{
	size_t len = 200 << 10;
	char *body = malloc(len);

	(void)state;
	memset(body, ' ', len);
	expect(ASK(.method = "POST", .uri = "/ingest", .body = body,
	    .body_len = len, .content_type = "application/x-ndjson"), 202,
	    "\"bytes\":204800,\"ndjson\":true");
	expect(ASK(.method = "POST", .uri = "/things", .body = body,
	    .body_len = len), 413, NULL);
	free(body);
}

static void
the_size_is_what_is_read_not_what_is_said(void **state)
{
	size_t len = 100 << 10;
	char *body = malloc(len);

	(void)state;
	memset(body, ' ', len);
	expect(ASK(.method = "POST", .uri = "/things", .body = body,
	    .body_len = len, .length = "10"), 413, NULL);
	expect(ASK(.method = "POST", .uri = "/things", .body = body,
	    .body_len = len, .length = ""), 413, NULL);
	expect(ASK(.method = "POST", .uri = "/things", .body = "{}",
	    .length = "1"), 400, "announced");
	expect(ASK(.method = "POST", .uri = "/things", .body = "{}",
	    .length = "9"), 400, "announced");
	expect(ASK(.method = "POST", .uri = "/things", .body = "{}",
	    .length = "2x"), 400, "Content-Length");
	free(body);
}

static void
a_body_without_length_is_read(void **state)
{
	(void)state;
	expect(ASK(.method = "POST", .uri = "/things", .length = "",
	    .body = "{\"name\":\"n\",\"password\":\"p\"}"), 201,
	    "\"name\":\"n\"");
	expect(ASK(.method = "POST", .uri = "/things", .length = "",
	    .content_type = "text/plain", .body = "{}"), 415, NULL);
}

static void
all_wrong_fields_are_named_at_once(void **state)
{
	struct fcgi_answer answer;

	(void)state;
	ask(ASK(.method = "POST", .uri = "/things", .body =
	    "{\"count\":\"x\",\"on\":1,\"list\":{},\"map\":[1],"
	    "\"password\":7}"), &answer);
	assert_int_equal(answer.status, 400);
	assert_string_equal(answer.body, "{\"error\":\"validation failed\","
	    "\"fields\":[\"name\",\"is required\",\"\","
	    "\"count\",\"must be an integer\",\"x\","
	    "\"on\",\"must be true or false\",\"1\","
	    "\"list\",\"must be an array\",\"{}\","
	    "\"map\",\"must be an object\",\"[1]\","
	    "\"password\",\"must be a string\",\"***\"]}");
	fcgi_answer_free(&answer);
}

static void
null_is_absent(void **state)
{
	(void)state;
	expect(ASK(.method = "POST", .uri = "/things", .body =
	    "{\"name\":\"n\",\"password\":\"p\",\"count\":null}"), 201,
	    "\"has_count\":false");
	expect(ASK(.method = "POST", .uri = "/things", .body =
	    "{\"name\":null,\"password\":\"p\"}"), 400, "is required");
}

static void
what_is_no_object_is_invalid_json(void **state)
{
	static const char *const bodies[] = { "[]", "\"x\"", "{", "{}x",
	    "{\"a\":1,\"a\":2}", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		expect(ASK(.method = "POST", .uri = "/things",
		    .body = bodies[i]), 400, NULL);
}

static void
ignored_members_are_named_and_made_harmless(void **state)
{
	(void)state;
	expect_header(ASK(.method = "POST", .uri = "/things", .body =
	    "{\"name\":\"n\",\"password\":\"p\",\"nmae\":1,"
	    "\"a\\r\\nb, c\\u00e9\":2}"), "X-WUTS-Ignored",
	    "nmae, a??b??c??");
	expect_header(ASK(.method = "POST", .uri = "/things", .body =
	    "{\"nmae\":1}"), "X-WUTS-Ignored", "nmae");
	expect_header(ASK(.method = "POST", .uri = "/things", .body =
	    "{\"name\":\"n\",\"password\":\"p\"}"), "X-WUTS-Ignored", NULL);
}

static void
the_list_of_ignored_members_ends(void **state)
{
	char body[16384], buf[2048];
	struct fcgi_answer answer;
	size_t len = 1;

	(void)state;
	body[0] = '{';
	for (int i = 0; i < 300; i++)
		len += (size_t)snprintf(body + len, sizeof(body) - len,
		    "%s\"member_number_%d\":1", i == 0 ? "" : ",", i);
	snprintf(body + len, sizeof(body) - len, "}");
	ask(ASK(.method = "POST", .uri = "/things", .body = body), &answer);
	assert_non_null(fcgi_header(&answer, "X-WUTS-Ignored", buf,
	    sizeof(buf)));
	assert_true(strlen(buf) < 600);
	assert_string_equal(buf + strlen(buf) - 5, ", ...");
	fcgi_answer_free(&answer);
}

/* --- the connection --- */

static void
a_kept_connection_survives_whatever_was_asked(void **state)
{
	size_t len = 300 << 10;
	char *body = malloc(len);

	(void)state;
	memset(body, 'x', len);
	for (int i = 0; i < 3; i++) {
		expect(ASK(.uri = "/public", .is_kept = true), 200, NULL);
		expect(ASK(.method = "POST", .uri = "/unread", .body = body,
		    .body_len = 60 << 10, .is_kept = true), 200, NULL);
		expect(ASK(.method = "POST", .uri = "/things", .body = body,
		    .body_len = len, .is_kept = true), 413, NULL);
		expect(ASK(.method = "POST", .uri = "/nowhere", .body = body,
		    .body_len = len, .is_kept = true), 404, NULL);
		expect(ASK(.uri = "/public", .body = body, .body_len = len,
		    .is_kept = true), 200, NULL);
		assert_true(rig.client >= 0 && rig.fcgi.ipcFd >= 0);
	}
	free(body);
}

static void
a_connection_broken_inside_the_body_is_not_kept(void **state)
{
	const char *const params[] = { "REQUEST_METHOD=POST",
	    "REQUEST_URI=/unread", "REMOTE_ADDR=192.0.2.7", NULL };

	(void)state;
	connect_rig();
	assert_true(fcgi_send_unfinished(rig.client, params));
	shutdown(rig.client, SHUT_WR);
	serve_one();
	assert_int_equal(rig.fcgi.ipcFd, -1);
}

/* --- answers that wait --- */

static void
count_settled(void *ctx)
{
	++*(unsigned *)ctx;
}

static void
expect_released(enum fault_code verdict, unsigned status, const char *said)
{
	const char *const params[] = { "REQUEST_METHOD=POST",
	    "REQUEST_URI=/event", "REMOTE_ADDR=192.0.2.7", "CONTENT_LENGTH=2",
	    "CONTENT_TYPE=application/json", NULL };
	struct fcgi_answer answer;

	connect_rig();
	assert_true(fcgi_send(rig.client, false, params, "{}", 2));
	rig.fcgi.keepConnection = rig.fcgi.detached = 1;
	assert_int_equal(FCGX_Accept_r(&rig.fcgi), 0);
	assert_false(exchange_serve(&rig.x, &rig.fcgi, &rig.dialect, 1));
	assert_int_equal(recv(rig.client, &answer, 1, MSG_DONTWAIT), -1);
	fault_clear(&rig.x.verdict);
	if (verdict != FAULT_NONE)
		fault_say(&rig.x.verdict, verdict, "%s", said);
	exchange_release(&rig.x);
	FCGX_Free(&rig.fcgi, 0);
	assert_true(fcgi_receive(rig.client, &answer));
	assert_int_equal(answer.status, status);
	assert_non_null(strstr(answer.body, said));
	fcgi_answer_free(&answer);
	hang_up();
}

static void
a_held_answer_is_what_its_verdict_says(void **state)
{
	unsigned settled = 0;
	const struct exchange_round round = { count_settled, &settled };

	(void)state;
	rig.x.round = &round;
	expect_released(FAULT_NONE, 202, "\"bytes\":2");
	expect_released(FAULT_QUEUE, 503, "no room");
	assert_int_equal(settled, 0);
}

static void
nothing_is_held_while_another_takes_his_time(void **state)
{
	unsigned settled = 0;
	const struct exchange_round round = { count_settled, &settled };

	(void)state;
	rig.x.round = &round;
	expect(ASK(.uri = "/nowhere"), 404, NULL);
	expect(ASK(.uri = "/member"), 401, NULL);
	assert_int_equal(settled, 0);
	expect(ASK(.uri = "/public"), 200, NULL);
	assert_int_equal(settled, 1);
}

static void
nothing_is_held_where_nobody_releases_it(void **state)
{
	(void)state;
	expect(ASK(.method = "POST", .uri = "/event", .body = "{}"), 202,
	    "\"bytes\":2");
}

/* --- the answer --- */

static void
an_answer_has_its_standard_headers(void **state)
{
	struct fcgi_answer answer;

	(void)state;
	ask(ASK(.uri = "/public", .id = "abc-1"), &answer);
	assert_string_equal(answer.head, "Status: 200 OK\r\n"
	    "Content-Type: application/json; charset=utf-8\r\n"
	    "Cache-Control: no-store\r\n"
	    "X-Request-Id: abc-1\r\n"
	    "Content-Length: 16");
	assert_string_equal(answer.body, "{\"success\":true}");
	fcgi_answer_free(&answer);
}

static void
head_is_get_without_body(void **state)
{
	struct fcgi_answer answer;
	char buf[32];

	(void)state;
	ask(ASK(.method = "HEAD", .uri = "/public"), &answer);
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.body_len, 0);
	assert_string_equal(fcgi_header(&answer, "Content-Length", buf,
	    sizeof(buf)), "16");
	fcgi_answer_free(&answer);
	ask(ASK(.method = "HEAD", .uri = "/long"), &answer);
	assert_int_equal(answer.body_len, 0);
	fcgi_answer_free(&answer);
}

static void
a_request_id_that_is_not_plain_is_replaced(void **state)
{
	static const char *const ids[] = { "", "a b", "a\x01", "\xc3\xa9",
	    "a\r\nSet-Cookie: x" };
	char buf[256], long_id[140];
	struct fcgi_answer answer;

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		ask(ASK(.uri = "/public", .id = ids[i]), &answer);
		assert_non_null(fcgi_header(&answer, "X-Request-Id", buf,
		    sizeof(buf)));
		assert_int_equal(strlen(buf), 36);
		assert_null(strstr(answer.head, "Set-Cookie"));
		fcgi_answer_free(&answer);
	}
	memset(long_id, 'a', sizeof(long_id));
	long_id[129] = '\0';
	expect_header(ASK(.uri = "/public", .id = long_id + 1),
	    "X-Request-Id", long_id + 1);
	ask(ASK(.uri = "/public", .id = long_id), &answer);
	fcgi_header(&answer, "X-Request-Id", buf, sizeof(buf));
	assert_int_equal(strlen(buf), 36);
	fcgi_answer_free(&answer);
}

static void
a_long_list_is_streamed_whole(void **state)
{
	struct fcgi_answer answer;
	char buf[32];
	json_t *root;

	(void)state;
	ask(ASK(.uri = "/long"), &answer);
	assert_null(fcgi_header(&answer, "Content-Length", buf, sizeof(buf)));
	root = json_loadb(answer.body, answer.body_len, 0, NULL);
	assert_non_null(root);
	assert_int_equal(json_array_size(json_object_get(root, "rows")),
	    LONG_ROWS);
	json_decref(root);
	fcgi_answer_free(&answer);
}

static void
a_list_that_breaks_never_looks_whole(void **state)
{
	struct fcgi_answer answer;

	(void)state;
	ask(ASK(.uri = "/long?broken=1"), &answer);
	assert_false(answer.is_complete);
	assert_int_equal(answer.status, 200);
	assert_true(answer.body_len > 0);
	fcgi_answer_free(&answer);
	hang_up();
	expect(ASK(.uri = "/public"), 200, NULL);
}

static void
a_fault_leaves_nothing_of_the_half_answer(void **state)
{
	struct fcgi_answer answer;

	(void)state;
	ask(ASK(.uri = "/late"), &answer);
	assert_int_equal(answer.status, 500);
	assert_null(strstr(answer.head, "X-Early"));
	assert_null(strstr(answer.body, "half"));
	assert_null(strstr(answer.body, "secret"));
	fcgi_answer_free(&answer);
}

/* --- path and query --- */

static void
a_query_parameter_is_decoded(void **state)
{
	(void)state;
	expect(ASK(.uri = "/query?a=1&q=x+y%26z&q=2"), 200,
	    "\"q\":\"x y&z\"");
	expect(ASK(.uri = "/query?%71=1"), 200, "\"q\":\"1\"");
	expect(ASK(.uri = "/query?q"), 200, "\"q\":\"\"");
	expect(ASK(.uri = "/query?q="), 200, "\"q\":\"\"");
	expect(ASK(.uri = "/query?qq=1"), 200, "\"q\":null");
	expect(ASK(.uri = "/query?q=%00"), 400, "percent-encoding");
	expect(ASK(.uri = "/query?q=%2"), 400, "percent-encoding");
	expect(ASK(.uri = "/query%zz"), 400, "percent-encoding");
}

static void
a_page_has_bounds(void **state)
{
	(void)state;
	expect(ASK(.uri = "/query"), 200, "\"limit\":0");
	expect(ASK(.uri = "/query?limit=1000"), 200, "\"limit\":1000");
	expect(ASK(.uri = "/query?limit=1001"), 400, "limit");
	expect(ASK(.uri = "/query?limit=0"), 400, "limit");
	expect(ASK(.uri = "/query?limit=-1"), 400, "limit");
	expect(ASK(.uri = "/query?limit=4294967297"), 400, "limit");
	expect(ASK(.uri = "/query?limit="), 400, "limit");
	expect(ASK(.uri = "/query?cursor=x"), 400, "cursor");
	expect(ASK(.uri = "/query?limit=5&cursor="), 400, "cursor");
	expect(ASK(.uri = "/query?limit=5&cursor=x"), 200, NULL);
}

static void
an_id_must_be_a_uuid(void **state)
{
	(void)state;
	expect(ASK(.uri = "/things/01890a5d-ac96-774b-bcce-b302099a8057"),
	    200, NULL);
	expect(ASK(.uri = "/things/42"), 400, "\"id\",\"must be a UUID\","
	    "\"42\"");
}

/* --- nginx's own refusals --- */

static void
an_error_page_of_nginx_speaks_our_dialect(void **state)
{
	static const struct {
		const char *code;
		unsigned status;
	} pages[] = {
		{ "400", 400 }, { "413", 413 }, { "414", 414 },
		{ "417", 417 }, { "505", 505 },
		{ "494", 431 }, { "418", 418 }, { "502", 502 },
		{ "504", 504 }, { "nonsense", 500 }, { "200", 500 }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		expect(ASK(.uri = "/whatever%", .method = "BREW",
		    .server_error = pages[i].code), pages[i].status, NULL);
	expect(ASK(.uri = "/public", .server_error = ""), 200, NULL);
	expect(ASK(.uri = "/public", .server_error = "413"), 413,
	    "too large");
}

static void
a_method_that_nginx_refuses_is_told_the_path_s_own(void **state)
{
	(void)state;
	expect_header(ASK(.method = "GET", .uri = "/things",
	    .server_error = "405"), "Allow", "POST, OPTIONS");
}

static void
an_identity_is_told_in_headers(void **state)
{
	static const char tenant[] = "7e000000-0000-0000-0000-000000000000";
	static const char user[] = "05000000-0000-0000-0000-000000000000";
	static const char device[] = "0d000000-0000-0000-0000-000000000000";
	static const struct {
		const char *token, *uri, *tenant, *user, *role, *device;
	} rows[] = {
		{ "user", "/whoami", tenant, user, "user", NULL },
		{ "manager", "/whoami?device", tenant, user, "manager",
		    device },
		{ "key", "/whoami", tenant, NULL, "admin", NULL },
		{ "master", "/whoami", NULL, NULL, "super_admin", NULL },
		{ "master", "/whoami?device", NULL, NULL, "super_admin",
		    device },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct ask *a = ASK(.uri = rows[i].uri,
		    .authorization = rows[i].token);

		expect(a, 204, NULL);
		expect_header(a, "X-WUTS-Tenant", rows[i].tenant);
		expect_header(a, "X-WUTS-User", rows[i].user);
		expect_header(a, "X-WUTS-Role", rows[i].role);
		expect_header(a, "X-WUTS-Device", rows[i].device);
		expect_header(a, "Content-Type", NULL);
	}
}

static void
nginx_gets_leave_to_relay_a_relayed_route_only(void **state)
{
	(void)state;
	expect(ASK("POST", "/relayed", "Bearer user",
	    .server_relay = RELAY_ASK), 200, NULL);
	expect(ASK("POST", "/relayed", .server_relay = RELAY_ASK), 401, NULL);
	expect(ASK("GET", "/relayed", "Bearer user",
	    .server_relay = RELAY_ASK), 405, NULL);
	/* These would be answered with a 2xx for their own sake. */
	expect(ASK("OPTIONS", "/relayed", "Bearer user",
	    .server_relay = RELAY_ASK), 405, NULL);
	expect(ASK("GET", "/public", "Bearer user",
	    .server_relay = RELAY_ASK), 404, NULL);
	expect(ASK("GET", "/nowhere", "Bearer user",
	    .server_relay = RELAY_ASK), 404, NULL);
	expect(ASK("GET", "/public", .server_relay = "on"), 200, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_set_up, rig_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_identity_is_told_in_headers),
		TEST(every_access_meets_every_token),
		TEST(a_key_that_may_only_read_passes_get_and_head_only),
		TEST(every_401_asks_for_a_bearer_token),
		TEST(an_address_over_the_limit_is_refused_before_the_look_up),
		TEST(an_endless_token_is_never_looked_up),
		TEST(a_database_that_is_down_is_503_not_401),
		TEST(refusals_come_in_their_order),
		TEST(a_wrong_method_is_told_the_right_ones),
		TEST(options_is_answered_without_a_token),
		TEST(cors_headers_come_only_where_configured),
		TEST(only_json_is_taken),
		TEST(an_ingest_route_has_its_own_limit),
		TEST(the_size_is_what_is_read_not_what_is_said),
		TEST(a_body_without_length_is_read),
		TEST(all_wrong_fields_are_named_at_once),
		TEST(null_is_absent),
		TEST(what_is_no_object_is_invalid_json),
		TEST(ignored_members_are_named_and_made_harmless),
		TEST(the_list_of_ignored_members_ends),
		TEST(a_kept_connection_survives_whatever_was_asked),
		TEST(a_connection_broken_inside_the_body_is_not_kept),
		TEST(a_held_answer_is_what_its_verdict_says),
		TEST(nothing_is_held_while_another_takes_his_time),
		TEST(nothing_is_held_where_nobody_releases_it),
		TEST(an_answer_has_its_standard_headers),
		TEST(head_is_get_without_body),
		TEST(a_request_id_that_is_not_plain_is_replaced),
		TEST(a_long_list_is_streamed_whole),
		TEST(a_list_that_breaks_never_looks_whole),
		TEST(a_fault_leaves_nothing_of_the_half_answer),
		TEST(a_query_parameter_is_decoded),
		TEST(a_page_has_bounds),
		TEST(an_id_must_be_a_uuid),
		TEST(an_error_page_of_nginx_speaks_our_dialect),
		TEST(a_method_that_nginx_refuses_is_told_the_path_s_own),
		TEST(nginx_gets_leave_to_relay_a_relayed_route_only)
	};

	rig.dialect = &dialect;
	(void)signal(SIGPIPE, SIG_IGN);
	/* Faults are provoked here; a real error would fail an assertion. */
	(void)log_open("test", "/dev/null", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
