/* SPDX-License-Identifier: MIT */
/* Table tenant. */
#include "config.h"

#include "wuts/tenant_store.h"
#include "store_private.h"

#include "wuts/tenant.h"

enum {
	TENANT_INSERT,
	TENANT_FIND,
	TENANT_LOCK,
	TENANT_LIST,
	TENANT_STMT_COUNT
};

#define TENANT_COLUMNS "id, name, created_at, updated_at"

static const struct stmt_def tenant_stmts[TENANT_STMT_COUNT] = {
	[TENANT_INSERT] = { "tenant_insert",
	    "INSERT INTO tenant (id, name, name_key, created_at, updated_at)"
	    " VALUES (?, ?, LOWER(?), ?, ?)" },
	[TENANT_FIND] = { "tenant_find",
	    "SELECT " TENANT_COLUMNS " FROM tenant WHERE id = ?" },
	[TENANT_LOCK] = { "tenant_lock",
	    "SELECT " TENANT_COLUMNS " FROM tenant WHERE id = ? FOR UPDATE" },
	[TENANT_LIST] = { "tenant_list",
	    "SELECT " TENANT_COLUMNS " FROM tenant"
	    " WHERE name_key > LOWER(?) ORDER BY name_key LIMIT ?" },
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
tenant_store_lock(struct db *db, const struct uuid *id,
    struct tenant *tenant_r, struct fault *fault)
{
	return tenant_read(db, &tenant_stmts[TENANT_LOCK], id, tenant_r,
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
