/* SPDX-License-Identifier: MIT */
/* The application settings of the On-Premises dialect: one table of fields, by
   which a PATCH is judged and taken over, and GET is written. What is kept in
   the database has the same form. */
#include "config.h"

#include "wuts/onprem.h"

#include "wuts/fault.h"
#include "wuts/json.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DAY_MS 86400000
#define PATH_SIZE 64
#define DIGITS_MAX 20

enum field_kind {
	FIELD_INT,
	FIELD_DIGITS,		/* an int, or a string of its digits */
	FIELD_CONCURRENCY,	/* 6, 12, 18 or 24 */
	FIELD_BOOL,
	FIELD_FALSE,		/* taken, and stays false */
	FIELD_URL,
	FIELD_MEDIA,
	FIELD_LOG_LEVEL,
	FIELD_OBSOLETE		/* of any kind, and forgotten */
};

struct field {
	const char *path;
	enum field_kind kind;
	size_t offset;
	unsigned min, max;	/* of numbers */
};

#define AT(member) offsetof(struct onprem_settings, member)
#define BOOL(path, member) { path, FIELD_BOOL, AT(member), 0, 0 }

/* The names of one member may be several; the last write of them wins. */
static const struct field fields[] = {
	{ "callback_backoff_delay_ms", FIELD_DIGITS,
	    AT(callback_backoff_delay_ms), 1, DAY_MS },
	{ "max_callback_backoff_delay_ms", FIELD_DIGITS,
	    AT(max_callback_backoff_delay_ms), 1, DAY_MS },
	BOOL("callback_persist", callback_persist),
	BOOL("sent_status", webhook_sent),
	{ "pass_through", FIELD_FALSE, AT(pass_through), 0, 0 },
	{ "heartbeat_interval", FIELD_INT, AT(heartbeat_interval), 1, 3600 },
	{ "unhealthy_interval", FIELD_INT, AT(unhealthy_interval), 1, 3600 },
	{ "media.auto_download", FIELD_MEDIA, AT(auto_download), 0, 0 },
	BOOL("notify_user_change_number", notify_user_change_number),
	BOOL("show_security_notifications", show_security_notifications),
	BOOL("skip_referral_media_download", skip_referral_media_download),
	BOOL("db_garbagecollector_enable", collect_messages),
	BOOL("garbagecollector_enable.messages", collect_messages),
	BOOL("garbagecollector_enable.media", collect_media),
	BOOL("axolotl_context_striping_disabled",
	    axolotl_context_striping_disabled),
	BOOL("webhook_payload_conversation_pricingmodel_disabled",
	    without_pricing),
	BOOL("verbose_logging", verbose_logging),
	{ "log_level", FIELD_LOG_LEVEL, AT(log_level), 0, 0 },
	{ "webhooks.url", FIELD_URL, AT(webhook_url), 0, 0 },
	{ "webhooks.max_concurrent_requests", FIELD_CONCURRENCY,
	    AT(webhook_max_concurrent), 6, 24 },
	BOOL("webhooks.message.sent", webhook_sent),
	BOOL("webhooks.message.delivered", webhook_delivered),
	BOOL("webhooks.message.read", webhook_read),
	{ "on_call_pager", FIELD_OBSOLETE, 0, 0, 0 },
	{ "tcp_listen_address", FIELD_OBSOLETE, 0, 0, 0 },
	{ "wa_id", FIELD_OBSOLETE, 0, 0, 0 }
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

/* Objects that hold fields. */
static const char *const groups[] = {
	"garbagecollector_enable", "media", "webhooks", "webhooks.message"
};
#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static const char *const media_names[ONPREM_MEDIA_COUNT] = {
	[ONPREM_AUDIO] = "audio",
	[ONPREM_DOCUMENT] = "document",
	[ONPREM_IMAGE] = "image",
	[ONPREM_STICKER] = "sticker",
	[ONPREM_VIDEO] = "video",
	[ONPREM_VOICE] = "voice"
};

static const char *const level_names[] = {
	[ONPREM_LOG_ERROR] = "error",
	[ONPREM_LOG_WARNING] = "warning",
	[ONPREM_LOG_INFO] = "info",
	[ONPREM_LOG_DEBUG] = "debug"
};
#define LEVELS (sizeof(level_names) / sizeof(level_names[0]))

void
onprem_settings_init(struct onprem_settings *settings)
{
	static const struct onprem_settings initial = {
		.callback_backoff_delay_ms = 3000,
		.max_callback_backoff_delay_ms = 900000,
		.callback_persist = true,
		.heartbeat_interval = 5,
		.unhealthy_interval = 30,
		.nauto_download = ONPREM_MEDIA_COUNT,
		.auto_download = { ONPREM_VOICE, ONPREM_STICKER, ONPREM_AUDIO,
		    ONPREM_DOCUMENT, ONPREM_IMAGE, ONPREM_VIDEO },
		.notify_user_change_number = true,
		.collect_messages = true,
		.log_level = ONPREM_LOG_INFO,
		.webhook_max_concurrent = 6,
		.webhook_sent = true,
		.webhook_delivered = true,
		.webhook_read = true
	};

	*settings = initial;
}

/* --- values: NULL, or what is wrong --- */

static const char *
take_number(const struct field *field, json_int_t value, unsigned *number)
{
	if (value < (json_int_t)field->min || value > (json_int_t)field->max)
		return field->max == DAY_MS ?
		    "must be from 1 to 86400000" : "must be from 1 to 3600";
	*number = (unsigned)value;
	return NULL;
}

static const char *
take_int(const struct field *field, const json_t *value, unsigned *number)
{
	if (!json_is_integer(value))
		return "must be an integer";
	return take_number(field, json_integer_value(value), number);
}

static const char *
take_digits(const struct field *field, const json_t *value, unsigned *number)
{
	const char *text = json_string_value(value);
	size_t len;

	if (text == NULL)
		return json_is_integer(value) ?
		    take_int(field, value, number) :
		    "must be an integer or a string of digits";
	len = strlen(text);
	if (len == 0 || strspn(text, "0123456789") != len)
		return "must be an integer or a string of digits";
	/* More digits than fit are far too many whatever they are. */
	return take_number(field, len > DIGITS_MAX - 2 ? LLONG_MAX :
	    strtoll(text, NULL, 10), number);
}

static const char *
take_concurrency(const json_t *value, unsigned *number)
{
	json_int_t n = json_integer_value(value);

	if (!json_is_integer(value))
		return "must be an integer";
	if (n != 6 && n != 12 && n != 18 && n != 24)
		return "must be 6, 12, 18 or 24";
	*number = (unsigned)n;
	return NULL;
}

static const char *
url_check(const char *url)
{
	static const char scheme[] = "https://";
	const char *host = url + sizeof(scheme) - 1, *p;
	size_t len;

	if (strlen(url) > ONPREM_URL_MAX)
		return "must have at most 2048 bytes";
	for (p = url; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~' || *p == '"' || *p == '\\')
			return "must be a URL";
	if (strncasecmp(url, scheme, sizeof(scheme) - 1) != 0)
		return "must begin with https://";
	len = strcspn(host, "/?#");
	if (memchr(host, '@', len) != NULL)
		return "must not hold a user or a password";
	if (len == 0 || host[0] == ':')
		return "must name a host";
	if (strchr(url, '#') != NULL)
		return "must not have a fragment";
	return NULL;
}

static const char *
take_url(const json_t *value, char url[ONPREM_URL_MAX + 1])
{
	const char *text = json_string_value(value), *problem;

	if (text == NULL)
		return "must be a string";
	if (text[0] != '\0' && (problem = url_check(text)) != NULL)
		return problem;
	memcpy(url, text, strlen(text) + 1);
	return NULL;
}

static int
find_name(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; name != NULL && i < n; i++)
		if (strcmp(list[i], name) == 0)
			return (int)i;
	return -1;
}

static bool
has_media(const struct onprem_settings *settings, enum onprem_media media)
{
	for (unsigned i = 0; i < settings->nauto_download; i++)
		if (settings->auto_download[i] == media)
			return true;
	return false;
}

/* In the order of the client, who may read it back. */
static const char *
take_media(const json_t *value, struct onprem_settings *settings)
{
	const json_t *item;
	size_t i;
	int media;

	if (!json_is_array(value))
		return "must be an array of strings";
	settings->nauto_download = 0;
	json_array_foreach(value, i, item) {
		media = find_name(media_names, ONPREM_MEDIA_COUNT,
		    json_string_value(item));
		if (media < 0)
			return "must hold nothing but audio, document, image,"
			    " sticker, video, voice";
		if (!has_media(settings, (enum onprem_media)media))
			settings->auto_download[settings->nauto_download++] =
			    (enum onprem_media)media;
	}
	return NULL;
}

static const char *
take_level(const json_t *value, enum onprem_log_level *level)
{
	int found = find_name(level_names, LEVELS, json_string_value(value));

	if (found < 0)
		return "must be error, warning, info or debug";
	*level = (enum onprem_log_level)found;
	return NULL;
}

static const char *
take_bool(const json_t *value, bool *flag)
{
	if (!json_is_boolean(value))
		return "must be true or false";
	*flag = json_is_true(value);
	return NULL;
}

static const char *
take_value(const struct field *field, const json_t *value,
    struct onprem_settings *settings)
{
	void *place = (char *)settings + field->offset;
	bool ignored;

	switch (field->kind) {
	case FIELD_INT:
		return take_int(field, value, place);
	case FIELD_DIGITS:
		return take_digits(field, value, place);
	case FIELD_CONCURRENCY:
		return take_concurrency(value, place);
	case FIELD_BOOL:
		return take_bool(value, place);
	case FIELD_FALSE:
		return take_bool(value, &ignored);
	case FIELD_URL:
		return take_url(value, place);
	case FIELD_MEDIA:
		return take_media(value, settings);
	case FIELD_LOG_LEVEL:
		return take_level(value, place);
	case FIELD_OBSOLETE:
		return NULL;
	}
	abort();
}

/* --- the patch --- */

struct merge {
	struct onprem_settings settings;
	unsigned known;
	struct fault *fault;
};

static bool
is_group(const char *path)
{
	return find_name(groups, GROUPS, path) >= 0;
}

static void
take_field(struct merge *merge, const char *path, const json_t *value)
{
	const char *problem;

	for (size_t i = 0; i < FIELDS; i++) {
		if (strcmp(fields[i].path, path) != 0)
			continue;
		merge->known++;
		problem = take_value(&fields[i], value, &merge->settings);
		if (problem != NULL)
			fault_add_field(merge->fault, path, problem,
			    json_string_value(value));
		return;
	}
}

/* Groups are two deep and no field is one, so this ends. */
static void
take_object(struct merge *merge, const char *prefix, const json_t *object)
{
	char path[PATH_SIZE];
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value) {
		if (snprintf(path, sizeof(path), "%s%s%s", prefix,
		    prefix[0] != '\0' ? "." : "", key) >= (int)sizeof(path))
			continue;
		if (!is_group(path)) {
			take_field(merge, path, value);
		} else if (json_is_object(value)) {
			take_object(merge, path, value);
		} else {
			merge->known++;
			fault_add_field(merge->fault, path,
			    "must be an object", NULL);
		}
	}
}

int
onprem_settings_merge(struct onprem_settings *settings, const json_t *patch,
    struct fault *fault)
{
	struct merge merge = { .settings = *settings, .fault = fault };
	const struct onprem_settings *merged = &merge.settings;

	fault_clear(fault);
	take_object(&merge, "", patch);
	if (merge.known == 0)
		return fault_say(fault, REFUSAL_VALIDATION,
		    "There is no known setting in the request");
	if (fault->nfields == 0 && merged->max_callback_backoff_delay_ms <
	    merged->callback_backoff_delay_ms)
		fault_add_field(fault, "max_callback_backoff_delay_ms",
		    "must not be below callback_backoff_delay_ms", NULL);
	if (fault->nfields > 0)
		return fault_say(fault, REFUSAL_VALIDATION,
		    "validation failed");
	*settings = *merged;
	return 0;
}

/* --- GET --- */

static void
begin_object(struct json_writer *w, const char *key)
{
	json_write_key(w, key);
	json_write_object_begin(w);
}

static void
write_media(struct json_writer *w, const struct onprem_settings *s)
{
	begin_object(w, "media");
	json_write_key(w, "auto_download");
	json_write_array_begin(w);
	for (unsigned i = 0; i < s->nauto_download; i++)
		json_write_string(w, media_names[s->auto_download[i]]);
	json_write_array_end(w);
	json_write_object_end(w);
}

static void
write_webhooks(struct json_writer *w, const struct onprem_settings *s)
{
	begin_object(w, "webhooks");
	json_member_text(w, "url", s->webhook_url);
	json_member_int(w, "max_concurrent_requests",
	    s->webhook_max_concurrent);
	begin_object(w, "message");
	json_member_bool(w, "sent", s->webhook_sent);
	json_member_bool(w, "delivered", s->webhook_delivered);
	json_member_bool(w, "read", s->webhook_read);
	json_write_object_end(w);
	json_write_object_end(w);
}

void
onprem_settings_write(struct json_writer *w,
    const struct onprem_settings *s, const char *wa_id)
{
	json_write_object_begin(w);
	json_member_int(w, "callback_backoff_delay_ms",
	    s->callback_backoff_delay_ms);
	json_member_int(w, "max_callback_backoff_delay_ms",
	    s->max_callback_backoff_delay_ms);
	json_member_bool(w, "callback_persist", s->callback_persist);
	json_member_bool(w, "sent_status", s->webhook_sent);
	json_member_bool(w, "pass_through", s->pass_through);
	json_member_int(w, "heartbeat_interval", s->heartbeat_interval);
	json_member_int(w, "unhealthy_interval", s->unhealthy_interval);
	write_media(w, s);
	json_member_bool(w, "notify_user_change_number",
	    s->notify_user_change_number);
	json_member_bool(w, "show_security_notifications",
	    s->show_security_notifications);
	json_member_bool(w, "skip_referral_media_download",
	    s->skip_referral_media_download);
	json_member_bool(w, "db_garbagecollector_enable", s->collect_messages);
	begin_object(w, "garbagecollector_enable");
	json_member_bool(w, "messages", s->collect_messages);
	json_member_bool(w, "media", s->collect_media);
	json_write_object_end(w);
	json_member_bool(w, "axolotl_context_striping_disabled",
	    s->axolotl_context_striping_disabled);
	json_member_bool(w,
	    "webhook_payload_conversation_pricingmodel_disabled",
	    s->without_pricing);
	json_member_bool(w, "verbose_logging", s->verbose_logging);
	json_member_text(w, "log_level", level_names[s->log_level]);
	if (wa_id != NULL)
		json_member_text(w, "wa_id", wa_id);
	write_webhooks(w, s);
	json_write_object_end(w);
}
