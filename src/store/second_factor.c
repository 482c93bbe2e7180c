/* SPDX-License-Identifier: MIT */
/* Tables user_authenticator and user_backup_code. That a code counts once is
   decided here, by one statement each, so that of two log-ins with the same
   code one wins. */
#include "config.h"

#include "wuts/second_factor_store.h"
#include "store_private.h"

#include <string.h>

enum {
	AUTHENTICATOR_INSERT,
	AUTHENTICATOR_FIND,
	AUTHENTICATOR_FIND_ENFORCED,
	AUTHENTICATOR_TRY,
	AUTHENTICATOR_USE,
	AUTHENTICATOR_DELETE,
	AUTHENTICATOR_LIST,
	AUTHENTICATOR_RESEAL,
	BACKUP_CODE_INSERT,
	BACKUP_CODE_EXISTS,
	BACKUP_CODE_LIST,
	BACKUP_CODE_DELETE,
	BACKUP_CODE_DELETE_ALL,
	SECOND_FACTOR_STMT_COUNT
};

#define AUTHENTICATOR_COLUMNS \
	"id, tenant_id, user_id, secret_sealed, account, last_step," \
	" failures, tried_at, created_at, updated_at"

static const struct stmt_def second_factor_stmts[SECOND_FACTOR_STMT_COUNT] = {
	[AUTHENTICATOR_INSERT] = { "authenticator_insert",
	    "INSERT INTO user_authenticator (" AUTHENTICATOR_COLUMNS ")"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	[AUTHENTICATOR_FIND] = { "authenticator_find",
	    "SELECT " AUTHENTICATOR_COLUMNS " FROM user_authenticator"
	    " WHERE tenant_id = ? AND user_id = ?" },
	[AUTHENTICATOR_FIND_ENFORCED] = { "authenticator_find_enforced",
	    "SELECT " AUTHENTICATOR_COLUMNS " FROM user_authenticator"
	    " WHERE tenant_id = ? AND user_id = ? AND EXISTS (SELECT 1"
	    " FROM user_profile WHERE"
	    " user_profile.tenant_id = user_authenticator.tenant_id"
	    " AND user_profile.user_id = user_authenticator.user_id"
	    " AND user_profile.second_factor_policy = 'enforced')" },
	[AUTHENTICATOR_TRY] = { "authenticator_try",
	    "UPDATE user_authenticator SET failures = failures + 1,"
	    " tried_at = ? WHERE tenant_id = ? AND id = ? AND failures = ?" },
	[AUTHENTICATOR_USE] = { "authenticator_use",
	    "UPDATE user_authenticator SET last_step = GREATEST(last_step, ?),"
	    " failures = 0 WHERE tenant_id = ? AND id = ?"
	    " AND (last_step < ? OR ? = 0)" },
	[AUTHENTICATOR_DELETE] = { "authenticator_delete",
	    "DELETE FROM user_authenticator"
	    " WHERE tenant_id = ? AND user_id = ?" },
	[AUTHENTICATOR_LIST] = { "authenticator_list",
	    "SELECT " AUTHENTICATOR_COLUMNS " FROM user_authenticator"
	    " WHERE tenant_id = ? AND id > ? ORDER BY id LIMIT ?" },
	[AUTHENTICATOR_RESEAL] = { "authenticator_reseal",
	    "UPDATE user_authenticator SET secret_sealed = ?"
	    " WHERE tenant_id = ? AND id = ?" },
	[BACKUP_CODE_INSERT] = { "backup_code_insert",
	    "INSERT INTO user_backup_code (id, tenant_id, user_id, code_hash,"
	    " created_at) VALUES (?, ?, ?, ?, ?)" },
	[BACKUP_CODE_EXISTS] = { "backup_code_exists",
	    "SELECT 1 FROM user_backup_code"
	    " WHERE tenant_id = ? AND user_id = ? LIMIT 1" },
	[BACKUP_CODE_LIST] = { "backup_code_list",
	    "SELECT id, code_hash FROM user_backup_code"
	    " WHERE tenant_id = ? AND user_id = ?" },
	[BACKUP_CODE_DELETE] = { "backup_code_delete",
	    "DELETE FROM user_backup_code"
	    " WHERE tenant_id = ? AND user_id = ? AND id = ?" },
	[BACKUP_CODE_DELETE_ALL] = { "backup_code_delete_all",
	    "DELETE FROM user_backup_code"
	    " WHERE tenant_id = ? AND user_id = ?" },
};

int
authenticator_store_insert(struct db *db,
    const struct authenticator *authenticator, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, &authenticator->id);
	bind_uuid(&in, &authenticator->tenant_id);
	bind_uuid(&in, &authenticator->user_id);
	bind_bytes(&in, authenticator->sealed, authenticator->sealed_len);
	bind_text(&in, authenticator->account);
	bind_int(&in, (int64_t)authenticator->last_step);
	bind_int(&in, (int64_t)authenticator->failures);
	bind_time_or_null(&in, authenticator->tried_us);
	bind_time(&in, authenticator->created_us);
	bind_time(&in, authenticator->updated_us);
	return stmt_write(db, &second_factor_stmts[AUTHENTICATOR_INSERT], &in,
	    NULL, fault);
}

struct authenticator_columns {
	struct authenticator *row;
	const uint8_t *sealed;
	size_t sealed_len;
};

static void
fetch_authenticator(struct columns *out, struct arena *arena,
    struct authenticator_columns *to)
{
	struct authenticator *row = to->row;

	columns_init(out);
	fetch_uuid(out, &row->id);
	fetch_uuid(out, &row->tenant_id);
	fetch_uuid(out, &row->user_id);
	fetch_arena_bytes(out, arena, &to->sealed, &to->sealed_len);
	fetch_arena_text(out, arena, &row->account);
	fetch_uint64(out, &row->last_step);
	fetch_unsigned(out, &row->failures);
	fetch_time(out, &row->tried_us);
	fetch_time(out, &row->created_us);
	fetch_time(out, &row->updated_us);
}

static void
take_sealed(const struct authenticator_columns *from)
{
	struct authenticator *row = from->row;

	/* The column holds no more than this. */
	row->sealed_len = from->sealed_len <= sizeof(row->sealed) ?
	    from->sealed_len : 0;
	if (row->sealed_len > 0)
		memcpy(row->sealed, from->sealed, row->sealed_len);
}

static int
find(struct db *db, int stmt, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *user_id,
    struct authenticator *authenticator_r, struct fault *fault)
{
	struct authenticator_columns to = { .row = authenticator_r };
	struct params in;
	struct columns out;
	int found;

	memset(authenticator_r, 0, sizeof(*authenticator_r));
	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	fetch_authenticator(&out, arena, &to);
	found = stmt_read_one(db, &second_factor_stmts[stmt], &in, &out,
	    fault);
	if (found == 1)
		take_sealed(&to);
	return found;
}

int
authenticator_store_find(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *user_id,
    struct authenticator *authenticator_r, struct fault *fault)
{
	return find(db, AUTHENTICATOR_FIND, arena, tenant_id, user_id,
	    authenticator_r, fault);
}

int
authenticator_store_find_enforced(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *user_id,
    struct authenticator *authenticator_r, struct fault *fault)
{
	return find(db, AUTHENTICATOR_FIND_ENFORCED, arena, tenant_id,
	    user_id, authenticator_r, fault);
}

int
authenticator_store_try(struct db *db,
    const struct authenticator *authenticator, int64_t now_us,
    struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_time(&in, now_us);
	bind_uuid(&in, &authenticator->tenant_id);
	bind_uuid(&in, &authenticator->id);
	bind_int(&in, (int64_t)authenticator->failures);
	if (stmt_write(db, &second_factor_stmts[AUTHENTICATOR_TRY], &in,
	    &rows, fault) < 0)
		return -1;
	return rows > 0;
}

int
authenticator_store_use(struct db *db,
    const struct authenticator *authenticator, uint64_t step,
    struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_int(&in, (int64_t)step);
	bind_uuid(&in, &authenticator->tenant_id);
	bind_uuid(&in, &authenticator->id);
	bind_int(&in, (int64_t)step);
	bind_int(&in, (int64_t)step);
	if (stmt_write(db, &second_factor_stmts[AUTHENTICATOR_USE], &in,
	    &rows, fault) < 0)
		return -1;
	return rows > 0;
}

struct authenticator_listing {
	struct authenticator_columns to;
	authenticator_row *row;
	void *ctx;
};

static int
visit_authenticator(void *ctx, struct fault *fault)
{
	struct authenticator_listing *listing = ctx;

	take_sealed(&listing->to);
	return listing->row(listing->ctx, listing->to.row, fault);
}

int
authenticator_store_list(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *after, unsigned limit,
    authenticator_row *row, void *ctx, struct fault *fault)
{
	struct authenticator authenticator;
	struct authenticator_listing listing = {
		.to = { .row = &authenticator },
		.row = row,
		.ctx = ctx
	};
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, after);
	bind_limit(&in, limit);
	fetch_authenticator(&out, arena, &listing.to);
	return stmt_read(db, &second_factor_stmts[AUTHENTICATOR_LIST], &in,
	    &out, visit_authenticator, &listing, fault);
}

int
authenticator_store_reseal(struct db *db,
    const struct authenticator *authenticator, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_bytes(&in, authenticator->sealed, authenticator->sealed_len);
	bind_uuid(&in, &authenticator->tenant_id);
	bind_uuid(&in, &authenticator->id);
	return stmt_update(db, &second_factor_stmts[AUTHENTICATOR_RESEAL],
	    &in, fault);
}

/* Deletes what the user has; *rows_r (may be NULL): how many. */
static int
delete_of_user(struct db *db, int stmt, const struct uuid *tenant_id,
    const struct uuid *user_id, uint64_t *rows_r, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	return stmt_write(db, &second_factor_stmts[stmt], &in, rows_r,
	    fault) < 0 ? -1 : 0;
}

int
authenticator_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, struct fault *fault)
{
	uint64_t rows = 0;

	if (delete_of_user(db, AUTHENTICATOR_DELETE, tenant_id, user_id,
	    &rows, fault) < 0)
		return -1;
	return rows > 0;
}

int
backup_code_store_insert(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id,
    const char hash[CRYPTO_PASSWORD_HASH_MAX], int64_t now_us,
    struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, id);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	bind_text(&in, hash);
	bind_time(&in, now_us);
	return stmt_update(db, &second_factor_stmts[BACKUP_CODE_INSERT], &in,
	    fault);
}

int
backup_code_store_exists(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, struct fault *fault)
{
	unsigned one = 0;
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	columns_init(&out);
	fetch_unsigned(&out, &one);
	return stmt_read_one(db, &second_factor_stmts[BACKUP_CODE_EXISTS],
	    &in, &out, fault);
}

struct backup_code_listing {
	struct uuid id;
	char hash[CRYPTO_PASSWORD_HASH_MAX];
	backup_code_row *row;
	void *ctx;
};

static int
visit_backup_code(void *ctx, struct fault *fault)
{
	struct backup_code_listing *listing = ctx;

	return listing->row(listing->ctx, &listing->id, listing->hash, fault);
}

int
backup_code_store_list(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, backup_code_row *row, void *ctx,
    struct fault *fault)
{
	struct backup_code_listing listing = { .row = row, .ctx = ctx };
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	columns_init(&out);
	fetch_uuid(&out, &listing.id);
	fetch_text(&out, listing.hash, sizeof(listing.hash));
	return stmt_read(db, &second_factor_stmts[BACKUP_CODE_LIST], &in,
	    &out, visit_backup_code, &listing, fault);
}

int
backup_code_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id, struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	bind_uuid(&in, id);
	if (stmt_write(db, &second_factor_stmts[BACKUP_CODE_DELETE], &in,
	    &rows, fault) < 0)
		return -1;
	return rows > 0;
}

int
backup_code_store_delete_all(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, struct fault *fault)
{
	return delete_of_user(db, BACKUP_CODE_DELETE_ALL, tenant_id, user_id,
	    NULL, fault);
}
