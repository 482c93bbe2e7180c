/* SPDX-License-Identifier: MIT */
/* Events reported by an engine (spec/wuts.md §4 "Events in", §6). */
#ifndef WUTS_EVENT_SERVICE_H
#define WUTS_EVENT_SERVICE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "wuts/json.h"
#include "wuts/uuid.h"

struct arena;
struct caller;
struct device;
struct fault;
struct service;

/* Requests whose events one append can take. */
#define EVENT_GROUP_MAX 16

struct event_input {
	size_t event;		/* catalogue index, of origin engine */
	struct uuid id;
	bool is_callers_id;	/* it may come again; else the id is new */
	int64_t timestamp_us;
	struct json_span data;	/* the object as it came */
	const json_t *data_tree;	/* the same, parsed */
};

/* Accept all n (1..1000) events for the device, or none: durable in the queue
   when this returns 0. With a verdict, which outlives event_service_flush() as
   the caller's request id does, they may also be gathered: 1, and only the
   verdict tells. device.connected, .disconnected and .logged_out first
   change the device, and the first connect turns its user's pending webhook
   URL into a webhook for every event. One whose caller's id was accepted for
   this tenant within 24 hours is accepted again, and nothing else happens. -1:
   REFUSAL_VALIDATION, FAULT_QUEUE, FAULT_QUEUE_FULL, FAULT_DATABASE. */
int event_service_accept(struct service *service, struct arena *arena,
    const struct caller *caller, const struct device *device,
    const struct event_input *events, size_t n, struct fault *verdict,
    struct fault *fault);

/* Append what was gathered, with one sync, and fill in every verdict:
   FAULT_NONE: durable; else FAULT_QUEUE or FAULT_QUEUE_FULL, and nothing of
   that request is accepted. */
void event_service_flush(struct service *service);

#endif
