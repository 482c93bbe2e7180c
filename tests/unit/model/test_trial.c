/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "wuts/trial.h"

#include "wuts/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ID "01920000-0000-7000-8000-00000000000"

static struct uuid
numbered(char last)
{
	char text[UUID_TEXT_LEN + 1] = ID;
	struct uuid id;

	text[UUID_TEXT_LEN - 1] = last;
	text[UUID_TEXT_LEN] = '\0';
	assert_true(uuid_parse(text, UUID_TEXT_LEN, &id));
	return id;
}

static void
a_request_arrives_as_it_was_sent(void **state)
{
	struct trial_request in = {
		.id = numbered('1'), .tenant_id = numbered('2'),
		.event = "message.received", .body = "{\"a\":\"é\\n\"}"
	};
	struct strbuf text = STRBUF_INIT;
	struct trial_request out;
	json_t *tree;

	(void)state;
	trial_request_format(&text, &in);
	tree = trial_request_parse(text.data, text.len, &out);
	assert_non_null(tree);
	assert_true(uuid_is_equal(&in.id, &out.id));
	assert_true(uuid_is_equal(&in.tenant_id, &out.tenant_id));
	assert_true(uuid_is_nil(&out.device_id));
	assert_string_equal(out.event, in.event);
	assert_string_equal(out.body, in.body);
	json_decref(tree);
	strbuf_deinit(&text);
}

static void
a_reply_arrives_as_it_was_sent(void **state)
{
	struct trial_reply in = {
		.id = numbered('3'), .end = TRIAL_BUSY, .status = 599,
		.duration_us = 8000001, .error = "no answer in time",
		.excerpt = "<b>\"x\"</b>"
	};
	struct strbuf text = STRBUF_INIT;
	struct trial_reply out;
	json_t *tree;

	(void)state;
	trial_reply_format(&text, &in);
	tree = trial_reply_parse(text.data, text.len, &out);
	assert_non_null(tree);
	assert_true(uuid_is_equal(&in.id, &out.id));
	assert_int_equal(out.end, TRIAL_BUSY);
	assert_int_equal(out.status, 599);
	assert_true(out.duration_us == 8000001);
	assert_string_equal(out.error, in.error);
	assert_string_equal(out.excerpt, in.excerpt);
	json_decref(tree);
	strbuf_deinit(&text);
}

static void
what_is_no_datagram_of_ours_is_refused(void **state)
{
	static const char *const requests[] = {
		"", "x", "[]", "{}", "{\"id\":1}",
		("{\"id\":\"" ID "1\",\"tenant\":\"" ID "2\",\"device\":\""
		    ID "3\",\"event\":\"message.eaten\",\"body\":\"\"}"),
		("{\"id\":\"" ID "1\",\"tenant\":\"" ID "2\",\"device\":\"\","
		    "\"event\":\"message.sent\",\"body\":\"\"}"),
		("{\"id\":\"" ID "1\",\"tenant\":\"" ID "2\",\"device\":\""
		    ID "3\",\"event\":\"message.sent\",\"body\":null}"),
		("{\"id\":\"" ID "1\",\"tenant\":\"" ID "2\",\"device\":\""
		    ID "3\",\"event\":\"message.sent\",\"body\":\"\"} x"),
	};
	static const char *const replies[] = {
		"", "{}",
		("{\"id\":\"" ID "1\",\"end\":4,\"status\":200,"
		    "\"duration\":1,\"error\":\"\",\"excerpt\":\"\"}"),
		("{\"id\":\"" ID "1\",\"end\":-1,\"status\":200,"
		    "\"duration\":1,\"error\":\"\",\"excerpt\":\"\"}"),
		("{\"id\":\"" ID "1\",\"end\":0,\"status\":1000,"
		    "\"duration\":1,\"error\":\"\",\"excerpt\":\"\"}"),
		("{\"id\":\"" ID "1\",\"end\":0,\"status\":200,"
		    "\"duration\":-1,\"error\":\"\",\"excerpt\":\"\"}"),
		("{\"id\":\"" ID "1\",\"end\":0,\"status\":200,"
		    "\"duration\":1,\"excerpt\":\"\"}"),
	};
	struct trial_request request;
	struct trial_reply reply;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		assert_null(trial_request_parse(requests[i],
		    strlen(requests[i]), &request));
	for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		assert_null(trial_reply_parse(replies[i], strlen(replies[i]),
		    &reply));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_arrives_as_it_was_sent),
		cmocka_unit_test(a_reply_arrives_as_it_was_sent),
		cmocka_unit_test(what_is_no_datagram_of_ours_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
