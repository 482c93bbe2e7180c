/* SPDX-License-Identifier: MIT */
/* GET /audit: who changed what in the tenant, newest first. */
#include "config.h"

#include "wuts/audit.h"
#include "wuts/audit_service.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"

#include "wuts_private.h"

#include <string.h>

#define ACTION_MAX 64

static void
write_actor(struct json_writer *w, const struct identity *actor)
{
	bool is_user = actor->kind == IDENTITY_USER;

	json_write_key(w, "actor");
	json_write_object_begin(w);
	json_member_text(w, "kind", identity_kind_name(actor->kind));
	if (actor->kind == IDENTITY_KEY)
		json_member_uuid(w, "key_id", &actor->key_id);
	json_member_uuid_or_null(w, "user_id",
	    is_user ? &actor->user_id : &UUID_NIL);
	if (is_user)
		json_member_text(w, "role", role_name(actor->role));
	else
		json_member_null(w, "role");
	json_write_object_end(w);
}

static int
list_row(void *ctx, const struct audit_entry *entry, struct fault *fault)
{
	struct exchange *x = ctx;
	struct json_writer *w = response_json(x);

	(void)fault;
	json_write_object_begin(w);
	json_member_uuid(w, "id", &entry->id);
	json_member_uuid(w, "tenant_id", &entry->tenant_id);
	json_member_int(w, "seq", (int64_t)entry->seq);
	json_member_text(w, "action", entry->action);
	write_actor(w, &entry->actor);
	json_member_uuid_or_null(w, "target_id", &entry->target_id);
	/* Both are JSON already, written by the services. */
	json_write_key(w, "old");
	json_write_raw_or_null(w, entry->old_value);
	json_write_key(w, "new");
	json_write_raw_or_null(w, entry->new_value);
	json_member_text(w, "request_id", entry->request_id);
	json_member_text(w, "address", entry->address);
	json_member_time(w, "created_at", entry->created_us);
	json_write_object_end(w);
	response_flush(x);
	return 0;
}

/* ?action=: what no action is called finds nothing, and says so. */
static int
take_action(const struct exchange *x, struct audit_query *query,
    struct fault *fault)
{
	const char *name = request_query(x, "action");
	size_t len;

	query->action = name;
	if (name == NULL)
		return 0;
	len = strspn(name, "abcdefghijklmnopqrstuvwxyz_.");
	if (len > 0 && len <= ACTION_MAX && name[len] == '\0')
		return 0;
	return fault_add_field(fault, "action",
	    "is not the name of an action", name);
}

int
audit_list(struct exchange *x, struct fault *fault)
{
	struct audit_query query = { .cursor = NULL };
	struct uuid user_id;
	const char *next_cursor;
	struct json_writer *w;
	int found;

	found = input_query_uuid(x, "user_id", &user_id, fault);
	if (found < 0 || take_action(x, &query, fault) < 0 ||
	    input_tenant(x, &query.tenant_id, fault) < 0 ||
	    request_paging(x, &query.limit, &query.cursor, fault) < 0)
		return -1;
	query.user_id = found == 1 ? &user_id : NULL;

	w = response_begin(x, 200);
	json_write_key(w, "entries");
	json_write_array_begin(w);
	if (audit_service_list(x->service, x->arena, &query, list_row, x,
	    &next_cursor, fault) < 0)
		return -1;
	json_write_array_end(w);
	shape_next_cursor(w, query.limit, next_cursor);
	json_write_object_end(w);
	return 0;
}
