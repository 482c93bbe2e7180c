/* SPDX-License-Identifier: MIT */
/* Events that tell of the device itself: its connection, and codes to pair it
   with. They change the device before they are accepted. */
#include "config.h"

#include "service_private.h"
#include "wuts/arena.h"
#include "wuts/db.h"
#include "wuts/device.h"
#include "wuts/device_code_store.h"
#include "wuts/device_store.h"
#include "wuts/event.h"
#include "wuts/event_service.h"
#include "wuts/event_store.h"
#include "wuts/fault.h"
#include "wuts/log.h"

#include <stdio.h>
#include <string.h>

enum lifecycle {
	LIFECYCLE_NONE,
	LIFECYCLE_CONNECTED,
	LIFECYCLE_OFFLINE,
	LIFECYCLE_LOGGED_OUT,
	LIFECYCLE_CODE
};

static enum lifecycle
lifecycle_of(size_t event)
{
	const char *name = event_name(event);

	if (strcmp(name, "qr.generated") == 0)
		return LIFECYCLE_CODE;
	if (strncmp(name, "device.", 7) != 0)
		return LIFECYCLE_NONE;
	if (strcmp(name, "device.connected") == 0)
		return LIFECYCLE_CONNECTED;
	if (strcmp(name, "device.disconnected") == 0)
		return LIFECYCLE_OFFLINE;
	if (strcmp(name, "device.logged_out") == 0)
		return LIFECYCLE_LOGGED_OUT;
	return LIFECYCLE_NONE;
}

/* A member of the data that is kept, NULL when there is none. -1: added to
   fault. */
static int
member_of(const struct event_input *input, const char *name, size_t max,
    const char **text_r, struct fault *fault)
{
	const json_t *value = json_object_get(input->data_tree, name);
	const char *text = json_string_value(value);
	size_t len = json_string_length(value), i;
	char field[32], message[64];

	*text_r = NULL;
	if (value == NULL || json_is_null(value))
		return 0;
	snprintf(field, sizeof(field), "data.%s", name);
	snprintf(message, sizeof(message),
	    "must be a string of 1 to %zu bytes", max);
	if (text == NULL || len == 0 || len > max)
		return fault_add_field(fault, field, message, text);
	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return fault_add_field(fault, field,
			    "must not contain control characters", text);
	*text_r = text;
	return 0;
}

static int
jid_of(const struct event_input *input, const char **jid_r,
    struct fault *fault)
{
	return member_of(input, "jid", DEVICE_JID_MAX, jid_r, fault);
}

static int
code_of(const struct event_input *input, const char **code_r,
    struct fault *fault)
{
	return member_of(input, "code", DEVICE_CODE_MAX, code_r, fault);
}

/* What a batch makes of a device. */
struct aftermath {
	struct device device;
	bool device_changes;
	bool code_changes;
	const char *code;	/* NULL: there is none any more */
};

static void
apply_event(struct aftermath *aftermath, const struct event_input *input,
    int64_t arrival_us)
{
	enum lifecycle lifecycle = lifecycle_of(input->event);
	struct device *device = &aftermath->device;
	struct fault ignored;	/* checked before */
	const char *text;

	fault_clear(&ignored);
	switch (lifecycle) {
	case LIFECYCLE_NONE:
		return;
	case LIFECYCLE_CODE:
		if (code_of(input, &text, &ignored) == 0 && text != NULL) {
			aftermath->code_changes = true;
			aftermath->code = text;
		}
		return;
	case LIFECYCLE_CONNECTED:
		if (jid_of(input, &text, &ignored) == 0 && text != NULL)
			memcpy(device->jid, text, strlen(text) + 1);
		aftermath->device_changes = true;
		aftermath->code_changes = true;
		aftermath->code = NULL;
		device->connected = true;
		device->last_seen_us = arrival_us;
		return;
	case LIFECYCLE_LOGGED_OUT:
		/* It will be paired anew, and perhaps with another account. */
		device->jid[0] = '\0';
		break;
	case LIFECYCLE_OFFLINE:
		break;
	}
	aftermath->device_changes = true;
	if (device->connected)
		device->last_seen_us = arrival_us;
	device->connected = false;
}

/* An event that comes again says how things were, not how they are. */
static int
is_seen(struct change *change, const struct event_batch *batch,
    const struct event_input *input, struct fault *fault)
{
	if (!input->is_callers_id ||
	    lifecycle_of(input->event) == LIFECYCLE_NONE)
		return 0;
	return event_store_is_seen(change->db, &change->tenant_id,
	    &input->id, batch->arrival_us, fault);
}

static int
write_code(struct change *change, const struct aftermath *aftermath,
    int64_t arrival_us, struct fault *fault)
{
	const struct device *device = &aftermath->device;
	struct device_code code = { .reported_us = arrival_us };

	change->changed = true;
	if (aftermath->code == NULL)
		return device_code_store_delete(change->db,
		    &device->tenant_id, &device->id, fault);
	memcpy(code.text, aftermath->code, strlen(aftermath->code) + 1);
	return device_code_store_replace(change->db, &device->tenant_id,
	    &device->id, &code, fault);
}

static int
lifecycle_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct event_batch *batch = ctx;
	struct aftermath aftermath = { .code = NULL };
	struct device *device = &aftermath.device;
	bool was_seen;
	size_t i;
	int seen;

	if (device_lock(change, &batch->device->id, device, fault) < 0)
		return -1;
	was_seen = device->last_seen_us != 0;
	for (i = 0; i < batch->n; i++) {
		seen = is_seen(change, batch, &batch->events[i],
		    fault);
		if (seen < 0)
			return -1;
		if (seen == 0)
			apply_event(&aftermath, &batch->events[i],
			    batch->arrival_us);
	}
	if (aftermath.code_changes && write_code(change, &aftermath,
	    batch->arrival_us, fault) < 0)
		return fault_prefix(fault, "write code");
	if (!aftermath.device_changes)
		return 0;
	device->updated_us = change_time_after(change, device->updated_us);
	if (device_store_update(change->db, device, fault) < 0)
		return fault_prefix(fault, "update device");
	change->changed = true;
	if (was_seen || device->last_seen_us == 0)
		return 0;
	/* Not later than the events' own time of creation: a webhook gets
	   nothing that is older than itself. */
	return webhook_apply_pending(change, batch->arena, device,
	    batch->arrival_us, fault);
}

int
event_device_check(const struct event_batch *batch, struct fault *fault)
{
	const struct event_input *events = batch->events;
	const char *text;
	int has_lifecycle = 0;
	size_t i;

	for (i = 0; i < batch->n; i++) {
		wuts_assert(event_origin(events[i].event) == EVENT_OF_ENGINE);
		switch (lifecycle_of(events[i].event)) {
		case LIFECYCLE_NONE:
			continue;
		case LIFECYCLE_CONNECTED:
			if (jid_of(&events[i], &text, fault) < 0)
				return service_refuse_fields(fault);
			break;
		case LIFECYCLE_CODE:
			if (code_of(&events[i], &text, fault) < 0)
				return service_refuse_fields(fault);
			if (text == NULL)
				continue;
			break;
		case LIFECYCLE_OFFLINE:
		case LIFECYCLE_LOGGED_OUT:
			break;
		}
		has_lifecycle = 1;
	}
	return has_lifecycle;
}

int
event_device_change(struct service *service, const struct caller *caller,
    const struct event_batch *batch, struct fault *fault)
{
	if (change_run(service, caller, &batch->device->tenant_id,
	    lifecycle_body, (void *)(uintptr_t)batch, fault) < 0)
		return fault_prefix(fault, "change device");
	return 0;
}
