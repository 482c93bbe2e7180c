/* SPDX-License-Identifier: MIT */
/* One request from its first parameter to its log line. The order is the
   contract of spec/wuts.md §1-2: path, method, who asks, role, media type,
   size, and only then the handler, which reads the body. Whatever goes wrong
   on the way is answered in the dialect's shape; a fault of ours is logged
   here and nowhere else. */
#include "config.h"

#include "wuts/http.h"

#include "wuts/arena.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/settings.h"
#include "wuts/uuid.h"

#include "http_private.h"

#include <stdlib.h>
#include <string.h>

/* Buffers that one big request blew up are given back. */
#define KEEP_BYTES ((size_t)256 << 10)
#define LOG_PATH_MAX 256

/* nginx's own refusals (WUTS_ERROR) in our words. Its 494 to 497 never leave
   nginx under these numbers. */
static const struct server_error {
	unsigned status;
	unsigned sent;
	enum fault_code code;
	const char *said;
} server_errors[] = {
	{ 400, 400, REFUSAL_VALIDATION, "malformed request" },
	{ 401, 401, REFUSAL_UNAUTHORIZED, "missing token" },
	{ 403, 403, REFUSAL_FORBIDDEN, "not permitted" },
	{ 404, 404, REFUSAL_NOT_FOUND, "no such path" },
	{ 405, 405, REFUSAL_METHOD_NOT_ALLOWED, "method not allowed" },
	{ 408, 408, REFUSAL_VALIDATION, "the request took too long" },
	{ 411, 411, REFUSAL_VALIDATION, "Content-Length is required" },
	{ 413, 413, REFUSAL_PAYLOAD_TOO_LARGE, "the body is too large" },
	{ 414, 414, REFUSAL_VALIDATION, "the request line is too long" },
	{ 415, 415, REFUSAL_MEDIA_TYPE, "unsupported media type" },
	{ 417, 417, REFUSAL_VALIDATION, "what is expected cannot be done" },
	{ 429, 429, REFUSAL_RATE_LIMITED, "too many requests" },
	{ 431, 431, REFUSAL_VALIDATION, "the request headers are too large" },
	{ 494, 431, REFUSAL_VALIDATION, "the request headers are too large" },
	{ 495, 400, REFUSAL_VALIDATION, "the client certificate is invalid" },
	{ 496, 400, REFUSAL_VALIDATION, "a client certificate is required" },
	{ 497, 400, REFUSAL_VALIDATION, "plain HTTP on a TLS port" },
	{ 501, 501, REFUSAL_METHOD_NOT_ALLOWED, "not implemented" },
	{ 502, 502, FAULT_DATABASE, "the upstream is not available" },
	{ 503, 503, FAULT_DATABASE, "the service is not available" },
	{ 504, 504, FAULT_DATABASE, "the upstream did not answer in time" },
	{ 505, 505, REFUSAL_VALIDATION, "no such version of HTTP" }
};

void
exchange_init(struct exchange *x, struct service *service,
    const struct settings *settings)
{
	memset(x, 0, sizeof(*x));
	x->service = service;
	x->settings = settings;
	x->arena = arena_new();
}

static void
free_input(struct exchange *x)
{
	json_decref(x->input);
	x->input = NULL;
	x->ignored = NULL;
}

void
exchange_deinit(struct exchange *x)
{
	free_input(x);
	strbuf_deinit(&x->body);
	strbuf_deinit(&x->response.headers);
	strbuf_deinit(&x->response.body);
	arena_free(&x->arena);
}

static void
reset_buffer(struct strbuf *sb)
{
	if (sb->cap > KEEP_BYTES)
		strbuf_deinit(sb);
	strbuf_reset(sb);
}

static void
begin(struct exchange *x, FCGX_Request *fcgi,
    const struct dialect *const *dialects, size_t ndialects)
{
	x->started_us = clock_mono_us();
	x->fcgi = fcgi;
	x->dialects = dialects;
	x->ndialects = ndialects;
	x->dialect = dialects[0];
	x->route = NULL;
	x->server_status = 0;
	memset(&x->caller, 0, sizeof(x->caller));
	x->content_length = -1;
	x->body_read = false;
	x->aborted = false;
	x->is_held = false;
	memset(&x->plan, 0, sizeof(x->plan));
	x->is_idempotent = false;
	response_reset(x);
}

static void
end(struct exchange *x)
{
	free_input(x);
	reset_buffer(&x->body);
	reset_buffer(&x->response.headers);
	reset_buffer(&x->response.body);
	arena_reset(x->arena);
	x->fcgi = NULL;
}

/* OPTIONS, for a path that exists: what may be done with it. */
static void
answer_options(struct exchange *x, const char *allow)
{
	response_status(x, 204);
	response_header(x, "Allow", allow);
	if (x->settings->cors_origin == NULL ||
	    x->settings->cors_origin[0] == '\0')
		return;
	response_header(x, "Access-Control-Allow-Methods", allow);
	response_header(x, "Access-Control-Allow-Headers", "Authorization, "
	    "Content-Type, Idempotency-Key, If-Match, X-Request-Id");
	response_header(x, "Access-Control-Max-Age", "600");
}

static int
route_request(struct exchange *x, const struct dialect *const *dialects,
    size_t ndialects, struct route_match *match_r, struct fault *fault)
{
	int found;

	found = router_find(dialects, ndialects, x->arena,
	    x->request.server_dialect, x->request.path, x->request.method,
	    match_r, fault);
	x->dialect = match_r->dialect;
	if (found < 0)
		return -1;
	x->route = match_r->route;
	memcpy(x->request.args, match_r->args, sizeof(match_r->args));
	return 0;
}

static int
authenticate(struct exchange *x, struct fault *fault)
{
	return x->dialect->authenticate != NULL ?
	    x->dialect->authenticate(x, fault) : auth_check(x, fault);
}

/* nginx relays what gets a 2xx: of nothing but a relayed route it may. */
static int
check_asked(const struct exchange *x, unsigned methods, struct fault *fault)
{
	if (strcmp(x->request.server_relay, RELAY_ASK) != 0 ||
	    (x->route != NULL && (x->route->flags & ROUTE_RELAY) != 0))
		return 0;
	if (x->route == NULL && methods != 0)
		return fault_say(fault, REFUSAL_METHOD_NOT_ALLOWED,
		    "method not allowed");
	return fault_say(fault, REFUSAL_NOT_FOUND, "no such path");
}

/* Who asks, and is there such a path with such a method? In the dialect's
   order. */
static int
check_route(struct exchange *x, unsigned methods, struct fault *fault)
{
	bool is_first = (x->dialect->flags & DIALECT_AUTH_FIRST) != 0;
	bool has_options = (x->dialect->flags & DIALECT_NO_OPTIONS) == 0;

	if (check_asked(x, methods, fault) < 0 ||
	    (is_first && authenticate(x, fault) < 0))
		return -1;
	if (methods == 0)
		return fault_say(fault, REFUSAL_NOT_FOUND, "no such path");
	if (x->route == NULL &&
	    (x->request.method != HTTP_OPTIONS || !has_options))
		return fault_say(fault, REFUSAL_METHOD_NOT_ALLOWED,
		    "method not allowed");
	if (x->route == NULL || is_first)
		return 0;
	return authenticate(x, fault);
}

/* A page that nginx asks for: nothing of the request matters but the code. */
static void
fail_as_server(struct exchange *x, unsigned *sent_r, struct fault *fault)
{
	unsigned long status = strtoul(x->request.server_error, NULL, 10);

	for (size_t i = 0;
	    i < sizeof(server_errors) / sizeof(server_errors[0]); i++) {
		if (server_errors[i].status != status)
			continue;
		fault_say(fault, server_errors[i].code, "%s",
		    server_errors[i].said);
		*sent_r = server_errors[i].sent;
		return;
	}
	if (status > 400 && status < 494) {
		fault_say(fault, REFUSAL_VALIDATION, "the request was refused");
		*sent_r = (unsigned)status;
		return;
	}
	fault_say(fault, FAULT_INTERNAL, "internal error");
	*sent_r = 500;
}

static void
log_fault(const struct exchange *x, const struct fault *fault)
{
	if (fault_is_refusal(fault->code))
		return;
	if (fault->code == FAULT_DATABASE || fault->code == FAULT_QUEUE_FULL ||
	    fault->code == FAULT_NO_ENGINE ||
	    fault->code == FAULT_NOT_READY)
		log_warn("request=%s %s", x->request.id, fault->text);
	else
		log_error("request=%s %s", x->request.id, fault->text);
}

/* The refusal or fault in the dialect's shape, and what HTTP asks for with
   its status. */
static void
answer_fault(struct exchange *x, const struct fault *fault, unsigned methods)
{
	char allow[ROUTER_METHODS_SIZE];

	response_reset(x);
	x->dialect->write_error(x, fault);
	if (x->response.status == 401)
		response_header_default(x, "WWW-Authenticate", "Bearer");
	if (x->response.status == 405 && methods != 0)
		response_header_default(x, "Allow",
		    router_allow(methods,
		    (x->dialect->flags & DIALECT_NO_OPTIONS) == 0, allow));
}

/* Route and caller are known: what of, and the answer. */
static int
serve_route(struct exchange *x, struct fault *fault)
{
	int found;

	if (body_check(x, fault) < 0)
		return -1;
	if (x->round != NULL && (x->route->flags & ROUTE_INGEST) == 0)
		x->round->settle(x->round->ctx);
	found = idempotency_begin(x, fault);
	if (found != 0)
		return found < 0 ? -1 : 0;
	return x->route->handler(x, fault);
}

static void
serve(struct exchange *x, const struct dialect *const *dialects,
    size_t ndialects)
{
	struct route_match match = { 0 };
	char allow[ROUTER_METHODS_SIZE];
	struct fault fault, unheard;

	fault_clear(&fault);
	if (request_read(x, &fault) < 0) {
		/* Only for its shape: whose path is it? */
		(void)route_request(x, dialects, ndialects, &match, &unheard);
		goto failed;
	}
	x->caller.request_id = x->request.id;
	x->caller.address = x->request.address;
	if (x->request.server_error[0] != '\0') {
		/* The path chooses the dialect, and the methods of a 405. */
		(void)route_request(x, dialects, ndialects, &match, &fault);
		fault_clear(&fault);
		fail_as_server(x, &x->server_status, &fault);
		answer_fault(x, &fault, match.methods);
		response_status(x, x->server_status);
		return;
	}
	if (route_request(x, dialects, ndialects, &match, &fault) < 0 ||
	    check_route(x, match.methods, &fault) < 0)
		goto failed;
	if (x->route == NULL) {
		answer_options(x, router_allow(match.methods, true, allow));
		return;
	}
	if (serve_route(x, &fault) == 0) {
		idempotency_end(x);
		return;
	}
failed:
	log_fault(x, &fault);
	if (x->response.started)
		response_abort(x);
	else
		answer_fault(x, &fault, match.methods);
	idempotency_end(x);
}

static void
log_request(const struct exchange *x, int64_t duration_us)
{
	const struct identity *who = &x->caller.identity;
	char user[4 + UUID_TEXT_LEN + 1] = "-", tenant[UUID_TEXT_LEN + 1] = "-";

	switch (who->kind) {
	case IDENTITY_USER:
		uuid_format(&who->user_id, user);
		uuid_format(&who->tenant_id, tenant);
		break;
	case IDENTITY_KEY:
		memcpy(user, "key:", 4);
		uuid_format(&who->key_id, user + 4);
		uuid_format(&who->tenant_id, tenant);
		break;
	case IDENTITY_MASTER:
		memcpy(user, "master", sizeof("master"));
		break;
	case IDENTITY_ENGINE:
		memcpy(user, "engine", sizeof("engine"));
		break;
	case IDENTITY_NONE:
	case IDENTITY_OPERATOR:
		break;
	}
	log_info("request=%s address=%s user=%s tenant=%s method=%s "
	    "path=%.*s status=%u ms=%.3f%s", x->request.id,
	    x->request.address, user, tenant,
	    x->request.head ? "HEAD" : http_method_name(x->request.method),
	    LOG_PATH_MAX, x->request.path, x->response.status,
	    (double)duration_us / 1000,
	    x->aborted ? " aborted" : "");
}

static void
finish(struct exchange *x)
{
	int64_t duration_us;

	if (!x->aborted) {
		/* Before the last byte of the answer: as soon as nginx has
		   that it may send the next request, and libfcgi would read
		   the beginning of it together with the rest of this body
		   and lose it. */
		body_drain(x);
		response_finish(x);
	}
	duration_us = clock_mono_us() - x->started_us;
	count_request(x, duration_us);
	log_request(x, duration_us);
	end(x);
}

bool
exchange_serve(struct exchange *x, FCGX_Request *fcgi,
    const struct dialect *const *dialects, size_t ndialects)
{
	begin(x, fcgi, dialects, ndialects);
	serve(x, dialects, ndialects);
	if (x->is_held)
		return false;
	finish(x);
	return true;
}

void
exchange_release(struct exchange *x)
{
	if (x->verdict.code != FAULT_NONE) {
		log_fault(x, &x->verdict);
		answer_fault(x, &x->verdict, 0);
	}
	finish(x);
}
