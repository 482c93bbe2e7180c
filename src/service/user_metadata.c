/* SPDX-License-Identifier: MIT */
/* Metadata of users (spec/wacht.md §3.3): any JSON object, kept as it was
   spelt, so that every number survives. Only where a member stands twice it is
   written anew, with the last value. */
#include "config.h"

#include "user_detail_private.h"

#include "wuts/arena.h"
#include "wuts/fault.h"
#include "wuts/json.h"

#include <jansson.h>
#include <stdlib.h>
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

static const char *
compact(struct arena *arena, const char *text, size_t len)
{
	struct strbuf out = STRBUF_INIT;
	const char *copy;

	json_text_compact(&out, text, len);
	copy = arena_memdup(arena, out.data, out.len);
	strbuf_deinit(&out);
	return copy;
}

/* Integers become reals only for the check: as text they stay what they
   are. */
static json_t *
parse(struct arena *arena, const char *text, size_t len,
    const char **compact_r)
{
	json_t *value;
	char *dump;

	value = json_loadb(text, len, JSON_DECODE_ANY |
	    JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
	if (value != NULL) {
		*compact_r = compact(arena, text, len);
		return value;
	}
	value = json_loadb(text, len, JSON_DECODE_ANY, NULL);
	if (value == NULL)
		return NULL;
	dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY |
	    JSON_REAL_PRECISION(17));
	*compact_r = arena_strdup(arena, dump == NULL ? "{}" : dump);
	free(dump);
	return value;
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
	size_t len;
	json_t *value;
	int ret = 1;

	*text_r = NULL;
	if (text == NULL || user_text_is_blank(text))
		return 0;
	len = strlen(text);
	if (len > USER_METADATA_MAX)
		return refuse(field, "must be at most 65536 bytes", fault);
	value = parse(arena, text, len, text_r);
	if (value == NULL)
		return refuse(field, "must be JSON", fault);
	if (json_is_null(value) ||
	    (json_is_object(value) && json_object_size(value) == 0))
		*text_r = NULL;
	else if (!json_is_object(value))
		ret = refuse(field, "must be a JSON object", fault);
	else if (is_deeper(value, JSON_DEPTH_MAX))
		ret = refuse(field, "must not be nested deeper than 32",
		    fault);
	json_decref(value);
	return ret;
}
