/* SPDX-License-Identifier: MIT */
/* Table api_key. Of a key it holds the keyed hash, by which it is looked up,
   and the prefix that people tell it by; never the key. */
#include "config.h"

#include "wuts/api_key_store.h"
#include "store_private.h"

#include "wuts/api_key.h"

enum {
	API_KEY_INSERT,
	API_KEY_FIND_BY_HASH,
	API_KEY_LOCK,
	API_KEY_LIST,
	API_KEY_DELETE,
	API_KEY_TOUCH,
	API_KEY_UPDATE_HASH,
	API_KEY_COUNT_OTHERS,
	API_KEY_LIST_UNDER,
	API_KEY_STMT_COUNT
};

#define API_KEY_COLUMNS \
	"id, tenant_id, name, prefix, scope, created_at, expires_at," \
	" last_used_at"

/* Two workers may note the same minute or cross each other: the later use
   stays. */
static const struct stmt_def api_key_stmts[API_KEY_STMT_COUNT] = {
	[API_KEY_INSERT] = { "api_key_insert",
	    "INSERT INTO api_key (" API_KEY_COLUMNS ", key_hash)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	[API_KEY_FIND_BY_HASH] = { "api_key_find_by_hash",
	    "SELECT " API_KEY_COLUMNS " FROM api_key WHERE key_hash = ?"
	    SQL_TENANT_LIVES("api_key") },
	[API_KEY_LOCK] = { "api_key_lock",
	    "SELECT " API_KEY_COLUMNS " FROM api_key"
	    " WHERE tenant_id = ? AND id = ? FOR UPDATE" },
	[API_KEY_LIST] = { "api_key_list",
	    "SELECT " API_KEY_COLUMNS " FROM api_key"
	    " WHERE tenant_id = ? AND id > ? ORDER BY id LIMIT ?" },
	[API_KEY_DELETE] = { "api_key_delete",
	    "DELETE FROM api_key WHERE tenant_id = ? AND id = ?" },
	[API_KEY_TOUCH] = { "api_key_touch_any_tenant",
	    "UPDATE api_key SET last_used_at = ? WHERE id = ?"
	    " AND (last_used_at IS NULL OR last_used_at < ?)" },
	[API_KEY_UPDATE_HASH] = { "api_key_update_hash_any_tenant",
	    "UPDATE api_key SET key_hash = ? WHERE id = ?" },
	[API_KEY_COUNT_OTHERS] = { "api_key_count_others_any_tenant",
	    "SELECT COUNT(*) FROM api_key WHERE LEFT(key_hash, 4) <> ?"
	    SQL_TENANT_LIVES("api_key") },
	[API_KEY_LIST_UNDER] = { "api_key_list_under_any_tenant",
	    "SELECT " API_KEY_COLUMNS " FROM api_key"
	    " WHERE LEFT(key_hash, 4) = ?" SQL_TENANT_LIVES("api_key")
	    " ORDER BY id" },
};

static bool
scope_word(const char *word, void *dest)
{
	return api_key_scope_parse(word, dest);
}

static void
fetch_api_key(struct columns *out, struct api_key *key)
{
	columns_init(out);
	fetch_uuid(out, &key->id);
	fetch_uuid(out, &key->tenant_id);
	fetch_text(out, key->name, sizeof(key->name));
	fetch_text(out, key->prefix, sizeof(key->prefix));
	fetch_word(out, scope_word, &key->scope);
	fetch_time(out, &key->created_us);
	fetch_time(out, &key->expires_us);
	fetch_time(out, &key->last_used_us);
}

int
api_key_store_insert(struct db *db, const struct api_key *key,
    const uint8_t hash[CRYPTO_HASH_LEN], struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, &key->id);
	bind_uuid(&in, &key->tenant_id);
	bind_text(&in, key->name);
	bind_text(&in, key->prefix);
	bind_text(&in, api_key_scope_name(key->scope));
	bind_time(&in, key->created_us);
	bind_time_or_null(&in, key->expires_us);
	bind_time_or_null(&in, key->last_used_us);
	bind_bytes(&in, hash, CRYPTO_HASH_LEN);
	return stmt_update(db, &api_key_stmts[API_KEY_INSERT], &in, fault);
}

int
api_key_store_find_by_hash(struct db *db, const uint8_t hash[CRYPTO_HASH_LEN],
    struct api_key *key_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_bytes(&in, hash, CRYPTO_HASH_LEN);
	fetch_api_key(&out, key_r);
	return stmt_read_one(db, &api_key_stmts[API_KEY_FIND_BY_HASH], &in,
	    &out, fault);
}

int
api_key_store_lock(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct api_key *key_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, id);
	fetch_api_key(&out, key_r);
	return stmt_read_one(db, &api_key_stmts[API_KEY_LOCK], &in, &out,
	    fault);
}

struct api_key_list {
	struct api_key key;
	api_key_row *row;
	void *ctx;
};

static int
api_key_list_row(void *ctx, struct fault *fault)
{
	struct api_key_list *list = ctx;

	return list->row(list->ctx, &list->key, fault);
}

int
api_key_store_list(struct db *db, const struct uuid *tenant_id,
    const struct uuid *after, unsigned limit, api_key_row *row, void *ctx,
    struct fault *fault)
{
	struct api_key_list list = { .row = row, .ctx = ctx };
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, after != NULL ? after : &UUID_NIL);
	bind_limit(&in, limit);
	fetch_api_key(&out, &list.key);
	return stmt_read(db, &api_key_stmts[API_KEY_LIST], &in, &out,
	    api_key_list_row, &list, fault);
}

/* What it was is read first, since not every server can return what it
   deletes. Without a transaction around, somebody else may be the one who
   deletes it: then it was not there. */
int
api_key_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct api_key *key_r, struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;
	int found;

	found = api_key_store_lock(db, tenant_id, id, key_r, fault);
	if (found != 1)
		return found;
	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, id);
	if (stmt_write(db, &api_key_stmts[API_KEY_DELETE], &in, &rows,
	    fault) < 0)
		return -1;
	return rows > 0;
}

int
api_key_store_touch(struct db *db, const struct uuid *id,
    int64_t last_used_us, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_time(&in, last_used_us);
	bind_uuid(&in, id);
	bind_time(&in, last_used_us);
	return stmt_write(db, &api_key_stmts[API_KEY_TOUCH], &in, NULL,
	    fault) < 0 ? -1 : 0;
}

int
api_key_store_update_hash(struct db *db, const struct uuid *id,
    const uint8_t hash[CRYPTO_HASH_LEN], struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_bytes(&in, hash, CRYPTO_HASH_LEN);
	bind_uuid(&in, id);
	return stmt_write(db, &api_key_stmts[API_KEY_UPDATE_HASH], &in, NULL,
	    fault) < 0 ? -1 : 0;
}

int
api_key_store_count_others(struct db *db,
    const uint8_t name[CRYPTO_KEY_NAME_LEN], uint64_t *count_r,
    struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_bytes(&in, name, CRYPTO_KEY_NAME_LEN);
	columns_init(&out);
	fetch_uint64(&out, count_r);
	return stmt_read_one(db, &api_key_stmts[API_KEY_COUNT_OTHERS], &in,
	    &out, fault) < 0 ? -1 : 0;
}

int
api_key_store_list_under(struct db *db,
    const uint8_t name[CRYPTO_KEY_NAME_LEN], api_key_row *row, void *ctx,
    struct fault *fault)
{
	struct api_key_list list = { .row = row, .ctx = ctx };
	struct params in;
	struct columns out;

	params_init(&in);
	bind_bytes(&in, name, CRYPTO_KEY_NAME_LEN);
	fetch_api_key(&out, &list.key);
	return stmt_read(db, &api_key_stmts[API_KEY_LIST_UNDER], &in, &out,
	    api_key_list_row, &list, fault);
}
