/* SPDX-License-Identifier: MIT */
/* What became of a webhook's events, and dead ones delivered again. */
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
	json_member_uuid(w, "id", &entry->id);
	json_member_text(w, "event", entry->event);
	json_member_text(w, "state", delivery_state_name(entry->state));
	json_write_key(w, "attempts");
	json_write_raw(w, entry->attempts, strlen(entry->attempts));
	json_member_time_or_null(w, "next_attempt", entry->next_attempt_us);
	if (entry->answer != NULL)
		json_member_text(w, "response", entry->answer);
	else
		json_member_null(w, "response");
	json_member_time(w, "created_at", entry->created_us);
	json_member_time(w, "updated_at", entry->updated_us);
	json_write_object_end(w);
	response_flush(x);
	return 0;
}

/* ?since=; 0 without. */
static int
take_since(struct exchange *x, int64_t *since_us_r, struct fault *fault)
{
	const char *since = request_query(x, "since");

	*since_us_r = 0;
	if (since != NULL && (!clock_parse(since, since_us_r) ||
	    *since_us_r < 0))
		return fault_add_field(fault, "since",
		    "must be an RFC 3339 date and time", since);
	return 0;
}

/* ?status=, ?event= and ?since=. */
static int
take_filter(struct exchange *x, struct delivery_query *query,
    enum delivery_state *state, struct fault *fault)
{
	const char *status = request_query(x, "status");

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
	return take_since(x, &query->since_us, fault);
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

static void
shape_replay(struct json_writer *w, const struct replay *replay)
{
	json_write_key(w, "replay");
	json_write_object_begin(w);
	json_member_uuid(w, "id", &replay->id);
	json_member_text(w, "state", replay->done ? "done" : "waiting");
	if (!uuid_is_nil(&replay->event_id))
		json_member_uuid(w, "delivery_id", &replay->event_id);
	else
		json_member_time_or_null(w, "since", replay->since_us);
	json_member_int(w, "replayed", (int64_t)replay->replayed);
	json_member_time(w, "created_at", replay->created_us);
	json_member_time(w, "updated_at", replay->updated_us);
	json_write_object_end(w);
}

static void
render_replay(struct exchange *x, const void *replay)
{
	struct json_writer *w = response_begin(x, 202);

	json_member_text(w, "message", "Replay requested");
	shape_replay(w, replay);
	json_write_object_end(w);
}

static int
replay(struct exchange *x, const struct uuid *event_id, int64_t since_us,
    struct fault *fault)
{
	struct webhook_scope scope;
	struct replay asked;

	if (input_webhook_scope(x, &scope, fault) < 0)
		return -1;

	response_plan(x, render_replay, &asked);
	if (delivery_service_replay(x->service, &x->caller, &scope, event_id,
	    since_us, &asked, fault) < 0)
		return -1;
	return response_render_planned(x);
}

/* There is nothing to say but which: a body is neither needed nor read. */
int
deliveries_replay_one(struct exchange *x, struct fault *fault)
{
	struct uuid id;

	if (request_arg_uuid(x, 0, "id", &id, fault) < 0)
		return -1;
	return replay(x, &id, 0, fault);
}

int
deliveries_replay_all(struct exchange *x, struct fault *fault)
{
	int64_t since_us;

	if (take_since(x, &since_us, fault) < 0)
		return -1;
	return replay(x, NULL, since_us, fault);
}

int
deliveries_get_replay(struct exchange *x, struct fault *fault)
{
	struct webhook_scope scope;
	struct replay found;
	struct json_writer *w;
	struct uuid id;

	if (request_arg_uuid(x, 0, "id", &id, fault) < 0 ||
	    input_webhook_scope(x, &scope, fault) < 0)
		return -1;

	if (delivery_service_get_replay(x->service, &scope, &id, &found,
	    fault) < 0)
		return -1;

	w = response_begin(x, 200);
	shape_replay(w, &found);
	json_write_object_end(w);
	return 0;
}
