/* SPDX-License-Identifier: MIT */
/* Members of JSON objects, as the writer has them and as times and ids are
   written everywhere. */
#include "config.h"

#include "wuts/clock.h"
#include "wuts/json.h"
#include "wuts/uuid.h"

#include <string.h>

void
json_member_text(struct json_writer *w, const char *key, const char *value)
{
	json_write_key(w, key);
	json_write_string(w, value);
}

void
json_member_text_or_null(struct json_writer *w, const char *key,
    const char *value)
{
	if (value == NULL || value[0] == '\0')
		json_member_null(w, key);
	else
		json_member_text(w, key, value);
}

void
json_member_uuid(struct json_writer *w, const char *key,
    const struct uuid *value)
{
	char text[UUID_TEXT_LEN + 1];

	json_write_key(w, key);
	json_write_string_len(w, uuid_format(value, text), UUID_TEXT_LEN);
}

void
json_member_uuid_or_null(struct json_writer *w, const char *key,
    const struct uuid *value)
{
	if (uuid_is_nil(value))
		json_member_null(w, key);
	else
		json_member_uuid(w, key, value);
}

void
json_member_time(struct json_writer *w, const char *key, int64_t wall_us)
{
	char text[CLOCK_RFC3339_SIZE];

	json_member_text(w, key, clock_format(wall_us, text));
}

void
json_member_time_or_null(struct json_writer *w, const char *key,
    int64_t wall_us)
{
	if (wall_us == 0)
		json_member_null(w, key);
	else
		json_member_time(w, key, wall_us);
}

void
json_member_micros(struct json_writer *w, const char *key, int64_t wall_us)
{
	char text[CLOCK_RFC3339_MICROS_SIZE];

	json_member_text(w, key, clock_format_micros(wall_us, text));
}

void
json_member_micros_or_null(struct json_writer *w, const char *key,
    int64_t wall_us)
{
	if (wall_us == 0)
		json_member_null(w, key);
	else
		json_member_micros(w, key, wall_us);
}

void
json_member_bool(struct json_writer *w, const char *key, bool value)
{
	json_write_key(w, key);
	json_write_bool(w, value);
}

void
json_member_int(struct json_writer *w, const char *key, int64_t value)
{
	json_write_key(w, key);
	json_write_int(w, value);
}

void
json_member_null(struct json_writer *w, const char *key)
{
	json_write_key(w, key);
	json_write_null(w);
}

void
json_member_object(struct json_writer *w, const char *key, const char *text)
{
	if (text == NULL || text[0] == '\0')
		text = "{}";
	json_write_key(w, key);
	json_write_raw(w, text, strlen(text));
}
