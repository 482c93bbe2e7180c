/* SPDX-License-Identifier: MIT */
/* Events reported by an engine: from the input to durable records. Nothing in
   the database changes with most of them. Those that tell of a device's
   connection, or of a code to pair it with, change the device first and are
   appended afterwards: when the append fails the client is told, sends again,
   and finds the device as it left it.

   An event whose id is the caller's own is accepted once a day. Its id is noted
   in the transaction that commits after the append: whoever finds it noted may
   rely on the event being durable. A crash or a lost COMMIT in between leaves
   an event that nobody was told is accepted: sent again it is appended again
   and delivered with the same id. */
#include "config.h"

#include "wuts/event_service.h"

#include "service_private.h"
#include "wuts/arena.h"
#include "wuts/clock.h"
#include "wuts/db.h"
#include "wuts/device.h"
#include "wuts/device_code_store.h"
#include "wuts/device_store.h"
#include "wuts/event.h"
#include "wuts/event_store.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one large batch grew is not kept for the life of the process. */
#define BODIES_KEPT ((size_t)1 << 20)

/* --- the device's own events --- */

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

struct acceptance {
	struct arena *arena;
	struct uuid device_id;
	const struct event_input *events;
	size_t n;
	int64_t arrival_us;
	const struct device *device;
	struct service *service;
	struct queue_record *records;
	/* Of the callers' ids, distinct and sorted. */
	struct uuid *ids;
	bool *is_new;
	size_t nids;
	bool is_appended;
};

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
is_seen(struct change *change, const struct acceptance *acceptance,
    const struct event_input *input, struct fault *fault)
{
	if (!input->is_callers_id ||
	    lifecycle_of(input->event) == LIFECYCLE_NONE)
		return 0;
	return event_store_is_seen(change->db, &change->tenant_id,
	    &input->id, acceptance->arrival_us, fault);
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
	const struct acceptance *acceptance = ctx;
	struct aftermath aftermath = { .code = NULL };
	struct device *device = &aftermath.device;
	bool was_seen;
	size_t i;
	int seen;

	if (device_lock(change, &acceptance->device_id, device, fault) < 0)
		return -1;
	was_seen = device->last_seen_us != 0;
	for (i = 0; i < acceptance->n; i++) {
		seen = is_seen(change, acceptance, &acceptance->events[i],
		    fault);
		if (seen < 0)
			return -1;
		if (seen == 0)
			apply_event(&aftermath, &acceptance->events[i],
			    acceptance->arrival_us);
	}
	if (aftermath.code_changes && write_code(change, &aftermath,
	    acceptance->arrival_us, fault) < 0)
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
	return webhook_apply_pending(change, acceptance->arena, device,
	    acceptance->arrival_us, fault);
}

/* --- accepting --- */

/* 1: the batch changes the device, 0: it does not, -1. */
static int
check_events(const struct event_input *events, size_t n, struct fault *fault)
{
	const char *text;
	int has_lifecycle = 0;
	size_t i;

	for (i = 0; i < n; i++) {
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

/* Fills record but for its body, which is appended to the bodies. */
static void
format_record(const struct acceptance *acceptance,
    const struct event_input *input, struct queue_record *record)
{
	const struct device *device = acceptance->device;
	struct strbuf *bodies = &acceptance->service->bodies;
	size_t offset = bodies->len;

	record->id = input->id;
	record->tenant_id = device->tenant_id;
	record->device_id = device->id;
	record->event = event_name(input->event);
	record->created_us = acceptance->arrival_us;
	event_body_format(bodies, &input->id, record->event,
	    input->timestamp_us != 0 ? input->timestamp_us :
	    acceptance->arrival_us, &device->tenant_id, &device->id,
	    input->data.text, input->data.len);
	record->body_len = bodies->len - offset;
}

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

/* Is the event to be appended? Of several with the same id the first is. */
static bool
take_turn(struct acceptance *acceptance, const struct event_input *input)
{
	const struct uuid *id;
	bool *is_new;

	if (!input->is_callers_id)
		return true;
	id = bsearch(&input->id, acceptance->ids, acceptance->nids,
	    sizeof(*id), compare_ids);
	is_new = &acceptance->is_new[id - acceptance->ids];
	if (!*is_new)
		return false;
	*is_new = false;
	return true;
}

/* All bodies stand in one buffer, which moves while it grows: the records
   point into it when it is complete. */
static int
append(struct acceptance *acceptance, struct fault *fault)
{
	struct strbuf *bodies = &acceptance->service->bodies;
	struct queue_record *records = acceptance->records;
	size_t offset = 0, n = 0, i;
	int ret = 0;

	strbuf_reset(bodies);
	for (i = 0; i < acceptance->n; i++)
		if (take_turn(acceptance, &acceptance->events[i]))
			format_record(acceptance, &acceptance->events[i],
			    &records[n++]);
	for (i = 0; i < n; i++) {
		records[i].body = bodies->data + offset;
		offset += records[i].body_len;
	}
	if (n > 0)
		ret = queue_append(acceptance->service->queue, records, n,
		    fault);
	if (bodies->cap > BODIES_KEPT)
		strbuf_deinit(bodies);
	return ret < 0 ? fault_prefix(fault, "append events") : 0;
}

/* --- once a day --- */

static void
collect_ids(struct acceptance *acceptance)
{
	struct uuid *ids;
	size_t n = 0, i;

	for (i = 0; i < acceptance->n; i++)
		n += acceptance->events[i].is_callers_id;
	if (n == 0)
		return;
	ids = arena_alloc(acceptance->arena, n * sizeof(*ids));
	acceptance->is_new = arena_alloc(acceptance->arena,
	    n * sizeof(*acceptance->is_new));
	n = 0;
	for (i = 0; i < acceptance->n; i++)
		if (acceptance->events[i].is_callers_id)
			ids[n++] = acceptance->events[i].id;
	qsort(ids, n, sizeof(*ids), compare_ids);
	acceptance->ids = ids;
	for (i = 0; i < n; i++)
		if (i == 0 || compare_ids(&ids[i], &ids[i - 1]) != 0)
			ids[acceptance->nids++] = ids[i];
}

/* Run again, after a lost race, it appends nothing twice. */
static int
once_body(struct db *db, void *ctx, struct fault *fault)
{
	struct acceptance *acceptance = ctx;

	if (event_store_note(db, &acceptance->device->tenant_id,
	    acceptance->ids, acceptance->nids, acceptance->arrival_us,
	    acceptance->is_new, fault) < 0)
		return fault_prefix(fault, "note ids");
	if (acceptance->is_appended)
		return 0;
	if (append(acceptance, fault) < 0)
		return -1;
	acceptance->is_appended = true;
	return 0;
}

static int
append_once(struct acceptance *acceptance, struct fault *fault)
{
	switch (tx_run(acceptance->service->db, once_body, NULL, acceptance,
	    fault)) {
	case TX_COMMITTED:
		fault_clear(fault);
		return 0;
	case TX_ROLLED_BACK:
		return -1;
	case TX_UNKNOWN:
		fault->retry_after_s = 1;
		return fault_prefix(fault, "ids may not be noted");
	}
	abort();
}

int
event_service_accept(struct service *service, struct arena *arena,
    const struct caller *caller, const struct device *device,
    const struct event_input *events, size_t n, struct fault *fault)
{
	struct acceptance acceptance = {
		.arena = arena,
		.device_id = device->id,
		.events = events,
		.n = n,
		.arrival_us = clock_wall_us(),
		.device = device,
		.service = service,
		.records = arena_alloc(arena,
		    n * sizeof(*acceptance.records))
	};
	struct caller changer = *caller;
	int has_lifecycle;

	wuts_assert(n > 0 && n <= QUEUE_BATCH_MAX);
	fault_clear(fault);
	has_lifecycle = check_events(events, n, fault);
	if (has_lifecycle < 0)
		return -1;
	/* Changing the device is but a part: the answer holds when the events
	   are durable. */
	changer.reply = NULL;
	if (has_lifecycle && change_run(service, &changer, &device->tenant_id,
	    lifecycle_body, &acceptance, fault) < 0)
		return fault_prefix(fault, "change device");
	collect_ids(&acceptance);
	return acceptance.nids > 0 ? append_once(&acceptance, fault) :
	    append(&acceptance, fault);
}
