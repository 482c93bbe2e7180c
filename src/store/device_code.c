/* SPDX-License-Identifier: MIT */
/* Table device_code. */
#include "config.h"

#include "wuts/device_code_store.h"
#include "store_private.h"

#include "wuts/device.h"

#include <string.h>

enum {
	DEVICE_CODE_REPLACE,
	DEVICE_CODE_FIND,
	DEVICE_CODE_DELETE,
	DEVICE_CODE_STMT_COUNT
};

static const struct stmt_def device_code_stmts[DEVICE_CODE_STMT_COUNT] = {
	[DEVICE_CODE_REPLACE] = { "device_code_replace",
	    "REPLACE INTO device_code (tenant_id, device_id, code,"
	    " reported_at) VALUES (?, ?, ?, ?)" },
	[DEVICE_CODE_FIND] = { "device_code_find",
	    "SELECT code, reported_at FROM device_code"
	    " WHERE tenant_id = ? AND device_id = ?" },
	[DEVICE_CODE_DELETE] = { "device_code_delete",
	    "DELETE FROM device_code WHERE tenant_id = ? AND device_id = ?" },
};

static void
bind_device(struct params *in, const struct uuid *tenant_id,
    const struct uuid *device_id)
{
	params_init(in);
	bind_uuid(in, tenant_id);
	bind_uuid(in, device_id);
}

int
device_code_store_replace(struct db *db, const struct uuid *tenant_id,
    const struct uuid *device_id, const struct device_code *code,
    struct fault *fault)
{
	struct params in;

	bind_device(&in, tenant_id, device_id);
	bind_text(&in, code->text);
	bind_time(&in, code->reported_us);
	return stmt_update(db, &device_code_stmts[DEVICE_CODE_REPLACE], &in,
	    fault);
}

int
device_code_store_find(struct db *db, const struct uuid *tenant_id,
    const struct uuid *device_id, struct device_code *code_r,
    struct fault *fault)
{
	struct params in;
	struct columns out;

	memset(code_r, 0, sizeof(*code_r));
	bind_device(&in, tenant_id, device_id);
	columns_init(&out);
	fetch_text(&out, code_r->text, sizeof(code_r->text));
	fetch_time(&out, &code_r->reported_us);
	return stmt_read_one(db, &device_code_stmts[DEVICE_CODE_FIND], &in,
	    &out, fault);
}

int
device_code_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *device_id, struct fault *fault)
{
	struct params in;

	bind_device(&in, tenant_id, device_id);
	return stmt_write(db, &device_code_stmts[DEVICE_CODE_DELETE], &in,
	    NULL, fault) < 0 ? -1 : 0;
}
