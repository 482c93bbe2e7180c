/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "error_body.h"

json_t *
error_body(struct exchange *x, const struct dialect *dialect,
    const struct fault *fault)
{
	json_t *body;

	json_writer_init(&x->response.json, &x->response.body);
	dialect->write_error(x, fault);
	assert_int_equal(x->response.json.depth, 0);
	body = json_loadb(x->response.body.data, x->response.body.len,
	    JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(body);
	return body;
}

void
error_body_free(struct exchange *x, json_t *body)
{
	json_decref(body);
	strbuf_deinit(&x->response.body);
	strbuf_deinit(&x->response.headers);
}
