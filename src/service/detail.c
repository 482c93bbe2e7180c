/* SPDX-License-Identifier: MIT */
/* The frame of changes of what hangs on a user. */
#include "config.h"

#include "detail_private.h"

#include "service_private.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/user_service.h"

int
detail_lock_user(struct change *change, const struct uuid *user_id,
    struct user *user_r, struct fault *fault)
{
	if (user_lock_target(change, user_id, user_r, fault) < 0)
		return -1;
	return service_is_admin(&change->identity, &change->tenant_id) ? 0 :
	    service_refuse_forbidden(fault);
}

int
detail_find_user(struct service *service, const struct caller *caller,
    const struct uuid *user_id, struct user *user_r, struct fault *fault)
{
	if (user_service_get(service, caller, user_id, user_r, fault) < 0)
		return -1;
	/* A key that may only read may read this. */
	return caller->identity.kind != IDENTITY_USER ||
	    caller->identity.role == ROLE_ADMIN ? 0 :
	    service_refuse_forbidden(fault);
}

int
detail_changed(struct change *change, struct user *user, const char *action,
    const char *old_value, const char *new_value, struct fault *fault)
{
	user->updated_us = change_time_after(change, user->updated_us);
	if (user_store_update(change->db, user, fault) < 0)
		return fault_prefix(fault, "update user");
	return change_audit(change, action, &user->id, old_value, new_value,
	    fault);
}

static int
tell_updated(struct change *change, const struct user *user,
    struct fault *fault)
{
	struct strbuf data = STRBUF_INIT;
	struct json_writer w;
	int ret;

	json_writer_init(&w, &data);
	json_write_object_begin(&w);
	change_write_uuid(&w, "entity_id", &user->id);
	change_write_text(&w, "entity_type", "user");
	change_write_uuid(&w, "user_id", &user->id);
	change_write_actor(&w, change);
	json_write_object_end(&w);
	ret = change_emit(change, "user.updated", data.data, data.len, fault);
	strbuf_deinit(&data);
	return ret;
}

int
detail_updated(struct change *change, struct user *user, const char *action,
    const char *name, const struct uuid *id, struct fault *fault)
{
	struct strbuf value = STRBUF_INIT;
	char text[UUID_TEXT_LEN + 1];
	int ret;

	strbuf_printf(&value, "{\"%s\":\"%s\"}", name,
	    uuid_format(id, text));
	ret = detail_changed(change, user, action, value.data, NULL, fault);
	strbuf_deinit(&value);
	return ret < 0 ? -1 : tell_updated(change, user, fault);
}

int
detail_run(struct service *service, const struct caller *caller,
    change_body *body, const struct uuid *user_id, void *ctx,
    const char *what, struct fault *fault)
{
	char text[UUID_TEXT_LEN + 1];
	struct uuid tenant_id;

	fault_clear(fault);
	if (user_find_tenant(service, &caller->identity, user_id, &tenant_id,
	    fault) < 0)
		return -1;
	if (change_run(service, caller, &tenant_id, body, ctx, fault) < 0)
		return fault_prefix(fault, "%s of user %s", what,
		    uuid_format(user_id, text));
	return 0;
}

int
detail_refuse_not_found(struct fault *fault, const char *what)
{
	return fault_say(fault, REFUSAL_DETAIL_NOT_FOUND, "%s not found",
	    what);
}
