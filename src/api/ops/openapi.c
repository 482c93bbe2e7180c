/* SPDX-License-Identifier: MIT */
/* GET /openapi.json: doc/openapi.json, built in, so that what a server says of
   itself is of its own release. */
#include "config.h"

#include "wuts/http.h"
#include "wuts/strbuf.h"

#include "ops_private.h"

static const char text[] =
#include "src/api/ops/openapi_text.h"
    ;

int
openapi_show(struct exchange *x, struct fault *fault)
{
	(void)fault;
	strbuf_append(&x->response.body, text, sizeof(text) - 1);
	return 0;
}
