/* SPDX-License-Identifier: MIT */
/* Metadata of users (spec/wacht.md §3.3): any JSON object, kept as it was
   spelt, so that every number survives. Of a member that stands twice the last
   one stays. */
#include "config.h"

#include "user_detail_private.h"

#include "wuts/arena.h"
#include "wuts/fault.h"
#include "wuts/json.h"

#include <jansson.h>
#include <string.h>

/* Jansson itself stops at 2048. */
static bool
is_deeper(const json_t *value, unsigned max)
{
	const char *key;
	json_t *item;
	size_t i;

	if (!json_is_object(value) && !json_is_array(value))
		return false;
	if (max == 0)
		return true;
	if (json_is_array(value)) {
		json_array_foreach(value, i, item)
			if (is_deeper(item, max - 1))
				return true;
		return false;
	}
	json_object_foreach((json_t *)(uintptr_t)value, key, item)
		if (is_deeper(item, max - 1))
			return true;
	return false;
}

/* Integers become reals only for the check: as text they stay what they
   are. */
static json_t *
parse(const char *text, size_t len, bool *has_doubles_r)
{
	static const size_t flags = JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL;
	json_t *value;

	value = json_loadb(text, len, flags | JSON_REJECT_DUPLICATES, NULL);
	*has_doubles_r = value == NULL;
	return value != NULL ? value : json_loadb(text, len, flags, NULL);
}

static const char *
compact(struct arena *arena, const char *text, size_t len, bool has_doubles)
{
	struct strbuf out = STRBUF_INIT;
	const char *copy;

	if (has_doubles)
		json_text_compact_last(&out, text, len);
	else
		json_text_compact(&out, text, len);
	copy = arena_memdup(arena, out.data, out.len);
	strbuf_deinit(&out);
	return copy;
}

static int
refuse(const char *field, const char *message, struct fault *fault)
{
	return fault_add_field(fault, field, message, NULL);
}

int
metadata_take(struct arena *arena, const char *field, const char *text,
    const char **text_r, struct fault *fault)
{
	bool has_doubles;
	size_t len;
	json_t *value;
	int ret = 1;

	*text_r = NULL;
	if (text == NULL || user_text_is_blank(text))
		return 0;
	len = strlen(text);
	if (len > USER_METADATA_MAX)
		return refuse(field, "must be at most 65536 bytes", fault);
	value = parse(text, len, &has_doubles);
	if (value == NULL)
		return refuse(field, "must be JSON", fault);
	if (!json_is_object(value) && !json_is_null(value))
		ret = refuse(field, "must be a JSON object", fault);
	else if (is_deeper(value, JSON_DEPTH_MAX))
		ret = refuse(field, "must not be nested deeper than 32",
		    fault);
	else if (json_object_size(value) > 0)
		*text_r = compact(arena, text, len, has_doubles);
	json_decref(value);
	return ret;
}
