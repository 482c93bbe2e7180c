/* SPDX-License-Identifier: MIT */
/* Table replay. */
#include "config.h"

#include "wuts/replay_store.h"
#include "store_private.h"

#include <limits.h>
#include <string.h>

enum {
	REPLAY_INSERT,
	REPLAY_FIND,
	REPLAY_LIST_OPEN,
	REPLAY_ADVANCE,
	REPLAY_EXPIRE,
	REPLAY_STMT_COUNT
};

#define REPLAY_COLUMNS \
	"id, tenant_id, device_id, event_id, since_at, until_at, done," \
	" replayed, created_at, updated_at"

static const struct stmt_def replay_stmts[REPLAY_STMT_COUNT] = {
	[REPLAY_INSERT] = { "replay_insert",
	    "INSERT INTO replay (" REPLAY_COLUMNS ")"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	[REPLAY_FIND] = { "replay_find",
	    "SELECT " REPLAY_COLUMNS " FROM replay"
	    " WHERE tenant_id = ? AND device_id = ? AND id = ?" },
	[REPLAY_LIST_OPEN] = { "replay_list_open",
	    "SELECT " REPLAY_COLUMNS " FROM replay WHERE done = FALSE"
	    SQL_TENANT_LIVES("replay") " ORDER BY updated_at LIMIT ?" },
	[REPLAY_ADVANCE] = { "replay_advance",
	    "UPDATE replay SET replayed = replayed + ?, done = ?,"
	    " updated_at = ? WHERE tenant_id = ? AND id = ?" },
	[REPLAY_EXPIRE] = { "replay_expire",
	    "DELETE FROM replay WHERE done = TRUE AND updated_at < ?"
	    " ORDER BY updated_at LIMIT ?" },
};

int
replay_store_insert(struct db *db, const struct replay *replay,
    struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, &replay->id);
	bind_uuid(&in, &replay->tenant_id);
	bind_uuid(&in, &replay->device_id);
	bind_uuid_or_null(&in, &replay->event_id);
	bind_time(&in, replay->since_us);
	bind_time(&in, replay->until_us);
	bind_int(&in, replay->done);
	bind_int(&in, (int64_t)replay->replayed);
	bind_time(&in, replay->created_us);
	bind_time(&in, replay->updated_us);
	return stmt_update(db, &replay_stmts[REPLAY_INSERT], &in, fault);
}

static void
fetch_replay(struct columns *out, struct replay *replay)
{
	columns_init(out);
	fetch_uuid(out, &replay->id);
	fetch_uuid(out, &replay->tenant_id);
	fetch_uuid(out, &replay->device_id);
	fetch_uuid(out, &replay->event_id);
	fetch_time(out, &replay->since_us);
	fetch_time(out, &replay->until_us);
	fetch_bool(out, &replay->done);
	fetch_uint64(out, &replay->replayed);
	fetch_time(out, &replay->created_us);
	fetch_time(out, &replay->updated_us);
}

int
replay_store_find(struct db *db, const struct uuid *tenant_id,
    const struct uuid *device_id, const struct uuid *id,
    struct replay *replay_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, device_id);
	bind_uuid(&in, id);
	fetch_replay(&out, replay_r);
	return stmt_read_one(db, &replay_stmts[REPLAY_FIND], &in, &out,
	    fault);
}

struct replay_list {
	struct replay replay;
	replay_row *row;
	void *ctx;
};

static int
replay_list_row(void *ctx, struct fault *fault)
{
	struct replay_list *list = ctx;

	return list->row(list->ctx, &list->replay, fault);
}

int
replay_store_list_open(struct db *db, unsigned limit, replay_row *row,
    void *ctx, struct fault *fault)
{
	struct replay_list list = { .row = row, .ctx = ctx };
	struct params in;
	struct columns out;

	params_init(&in);
	bind_limit(&in, limit);
	fetch_replay(&out, &list.replay);
	return stmt_read(db, &replay_stmts[REPLAY_LIST_OPEN], &in, &out,
	    replay_list_row, &list, fault);
}

int
replay_store_advance(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, uint64_t more, bool done, int64_t now_us,
    struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_int(&in, (int64_t)more);
	bind_int(&in, done);
	bind_time(&in, now_us);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, id);
	return stmt_write(db, &replay_stmts[REPLAY_ADVANCE], &in, NULL,
	    fault) < 0 ? -1 : 0;
}

int
replay_store_expire(struct db *db, int64_t before_us, unsigned limit,
    struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_time(&in, before_us);
	bind_int(&in, limit > INT_MAX ? INT_MAX : (int64_t)limit);
	if (stmt_write(db, &replay_stmts[REPLAY_EXPIRE], &in, &rows,
	    fault) < 0)
		return -1;
	return (int)rows;
}
