/* SPDX-License-Identifier: MIT */
/* What the engine does for a device: connect, pair, disconnect, log out. Who
   asks and for which device is decided here; the request itself nginx hands to
   the engine as it came, told by X-Accel-Redirect where to and by X-WUTS-* on
   whose behalf (doc/nginx.md). wutsd never speaks HTTP out. */
#include "config.h"

#include "wuts/device_service.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/settings.h"

#include "wuts_private.h"

#include <string.h>

static const struct input_field relay_fields[] = {
	{ "device_id", INPUT_STRING, 0 }
};

/* device_id of the body, which may be missing altogether. 1: *id_r; 0: not
   named; -1. */
static int
take_body_device(struct exchange *x, struct uuid *id_r, struct fault *fault)
{
	const json_t *in[1];
	const char *body, *text;
	size_t len;

	if (x->request.method == HTTP_GET)
		return 0;
	if (request_body(x, &body, &len, NULL, fault) < 0)
		return -1;
	if (len == 0)
		return 0;
	if (request_object(x, relay_fields, 1, in, fault) < 0)
		return -1;
	text = input_text(in[0]);
	if (text == NULL)
		return 0;
	if (!uuid_parse(text, strlen(text), id_r))
		return fault_add_field(fault, "device_id", "must be a UUID",
		    text);
	return 1;
}

/* Two names for one request: an engine that reads the other one than we do
   would act on a device that was never authorised. */
static int
take_device(struct exchange *x, struct device *device_r, struct fault *fault)
{
	struct uuid in_query, in_body;
	int queried, named;

	queried = input_query_uuid(x, "device_id", &in_query, fault);
	if (queried < 0)
		return -1;
	named = take_body_device(x, &in_body, fault);
	if (named < 0)
		return -1;
	if (queried && named && !uuid_is_equal(&in_query, &in_body))
		return fault_add_field(fault, "device_id",
		    "is another one in the body than in the query", NULL);
	return device_service_find(x->service, &x->caller,
	    queried ? &in_query : named ? &in_body : NULL, device_r, fault);
}

int
engine_relay(struct exchange *x, struct fault *fault)
{
	const char *location = x->settings->engine_location;
	struct device device;

	if (take_device(x, &device, fault) < 0)
		return -1;
	if (location[0] == '\0')
		return fault_set(fault, FAULT_NO_ENGINE,
		    "engine_location is not set");

	/* nginx keeps the media type of an answer that sends it elsewhere, so
	   there must be none. */
	response_status(x, 204);
	response_header(x, "X-Accel-Redirect", location);
	response_identity(x, &device.tenant_id, &device.id);
	return 0;
}

int
engine_code(struct exchange *x, struct fault *fault)
{
	struct device_code code;
	struct device device;
	struct json_writer *w;
	struct uuid id;
	int given;

	given = input_query_uuid(x, "device_id", &id, fault);
	if (given < 0)
		return -1;

	if (device_service_look_for_code(x->service, &x->caller,
	    given ? &id : NULL, &device, &code, fault) < 0)
		return -1;

	w = response_begin(x, 200);
	json_write_key(w, "data");
	json_write_object_begin(w);
	shape_device_state(w, &device);
	shape_device_code(w, &code);
	json_write_object_end(w);
	json_write_object_end(w);
	return 0;
}
