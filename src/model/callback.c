/* SPDX-License-Identifier: MIT */
/* Events in the On-Premises form. Data that has it already is handed on as the
   bytes that came; only what the tenant does not want is cut out of it. Data in
   the usual members of an engine is mapped by callback_map.c. */
#include "config.h"

#include "wuts/callback.h"

#include "model_private.h"
#include "wuts/crypto.h"
#include "wuts/onprem.h"
#include "wuts/strbuf.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX "onprem."
#define PREFIX_LEN (sizeof(PREFIX) - 1)

static const struct {
	const char *array;
	const char *event;
} types[CALLBACK_TYPE_COUNT] = {
	[CALLBACK_MESSAGE] = { "messages", PREFIX "inbound_message" },
	[CALLBACK_STATUS] = { "statuses", PREFIX "status_change" },
	[CALLBACK_ERROR] = { "errors", PREFIX "error" },
	[CALLBACK_SERVICE] = { "services", PREFIX "service" },
};

const char *
callback_event_name(enum callback_type type)
{
	return types[type].event;
}

const char *
callback_type_name(enum callback_type type)
{
	return types[type].event + PREFIX_LEN;
}

bool
callback_event_parse(const char *event, enum callback_type *type_r)
{
	int type;

	if (strncmp(event, PREFIX, PREFIX_LEN) != 0)
		return false;
	for (type = 0; type < CALLBACK_TYPE_COUNT; type++)
		if (strcmp(event, types[type].event) == 0) {
			*type_r = (enum callback_type)type;
			return true;
		}
	return false;
}

/* Version 8: the rest is our own affair. */
struct uuid
callback_id(const struct uuid *event_id)
{
	uint8_t text[PREFIX_LEN + sizeof(event_id->b)];
	uint8_t hash[CRYPTO_HASH_LEN];
	struct uuid id;

	memcpy(text, PREFIX, PREFIX_LEN);
	memcpy(text + PREFIX_LEN, event_id->b, sizeof(event_id->b));
	crypto_sha256(text, sizeof(text), hash);
	memcpy(id.b, hash, sizeof(id.b));
	id.b[6] = (uint8_t)(0x80 | (id.b[6] & 0x0f));
	id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3f));
	return id;
}

/* --- data that is a payload already --- */

static bool
is_list_of_objects(const json_t *value)
{
	size_t i;

	for (i = 0; i < json_array_size(value); i++)
		if (!json_is_object(json_array_get(value, i)))
			return false;
	return json_array_size(value) > 0;
}

/* Exactly one of the main arrays. Messages and statuses are what events of
   messages tell; elsewhere a list of that name is something else. */
static bool
is_payload(const struct callback_source *source, enum callback_type *type_r)
{
	bool of_messages = strncmp(source->event, "message.", 8) == 0;
	int type, found = -1;

	for (type = 0; type < CALLBACK_TYPE_COUNT; type++) {
		const json_t *value = json_object_get(source->data_tree,
		    types[type].array);

		if (!json_is_array(value))
			continue;
		if (found >= 0 || !is_list_of_objects(value))
			return false;
		found = type;
	}
	if (found < 0 || (!of_messages &&
	    (found == CALLBACK_MESSAGE || found == CALLBACK_STATUS)))
		return false;
	*type_r = (enum callback_type)found;
	return true;
}

static bool
has_pricing(const json_t *status)
{
	return json_object_get(status, "conversation") != NULL ||
	    json_object_get(status, "pricing") != NULL;
}

static bool
is_kept_whole(const json_t *status, const struct onprem_settings *settings)
{
	return callback_wants_status(settings,
	    json_string_value(json_object_get(status, "status"))) &&
	    !(settings->without_pricing && has_pricing(status));
}

/* A value that is written anew: no newline comes of it. */
static void
append_value(struct strbuf *out, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY |
	    JSON_REAL_PRECISION(17));

	if (text == NULL)
		return;
	strbuf_append_str(out, text);
	free(text);
}

static void
append_without_pricing(struct strbuf *out, const json_t *status)
{
	json_t *copy = json_copy((json_t *)(uintptr_t)status);

	json_object_del(copy, "conversation");
	json_object_del(copy, "pricing");
	append_value(out, copy);
	json_decref(copy);
}

/* The wanted ones of the list; their number. */
static size_t
append_statuses(struct strbuf *out, struct json_span list,
    const json_t *statuses, const struct onprem_settings *settings)
{
	struct json_items items;
	struct json_span item;
	size_t i, n = 0;

	strbuf_append_char(out, '[');
	json_items_init(&items, list.text, list.len);
	for (i = 0; json_items_next(&items, &item); i++) {
		const json_t *status = json_array_get(statuses, i);

		if (!callback_wants_status(settings, json_string_value(
		    json_object_get(status, "status"))))
			continue;
		if (n++ > 0)
			strbuf_append_char(out, ',');
		if (settings->without_pricing && has_pricing(status))
			append_without_pricing(out, status);
		else
			json_text_compact(out, item.text, item.len);
	}
	strbuf_append_char(out, ']');
	return n;
}

/* Members as they came, but for those statuses that are not wanted. */
static bool
cut_statuses(struct strbuf *out, const struct callback_source *source,
    const struct onprem_settings *settings)
{
	json_t *tree = (json_t *)(uintptr_t)source->data_tree;
	const char *list = types[CALLBACK_STATUS].array, *name;
	size_t begin = out->len, n = 0;
	struct json_writer w;
	struct json_span span;
	json_t *value;

	json_writer_init(&w, out);
	json_write_object_begin(&w);
	json_object_foreach(tree, name, value) {
		span = json_text_member(source->data.text, source->data.len,
		    name);
		json_write_key(&w, name);
		/* Its comma and colon stand there; what follows is text. */
		json_write_raw(&w, "", 0);
		if (strcmp(name, list) == 0)
			n = append_statuses(out, span, value, settings);
		else if (span.text != NULL)
			json_text_compact(out, span.text, span.len);
		else
			append_value(out, value);
	}
	json_write_object_end(&w);
	if (n > 0)
		return true;
	out->len = begin;
	out->data[begin] = '\0';
	return false;
}

static bool
hand_on(struct strbuf *out, const struct callback_source *source,
    const struct onprem_settings *settings, enum callback_type type)
{
	const json_t *statuses;
	size_t i;

	if (type == CALLBACK_STATUS) {
		statuses = json_object_get(source->data_tree,
		    types[type].array);
		for (i = 0; i < json_array_size(statuses); i++)
			if (!is_kept_whole(json_array_get(statuses, i),
			    settings))
				return cut_statuses(out, source, settings);
	}
	json_text_compact(out, source->data.text, source->data.len);
	return true;
}

bool
callback_format(struct strbuf *out, const struct callback_source *source,
    const struct onprem_settings *settings, enum callback_type *type_r)
{
	enum callback_type type;

	if (!is_payload(source, &type))
		return callback_map(out, source, settings, type_r);
	/* Errors beside a message's id are those of the message. */
	if (type == CALLBACK_ERROR &&
	    callback_map(out, source, settings, type_r))
		return true;
	*type_r = type;
	return hand_on(out, source, settings, type);
}
