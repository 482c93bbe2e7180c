/* SPDX-License-Identifier: MIT */
/* The body that a dialect writes for a fault, for the tests of each. */
#ifndef WUTS_TEST_API_ERROR_BODY_H
#define WUTS_TEST_API_ERROR_BODY_H

#include <jansson.h>

#include "wuts/api.h"
#include "wuts/fault.h"
#include "wuts/http.h"

/* x is zero but for what the dialect looks at. The body is one JSON value. */
json_t *error_body(struct exchange *x, const struct dialect *dialect,
    const struct fault *fault);
void error_body_free(struct exchange *x, json_t *body);

#endif
