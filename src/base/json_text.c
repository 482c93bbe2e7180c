/* SPDX-License-Identifier: MIT */
/* JSON in: jansson with the strictness it lacks, and the few operations on the
   text itself that keep what a client sent byte for byte. */
#include "config.h"

#include "wuts/json.h"

#include "wuts/fault.h"
#include "wuts/strbuf.h"

#include <string.h>

/* Behind the string that starts at text (its first quote), or end. Strings are
   most of a text, and most hold no escape: memchr() sees many bytes at once. */
static const char *
skip_string(const char *text, const char *end)
{
	const char *quote, *escape;

	for (text++; text < end; text = escape + 2) {
		quote = memchr(text, '"', (size_t)(end - text));
		if (quote == NULL)
			return end;
		escape = memchr(text, '\\', (size_t)(quote - text));
		if (escape == NULL)
			return quote + 1;
	}
	return end;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *
skip_space(const char *text, const char *end)
{
	while (text < end && is_space(*text))
		text++;
	return text;
}

/* jansson's own limit is 2048 levels, each a call on the stack. */
static bool
is_too_deep(const char *text, size_t len)
{
	const char *end = text + len;
	unsigned depth = 0;

	while (text < end) {
		if (*text == '"') {
			text = skip_string(text, end);
			continue;
		}
		if (*text == '{' || *text == '[')
			depth++;
		else if ((*text == '}' || *text == ']') && depth > 0)
			depth--;
		if (depth > JSON_DEPTH_MAX)
			return true;
		text++;
	}
	return false;
}

json_t *
json_text_parse(const char *text, size_t len, struct fault *fault)
{
	json_error_t error;
	json_t *json;
	char *quote;

	if (is_too_deep(text, len)) {
		fault_say(fault, REFUSAL_INVALID_JSON,
		    "invalid JSON: nested deeper than %d levels",
		    JSON_DEPTH_MAX);
		return NULL;
	}
	if (skip_space(text, text + len) == text + len) {
		fault_say(fault, REFUSAL_INVALID_JSON,
		    "invalid JSON: the body is empty");
		return NULL;
	}
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
	    &error);
	if (json != NULL)
		return json;
	/* jansson quotes the text around the error: it may be a password. Nor
	   are its own flags the client's business. */
	quote = strstr(error.text, " near ");
	if (quote != NULL)
		*quote = '\0';
	quote = strstr(error.text, " without JSON_");
	if (quote != NULL)
		*quote = '\0';
	fault_say(fault, REFUSAL_INVALID_JSON,
	    "invalid JSON at line %d, column %d: %s", error.line, error.column,
	    error.text);
	return NULL;
}

/* Behind the value that starts at text. */
static const char *
skip_value(const char *text, const char *end)
{
	unsigned depth = 0;

	while (text < end) {
		if (*text == '"') {
			text = skip_string(text, end);
		} else if (*text == '{' || *text == '[') {
			depth++;
			text++;
		} else if (depth > 0 && (*text == '}' || *text == ']')) {
			depth--;
			text++;
		} else if (depth == 0) {
			/* a number or a literal runs to its delimiter */
			while (text < end && strchr(",]} \t\r\n", *text) ==
			    NULL)
				text++;
		} else {
			text++;
			continue;
		}
		if (depth == 0)
			break;
	}
	return text;
}

/* Is the quoted name, from its first quote, spelled or escaped, this key? */
static bool
is_key(const char *name, size_t len, const char *key)
{
	json_t *json;
	bool is;

	if (memchr(name, '\\', len) == NULL)
		return len == strlen(key) + 2 &&
		    memcmp(name + 1, key, len - 2) == 0;
	json = json_loadb(name, len, JSON_DECODE_ANY, NULL);
	is = json != NULL && strcmp(json_string_value(json), key) == 0;
	json_decref(json);
	return is;
}

struct member {
	struct json_span name;		/* in its quotes */
	struct json_span value;
};

/* The first quote of an object's members, or end. */
static const char *
members_begin(const char *text, const char *end)
{
	text = skip_space(text, end);
	return text < end && *text == '{' ? skip_space(text + 1, end) : end;
}

/* False: there is no member at *pos. */
static bool
members_next(const char **pos, const char *end, struct member *member_r)
{
	const char *text = *pos, *start = text;

	if (text == end || *text != '"')
		return false;
	text = skip_string(text, end);
	member_r->name = (struct json_span){ start, (size_t)(text - start) };
	text = skip_space(text, end);	/* the colon */
	start = skip_space(text + 1, end);
	text = skip_value(start, end);
	member_r->value = (struct json_span){ start, (size_t)(text - start) };
	text = skip_space(text, end);	/* a comma or the end */
	*pos = text < end ? skip_space(text + 1, end) : end;
	return true;
}

struct json_span
json_text_member(const char *text, size_t len, const char *key)
{
	const char *end = text + len, *pos = members_begin(text, end);
	struct member member;

	while (members_next(&pos, end, &member))
		if (is_key(member.name.text, member.name.len, key))
			return member.value;
	return (struct json_span){ NULL, 0 };
}

void
json_items_init(struct json_items *items, const char *text, size_t len)
{
	items->end = text + len;
	items->pos = skip_space(text, items->end);
	if (items->pos < items->end && *items->pos == '[')
		items->pos++;
	else
		items->pos = items->end;
}

bool
json_items_next(struct json_items *items, struct json_span *item_r)
{
	const char *end = items->end, *start;

	start = skip_space(items->pos, end);
	if (start < end && *start == ',')
		start = skip_space(start + 1, end);
	if (start == end || *start == ']') {
		items->pos = end;
		return false;
	}
	items->pos = skip_value(start, end);
	*item_r = (struct json_span){ start, (size_t)(items->pos - start) };
	return true;
}

void
json_text_compact(struct strbuf *out, const char *text, size_t len)
{
	const char *end = text + len, *start;

	while ((text = skip_space(text, end)) < end) {
		start = text;
		while (text < end && !is_space(*text))
			text = *text == '"' ? skip_string(text, end) : text + 1;
		strbuf_append(out, start, (size_t)(text - start));
	}
}

/* --- members that stand twice --- */

static void append_last(struct strbuf *out, struct json_span value);

/* Which member of each name is the last one: its number. */
static json_t *
number_members(struct json_span object)
{
	const char *end = object.text + object.len;
	const char *pos = members_begin(object.text, end);
	json_t *numbers = json_object(), *name;
	struct member member;

	for (json_int_t n = 0; members_next(&pos, end, &member); n++) {
		name = json_loadb(member.name.text, member.name.len,
		    JSON_DECODE_ANY, NULL);
		(void)json_object_set_new(numbers, json_string_value(name),
		    json_integer(n));
		json_decref(name);
	}
	return numbers;
}

static bool
is_last(const json_t *numbers, struct json_span quoted, json_int_t n)
{
	json_t *name = json_loadb(quoted.text, quoted.len, JSON_DECODE_ANY,
	    NULL);
	bool is = json_integer_value(json_object_get(numbers,
	    json_string_value(name))) == n;

	json_decref(name);
	return is;
}

static void
append_object(struct strbuf *out, struct json_span object)
{
	const char *end = object.text + object.len;
	const char *pos = members_begin(object.text, end);
	json_t *numbers = number_members(object);
	struct member member;
	bool any = false;

	strbuf_append_char(out, '{');
	for (json_int_t n = 0; members_next(&pos, end, &member); n++) {
		if (!is_last(numbers, member.name, n))
			continue;
		if (any)
			strbuf_append_char(out, ',');
		any = true;
		strbuf_append(out, member.name.text, member.name.len);
		strbuf_append_char(out, ':');
		append_last(out, member.value);
	}
	strbuf_append_char(out, '}');
	json_decref(numbers);
}

static void
append_array(struct strbuf *out, struct json_span array)
{
	struct json_items items;
	struct json_span item;
	bool any = false;

	strbuf_append_char(out, '[');
	json_items_init(&items, array.text, array.len);
	while (json_items_next(&items, &item)) {
		if (any)
			strbuf_append_char(out, ',');
		any = true;
		append_last(out, item);
	}
	strbuf_append_char(out, ']');
}

static void
append_last(struct strbuf *out, struct json_span value)
{
	if (value.len > 0 && value.text[0] == '{')
		append_object(out, value);
	else if (value.len > 0 && value.text[0] == '[')
		append_array(out, value);
	else
		strbuf_append(out, value.text, value.len);
}

void
json_text_compact_last(struct strbuf *out, const char *text, size_t len)
{
	const char *end = text + len, *start = skip_space(text, end);

	append_last(out, (struct json_span){ start,
	    (size_t)(skip_value(start, end) - start) });
}
