/* SPDX-License-Identifier: MIT */
/* The error envelope: its shape for every fault code, and what is in it. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../error_body.h"

static json_t *
write_error(struct exchange *x, const struct fault *fault)
{
	memset(x, 0, sizeof(*x));
	return error_body(x, &api_wuts, fault);
}

static const char *
text(const json_t *body, const char *key)
{
	const char *value = json_string_value(json_object_get(body, key));

	assert_non_null(value);
	return value;
}

static bool
has_header(const struct exchange *x, const char *line)
{
	return x->response.headers.data != NULL &&
	    strstr(x->response.headers.data, line) != NULL;
}

static void
every_code_has_status_and_all_four_members(void **state)
{
	struct exchange x;
	struct fault fault;
	json_t *body;
	int code;

	(void)state;
	for (code = FAULT_NONE; code < FAULT_CODE_COUNT; code++) {
		fault_clear(&fault);
		fault_set(&fault, (enum fault_code)code, "internal detail");
		body = write_error(&x, &fault);
		assert_in_range(x.response.status, 400, 503);
		if (fault_is_refusal(fault.code) &&
		    fault.code != REFUSAL_BUSY)
			assert_in_range(x.response.status, 400, 499);
		else
			assert_in_range(x.response.status, 500, 503);
		assert_int_equal(json_object_size(body), 4);
		assert_true(json_is_false(json_object_get(body, "success")));
		assert_string_not_equal(text(body, "error"), "");
		assert_string_not_equal(text(body, "error_code"), "");
		assert_int_equal(strlen(text(body, "timestamp")), 20);
		assert_null(strstr(text(body, "error"), "internal detail"));
		error_body_free(&x, body);
	}
}

static void
what_the_fault_says_is_the_error(void **state)
{
	struct exchange x;
	struct fault fault;
	json_t *body;

	(void)state;
	fault_clear(&fault);
	fault_say(&fault, REFUSAL_FORBIDDEN, "not you, \"%s\"", "mara");
	body = write_error(&x, &fault);
	assert_int_equal(x.response.status, 403);
	assert_string_equal(text(body, "error"), "not you, \"mara\"");
	assert_string_equal(text(body, "error_code"), "FORBIDDEN");
	error_body_free(&x, body);
}

static void
fields_are_listed_under_validation(void **state)
{
	struct exchange x;
	struct fault fault;
	json_t *body, *fields, *field;

	(void)state;
	fault_clear(&fault);
	fault_add_field(&fault, "email", "is no address", "x");
	fault_add_field(&fault, "password", "is too short", "***");
	body = write_error(&x, &fault);
	assert_int_equal(x.response.status, 400);
	assert_string_equal(text(body, "error"), "validation failed");
	assert_string_equal(text(body, "error_code"), "VALIDATION_ERROR");
	fields = json_object_get(body, "validation");
	assert_int_equal(json_array_size(fields), 2);
	field = json_array_get(fields, 0);
	assert_int_equal(json_object_size(field), 3);
	assert_string_equal(text(field, "field"), "email");
	assert_string_equal(text(field, "message"), "is no address");
	assert_string_equal(text(field, "value"), "x");
	error_body_free(&x, body);
}

static void
unauthorized_says_which_scheme(void **state)
{
	struct exchange x;
	struct fault fault;
	json_t *body;

	(void)state;
	fault_clear(&fault);
	fault_say(&fault, REFUSAL_UNAUTHORIZED, "missing token");
	body = write_error(&x, &fault);
	assert_true(has_header(&x, "WWW-Authenticate: Bearer\r\n"));
	error_body_free(&x, body);
}

static void
what_may_be_tried_again_says_when(void **state)
{
	static const enum fault_code codes[] = {
		FAULT_DATABASE, FAULT_QUEUE, FAULT_QUEUE_FULL,
		REFUSAL_RATE_LIMITED, REFUSAL_BUSY
	};
	struct exchange x;
	struct fault fault;
	json_t *body;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		fault_clear(&fault);
		fault_set(&fault, codes[i], "down");
		body = write_error(&x, &fault);
		assert_true(has_header(&x, "Retry-After: "));
		error_body_free(&x, body);
	}
	fault_say(&fault, REFUSAL_RATE_LIMITED, "wait");
	fault.retry_after_s = 17;
	body = write_error(&x, &fault);
	assert_int_equal(x.response.status, 429);
	assert_true(has_header(&x, "Retry-After: 17\r\n"));
	error_body_free(&x, body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_status_and_all_four_members),
		cmocka_unit_test(what_the_fault_says_is_the_error),
		cmocka_unit_test(fields_are_listed_under_validation),
		cmocka_unit_test(unauthorized_says_which_scheme),
		cmocka_unit_test(what_may_be_tried_again_says_when)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
