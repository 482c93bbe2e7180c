/* SPDX-License-Identifier: MIT */
/* JSON in by jansson, stricter than it (spec/wuts.md §1), and JSON out by a
   small streaming writer, so that no response is ever built as a tree. */
#ifndef WUTS_JSON_H
#define WUTS_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault;
struct strbuf;
struct uuid;

#define JSON_DEPTH_MAX 32

/* Parse one JSON text. Refused with REFUSAL_INVALID_JSON and a client text
   that names the position: syntax, trailing garbage, duplicate keys, nesting
   deeper than JSON_DEPTH_MAX, NUL in strings, invalid UTF-8, a number out of
   range. The caller owns the reference (json_decref). */
json_t *json_text_parse(const char *text, size_t len, struct fault *fault);

struct json_span {
	const char *text;	/* NULL: no such member */
	size_t len;
};

/* The exact bytes of member key of the object that starts text. Only for text
   that json_text_parse() accepted; key without escapes. */
struct json_span json_text_member(const char *text, size_t len,
    const char *key);

/* The items of the array that starts text, in order, each as the exact bytes
   that stand there. Only for text that json_text_parse() accepted. next: false
   behind the last one, and at once for anything that is no array. */
struct json_items {
	const char *pos;
	const char *end;
};
void json_items_init(struct json_items *items, const char *text, size_t len);
bool json_items_next(struct json_items *items, struct json_span *item_r);

/* Append a valid JSON text without white space between tokens, everything
   else byte for byte (numbers keep their spelling). */
void json_text_compact(struct strbuf *out, const char *text, size_t len);
/* The same, and of the members of an object that have the same name only the
   last one. The text is nested no deeper than the stack bears. */
void json_text_compact_last(struct strbuf *out, const char *text, size_t len);

/* The writer. Commas and colons are its business; strings are escaped, every
   control character as \uXXXX or its short form, the rest as UTF-8. */
struct json_writer {
	struct strbuf *out;
	unsigned depth;
	uint32_t has_item;	/* bit per depth: something stands before */
};

void json_writer_init(struct json_writer *w, struct strbuf *out);
void json_write_object_begin(struct json_writer *w);
void json_write_object_end(struct json_writer *w);
void json_write_array_begin(struct json_writer *w);
void json_write_array_end(struct json_writer *w);
void json_write_key(struct json_writer *w, const char *key);
void json_write_string(struct json_writer *w, const char *s);
void json_write_string_len(struct json_writer *w, const char *s, size_t len);
void json_write_int(struct json_writer *w, int64_t v);
void json_write_bool(struct json_writer *w, bool v);
void json_write_null(struct json_writer *w);
/* A JSON text that is already valid. */
void json_write_raw(struct json_writer *w, const char *text, size_t len);
/* The same, to its NUL; NULL: null. */
void json_write_raw_or_null(struct json_writer *w, const char *text);

/* Members of the object that is being written (json_member.c). Times are UTC, as
   RFC 3339 to the second, micros with six digits behind it; _or_null: null for
   NULL or "", the nil UUID, the time 0. */
void json_member_text(struct json_writer *w, const char *key,
    const char *value);
void json_member_text_or_null(struct json_writer *w, const char *key,
    const char *value);
void json_member_uuid(struct json_writer *w, const char *key,
    const struct uuid *value);
void json_member_uuid_or_null(struct json_writer *w, const char *key,
    const struct uuid *value);
void json_member_time(struct json_writer *w, const char *key,
    int64_t wall_us);
void json_member_time_or_null(struct json_writer *w, const char *key,
    int64_t wall_us);
void json_member_micros(struct json_writer *w, const char *key,
    int64_t wall_us);
void json_member_micros_or_null(struct json_writer *w, const char *key,
    int64_t wall_us);
void json_member_bool(struct json_writer *w, const char *key, bool value);
void json_member_int(struct json_writer *w, const char *key, int64_t value);
void json_member_null(struct json_writer *w, const char *key);
/* The text of a valid JSON object; NULL or "": an empty one. */
void json_member_object(struct json_writer *w, const char *key,
    const char *text);

#endif
