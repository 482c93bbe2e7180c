/* SPDX-License-Identifier: MIT */
/* Strict in, escaped out, and the bytes of a member untouched. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/strbuf.h"
#include "wuts/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TEXT(s) (s), sizeof(s) - 1

static void
only_strict_json_is_parsed(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		bool good;
		const char *sentence;
	} rows[] = {
		{ TEXT("{}"), true, "an empty object" },
		{ TEXT("[]"), true, "an empty array" },
		{ TEXT(" \t\r\n{ } \n"), true, "white space around" },
		{ TEXT("7"), true, "a number alone" },
		{ TEXT("\"x\""), true, "a string alone" },
		{ TEXT("null"), true, "a literal alone" },
		{ TEXT("{\"a\":1,\"A\":2}"), true, "keys differ in case" },
		{ TEXT("{\"a\":{\"a\":1}}"), true,
		    "the same key on two levels" },
		{ TEXT("\"\\u00e9\\ud83d\\ude00\\n\\/\""), true, "escapes" },
		{ TEXT("\"\xc3\xa9\xf0\x9f\x98\x80\""), true, "UTF-8" },
		{ TEXT("9223372036854775807"), true, "the largest integer" },
		{ TEXT("-9223372036854775808"), true, "the smallest" },
		{ TEXT("1.7976931348623157e308"), true, "the largest real" },
		{ TEXT("-0.0e-5"), true, "a real with everything" },
		{ TEXT("\"]]]]]]]]]]}}}}}\""), true, "brackets in a string" },

		{ TEXT(""), false, "nothing" },
		{ TEXT(" \n"), false, "white space" },
		{ TEXT("{}x"), false, "trailing garbage" },
		{ TEXT("{}{}"), false, "two texts" },
		{ TEXT("{},"), false, "a trailing comma outside" },
		{ TEXT("{\"a\":1}\0"), false, "a NUL behind" },
		{ TEXT("{\"a\":1,\"a\":1}"), false, "a key twice" },
		{ TEXT("{\"a\":1,\"\\u0061\":2}"), false,
		    "a key twice, once escaped" },
		{ TEXT("[{\"b\":{\"a\":1,\"a\":2}}]"), false,
		    "a key twice further down" },
		{ TEXT("{\"a\":\"x\\u0000y\"}"), false, "an escaped NUL" },
		{ TEXT("{\"a\":\"x\0y\"}"), false, "a raw NUL" },
		{ TEXT("{\"a\\u0000\":1}"), false, "a NUL in a key" },
		{ TEXT("\"\xff\""), false, "a stray byte" },
		{ TEXT("\"\xc3\""), false, "half a character" },
		{ TEXT("\"\xc0\xaf\""), false, "a long form" },
		{ TEXT("\"\xed\xa0\x80\""), false, "a raw surrogate" },
		{ TEXT("\"\xf4\x90\x80\x80\""), false, "beyond Unicode" },
		{ TEXT("\"\\ud83d\""), false, "half a surrogate pair" },
		{ TEXT("\"\\ude00\\ud83d\""), false, "a pair reversed" },
		{ TEXT("\xef\xbb\xbf{}"), false, "a byte order mark" },
		{ TEXT("9223372036854775808"), false, "too large an integer" },
		{ TEXT("-9223372036854775809"), false, "too small" },
		{ TEXT("99999999999999999999999999999999999999"), false,
		    "far too large" },
		{ TEXT("1e400"), false, "too large a real" },
		{ TEXT("-1e400"), false, "too small a real" },
		{ TEXT("01"), false, "a leading zero" },
		{ TEXT("+1"), false, "a plus sign" },
		{ TEXT("1."), false, "a dot without digits" },
		{ TEXT(".5"), false, "digits missing before the dot" },
		{ TEXT("0x10"), false, "hexadecimal" },
		{ TEXT("NaN"), false, "not a number" },
		{ TEXT("Infinity"), false, "infinity" },
		{ TEXT("True"), false, "a literal in another case" },
		{ TEXT("{'a':1}"), false, "single quotes" },
		{ TEXT("{a:1}"), false, "a bare key" },
		{ TEXT("{\"a\":1,}"), false, "a trailing comma" },
		{ TEXT("[1,]"), false, "a trailing comma in an array" },
		{ TEXT("{\"a\" 1}"), false, "no colon" },
		{ TEXT("{\"a\":}"), false, "no value" },
		{ TEXT("{\"a\":1"), false, "an open object" },
		{ TEXT("[1"), false, "an open array" },
		{ TEXT("\"x"), false, "an open string" },
		{ TEXT("\"\\"), false, "an open escape" },
		{ TEXT("]"), false, "a bracket of nobody" },
		{ TEXT("\"a\nb\""), false, "a raw line feed in a string" },
		{ TEXT("\"\\x41\""), false, "an unknown escape" },
		{ TEXT("/* c */ {}"), false, "a comment" },
	};
	struct fault fault;
	json_t *json;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fault_clear(&fault);
		json = json_text_parse(rows[i].text, rows[i].len, &fault);
		if ((json != NULL) != rows[i].good)
			fail_msg("%s: %s", rows[i].sentence, fault.said);
		assert_int_equal(fault.code, rows[i].good ? FAULT_NONE :
		    REFUSAL_INVALID_JSON);
		if (!rows[i].good && strstr(fault.said, "invalid JSON") !=
		    fault.said)
			fail_msg("%s: %s", rows[i].sentence, fault.said);
		json_decref(json);
	}
}

/* depth levels, of arrays and objects in turn. */
static bool
parses_at_depth(unsigned depth, bool with_strings)
{
	struct strbuf sb = STRBUF_INIT;
	struct fault fault;
	json_t *json;
	unsigned i;

	fault_clear(&fault);
	for (i = 0; i < depth; i++)
		strbuf_append_str(&sb, i % 2 != 0 ? "{\"[{\":" :
		    with_strings ? "[\"\\\"[[[\"," : "[");
	strbuf_append_str(&sb, "1");
	while (i-- > 0)
		strbuf_append_str(&sb, i % 2 != 0 ? "}" : "]");
	json = json_text_parse(sb.data, sb.len, &fault);
	strbuf_deinit(&sb);
	json_decref(json);
	return json != NULL;
}

static void
nesting_is_allowed_to_32_levels(void **state)
{
	(void)state;
	assert_int_equal(JSON_DEPTH_MAX, 32);
	assert_true(parses_at_depth(31, false));
	assert_true(parses_at_depth(32, false));
	assert_true(parses_at_depth(32, true));
	assert_false(parses_at_depth(33, false));
	assert_false(parses_at_depth(33, true));
	assert_false(parses_at_depth(100000, false));
}

static void
siblings_do_not_add_to_the_depth(void **state)
{
	struct strbuf sb = STRBUF_INIT;
	struct fault fault;
	json_t *json;
	int i;

	(void)state;
	strbuf_append_str(&sb, "[0");
	for (i = 0; i < 1000; i++)
		strbuf_append_str(&sb, ",[{}],{}");
	strbuf_append_str(&sb, "]");
	json = json_text_parse(sb.data, sb.len, &fault);
	assert_non_null(json);
	assert_int_equal(json_array_size(json), 2001);
	json_decref(json);
	strbuf_deinit(&sb);
}

static void
a_refusal_names_the_place_and_not_the_text(void **state)
{
	struct fault fault;

	(void)state;
	fault_clear(&fault);
	assert_null(json_text_parse(TEXT("{\"password\":\n \"hush\" hush}"),
	    &fault));
	assert_non_null(strstr(fault.said, "line 2"));
	assert_null(strstr(fault.said, "hush"));
	assert_null(strstr(fault.text, "hush"));
	fault_clear(&fault);
	assert_null(json_text_parse(TEXT("{\"hush\":1,\"hush\":2}"), &fault));
	assert_null(strstr(fault.said, "hush"));
	fault_clear(&fault);
	assert_null(json_text_parse(TEXT("[\"hush"), &fault));
	assert_null(strstr(fault.said, "hush"));
}

static void
a_member_is_found_byte_for_byte(void **state)
{
	static const struct {
		const char *text, *key, *value;
		const char *sentence;
	} rows[] = {
		{ "{\"a\":1}", "a", "1", "a number" },
		{ "{\"a\":1 }", "a", "1", "white space behind it" },
		{ "{\"a\":\n1\n,\"b\":2}", "a", "1", "line feeds around" },
		{ " { \"a\" : 1.50e+1 } ", "a", "1.50e+1",
		    "the spelling of a number stays" },
		{ "{\"b\":[1,{\"a\":2}],\"a\":3}", "a", "3",
		    "not the one further down" },
		{ "{\"a\": {\"x\" : [ 1, 2 ] } ,\"b\":2}", "a",
		    "{\"x\" : [ 1, 2 ] }", "an object with its blanks" },
		{ "{\"a\":[],\"b\":{}}", "b", "{}", "an empty object" },
		{ "{\"a\":\"}\\\"]\",\"b\":true}", "b", "true",
		    "behind a string with brackets" },
		{ "{\"a\":\"\\\\\",\"b\":null}", "b", "null",
		    "behind an escaped backslash" },
		{ "{\"a\":\"x\"}", "a", "\"x\"", "a string with its quotes" },
		{ "{\"a\":-1}", "a", "-1", "up to the brace" },
		{ "{\"\":1}", "", "1", "an empty key" },
		{ "{\"d\\u0061ta\":{}}", "data", "{}", "a key in escapes" },
		{ "{\"\\\"\":1,\"a\":2}", "a", "2",
		    "behind a key with a quote" },
		{ "{\"\xc3\xa9\":1}", "\xc3\xa9", "1", "a key in UTF-8" },
		{ "{\"ab\":1}", "a", NULL, "a longer key is another" },
		{ "{\"a\":1}", "ab", NULL, "so is a shorter one" },
		{ "{}", "a", NULL, "nothing in an empty object" },
		{ "{ }", "a", NULL, "nor in one with a blank" },
		{ "[\"a\",1]", "a", NULL, "an array has no members" },
		{ "\"a\"", "a", NULL, "nor has a string" },
		{ "{\"b\":\"a\",\"c\":[\"a\",1]}", "a", NULL,
		    "a value is no key" },
	};
	struct json_span span;
	struct fault fault;
	json_t *json;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		len = strlen(rows[i].text);
		json = json_text_parse(rows[i].text, len, &fault);
		assert_non_null(json);
		json_decref(json);
		span = json_text_member(rows[i].text, len, rows[i].key);
		if (rows[i].value == NULL) {
			if (span.text != NULL)
				fail_msg("%s", rows[i].sentence);
			continue;
		}
		if (span.text == NULL || span.len != strlen(rows[i].value) ||
		    memcmp(span.text, rows[i].value, span.len) != 0)
			fail_msg("%s: <%.*s>", rows[i].sentence,
			    (int)span.len, span.text == NULL ? "" : span.text);
	}
}

static void
compacting_drops_white_space_outside_strings_only(void **state)
{
	static const struct {
		const char *text, *compact;
	} rows[] = {
		{ "{}", "{}" },
		{ " { \"a\" : [ 1 , 2.50 ] ,\r\n\t\"b\" : null } ",
		    "{\"a\":[1,2.50],\"b\":null}" },
		{ "{\"a b\" : \" x \\\" y \"}", "{\"a b\":\" x \\\" y \"}" },
		{ "\"\\\\\" ", "\"\\\\\"" },
		{ "[ 1e5 , -0 ]", "[1e5,-0]" },
	};
	struct strbuf sb = STRBUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strbuf_reset(&sb);
		json_text_compact(&sb, rows[i].text, strlen(rows[i].text));
		assert_string_equal(sb.data, rows[i].compact);
	}
	strbuf_deinit(&sb);
}

static void
of_members_that_stand_twice_the_last_one_stays(void **state)
{
	static const struct {
		const char *text, *compact;
	} rows[] = {
		{ " { } ", "{}" }, { "[ ]", "[]" }, { " 1.50 ", "1.50" },
		{ "{\"a\":1, \"b\" : 2 ,\"a\": 3 }",
		    "{\"b\":2,\"a\":3}" },
		{ "{\"a\":[1,{\"a\":1,\"a\":18446744073709551616}]}",
		    "{\"a\":[1,{\"a\":18446744073709551616}]}" },
		{ "{\"a\":{\"x\":1},\"\\u0061\" : \"} , \\\" {\"}",
		    "{\"\\u0061\":\"} , \\\" {\"}" },
		{ "[ {\"\":1,\"\":-0} , [ 1e5 , null ] ]",
		    "[{\"\":-0},[1e5,null]]" },
	};
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strbuf_reset(&sb);
		json_text_compact_last(&sb, rows[i].text,
		    strlen(rows[i].text));
		assert_string_equal(sb.data, rows[i].compact);
	}
	strbuf_deinit(&sb);
}

static void
what_is_no_json_is_told_without_the_parsers_own_words(void **state)
{
	static const char *const texts[] = {
		"{\"a\":\"x\\u0000\"}", "{\"a\":\"hunter2", "{\"a\":hunter2}"
	};
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		fault_clear(&fault);
		assert_null(json_text_parse(texts[i], strlen(texts[i]),
		    &fault));
		assert_null(strstr(fault.said, "JSON_"));
		assert_null(strstr(fault.said, "hunter2"));
	}
}

static void
the_writer_sets_commas_and_colons(void **state)
{
	struct strbuf sb = STRBUF_INIT;
	struct json_writer w;

	(void)state;
	json_writer_init(&w, &sb);
	json_write_object_begin(&w);
	json_write_key(&w, "s");
	json_write_string(&w, "x");
	json_write_key(&w, "a");
	json_write_array_begin(&w);
	json_write_int(&w, INT64_MIN);
	json_write_int(&w, INT64_MAX);
	json_write_bool(&w, true);
	json_write_bool(&w, false);
	json_write_null(&w);
	json_write_array_begin(&w);
	json_write_array_end(&w);
	json_write_object_begin(&w);
	json_write_object_end(&w);
	json_write_string(&w, "y");
	json_write_array_end(&w);
	json_write_key(&w, "r");
	json_write_raw(&w, "{\"q\":1.0}", 9);
	json_write_key(&w, "o");
	json_write_object_begin(&w);
	json_write_key(&w, "n");
	json_write_null(&w);
	json_write_object_end(&w);
	json_write_key(&w, "l");
	json_write_int(&w, 0);
	json_write_object_end(&w);
	assert_string_equal(sb.data, "{\"s\":\"x\",\"a\":["
	    "-9223372036854775808,9223372036854775807,true,false,null,[],{},"
	    "\"y\"],\"r\":{\"q\":1.0},\"o\":{\"n\":null},\"l\":0}");
	strbuf_deinit(&sb);
}

static void
strings_are_escaped(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *json, *sentence;
	} rows[] = {
		{ TEXT(""), "\"\"", "nothing" },
		{ TEXT("a/b <c> & 'd'"), "\"a/b <c> & 'd'\"", "plain" },
		{ TEXT("\"\\"), "\"\\\"\\\\\"", "quote and backslash" },
		{ TEXT("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"", "short forms" },
		{ TEXT("\x01\x1f\x7f"), "\"\\u0001\\u001f\\u007f\"",
		    "control characters" },
		{ TEXT("a\0b"), "\"a\\u0000b\"", "a NUL" },
		{ TEXT("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
		    "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"", "UTF-8" },
		{ TEXT("a\xff" "b"), "\"a\xef\xbf\xbd" "b\"",
		    "a stray byte becomes the replacement character" },
		{ TEXT("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"",
		    "so does a character cut short" },
		{ TEXT("\xed\xa0\x80"),
		    "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
		    "so does a surrogate" },
		{ TEXT("\xc3\"x"), "\"\xef\xbf\xbd\\\"x\"",
		    "a stray byte hides no quote" },
	};
	struct strbuf sb = STRBUF_INIT;
	struct json_writer w;
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strbuf_reset(&sb);
		json_writer_init(&w, &sb);
		json_write_string_len(&w, rows[i].text, rows[i].len);
		if (strcmp(sb.data, rows[i].json) != 0)
			fail_msg("%s: %s", rows[i].sentence, sb.data);
		if (memchr(rows[i].text, '\0', rows[i].len) == NULL) {
			json_t *json = json_text_parse(sb.data, sb.len,
			    &fault);

			assert_non_null(json);
			json_decref(json);
		}
	}
	strbuf_deinit(&sb);
}

static void
keys_are_escaped_as_well(void **state)
{
	struct strbuf sb = STRBUF_INIT;
	struct json_writer w;

	(void)state;
	json_writer_init(&w, &sb);
	json_write_object_begin(&w);
	json_write_key(&w, "a\"\n");
	json_write_int(&w, 1);
	json_write_object_end(&w);
	assert_string_equal(sb.data, "{\"a\\\"\\n\":1}");
	strbuf_deinit(&sb);
}

static void
members_that_are_empty_are_null_where_that_is_asked_for(void **state)
{
	const struct uuid id = { .b = { 0x12, [15] = 0x34 } };
	struct strbuf sb = STRBUF_INIT;
	struct json_writer w;

	(void)state;
	json_writer_init(&w, &sb);
	json_write_object_begin(&w);
	json_member_text(&w, "a", "");
	json_member_text_or_null(&w, "b", "x");
	json_member_text_or_null(&w, "c", "");
	json_member_text_or_null(&w, "d", NULL);
	json_member_uuid(&w, "e", &UUID_NIL);
	json_member_uuid_or_null(&w, "f", &id);
	json_member_uuid_or_null(&w, "g", &UUID_NIL);
	json_member_bool(&w, "h", true);
	json_member_int(&w, "i", -1);
	json_member_null(&w, "j");
	json_member_object(&w, "k", "{\"x\":1}");
	json_member_object(&w, "l", NULL);
	json_write_object_end(&w);
	assert_string_equal(sb.data, "{\"a\":\"\",\"b\":\"x\",\"c\":null,"
	    "\"d\":null,\"e\":\"00000000-0000-0000-0000-000000000000\","
	    "\"f\":\"12000000-0000-0000-0000-000000000034\",\"g\":null,"
	    "\"h\":true,\"i\":-1,\"j\":null,\"k\":{\"x\":1},\"l\":{}}");
	strbuf_deinit(&sb);
}

static void
times_are_written_to_the_second_or_with_micros(void **state)
{
	const int64_t wall_us = INT64_C(1781524800000042);
	struct strbuf sb = STRBUF_INIT;
	struct json_writer w;

	(void)state;
	json_writer_init(&w, &sb);
	json_write_object_begin(&w);
	json_member_time(&w, "a", wall_us);
	json_member_time_or_null(&w, "b", wall_us);
	json_member_time_or_null(&w, "c", 0);
	json_member_micros(&w, "d", wall_us);
	json_member_micros_or_null(&w, "e", wall_us);
	json_member_micros_or_null(&w, "f", 0);
	json_write_object_end(&w);
	assert_string_equal(sb.data, "{\"a\":\"2026-06-15T12:00:00Z\","
	    "\"b\":\"2026-06-15T12:00:00Z\",\"c\":null,"
	    "\"d\":\"2026-06-15T12:00:00.000042Z\","
	    "\"e\":\"2026-06-15T12:00:00.000042Z\",\"f\":null}");
	strbuf_deinit(&sb);
}

static void
the_writer_goes_31_levels_down(void **state)
{
	struct strbuf sb = STRBUF_INIT;
	struct json_writer w;
	int i;

	(void)state;
	json_writer_init(&w, &sb);
	for (i = 0; i < 31; i++)
		json_write_array_begin(&w);
	json_write_int(&w, 1);
	json_write_int(&w, 2);
	for (i = 0; i < 31; i++)
		json_write_array_end(&w);
	assert_string_equal(sb.data, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1,2"
	    "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
	strbuf_deinit(&sb);
}

static void
the_items_of_an_array_come_in_order_byte_for_byte(void **state)
{
	static const struct {
		const char *text;
		const char *items[5];
		const char *sentence;
	} rows[] = {
		{ "[]", { NULL }, "none" },
		{ " [ ] ", { NULL }, "none but blanks" },
		{ "[1]", { "1" }, "one" },
		{ " [ 1.50 ,\t-2e1\n,3 ] ", { "1.50", "-2e1", "3" },
		    "numbers keep their spelling" },
		{ "[{\"a\":[1,2]},[3,[4]],\"x\"]",
		    { "{\"a\":[1,2]}", "[3,[4]]", "\"x\"" },
		    "what is nested stays whole" },
		{ "[\"],[\",\"\\\"]\",{\"}\":\",\"}]",
		    { "\"],[\"", "\"\\\"]\"", "{\"}\":\",\"}" },
		    "brackets and commas in strings" },
		{ "[null,true,false]", { "null", "true", "false" },
		    "literals" },
		{ "{\"a\":1}", { NULL }, "an object has no items" },
		{ "1", { NULL }, "nor has a number" }
	};
	struct json_items items;
	struct json_span item;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_items_init(&items, rows[i].text, strlen(rows[i].text));
		for (n = 0; json_items_next(&items, &item); n++) {
			if (rows[i].items[n] == NULL)
				fail_msg("%s: too many", rows[i].sentence);
			assert_int_equal(item.len, strlen(rows[i].items[n]));
			assert_memory_equal(item.text, rows[i].items[n],
			    item.len);
		}
		if (rows[i].items[n] != NULL)
			fail_msg("%s: too few", rows[i].sentence);
		assert_false(json_items_next(&items, &item));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_strict_json_is_parsed),
		cmocka_unit_test(nesting_is_allowed_to_32_levels),
		cmocka_unit_test(siblings_do_not_add_to_the_depth),
		cmocka_unit_test(a_refusal_names_the_place_and_not_the_text),
		cmocka_unit_test(a_member_is_found_byte_for_byte),
		cmocka_unit_test(
		    the_items_of_an_array_come_in_order_byte_for_byte),
		cmocka_unit_test(
		    compacting_drops_white_space_outside_strings_only),
		cmocka_unit_test(
		    of_members_that_stand_twice_the_last_one_stays),
		cmocka_unit_test(
		    what_is_no_json_is_told_without_the_parsers_own_words),
		cmocka_unit_test(the_writer_sets_commas_and_colons),
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(keys_are_escaped_as_well),
		cmocka_unit_test(
		    members_that_are_empty_are_null_where_that_is_asked_for),
		cmocka_unit_test(
		    times_are_written_to_the_second_or_with_micros),
		cmocka_unit_test(the_writer_goes_31_levels_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
