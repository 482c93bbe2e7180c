/* SPDX-License-Identifier: MIT */
/* The rig of the request path's tests. */
#include "config.h"

#include "rig.h"

#include "wuts/arena.h"
#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/identity_service.h"
#include "wuts/metrics_service.h"
#include "wuts/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

struct fake fake;
struct kept kept;
struct rig rig;

/* --- who a token is --- */

static const struct fake_token {
	const char *token;
	enum identity_kind kind;
	enum role role;
	bool read_only;
} fake_tokens[] = {
	{ "master", IDENTITY_MASTER, ROLE_ADMIN, false },
	{ "engine", IDENTITY_ENGINE, ROLE_ADMIN, false },
	{ "admin", IDENTITY_USER, ROLE_ADMIN, false },
	{ "manager", IDENTITY_USER, ROLE_MANAGER, false },
	{ "user", IDENTITY_USER, ROLE_USER, false },
	{ "key", IDENTITY_KEY, ROLE_ADMIN, false },
	{ "reader", IDENTITY_KEY, ROLE_ADMIN, true }
};

bool
metrics_service_may_read(const struct service *service, const char *address)
{
	(void)service;
	return strcmp(address, FAKE_METRICS_ADDRESS) == 0;
}

int
identity_service_find_with_user(struct service *service, const char *token,
    size_t len, const struct uuid *user_id, struct identity *identity_r,
    struct fault *fault)
{
	(void)service;
	(void)user_id;
	fake.lookups++;
	if (fake.is_database_down)
		return fault_set(fault, FAULT_DATABASE, "server has gone away");
	for (size_t i = 0; i < sizeof(fake_tokens) / sizeof(fake_tokens[0]);
	    i++) {
		if (strlen(fake_tokens[i].token) != len ||
		    memcmp(fake_tokens[i].token, token, len) != 0)
			continue;
		identity_r->kind = fake_tokens[i].kind;
		identity_r->role = fake_tokens[i].role;
		identity_r->read_only = fake_tokens[i].read_only;
		return 1;
	}
	return 0;
}

unsigned
identity_service_wait_s(struct service *service, const char *address)
{
	(void)service;
	assert_string_equal(address, "192.0.2.7");
	return fake.wait_s;
}

void
identity_service_count_failure(struct service *service, const char *address)
{
	(void)service;
	assert_string_equal(address, "192.0.2.7");
	fake.failures++;
}

/* --- what was answered under a key --- */

int
idempotency_service_begin(struct service *service, struct arena *arena,
    const struct caller *caller, const char *key, const char *path,
    const char *body, size_t body_len, struct idempotency *idempotency_r,
    struct idempotency_answer *answer_r, struct fault *fault)
{
	(void)service;
	assert_int_equal(caller->identity.kind, IDENTITY_USER);
	assert_true(body_len < sizeof(kept.body));
	if (key[0] == '\0')
		return fault_add_field(fault, "Idempotency-Key",
		    "must be 1 to 255 visible characters", NULL);
	memset(idempotency_r, 0, sizeof(*idempotency_r));
	crypto_sha256(key, strlen(key), idempotency_r->key_hash);
	crypto_sha256(body, body_len, idempotency_r->body_hash);
	if (!kept.exists || strcmp(kept.key, key) != 0 ||
	    strcmp(kept.target, path) != 0) {
		memset(&kept, 0, sizeof(kept));
		snprintf(kept.key, sizeof(kept.key), "%s", key);
		snprintf(kept.target, sizeof(kept.target), "%s", path);
		memcpy(kept.body, body, body_len);
		kept.exists = true;
		return 0;
	}
	if (kept.status == 0)
		return fault_say(fault, REFUSAL_IDEMPOTENCY_IN_FLIGHT, " ");
	if (strlen(kept.body) != body_len ||
	    memcmp(kept.body, body, body_len) != 0)
		return fault_say(fault, REFUSAL_IDEMPOTENCY_MISMATCH, " ");
	answer_r->status = kept.status;
	answer_r->text = arena_memdup(arena, kept.text, kept.len);
	answer_r->len = kept.len;
	return 1;
}

void
keep(const struct idempotency_answer *answer)
{
	assert_true(answer->len <= sizeof(kept.text));
	kept.status = answer->status;
	memcpy(kept.text, answer->text, answer->len);
	kept.len = answer->len;
}

void
idempotency_service_finish(struct service *service,
    struct idempotency *idempotency, const struct idempotency_answer *answer)
{
	(void)service;
	assert_false(idempotency->stored);
	keep(answer);
	idempotency->stored = 1;
	kept.finished++;
}

void
idempotency_service_abandon(struct service *service,
    struct idempotency *idempotency)
{
	(void)service;
	assert_false(idempotency->stored);
	kept.exists = false;
	kept.abandoned++;
}

/* --- the connection --- */

int
rig_set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(&kept, 0, sizeof(kept));
	memset(&rig.settings, 0, sizeof(rig.settings));
	memset(rig.origin, 0, sizeof(rig.origin));
	rig.settings.body_limit = 64 << 10;
	rig.settings.ingest_body_limit = 1 << 20;
	rig.settings.cors_origin = rig.origin;
	exchange_init(&rig.x, NULL, &rig.settings);
	FCGX_Init();
	FCGX_InitRequest(&rig.fcgi, -1, 0);
	rig.client = -1;
	return 0;
}

void
hang_up(void)
{
	if (rig.client >= 0)
		close(rig.client);
	if (rig.fcgi.ipcFd >= 0)
		close(rig.fcgi.ipcFd);
	rig.fcgi.ipcFd = rig.client = -1;
}

int
rig_tear_down(void **state)
{
	(void)state;
	hang_up();
	exchange_deinit(&rig.x);
	return 0;
}

void
connect_rig(void)
{
	int pair[2], size = 4 << 20;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	/* One thread plays both sides: a whole answer must fit. */
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	rig.client = pair[0];
	rig.fcgi.ipcFd = pair[1];
}

void
serve_one(void)
{
	int fd = rig.fcgi.ipcFd;

	rig.fcgi.keepConnection = 1;
	rig.fcgi.detached = 1;
	assert_int_equal(FCGX_Accept_r(&rig.fcgi), 0);
	assert_true(exchange_serve(&rig.x, &rig.fcgi, &rig.dialect, 1));
	rig.fcgi.ipcFd = -1;
	FCGX_Free(&rig.fcgi, 0);
	if (rig.fcgi.keepConnection)
		rig.fcgi.ipcFd = fd;
	else
		close(fd);
}

void
ask(const struct ask *a, struct fcgi_answer *answer)
{
	static char text[13][1100];
	const char *params[14];
	size_t n = 0, len = a->body_len;
	char length[32] = "";

	if (a->body != NULL && len == 0)
		len = strlen(a->body);
	if (a->length != NULL)
		snprintf(length, sizeof(length), "%s", a->length);
	else if (a->body != NULL)
		snprintf(length, sizeof(length), "%zu", len);
#define PARAM(name, value) do { \
	if ((value) != NULL) { \
		snprintf(text[n], sizeof(text[n]), "%s=%s", name, value); \
		params[n] = text[n]; \
		n++; \
	} } while (0)
	PARAM("REQUEST_METHOD", a->method != NULL ? a->method : "GET");
	PARAM("REQUEST_URI", a->uri);
	PARAM("REMOTE_ADDR", "192.0.2.7");
	PARAM("CONTENT_LENGTH", length);
	PARAM("CONTENT_TYPE", a->content_type != NULL ? a->content_type :
	    a->body != NULL ? "application/json" : "");
	PARAM("HTTP_AUTHORIZATION", a->authorization);
	PARAM("HTTP_X_REQUEST_ID", a->id);
	PARAM("HTTP_IDEMPOTENCY_KEY", a->key);
	PARAM("HTTP_ORIGIN", a->origin);
	PARAM("WUTS_ERROR", a->server_error);
	PARAM("WUTS_RELAY", a->server_relay);
#undef PARAM
	params[n] = NULL;
	if (rig.client < 0)
		connect_rig();
	assert_true(fcgi_send(rig.client, a->is_kept, params, a->body, len));
	serve_one();
	assert_true(fcgi_receive(rig.client, answer));
	if (!a->is_kept)
		hang_up();
}

void
expect(const struct ask *a, unsigned status, const char *in_body)
{
	struct fcgi_answer answer;

	ask(a, &answer);
	if (answer.status != status ||
	    (in_body != NULL && strstr(answer.body, in_body) == NULL))
		print_message("%s\n%s\n", answer.head, answer.body);
	assert_true(answer.is_complete);
	assert_int_equal(answer.status, status);
	if (in_body != NULL)
		assert_non_null(strstr(answer.body, in_body));
	fcgi_answer_free(&answer);
}

void
expect_header(const struct ask *a, const char *name, const char *value)
{
	struct fcgi_answer answer;
	char buf[1024];
	const char *found;

	ask(a, &answer);
	found = fcgi_header(&answer, name, buf, sizeof(buf));
	if (value == NULL) {
		assert_null(found);
	} else {
		assert_non_null(found);
		assert_string_equal(found, value);
	}
	fcgi_answer_free(&answer);
}

void
write_fault(struct exchange *x, const struct fault *fault)
{
	static const unsigned statuses[FAULT_CODE_COUNT] = {
		[REFUSAL_VALIDATION] = 400, [REFUSAL_INVALID_JSON] = 400,
		[REFUSAL_UNAUTHORIZED] = 401, [REFUSAL_FORBIDDEN] = 403,
		[REFUSAL_NOT_FOUND] = 404, [REFUSAL_METHOD_NOT_ALLOWED] = 405,
		[REFUSAL_IDEMPOTENCY_IN_FLIGHT] = 409,
		[REFUSAL_IDEMPOTENCY_MISMATCH] = 422, [FAULT_QUEUE] = 503,
		[REFUSAL_PAYLOAD_TOO_LARGE] = 413, [REFUSAL_MEDIA_TYPE] = 415,
		[REFUSAL_RATE_LIMITED] = 429, [REFUSAL_BUSY] = 503,
		[FAULT_INTERNAL] = 500,
		[FAULT_DATABASE] = 503, [FAULT_IO] = 500
	};
	struct json_writer *w = response_json(x);

	response_status(x, statuses[fault->code]);
	json_write_object_begin(w);
	json_write_key(w, "error");
	json_write_string(w, fault->said);
	json_write_key(w, "fields");
	json_write_array_begin(w);
	for (size_t i = 0; i < fault->nfields; i++) {
		json_write_string(w, fault->fields[i].field);
		json_write_string(w, fault->fields[i].message);
		json_write_string(w, fault->fields[i].value);
	}
	json_write_array_end(w);
	json_write_object_end(w);
}
