/* SPDX-License-Identifier: MIT */
/* Events in the On-Premises form: a row a case, from an engine's data to the
   payload, or to none. */
#include "config.h"

#include "wuts/callback.h"

#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/onprem.h"
#include "wuts/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define AT "\"timestamp\":\"1518694235\""
#define STATUS(status) "{\"id\":\"a\",\"status\":\"" status "\"}"

struct row {
	const char *says;
	const char *event;
	const char *data;
	const char *payload;	/* NULL: none */
	int type;
};

static const struct onprem_settings all = {
	.webhook_sent = true, .webhook_delivered = true, .webhook_read = true,
};

static void
check(const struct row *row, const struct onprem_settings *settings)
{
	struct fault fault = { .code = FAULT_NONE };
	struct strbuf out = STRBUF_INIT;
	json_t *tree = json_text_parse(row->data, strlen(row->data), &fault);
	struct callback_source source = {
		.event = row->event,
		.id = { { 0x01, 0x92, [15] = 9 } },
		.timestamp_us = INT64_C(1518694235) * 1000000,
		.data = { row->data, strlen(row->data) },
		.data_tree = tree,
	};
	enum callback_type type = CALLBACK_TYPE_COUNT;
	bool has;

	if (tree == NULL)
		fail_msg("%s: no JSON: %s", row->says, row->data);
	strbuf_append_str(&out, "before");
	has = callback_format(&out, &source, settings, &type);
	if (has != (row->payload != NULL) ||
	    strcmp(out.data + 6, has ? row->payload : "") != 0)
		fail_msg("%s: %s", row->says, out.data + 6);
	if (has && (int)type != row->type)
		fail_msg("%s: type %d", row->says, (int)type);
	strbuf_deinit(&out);
	json_decref(tree);
}

static void
check_all(const struct row *rows, size_t n,
    const struct onprem_settings *settings)
{
	for (size_t i = 0; i < n; i++)
		check(&rows[i], settings);
}
#define CHECK(rows, settings) \
	check_all(rows, sizeof(rows) / sizeof(rows[0]), settings)

static void
a_payload_keeps_its_bytes(void **state)
{
	static const struct row rows[] = {
		{ "messages", "message.received",
		    "{ \"contacts\": [{\"wa_id\":\"1\"}],\n"
		    "  \"messages\": [{\"x\":1.50e1, \"y\":\"a\\u00e4 b\"}] }",
		    "{\"contacts\":[{\"wa_id\":\"1\"}],"
		    "\"messages\":[{\"x\":1.50e1,\"y\":\"a\\u00e4 b\"}]}",
		    CALLBACK_MESSAGE },
		{ "statuses", "message.delivered",
		    "{\"statuses\":[{\"status\":\"delivered\",\"pricing\":"
		    "{\"billable\":false}}],\"more\":[1]}",
		    "{\"statuses\":[{\"status\":\"delivered\",\"pricing\":"
		    "{\"billable\":false}}],\"more\":[1]}", CALLBACK_STATUS },
		{ "errors, whatever the event", "connection.failure",
		    "{\"errors\":[{\"code\":1014}]}",
		    "{\"errors\":[{\"code\":1014}]}", CALLBACK_ERROR },
		{ "services", "app_state.sync_complete",
		    "{\"services\":[{\"message\":{\"gc\":{}}}]}",
		    "{\"services\":[{\"message\":{\"gc\":{}}}]}",
		    CALLBACK_SERVICE },
		{ "a status that failed", "message.sent",
		    "{\"statuses\":[" STATUS("failed") "]}",
		    "{\"statuses\":[" STATUS("failed") "]}", CALLBACK_STATUS },
	};

	(void)state;
	CHECK(rows, &all);
}

static void
what_has_no_form_is_none(void **state)
{
	static const struct row rows[] = {
		{ "two main arrays", "message.received",
		    "{\"messages\":[{}],\"statuses\":[{}]}", NULL, 0 },
		{ "an empty one", "message.sent", "{\"statuses\":[]}",
		    NULL, 0 },
		{ "no objects in it", "message.received",
		    "{\"messages\":[1]}", NULL, 0 },
		{ "messages that are history", "history.sync",
		    "{\"messages\":[{\"id\":\"a\"}]}", NULL, 0 },
		{ "another event", "call.offer", "{\"from\":\"49151\"}",
		    NULL, 0 },
		{ "a message from nobody", "message.received",
		    "{\"text\":\"hi\"}", NULL, 0 },
		{ "a sender without a number", "message.received",
		    "{\"from\":\"status@broadcast\",\"text\":\"hi\"}",
		    NULL, 0 },
		{ "a receipt for nothing", "message.read",
		    "{\"to\":\"49151\"}", NULL, 0 },
		{ "a receipt for no strings", "message.read",
		    "{\"ids\":[1]}", NULL, 0 },
		{ "nothing at all", "message.received", "{}", NULL, 0 },
	};

	(void)state;
	CHECK(rows, &all);
}

static void
messages_are_mapped(void **state)
{
	static const struct row rows[] = {
		{ "text", "message.received",
		    "{\"from\":\"16315551234@s.whatsapp.net\","
		    "\"text\":\"hi\\n\\\"you\\\"\"}",
		    "{\"contacts\":[{\"wa_id\":\"16315551234\"}],"
		    "\"messages\":[{\"from\":\"16315551234\",\"id\":"
		    "\"01920000-0000-0000-0000-000000000009\"," AT ","
		    "\"type\":\"text\",\"text\":{\"body\":"
		    "\"hi\\n\\\"you\\\"\"}}]}", CALLBACK_MESSAGE },
		{ "name, id, time and context", "message.received",
		    "{\"sender\":\"+4915:12@s.whatsapp.net\",\"push_name\":"
		    "\"Kerry\",\"message_id\":\"ABGG\",\"timestamp\":1600000000"
		    ",\"body\":\"x\",\"context\":{\"id\": \"B\"},"
		    "\"identity\":{}}",
		    "{\"contacts\":[{\"profile\":{\"name\":\"Kerry\"},"
		    "\"wa_id\":\"4915\"}],\"messages\":[{\"from\":\"4915\","
		    "\"id\":\"ABGG\",\"timestamp\":\"1600000000\",\"type\":"
		    "\"text\",\"text\":{\"body\":\"x\"},\"context\":"
		    "{\"id\":\"B\"}}]}", CALLBACK_MESSAGE },
		{ "an image", "message.received",
		    "{\"from\":\"4915\",\"id\":\"A\",\"timestamp\":\"16\","
		    "\"image\":{\"id\":\"m\",\"mime_type\":\"image/png\"}}",
		    "{\"contacts\":[{\"wa_id\":\"4915\"}],\"messages\":[{"
		    "\"from\":\"4915\",\"id\":\"A\",\"timestamp\":\"16\","
		    "\"type\":\"image\",\"image\":{\"id\":\"m\","
		    "\"mime_type\":\"image/png\"}}]}", CALLBACK_MESSAGE },
		{ "what nobody knows", "message.received",
		    "{\"from\":\"4915\",\"id\":\"A\",\"type\":\"poll\"}",
		    "{\"contacts\":[{\"wa_id\":\"4915\"}],\"messages\":[{"
		    "\"from\":\"4915\",\"id\":\"A\"," AT ",\"type\":"
		    "\"unknown\"}]}", CALLBACK_MESSAGE },
	};

	(void)state;
	CHECK(rows, &all);
}

static void
receipts_are_mapped(void **state)
{
	static const struct row rows[] = {
		{ "sent", "message.sent",
		    "{\"id\":\"a\",\"to\":\"4915@s.whatsapp.net\","
		    "\"pricing\":{\"billable\": true}}",
		    "{\"statuses\":[{\"id\":\"a\",\"recipient_id\":\"4915\","
		    "\"status\":\"sent\"," AT ",\"pricing\":"
		    "{\"billable\":true}}]}", CALLBACK_STATUS },
		{ "read, of two", "message.read",
		    "{\"ids\":[\"a\",\"b\"],\"chat\":\"4915@c.us\"}",
		    "{\"statuses\":[{\"id\":\"a\",\"recipient_id\":\"4915\","
		    "\"status\":\"read\"," AT "},{\"id\":\"b\","
		    "\"recipient_id\":\"4915\",\"status\":\"read\"," AT "}]}",
		    CALLBACK_STATUS },
		{ "failed", "message.sent",
		    "{\"id\":\"a\",\"status\":\"failed\",\"errors\":[{}]}",
		    "{\"statuses\":[{\"id\":\"a\",\"status\":\"failed\"," AT
		    ",\"errors\":[{}]}]}", CALLBACK_STATUS },
	};

	(void)state;
	CHECK(rows, &all);
}

static void
statuses_that_are_switched_off_are_left_out(void **state)
{
	static const struct row rows[] = {
		{ "alone", "message.read", "{\"id\":\"a\"}", NULL, 0 },
		{ "alone, in a payload", "message.sent",
		    "{\"statuses\":[" STATUS("sent") "]}", NULL, 0 },
		{ "beside others", "message.sent",
		    "{\"z\": 1.0, \"statuses\":[" STATUS("sent") ", "
		    STATUS("delivered") "," STATUS("read") ","
		    STATUS("failed") "]}",
		    "{\"z\":1.0,\"statuses\":[" STATUS("delivered") ","
		    STATUS("failed") "]}", CALLBACK_STATUS },
		{ "failed is no kind of sent", "message.sent",
		    "{\"id\":\"a\",\"status\":\"failed\"}",
		    "{\"statuses\":[{\"id\":\"a\",\"status\":\"failed\"," AT
		    "}]}", CALLBACK_STATUS },
		{ "deleted", "message.sent",
		    "{\"statuses\":[" STATUS("deleted") "]}",
		    "{\"statuses\":[" STATUS("deleted") "]}",
		    CALLBACK_STATUS },
	};
	const struct onprem_settings settings = { .webhook_delivered = true };

	(void)state;
	CHECK(rows, &settings);
}

static void
pricing_can_be_switched_off(void **state)
{
	static const struct row rows[] = {
		{ "of a payload", "message.sent",
		    "{\"statuses\":[{\"id\":\"a\",\"conversation\":{},"
		    "\"timestamp\":\"1\"},{\"n\":1.0}],\"k\":{\"pricing\":1}}",
		    "{\"statuses\":[{\"id\":\"a\",\"timestamp\":\"1\"},"
		    "{\"n\":1.0}],\"k\":{\"pricing\":1}}", CALLBACK_STATUS },
		{ "of what is mapped", "message.sent",
		    "{\"id\":\"a\",\"pricing\":{},\"conversation\":{}}",
		    "{\"statuses\":[{\"id\":\"a\",\"status\":\"sent\"," AT
		    "}]}", CALLBACK_STATUS },
	};
	struct onprem_settings settings = all;

	(void)state;
	settings.without_pricing = true;
	CHECK(rows, &settings);
}

static void
identity_is_for_who_wants_notifications(void **state)
{
	static const struct row rows[] = {
		{ "identity", "message.received",
		    "{\"from\":\"4\",\"id\":\"A\",\"text\":\"x\","
		    "\"identity\":{\"hash\":\"h\"}}",
		    "{\"contacts\":[{\"wa_id\":\"4\"}],\"messages\":[{"
		    "\"from\":\"4\",\"id\":\"A\"," AT ",\"type\":\"text\","
		    "\"text\":{\"body\":\"x\"},\"identity\":{\"hash\":\"h\"}"
		    "}]}", CALLBACK_MESSAGE },
	};
	struct onprem_settings settings = all;

	(void)state;
	settings.show_security_notifications = true;
	CHECK(rows, &settings);
}

static void
a_type_has_its_event(void **state)
{
	enum callback_type type;

	(void)state;
	assert_true(callback_event_parse("onprem.status_change", &type));
	assert_int_equal(type, CALLBACK_STATUS);
	for (int i = 0; i < CALLBACK_TYPE_COUNT; i++) {
		assert_true(callback_event_parse(callback_event_name(
		    (enum callback_type)i), &type));
		assert_int_equal(type, i);
	}
	assert_string_equal(callback_type_name(CALLBACK_MESSAGE),
	    "inbound_message");
	assert_false(callback_event_parse("onprem.", &type));
	assert_false(callback_event_parse("message.received", &type));
}

static void
the_record_of_an_event_has_one_id(void **state)
{
	struct uuid a = { { 1 } }, b = { { 2 } };
	struct uuid of_a = callback_id(&a), again = callback_id(&a);
	struct uuid of_b = callback_id(&b);

	(void)state;
	assert_true(uuid_is_equal(&of_a, &again));
	assert_false(uuid_is_equal(&of_a, &of_b));
	assert_false(uuid_is_equal(&of_a, &a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_payload_keeps_its_bytes),
		cmocka_unit_test(what_has_no_form_is_none),
		cmocka_unit_test(messages_are_mapped),
		cmocka_unit_test(receipts_are_mapped),
		cmocka_unit_test(statuses_that_are_switched_off_are_left_out),
		cmocka_unit_test(pricing_can_be_switched_off),
		cmocka_unit_test(identity_is_for_who_wants_notifications),
		cmocka_unit_test(a_type_has_its_event),
		cmocka_unit_test(the_record_of_an_event_has_one_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
