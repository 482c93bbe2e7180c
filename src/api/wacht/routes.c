/* SPDX-License-Identifier: MIT */
/* The whole surface of the Wacht users dialect, in the order of spec/wacht.md
   §3. Patterns are written without the prefix: the same routes stand at the
   root of a server that nginx has given to this dialect alone. */
#include "config.h"

#include "wuts/api.h"
#include "wuts/http.h"

#include "wacht_private.h"

static const struct route routes[] = {
};

/* What every answer of this dialect carries beside no-store. */
static void
add_headers(struct exchange *x)
{
	response_header_default(x, "X-Content-Type-Options", "nosniff");
}

const struct dialect api_wacht = {
	.name = "wacht",
	.routes = routes,
	.nroutes = sizeof(routes) / sizeof(routes[0]),
	.write_error = wacht_write_error,
	.prefix = "/wacht",
	.authenticate = wacht_authenticate,
	.add_headers = add_headers,
	.flags = DIALECT_AUTH_FIRST | DIALECT_NO_OPTIONS
};
