/* SPDX-License-Identifier: MIT */
/* Events reported by an engine: from the input to durable records. Nothing in
   the database changes with most of them. Those that tell of a device's
   connection, or of a code to pair it with, change the device first and are
   appended afterwards: when the append fails the client is told, sends again,
   and finds the device as it left it.

   Where the tenant speaks the On-Premises dialect, what has a form there is
   appended a second time, in the same append: all of it or nothing.

   An event whose id is the caller's own is accepted once a day. Its id is noted
   in the transaction that commits after the append: whoever finds it noted may
   rely on the event being durable. A crash or a lost COMMIT in between leaves
   an event that nobody was told is accepted: sent again it is appended again
   and delivered with the same id. */
#include "config.h"

#include "wuts/event_service.h"

#include "service_private.h"
#include "wuts/arena.h"
#include "wuts/callback.h"
#include "wuts/clock.h"
#include "wuts/db.h"
#include "wuts/device.h"
#include "wuts/event.h"
#include "wuts/event_store.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/onprem.h"
#include "wuts/queue.h"

#include <stdlib.h>
#include <string.h>

struct acceptance {
	struct event_batch batch;
	const char *request_id;
	struct service *service;
	/* Of the callers' ids, distinct and sorted. */
	struct uuid *ids;
	bool *is_new;
	size_t nids;
	bool is_appended;
	bool has_callbacks;
	struct onprem_settings *callback;	/* has_callbacks */
};

/* Fills record but for its body, which is appended to the bodies. */
static void
format_record(const struct acceptance *acceptance,
    const struct event_input *input, struct queue_record *record)
{
	const struct device *device = acceptance->batch.device;
	struct strbuf *bodies = &acceptance->service->events.bodies;
	size_t offset = bodies->len;

	record->id = input->id;
	record->tenant_id = device->tenant_id;
	record->device_id = device->id;
	record->event = event_name(input->event);
	record->created_us = acceptance->batch.arrival_us;
	record->request = acceptance->request_id;
	event_body_format(bodies, &input->id, record->event,
	    input->timestamp_us != 0 ? input->timestamp_us :
	    acceptance->batch.arrival_us, &device->tenant_id, &device->id,
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

/* The same event once more, in the form of the tenant's On-Premises webhook.
   False: it has none, or is not wanted there. */
static bool
format_callback(const struct acceptance *acceptance,
    const struct event_input *input, struct queue_record *record)
{
	const struct device *device = acceptance->batch.device;
	struct strbuf *bodies = &acceptance->service->events.bodies;
	struct callback_source source = {
		.event = event_name(input->event),
		.id = input->id,
		.timestamp_us = input->timestamp_us != 0 ?
		    input->timestamp_us : acceptance->batch.arrival_us,
		.data = input->data,
		.data_tree = input->data_tree,
	};
	size_t offset = bodies->len;
	enum callback_type type;

	if (!callback_format(bodies, &source, acceptance->callback, &type))
		return false;
	*record = (struct queue_record){
		.id = callback_id(&input->id),
		.tenant_id = device->tenant_id,
		.device_id = device->id,
		.event = callback_event_name(type),
		.request = acceptance->request_id,
		.created_us = acceptance->batch.arrival_us,
		.body_len = bodies->len - offset,
	};
	return true;
}

/* The records of the events whose turn it is, and behind them those for the
   tenant's On-Premises webhook; how many. */
static size_t
format_records(struct acceptance *acceptance, struct queue_record *records)
{
	const struct event_batch *batch = &acceptance->batch;
	const struct event_input **taken = arena_alloc(batch->arena,
	    batch->n * sizeof(*taken));
	size_t n = 0, i, ntaken;

	for (i = 0; i < batch->n; i++)
		if (take_turn(acceptance, &batch->events[i])) {
			taken[n] = &batch->events[i];
			format_record(acceptance, taken[n], &records[n]);
			n++;
		}
	ntaken = n;
	for (i = 0; acceptance->has_callbacks && i < ntaken; i++)
		n += format_callback(acceptance, taken[i], &records[n]);
	return n;
}

/* Together with what other requests gathered. */
static void
gather(struct acceptance *acceptance, struct fault *verdict)
{
	struct queue_record *records = event_group_room(acceptance->service,
	    acceptance->batch.n << acceptance->has_callbacks);

	event_group_add(acceptance->service,
	    format_records(acceptance, records), verdict);
}

static int
append(struct acceptance *acceptance, struct fault *fault)
{
	/* What others gathered goes first: it keeps its own verdicts. */
	event_service_flush(acceptance->service);
	gather(acceptance, fault);
	event_service_flush(acceptance->service);
	return fault->code == FAULT_NONE ? 0 : -1;
}

/* --- once a day --- */

static void
collect_ids(struct acceptance *acceptance)
{
	struct uuid *ids;
	size_t n = 0, i;

	for (i = 0; i < acceptance->batch.n; i++)
		n += acceptance->batch.events[i].is_callers_id;
	if (n == 0)
		return;
	ids = arena_alloc(acceptance->batch.arena, n * sizeof(*ids));
	acceptance->is_new = arena_alloc(acceptance->batch.arena,
	    n * sizeof(*acceptance->is_new));
	n = 0;
	for (i = 0; i < acceptance->batch.n; i++)
		if (acceptance->batch.events[i].is_callers_id)
			ids[n++] = acceptance->batch.events[i].id;
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

	if (event_store_note(db, &acceptance->batch.device->tenant_id,
	    acceptance->ids, acceptance->nids, acceptance->batch.arrival_us,
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
    const struct event_input *events, size_t n, struct fault *verdict,
    struct fault *fault)
{
	struct onprem_settings callback;
	struct acceptance acceptance = {
		.batch = {
			.arena = arena,
			.device = device,
			.events = events,
			.n = n,
			.arrival_us = clock_wall_us(),
		},
		.request_id = caller->request_id,
		.service = service,
		.callback = &callback,
	};
	struct caller changer = *caller;
	int has_lifecycle, has_callbacks;

	wuts_assert(n > 0 && 2 * n <= QUEUE_BATCH_MAX);
	fault_clear(fault);
	has_lifecycle = event_device_check(&acceptance.batch, fault);
	if (has_lifecycle < 0)
		return -1;
	has_callbacks = callback_settings_find(service, &device->tenant_id,
	    &callback, fault);
	if (has_callbacks < 0)
		return fault_prefix(fault, "On-Premises settings");
	acceptance.has_callbacks = has_callbacks == 1;
	/* Changing the device is but a part: the answer holds when the events
	   are durable. */
	changer.reply = NULL;
	if (has_lifecycle && event_device_change(service, &changer,
	    &acceptance.batch, fault) < 0)
		return -1;
	collect_ids(&acceptance);
	if (acceptance.nids > 0)
		return append_once(&acceptance, fault);
	if (verdict == NULL)
		return append(&acceptance, fault);
	gather(&acceptance, verdict);
	return 1;
}
