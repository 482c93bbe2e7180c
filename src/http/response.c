/* SPDX-License-Identifier: MIT */
/* The answer. It gathers in memory and leaves in one write, with its length;
   only a list that grows long is sent in pieces, without one. Every answer
   carries its media type, no-store and the request id. */
#include "config.h"

#include "wuts/log.h"
#include "wuts/settings.h"

#include "http_private.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* A list is sent on whenever this much has gathered. */
#define FLUSH_BYTES ((size_t)32 << 10)

static const struct reason {
	unsigned status;
	const char *text;
} reasons[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" }
};

static const char *
reason_text(unsigned status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "Status";
}

void
response_reset(struct exchange *x)
{
	x->response.status = 200;
	x->response.started = false;
	strbuf_reset(&x->response.headers);
	strbuf_reset(&x->response.body);
	json_writer_init(&x->response.json, &x->response.body);
}

void
response_status(struct exchange *x, unsigned status)
{
	x->response.status = status;
}

static bool
is_header_safe(const char *text)
{
	return strpbrk(text, "\r\n") == NULL;
}

void
response_header(struct exchange *x, const char *name, const char *value)
{
	struct strbuf *headers = &x->response.headers;

	wuts_assert(is_header_safe(name) && is_header_safe(value));
	strbuf_append_str(headers, name);
	strbuf_append(headers, ": ", 2);
	strbuf_append_str(headers, value);
	strbuf_append(headers, "\r\n", 2);
}

static void
add_uuid(struct exchange *x, const char *name, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1];

	if (!uuid_is_nil(id))
		response_header(x, name, uuid_format(id, text));
}

void
response_identity(struct exchange *x, const struct uuid *tenant_id,
    const struct uuid *device_id)
{
	const struct identity *who = &x->caller.identity;

	add_uuid(x, "X-WUTS-Tenant", tenant_id);
	add_uuid(x, "X-WUTS-User", &who->user_id);
	response_header(x, "X-WUTS-Role", identity_is_super(who) ?
	    identity_kind_name(IDENTITY_MASTER) : role_name(who->role));
	add_uuid(x, "X-WUTS-Device", device_id);
}

static bool
has_header(const struct exchange *x, const char *name)
{
	const char *line = x->response.headers.data;
	size_t len = strlen(name);

	while (line != NULL && *line != '\0') {
		if (strncasecmp(line, name, len) == 0 && line[len] == ':')
			return true;
		line = strchr(line, '\n');
		if (line != NULL)
			line++;
	}
	return false;
}

void
response_header_default(struct exchange *x, const char *name,
    const char *value)
{
	if (!has_header(x, name))
		response_header(x, name, value);
}

struct fault *
response_verdict(struct exchange *x)
{
	return x->round != NULL ? &x->verdict : NULL;
}

void
response_hold(struct exchange *x)
{
	/* Before any other route all that is held is settled. */
	wuts_assert(x->round != NULL && (x->route->flags & ROUTE_INGEST) != 0);
	x->is_held = true;
}

struct json_writer *
response_json(struct exchange *x)
{
	return &x->response.json;
}

struct json_writer *
response_begin(struct exchange *x, unsigned status)
{
	struct json_writer *w = response_json(x);

	response_status(x, status);
	json_write_object_begin(w);
	json_member_bool(w, "success", true);
	return w;
}

static void
put(struct exchange *x, const char *data, size_t len)
{
	/* libfcgi counts in int; what we gather is bounded far below. A
	   client that went away shows when the request is finished. */
	wuts_assert(len <= INT32_MAX);
	(void)FCGX_PutStr(data, (int)len, x->fcgi->out);
}

static void
add_cors(struct exchange *x)
{
	const char *allowed = x->settings->cors_origin;
	const char *origin = x->request.origin;

	if (allowed == NULL || allowed[0] == '\0')
		return;
	response_header_default(x, "Vary", "Origin");
	if (strcmp(allowed, "*") != 0 &&
	    (origin == NULL || strcmp(allowed, origin) != 0))
		return;
	response_header_default(x, "Access-Control-Allow-Origin", allowed);
	response_header_default(x, "Access-Control-Expose-Headers",
	    "ETag, Idempotent-Replayed, Retry-After, X-Request-Id, "
	    "X-WUTS-Ignored");
}

static bool
may_have_body(const struct exchange *x)
{
	return x->response.status != 204 && x->response.status != 304;
}

static void
send_head(struct exchange *x, bool is_whole)
{
	struct response *r = &x->response;
	char line[96];
	int len;

	r->started = true;
	if (x->dialect->add_headers != NULL)
		x->dialect->add_headers(x);
	if (may_have_body(x))
		response_header_default(x, "Content-Type",
		    "application/json; charset=utf-8");
	response_header_default(x, "Cache-Control", "no-store");
	response_header_default(x, "X-Request-Id", x->request.id);
	if (x->ignored != NULL)
		response_header(x, "X-WUTS-Ignored", x->ignored);
	add_cors(x);
	len = snprintf(line, sizeof(line), "Status: %u %s\r\n", r->status,
	    reason_text(r->status));
	put(x, line, (size_t)len);
	put(x, r->headers.data, r->headers.len);
	if (is_whole && may_have_body(x)) {
		len = snprintf(line, sizeof(line), "Content-Length: %zu\r\n",
		    r->body.len);
		put(x, line, (size_t)len);
	}
	put(x, "\r\n", 2);
}

static void
send_body(struct exchange *x)
{
	if (!x->request.head && may_have_body(x) && x->response.body.len > 0)
		put(x, x->response.body.data, x->response.body.len);
	strbuf_reset(&x->response.body);
}

void
response_flush(struct exchange *x)
{
	if (x->response.body.len < FLUSH_BYTES)
		return;
	if (!x->response.started)
		send_head(x, false);
	send_body(x);
}

/* The error stream first: ended last it would cost a write of its own. */
void
response_finish(struct exchange *x)
{
	if (!x->response.started)
		send_head(x, true);
	send_body(x);
	if (FCGX_FClose(x->fcgi->err) != 0 || FCGX_FClose(x->fcgi->out) != 0)
		x->fcgi->keepConnection = 0;
}

void
response_abort(struct exchange *x)
{
	x->aborted = true;
	x->fcgi->keepConnection = 0;
	/* Behind the socket libfcgi would still end the request properly. */
	(void)shutdown(x->fcgi->ipcFd, SHUT_RDWR);
	(void)FCGX_FClose(x->fcgi->err);
	(void)FCGX_FClose(x->fcgi->out);
}
