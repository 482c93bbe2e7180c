/* SPDX-License-Identifier: MIT */
/* Table event_seen. Ids are noted many to a statement; only where one of them
   is there already is each asked for by itself. */
#include "config.h"

#include "wuts/event_store.h"
#include "store_private.h"

#include "wuts/clock.h"

#include <limits.h>

#define CHUNK 64

#define ROW "(?, ?, ?)"
#define ROWS_8 ROW "," ROW "," ROW "," ROW "," ROW "," ROW "," ROW "," ROW
#define ROWS_64 ROWS_8 "," ROWS_8 "," ROWS_8 "," ROWS_8 "," ROWS_8 "," \
	ROWS_8 "," ROWS_8 "," ROWS_8

enum {
	EVENT_NOTE,
	EVENT_NOTE_MANY,
	EVENT_NOTE_AGAIN,
	EVENT_IS_SEEN,
	EVENT_EXPIRE,
	EVENT_STMT_COUNT
};

static const struct stmt_def event_stmts[EVENT_STMT_COUNT] = {
	[EVENT_NOTE] = { "event_note",
	    "INSERT INTO event_seen (tenant_id, id, seen_at) VALUES " ROW },
	[EVENT_NOTE_MANY] = { "event_note_many",
	    "INSERT INTO event_seen (tenant_id, id, seen_at) VALUES "
	    ROWS_64 },
	[EVENT_NOTE_AGAIN] = { "event_note_again",
	    "UPDATE event_seen SET seen_at = ?"
	    " WHERE tenant_id = ? AND id = ? AND seen_at < ?" },
	[EVENT_IS_SEEN] = { "event_is_seen",
	    "SELECT seen_at FROM event_seen"
	    " WHERE tenant_id = ? AND id = ? AND seen_at >= ?" },
	[EVENT_EXPIRE] = { "event_expire",
	    "DELETE FROM event_seen WHERE seen_at < ?"
	    " ORDER BY seen_at LIMIT ?" },
};

static int64_t
horizon(int64_t now_us)
{
	return now_us - (int64_t)EVENT_SEEN_KEEP_S * CLOCK_SECOND_US;
}

static void
bind_rows(struct params *in, const struct uuid *tenant_id,
    const struct uuid *ids, size_t n, int64_t now_us)
{
	size_t i;

	for (i = 0; i < n; i++) {
		bind_uuid(in, tenant_id);
		bind_uuid(in, &ids[i]);
		bind_time(in, now_us);
	}
}

static int
note_one(struct db *db, const struct uuid *tenant_id, const struct uuid *id,
    int64_t now_us, bool *is_new_r, struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;
	int ret;

	params_init(&in);
	bind_rows(&in, tenant_id, id, 1, now_us);
	ret = stmt_write(db, &event_stmts[EVENT_NOTE], &in, NULL, fault);
	*is_new_r = ret == 1;
	if (ret != 0)
		return ret < 0 ? -1 : 0;
	params_init(&in);
	bind_time(&in, now_us);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, id);
	bind_time(&in, horizon(now_us));
	ret = stmt_write(db, &event_stmts[EVENT_NOTE_AGAIN], &in, &rows,
	    fault);
	*is_new_r = ret == 1 && rows > 0;
	return ret < 0 ? -1 : 0;
}

/* 1: all are new; 0: one is there, and none was noted; -1. */
static int
note_chunk(struct db *db, const struct uuid *tenant_id,
    const struct uuid *ids, int64_t now_us, struct fault *fault)
{
	struct params in;
	int ret;

	params_init_many(&in, 3 * CHUNK);
	bind_rows(&in, tenant_id, ids, CHUNK, now_us);
	ret = stmt_write(db, &event_stmts[EVENT_NOTE_MANY], &in, NULL, fault);
	params_deinit(&in);
	return ret;
}

int
event_store_note(struct db *db, const struct uuid *tenant_id,
    const struct uuid *ids, size_t n, int64_t now_us, bool *is_new_r,
    struct fault *fault)
{
	size_t i = 0, end;
	int all_new;

	while (i < n) {
		end = n - i >= CHUNK ? i + CHUNK : n;
		all_new = end - i < CHUNK ? 0 :
		    note_chunk(db, tenant_id, ids + i, now_us, fault);
		if (all_new < 0)
			return -1;
		for (; i < end; i++) {
			is_new_r[i] = true;
			if (all_new == 0 && note_one(db, tenant_id, &ids[i],
			    now_us, &is_new_r[i], fault) < 0)
				return -1;
		}
	}
	return 0;
}

int
event_store_is_seen(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, int64_t now_us, struct fault *fault)
{
	struct params in;
	struct columns out;
	int64_t seen_us;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, id);
	bind_time(&in, horizon(now_us));
	columns_init(&out);
	fetch_time(&out, &seen_us);
	return stmt_read_one(db, &event_stmts[EVENT_IS_SEEN], &in, &out,
	    fault);
}

int
event_store_expire(struct db *db, int64_t before_us, unsigned limit,
    struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_time(&in, before_us);
	bind_int(&in, limit > INT_MAX ? INT_MAX : (int64_t)limit);
	if (stmt_write(db, &event_stmts[EVENT_EXPIRE], &in, &rows, fault) < 0)
		return -1;
	return (int)rows;
}
