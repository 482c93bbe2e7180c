/* SPDX-License-Identifier: MIT */
/* What became of a webhook's events. */
#include "config.h"

#include "wuts/clock.h"
#include "wuts/delivery_service.h"
#include "wuts/event.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"

#include "wuts_private.h"

#include <string.h>

static int
list_row(void *ctx, const struct delivery_entry *entry, struct fault *fault)
{
	struct exchange *x = ctx;
	struct json_writer *w = response_json(x);

	(void)fault;
	json_write_object_begin(w);
	shape_uuid(w, "id", &entry->id);
	shape_string(w, "event", entry->event);
	shape_string(w, "state", delivery_state_name(entry->state));
	json_write_key(w, "attempts");
	json_write_raw(w, entry->attempts, strlen(entry->attempts));
	shape_time_or_null(w, "next_attempt", entry->next_attempt_us);
	if (entry->answer != NULL)
		shape_string(w, "response", entry->answer);
	else
		shape_null(w, "response");
	shape_time(w, "created_at", entry->created_us);
	shape_time(w, "updated_at", entry->updated_us);
	json_write_object_end(w);
	response_flush(x);
	return 0;
}

/* ?status=, ?event= and ?since=. */
static int
take_filter(struct exchange *x, struct delivery_query *query,
    enum delivery_state *state, struct fault *fault)
{
	const char *status = request_query(x, "status");
	const char *since = request_query(x, "since");

	if (status != NULL) {
		if (!delivery_state_parse(status, state))
			return fault_add_field(fault, "status", "must be "
			    "pending, delivered, dead or dropped", status);
		query->state = state;
	}
	query->event = request_query(x, "event");
	if (query->event != NULL && event_find(query->event) < 0)
		return fault_add_field(fault, "event",
		    "unknown event name", query->event);
	if (since != NULL && (!clock_parse(since, &query->since_us) ||
	    query->since_us < 0))
		return fault_add_field(fault, "since",
		    "must be an RFC 3339 date and time", since);
	return 0;
}

int
deliveries_list(struct exchange *x, struct fault *fault)
{
	struct delivery_query query = { .cursor = NULL };
	enum delivery_state state;
	const char *next_cursor;
	struct json_writer *w;

	if (take_filter(x, &query, &state, fault) < 0 ||
	    input_webhook_scope(x, &query.scope, fault) < 0 ||
	    request_paging(x, &query.limit, &query.cursor, fault) < 0)
		return -1;

	w = response_begin(x, 200);
	json_write_key(w, "deliveries");
	json_write_array_begin(w);
	if (delivery_service_list(x->service, x->arena, &query, list_row, x,
	    &next_cursor, fault) < 0)
		return -1;
	json_write_array_end(w);
	shape_next_cursor(w, query.limit, next_cursor);
	json_write_object_end(w);
	return 0;
}
