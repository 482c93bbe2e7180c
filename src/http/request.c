/* SPDX-License-Identifier: MIT */
/* What nginx sent: its FastCGI parameters, and the query string and path
   arguments in them. Nothing here is trusted; whatever does not parse is a
   refusal that names it. */
#include "config.h"

#include "wuts/arena.h"
#include "wuts/fault.h"
#include "wuts/utf8.h"
#include "wuts/uuid.h"

#include "http_private.h"

#include <stddef.h>
#include <string.h>

#define REQUEST_ID_MAX 128
#define PAGE_MAX 1000
#define CURSOR_MAX 512
#define QUERY_MAX 64u

/* The parameters we read, as they come. */
struct params {
	const char *method, *uri, *path, *query, *content_length, *id;
	const char *content_type, *authorization, *if_match, *origin;
	const char *address, *idempotency_key, *user_agent;
	const char *server_error, *server_dialect, *server_tenant;
	const char *server_relay;
};

static const struct param {
	const char *name;
	size_t offset;
} param_table[] = {
	{ "CONTENT_LENGTH", offsetof(struct params, content_length) },
	{ "CONTENT_TYPE", offsetof(struct params, content_type) },
	{ "DOCUMENT_URI", offsetof(struct params, path) },
	{ "HTTP_AUTHORIZATION", offsetof(struct params, authorization) },
	{ "HTTP_IDEMPOTENCY_KEY", offsetof(struct params, idempotency_key) },
	{ "HTTP_IF_MATCH", offsetof(struct params, if_match) },
	{ "HTTP_ORIGIN", offsetof(struct params, origin) },
	{ "HTTP_USER_AGENT", offsetof(struct params, user_agent) },
	{ "HTTP_X_REQUEST_ID", offsetof(struct params, id) },
	{ "QUERY_STRING", offsetof(struct params, query) },
	{ "REMOTE_ADDR", offsetof(struct params, address) },
	{ "REQUEST_METHOD", offsetof(struct params, method) },
	{ "REQUEST_URI", offsetof(struct params, uri) },
	{ "WUTS_DIALECT", offsetof(struct params, server_dialect) },
	{ "WUTS_ERROR", offsetof(struct params, server_error) },
	{ "WUTS_RELAY", offsetof(struct params, server_relay) },
	{ "WUTS_TENANT", offsetof(struct params, server_tenant) }
};
#define PARAM_TABLE_LEN (sizeof(param_table) / sizeof(param_table[0]))

/* One pass over the environment instead of one per parameter. The first of
   two parameters of a name counts. */
static void
collect_params(char *const *envp, struct params *params)
{
	const char *equals, **slot;
	size_t len;

	for (; *envp != NULL; envp++) {
		equals = strchr(*envp, '=');
		if (equals == NULL)
			continue;
		len = (size_t)(equals - *envp);
		for (size_t i = 0; i < PARAM_TABLE_LEN; i++) {
			if (strncmp(param_table[i].name, *envp, len) != 0 ||
			    param_table[i].name[len] != '\0')
				continue;
			slot = (const char **)(void *)((char *)params +
			    param_table[i].offset);
			if (*slot == NULL)
				*slot = equals + 1;
			break;
		}
	}
}

static const char *
or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

static bool
is_request_id(const char *id)
{
	size_t len = strlen(id);

	if (len == 0 || len > REQUEST_ID_MAX)
		return false;
	for (; *id != '\0'; id++)
		if (*id <= ' ' || *id > '~')
			return false;
	return true;
}

static const char *
take_id(struct arena *arena, const char *sent)
{
	struct uuid uuid;
	char text[UUID_TEXT_LEN + 1];

	if (sent != NULL && is_request_id(sent))
		return sent;
	uuid_new_ordered(&uuid);
	return arena_strdup(arena, uuid_format(&uuid, text));
}

/* REQUEST_URI is what the client sent; without it (another web server) the
   normalised DOCUMENT_URI has to do. */
static void
take_path(struct exchange *x, const struct params *params)
{
	const char *uri = params->uri, *query;

	if (uri == NULL || uri[0] == '\0') {
		x->request.path = or_empty(params->path);
		x->request.query = or_empty(params->query);
		return;
	}
	query = strchr(uri, '?');
	if (query == NULL) {
		x->request.path = uri;
		x->request.query = "";
		return;
	}
	x->request.path = arena_memdup(x->arena, uri, (size_t)(query - uri));
	x->request.query = query + 1;
}

/* -1 when absent, -2 when it is no length. */
static int64_t
parse_length(const char *text)
{
	int64_t length = 0;

	if (text == NULL || text[0] == '\0')
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9' || length > INT64_MAX / 10 - 9)
			return -2;
		length = length * 10 + (*text - '0');
	}
	return length;
}

/* Every escape in the query must be sound before a handler looks for a
   parameter: request_query() has no way to complain. */
static int
query_check(struct exchange *x, struct fault *fault)
{
	const char *query = x->request.query;

	if (strchr(query, '%') == NULL)
		return 0;
	if (percent_decode(x->arena, query, strlen(query), true) == NULL)
		return fault_say(fault, REFUSAL_VALIDATION,
		    "malformed percent-encoding in the query");
	return 0;
}

int
request_read(struct exchange *x, struct fault *fault)
{
	struct request *r = &x->request;
	struct params params = { 0 };

	collect_params(x->fcgi->envp, &params);
	memset(r, 0, sizeof(*r));
	r->id = take_id(x->arena, params.id);
	r->method = http_method_parse(or_empty(params.method));
	if (r->method == HTTP_HEAD) {
		r->head = true;
		r->method = HTTP_GET;
	}
	take_path(x, &params);
	r->content_type = or_empty(params.content_type);
	r->authorization = or_empty(params.authorization);
	r->if_match = params.if_match;
	if (r->if_match != NULL && r->if_match[0] == '\0')
		r->if_match = NULL;
	r->idempotency_key = params.idempotency_key;
	r->origin = or_empty(params.origin);
	r->address = or_empty(params.address);
	r->user_agent = or_empty(params.user_agent);
	r->server_error = or_empty(params.server_error);
	r->server_dialect = or_empty(params.server_dialect);
	r->server_tenant = or_empty(params.server_tenant);
	r->server_relay = or_empty(params.server_relay);
	x->content_length = parse_length(params.content_length);
	if (x->content_length == -2)
		return fault_say(fault, REFUSAL_VALIDATION,
		    "malformed Content-Length");
	return query_check(x, fault);
}

const char *
request_query(const struct exchange *x, const char *name)
{
	const char *pair = x->request.query, *key;
	size_t len, key_len;

	while (*pair != '\0') {
		len = strcspn(pair, "&");
		key_len = strcspn(pair, "=&");
		key = percent_decode(x->arena, pair, key_len, true);
		if (key != NULL && strcmp(key, name) == 0) {
			if (key_len == len)
				return "";
			return percent_decode(x->arena, pair + key_len + 1,
			    len - key_len - 1, true);
		}
		pair += len;
		pair += *pair == '&';
	}
	return NULL;
}

/* Is there a parameter of this name before the pair at end? */
static bool
stands_before(struct exchange *x, const char *end, const char *name)
{
	const char *pair = x->request.query, *key;
	size_t len;

	for (; pair < end; pair += len + 1) {
		len = strcspn(pair, "&");
		key = percent_decode(x->arena, pair, strcspn(pair, "=&"),
		    true);
		if (len > 0 && key != NULL && strcmp(key, name) == 0)
			return true;
	}
	return false;
}

int
request_query_check(struct exchange *x, struct fault *fault)
{
	const char *pair = x->request.query, *text, *key;
	unsigned n = 0;
	size_t len;

	for (; *pair != '\0'; pair += len + (pair[len] == '&')) {
		len = strcspn(pair, "&");
		if (len == 0)
			continue;
		text = percent_decode(x->arena, pair, len, true);
		key = percent_decode(x->arena, pair, strcspn(pair, "=&"),
		    true);
		if (text == NULL || key == NULL ||
		    !utf8_is_valid(text, strlen(text)))
			return fault_say(fault, REFUSAL_VALIDATION,
			    "the query is not UTF-8");
		if (++n > QUERY_MAX)
			return fault_say(fault, REFUSAL_VALIDATION,
			    "the query has more than %u parameters",
			    QUERY_MAX);
		if (stands_before(x, pair, key))
			return fault_say(fault, REFUSAL_VALIDATION,
			    "a query parameter stands there twice");
	}
	return 0;
}

int
request_arg_uuid(const struct exchange *x, size_t i, const char *field,
    struct uuid *uuid_r, struct fault *fault)
{
	const char *text = x->request.args[i];

	if (text != NULL && uuid_parse(text, strlen(text), uuid_r))
		return 0;
	return fault_add_field(fault, field, "must be a UUID", text);
}

static bool
parse_limit(const char *text, unsigned *limit_r)
{
	unsigned limit = 0;

	for (; *text >= '0' && *text <= '9' && limit <= PAGE_MAX; text++)
		limit = limit * 10 + (unsigned)(*text - '0');
	*limit_r = limit;
	return *text == '\0' && limit >= 1 && limit <= PAGE_MAX;
}

int
request_paging(const struct exchange *x, unsigned *limit_r,
    const char **cursor_r, struct fault *fault)
{
	const char *limit = request_query(x, "limit");
	const char *cursor = request_query(x, "cursor");

	*limit_r = 0;
	*cursor_r = NULL;
	if (limit != NULL && !parse_limit(limit, limit_r))
		return fault_add_field(fault, "limit",
		    "must be a number from 1 to 1000", limit);
	if (cursor == NULL)
		return 0;
	if (limit == NULL)
		return fault_add_field(fault, "cursor",
		    "goes with limit only", cursor);
	if (cursor[0] == '\0' || strlen(cursor) > CURSOR_MAX)
		return fault_add_field(fault, "cursor",
		    "is not one that was given out", cursor);
	*cursor_r = cursor;
	return 0;
}
