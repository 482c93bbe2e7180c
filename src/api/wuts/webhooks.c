/* SPDX-License-Identifier: MIT */
/* The webhook of a device, or of the tenant (?scope=tenant): configure, look
   at, delete, rotate its secret, test; and the catalogue of events. */
#include "config.h"

#include "wuts/arena.h"
#include "wuts/device_service.h"
#include "wuts/event.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/trial.h"
#include "wuts/webhook_service.h"

#include "wuts_private.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum {
	IN_URL,
	IN_EVENTS,
	IN_ENABLED,
	IN_RETRY_ATTEMPTS,
	IN_TIMEOUT,
	IN_SECRET,
	IN_ORDERED,
	IN_MAX_CONCURRENCY,
	IN_RATE_LIMIT,
	IN_HEADERS,
	IN_COUNT
};

static const struct input_field configure_fields[IN_COUNT] = {
	[IN_URL] = { "webhook_url", INPUT_STRING, INPUT_REQUIRED },
	[IN_EVENTS] = { "enabled_events", INPUT_ARRAY, INPUT_REQUIRED },
	[IN_ENABLED] = { "enabled", INPUT_BOOL, 0 },
	[IN_RETRY_ATTEMPTS] = { "retry_attempts", INPUT_INT, 0 },
	[IN_TIMEOUT] = { "timeout", INPUT_INT, 0 },
	[IN_SECRET] = { "secret", INPUT_STRING, INPUT_SECRET },
	[IN_ORDERED] = { "ordered", INPUT_BOOL, 0 },
	[IN_MAX_CONCURRENCY] = { "max_concurrency", INPUT_INT, 0 },
	[IN_RATE_LIMIT] = { "rate_limit", INPUT_INT, 0 },
	/* a header may carry a credential of the receiver */
	[IN_HEADERS] = { "headers", INPUT_OBJECT, INPUT_SECRET }
};

/* ?device_id=, or the caller's only device: who is no user has none. */
static int
take_device(struct exchange *x, struct webhook_scope *scope_r,
    struct fault *fault)
{
	struct uuid id;
	struct device device;
	int found;

	found = input_query_uuid(x, "device_id", &id, fault);
	if (found < 0)
		return -1;
	if (found == 0 && x->caller.identity.kind != IDENTITY_USER)
		return fault_add_field(fault, "device_id",
		    "is required without a user's token", NULL);
	if (device_service_find(x->service, &x->caller, found ? &id : NULL,
	    &device, fault) < 0)
		return -1;
	scope_r->tenant_id = device.tenant_id;
	scope_r->device_id = device.id;
	return 0;
}

int
input_webhook_scope(struct exchange *x, struct webhook_scope *scope_r,
    struct fault *fault)
{
	const struct identity *caller = &x->caller.identity;
	const char *scope = request_query(x, "scope");

	if (scope == NULL || strcmp(scope, "device") == 0)
		return take_device(x, scope_r, fault);
	if (strcmp(scope, "tenant") != 0)
		return fault_add_field(fault, "scope",
		    "must be device or tenant", scope);
	if (!identity_is_super(caller) && caller->role != ROLE_ADMIN)
		return fault_say(fault, REFUSAL_FORBIDDEN,
		    "the tenant webhook is an admin's");
	scope_r->device_id = UUID_NIL;
	return input_tenant(x, &scope_r->tenant_id, fault);
}

static int
take_events(struct exchange *x, const json_t *array,
    struct webhook_input *input_r, struct fault *fault)
{
	size_t i, n = json_array_size(array);
	const char **names = arena_alloc(x->arena, n * sizeof(*names));
	char field[64];

	for (i = 0; i < n; i++) {
		names[i] = json_string_value(json_array_get(array, i));
		if (names[i] != NULL)
			continue;
		snprintf(field, sizeof(field), "enabled_events[%zu]", i);
		return fault_add_field(fault, field, "must be a string", NULL);
	}
	input_r->nevents = n;
	input_r->events = names;
	return 0;
}

static int
take_headers(struct exchange *x, const json_t *object,
    struct webhook_input *input_r, struct fault *fault)
{
	/* jansson's iterators are not const, though they change nothing */
	json_t *headers_tree = (json_t *)object;
	size_t n = 0;
	struct webhook_header *headers = arena_alloc(x->arena,
	    json_object_size(object) * sizeof(*headers));
	const char *name;
	json_t *value;

	json_object_foreach(headers_tree, name, value) {
		if (!json_is_string(value))
			return fault_add_field(fault, "headers",
			    "every value must be a string", name);
		headers[n].name = name;
		headers[n].value = json_string_value(value);
		n++;
	}
	input_r->nheaders = n;
	input_r->headers = headers;
	return 0;
}

/* JSON integers are wider than long on some machines; what is out of range
   there is out of every range that is checked later. */
static long
int_or(const json_t *value, long otherwise)
{
	json_int_t v;

	if (value == NULL)
		return otherwise;
	v = json_integer_value(value);
	if (v > LONG_MAX)
		return LONG_MAX;
	return v < LONG_MIN ? LONG_MIN : (long)v;
}

static int
take_input(struct exchange *x, struct webhook_input *input_r,
    struct fault *fault)
{
	const json_t *in[IN_COUNT];

	if (request_object(x, configure_fields, IN_COUNT, in, fault) < 0)
		return -1;
	*input_r = (struct webhook_input) {
		.url = input_text(in[IN_URL]),
		.enabled = in[IN_ENABLED] == NULL ||
		    json_is_true(in[IN_ENABLED]),
		.retry_attempts = int_or(in[IN_RETRY_ATTEMPTS],
		    WEBHOOK_RETRY_DEFAULT),
		.timeout_s = int_or(in[IN_TIMEOUT], WEBHOOK_TIMEOUT_DEFAULT_S),
		.max_concurrency = int_or(in[IN_MAX_CONCURRENCY],
		    WEBHOOK_CONCURRENCY_DEFAULT),
		.rate_limit = int_or(in[IN_RATE_LIMIT], 0),
		.ordered = json_is_true(in[IN_ORDERED]),
		.secret = input_text(in[IN_SECRET])
	};
	if (take_events(x, in[IN_EVENTS], input_r, fault) < 0)
		return -1;
	return take_headers(x, in[IN_HEADERS], input_r, fault);
}

static void
set_etag(struct exchange *x, const struct webhook *webhook)
{
	char etag[WEBHOOK_ETAG_SIZE];

	response_header(x, "ETag", webhook_service_etag(webhook, etag));
}

struct configuration {
	struct webhook webhook;
	const char *secret;
};

/* Whoever replaces a webhook gives it a later time of change: one that has
   none is new. */
static void
render_configured(struct exchange *x, const void *ctx)
{
	const struct configuration *configuration = ctx;
	const struct webhook *webhook = &configuration->webhook;
	struct json_writer *w;

	w = response_begin(x,
	    webhook->updated_us == webhook->created_us ? 201 : 200);
	set_etag(x, webhook);
	json_member_text(w, "message", "Webhook configured successfully");
	json_write_key(w, "webhook");
	shape_webhook(w, webhook, configuration->secret);
	json_write_object_end(w);
}

int
webhooks_configure(struct exchange *x, struct fault *fault)
{
	struct webhook_scope scope;
	struct webhook_input input;
	struct configuration configuration;

	if (input_webhook_scope(x, &scope, fault) < 0 ||
	    take_input(x, &input, fault) < 0)
		return -1;

	response_plan(x, render_configured, &configuration);
	if (webhook_service_configure(x->service, x->arena, &x->caller,
	    &scope, &input, x->request.if_match, &configuration.webhook,
	    &configuration.secret, fault) < 0)
		return -1;
	return response_render_planned(x);
}

int
webhooks_get(struct exchange *x, struct fault *fault)
{
	struct webhook_scope scope;
	struct webhook webhook;
	struct json_writer *w;

	if (input_webhook_scope(x, &scope, fault) < 0)
		return -1;

	if (webhook_service_get(x->service, x->arena, &scope, &webhook,
	    fault) < 0)
		return -1;

	w = response_begin(x, 200);
	set_etag(x, &webhook);
	json_write_key(w, "webhook");
	shape_webhook(w, &webhook, NULL);
	json_write_object_end(w);
	return 0;
}

int
webhooks_delete(struct exchange *x, struct fault *fault)
{
	struct webhook_scope scope;
	struct json_writer *w;

	if (input_webhook_scope(x, &scope, fault) < 0)
		return -1;

	if (webhook_service_delete(x->service, &x->caller, &scope,
	    x->request.if_match, fault) < 0)
		return -1;

	w = response_begin(x, 200);
	json_member_text(w, "message",
	    "Webhook configuration deleted successfully");
	json_write_object_end(w);
	return 0;
}

int
webhooks_events(struct exchange *x, struct fault *fault)
{
	const size_t nengine = event_count(EVENT_OF_ENGINE);
	struct json_writer *w;

	(void)fault;
	w = response_begin(x, 200);
	shape_event_names(w, "events", 0, nengine);
	json_member_int(w, "count", (int64_t)nengine);
	shape_event_names(w, "tenant_events", nengine,
	    event_count(EVENT_OF_TENANT));
	json_write_object_end(w);
	return 0;
}

static void
render_rotated(struct exchange *x, const void *ctx)
{
	const struct configuration *rotated = ctx;
	struct json_writer *w = response_begin(x, 200);

	set_etag(x, &rotated->webhook);
	json_member_text(w, "message", "Webhook secret rotated");
	json_member_text(w, "secret", rotated->secret);
	json_member_time(w, "old_secret_valid_until",
	    rotated->webhook.old_secret_until_us);
	json_write_key(w, "webhook");
	shape_webhook(w, &rotated->webhook, NULL);
	json_write_object_end(w);
}

/* There is nothing to say but which: a body is neither needed nor read. */
int
webhooks_rotate_secret(struct exchange *x, struct fault *fault)
{
	struct webhook_scope scope;
	struct configuration rotated;

	if (input_webhook_scope(x, &scope, fault) < 0)
		return -1;

	response_plan(x, render_rotated, &rotated);
	if (webhook_service_rotate_secret(x->service, x->arena, &x->caller,
	    &scope, x->request.if_match, &rotated.webhook, &rotated.secret,
	    fault) < 0)
		return -1;
	return response_render_planned(x);
}

static void
render_tested(struct exchange *x, const void *ctx)
{
	const struct trial_reply *reply = ctx;
	struct json_writer *w = response_begin(x, 200);

	json_write_key(w, "data");
	json_write_object_begin(w);
	json_member_uuid(w, "id", &reply->id);
	if (reply->status != 0)
		json_member_int(w, "status", reply->status);
	else
		json_member_null(w, "status");
	json_member_int(w, "duration_ms", reply->duration_us / 1000);
	json_member_text(w, "response_excerpt", reply->excerpt);
	json_member_text_or_null(w, "error", reply->error);
	json_write_object_end(w);
	json_write_object_end(w);
}

/* The body may be left out. */
static int
take_test_event(struct exchange *x, const char **event_r,
    struct fault *fault)
{
	static const struct input_field fields[] = {
		{ "event", INPUT_STRING, 0 }
	};
	const json_t *in[1];
	const char *body;
	size_t len;

	*event_r = NULL;
	if (request_body(x, &body, &len, NULL, fault) < 0)
		return -1;
	if (len == 0)
		return 0;
	if (request_object(x, fields, 1, in, fault) < 0)
		return -1;
	*event_r = input_text(in[0]);
	return 0;
}

int
webhooks_test(struct exchange *x, struct fault *fault)
{
	struct webhook_scope scope;
	struct trial_reply reply;
	const char *event;

	if (input_webhook_scope(x, &scope, fault) < 0 ||
	    take_test_event(x, &event, fault) < 0)
		return -1;

	response_plan(x, render_tested, &reply);
	if (webhook_service_test(x->service, x->arena, &x->caller, &scope,
	    event, &reply, fault) < 0)
		return -1;
	return response_render_planned(x);
}
