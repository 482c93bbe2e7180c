/* SPDX-License-Identifier: MIT */
/* POST /devices/{deviceID}/events: one event, an array of them, or one a line.
   The data of an event is handed on as the bytes that came, never as a tree
   written anew: numbers keep their spelling. */
#include "config.h"

#include "wuts/arena.h"
#include "wuts/clock.h"
#include "wuts/device_service.h"
#include "wuts/event.h"
#include "wuts/event_service.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/log.h"

#include "wuts_private.h"

#include <stdio.h>
#include <string.h>

#define EVENTS_MAX 1000

struct batch {
	struct exchange *x;
	struct event_input *events;
	json_t **trees;		/* ntrees parsed texts that events point into */
	size_t n, ntrees;
	bool is_list;		/* errors name the index */
	size_t nproblems;
	size_t nunknown;	/* of the problems, unknown event names */
	int64_t now_us;
};

static void
batch_init(struct batch *batch, struct exchange *x, size_t max, bool is_list)
{
	*batch = (struct batch) {
		.x = x,
		.events = arena_alloc(x->arena, max * sizeof(*batch->events)),
		.trees = arena_alloc(x->arena, max * sizeof(*batch->trees)),
		.is_list = is_list,
		.now_us = clock_wall_us()
	};
}

static void
batch_deinit(struct batch *batch)
{
	size_t i;

	for (i = 0; i < batch->ntrees; i++)
		json_decref(batch->trees[i]);
}

static int
refuse_count(struct fault *fault)
{
	return fault_add_field(fault, "events",
	    "must be one event object or 1 to 1000 of them", NULL);
}

/* A problem with member of the event that is being taken; NULL: itself. */
static void
add_problem(struct batch *batch, const char *member, const char *message,
    const char *value, struct fault *fault)
{
	char field[64];

	if (!batch->is_list)
		snprintf(field, sizeof(field), "%s",
		    member != NULL ? member : "event");
	else if (member == NULL)
		snprintf(field, sizeof(field), "events[%zu]", batch->n);
	else
		snprintf(field, sizeof(field), "events[%zu].%s", batch->n,
		    member);
	fault_add_field(fault, field, message, value);
	batch->nproblems++;
}

static void
take_name(struct batch *batch, const json_t *value, struct event_input *event,
    struct fault *fault)
{
	const char *name = json_string_value(value);
	int index;

	if (name == NULL) {
		add_problem(batch, "event", value == NULL ? "is required" :
		    "must be a string", NULL, fault);
		return;
	}
	index = event_find(name);
	if (index < 0 || event_origin((size_t)index) != EVENT_OF_ENGINE) {
		add_problem(batch, "event", "unknown event name", name, fault);
		batch->nunknown++;
		return;
	}
	event->event = (size_t)index;
}

static void
take_id(struct batch *batch, const json_t *value, struct event_input *event,
    struct fault *fault)
{
	const char *text = json_string_value(value);

	/* The n-th of a request under an Idempotency-Key has the same new id
	   when that is sent again. */
	event->is_callers_id = batch->x->is_idempotent;
	if (value == NULL || json_is_null(value)) {
		request_new_id(batch->x, (uint32_t)batch->n, &event->id);
		return;
	}
	event->is_callers_id = true;
	if (text == NULL || !uuid_parse(text, strlen(text), &event->id))
		add_problem(batch, "id", "must be a UUID", text, fault);
}

static void
take_timestamp(struct batch *batch, const json_t *value,
    struct event_input *event, struct fault *fault)
{
	const char *text = json_string_value(value);

	if (value == NULL || json_is_null(value))
		event->timestamp_us = batch->now_us;
	else if (text == NULL || !clock_parse(text, &event->timestamp_us))
		add_problem(batch, "timestamp",
		    "must be an RFC 3339 date and time", text, fault);
}

static void
note_ignored(struct exchange *x, json_t *tree)
{
	const char *name;
	json_t *value;

	json_object_foreach(tree, name, value)
		if (strcmp(name, "event") != 0 && strcmp(name, "data") != 0 &&
		    strcmp(name, "id") != 0 && strcmp(name, "timestamp") != 0)
			request_ignore(x, name);
}

/* One event of the batch: tree is what text says. */
static void
take_event(struct batch *batch, json_t *tree, struct json_span text,
    struct fault *fault)
{
	struct event_input *event = &batch->events[batch->n];

	if (!json_is_object(tree)) {
		add_problem(batch, NULL, "must be an object", NULL, fault);
		batch->n++;
		return;
	}
	note_ignored(batch->x, tree);
	take_name(batch, json_object_get(tree, "event"), event, fault);
	take_id(batch, json_object_get(tree, "id"), event, fault);
	take_timestamp(batch, json_object_get(tree, "timestamp"), event, fault);
	event->data_tree = json_object_get(tree, "data");
	event->data = json_text_member(text.text, text.len, "data");
	if (event->data_tree == NULL || event->data.text == NULL)
		add_problem(batch, "data", "is required", NULL, fault);
	else if (!json_is_object(event->data_tree))
		add_problem(batch, "data", "must be an object", NULL, fault);
	batch->n++;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int
take_json(struct batch *batch, struct exchange *x, const char *body,
    size_t len, struct fault *fault)
{
	struct json_span text = { body, len };
	struct json_items items;
	json_t *tree;
	size_t i, n;

	tree = json_text_parse(body, len, fault);
	if (tree == NULL)
		return -1;
	n = json_is_array(tree) ? json_array_size(tree) : 1;
	if (n == 0 || n > EVENTS_MAX ||
	    !(json_is_array(tree) || json_is_object(tree))) {
		json_decref(tree);
		return refuse_count(fault);
	}
	batch_init(batch, x, n, json_is_array(tree));
	batch->trees[batch->ntrees++] = tree;
	if (!batch->is_list) {
		take_event(batch, tree, text, fault);
		return 0;
	}
	json_items_init(&items, body, len);
	for (i = 0; json_items_next(&items, &text); i++)
		take_event(batch, json_array_get(tree, i), text, fault);
	wuts_assert(i == n);
	return 0;
}

/* The next line that is not blank; text NULL at the end. */
static struct json_span
next_line(const char **posp, const char *end)
{
	const char *p = *posp, *newline;
	struct json_span line = { NULL, 0 };

	while (p < end && is_blank(*p))
		p++;
	if (p < end) {
		newline = memchr(p, '\n', (size_t)(end - p));
		line.text = p;
		p = newline != NULL ? newline : end;
		line.len = (size_t)(p - line.text);
	}
	*posp = p;
	return line;
}

static int
take_ndjson(struct batch *batch, struct exchange *x, const char *body,
    size_t len, struct fault *fault)
{
	const char *end = body + len, *pos = body;
	struct json_span line;
	char said[sizeof(fault->said)];
	size_t n = 0;
	json_t *tree;

	while (next_line(&pos, end).text != NULL)
		n++;
	if (n == 0 || n > EVENTS_MAX)
		return refuse_count(fault);
	batch_init(batch, x, n, true);
	pos = body;
	for (line = next_line(&pos, end); line.text != NULL;
	    line = next_line(&pos, end)) {
		tree = json_text_parse(line.text, line.len, fault);
		if (tree == NULL) {
			/* and not the fields of the lines before */
			memcpy(said, fault->said, sizeof(said));
			fault_clear(fault);
			return fault_say(fault, REFUSAL_INVALID_JSON,
			    "events[%zu]: %.200s", batch->n, said);
		}
		batch->trees[batch->ntrees++] = tree;
		take_event(batch, tree, line, fault);
	}
	return 0;
}

static int
take_batch(struct exchange *x, struct batch *batch, struct fault *fault)
{
	const char *body;
	size_t len;
	bool ndjson;
	int ret;

	if (request_body(x, &body, &len, &ndjson, fault) < 0)
		return -1;
	ret = ndjson ? take_ndjson(batch, x, body, len, fault) :
	    take_json(batch, x, body, len, fault);
	if (ret < 0 || batch->nproblems == 0)
		return ret;
	if (batch->nproblems == batch->nunknown)
		fault->code = REFUSAL_UNKNOWN_EVENT;
	return -1;
}

static void
render_accepted(struct exchange *x, const void *ctx)
{
	const struct batch *batch = ctx;
	struct json_writer *w = response_begin(x, 202);
	char id[UUID_TEXT_LEN + 1];
	size_t i;

	json_member_int(w, "accepted", (int64_t)batch->n);
	json_write_key(w, "ids");
	json_write_array_begin(w);
	for (i = 0; i < batch->n; i++)
		json_write_string(w, uuid_format(&batch->events[i].id, id));
	json_write_array_end(w);
	json_write_object_end(w);
}

int
events_accept(struct exchange *x, struct fault *fault)
{
	/* The change of a device that some events make is not yet the answer:
	   that is true when the queue has the events. */
	struct caller caller = x->caller;
	struct batch batch = { .n = 0 };
	struct device device;
	struct uuid id;
	int accepted, ret = -1;

	caller.reply = NULL;
	if (request_arg_uuid(x, 0, "deviceID", &id, fault) < 0 ||
	    device_service_find(x->service, &caller, &id, &device, fault) < 0)
		return -1;

	response_plan(x, render_accepted, &batch);
	if (take_batch(x, &batch, fault) < 0)
		goto out;
	accepted = event_service_accept(x->service, x->arena, &caller, &device,
	    batch.events, batch.n, response_verdict(x), fault);
	if (accepted < 0)
		goto out;
	ret = response_render_planned(x);
	if (ret == 0 && accepted == 1)
		response_hold(x);
out:
	batch_deinit(&batch);
	return ret;
}
