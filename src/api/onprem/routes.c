/* SPDX-License-Identifier: MIT */
/* The surface of the On-Premises dialect on one page, in the order of
   spec/onprem.md §1.1: what exists, and who may call it. Patterns are written
   without the prefix. */
#include "config.h"

#include "wuts/api.h"
#include "wuts/fault.h"
#include "wuts/http.h"

#include "onprem_private.h"

#include <string.h>

/* For load balancers and container probes, on a server that is this dialect's
   alone; "/v1/" is no such thing. */
int
root_greet(struct exchange *x, struct fault *fault)
{
	static const char text[] = "WUTS\n";

	if (strcmp(x->request.path, "/") != 0)
		return fault_say(fault, REFUSAL_NOT_FOUND, "no such path");
	response_status(x, 200);
	response_header(x, "Content-Type", "text/plain; charset=utf-8");
	strbuf_append_str(&x->response.body, text);
	return 0;
}

static const struct route routes[] = {
	{ HTTP_GET, "/", ACCESS_PUBLIC, root_greet, 0 }
};

const struct dialect api_onprem = {
	.name = "onprem",
	.routes = routes,
	.nroutes = sizeof(routes) / sizeof(routes[0]),
	.write_error = onprem_write_error,
	.prefix = "/v1",
	.add_headers = onprem_add_headers,
	.flags = DIALECT_TRAILING_SLASH
};
