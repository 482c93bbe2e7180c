/* SPDX-License-Identifier: MIT */
/* The operations endpoints (spec/wuts.md §7): is the process up, can it serve,
   and may this caller, for nginx's auth_request. */
#include "config.h"

#include "wuts/api.h"
#include "wuts/device_service.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/metric_text.h"
#include "wuts/metrics_service.h"
#include "wuts/service.h"
#include "wuts/uuid.h"

#include "ops_private.h"

#include <string.h>

static int
answer_status(struct exchange *x, const char *status)
{
	struct json_writer *w = response_begin(x, 200);

	json_member_text(w, "status", status);
	json_write_object_end(w);
	return 0;
}

static int
health(struct exchange *x, struct fault *fault)
{
	(void)fault;
	return answer_status(x, "up");
}

static int
readiness(struct exchange *x, struct fault *fault)
{
	if (service_check_ready(x->service, fault) < 0)
		return fault_prefix(fault, "not ready");
	return answer_status(x, "ready");
}

/* What the protected request does, when the operator's nginx tells: a key that
   may only read asks here with GET, whatever it is about to do. */
static int
check_method(struct exchange *x, struct fault *fault)
{
	const char *method = request_query(x, "method");

	if (method == NULL || !x->caller.identity.read_only ||
	    strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
	    strcmp(method, "OPTIONS") == 0)
		return 0;
	return fault_say(fault, REFUSAL_FORBIDDEN, "this key may only read");
}

static int
authorise(struct exchange *x, struct fault *fault)
{
	const char *text = request_query(x, "device_id");
	struct uuid tenant_id = x->caller.identity.tenant_id, id;
	struct device device = { .connected = false };

	if (check_method(x, fault) < 0)
		return -1;
	if (text != NULL && text[0] != '\0') {
		if (!uuid_parse(text, strlen(text), &id))
			return fault_add_field(fault, "device_id",
			    "must be a UUID", text);
		if (device_service_find(x->service, &x->caller, &id, &device,
		    fault) < 0)
			return -1;
		tenant_id = device.tenant_id;
	}

	response_status(x, 204);
	response_identity(x, &tenant_id, &device.id);
	return 0;
}

/* auth_request knows 2xx, 401 and 403; anything else becomes a 500 there. So
   every other refusal to authorise is a 403, in its own words. */
static void
write_error(struct exchange *x, const struct fault *fault)
{
	struct fault refusal = *fault;

	if (x->route != NULL && x->route->handler == authorise &&
	    fault_is_refusal(fault->code) &&
	    fault->code != REFUSAL_UNAUTHORIZED)
		refusal.code = REFUSAL_FORBIDDEN;
	api_wuts_write_error(x, &refusal);
}

/* For Prometheus: not JSON, and its errors are all the same the envelope. */
static int
metrics(struct exchange *x, struct fault *fault)
{
	(void)fault;
	response_status(x, 200);
	response_header(x, "Content-Type", METRIC_TEXT_TYPE);
	metrics_service_render(x->service, x->metrics, &x->response.body);
	return 0;
}

static const struct route ops_routes[] = {
	{ HTTP_GET, "/healthz", ACCESS_PUBLIC, health, 0 },
	{ HTTP_GET, "/readyz", ACCESS_PUBLIC, readiness, 0 },
	{ HTTP_GET, "/metrics", ACCESS_METRICS, metrics, 0 },
	{ HTTP_GET, "/openapi.json", ACCESS_PUBLIC, openapi_show, 0 },
	{ HTTP_GET, "/auth", ACCESS_MEMBER, authorise, 0 }
};

const struct dialect api_ops = {
	.name = "ops",
	.routes = ops_routes,
	.nroutes = sizeof(ops_routes) / sizeof(ops_routes[0]),
	.write_error = write_error
};
