/* SPDX-License-Identifier: MIT */
/* Table tenant. A tenant is deleted in two steps: marked, after which nobody
   finds it any more, and then swept away a bounded piece at a time, however
   large it is. */
#include "config.h"

#include "wuts/tenant_store.h"
#include "store_private.h"

#include "wuts/tenant.h"

enum {
	TENANT_INSERT,
	TENANT_FIND,
	TENANT_FIND_BY_NAME,
	TENANT_LOCK,
	TENANT_LOCK_CHAIN,
	TENANT_LIST,
	TENANT_COUNT,
	TENANT_MARK_DELETED,
	TENANT_LOCK_DELETED,
	TENANT_STMT_COUNT
};

#define TENANT_COLUMNS "id, name, created_at, updated_at"

static const struct stmt_def tenant_stmts[TENANT_STMT_COUNT] = {
	[TENANT_INSERT] = { "tenant_insert",
	    "INSERT INTO tenant (id, name, name_key, created_at, updated_at)"
	    " VALUES (?, ?, LOWER(?), ?, ?)" },
	[TENANT_FIND] = { "tenant_find",
	    "SELECT " TENANT_COLUMNS " FROM tenant"
	    " WHERE id = ? AND deleted_at IS NULL" },
	[TENANT_FIND_BY_NAME] = { "tenant_find_by_name",
	    "SELECT " TENANT_COLUMNS " FROM tenant"
	    " WHERE name_key = LOWER(?) AND deleted_at IS NULL" },
	[TENANT_LOCK] = { "tenant_lock",
	    "SELECT " TENANT_COLUMNS " FROM tenant"
	    " WHERE id = ? AND deleted_at IS NULL FOR UPDATE" },
	[TENANT_LOCK_CHAIN] = { "tenant_lock_chain",
	    "SELECT " TENANT_COLUMNS ", seq, hash FROM tenant"
	    " LEFT JOIN audit_chain ON audit_chain.tenant_id = tenant.id"
	    " WHERE id = ? AND deleted_at IS NULL FOR UPDATE" },
	[TENANT_LIST] = { "tenant_list",
	    "SELECT " TENANT_COLUMNS " FROM tenant"
	    " WHERE name_key > LOWER(?) AND deleted_at IS NULL"
	    " ORDER BY name_key LIMIT ?" },
	[TENANT_COUNT] = { "tenant_count",
	    "SELECT (SELECT COUNT(*) FROM users WHERE tenant_id = ?),"
	    " (SELECT COUNT(*) FROM device WHERE tenant_id = ?)" },
	[TENANT_MARK_DELETED] = { "tenant_mark_deleted",
	    "UPDATE tenant SET deleted_at = ?, name_key = ?"
	    " WHERE id = ? AND deleted_at IS NULL" },
	[TENANT_LOCK_DELETED] = { "tenant_lock_deleted",
	    "SELECT id FROM tenant WHERE deleted_at IS NOT NULL"
	    " ORDER BY deleted_at LIMIT 1 FOR UPDATE" },
};

/* Rows of a marked tenant, the lower ones first, so that no row takes more
   than its one webhook along. */
static const struct stmt_def sweep_stmts[] = {
	{ "tenant_sweep_events", "DELETE FROM event_seen"
	    " WHERE tenant_id = ? ORDER BY id LIMIT ?" },
	{ "tenant_sweep_deliveries", "DELETE FROM delivery"
	    " WHERE tenant_id = ? ORDER BY id LIMIT ?" },
	{ "tenant_sweep_keys", "DELETE FROM api_key"
	    " WHERE tenant_id = ? ORDER BY id LIMIT ?" },
	{ "tenant_sweep_devices", "DELETE FROM device"
	    " WHERE tenant_id = ? ORDER BY id LIMIT ?" },
	{ "tenant_sweep_users", "DELETE FROM users"
	    " WHERE tenant_id = ? ORDER BY id LIMIT ?" },
	{ "tenant_sweep_tenant", "DELETE FROM tenant"
	    " WHERE id = ? AND deleted_at IS NOT NULL LIMIT ?" },
};

static void
fetch_tenant(struct columns *out, struct tenant *tenant)
{
	columns_init(out);
	fetch_uuid(out, &tenant->id);
	fetch_text(out, tenant->name, sizeof(tenant->name));
	fetch_time(out, &tenant->created_us);
	fetch_time(out, &tenant->updated_us);
}

int
tenant_store_insert(struct db *db, const struct tenant *tenant,
    struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, &tenant->id);
	bind_text(&in, tenant->name);
	bind_text(&in, tenant->name);
	bind_time(&in, tenant->created_us);
	bind_time(&in, tenant->updated_us);
	return stmt_write(db, &tenant_stmts[TENANT_INSERT], &in, NULL, fault);
}

static int
tenant_read(struct db *db, const struct stmt_def *def, const struct uuid *id,
    struct tenant *tenant_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, id);
	fetch_tenant(&out, tenant_r);
	return stmt_read_one(db, def, &in, &out, fault);
}

int
tenant_store_find(struct db *db, const struct uuid *id,
    struct tenant *tenant_r, struct fault *fault)
{
	return tenant_read(db, &tenant_stmts[TENANT_FIND], id, tenant_r,
	    fault);
}

int
tenant_store_find_by_name(struct db *db, const char *name,
    struct tenant *tenant_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_text(&in, name);
	fetch_tenant(&out, tenant_r);
	return stmt_read_one(db, &tenant_stmts[TENANT_FIND_BY_NAME], &in, &out,
	    fault);
}

int
tenant_store_lock(struct db *db, const struct uuid *id,
    struct tenant *tenant_r, struct fault *fault)
{
	return tenant_read(db, &tenant_stmts[TENANT_LOCK], id, tenant_r,
	    fault);
}

int
tenant_store_lock_chain(struct db *db, const struct uuid *id,
    struct tenant *tenant_r, uint64_t *seq_r,
    uint8_t hash_r[CRYPTO_HASH_LEN], struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, id);
	fetch_tenant(&out, tenant_r);
	fetch_uint64(&out, seq_r);
	fetch_bytes(&out, hash_r, CRYPTO_HASH_LEN);
	return stmt_read_one(db, &tenant_stmts[TENANT_LOCK_CHAIN], &in, &out,
	    fault);
}

struct tenant_list {
	struct tenant tenant;
	tenant_row *row;
	void *ctx;
};

static int
tenant_list_row(void *ctx, struct fault *fault)
{
	struct tenant_list *list = ctx;

	return list->row(list->ctx, &list->tenant, fault);
}

/* Names are unique in their lower-case form, so the name alone says where the
   page before ended. */
int
tenant_store_list(struct db *db, const struct tenant *after, unsigned limit,
    tenant_row *row, void *ctx, struct fault *fault)
{
	struct tenant_list list = { .row = row, .ctx = ctx };
	struct params in;
	struct columns out;

	params_init(&in);
	bind_text(&in, after != NULL ? after->name : "");
	bind_limit(&in, limit);
	fetch_tenant(&out, &list.tenant);
	return stmt_read(db, &tenant_stmts[TENANT_LIST], &in, &out,
	    tenant_list_row, &list, fault);
}

int
tenant_store_count(struct db *db, const struct uuid *id, uint64_t *users_r,
    uint64_t *devices_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, id);
	bind_uuid(&in, id);
	columns_init(&out);
	fetch_uint64(&out, users_r);
	fetch_uint64(&out, devices_r);
	return stmt_read_one(db, &tenant_stmts[TENANT_COUNT], &in, &out,
	    fault) < 0 ? -1 : 0;
}

/* The name's key becomes one that no name has: a control character is in no
   name. */
int
tenant_store_mark_deleted(struct db *db, const struct uuid *id,
    int64_t deleted_us, struct fault *fault)
{
	char name_key[1 + UUID_TEXT_LEN + 1] = "\001";
	struct params in;
	uint64_t rows = 0;

	uuid_format(id, name_key + 1);
	params_init(&in);
	bind_time(&in, deleted_us);
	bind_text(&in, name_key);
	bind_uuid(&in, id);
	if (stmt_write(db, &tenant_stmts[TENANT_MARK_DELETED], &in, &rows,
	    fault) < 0)
		return -1;
	return rows > 0;
}

/* Inside a transaction the lock keeps two sweepers from each other's rows. */
static int
lock_deleted(struct db *db, struct uuid *id_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	columns_init(&out);
	fetch_uuid(&out, id_r);
	return stmt_read_one(db, &tenant_stmts[TENANT_LOCK_DELETED], &in,
	    &out, fault);
}

int
tenant_store_sweep(struct db *db, unsigned limit, struct fault *fault)
{
	uint64_t left = limit, rows;
	struct params in;
	struct uuid id;
	size_t i;
	int found;

	found = lock_deleted(db, &id, fault);
	if (found != 1)
		return found;
	for (i = 0; i < sizeof(sweep_stmts) / sizeof(sweep_stmts[0]) &&
	    left > 0; i++) {
		rows = 0;
		params_init(&in);
		bind_uuid(&in, &id);
		bind_int(&in, (int64_t)left);
		if (stmt_write(db, &sweep_stmts[i], &in, &rows, fault) < 0)
			return -1;
		left -= rows;
	}
	return 1;
}
