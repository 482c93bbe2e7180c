/* SPDX-License-Identifier: MIT */
/* The error body of the Wacht dialect: every fault code has a row. */
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
	return error_body(x, &api_wacht, fault);
}

static void
every_code_has_a_status_and_a_text_of_its_own(void **state)
{
	struct exchange x;
	struct fault fault;
	json_t *body, *entry;
	const char *message;

	(void)state;
	for (int code = FAULT_NONE; code < FAULT_CODE_COUNT; code++) {
		fault_clear(&fault);
		fault_set(&fault, (enum fault_code)code, "internal detail");
		body = write_error(&x, &fault);
		if (fault_is_refusal(fault.code) &&
		    fault.code != REFUSAL_BUSY)
			assert_in_range(x.response.status, 400, 499);
		else
			assert_in_range(x.response.status, 500, 503);
		message = json_string_value(json_object_get(body, "message"));
		assert_non_null(message);
		assert_string_not_equal(message, "");
		assert_null(strstr(message, "internal detail"));
		assert_int_equal(json_array_size(json_object_get(body,
		    "errors")), 1);
		entry = json_array_get(json_object_get(body, "errors"), 0);
		assert_int_equal(json_integer_value(json_object_get(entry,
		    "code")), x.response.status);
		assert_string_equal(json_string_value(json_object_get(entry,
		    "message")), message);
		error_body_free(&x, body);
	}
}

static void
who_is_told_to_come_back_is_told_when(void **state)
{
	static const enum fault_code codes[] = {
		REFUSAL_RATE_LIMITED, REFUSAL_BUSY, FAULT_DATABASE,
		FAULT_QUEUE_FULL
	};
	struct exchange x;
	struct fault fault;
	json_t *body;

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		fault_clear(&fault);
		fault_set(&fault, codes[i], "internal detail");
		body = write_error(&x, &fault);
		assert_non_null(x.response.headers.data);
		assert_non_null(strstr(x.response.headers.data,
		    "Retry-After: "));
		error_body_free(&x, body);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_a_status_and_a_text_of_its_own),
		cmocka_unit_test(who_is_told_to_come_back_is_told_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
