/* SPDX-License-Identifier: MIT */
/* The error envelope of the On-Premises dialect: clients read code, title and
   details of every answer without looking whether they are there. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../error_body.h"
#include "wuts/settings.h"

static char version[] = "v2.45.1";
static const struct settings settings = { .onprem_version = version };
static const struct route route = { .pattern = "/users" };

static json_t *
write_error_of(struct exchange *x, const struct fault *fault,
    const struct route *met, const char *server_error)
{
	memset(x, 0, sizeof(*x));
	x->settings = &settings;
	x->route = met;
	x->request.server_error = server_error;
	x->request.server_relay = "";
	return error_body(x, &api_onprem, fault);
}

static json_t *
write_error(struct exchange *x, const struct fault *fault)
{
	return write_error_of(x, fault, &route, "");
}

static const json_t *
error_of(const json_t *body)
{
	const json_t *errors = json_object_get(body, "errors");

	assert_int_equal(json_array_size(errors), 1);
	return json_array_get(errors, 0);
}

static void
every_code_has_status_code_title_and_details(void **state)
{
	struct fault fault;
	struct exchange x;
	const json_t *error;
	json_t *body;
	int code;

	(void)state;
	for (code = 0; code < FAULT_CODE_COUNT; code++) {
		fault_clear(&fault);
		fault.code = (enum fault_code)code;
		body = write_error(&x, &fault);
		if (x.response.status < 400 || x.response.status > 599)
			fail_msg("code %d has status %u", code,
			    x.response.status);
		error = error_of(body);
		assert_in_range(json_integer_value(json_object_get(error,
		    "code")), 1005, 1029);
		assert_true(json_string_length(json_object_get(error,
		    "title")) > 0);
		assert_true(json_string_length(json_object_get(error,
		    "details")) > 0);
		assert_string_equal(json_string_value(json_object_get(
		    json_object_get(body, "meta"), "version")), version);
		error_body_free(&x, body);
	}
}

static void
the_operators_text_never_appears(void **state)
{
	struct fault fault;
	struct exchange x;
	json_t *body;
	int code;

	(void)state;
	for (code = 0; code < FAULT_CODE_COUNT; code++) {
		fault_clear(&fault);
		fault_set(&fault, (enum fault_code)code, "table users");
		body = write_error(&x, &fault);
		assert_null(strstr(x.response.body.data, "table users"));
		error_body_free(&x, body);
	}
}

static void
what_is_missing_has_another_code_than_what_is_bad(void **state)
{
	struct fault fault;
	struct exchange x;
	json_t *body;

	(void)state;
	fault_clear(&fault);
	fault_add_field(&fault, "password", "is required", NULL);
	body = write_error(&x, &fault);
	assert_int_equal(json_integer_value(json_object_get(error_of(body),
	    "code")), 1008);
	assert_string_equal(json_string_value(json_object_get(error_of(body),
	    "details")), "password is required");
	error_body_free(&x, body);
	fault_clear(&fault);
	fault_add_field(&fault, "password", "must be a string", NULL);
	body = write_error(&x, &fault);
	assert_int_equal(json_integer_value(json_object_get(error_of(body),
	    "code")), 1009);
	error_body_free(&x, body);
}

static void
what_could_not_be_read_is_no_bad_parameter(void **state)
{
	static const struct {
		const struct route *met;
		const char *server_error;
		int code;
	} rows[] = {
		{ &route, "", 1009 }, { NULL, "", 1025 },
		{ NULL, "400", 1025 }, { &route, "431", 1025 },
	};
	struct fault fault;
	struct exchange x;
	json_t *body;

	(void)state;
	fault_clear(&fault);
	fault_say(&fault, REFUSAL_VALIDATION, "malformed request");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		body = write_error_of(&x, &fault, rows[i].met,
		    rows[i].server_error);
		assert_int_equal(json_integer_value(json_object_get(
		    error_of(body), "code")), rows[i].code);
		error_body_free(&x, body);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_status_code_title_and_details),
		cmocka_unit_test(the_operators_text_never_appears),
		cmocka_unit_test(
		    what_is_missing_has_another_code_than_what_is_bad),
		cmocka_unit_test(what_could_not_be_read_is_no_bad_parameter),
	};

	return cmocka_run_group_tests_name("api/onprem/error", tests, NULL,
	    NULL);
}
