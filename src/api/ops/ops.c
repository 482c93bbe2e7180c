/* SPDX-License-Identifier: MIT */
/* The operations endpoints (spec/wuts.md §7): is the process up, and can it
   serve. */
#include "config.h"

#include "wuts/api.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/service.h"

static int
answer_status(struct exchange *x, const char *status)
{
	struct json_writer *w = response_begin(x, 200);

	json_write_key(w, "status");
	json_write_string(w, status);
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

static const struct route ops_routes[] = {
	{ HTTP_GET, "/healthz", ACCESS_PUBLIC, health, 0 },
	{ HTTP_GET, "/readyz", ACCESS_PUBLIC, readiness, 0 }
};

const struct dialect api_ops = {
	.name = "ops",
	.routes = ops_routes,
	.nroutes = sizeof(ops_routes) / sizeof(ops_routes[0]),
	.write_error = api_wuts_write_error
};
