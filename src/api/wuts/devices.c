/* SPDX-License-Identifier: MIT */
/* The devices: make, list, look at, disconnect. */
#include "config.h"

#include "wuts/device_service.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"

#include "wuts_private.h"

#include <string.h>

static const struct input_field create_fields[] = {
	{ "name", INPUT_STRING, INPUT_REQUIRED }
};

static void
render_created(struct exchange *x, const void *ctx)
{
	const struct device *device = ctx;
	struct json_writer *w = response_begin(x, 201);

	json_member_text(w, "message", "Device created successfully");
	json_write_key(w, "device");
	shape_device(w, device, "");
	json_write_key(w, "data");
	json_write_object_begin(w);
	json_member_uuid(w, "device_id", &device->id);
	json_member_text(w, "name", device->name);
	json_write_object_end(w);
	json_write_object_end(w);
}

int
devices_create(struct exchange *x, struct fault *fault)
{
	const json_t *in[1];
	struct device device;

	if (request_object(x, create_fields, 1, in, fault) < 0)
		return -1;

	response_plan(x, render_created, &device);
	if (device_service_create(x->service, &x->caller, input_text(in[0]),
	    &device, fault) < 0)
		return -1;
	return response_render_planned(x);
}

/* --- lists --- */

/* ?scope=tenant: everybody's. Without: the caller's own. */
static int
take_query(struct exchange *x, struct device_query *query_r,
    struct fault *fault)
{
	const char *scope = request_query(x, "scope");

	memset(query_r, 0, sizeof(*query_r));
	query_r->all_of_tenant = scope != NULL && strcmp(scope, "tenant") == 0;
	if (scope != NULL && !query_r->all_of_tenant &&
	    strcmp(scope, "own") != 0)
		return fault_add_field(fault, "scope",
		    "must be own or tenant", scope);
	if (input_tenant(x, &query_r->tenant_id, fault) < 0)
		return -1;
	return request_paging(x, &query_r->limit, &query_r->cursor, fault);
}

static int
list_row(void *ctx, const struct device *device, const char *webhook_url,
    struct fault *fault)
{
	struct exchange *x = ctx;

	(void)fault;
	shape_device(response_json(x), device, webhook_url);
	response_flush(x);
	return 0;
}

int
devices_list(struct exchange *x, struct fault *fault)
{
	struct device_query query;
	const char *next_cursor;
	struct json_writer *w;

	if (take_query(x, &query, fault) < 0)
		return -1;

	w = response_begin(x, 200);
	json_write_key(w, "devices");
	json_write_array_begin(w);
	if (device_service_list(x->service, x->arena, &x->caller, &query,
	    list_row, x, &next_cursor, fault) < 0)
		return -1;
	json_write_array_end(w);
	shape_next_cursor(w, query.limit, next_cursor);
	json_write_object_end(w);
	return 0;
}

struct summary {
	struct exchange *x;
	int64_t count;
};

static int
summary_row(void *ctx, const struct device *device, const char *webhook_url,
    struct fault *fault)
{
	struct summary *summary = ctx;

	(void)webhook_url;
	(void)fault;
	summary->count++;
	shape_device_summary(response_json(summary->x), device);
	response_flush(summary->x);
	return 0;
}

/* count: of the devices in this answer. */
int
devices_list_of_user(struct exchange *x, struct fault *fault)
{
	const struct identity *caller = &x->caller.identity;
	struct device_query query = { .tenant_id = caller->tenant_id };
	struct summary summary = { .x = x };
	const char *next_cursor;
	struct json_writer *w;

	if (request_paging(x, &query.limit, &query.cursor, fault) < 0)
		return -1;

	w = response_begin(x, 200);
	json_write_key(w, "data");
	json_write_object_begin(w);
	json_write_key(w, "devices");
	json_write_array_begin(w);
	if (device_service_list(x->service, x->arena, &x->caller, &query,
	    summary_row, &summary, &next_cursor, fault) < 0)
		return -1;
	json_write_array_end(w);
	json_member_int(w, "count", summary.count);
	json_member_uuid(w, "user_id", &caller->user_id);
	json_write_object_end(w);
	shape_next_cursor(w, query.limit, next_cursor);
	json_write_object_end(w);
	return 0;
}

/* --- one device --- */

int
devices_status(struct exchange *x, struct fault *fault)
{
	struct device device;
	struct json_writer *w;
	struct uuid id;
	int given;

	given = input_query_uuid(x, "device_id", &id, fault);
	if (given < 0)
		return -1;

	if (device_service_look(x->service, &x->caller, given ? &id : NULL,
	    &device, fault) < 0)
		return -1;

	w = response_begin(x, 200);
	json_write_key(w, "data");
	json_write_object_begin(w);
	shape_device_state(w, &device);
	json_write_object_end(w);
	json_write_object_end(w);
	return 0;
}

int
devices_disconnect(struct exchange *x, struct fault *fault)
{
	struct json_writer *w;
	struct uuid id;
	bool purge;

	if (request_arg_uuid(x, 0, "deviceID", &id, fault) < 0 ||
	    input_query_bool(x, "purge", &purge, fault) < 0)
		return -1;

	if (device_service_disconnect(x->service, &x->caller, &id, purge,
	    fault) < 0)
		return -1;

	w = response_begin(x, 200);
	json_member_text(w, "message",
	    purge ? "Device disconnected and removed" : "Device disconnected");
	json_write_object_end(w);
	return 0;
}
