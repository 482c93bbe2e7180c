/* SPDX-License-Identifier: MIT */
/* Lines are written and read in exactly one way. */
#include "config.h"

#include "../../../src/queue/queue_private.h"

#include "wuts/fault.h"

#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
a_record_is_written_as_documented(void **state)
{
	struct queue_record record = {
		.id = record_id(1),
		.tenant_id = record_id(2),
		.event = "user.role_changed",
		.created_us = 1781524800123456,
		.body = "{\"a\":1}",
		.body_len = 7,
	};
	char out[QUEUE_HEADER_MAX + 16];
	size_t len;

	(void)state;
	len = queue_record_format(out, &record, true, 2);
	out[len] = '\0';
	assert_string_equal(out,
	    "{\"v\":1,\"id\":\"01920000-0000-0000-0000-000000000001\","
	    "\"tenant\":\"01920000-0000-0000-0000-000000000002\","
	    "\"device\":null,\"event\":\"user.role_changed\","
	    "\"created\":1781524800123456,\"state\":\"prepared\","
	    "\"more\":2,\"length\":7,\"crc\":\"7321f732\"}\n{\"a\":1}\n");
}

static void
the_largest_header_fits(void **state)
{
	struct queue_record record = {
		.id = record_id(1), .tenant_id = record_id(2),
		.device_id = record_id(3), .created_us = INT64_MAX,
	};
	char event[QUEUE_EVENT_MAX + 1], request[QUEUE_REQUEST_MAX + 1];
	char out[2 * QUEUE_HEADER_MAX];
	struct queue_line line;
	size_t len;

	(void)state;
	memset(event, 'e', QUEUE_EVENT_MAX);
	event[QUEUE_EVENT_MAX] = '\0';
	record.event = event;
	memset(request, 'r', QUEUE_REQUEST_MAX);
	request[QUEUE_REQUEST_MAX] = '\0';
	record.request = request;
	record.body = "";
	len = queue_record_format(out, &record, true, QUEUE_BATCH_MAX - 1);
	assert_in_range(len, 300, QUEUE_HEADER_MAX - 9);
	assert_true(queue_header_parse(out, len - 2, &line));
	assert_string_equal(line.event, event);
	assert_string_equal(line.record.request, request);
	assert_true(line.record.created_us == INT64_MAX);
	assert_int_equal(line.more, QUEUE_BATCH_MAX - 1);
}

static void
an_odd_request_id_is_left_out(void **state)
{
	static const char *const odd[] = {
		NULL, "", "a b", "a\"b", "a\\b", "\xc3\xa4", "a\n",
		"rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"
	};
	struct queue_record record = {
		.id = record_id(1), .tenant_id = record_id(2), .event = "e",
		.body = "{}", .body_len = 2,
	};
	char out[2 * QUEUE_HEADER_MAX];
	struct queue_line line;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		record.request = odd[i];
		len = queue_record_format(out, &record, false, 0);
		assert_true(queue_header_parse(out, len - 4, &line));
		assert_string_equal(line.record.request, "");
	}
}

static void
marks_are_read_as_written(void **state)
{
	struct uuid id = record_id(77);
	char out[QUEUE_MARK_MAX];
	struct queue_line line;

	(void)state;
	for (int commit = 0; commit < 2; commit++) {
		size_t len = queue_mark_format(out, &id, commit);

		assert_in_range(len, 50, QUEUE_MARK_MAX);
		assert_int_equal(out[len - 1], '\n');
		assert_true(queue_header_parse(out, len - 1, &line));
		assert_int_equal(line.kind, QUEUE_LINE_MARK);
		assert_int_equal(line.commit, commit);
		assert_true(uuid_is_equal(&line.record.id, &id));
	}
}

static void
another_spelling_is_not_read(void **state)
{
	static const struct {
		const char *why, *from, *to;
	} rows[] = {
		{ "another version", "\"v\":1", "\"v\":2" },
		{ "a space", "{\"v\"", "{ \"v\"" },
		{ "no hex digit in an id", "0001\"", "000g\"" },
		{ "an unknown state", "ready", "eager" },
		{ "a leading zero", "\"more\":2", "\"more\":02" },
		{ "a sign", "\"more\":2", "\"more\":-2" },
		{ "no number", "\"more\":2", "\"more\":" },
		{ "more than a batch", "\"more\":2", "\"more\":2000" },
		{ "a length beyond 64 bits", "\"length\":7",
		  "\"length\":18446744073709551623" },
		{ "a length beyond an append", "\"length\":7",
		  "\"length\":1073741825" },
		{ "a time beyond 63 bits", "\"created\":1000001",
		  "\"created\":9223372036854775808" },
		{ "a member more", ",\"crc\"", ",\"x\":1,\"crc\"" },
		{ "an event without a name", "message.received", "" },
		{ "an upper-case checksum", ",\"crc\":\"", ",\"crc\":\"A" },
		{ "text behind", "\"}", "\"} " },
	};
	struct queue_record record;
	char out[1024], body[BODY_MAX], changed[2048], *at;
	struct queue_line line;

	(void)state;
	record_make(&record, 1, body);
	record.body_len = 7;
	queue_record_format(out, &record, false, 2);
	*strchr(out, '\n') = '\0';
	assert_true(queue_header_parse(out, strlen(out), &line));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		at = strstr(out, rows[i].from);
		assert_non_null(at);
		snprintf(changed, sizeof(changed), "%.*s%s%s",
		    (int)(at - out), out, rows[i].to,
		    at + strlen(rows[i].from));
		if (queue_header_parse(changed, strlen(changed), &line))
			fail_msg("%s was read: %s", rows[i].why, changed);
	}
	for (size_t len = 0; len < strlen(out); len++)
		assert_false(queue_header_parse(out, len, &line));
}

static void
what_cannot_be_read_back_is_not_written(void **state)
{
	char long_name[QUEUE_EVENT_MAX + 2];
	const char *const events[] = {
		"", "a\"b", "a\\b", "a b", "a\nb", long_name, NULL
	};
	struct fault fault = { .code = FAULT_NONE };
	struct queue_record record;
	char body[BODY_MAX];

	(void)state;
	memset(long_name, 'e', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	record_make(&record, 1, body);
	assert_int_equal(queue_record_check(&record, &fault), 0);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		record.event = events[i];
		assert_int_equal(queue_record_check(&record, &fault), -1);
		assert_int_equal(fault.code, FAULT_QUEUE);
	}
	record_make(&record, 1, body);
	record.created_us = -1;
	assert_int_equal(queue_record_check(&record, &fault), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_written_as_documented),
		cmocka_unit_test(the_largest_header_fits),
		cmocka_unit_test(an_odd_request_id_is_left_out),
		cmocka_unit_test(marks_are_read_as_written),
		cmocka_unit_test(another_spelling_is_not_read),
		cmocka_unit_test(what_cannot_be_read_back_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
