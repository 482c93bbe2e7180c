/* SPDX-License-Identifier: MIT */
/* Table outbox: whoever inserts an id first has decided what becomes of the
   prepared record of that id. */
#include "config.h"

#include "wuts/outbox_store.h"
#include "store_private.h"

#include "wuts/fault.h"

#include <limits.h>

enum {
	OUTBOX_INSERT,
	OUTBOX_CLAIM,
	OUTBOX_IS_CLAIMED,
	OUTBOX_EXPIRE,
	OUTBOX_STMT_COUNT
};

static const struct stmt_def outbox_stmts[OUTBOX_STMT_COUNT] = {
	[OUTBOX_INSERT] = { "outbox_insert",
	    "INSERT INTO outbox (id, created_at) VALUES (?, ?)" },
	[OUTBOX_CLAIM] = { "outbox_claim",
	    "INSERT INTO outbox (id, created_at, claimed)"
	    " VALUES (?, ?, TRUE)" },
	[OUTBOX_IS_CLAIMED] = { "outbox_is_claimed",
	    "SELECT claimed FROM outbox WHERE id = ?" },
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

/* A claim whose answer was lost, or whose verdict was not kept, is made again
   and must find its own tombstone, not take it for the commit. */
static int
is_claimed(struct db *db, const struct uuid *id, struct fault *fault)
{
	struct params in;
	struct columns out;
	bool claimed = false;
	int found;

	params_init(&in);
	bind_uuid(&in, id);
	columns_init(&out);
	fetch_bool(&out, &claimed);
	found = stmt_read_one(db, &outbox_stmts[OUTBOX_IS_CLAIMED], &in,
	    &out, fault);
	if (found < 0)
		return -1;
	if (found == 0)
		return fault_set(fault, FAULT_DATABASE,
		    "outbox_is_claimed: the row was there and is gone");
	return claimed ? 1 : 0;
}

int
outbox_store_claim(struct db *db, const struct uuid *id, int64_t created_us,
    struct fault *fault)
{
	struct params in;
	int inserted;

	params_init(&in);
	bind_uuid(&in, id);
	bind_time(&in, created_us);
	inserted = stmt_write(db, &outbox_stmts[OUTBOX_CLAIM], &in, NULL,
	    fault);
	return inserted == 0 ? is_claimed(db, id, fault) : inserted;
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
