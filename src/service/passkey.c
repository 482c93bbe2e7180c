/* SPDX-License-Identifier: MIT */
/* A user's passkeys: shown without what they are recognised by, renamed, and
   ended. */
#include "config.h"

#include "wuts/connection_service.h"

#include "detail_private.h"
#include "service_private.h"
#include "wuts/connection_store.h"
#include "wuts/fault.h"

int
passkey_service_list(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *user_id,
    passkey_listed *row, void *ctx, struct fault *fault)
{
	struct user user;

	fault_clear(fault);
	if (detail_find_user(service, caller, user_id, &user, fault) < 0)
		return -1;
	if (passkey_store_list(service->db, arena, &user.tenant_id, &user.id,
	    row, ctx, fault) < 0)
		return fault_prefix(fault, "list passkeys");
	return 0;
}

static int
rename_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct detail_id *target = ctx;
	struct user user;
	int found;

	if (detail_lock_user(change, target->user_id, &user, fault) < 0)
		return -1;
	found = passkey_store_rename(change->db, &change->tenant_id, &user.id,
	    target->id, target->input, change->now_us, fault);
	if (found < 0)
		return fault_prefix(fault, "rename");
	if (found == 0)
		return detail_refuse_not_found(fault, "passkey");
	return detail_updated(change, &user, "user.passkey_renamed",
	    "passkey_id", target->id, fault);
}

int
passkey_service_rename(struct service *service, const struct caller *caller,
    const struct uuid *user_id, const struct uuid *id, const char *name,
    struct fault *fault)
{
	char trimmed[PASSKEY_NAME_MAX * 4 + 1];
	struct detail_id target = {
		.user_id = user_id,
		.id = id,
		.input = trimmed
	};
	const char *problem = passkey_name_check(name, trimmed);

	fault_clear(fault);
	if (problem != NULL) {
		fault_add_field(fault, "name", problem, name);
		return service_refuse_fields(fault);
	}
	return detail_run(service, caller, rename_body, user_id, &target,
	    "rename passkey", fault);
}

static int
delete_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct detail_id *target = ctx;
	struct user user;
	int deleted;

	if (detail_lock_user(change, target->user_id, &user, fault) < 0)
		return -1;
	deleted = passkey_store_delete(change->db, &change->tenant_id,
	    &user.id, target->id, fault);
	if (deleted < 0)
		return fault_prefix(fault, "delete");
	if (deleted == 0)
		return detail_refuse_not_found(fault, "passkey");
	return detail_updated(change, &user, "user.passkey_deleted",
	    "passkey_id", target->id, fault);
}

int
passkey_service_delete(struct service *service, const struct caller *caller,
    const struct uuid *user_id, const struct uuid *id, struct fault *fault)
{
	struct detail_id target = { .user_id = user_id, .id = id };

	return detail_run(service, caller, delete_body, user_id, &target,
	    "delete passkey", fault);
}
