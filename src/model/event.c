/* SPDX-License-Identifier: MIT */
/* The event catalogue: the one list of event names, in the order in which the
   specification gives them and clients see them. The position is not stored
   anywhere: the database and the queue hold names. */
#include "config.h"

#include "wuts/event.h"

#include "wuts/clock.h"
#include "wuts/json.h"
#include "wuts/strbuf.h"
#include "wuts/uuid.h"

#include <string.h>

/* The members of a body besides the data, with room. */
#define BODY_OVERHEAD 320

static const char *const names[] = {
	"message.received",
	"message.sent",
	"message.delivered",
	"message.read",
	"message.undecryptable",
	"message.delete_for_me",
	"mention.sent",
	"media.retry",

	"device.connected",
	"device.disconnected",
	"device.logged_out",

	"connection.pair_error",
	"connection.stream_replaced",
	"connection.failure",
	"connection.temporary_ban",
	"connection.manual_reconnect",
	"connection.keepalive_timeout",
	"connection.keepalive_restored",

	"contact.presence",
	"contact.changed",
	"contact.pushname",
	"contact.about",
	"contact.picture",

	"chat.presence",
	"chat.mark_as_read",
	"chat.pin",
	"chat.mute",
	"chat.archive",
	"chat.delete",
	"chat.clear",

	"group.info",
	"group.joined",

	"call.offer",
	"call.accept",
	"call.pre_accept",
	"call.reject",
	"call.terminate",
	"call.relay_latency",
	"call.transport",
	"call.unknown",

	"qr.generated",
	"pair.success",
	"identity.change",

	"privacy.blocklist",
	"privacy.settings",

	"settings.unarchive_chats",
	"settings.user_status_mute",

	"label.edit",
	"label.association_chat",
	"label.association_message",

	"newsletter.join",
	"newsletter.leave",
	"newsletter.live_update",
	"newsletter.mute_change",

	"history.sync",
	"offline.sync_preview",
	"offline.sync_completed",
	"app_state.sync_complete",

	/* Ours. */
	"tenant.created",
	"user.created",
	"user.updated",
	"user.role_changed",
	"user.deleted",
	"user.token_rotated",
	"user.mfa.enabled",
	"user.mfa.disabled",
	"webhook.disabled",
	"session.created",
	"session.deleted",
	"session.expired",
	"user.email.added",
	"user.email.removed",
	"user.email.verified",
	"user.phone.added",
	"user.phone.removed",
	"user.phone.verified",
	"user.password.updated",
};

#define NAME_COUNT (sizeof(names) / sizeof(names[0]))
#define TENANT_COUNT 19
#define ENGINE_COUNT (NAME_COUNT - TENANT_COUNT)
#define SET_BITS 64
/* Numbers of patterns: the names, "*", the groups. */
#define PATTERN_ALL ((int)NAME_COUNT)
#define PATTERN_GROUPS (PATTERN_ALL + 1)

_Static_assert(ENGINE_COUNT == 58, "the catalogue of the specification");
_Static_assert(NAME_COUNT <= sizeof(((struct event_set *)0)->bits) * 8,
    "a set has a bit for every name");
_Static_assert(2 * NAME_COUNT + 1 <= EVENT_PATTERN_LIMIT,
    "every pattern has a number");

size_t
event_count(enum event_origin origin)
{
	return origin == EVENT_OF_ENGINE ? ENGINE_COUNT : TENANT_COUNT;
}

const char *
event_name(size_t index)
{
	return names[index];
}

enum event_origin
event_origin(size_t index)
{
	return index < ENGINE_COUNT ? EVENT_OF_ENGINE : EVENT_OF_TENANT;
}

int
event_find(const char *name)
{
	size_t i;

	for (i = 0; i < NAME_COUNT; i++) {
		if (strcmp(name, names[i]) == 0)
			return (int)i;
	}
	return -1;
}

/* Is "group.*" the group of this name? */
static bool
is_group_of(const char *pattern, const char *name)
{
	size_t len = strcspn(pattern, ".") + 1;

	return strcmp(pattern + len - 1, ".*") == 0 &&
	    strncmp(pattern, name, len) == 0;
}

/* A group has the number of its first name, behind "*". */
int
event_pattern_find(const char *pattern)
{
	int index = event_find(pattern);
	size_t i;

	if (index >= 0)
		return index;
	if (strcmp(pattern, "*") == 0)
		return PATTERN_ALL;
	for (i = 0; i < NAME_COUNT; i++)
		if (is_group_of(pattern, names[i]))
			return PATTERN_GROUPS + (int)i;
	return -1;
}

bool
event_set_add(struct event_set *set, const char *pattern)
{
	int number = event_pattern_find(pattern);
	size_t i;

	if (number < 0)
		return false;
	if (number == PATTERN_ALL)
		set->all = true;
	for (i = 0; i < NAME_COUNT; i++)
		if ((int)i == number || (number >= PATTERN_GROUPS &&
		    is_group_of(pattern, names[i])))
			set->bits[i / SET_BITS] |=
			    (uint64_t)1 << i % SET_BITS;
	return true;
}

bool
event_set_has(const struct event_set *set, size_t index)
{
	return set->all ||
	    (set->bits[index / SET_BITS] >> index % SET_BITS & 1) != 0;
}

void
event_body_format(struct strbuf *out, const struct uuid *id,
    const char *event, int64_t timestamp_us, const struct uuid *tenant_id,
    const struct uuid *device_id, const char *data, size_t data_len)
{
	char uuid[UUID_TEXT_LEN + 1], time[CLOCK_RFC3339_SIZE];

	/* Ids, catalogue names and times hold nothing that needs escaping. */
	strbuf_reserve(out, data_len + BODY_OVERHEAD);
	strbuf_append_str(out, "{\"id\":\"");
	strbuf_append(out, uuid_format(id, uuid), UUID_TEXT_LEN);
	strbuf_append_str(out, "\",\"event\":\"");
	strbuf_append_str(out, event);
	strbuf_append_str(out, "\",\"timestamp\":\"");
	strbuf_append_str(out, clock_format(timestamp_us, time));
	strbuf_append_str(out, "\",\"tenant_id\":\"");
	strbuf_append(out, uuid_format(tenant_id, uuid), UUID_TEXT_LEN);
	strbuf_append_str(out, "\",\"device_id\":");
	if (device_id == NULL) {
		strbuf_append_str(out, "null");
	} else {
		strbuf_append_char(out, '"');
		strbuf_append(out, uuid_format(device_id, uuid),
		    UUID_TEXT_LEN);
		strbuf_append_char(out, '"');
	}
	strbuf_append_str(out, ",\"data\":");
	json_text_compact(out, data, data_len);
	strbuf_append_char(out, '}');
}

void
event_body_format_typed(struct strbuf *out, const struct uuid *id,
    const char *event, int64_t timestamp_us, const struct uuid *tenant_id,
    const char *data, size_t data_len)
{
	char uuid[UUID_TEXT_LEN + 1], time[CLOCK_RFC3339_MILLIS_SIZE];

	strbuf_reserve(out, data_len + BODY_OVERHEAD);
	strbuf_append_str(out, "{\"type\":\"");
	strbuf_append_str(out, event);
	strbuf_append_str(out, "\",\"timestamp\":\"");
	strbuf_append_str(out, clock_format_millis(timestamp_us, time));
	strbuf_append_str(out, "\",\"data\":");
	json_text_compact(out, data, data_len);
	strbuf_append_str(out, ",\"id\":\"");
	strbuf_append(out, uuid_format(id, uuid), UUID_TEXT_LEN);
	strbuf_append_str(out, "\",\"event\":\"");
	strbuf_append_str(out, event);
	strbuf_append_str(out, "\",\"tenant_id\":\"");
	strbuf_append(out, uuid_format(tenant_id, uuid), UUID_TEXT_LEN);
	strbuf_append_str(out, "\",\"device_id\":null}");
}
