/* SPDX-License-Identifier: MIT */
/* Tables onprem_settings and tenant_ca. Settings are kept as the object that
   GET shows; a field that an older release did not know has its default. */
#include "config.h"

#include "wuts/onprem_store.h"
#include "store_private.h"

#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/onprem.h"
#include "wuts/strbuf.h"

#include <string.h>

enum {
	ONPREM_FIND,
	ONPREM_FIND_ONLY,
	ONPREM_LOCK,
	ONPREM_INSERT,
	ONPREM_UPDATE,
	ONPREM_DELETE,
	ONPREM_FIND_CA,
	ONPREM_REPLACE_CA,
	ONPREM_DELETE_CA,
	ONPREM_STMT_COUNT
};

#define ONPREM_COLUMNS "tenant_id, settings, wa_id, updated_at"
/* The account that the tenant's first paired device has. */
#define ONPREM_JID "COALESCE((SELECT device.jid FROM device" \
	" WHERE device.tenant_id = onprem_settings.tenant_id" \
	" AND device.jid <> '' ORDER BY device.id LIMIT 1), '')"

static const struct stmt_def onprem_stmts[ONPREM_STMT_COUNT] = {
	[ONPREM_FIND] = { "onprem_find",
	    "SELECT " ONPREM_COLUMNS ", " ONPREM_JID " FROM onprem_settings"
	    " WHERE tenant_id = ?" SQL_TENANT_LIVES("onprem_settings") },
	[ONPREM_FIND_ONLY] = { "onprem_find_only_any_tenant",
	    "SELECT tenant_id FROM onprem_settings WHERE TRUE"
	    SQL_TENANT_LIVES("onprem_settings") " LIMIT 2" },
	[ONPREM_LOCK] = { "onprem_lock",
	    "SELECT " ONPREM_COLUMNS ", '' FROM onprem_settings"
	    " WHERE tenant_id = ? FOR UPDATE" },
	[ONPREM_INSERT] = { "onprem_insert",
	    "INSERT INTO onprem_settings (settings, wa_id, updated_at,"
	    " tenant_id) VALUES (?, ?, ?, ?)" },
	[ONPREM_UPDATE] = { "onprem_update",
	    "UPDATE onprem_settings SET settings = ?, wa_id = ?,"
	    " updated_at = ? WHERE tenant_id = ?" },
	[ONPREM_DELETE] = { "onprem_delete",
	    "DELETE FROM onprem_settings WHERE tenant_id = ?" },
	[ONPREM_FIND_CA] = { "onprem_find_ca",
	    "SELECT pem FROM tenant_ca WHERE tenant_id = ?"
	    SQL_TENANT_LIVES("tenant_ca") },
	[ONPREM_REPLACE_CA] = { "onprem_replace_ca",
	    "INSERT INTO tenant_ca (tenant_id, pem, created_at, updated_at)"
	    " VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE pem = ?,"
	    " updated_at = ?" },
	[ONPREM_DELETE_CA] = { "onprem_delete_ca",
	    "DELETE FROM tenant_ca WHERE tenant_id = ?" },
};

static int
parse_settings(const char *text, struct onprem_settings *settings_r,
    struct fault *fault)
{
	json_t *json = json_loads(text, 0, NULL);
	int ret = -1;

	onprem_settings_init(settings_r);
	if (json_is_object(json))
		ret = onprem_settings_merge(settings_r, json, fault);
	json_decref(json);
	return ret < 0 ? fault_set(fault, FAULT_DATABASE,
	    "the settings in onprem_settings are not what was written") : 0;
}

static int
onprem_read(struct db *db, const struct stmt_def *def, struct arena *arena,
    const struct uuid *tenant_id, struct onprem *onprem_r,
    struct fault *fault)
{
	const char *text = NULL, *jid = NULL;
	struct params in;
	struct columns out;
	int found;

	memset(onprem_r, 0, sizeof(*onprem_r));
	params_init(&in);
	bind_uuid(&in, tenant_id);
	columns_init(&out);
	fetch_uuid(&out, &onprem_r->tenant_id);
	fetch_arena_text(&out, arena, &text);
	fetch_text(&out, onprem_r->wa_id, sizeof(onprem_r->wa_id));
	fetch_time(&out, &onprem_r->updated_us);
	fetch_arena_text(&out, arena, &jid);
	found = stmt_read_one(db, def, &in, &out, fault);
	if (found != 1)
		return found;
	if (onprem_r->wa_id[0] == '\0')
		onprem_take_number(jid, onprem_r->wa_id);
	return parse_settings(text, &onprem_r->settings, fault) < 0 ? -1 : 1;
}

int
onprem_store_find(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, struct onprem *onprem_r,
    struct fault *fault)
{
	return onprem_read(db, &onprem_stmts[ONPREM_FIND], arena, tenant_id,
	    onprem_r, fault);
}

int
onprem_store_lock(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, struct onprem *onprem_r,
    struct fault *fault)
{
	return onprem_read(db, &onprem_stmts[ONPREM_LOCK], arena, tenant_id,
	    onprem_r, fault);
}

static int
count_row(void *ctx, struct fault *fault)
{
	int *count = ctx;

	(void)fault;
	++*count;
	return 0;
}

int
onprem_store_find_only(struct db *db, struct uuid *tenant_id_r,
    struct fault *fault)
{
	struct params in;
	struct columns out;
	int count = 0;

	params_init(&in);
	columns_init(&out);
	fetch_uuid(&out, tenant_id_r);
	return stmt_read(db, &onprem_stmts[ONPREM_FIND_ONLY], &in, &out,
	    count_row, &count, fault) < 0 ? -1 : count;
}

static int
onprem_write(struct db *db, const struct stmt_def *def,
    const struct onprem *onprem, struct fault *fault)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer w;
	struct params in;
	int ret;

	json_writer_init(&w, &text);
	onprem_settings_write(&w, &onprem->settings, NULL);
	params_init(&in);
	bind_text(&in, text.data);
	bind_text(&in, onprem->wa_id);
	bind_time(&in, onprem->updated_us);
	bind_uuid(&in, &onprem->tenant_id);
	ret = stmt_write(db, def, &in, NULL, fault);
	strbuf_deinit(&text);
	return ret;
}

int
onprem_store_insert(struct db *db, const struct onprem *onprem,
    struct fault *fault)
{
	return onprem_write(db, &onprem_stmts[ONPREM_INSERT], onprem, fault);
}

int
onprem_store_update(struct db *db, const struct onprem *onprem,
    struct fault *fault)
{
	return onprem_write(db, &onprem_stmts[ONPREM_UPDATE], onprem,
	    fault) < 0 ? -1 : 0;
}

static int
delete_row(struct db *db, const struct stmt_def *def,
    const struct uuid *tenant_id, struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	if (stmt_write(db, def, &in, &rows, fault) < 0)
		return -1;
	return rows > 0;
}

int
onprem_store_delete(struct db *db, const struct uuid *tenant_id,
    struct fault *fault)
{
	return delete_row(db, &onprem_stmts[ONPREM_DELETE], tenant_id, fault);
}

int
onprem_store_find_ca(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const uint8_t **pem_r, size_t *len_r,
    struct fault *fault)
{
	struct params in;
	struct columns out;

	*pem_r = NULL;
	*len_r = 0;
	params_init(&in);
	bind_uuid(&in, tenant_id);
	columns_init(&out);
	fetch_arena_bytes(&out, arena, pem_r, len_r);
	return stmt_read_one(db, &onprem_stmts[ONPREM_FIND_CA], &in, &out,
	    fault);
}

int
onprem_store_replace_ca(struct db *db, const struct uuid *tenant_id,
    const void *pem, size_t len, int64_t now_us, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_bytes(&in, pem, len);
	bind_time(&in, now_us);
	bind_time(&in, now_us);
	bind_bytes(&in, pem, len);
	bind_time(&in, now_us);
	return stmt_write(db, &onprem_stmts[ONPREM_REPLACE_CA], &in, NULL,
	    fault) < 0 ? -1 : 0;
}

int
onprem_store_delete_ca(struct db *db, const struct uuid *tenant_id,
    struct fault *fault)
{
	return delete_row(db, &onprem_stmts[ONPREM_DELETE_CA], tenant_id,
	    fault);
}
