/* SPDX-License-Identifier: MIT */
/* Scalars and lists of the Wacht dialect (spec/wacht.md §1.5, §1.6, §1.8). */
#include "config.h"

#include "wuts/clock.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/uuid.h"

#include "wacht_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

char *
wacht_time_format(int64_t wall_us, char buf[WACHT_TIME_SIZE])
{
	char seconds[CLOCK_RFC3339_SIZE];
	int64_t micros = wall_us % CLOCK_SECOND_US;

	clock_format(wall_us, seconds);
	snprintf(buf, WACHT_TIME_SIZE, "%.19s.%06uZ", seconds,
	    (unsigned)(micros < 0 ? micros + CLOCK_SECOND_US : micros));
	return buf;
}

void
wacht_put_string(struct json_writer *w, const char *key, const char *value)
{
	json_write_key(w, key);
	json_write_string(w, value);
}

void
wacht_put_string_or_null(struct json_writer *w, const char *key,
    const char *value)
{
	if (value == NULL || value[0] == '\0')
		wacht_put_null(w, key);
	else
		wacht_put_string(w, key, value);
}

void
wacht_put_uuid(struct json_writer *w, const char *key,
    const struct uuid *value)
{
	char text[UUID_TEXT_LEN + 1];

	json_write_key(w, key);
	json_write_string_len(w, uuid_format(value, text), UUID_TEXT_LEN);
}

void
wacht_put_uuid_or_null(struct json_writer *w, const char *key,
    const struct uuid *value)
{
	if (uuid_is_nil(value))
		wacht_put_null(w, key);
	else
		wacht_put_uuid(w, key, value);
}

void
wacht_put_time(struct json_writer *w, const char *key, int64_t wall_us)
{
	char text[WACHT_TIME_SIZE];

	wacht_put_string(w, key, wacht_time_format(wall_us, text));
}

void
wacht_put_time_or_null(struct json_writer *w, const char *key,
    int64_t wall_us)
{
	if (wall_us == 0)
		wacht_put_null(w, key);
	else
		wacht_put_time(w, key, wall_us);
}

void
wacht_put_bool(struct json_writer *w, const char *key, bool value)
{
	json_write_key(w, key);
	json_write_bool(w, value);
}

void
wacht_put_int(struct json_writer *w, const char *key, int64_t value)
{
	json_write_key(w, key);
	json_write_int(w, value);
}

void
wacht_put_null(struct json_writer *w, const char *key)
{
	json_write_key(w, key);
	json_write_null(w);
}

void
wacht_put_json(struct json_writer *w, const char *key, const char *text)
{
	if (text == NULL || text[0] == '\0')
		text = "{}";
	json_write_key(w, key);
	json_write_raw(w, text, strlen(text));
}

int
wacht_answer_nothing(struct exchange *x)
{
	struct json_writer *w = response_json(x);

	response_status(x, 200);
	json_write_object_begin(w);
	json_write_object_end(w);
	return 0;
}

struct json_writer *
wacht_list_begin(struct exchange *x)
{
	struct json_writer *w = response_json(x);

	response_status(x, 200);
	json_write_object_begin(w);
	json_write_key(w, "data");
	json_write_array_begin(w);
	return w;
}

int
wacht_list_end(struct exchange *x, uint64_t total, uint64_t limit,
    uint64_t offset, bool has_more)
{
	struct json_writer *w = response_json(x);

	json_write_array_end(w);
	wacht_put_int(w, "total", (int64_t)total);
	wacht_put_int(w, "limit", (int64_t)limit);
	wacht_put_int(w, "offset", (int64_t)offset);
	wacht_put_bool(w, "has_more", has_more);
	json_write_object_end(w);
	return 0;
}

int
wacht_list_end_whole(struct exchange *x, size_t n)
{
	return wacht_list_end(x, n, n, 0, false);
}
