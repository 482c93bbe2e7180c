/* SPDX-License-Identifier: MIT */
/* POST /devices. */
#include "config.h"

#include "wuts/device_service.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"

#include "wuts_private.h"

static const struct input_field create_fields[] = {
	{ "name", INPUT_STRING, INPUT_REQUIRED }
};

static void
render_created(struct exchange *x, const void *ctx)
{
	const struct device *device = ctx;
	struct json_writer *w = response_begin(x, 201);

	shape_string(w, "message", "Device created successfully");
	json_write_key(w, "device");
	shape_device(w, device);
	json_write_key(w, "data");
	json_write_object_begin(w);
	shape_uuid(w, "device_id", &device->id);
	shape_string(w, "name", device->name);
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
