/* SPDX-License-Identifier: MIT */
/* Table idempotency. A row in flight belongs to whoever wrote its created_at:
   every change of it names that time, so that a process which was given up for
   dead cannot write over the one that took its place. */
#include "config.h"

#include "wuts/idempotency_store.h"
#include "store_private.h"

#include <limits.h>
#include <string.h>

enum {
	IDEMPOTENCY_INSERT,
	IDEMPOTENCY_FIND,
	IDEMPOTENCY_TAKE_OVER,
	IDEMPOTENCY_FINISH,
	IDEMPOTENCY_DELETE,
	IDEMPOTENCY_EXPIRE,
	IDEMPOTENCY_COUNT_UNDER,
	IDEMPOTENCY_STMT_COUNT
};

#define IN_FLIGHT_SINCE \
	" WHERE key_hash = ? AND created_at = ? AND status IS NULL"

static const struct stmt_def idempotency_stmts[IDEMPOTENCY_STMT_COUNT] = {
	[IDEMPOTENCY_INSERT] = { "idempotency_insert",
	    "INSERT INTO idempotency (key_hash, body_hash, created_at)"
	    " VALUES (?, ?, ?)" },
	[IDEMPOTENCY_FIND] = { "idempotency_find",
	    "SELECT key_hash, body_hash, status, sealed, created_at"
	    " FROM idempotency WHERE key_hash = ?" },
	[IDEMPOTENCY_TAKE_OVER] = { "idempotency_take_over",
	    "UPDATE idempotency SET created_at = ?" IN_FLIGHT_SINCE },
	[IDEMPOTENCY_FINISH] = { "idempotency_finish",
	    "UPDATE idempotency SET status = ?, sealed = ?"
	    IN_FLIGHT_SINCE },
	[IDEMPOTENCY_DELETE] = { "idempotency_delete",
	    "DELETE FROM idempotency" IN_FLIGHT_SINCE },
	[IDEMPOTENCY_EXPIRE] = { "idempotency_expire",
	    "DELETE FROM idempotency WHERE created_at < ?"
	    " ORDER BY created_at LIMIT ?" },
	[IDEMPOTENCY_COUNT_UNDER] = { "idempotency_count_under",
	    "SELECT COUNT(*) FROM idempotency"
	    " WHERE LEFT(key_hash, 4) = ? AND created_at > ?" },
};

/* 1: the row was still that of created_us; 0: it was not; -1. */
static int
write_owned(struct db *db, const struct stmt_def *def, struct params *in,
    const uint8_t key_hash[CRYPTO_HASH_LEN], int64_t created_us,
    struct fault *fault)
{
	uint64_t rows = 0;

	bind_bytes(in, key_hash, CRYPTO_HASH_LEN);
	bind_time(in, created_us);
	if (stmt_write(db, def, in, &rows, fault) < 0)
		return -1;
	return rows > 0;
}

int
idempotency_store_insert(struct db *db, const struct idempotency_row *row,
    struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_bytes(&in, row->key_hash, sizeof(row->key_hash));
	bind_bytes(&in, row->body_hash, sizeof(row->body_hash));
	bind_time(&in, row->created_us);
	return stmt_write(db, &idempotency_stmts[IDEMPOTENCY_INSERT], &in,
	    NULL, fault);
}

int
idempotency_store_find(struct db *db, struct arena *arena,
    const uint8_t key_hash[CRYPTO_HASH_LEN], struct idempotency_row *row_r,
    struct fault *fault)
{
	struct params in;
	struct columns out;

	memset(row_r, 0, sizeof(*row_r));
	params_init(&in);
	bind_bytes(&in, key_hash, CRYPTO_HASH_LEN);
	columns_init(&out);
	fetch_bytes(&out, row_r->key_hash, sizeof(row_r->key_hash));
	fetch_bytes(&out, row_r->body_hash, sizeof(row_r->body_hash));
	fetch_unsigned(&out, &row_r->status);
	fetch_arena_bytes(&out, arena, &row_r->sealed, &row_r->sealed_len);
	fetch_time(&out, &row_r->created_us);
	return stmt_read_one(db, &idempotency_stmts[IDEMPOTENCY_FIND], &in,
	    &out, fault);
}

int
idempotency_store_take_over(struct db *db,
    const uint8_t key_hash[CRYPTO_HASH_LEN], int64_t created_us,
    int64_t new_created_us, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_time(&in, new_created_us);
	return write_owned(db, &idempotency_stmts[IDEMPOTENCY_TAKE_OVER], &in,
	    key_hash, created_us, fault);
}

int
idempotency_store_finish(struct db *db, const struct idempotency_row *row,
    struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_int(&in, row->status);
	bind_bytes(&in, row->sealed, row->sealed_len);
	return write_owned(db, &idempotency_stmts[IDEMPOTENCY_FINISH], &in,
	    row->key_hash, row->created_us, fault);
}

int
idempotency_store_delete(struct db *db,
    const uint8_t key_hash[CRYPTO_HASH_LEN], int64_t created_us,
    struct fault *fault)
{
	struct params in;

	params_init(&in);
	return write_owned(db, &idempotency_stmts[IDEMPOTENCY_DELETE], &in,
	    key_hash, created_us, fault) < 0 ? -1 : 0;
}

int
idempotency_store_expire(struct db *db, int64_t before_us, unsigned limit,
    struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_time(&in, before_us);
	bind_int(&in, limit > INT_MAX ? INT_MAX : (int64_t)limit);
	if (stmt_write(db, &idempotency_stmts[IDEMPOTENCY_EXPIRE], &in, &rows,
	    fault) < 0)
		return -1;
	return (int)rows;
}

int
idempotency_store_count_under(struct db *db,
    const uint8_t name[CRYPTO_KEY_NAME_LEN], int64_t after_us,
    uint64_t *count_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_bytes(&in, name, CRYPTO_KEY_NAME_LEN);
	bind_time(&in, after_us);
	columns_init(&out);
	fetch_uint64(&out, count_r);
	return stmt_read_one(db, &idempotency_stmts[IDEMPOTENCY_COUNT_UNDER],
	    &in, &out, fault) < 0 ? -1 : 0;
}
