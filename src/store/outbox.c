/* SPDX-License-Identifier: MIT */
/* Table outbox: whoever inserts an id first has decided what becomes of the
   prepared record of that id. */
#include "config.h"

#include "wuts/outbox_store.h"
#include "store_private.h"

#include <limits.h>

enum {
	OUTBOX_INSERT,
	OUTBOX_EXPIRE,
	OUTBOX_STMT_COUNT
};

static const struct stmt_def outbox_stmts[OUTBOX_STMT_COUNT] = {
	[OUTBOX_INSERT] = { "outbox_insert",
	    "INSERT INTO outbox (id, created_at) VALUES (?, ?)" },
	[OUTBOX_EXPIRE] = { "outbox_expire",
	    "DELETE FROM outbox WHERE created_at < ?"
	    " ORDER BY created_at LIMIT ?" },
};

int
outbox_store_insert(struct db *db, const struct uuid *id, int64_t created_us,
    struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, id);
	bind_time(&in, created_us);
	return stmt_write(db, &outbox_stmts[OUTBOX_INSERT], &in, NULL, fault);
}

int
outbox_store_expire(struct db *db, int64_t before_us, unsigned limit,
    struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_time(&in, before_us);
	bind_int(&in, limit > INT_MAX ? INT_MAX : (int64_t)limit);
	if (stmt_write(db, &outbox_stmts[OUTBOX_EXPIRE], &in, &rows,
	    fault) < 0)
		return -1;
	return (int)rows;
}
