/* SPDX-License-Identifier: MIT */
/* The life of one request on libfcgi: what nginx sent, the route that answers
   it, who asks, the body, and the answer. A dialect is a table of routes and a
   function that shapes errors; everything between is here, once. */
#ifndef WUTS_HTTP_H
#define WUTS_HTTP_H

#include <fcgiapp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wuts/fault.h"
#include "wuts/idempotency_service.h"
#include "wuts/json.h"
#include "wuts/metrics.h"
#include "wuts/service.h"
#include "wuts/strbuf.h"

struct arena;
struct exchange;

enum http_method {
	HTTP_GET = 1,
	HTTP_POST = 2,
	HTTP_PUT = 4,
	HTTP_PATCH = 8,
	HTTP_DELETE = 16,
	HTTP_HEAD = 32,
	HTTP_OPTIONS = 64,
	HTTP_OTHER = 128
};

/* Who may call. Checked before the body is read; what depends on the target is
   the service's to decide. An API key that may only read passes no method but
   GET anywhere. */
enum access {
	ACCESS_PUBLIC,
	ACCESS_MASTER,		/* the master token only */
	ACCESS_MEMBER,		/* any user; an API key; the master */
	ACCESS_ADMIN,		/* an admin; an API key; the master */
	ACCESS_USER,		/* a user's token only: needs a "self" */
	ACCESS_METRICS,		/* an address of metrics_allow; the master */
	ACCESS_ENGINE		/* the engine's, a user's, the master's token;
				   an API key */
};

#define ROUTE_ARGS_MAX 4

struct route {
	enum http_method method;
	const char *pattern;	/* "/users/{id}/promote" */
	enum access access;
	int (*handler)(struct exchange *x, struct fault *fault);
	unsigned flags;
};
#define ROUTE_INGEST 1u	/* ingest_body_limit; application/x-ndjson too */
#define ROUTE_RELAY 2u	/* another server answers: it is the one to keep what
			   an Idempotency-Key asks for; only of these routes
			   nginx may ask whether it may relay */
#define ROUTE_ANY_MEDIA 4u	/* the handler judges Content-Type, if anybody */
#define ROUTE_READS_USER 8u	/* the first of {…} is the id of a user, and what
				   the answer is made of */
/* n from 0 to 7: what only the dialect itself knows. */
#define ROUTE_OF_DIALECT(n) (1u << (8 + (n)))
/* A limit of the body of its own, below 64 MiB, instead of the settings'. */
#define ROUTE_BODY_KIB(n) ((unsigned)(n) << 16)

struct dialect {
	const char *name;
	const struct route *routes;
	size_t nroutes;
	/* Writes status, headers and body for a refusal or fault. */
	void (*write_error)(struct exchange *x, const struct fault *fault);

	/* "/v1": paths below it are this dialect's and nobody else's, and its
	   patterns are written without it. On a server that nginx has given to
	   the dialect alone (WUTS_DIALECT) it may be left out. NULL: the
	   dialect has the paths that no prefix takes. */
	const char *prefix;
	/* Who asks (x->caller), and may it call x->route? NULL: as the WUTS
	   dialect has it. */
	int (*authenticate)(struct exchange *x, struct fault *fault);
	/* Adds to every answer what differs from the WUTS dialect's headers.
	   May be NULL. */
	void (*add_headers)(struct exchange *x);
	unsigned flags;
};
#define DIALECT_IDEMPOTENT 1u		/* knows Idempotency-Key */
#define DIALECT_AUTH_FIRST 2u		/* a stranger is not told which paths
					   exist: authenticate() comes before
					   404 and 405, and x->route may be
					   NULL there */
#define DIALECT_TRAILING_SLASH 4u	/* one at the end of a path is nothing */
#define DIALECT_NO_OPTIONS 8u		/* OPTIONS is a method like any other,
					   and not one of ours */

/* What came in. Strings live in the exchange's arena or in libfcgi's
   environment, both until the answer is out. Absent headers are "". */
struct request {
	enum http_method method;
	bool head;			/* HEAD, served as GET without body */
	const char *path;		/* as sent, without query */
	const char *query;		/* as sent, without '?' */
	const char *content_type;
	const char *authorization;
	const char *if_match;		/* NULL when absent */
	const char *idempotency_key;	/* NULL when absent */
	const char *origin;
	const char *address;		/* REMOTE_ADDR */
	const char *id;			/* X-Request-Id, nginx's or ours */
	const char *user_agent;
	const char *server_error;	/* WUTS_ERROR: nginx wants a page */
	const char *server_dialect;	/* WUTS_DIALECT: has this whole server */
	const char *server_tenant;	/* WUTS_TENANT: id or name of the tenant
					   that this server is bound to */
	const char *server_relay;	/* WUTS_RELAY: nginx has an engine behind
					   it; RELAY_ASK: nginx asks whether
					   it may relay this request */
	const char *args[ROUTE_ARGS_MAX];	/* of {…}, percent-decoded */
};
#define RELAY_ASK "ask"

struct response {
	unsigned status;
	struct strbuf headers;
	struct strbuf body;
	struct json_writer json;	/* on body */
	bool started;			/* headers are out */
};

/* Writes an answer: a pure function of ctx, because it may run several times
   (a transaction that is retried) and before the change is committed. */
typedef void response_render(struct exchange *x, const void *ctx);

/* Requests that one worker serves side by side, as far as one's answer can wait
   while others are served. settle: let none wait any longer, somebody who takes
   his time comes next. */
struct exchange_round {
	void (*settle)(void *ctx);
	void *ctx;
};

struct exchange {
	struct service *service;
	const struct settings *settings;
	struct arena *arena;
	FCGX_Request *fcgi;
	struct metrics *metrics;	/* borrowed; NULL: nobody counts */
	const struct exchange_round *round;	/* borrowed; NULL: none */
	int64_t up_since_us;		/* of the service, monotonic */
	const struct dialect *const *dialects;
	size_t ndialects;
	const struct dialect *dialect;
	const struct route *route;	/* NULL until found */
	unsigned server_status;		/* of the page that nginx asks for; 0:
					   this is a request */
	struct request request;
	struct response response;
	struct caller caller;
	int64_t started_us;		/* monotonic */

	/* src/http's own: the body as it came, and what was made of it */
	int64_t content_length;		/* -1: nginx did not say */
	bool body_read;
	struct strbuf body;
	json_t *input;			/* of request_object() */
	const char *ignored;		/* for X-WUTS-Ignored, or NULL */
	bool aborted;			/* the answer was broken off */
	bool is_held;			/* by response_hold() */
	struct fault verdict;		/* on that */

	/* the answer that a changing handler has planned */
	struct {
		response_render *render;
		const void *ctx;
		bool is_rendered;
	} plan;

	/* src/http/idempotency.c's own */
	bool is_idempotent;		/* our row is in flight */
	struct idempotency idempotency;
	struct reply reply;
};

/* Serve the accepted libfcgi request, to its last byte and its log line. Never
   leaves a request unanswered. exchange's buffers are reused between calls.
   False, only in a round: the answer is held, and exchange_release() is to be
   called when the verdict is there. Afterwards fcgi->keepConnection says whether
   the connection is at the boundary of the next request; if not, it must be
   closed. */
void exchange_init(struct exchange *x, struct service *service,
    const struct settings *settings);
void exchange_deinit(struct exchange *x);
bool exchange_serve(struct exchange *x, FCGX_Request *fcgi,
    const struct dialect *const *dialects, size_t ndialects);
void exchange_release(struct exchange *x);

/* --- for handlers: input --- */

/* A query parameter, percent-decoded, in the arena; NULL when absent; the
   first when it stands twice. */
const char *request_query(const struct exchange *x, const char *name);

/* What stands behind `scheme` (in any case) in the Authorization header: one
   word of visible ASCII. False: the header is absent, of another scheme or
   malformed. */
bool request_authorization(const struct exchange *x, const char *scheme,
    const char **word_r, size_t *len_r);

/* Does every parameter stand in the query once, in UTF-8? -1:
   REFUSAL_VALIDATION. */
int request_query_check(struct exchange *x, struct fault *fault);

/* args[i] as a UUID. -1: REFUSAL_VALIDATION naming field. */
int request_arg_uuid(const struct exchange *x, size_t i, const char *field,
    struct uuid *uuid_r, struct fault *fault);

/* ?limit=1..1000 and ?cursor=. *limit_r 0 and *cursor_r NULL when absent. */
int request_paging(const struct exchange *x, unsigned *limit_r,
    const char **cursor_r, struct fault *fault);

/* The whole body as bytes, in the arena. -1: REFUSAL_PAYLOAD_TOO_LARGE,
   REFUSAL_MEDIA_TYPE. *ndjson_r (may be NULL): it came as NDJSON. */
int request_body(struct exchange *x, const char **body_r, size_t *len_r,
    bool *ndjson_r, struct fault *fault);

/* The body as one JSON value, of which the dialect makes what it likes; of two
   members of one name the last one counts. Borrowed from the exchange; NULL:
   there is nothing but white space. -1: REFUSAL_INVALID_JSON, without words
   for the client, or as request_body(). */
int request_json(struct exchange *x, const json_t **value_r,
    struct fault *fault);

enum input_type {
	INPUT_STRING,
	INPUT_BOOL,
	INPUT_INT,
	INPUT_ARRAY,
	INPUT_OBJECT
};
#define INPUT_REQUIRED 1u
#define INPUT_SECRET 2u		/* never echoed in an error */

struct input_field {
	const char *name;
	enum input_type type;
	unsigned flags;
};

/* Read the body as one JSON object and take fields[] out of it: values_r[i] is
   borrowed from the exchange, NULL when absent or null. Missing and mistyped
   fields are collected into one REFUSAL_VALIDATION; members that no field
   names go into the response header X-WUTS-Ignored. */
int request_object(struct exchange *x, const struct input_field *fields,
    size_t nfields, const json_t **values_r, struct fault *fault);

/* Name a member that nothing reads in X-WUTS-Ignored; once, however often. */
void request_ignore(struct exchange *x, const char *name);

/* The text of a string value, or NULL for NULL. */
const char *input_text(const json_t *value);

/* An id for the n-th thing that a request without a transaction makes: new, or
   under an Idempotency-Key always the same one, so that what a crash makes the
   client send again is the same thing again. */
void request_new_id(const struct exchange *x, uint32_t n, struct uuid *id_r);

/* --- for handlers: output --- */

void response_status(struct exchange *x, unsigned status);
/* Name and value without CR, LF, NUL: anything else is our bug. */
void response_header(struct exchange *x, const char *name, const char *value);
/* The same, unless one of this name is there. */
void response_header_default(struct exchange *x, const char *name,
    const char *value);
/* X-WUTS-Tenant, -User, -Role and -Device: who asks, for whoever acts on it. Of
   a caller outside of tenants the role is super_admin; a caller that is no user
   has no X-WUTS-User. device_id may be nil: none is meant; tenant_id too. */
void response_identity(struct exchange *x, const struct uuid *tenant_id,
    const struct uuid *device_id);
/* The writer on the body. */
struct json_writer *response_json(struct exchange *x);
/* Begin an answer {"success":true, …}; end it with json_write_object_end(). */
struct json_writer *response_begin(struct exchange *x, unsigned status);

/* Every POST handler: first it plans its answer from what the use case will
   fill in, then it calls the use case, last it returns
   response_render_planned(). Under an Idempotency-Key the answer has then been
   rendered already, inside the transaction that made the change. */
void response_plan(struct exchange *x, response_render *render,
    const void *ctx);
int response_render_planned(struct exchange *x);

/* May the answer wait for others'? Where the verdict of the use case goes, or
   NULL: no. */
struct fault *response_verdict(struct exchange *x);
/* The answer that is rendered waits for that verdict. */
void response_hold(struct exchange *x);

/* Between the rows of a list: send what has gathered when it is much. */
void response_flush(struct exchange *x);

/* --- what was answered so far, by all workers --- */

/* The rows to count in, for metrics_open(): every route of every dialect, and
   behind those of a dialect one row for what met none. The number of rows; to
   be freed by the caller. */
size_t http_metrics_routes(const struct dialect *const *dialects,
    size_t ndialects, struct metrics_route **routes_r);

/* For a dialect that shows its numbers itself: what was answered on
   dialect->routes[i] (i == dialect->nroutes: what met none of them), one entry
   a status. Their number. */
size_t http_route_counts(const struct exchange *x,
    const struct dialect *dialect, size_t i,
    struct metrics_count counts_r[METRICS_STATUS_MAX]);

/* --- for walking the surface in tests and `wutsd --routes` --- */

const char *http_method_name(enum http_method method);
const char *access_name(enum access access);

#endif
