/* SPDX-License-Identifier: MIT */
/* Values to and from the binary protocol: no value ever becomes SQL text. A
   column of the database that does not fit the C side is a fault, never a
   value cut short. */
#include "config.h"

#include "store_private.h"

#include "wuts/arena.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/mem.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void
time_to_sql(int64_t wall_us, MYSQL_TIME *time_r)
{
	int64_t micros = wall_us % CLOCK_SECOND_US;
	time_t seconds;
	struct tm tm;

	if (micros < 0)
		micros += CLOCK_SECOND_US;
	seconds = (time_t)((wall_us - micros) / CLOCK_SECOND_US);
	wuts_assert(gmtime_r(&seconds, &tm) != NULL);
	memset(time_r, 0, sizeof(*time_r));
	time_r->year = (unsigned)(tm.tm_year + 1900);
	time_r->month = (unsigned)(tm.tm_mon + 1);
	time_r->day = (unsigned)tm.tm_mday;
	time_r->hour = (unsigned)tm.tm_hour;
	time_r->minute = (unsigned)tm.tm_min;
	time_r->second = (unsigned)tm.tm_sec;
	time_r->second_part = (unsigned long)micros;
	time_r->time_type = MYSQL_TIMESTAMP_DATETIME;
}

static int64_t
time_from_sql(const MYSQL_TIME *time)
{
	struct tm tm = {
		.tm_year = (int)time->year - 1900,
		.tm_mon = (int)time->month - 1,
		.tm_mday = (int)time->day,
		.tm_hour = (int)time->hour,
		.tm_min = (int)time->minute,
		.tm_sec = (int)time->second,
	};

	return (int64_t)timegm(&tm) * CLOCK_SECOND_US +
	    (int64_t)time->second_part;
}

void
params_init(struct params *in)
{
	memset(in, 0, sizeof(*in));
	in->max = BIND_MAX;
	in->bind = in->few_bind;
	in->value = in->few_value;
}

void
params_init_many(struct params *in, unsigned max)
{
	in->n = 0;
	in->max = max;
	in->bind = mem_calloc(max, sizeof(in->bind[0]));
	in->value = mem_calloc(max, sizeof(in->value[0]));
}

void
params_deinit(struct params *in)
{
	free(in->bind);
	free(in->value);
	in->bind = NULL;
	in->value = NULL;
}

static MYSQL_BIND *
param_next(struct params *in, union bind_value **value_r)
{
	wuts_assert(in->n < in->max);
	if (value_r != NULL)
		*value_r = &in->value[in->n];
	return &in->bind[in->n++];
}

void
bind_bytes(struct params *in, const void *data, size_t len)
{
	MYSQL_BIND *bind = param_next(in, NULL);

	/* Without a buffer Connector/C would send NULL, not "no bytes". */
	bind->buffer_type = MYSQL_TYPE_BLOB;
	bind->buffer = (void *)(uintptr_t)(data != NULL ? data : "");
	bind->buffer_length = (unsigned long)len;
}

void
bind_null(struct params *in)
{
	param_next(in, NULL)->buffer_type = MYSQL_TYPE_NULL;
}

void
bind_uuid(struct params *in, const struct uuid *uuid)
{
	bind_bytes(in, uuid->b, sizeof(uuid->b));
}

void
bind_uuid_or_null(struct params *in, const struct uuid *uuid)
{
	if (uuid_is_nil(uuid))
		bind_null(in);
	else
		bind_uuid(in, uuid);
}

void
bind_text(struct params *in, const char *text)
{
	MYSQL_BIND *bind;

	if (text == NULL) {
		bind_null(in);
		return;
	}
	bind = param_next(in, NULL);
	bind->buffer_type = MYSQL_TYPE_STRING;
	bind->buffer = (void *)(uintptr_t)text;
	bind->buffer_length = (unsigned long)strlen(text);
}

void
bind_int(struct params *in, int64_t number)
{
	union bind_value *value;
	MYSQL_BIND *bind = param_next(in, &value);

	value->number = number;
	bind->buffer_type = MYSQL_TYPE_LONGLONG;
	bind->buffer = &value->number;
}

void
bind_time(struct params *in, int64_t wall_us)
{
	union bind_value *value;
	MYSQL_BIND *bind = param_next(in, &value);

	time_to_sql(wall_us, &value->time);
	bind->buffer_type = MYSQL_TYPE_DATETIME;
	bind->buffer = &value->time;
}

void
bind_time_or_null(struct params *in, int64_t wall_us)
{
	if (wall_us == 0)
		bind_null(in);
	else
		bind_time(in, wall_us);
}

void
bind_limit(struct params *in, unsigned limit)
{
	bind_int(in, limit == 0 ? INT64_MAX : (int64_t)limit);
}

void
columns_init(struct columns *out)
{
	memset(out, 0, sizeof(*out));
}

static struct column *
column_next(struct columns *out, enum column_kind kind, void *dest,
    MYSQL_BIND **bind_r, union bind_value **value_r)
{
	struct column *column;
	MYSQL_BIND *bind;

	wuts_assert(out->n < BIND_MAX);
	column = &out->column[out->n];
	bind = &out->bind[out->n];
	*value_r = &out->value[out->n];
	out->n++;
	column->kind = kind;
	column->dest = dest;
	bind->length = &column->real_len;
	bind->is_null = &column->is_null;
	bind->error = &column->is_cut;
	*bind_r = bind;
	return column;
}

/* A column whose bytes go straight to where they belong, or, without dest, to
   the small value beside the bind. */
static struct column *
column_raw(struct columns *out, enum column_kind kind, void *dest, size_t size,
    enum enum_field_types type)
{
	union bind_value *value;
	struct column *column;
	MYSQL_BIND *bind;

	column = column_next(out, kind, dest, &bind, &value);
	column->size = size;
	bind->buffer_type = type;
	bind->buffer = dest != NULL ? dest : value->text;
	bind->buffer_length = (unsigned long)size;
	return column;
}

/* A column that is converted from the small value beside its bind. */
static struct column *
column_converted(struct columns *out, enum column_kind kind, void *dest,
    enum enum_field_types type)
{
	union bind_value *value;
	struct column *column;
	MYSQL_BIND *bind;

	column = column_next(out, kind, dest, &bind, &value);
	column->size = sizeof(*value);
	bind->buffer_type = type;
	bind->buffer = value;
	bind->buffer_length = sizeof(*value);
	return column;
}

void
fetch_bytes(struct columns *out, void *dest, size_t len)
{
	(void)column_raw(out, COLUMN_BYTES, dest, len, MYSQL_TYPE_BLOB);
}

void
fetch_uuid(struct columns *out, struct uuid *dest)
{
	fetch_bytes(out, dest->b, sizeof(dest->b));
}

void
fetch_text(struct columns *out, char *dest, size_t size)
{
	(void)column_raw(out, COLUMN_TEXT, dest, size, MYSQL_TYPE_STRING);
}

/* Nothing is fetched with the row but its length; see take_arena(). */
static void
fetch_arena(struct columns *out, struct arena *arena, void *dest,
    size_t *len_r)
{
	struct column *column;

	column = column_raw(out, COLUMN_ARENA, NULL, 0, MYSQL_TYPE_BLOB);
	column->dest = dest;
	column->arena = arena;
	column->len_r = len_r;
}

void
fetch_arena_text(struct columns *out, struct arena *arena, const char **dest)
{
	fetch_arena(out, arena, dest, NULL);
}

void
fetch_arena_bytes(struct columns *out, struct arena *arena,
    const uint8_t **dest, size_t *len_r)
{
	fetch_arena(out, arena, dest, len_r);
}

void
fetch_unsigned(struct columns *out, unsigned *dest)
{
	(void)column_converted(out, COLUMN_UNSIGNED, dest,
	    MYSQL_TYPE_LONGLONG);
}

void
fetch_uint64(struct columns *out, uint64_t *dest)
{
	(void)column_converted(out, COLUMN_UINT64, dest, MYSQL_TYPE_LONGLONG);
}

void
fetch_bool(struct columns *out, bool *dest)
{
	(void)column_converted(out, COLUMN_BOOL, dest,
	    MYSQL_TYPE_LONGLONG);
}

void
fetch_time(struct columns *out, int64_t *dest)
{
	(void)column_converted(out, COLUMN_TIME, dest,
	    MYSQL_TYPE_DATETIME);
}

void
fetch_word(struct columns *out, column_word *parse, void *dest)
{
	column_converted(out, COLUMN_WORD, dest, MYSQL_TYPE_STRING)->parse =
	    parse;
}

static bool
role_word(const char *word, void *dest)
{
	return role_parse(word, dest);
}

void
fetch_role(struct columns *out, enum role *dest)
{
	fetch_word(out, role_word, dest);
}

static bool
take_arena(struct column *column, MYSQL_STMT *stmt, unsigned index)
{
	unsigned long len = column->is_null ? 0 : column->real_len;
	char *data = NULL;

	if (!column->is_null) {
		data = arena_alloc(column->arena, len + 1);
		if (len > 0) {
			MYSQL_BIND bind = {
				.buffer_type = MYSQL_TYPE_BLOB,
				.buffer = data,
				.buffer_length = len,
				.length = &column->real_len,
			};
			if (mysql_stmt_fetch_column(stmt, &bind, index, 0) != 0)
				return false;
		}
		data[len] = '\0';
	}
	/* Pointers to bytes and to characters look alike in memory only by
	   the ABI; memcpy keeps out of that argument. */
	memcpy(column->dest, &data, sizeof(data));
	if (column->len_r != NULL)
		*column->len_r = len;
	return true;
}

static bool
take_text(struct column *column)
{
	char *text = column->dest;

	if (column->is_null)
		column->real_len = 0;
	if (column->real_len >= column->size)
		return false;
	text[column->real_len] = '\0';
	return true;
}

static bool
take_word(struct column *column, union bind_value *value)
{
	if (column->is_null)
		column->real_len = 0;
	if (column->real_len >= sizeof(value->text))
		return false;
	value->text[column->real_len] = '\0';
	return column->parse(value->text, column->dest);
}

static bool
take_unsigned(struct column *column, const union bind_value *value)
{
	int64_t number = column->is_null ? 0 : value->number;

	if (number < 0 || number > UINT_MAX)
		return false;
	*(unsigned *)column->dest = (unsigned)number;
	return true;
}

static bool
take_uint64(struct column *column, const union bind_value *value)
{
	int64_t number = column->is_null ? 0 : value->number;

	if (number < 0)
		return false;
	*(uint64_t *)column->dest = (uint64_t)number;
	return true;
}

static bool
column_take(struct column *column, union bind_value *value, MYSQL_STMT *stmt,
    unsigned index)
{
	switch (column->kind) {
	case COLUMN_BYTES:
		if (column->is_null)
			memset(column->dest, 0, column->size);
		return column->is_null || column->real_len == column->size;
	case COLUMN_TEXT:
		return take_text(column);
	case COLUMN_ARENA:
		return take_arena(column, stmt, index);
	case COLUMN_UNSIGNED:
		return take_unsigned(column, value);
	case COLUMN_UINT64:
		return take_uint64(column, value);
	case COLUMN_BOOL:
		*(bool *)column->dest = !column->is_null && value->number != 0;
		return true;
	case COLUMN_TIME:
		*(int64_t *)column->dest =
		    column->is_null ? 0 : time_from_sql(&value->time);
		return true;
	case COLUMN_WORD:
		return take_word(column, value);
	}
	return false;
}

int
columns_take(struct columns *out, MYSQL_STMT *stmt, struct fault *fault)
{
	unsigned i;

	for (i = 0; i < out->n; i++) {
		if (column_take(&out->column[i], &out->value[i], stmt, i))
			continue;
		return fault_set(fault, FAULT_DATABASE,
		    "column %u holds what this release does not know", i + 1);
	}
	return 0;
}
