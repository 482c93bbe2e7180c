/* SPDX-License-Identifier: MIT */
/* Table audit. Rows are only ever added here. */
#include "config.h"

#include "wuts/audit_store.h"
#include "store_private.h"

enum {
	AUDIT_INSERT,
	AUDIT_STMT_COUNT
};

/* Request id and address come from outside and are cut, so that an odd one
   never makes a change fail. */
static const struct stmt_def audit_stmts[AUDIT_STMT_COUNT] = {
	[AUDIT_INSERT] = { "audit_insert",
	    "INSERT INTO audit (id, tenant_id, actor_kind, actor_user_id,"
	    " actor_role, action, target_id, old_value, new_value,"
	    " request_id, address, created_at)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, LEFT(?, 128), LEFT(?, 64),"
	    " ?)" },
};

static const char *const kind_names[] = {
	[IDENTITY_NONE] = "none",
	[IDENTITY_USER] = "user",
	[IDENTITY_KEY] = "api_key",
	[IDENTITY_MASTER] = "master",
	[IDENTITY_ENGINE] = "engine",
	[IDENTITY_OPERATOR] = "operator",
};

int
audit_store_insert(struct db *db, const struct audit_entry *entry,
    struct fault *fault)
{
	bool is_user = entry->actor.kind == IDENTITY_USER;
	struct params in;

	params_init(&in);
	bind_uuid(&in, &entry->id);
	bind_uuid(&in, &entry->tenant_id);
	bind_text(&in, kind_names[entry->actor.kind]);
	bind_uuid_or_null(&in, is_user ? &entry->actor.user_id : &UUID_NIL);
	bind_text(&in, is_user ? role_name(entry->actor.role) : NULL);
	bind_text(&in, entry->action);
	bind_uuid(&in, &entry->target_id);
	bind_text(&in, entry->old_value);
	bind_text(&in, entry->new_value);
	bind_text(&in, entry->request_id != NULL ? entry->request_id : "");
	bind_text(&in, entry->address != NULL ? entry->address : "");
	bind_time(&in, entry->created_us);
	return stmt_update(db, &audit_stmts[AUDIT_INSERT], &in, fault);
}
