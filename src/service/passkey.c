/* SPDX-License-Identifier: MIT */
/* A user's passkeys: shown without what they are recognised by, renamed, and
   ended. */
#include "config.h"

#include "wuts/connection_service.h"

#include "user_detail_private.h"
#include "wuts/arena.h"
#include "wuts/connection_store.h"
#include "wuts/fault.h"

int
passkey_service_list(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *user_id,
    passkey_listed *row, void *ctx, struct fault *fault)
{
	struct user user;

	fault_clear(fault);
	if (details_find(service, caller, user_id, &user, fault) < 0)
		return -1;
	if (passkey_store_list(service->db, arena, &user.tenant_id, &user.id,
	    row, ctx, fault) < 0)
		return fault_prefix(fault, "list passkeys");
	return 0;
}

struct passkey_change {
	struct arena *arena;
	const struct uuid *user_id;
	const struct uuid *id;
	const char *name;
};

static int
tell(struct change *change, const struct passkey_change *target,
    struct user *user, const char *action, struct fault *fault)
{
	char id[UUID_TEXT_LEN + 1];

	if (details_audit(change, action, &user->id, "passkey_id",
	    uuid_format(target->id, id), fault) < 0)
		return -1;
	return details_emit_updated(change, target->arena, user, fault);
}

static int
run(struct service *service, const struct caller *caller, change_body *body,
    struct passkey_change *target, const char *what, struct fault *fault)
{
	char id[UUID_TEXT_LEN + 1];
	int ret;

	fault_clear(fault);
	target->arena = arena_new();
	ret = details_run(service, caller, body, target, fault);
	arena_free(&target->arena);
	return ret < 0 ? fault_prefix(fault, "%s of user %s", what,
	    uuid_format(target->user_id, id)) : 0;
}

static int
rename_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct passkey_change *target = ctx;
	struct user user;
	int found;

	if (details_begin(change, target->user_id, &user, fault) < 0)
		return -1;
	found = passkey_store_rename(change->db, &change->tenant_id, &user.id,
	    target->id, target->name, change->now_us, fault);
	if (found < 0)
		return fault_prefix(fault, "rename");
	if (found == 0)
		return details_refuse_unknown("passkey", fault);
	return tell(change, target, &user, "user.passkey_renamed", fault);
}

int
passkey_service_rename(struct service *service, const struct caller *caller,
    const struct uuid *user_id, const struct uuid *id, const char *name,
    struct fault *fault)
{
	char trimmed[PASSKEY_NAME_MAX * 4 + 1];
	struct passkey_change target = {
		.user_id = user_id,
		.id = id,
		.name = trimmed
	};
	const char *problem = passkey_name_check(name, trimmed);

	fault_clear(fault);
	if (problem != NULL) {
		fault_add_field(fault, "name", problem, name);
		return service_refuse_fields(fault);
	}
	return run(service, caller, rename_body, &target, "rename passkey",
	    fault);
}

static int
delete_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct passkey_change *target = ctx;
	struct user user;
	int deleted;

	if (details_begin(change, target->user_id, &user, fault) < 0)
		return -1;
	deleted = passkey_store_delete(change->db, &change->tenant_id,
	    &user.id, target->id, fault);
	if (deleted < 0)
		return fault_prefix(fault, "delete");
	if (deleted == 0)
		return details_refuse_unknown("passkey", fault);
	return tell(change, target, &user, "user.passkey_deleted", fault);
}

int
passkey_service_delete(struct service *service, const struct caller *caller,
    const struct uuid *user_id, const struct uuid *id, struct fault *fault)
{
	struct passkey_change target = { .user_id = user_id, .id = id };

	return run(service, caller, delete_body, &target, "delete passkey",
	    fault);
}
