/* SPDX-License-Identifier: MIT */
/* Table user_picture: which file is a user's picture. */
#include "config.h"

#include "wuts/picture_store.h"
#include "store_private.h"

enum {
	PICTURE_FIND,
	PICTURE_PUT,
	PICTURE_DELETE,
	PICTURE_IS_USED,
	PICTURE_STMT_COUNT
};

static const struct stmt_def picture_stmts[PICTURE_STMT_COUNT] = {
	[PICTURE_FIND] = { "picture_find",
	    "SELECT name FROM user_picture"
	    " WHERE tenant_id = ? AND user_id = ?" },
	[PICTURE_PUT] = { "picture_put",
	    "INSERT INTO user_picture (tenant_id, user_id, name, created_at)"
	    " VALUES (?, ?, ?, ?)"
	    " ON DUPLICATE KEY UPDATE name = ?, created_at = ?" },
	[PICTURE_DELETE] = { "picture_delete",
	    "DELETE FROM user_picture WHERE tenant_id = ? AND user_id = ?" },
	[PICTURE_IS_USED] = { "picture_is_used_any_tenant",
	    "SELECT 1 FROM user_picture WHERE name = ?" },
};

int
picture_store_find(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, char name_r[PICTURE_NAME_MAX + 1],
    struct fault *fault)
{
	struct params in;
	struct columns out;

	name_r[0] = '\0';
	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	columns_init(&out);
	fetch_text(&out, name_r, PICTURE_NAME_MAX + 1);
	return stmt_read_one(db, &picture_stmts[PICTURE_FIND], &in, &out,
	    fault);
}

int
picture_store_put(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const char *name, int64_t now_us,
    struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	bind_text(&in, name);
	bind_time(&in, now_us);
	bind_text(&in, name);
	bind_time(&in, now_us);
	return stmt_update(db, &picture_stmts[PICTURE_PUT], &in, fault);
}

int
picture_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	if (stmt_write(db, &picture_stmts[PICTURE_DELETE], &in, &rows,
	    fault) < 0)
		return -1;
	return rows > 0;
}

int
picture_store_is_used_any_tenant(struct db *db, const char *name,
    struct fault *fault)
{
	unsigned one = 0;
	struct params in;
	struct columns out;

	params_init(&in);
	bind_text(&in, name);
	columns_init(&out);
	fetch_unsigned(&out, &one);
	return stmt_read_one(db, &picture_stmts[PICTURE_IS_USED], &in, &out,
	    fault);
}
