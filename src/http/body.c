/* SPDX-License-Identifier: MIT */
/* The request's body: its media type and size are judged before it is read,
   its size again while it is read, and what nobody wanted is read away, so
   that the connection stands at the next request. */
#include "config.h"

#include "wuts/arena.h"
#include "wuts/fault.h"
#include "wuts/settings.h"

#include "http_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A peer that announces more than this is not worth its connection. */
#define DRAIN_MAX ((size_t)256 << 20)
#define READ_CHUNK ((size_t)64 << 10)
#define IGNORED_MAX 512
#define IGNORED_NAME_MAX 64

static const char *const type_messages[] = {
	[INPUT_STRING] = "must be a string",
	[INPUT_BOOL] = "must be true or false",
	[INPUT_INT] = "must be an integer",
	[INPUT_ARRAY] = "must be an array",
	[INPUT_OBJECT] = "must be an object"
};

size_t
body_max(const struct exchange *x)
{
	unsigned flags = x->route == NULL ? 0 : x->route->flags;

	if ((flags & ROUTE_INGEST) != 0)
		return x->settings->ingest_body_limit;
	if (flags >> 16 != 0)
		return (size_t)(flags >> 16) << 10;
	return x->settings->body_limit;
}

int
body_refuse_size(const struct exchange *x, struct fault *fault)
{
	return fault_say(fault, REFUSAL_PAYLOAD_TOO_LARGE,
	    "the body is larger than %zu bytes", body_max(x));
}

/* Is `text`, up to its end or a ';', this media type? */
static bool
is_media_type(const char *text, const char *type)
{
	size_t len = strlen(type);

	text += strspn(text, " \t");
	if (strncasecmp(text, type, len) != 0)
		return false;
	text += len;
	text += strspn(text, " \t");
	return *text == '\0' || *text == ';';
}

/* JSON is UTF-8; another charset is said to be none of ours before its bytes
   are taken for UTF-8. */
static bool
is_charset_ours(const char *text)
{
	const char *p = text;

	while ((p = strchr(p, ';')) != NULL) {
		p++;
		p += strspn(p, " \t");
		if (strncasecmp(p, "charset", 7) != 0)
			continue;
		p += 7;
		p += strspn(p, " \t");
		if (*p != '=')
			continue;
		p++;
		p += strspn(p, " \t\"");
		if (strncasecmp(p, "utf-8", 5) != 0)
			return false;
		p += 5;
		if (*p != '\0' && strchr("\" \t;", *p) == NULL)
			return false;
	}
	return true;
}

static bool
is_ndjson(const struct exchange *x)
{
	return (x->route->flags & ROUTE_INGEST) != 0 &&
	    is_media_type(x->request.content_type, "application/x-ndjson");
}

/* nginx always announces a length (it gathers the body first); another web
   server may not, then one byte ahead tells. */
static bool
has_body(const struct exchange *x)
{
	int c;

	if (x->content_length >= 0)
		return x->content_length > 0;
	c = FCGX_GetChar(x->fcgi->in);
	if (c == EOF)
		return false;
	(void)FCGX_UnGetChar(c, x->fcgi->in);
	return true;
}

int
body_check(struct exchange *x, struct fault *fault)
{
	const char *type = x->request.content_type;
	bool is_any = (x->route->flags & ROUTE_ANY_MEDIA) != 0;

	if (x->request.method == HTTP_GET || !has_body(x))
		return 0;
	if (!is_any && ((!is_media_type(type, "application/json") &&
	    !is_ndjson(x)) || !is_charset_ours(type)))
		return fault_say(fault, REFUSAL_MEDIA_TYPE, "%s",
		    (x->route->flags & ROUTE_INGEST) != 0 ?
		    "Content-Type must be application/json or "
		    "application/x-ndjson" :
		    "Content-Type must be application/json");
	if (x->content_length >= 0 &&
	    (uint64_t)x->content_length > body_max(x))
		return body_refuse_size(x, fault);
	return 0;
}

int
body_check_end(const struct exchange *x, size_t total, struct fault *fault)
{
	if (FCGX_GetError(x->fcgi->in) != 0)
		return fault_set(fault, FAULT_IO,
		    "the web server broke off inside the body");
	if (x->content_length >= 0 && total != (uint64_t)x->content_length)
		return fault_say(fault, REFUSAL_VALIDATION,
		    "the body has not the announced length");
	return 0;
}

/* All of it, at most max bytes. */
static int
read_all(struct exchange *x, size_t max, struct fault *fault)
{
	struct strbuf *body = &x->body;
	size_t want;
	int got;

	for (;;) {
		want = READ_CHUNK;
		if (want > max - body->len)
			want = max - body->len + 1;	/* one: too much */
		strbuf_reserve(body, want);
		got = FCGX_GetStr(body->data + body->len, (int)want,
		    x->fcgi->in);
		if (got > 0)
			body->len += (size_t)got;
		body->data[body->len] = '\0';
		if (body->len > max)
			return body_refuse_size(x, fault);
		if (got < (int)want)
			break;
	}
	return body_check_end(x, body->len, fault);
}

int
request_body(struct exchange *x, const char **body_r, size_t *len_r,
    bool *ndjson_r, struct fault *fault)
{
	size_t max = body_max(x);

	if (!x->body_read) {
		x->body_read = true;
		if (x->content_length > 0)
			strbuf_reserve(&x->body,
			    (size_t)x->content_length + 1);
		if (read_all(x, max, fault) < 0)
			return -1;
	}
	if (x->body.data == NULL)
		strbuf_reserve(&x->body, 0);
	*body_r = x->body.data;
	*len_r = x->body.len;
	if (ndjson_r != NULL)
		*ndjson_r = is_ndjson(x);
	return 0;
}

void
body_drain(struct exchange *x)
{
	char trash[8192];
	size_t total = 0;
	int got;

	do {
		got = FCGX_GetStr(trash, sizeof(trash), x->fcgi->in);
		total += got > 0 ? (size_t)got : 0;
	} while (got == (int)sizeof(trash) && total < DRAIN_MAX);
	if (got == (int)sizeof(trash) || FCGX_GetError(x->fcgi->in) != 0)
		x->fcgi->keepConnection = 0;
}

int
request_json(struct exchange *x, const json_t **value_r, struct fault *fault)
{
	json_error_t error;
	const char *body;
	size_t len;

	*value_r = NULL;
	if (request_body(x, &body, &len, NULL, fault) < 0)
		return -1;
	if (strspn(body, " \t\r\n") == len)
		return 0;
	if (x->input == NULL)
		x->input = json_loadb(body, len, JSON_DECODE_ANY, &error);
	if (x->input == NULL)
		return fault_set(fault, REFUSAL_INVALID_JSON,
		    "invalid JSON at line %d, column %d", error.line,
		    error.column);
	*value_r = x->input;
	return 0;
}

static bool
is_of_type(const json_t *value, enum input_type type)
{
	switch (type) {
	case INPUT_STRING:
		return json_is_string(value);
	case INPUT_BOOL:
		return json_is_boolean(value);
	case INPUT_INT:
		return json_is_integer(value);
	case INPUT_ARRAY:
		return json_is_array(value);
	case INPUT_OBJECT:
		break;
	}
	return json_is_object(value);
}

static void
add_mistyped(const struct input_field *field, const json_t *value,
    struct fault *fault)
{
	char *text = NULL;

	if ((field->flags & INPUT_SECRET) != 0) {
		fault_add_field(fault, field->name, type_messages[field->type],
		    "***");
		return;
	}
	if (!json_is_string(value))
		text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	fault_add_field(fault, field->name, type_messages[field->type],
	    text != NULL ? text : json_string_value(value));
	free(text);
}

static void
check_fields(struct exchange *x, const struct input_field *fields,
    size_t nfields, const json_t **values_r, struct fault *fault)
{
	const json_t *value;

	for (size_t i = 0; i < nfields; i++) {
		value = json_object_get(x->input, fields[i].name);
		if (json_is_null(value))
			value = NULL;
		values_r[i] = value;
		if (value == NULL) {
			if ((fields[i].flags & INPUT_REQUIRED) != 0)
				fault_add_field(fault, fields[i].name,
				    "is required", NULL);
		} else if (!is_of_type(value, fields[i].type)) {
			add_mistyped(&fields[i], value, fault);
		}
	}
}

static bool
is_known(const char *name, const struct input_field *fields, size_t nfields)
{
	for (size_t i = 0; i < nfields; i++)
		if (strcmp(fields[i].name, name) == 0)
			return true;
	return false;
}

/* What a header or its list cannot hold becomes '?'. */
static void
copy_name(char out[IGNORED_NAME_MAX + 1], const char *name)
{
	size_t n;

	for (n = 0; name[n] != '\0' && n < IGNORED_NAME_MAX; n++)
		out[n] = name[n] > ' ' && name[n] <= '~' && name[n] != ',' ?
		    name[n] : '?';
	out[n] = '\0';
}

static bool
is_listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (;;) {
		if (strncmp(list, name, len) == 0 &&
		    (list[len] == ',' || list[len] == '\0'))
			return true;
		list = strstr(list, ", ");
		if (list == NULL)
			return false;
		list += 2;
	}
}

/* The names are the client's, and there is an end to the list of them. */
void
request_ignore(struct exchange *x, const char *name)
{
	char text[IGNORED_NAME_MAX + 1];
	size_t len;

	copy_name(text, name);
	if (x->ignored == NULL) {
		x->ignored = arena_strdup(x->arena, text);
		return;
	}
	len = strlen(x->ignored);
	if (is_listed(x->ignored, text) || is_listed(x->ignored, "..."))
		return;
	x->ignored = arena_printf(x->arena, "%s, %s", x->ignored,
	    len + strlen(text) > IGNORED_MAX ? "..." : text);
}

static void
note_ignored(struct exchange *x, const struct input_field *fields,
    size_t nfields)
{
	const char *name;
	json_t *value;

	json_object_foreach(x->input, name, value)
		if (!is_known(name, fields, nfields))
			request_ignore(x, name);
}

int
request_object(struct exchange *x, const struct input_field *fields,
    size_t nfields, const json_t **values_r, struct fault *fault)
{
	const char *body;
	size_t len;

	if (request_body(x, &body, &len, NULL, fault) < 0)
		return -1;
	if (x->input == NULL)
		x->input = json_text_parse(body, len, fault);
	if (x->input == NULL)
		return -1;
	if (!json_is_object(x->input))
		return fault_say(fault, REFUSAL_INVALID_JSON,
		    "the body must be a JSON object");
	note_ignored(x, fields, nfields);
	fault_clear(fault);
	check_fields(x, fields, nfields, values_r, fault);
	if (fault->nfields == 0)
		return 0;
	if (fault->said[0] == '\0')
		memcpy(fault->said, "validation failed",
		    sizeof("validation failed"));
	return -1;
}

const char *
input_text(const json_t *value)
{
	return json_string_value(value);
}
