/* SPDX-License-Identifier: MIT */
/* Taking a request of the Wacht dialect apart (spec/wacht.md §1.1, §1.3). */
#include "config.h"

#include "wuts/arena.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/uuid.h"

#include "wacht_private.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t\r\n\v\f"
#define SEARCH_MAX 200		/* characters */

static int
take_id(const struct exchange *x, size_t i, const char *name,
    struct uuid *id_r, struct fault *fault)
{
	if (strchr(x->request.args[i], '/') != NULL)
		return fault_say(fault, REFUSAL_NOT_FOUND, "no such path");
	return request_arg_uuid(x, i, name, id_r, fault);
}

int
wacht_input_user(struct exchange *x, struct uuid *user_id_r,
    struct fault *fault)
{
	if (take_id(x, 0, "user_id", user_id_r, fault) < 0)
		return -1;
	return request_query_check(x, fault);
}

int
wacht_input_user_and(struct exchange *x, const char *name,
    struct uuid *user_id_r, struct uuid *id_r, struct fault *fault)
{
	struct fault second;
	int ret;

	fault_clear(&second);
	ret = take_id(x, 0, "user_id", user_id_r, fault);
	if (ret < 0 && fault->code == REFUSAL_NOT_FOUND)
		return -1;
	if (take_id(x, 1, name, id_r, &second) < 0 &&
	    (ret == 0 || second.code == REFUSAL_NOT_FOUND)) {
		*fault = second;
		return -1;
	}
	return ret < 0 ? -1 : request_query_check(x, fault);
}

/* Parameters of the type are allowed; a charset is UTF-8 or a mistake. */
static bool
is_json(const char *type)
{
	static const char json[] = "application/json";
	const char *p = type + strspn(type, " \t");

	if (strncasecmp(p, json, sizeof(json) - 1) != 0)
		return false;
	p += sizeof(json) - 1;
	p += strspn(p, " \t");
	if (*p != '\0' && *p != ';')
		return false;
	p = strcasestr(p, "charset=");
	if (p == NULL)
		return true;
	p += sizeof("charset=") - 1;
	p += *p == '"';
	return strncasecmp(p, "utf-8", 5) == 0;
}

int
wacht_input_object(struct exchange *x, const struct input_field *fields,
    size_t nfields, const json_t **values_r, struct fault *fault)
{
	if (!is_json(x->request.content_type))
		return fault_say(fault, REFUSAL_MEDIA_TYPE,
		    "Content-Type must be application/json");
	return request_object(x, fields, nfields, values_r, fault);
}

int
wacht_input_query_bool(const struct exchange *x, const char *name,
    bool *value_r, struct fault *fault)
{
	const char *text = request_query(x, name);

	*value_r = text != NULL && strcmp(text, "true") == 0;
	if (text == NULL || *value_r || strcmp(text, "false") == 0)
		return 0;
	return fault_add_field(fault, name, "must be true or false", text);
}

void
wacht_input_query_number(const struct exchange *x, const char *name,
    uint64_t max, uint64_t *value_r, struct fault *fault)
{
	const char *text = request_query(x, name), *p = text;
	uint64_t value = 0;
	char message[64];

	if (text == NULL)
		return;
	for (; *p >= '0' && *p <= '9' && value <= max / 10; p++)
		value = value * 10 + (uint64_t)(*p - '0');
	if (p != text && *p == '\0' && value <= max) {
		*value_r = value;
		return;
	}
	snprintf(message, sizeof(message), "must be a number from 0 to %llu",
	    (unsigned long long)max);
	fault_add_field(fault, name, message, text);
}

static size_t
count_chars(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void
wacht_input_query_search(struct exchange *x, const char **search_r,
    struct fault *fault)
{
	const char *text = request_query(x, "search");
	size_t len;

	*search_r = NULL;
	if (text == NULL)
		return;
	text += strspn(text, BLANKS);
	len = strlen(text);
	while (len > 0 && strchr(BLANKS, text[len - 1]) != NULL)
		len--;
	if (len == 0)
		return;
	*search_r = arena_memdup(x->arena, text, len);
	if (count_chars(*search_r) > SEARCH_MAX)
		fault_add_field(fault, "search",
		    "must be at most 200 characters", NULL);
}
