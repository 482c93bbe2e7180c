/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "wuts/multipart.h"

#include "wuts/arena.h"
#include "wuts/fault.h"
#include "wuts/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define TYPE "multipart/form-data; boundary=b"
#define PART(name) "--b\r\nContent-Disposition: form-data; name=" name \
	"\r\n\r\n"
#define FILE_PART(type) "--b\r\nContent-Disposition: form-data;" \
	" name=\"picture\"; filename=\"blob\"\r\nContent-Type: " type \
	"\r\n\r\n"
#define END "--b--\r\n"

enum { FIRST, META, PICTURE, NFIELDS };
static const struct multipart_field fields[NFIELDS] = {
	[FIRST] = { .name = "first" },
	[META] = { .name = "meta", .max = 65536 },
	[PICTURE] = { .name = "picture", .max = 100000, .is_file = true }
};

struct form {
	struct arena *arena;
	struct multipart_value values[NFIELDS];
	struct fault fault;
};

static int
parse(struct form *form, const char *type, const char *body, size_t len,
    size_t piece)
{
	struct multipart m;
	int ret;

	form->arena = arena_new();
	fault_clear(&form->fault);
	ret = multipart_init(&m, form->arena, type, 200000, fields, NFIELDS,
	    form->values, &form->fault);
	for (size_t at = 0; ret == 0 && at < len; at += piece)
		ret = multipart_feed(&m, body + at,
		    len - at < piece ? len - at : piece, &form->fault);
	if (ret == 0)
		ret = multipart_end(&m, &form->fault);
	multipart_deinit(&m);
	return ret;
}

static const struct row {
	const char *sentence;
	const char *type;
	const char *body;
	enum fault_code code;
	const char *first;	/* its value, or NULL */
} rows[] = {
	{ "a text field", TYPE, PART("\"first\"") "Ada\r\n" END, 0, "Ada" },
	{ "only the closing boundary is an empty form", TYPE, END, 0, NULL },
	{ "the last line's end may be missing", TYPE, "--b--", 0, NULL },
	{ "the last of two fields wins", TYPE,
	    PART("\"first\"") "a\r\n" PART("\"first\"") "b\r\n" END, 0, "b" },
	{ "an empty value", TYPE, PART("\"first\"") "\r\n" END, 0, "" },
	{ "an unknown field is read past", TYPE,
	    PART("\"else\"") "x\r\n" PART("\"first\"") "y\r\n" END, 0, "y" },
	{ "a name without quotes", TYPE, PART("first") "x\r\n" END, 0, "x" },
	{ "a quoted boundary", "multipart/form-data; boundary=\"b\"",
	    PART("\"first\"") "x\r\n" END, 0, "x" },
	{ "a media type in capitals, with a charset",
	    "Multipart/Form-Data; charset=utf-8; Boundary=b",
	    PART("\"first\"") "x\r\n" END, 0, "x" },
	{ "blanks behind a boundary", TYPE,
	    "--b \t\r\nContent-Disposition: form-data; name=first\r\n\r\nx"
	    "\r\n--b-- \t\r\n", 0, "x" },
	{ "an empty line before the first boundary", TYPE,
	    "\r\n" PART("\"first\"") "x\r\n" END, 0, "x" },
	{ "what follows the end is nobody's business", TYPE,
	    PART("\"first\"") "x\r\n" END "anything\r\n--b\r\n", 0, "x" },
	{ "line ends and half boundaries inside a value", TYPE,
	    PART("\"first\"") "a\r\n\r\n--\r\n-b\r\n--x\r\n" END, 0,
	    "a\r\n\r\n--\r\n-b\r\n--x" },
	{ "headers of any case, others ignored", TYPE,
	    "--b\r\nX-Other: 1\r\nCONTENT-DISPOSITION:form-data;NAME=\"first\""
	    "\r\nContent-Transfer-Encoding: 8bit\r\n\r\nx\r\n" END, 0, "x" },
	{ "UTF-8 outside the first plane", TYPE,
	    PART("\"first\"") "\xf0\x9f\x8c\x8d\r\n" END, 0,
	    "\xf0\x9f\x8c\x8d" },

	{ "no media type", "", END, REFUSAL_MEDIA_TYPE, NULL },
	{ "JSON", "application/json", "{}", REFUSAL_MEDIA_TYPE, NULL },
	{ "another multipart", "multipart/mixed; boundary=b", END,
	    REFUSAL_MEDIA_TYPE, NULL },
	{ "a longer media type", "multipart/form-data2; boundary=b", END,
	    REFUSAL_MEDIA_TYPE, NULL },
	{ "no boundary", "multipart/form-data", END, REFUSAL_VALIDATION,
	    NULL },
	{ "an empty boundary", "multipart/form-data; boundary=\"\"", END,
	    REFUSAL_VALIDATION, NULL },
	{ "two boundaries", TYPE "; boundary=b", END, REFUSAL_VALIDATION,
	    NULL },
	{ "a boundary of 71 characters", "multipart/form-data; boundary="
	    "12345678901234567890123456789012345678901234567890"
	    "123456789012345678901", END, REFUSAL_VALIDATION, NULL },
	{ "a boundary of strange characters",
	    "multipart/form-data; boundary=\"a%b\"", END, REFUSAL_VALIDATION,
	    NULL },
	{ "a boundary that never closes its quote",
	    "multipart/form-data; boundary=\"b", END, REFUSAL_VALIDATION,
	    NULL },
	{ "another boundary in the body", TYPE, "--c--\r\n",
	    REFUSAL_VALIDATION, NULL },
	{ "an empty body", TYPE, "", REFUSAL_VALIDATION, NULL },
	{ "a preamble", TYPE, "hello\r\n" END, REFUSAL_VALIDATION, NULL },
	{ "cut off inside the first boundary", TYPE, "--", REFUSAL_VALIDATION,
	    NULL },
	{ "cut off behind a boundary", TYPE, "--b", REFUSAL_VALIDATION,
	    NULL },
	{ "cut off before the closing hyphen", TYPE,
	    PART("\"first\"") "x\r\n--b-", REFUSAL_VALIDATION, NULL },
	{ "cut off inside the headers", TYPE, "--b\r\nContent-Dispo",
	    REFUSAL_VALIDATION, NULL },
	{ "cut off inside a value", TYPE, PART("\"first\"") "xyz",
	    REFUSAL_VALIDATION, NULL },
	{ "a longer boundary than announced", TYPE,
	    PART("\"first\"") "x\r\n--bb--\r\n", REFUSAL_VALIDATION, NULL },
	{ "something behind the last boundary", TYPE, "--b--x",
	    REFUSAL_VALIDATION, NULL },
	{ "a part without headers", TYPE, "--b\r\n\r\nx\r\n" END,
	    REFUSAL_VALIDATION, NULL },
	{ "a part without a name", TYPE,
	    "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n" END,
	    REFUSAL_VALIDATION, NULL },
	{ "a part with an empty name", TYPE, PART("\"\"") "x\r\n" END,
	    REFUSAL_VALIDATION, NULL },
	{ "a part with two names", TYPE, PART("a; name=b") "x\r\n" END,
	    REFUSAL_VALIDATION, NULL },
	{ "two dispositions", TYPE,
	    "--b\r\nContent-Disposition: form-data; name=a\r\n"
	    "Content-Disposition: form-data; name=first\r\n\r\nx\r\n" END,
	    REFUSAL_VALIDATION, NULL },
	{ "a disposition that is none", TYPE,
	    "--b\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n" END,
	    REFUSAL_VALIDATION, NULL },
	{ "a name that never closes its quote", TYPE,
	    PART("\"first") "x\r\n" END, REFUSAL_VALIDATION, NULL },
	{ "a name that is no UTF-8", TYPE, PART("\"\xff\"") "x\r\n" END,
	    REFUSAL_VALIDATION, NULL },
	{ "a folded header", TYPE,
	    "--b\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\n\r\n"
	    END, REFUSAL_VALIDATION, NULL },
	{ "lines that end with a line feed only", TYPE,
	    "--b\nContent-Disposition: form-data; name=a\n\nx\n--b--\n",
	    REFUSAL_VALIDATION, NULL },
	{ "a part in base64", TYPE,
	    "--b\r\nContent-Disposition: form-data; name=a\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\neA==\r\n" END,
	    REFUSAL_VALIDATION, NULL },
	{ "a text that is no UTF-8", TYPE,
	    PART("\"first\"") "\xff\r\n" END, REFUSAL_VALIDATION, NULL },
	{ "an unknown text that is no UTF-8", TYPE,
	    PART("\"else\"") "\xc0\x80\r\n" END, REFUSAL_VALIDATION, NULL },
	{ "a surrogate", TYPE, PART("\"first\"") "\xed\xa0\x80\r\n" END,
	    REFUSAL_VALIDATION, NULL }
};

static void
check_row(const struct row *row, size_t piece)
{
	struct form form;
	int ret;

	ret = parse(&form, row->type, row->body, strlen(row->body), piece);
	if ((ret == 0) != (row->code == 0) || form.fault.code != row->code)
		fail_msg("%s (pieces of %zu): %d, %s", row->sentence, piece,
		    ret, form.fault.text);
	if (ret == 0 && row->first == NULL)
		assert_null(form.values[FIRST].data);
	else if (ret == 0)
		assert_string_equal(form.values[FIRST].data, row->first);
	arena_free(&form.arena);
}

static void
forms_are_judged_the_same_in_pieces_of_any_size(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_row(&rows[i], 100000);
		for (size_t piece = 1; piece < 12; piece++)
			check_row(&rows[i], piece);
	}
}

static void
escapes_in_names_are_quote_and_line_ends_only(void **state)
{
	static const struct multipart_field odd[] = {
		{ .name = "a\"b\r\nc%41%2" }
	};
	static const char body[] = PART("\"a%22b%0d%0Ac%41%2\"") "x\r\n" END;
	struct arena *arena = arena_new();
	struct multipart_value value;
	struct multipart m;
	struct fault fault;

	(void)state;
	fault_clear(&fault);
	assert_int_equal(multipart_init(&m, arena, TYPE, 1000, odd, 1, &value,
	    &fault), 0);
	assert_int_equal(multipart_feed(&m, body, strlen(body), &fault), 0);
	assert_int_equal(multipart_end(&m, &fault), 0);
	assert_string_equal(value.data, "x");
	multipart_deinit(&m);
	arena_free(&arena);
}

static void
a_file_keeps_every_byte_and_its_type(void **state)
{
	struct strbuf body = STRBUF_INIT;
	struct form form;
	char bytes[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i % 256);
	memcpy(bytes + 500, "\r\n--a\0\r\n--", 10);
	strbuf_append_str(&body, FILE_PART("image/png"));
	strbuf_append(&body, bytes, sizeof(bytes));
	strbuf_append_str(&body, "\r\n" END);
	for (size_t piece = 1; piece < 3000; piece += 37) {
		assert_int_equal(parse(&form, TYPE, body.data, body.len,
		    piece), 0);
		assert_int_equal(form.values[PICTURE].len, sizeof(bytes));
		assert_memory_equal(form.values[PICTURE].data, bytes,
		    sizeof(bytes));
		assert_string_equal(form.values[PICTURE].type, "image/png");
		assert_null(form.values[FIRST].data);
		arena_free(&form.arena);
	}
	strbuf_deinit(&body);
}

/* A form with one field of len bytes. */
static enum fault_code
judge_length(const char *head, size_t len)
{
	struct strbuf body = STRBUF_INIT;
	struct form form;

	strbuf_append_str(&body, head);
	strbuf_reserve(&body, len);
	memset(body.data + body.len, 'x', len);
	body.len += len;
	strbuf_append_str(&body, "\r\n" END);
	(void)parse(&form, TYPE, body.data, body.len, 4096);
	arena_free(&form.arena);
	strbuf_deinit(&body);
	return form.fault.code;
}

static void
values_keep_to_their_limits(void **state)
{
	(void)state;
	assert_int_equal(judge_length(PART("\"first\""), 16384), 0);
	assert_int_equal(judge_length(PART("\"first\""), 16385),
	    REFUSAL_VALIDATION);
	assert_int_equal(judge_length(PART("\"else\""), 16385),
	    REFUSAL_VALIDATION);
	assert_int_equal(judge_length(PART("\"meta\""), 65536), 0);
	assert_int_equal(judge_length(PART("\"meta\""), 65537),
	    REFUSAL_VALIDATION);
	assert_int_equal(judge_length(FILE_PART("image/png"), 100000), 0);
	assert_int_equal(judge_length(FILE_PART("image/png"), 100001),
	    REFUSAL_PAYLOAD_TOO_LARGE);
	/* A file that nobody asked for is nothing but bytes. */
	assert_int_equal(judge_length(PART("else; filename=f"), 150000), 0);
}

static enum fault_code
judge_headers(size_t len)
{
	static const char head[] = "Content-Disposition: form-data; name=a\r\n"
	    "X: ";
	struct strbuf body = STRBUF_INIT;
	struct form form;

	strbuf_append_str(&body, "--b\r\n");
	strbuf_append_str(&body, head);
	len -= strlen(head) + 2;
	strbuf_reserve(&body, len);
	memset(body.data + body.len, 'x', len);
	body.len += len;
	strbuf_append_str(&body, "\r\n\r\nvalue\r\n" END);
	(void)parse(&form, TYPE, body.data, body.len, 1000);
	arena_free(&form.arena);
	strbuf_deinit(&body);
	return form.fault.code;
}

static void
headers_of_a_part_end_at_8_kib(void **state)
{
	(void)state;
	assert_int_equal(judge_headers(8192), 0);
	assert_int_equal(judge_headers(8193), REFUSAL_VALIDATION);
	assert_int_equal(judge_headers(100000), REFUSAL_VALIDATION);
}

static enum fault_code
judge_parts(size_t n)
{
	struct strbuf body = STRBUF_INIT;
	struct form form;

	for (size_t i = 0; i < n; i++)
		strbuf_append_str(&body, PART("a") "\r\n");
	strbuf_append_str(&body, END);
	(void)parse(&form, TYPE, body.data, body.len, 65536);
	arena_free(&form.arena);
	strbuf_deinit(&body);
	return form.fault.code;
}

static void
there_are_at_most_64_parts(void **state)
{
	(void)state;
	assert_int_equal(judge_parts(64), 0);
	assert_int_equal(judge_parts(65), REFUSAL_VALIDATION);
	assert_int_equal(judge_parts(10000), REFUSAL_VALIDATION);
}

static void
a_nul_in_a_text_or_a_header_is_refused(void **state)
{
	static const char in_text[] = PART("\"first\"") "a\0b\r\n" END;
	static const char in_header[] = PART("\"fir\0st\"") "a\r\n" END;
	struct form form;

	(void)state;
	assert_int_equal(parse(&form, TYPE, in_text, sizeof(in_text) - 1,
	    100), -1);
	assert_int_equal(form.fault.code, REFUSAL_VALIDATION);
	arena_free(&form.arena);
	assert_int_equal(parse(&form, TYPE, in_header, sizeof(in_header) - 1,
	    100), -1);
	assert_int_equal(form.fault.code, REFUSAL_VALIDATION);
	arena_free(&form.arena);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    forms_are_judged_the_same_in_pieces_of_any_size),
		cmocka_unit_test(
		    escapes_in_names_are_quote_and_line_ends_only),
		cmocka_unit_test(a_file_keeps_every_byte_and_its_type),
		cmocka_unit_test(values_keep_to_their_limits),
		cmocka_unit_test(headers_of_a_part_end_at_8_kib),
		cmocka_unit_test(there_are_at_most_64_parts),
		cmocka_unit_test(a_nul_in_a_text_or_a_header_is_refused)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
