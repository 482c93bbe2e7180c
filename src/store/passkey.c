/* SPDX-License-Identifier: MIT */
/* Table user_passkey. */
#include "config.h"

#include "wuts/connection_store.h"
#include "store_private.h"

#include "wuts/connection.h"

enum {
	PASSKEY_INSERT,
	PASSKEY_LIST,
	PASSKEY_RENAME,
	PASSKEY_DELETE,
	PASSKEY_STMT_COUNT
};

#define AAGUID_LEN 16
#define BACKED_UP_UNKNOWN 2

static const struct stmt_def passkey_stmts[PASSKEY_STMT_COUNT] = {
	[PASSKEY_INSERT] = { "passkey_insert",
	    "INSERT INTO user_passkey (id, tenant_id, user_id, name,"
	    " credential_id, public_key, aaguid, sign_count, transports,"
	    " device_type, backed_up, created_at, updated_at, last_used_at)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	[PASSKEY_LIST] = { "passkey_list",
	    "SELECT id, tenant_id, user_id, name, credential_id, public_key,"
	    " aaguid, sign_count, transports, device_type,"
	    " COALESCE(backed_up, 2), created_at, updated_at, last_used_at"
	    " FROM user_passkey WHERE tenant_id = ? AND user_id = ?"
	    " ORDER BY created_at DESC, id DESC" },
	[PASSKEY_RENAME] = { "passkey_rename",
	    "UPDATE user_passkey SET name = ?, updated_at = ?"
	    " WHERE tenant_id = ? AND user_id = ? AND id = ?" },
	[PASSKEY_DELETE] = { "passkey_delete",
	    "DELETE FROM user_passkey"
	    " WHERE tenant_id = ? AND user_id = ? AND id = ?" },
};

int
passkey_store_insert(struct db *db, const struct passkey *passkey,
    struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, &passkey->id);
	bind_uuid(&in, &passkey->tenant_id);
	bind_uuid(&in, &passkey->user_id);
	bind_text(&in, passkey->name);
	bind_bytes(&in, passkey->credential_id, passkey->credential_id_len);
	bind_bytes(&in, passkey->public_key, passkey->public_key_len);
	if (passkey->aaguid != NULL)
		bind_bytes(&in, passkey->aaguid, AAGUID_LEN);
	else
		bind_null(&in);
	bind_int(&in, passkey->sign_count);
	bind_text(&in, passkey->transports);
	bind_text(&in, passkey->device_type);
	if (passkey->backed_up >= 0)
		bind_int(&in, passkey->backed_up);
	else
		bind_null(&in);
	bind_time(&in, passkey->created_us);
	bind_time(&in, passkey->updated_us);
	bind_time_or_null(&in, passkey->last_used_us);
	return stmt_write(db, &passkey_stmts[PASSKEY_INSERT], &in, NULL,
	    fault);
}

struct passkey_listing {
	struct passkey passkey;
	uint64_t sign_count;
	unsigned backed_up;
	size_t aaguid_len;
	passkey_visit *visit;
	void *ctx;
};

static int
visit_passkey(void *ctx, struct fault *fault)
{
	struct passkey_listing *listing = ctx;

	listing->passkey.sign_count = (int64_t)listing->sign_count;
	listing->passkey.backed_up =
	    listing->backed_up == BACKED_UP_UNKNOWN ? -1 :
	    (int)listing->backed_up;
	return listing->visit(listing->ctx, &listing->passkey, fault);
}

int
passkey_store_list(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *user_id,
    passkey_visit *visit, void *ctx, struct fault *fault)
{
	struct passkey_listing listing = { .visit = visit, .ctx = ctx };
	struct passkey *passkey = &listing.passkey;
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	columns_init(&out);
	fetch_uuid(&out, &passkey->id);
	fetch_uuid(&out, &passkey->tenant_id);
	fetch_uuid(&out, &passkey->user_id);
	fetch_arena_text(&out, arena, &passkey->name);
	fetch_arena_bytes(&out, arena, &passkey->credential_id,
	    &passkey->credential_id_len);
	fetch_arena_bytes(&out, arena, &passkey->public_key,
	    &passkey->public_key_len);
	fetch_arena_bytes(&out, arena, &passkey->aaguid, &listing.aaguid_len);
	fetch_uint64(&out, &listing.sign_count);
	fetch_arena_text(&out, arena, &passkey->transports);
	fetch_arena_text(&out, arena, &passkey->device_type);
	fetch_unsigned(&out, &listing.backed_up);
	fetch_time(&out, &passkey->created_us);
	fetch_time(&out, &passkey->updated_us);
	fetch_time(&out, &passkey->last_used_us);
	return stmt_read(db, &passkey_stmts[PASSKEY_LIST], &in, &out,
	    visit_passkey, &listing, fault);
}

int
passkey_store_rename(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id, const char *name,
    int64_t now_us, struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_text(&in, name);
	bind_time(&in, now_us);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	bind_uuid(&in, id);
	if (stmt_write(db, &passkey_stmts[PASSKEY_RENAME], &in, &rows,
	    fault) < 0)
		return -1;
	return rows > 0;
}

int
passkey_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id, struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	bind_uuid(&in, id);
	if (stmt_write(db, &passkey_stmts[PASSKEY_DELETE], &in, &rows,
	    fault) < 0)
		return -1;
	return rows > 0;
}
