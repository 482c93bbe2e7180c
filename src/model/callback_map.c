/* SPDX-License-Identifier: MIT */
/* Messages and receipts in the usual members of an engine's events, as
   On-Premises payloads; which members these are is in doc/onprem.md. Nothing is
   made up: what the engine did not tell is left out, and without the members
   that a receiver cannot do without there is no form. */
#include "config.h"

#include "wuts/callback.h"

#include "model_private.h"
#include "wuts/clock.h"
#include "wuts/onprem.h"
#include "wuts/strbuf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 32		/* digits of a telephone number, with room */
#define ID_LISTED_MAX 1000

static const char *const contents[] = {
	"text", "image", "audio", "voice", "video", "document", "sticker",
	"location", "contacts", "button", "interactive", "order", "system",
};

bool
callback_wants_status(const struct onprem_settings *settings,
    const char *status)
{
	if (status == NULL)
		return true;
	if (strcmp(status, "sent") == 0)
		return settings->webhook_sent;
	if (strcmp(status, "delivered") == 0)
		return settings->webhook_delivered;
	if (strcmp(status, "read") == 0)
		return settings->webhook_read;
	return true;
}

/* --- what the engine told --- */

/* The first of these members that is a string with something in it. */
static const char *
text_of(const json_t *data, const char *const names[])
{
	const char *text;

	for (; *names != NULL; names++) {
		text = json_string_value(json_object_get(data, *names));
		if (text != NULL && *text != '\0')
			return text;
	}
	return NULL;
}

/* The telephone number in front of an address ("4915…:12@s.whatsapp.net"). */
static bool
number_of(const json_t *data, const char *const names[],
    char number_r[NUMBER_MAX + 1])
{
	const char *text = text_of(data, names);
	size_t len;

	if (text == NULL)
		return false;
	text += *text == '+';
	len = strspn(text, "0123456789");
	if (len == 0 || len > NUMBER_MAX)
		return false;
	memcpy(number_r, text, len);
	number_r[len] = '\0';
	return true;
}

/* Unix seconds: what the engine says of the message, else of the event. */
static void
write_timestamp(struct json_writer *w, const struct callback_source *source)
{
	const json_t *value = json_object_get(source->data_tree, "timestamp");
	const char *text = json_string_value(value);
	char seconds[24];

	json_write_key(w, "timestamp");
	if (text != NULL && *text != '\0' && strlen(text) < sizeof(seconds) &&
	    strspn(text, "0123456789") == strlen(text)) {
		json_write_string(w, text);
		return;
	}
	snprintf(seconds, sizeof(seconds), "%" PRId64,
	    json_is_integer(value) && json_integer_value(value) >= 0 ?
	    (int64_t)json_integer_value(value) :
	    source->timestamp_us / CLOCK_SECOND_US);
	json_write_string(w, seconds);
}

/* Member name of the data as it came, where it is of that kind. */
static void
copy_member(struct json_writer *w, const struct callback_source *source,
    const char *name, json_type kind)
{
	const json_t *value = json_object_get(source->data_tree, name);
	struct json_span span = json_text_member(source->data.text,
	    source->data.len, name);

	if (value == NULL || json_typeof(value) != kind || span.text == NULL)
		return;
	json_write_key(w, name);
	json_write_raw(w, "", 0);
	json_text_compact(w->out, span.text, span.len);
}

/* --- messages --- */

static bool
has_content(const json_t *data, const char *name)
{
	const json_t *value = json_object_get(data, name);

	return strcmp(name, "contacts") == 0 ? json_is_array(value) :
	    json_is_object(value);
}

/* By its name, or by the one content there is; NULL: none that we know. */
static const char *
content_of(const json_t *data)
{
	const char *type =
	    json_string_value(json_object_get(data, "type"));
	size_t i;

	for (i = 0; i < sizeof(contents) / sizeof(contents[0]); i++)
		if ((type == NULL || strcmp(type, contents[i]) == 0) &&
		    has_content(data, contents[i]))
			return contents[i];
	return NULL;
}

static void
write_content(struct json_writer *w, const struct callback_source *source)
{
	static const char *const texts[] = { "text", "body", "message", NULL };
	const json_t *data = source->data_tree;
	const char *type = content_of(data), *text = text_of(data, texts);

	json_write_key(w, "type");
	if (type != NULL) {
		json_write_string(w, type);
		copy_member(w, source, type, json_typeof(
		    json_object_get(data, type)));
		return;
	}
	json_write_string(w, text != NULL ? "text" : "unknown");
	if (text == NULL)
		return;
	json_write_key(w, "text");
	json_write_object_begin(w);
	json_member_text(w, "body", text);
	json_write_object_end(w);
}

static void
write_contact(struct json_writer *w, const json_t *data, const char *from)
{
	static const char *const names[] = {
		"push_name", "pushname", "notify", "name", NULL
	};
	const char *name = text_of(data, names);

	json_write_key(w, "contacts");
	json_write_array_begin(w);
	json_write_object_begin(w);
	if (name != NULL) {
		json_write_key(w, "profile");
		json_write_object_begin(w);
		json_member_text(w, "name", name);
		json_write_object_end(w);
	}
	json_member_text(w, "wa_id", from);
	json_write_object_end(w);
	json_write_array_end(w);
}

static void
write_message(struct json_writer *w, const struct callback_source *source,
    const struct onprem_settings *settings, const char *from)
{
	static const char *const ids[] = { "id", "message_id", NULL };
	const char *id = text_of(source->data_tree, ids);
	char event_id[UUID_TEXT_LEN + 1];

	json_write_object_begin(w);
	json_member_text(w, "from", from);
	json_member_text(w, "id", id != NULL ? id : uuid_format(&source->id,
	    event_id));
	write_timestamp(w, source);
	write_content(w, source);
	copy_member(w, source, "context", JSON_OBJECT);
	copy_member(w, source, "referral", JSON_OBJECT);
	copy_member(w, source, "group_id", JSON_STRING);
	copy_member(w, source, "errors", JSON_ARRAY);
	if (settings->show_security_notifications)
		copy_member(w, source, "identity", JSON_OBJECT);
	json_write_object_end(w);
}

static bool
map_message(struct strbuf *out, const struct callback_source *source,
    const struct onprem_settings *settings)
{
	static const char *const senders[] = { "from", "sender", NULL };
	char from[NUMBER_MAX + 1];
	struct json_writer w;

	if (!number_of(source->data_tree, senders, from))
		return false;
	json_writer_init(&w, out);
	json_write_object_begin(&w);
	write_contact(&w, source->data_tree, from);
	json_write_key(&w, "messages");
	json_write_array_begin(&w);
	write_message(&w, source, settings, from);
	json_write_array_end(&w);
	json_write_object_end(&w);
	return true;
}

/* --- statuses --- */

static void
write_status(struct json_writer *w, const struct callback_source *source,
    const struct onprem_settings *settings, const char *id,
    const char *status)
{
	static const char *const recipients[] = {
		"recipient_id", "to", "recipient", "chat", "from", NULL
	};
	char recipient[NUMBER_MAX + 1];

	json_write_object_begin(w);
	json_member_text(w, "id", id);
	if (number_of(source->data_tree, recipients, recipient)) {
		json_member_text(w, "recipient_id", recipient);
	}
	json_member_text(w, "status", status);
	write_timestamp(w, source);
	copy_member(w, source, "errors", JSON_ARRAY);
	if (!settings->without_pricing) {
		copy_member(w, source, "conversation", JSON_OBJECT);
		copy_member(w, source, "pricing", JSON_OBJECT);
	}
	json_write_object_end(w);
}

/* A receipt may be for several messages. */
static const json_t *
listed_ids(const json_t *data)
{
	const json_t *ids = json_object_get(data, "ids");
	size_t i;

	if (ids == NULL)
		ids = json_object_get(data, "message_ids");
	if (!json_is_array(ids) || json_array_size(ids) == 0 ||
	    json_array_size(ids) > ID_LISTED_MAX)
		return NULL;
	for (i = 0; i < json_array_size(ids); i++)
		if (!json_is_string(json_array_get(ids, i)))
			return NULL;
	return ids;
}

/* An engine may say of a message that was to be sent that it failed. */
static const char *
status_of(const struct callback_source *source)
{
	const char *told = json_string_value(
	    json_object_get(source->data_tree, "status"));

	if (told != NULL && (strcmp(told, "failed") == 0 ||
	    strcmp(told, "deleted") == 0))
		return strcmp(told, "failed") == 0 ? "failed" : "deleted";
	return strchr(source->event, '.') + 1;
}

static bool
map_status(struct strbuf *out, const struct callback_source *source,
    const struct onprem_settings *settings)
{
	static const char *const names[] = { "id", "message_id", NULL };
	const char *id = text_of(source->data_tree, names);
	const char *status = status_of(source);
	const json_t *ids = id == NULL ? listed_ids(source->data_tree) : NULL;
	struct json_writer w;
	size_t i;

	if ((id == NULL && ids == NULL) ||
	    !callback_wants_status(settings, status))
		return false;
	json_writer_init(&w, out);
	json_write_object_begin(&w);
	json_write_key(&w, "statuses");
	json_write_array_begin(&w);
	if (id != NULL)
		write_status(&w, source, settings, id, status);
	for (i = 0; i < json_array_size(ids); i++)
		write_status(&w, source, settings,
		    json_string_value(json_array_get(ids, i)), status);
	json_write_array_end(&w);
	json_write_object_end(&w);
	return true;
}

bool
callback_map(struct strbuf *out, const struct callback_source *source,
    const struct onprem_settings *settings, enum callback_type *type_r)
{
	const char *event = source->event;

	if (strcmp(event, "message.received") == 0) {
		*type_r = CALLBACK_MESSAGE;
		return map_message(out, source, settings);
	}
	*type_r = CALLBACK_STATUS;
	return (strcmp(event, "message.sent") == 0 ||
	    strcmp(event, "message.delivered") == 0 ||
	    strcmp(event, "message.read") == 0) &&
	    map_status(out, source, settings);
}
