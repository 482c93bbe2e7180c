/* SPDX-License-Identifier: MIT */
/* The webhook URL that waits for the caller's new devices. */
#include "config.h"

#include "wuts/event.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/webhook_service.h"

#include "wuts_private.h"

static const struct input_field stage_fields[] = {
	{ "webhook_url", INPUT_STRING, INPUT_REQUIRED }
};

static void
render_staged(struct exchange *x, const void *url)
{
	const size_t nengine = event_count(EVENT_OF_ENGINE);
	struct json_writer *w = response_begin(x, 200);

	json_member_text(w, "message", "Webhook URL configured. It will be "
	    "automatically applied to new devices with ALL available events");
	json_write_key(w, "data");
	json_write_object_begin(w);
	json_member_text(w, "webhook_url", url);
	shape_event_names(w, "available_events", 0, nengine);
	json_member_int(w, "events_count", (int64_t)nengine);
	json_write_object_end(w);
	json_write_object_end(w);
}

int
user_webhook_stage(struct exchange *x, struct fault *fault)
{
	const json_t *in[1];

	if (request_object(x, stage_fields, 1, in, fault) < 0)
		return -1;

	response_plan(x, render_staged, input_text(in[0]));
	if (webhook_service_stage(x->service, &x->caller, input_text(in[0]),
	    fault) < 0)
		return -1;
	return response_render_planned(x);
}

int
user_webhook_get(struct exchange *x, struct fault *fault)
{
	const char *url;
	struct json_writer *w;

	if (webhook_service_get_staged(x->service, x->arena, &x->caller, &url,
	    fault) < 0)
		return -1;

	w = response_begin(x, 200);
	json_write_key(w, "data");
	json_write_object_begin(w);
	json_member_text_or_null(w, "webhook_url", url);
	json_write_object_end(w);
	json_write_object_end(w);
	return 0;
}

static void
render_unstaged(struct exchange *x, const void *ctx)
{
	struct json_writer *w = response_begin(x, 200);

	(void)ctx;
	json_member_text(w, "message",
	    "Webhook URL removed. New devices get no webhook by themselves");
	json_write_object_end(w);
}

int
user_webhook_unstage(struct exchange *x, struct fault *fault)
{
	response_plan(x, render_unstaged, NULL);
	if (webhook_service_unstage(x->service, &x->caller, fault) < 0)
		return -1;
	return response_render_planned(x);
}
