/* SPDX-License-Identifier: MIT */
/* Table device. */
#include "config.h"

#include "wuts/device_store.h"
#include "store_private.h"

#include "wuts/device.h"
#include "wuts/webhook.h"

enum {
	DEVICE_INSERT,
	DEVICE_FIND,
	DEVICE_FIND_ANY_TENANT,
	DEVICE_LOCK,
	DEVICE_FIND_ONLY,
	DEVICE_LIST,
	DEVICE_LIST_OF_USER,
	DEVICE_UPDATE,
	DEVICE_DELETE,
	DEVICE_STMT_COUNT
};

#define DEVICE_COLUMNS \
	"id, tenant_id, user_id, name, jid, connected, last_seen_at," \
	" created_at, updated_at"

#define DEVICE_LISTED \
	"SELECT " DEVICE_COLUMNS ", (SELECT url FROM webhook" \
	" WHERE webhook.tenant_id = device.tenant_id" \
	" AND webhook.device_id = device.id) FROM device" \
	" WHERE tenant_id = ?"
#define DEVICE_BEHIND " AND id > ? ORDER BY id LIMIT ?"

static const struct stmt_def device_stmts[DEVICE_STMT_COUNT] = {
	[DEVICE_INSERT] = { "device_insert",
	    "INSERT INTO device (" DEVICE_COLUMNS ")"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	[DEVICE_FIND] = { "device_find",
	    "SELECT " DEVICE_COLUMNS " FROM device"
	    " WHERE tenant_id = ? AND id = ?" },
	[DEVICE_FIND_ANY_TENANT] = { "device_find_any_tenant",
	    "SELECT " DEVICE_COLUMNS " FROM device WHERE id = ?"
	    SQL_TENANT_LIVES("device") },
	[DEVICE_LOCK] = { "device_lock",
	    "SELECT " DEVICE_COLUMNS " FROM device"
	    " WHERE tenant_id = ? AND id = ? FOR UPDATE" },
	[DEVICE_FIND_ONLY] = { "device_find_only",
	    "SELECT " DEVICE_COLUMNS " FROM device"
	    " WHERE tenant_id = ? AND user_id = ? ORDER BY id LIMIT 2" },
	[DEVICE_LIST] = { "device_list", DEVICE_LISTED DEVICE_BEHIND },
	[DEVICE_LIST_OF_USER] = { "device_list_of_user",
	    DEVICE_LISTED " AND user_id = ?" DEVICE_BEHIND },
	[DEVICE_UPDATE] = { "device_update",
	    "UPDATE device SET connected = ?, jid = ?, last_seen_at = ?,"
	    " updated_at = ? WHERE tenant_id = ? AND id = ?" },
	[DEVICE_DELETE] = { "device_delete",
	    "DELETE FROM device WHERE tenant_id = ? AND id = ?" },
};

static void
fetch_device(struct columns *out, struct device *device)
{
	columns_init(out);
	fetch_uuid(out, &device->id);
	fetch_uuid(out, &device->tenant_id);
	fetch_uuid(out, &device->user_id);
	fetch_text(out, device->name, sizeof(device->name));
	fetch_text(out, device->jid, sizeof(device->jid));
	fetch_bool(out, &device->connected);
	fetch_time(out, &device->last_seen_us);
	fetch_time(out, &device->created_us);
	fetch_time(out, &device->updated_us);
}

int
device_store_insert(struct db *db, const struct device *device,
    struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, &device->id);
	bind_uuid(&in, &device->tenant_id);
	bind_uuid(&in, &device->user_id);
	bind_text(&in, device->name);
	bind_text(&in, device->jid);
	bind_int(&in, device->connected);
	bind_time_or_null(&in, device->last_seen_us);
	bind_time(&in, device->created_us);
	bind_time(&in, device->updated_us);
	return stmt_update(db, &device_stmts[DEVICE_INSERT], &in, fault);
}

static int
device_read(struct db *db, const struct stmt_def *def, struct params *in,
    struct device *device_r, struct fault *fault)
{
	struct columns out;

	fetch_device(&out, device_r);
	return stmt_read_one(db, def, in, &out, fault);
}

int
device_store_find(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct device *device_r, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, id);
	return device_read(db, &device_stmts[DEVICE_FIND], &in, device_r,
	    fault);
}

int
device_store_find_any_tenant(struct db *db, const struct uuid *id,
    struct device *device_r, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, id);
	return device_read(db, &device_stmts[DEVICE_FIND_ANY_TENANT], &in,
	    device_r, fault);
}

int
device_store_lock(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct device *device_r, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, id);
	return device_read(db, &device_stmts[DEVICE_LOCK], &in, device_r,
	    fault);
}

struct device_only {
	struct device row;
	struct device *first;
	int count;
};

static int
device_only_row(void *ctx, struct fault *fault)
{
	struct device_only *only = ctx;

	(void)fault;
	if (only->count++ == 0)
		*only->first = only->row;
	return 0;
}

int
device_store_find_only(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, struct device *device_r, struct fault *fault)
{
	struct device_only only = { .first = device_r };
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	fetch_device(&out, &only.row);
	if (stmt_read(db, &device_stmts[DEVICE_FIND_ONLY], &in, &out,
	    device_only_row, &only, fault) < 0)
		return -1;
	return only.count;
}

struct device_list {
	struct device device;
	char webhook_url[WEBHOOK_URL_MAX + 1];
	device_row *row;
	void *ctx;
};

static int
device_list_row(void *ctx, struct fault *fault)
{
	struct device_list *list = ctx;

	return list->row(list->ctx, &list->device, list->webhook_url, fault);
}

int
device_store_list(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *after, unsigned limit,
    device_row *row, void *ctx, struct fault *fault)
{
	struct device_list list = { .row = row, .ctx = ctx };
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	if (user_id != NULL)
		bind_uuid(&in, user_id);
	bind_uuid(&in, after != NULL ? after : &UUID_NIL);
	bind_limit(&in, limit);
	fetch_device(&out, &list.device);
	fetch_text(&out, list.webhook_url, sizeof(list.webhook_url));
	return stmt_read(db, &device_stmts[user_id != NULL ?
	    DEVICE_LIST_OF_USER : DEVICE_LIST], &in, &out, device_list_row,
	    &list, fault);
}

int
device_store_update(struct db *db, const struct device *device,
    struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_int(&in, device->connected);
	bind_text(&in, device->jid);
	bind_time_or_null(&in, device->last_seen_us);
	bind_time(&in, device->updated_us);
	bind_uuid(&in, &device->tenant_id);
	bind_uuid(&in, &device->id);
	return stmt_update(db, &device_stmts[DEVICE_UPDATE], &in, fault);
}

int
device_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, id);
	return stmt_update(db, &device_stmts[DEVICE_DELETE], &in, fault);
}
