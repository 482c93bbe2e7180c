/* SPDX-License-Identifier: MIT */
/* Use cases that change users. Who may do what is decided by wuts/user.h on
   rows read under the tenant's lock: of two requests that would each take one
   of the last two admins away, the second one sees what the first one did. */
#include "config.h"

#include "wuts/user_service.h"

#include "picture_private.h"
#include "service_private.h"
#include "user_detail_private.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/log.h"
#include "wuts/role_service.h"
#include "wuts/settings.h"

#include <string.h>

/* --- create --- */

static int
create_body(struct change *change, void *ctx, struct fault *fault)
{
	struct new_user *new_user = ctx;

	if (change_lock_tenant(change, fault) < 0 ||
	    change_judge_caller(change, fault) < 0)
		return -1;
	if (!service_is_admin(&change->identity, &change->tenant_id))
		return service_refuse_forbidden(fault);
	return new_user_insert(change, new_user, fault);
}

static void
take_input(const struct user_registration *input, struct new_user *new_user)
{
	struct user *user = &new_user->user;

	memset(new_user, 0, sizeof(*new_user));
	if (input->email != NULL) {
		wuts_assert(strlen(input->email) <= USER_EMAIL_MAX);
		memcpy(user->email, input->email, strlen(input->email) + 1);
	}
	if (input->username != NULL) {
		wuts_assert(strlen(input->username) <= USER_USERNAME_MAX);
		memcpy(user->username, input->username,
		    strlen(input->username) + 1);
	}
	new_user->username_in_any_case = input->username_in_any_case;
	user->must_change_password = input->must_change_password;
	user->role = input->role;
	new_user->webhook_url = input->webhook_url;
}

int
user_service_create(struct service *service, const struct caller *caller,
    const struct user_registration *input, struct user_registered *result_r,
    struct fault *fault)
{
	const struct identity *identity = &caller->identity;
	struct new_user new_user;
	int ret;

	memset(result_r, 0, sizeof(*result_r));
	fault_clear(fault);
	if (!identity_is_super(identity) &&
	    !service_is_member(identity, &input->tenant_id))
		return service_refuse_forbidden(fault);
	if (input->rules == ACCOUNT_OF_WUTS)
		new_user_check(service, input->email, input->password,
		    input->webhook_url, fault);
	if (fault->nfields > 0)
		return service_refuse_fields(fault);
	take_input(input, &new_user);
	new_user.user_r = &result_r->user;
	ret = new_user_prepare(service, caller, &new_user, input->password,
	    result_r->token, fault);
	if (ret == 0)
		ret = change_run(service, caller, &input->tenant_id,
		    create_body, &new_user, fault);
	if (ret < 0)
		crypto_wipe(result_r->token, sizeof(result_r->token));
	crypto_wipe(&new_user, sizeof(new_user));
	return ret < 0 ? fault_prefix(fault, "create user") : 0;
}

/* --- change --- */

struct user_changing {
	const struct uuid *id;
	const struct user_change *change;
	const char *if_match;
	struct user *before_r;
	struct user *after_r;
};

/* A caller that is gone or inactive is told so before it is told whether the
   target exists. */
int
user_lock_target(struct change *change, const struct uuid *id,
    struct user *target_r, struct fault *fault)
{
	int found = change_lock_user(change, id, target_r, fault);

	if (found < 0 || change_judge_caller(change, fault) < 0)
		return -1;
	if (found == 0)
		return fault_say(fault, REFUSAL_USER_NOT_FOUND,
		    "user not found");
	return 0;
}

/* Only an active admin can be the last one: for others nothing is asked. */
static int
count_other_admins(struct change *change, const struct user *target,
    unsigned *count_r, struct fault *fault)
{
	*count_r = 0;
	if (target->role != ROLE_ADMIN || !target->active)
		return 0;
	if (user_store_count_other_admins(change->db, &change->tenant_id,
	    &target->id, count_r, fault) < 0)
		return fault_prefix(fault, "count admins");
	return 0;
}

int
user_judge_change(struct change *change, const struct user *target,
    const struct user_change *asked, struct fault *fault)
{
	struct role_matrix matrix;
	unsigned others = 0;

	memset(&matrix, 0, sizeof(matrix));
	if (asked->has_role &&
	    role_service_matrix(change->service, &matrix, fault) < 0)
		return -1;
	if (count_other_admins(change, target, &others, fault) < 0)
		return -1;
	return user_check_change(&change->identity, target, asked, &matrix,
	    others, fault);
}

int
user_judge_delete(struct change *change, const struct user *target,
    struct fault *fault)
{
	unsigned others = 0;

	if (count_other_admins(change, target, &others, fault) < 0 ||
	    user_check_delete(&change->identity, target, others, fault) < 0)
		return -1;
	return onprem_keep_admin(change, target, fault);
}

static int
check_change(struct change *change, const struct user *target,
    const struct user_changing *changing, struct fault *fault)
{
	char etag[ETAG_SIZE];
	int verdict;

	verdict = user_judge_change(change, target, changing->change, fault);
	if (verdict < 0)
		return -1;
	if (etag_check(changing->if_match,
	    etag_format(target->updated_us, etag), fault) < 0)
		return -1;
	return verdict;
}

static int
tell_role(struct change *change, const struct user *before,
    const struct user *after, struct fault *fault)
{
	struct strbuf old_value = STRBUF_INIT, data = STRBUF_INIT;
	struct json_writer w;
	int ret;

	strbuf_printf(&old_value, "{\"role\":\"%s\"}",
	    role_name(before->role));
	strbuf_printf(&data, "{\"role\":\"%s\"}", role_name(after->role));
	ret = change_audit(change, "user.role_changed", &after->id,
	    old_value.data, data.data, fault);
	strbuf_deinit(&old_value);
	strbuf_reset(&data);
	json_writer_init(&w, &data);
	json_write_object_begin(&w);
	json_member_uuid(&w, "user_id", &after->id);
	json_member_text(&w, "old_role", role_name(before->role));
	json_member_text(&w, "new_role", role_name(after->role));
	change_write_actor(&w, change);
	json_write_object_end(&w);
	if (ret == 0)
		ret = change_emit(change, "user.role_changed", data.data,
		    data.len, fault);
	strbuf_deinit(&data);
	return ret;
}

static int
tell_active(struct change *change, const struct user *after,
    struct fault *fault)
{
	struct strbuf data = STRBUF_INIT;
	struct json_writer w;
	int ret;

	ret = change_audit(change, "user.updated", &after->id,
	    after->active ? "{\"active\":false}" : "{\"active\":true}",
	    after->active ? "{\"active\":true}" : "{\"active\":false}",
	    fault);
	json_writer_init(&w, &data);
	json_write_object_begin(&w);
	json_member_uuid(&w, "user_id", &after->id);
	json_member_bool(&w, "active", after->active);
	change_write_actor(&w, change);
	json_write_object_end(&w);
	if (ret == 0)
		ret = change_emit(change, "user.updated", data.data, data.len,
		    fault);
	strbuf_deinit(&data);
	return ret;
}

static int
change_user_body(struct change *change, void *ctx, struct fault *fault)
{
	struct user_changing *changing = ctx;
	struct user *before = changing->before_r, *after = changing->after_r;
	int verdict;

	if (user_lock_target(change, changing->id, before, fault) < 0)
		return -1;
	*after = *before;
	verdict = check_change(change, before, changing, fault);
	if (verdict <= 0)
		return verdict;
	if (changing->change->has_role)
		after->role = changing->change->role;
	if (changing->change->has_active)
		after->active = changing->change->active;
	after->updated_us = change_time_after(change, before->updated_us);
	change->one_user = after->id;
	if (user_store_update(change->db, after, fault) < 0)
		return fault_prefix(fault, "update user");
	if (after->role != before->role &&
	    tell_role(change, before, after, fault) < 0)
		return -1;
	if (after->active != before->active &&
	    tell_active(change, after, fault) < 0)
		return -1;
	return 0;
}

/* For callers outside of tenants the user's row says which one, and that never
   changes. */
int
user_find_tenant(struct service *service, const struct identity *identity,
    const struct uuid *id, struct uuid *tenant_id_r, struct fault *fault)
{
	struct user user;
	int found;

	if (!identity_is_super(identity)) {
		*tenant_id_r = identity->tenant_id;
		return service_is_member(identity, tenant_id_r) ? 0 :
		    service_refuse_forbidden(fault);
	}
	found = user_store_find_any_tenant(service->db, id, &user, fault);
	if (found < 0)
		return fault_prefix(fault, "find user");
	if (found == 0)
		return fault_say(fault, REFUSAL_USER_NOT_FOUND,
		    "user not found");
	*tenant_id_r = user.tenant_id;
	return 0;
}

int
user_service_change(struct service *service, const struct caller *caller,
    const struct uuid *id, const struct user_change *change,
    const char *if_match, struct user *before_r, struct user *after_r,
    struct fault *fault)
{
	struct user_changing changing = {
		.id = id,
		.change = change,
		.if_match = if_match,
		.before_r = before_r,
		.after_r = after_r
	};
	char text[UUID_TEXT_LEN + 1];
	struct uuid tenant_id;

	wuts_assert(before_r != after_r);
	if (user_find_tenant(service, &caller->identity, id, &tenant_id,
	    fault) < 0)
		return -1;
	if (change_run(service, caller, &tenant_id, change_user_body,
	    &changing, fault) < 0)
		return fault_prefix(fault, "change user %s",
		    uuid_format(id, text));
	return 0;
}

/* --- delete --- */

struct user_deletion {
	const struct uuid *id;
	const char *if_match;
	struct picture_change picture;
};

static int
tell_deleted(struct change *change, const struct user *user,
    struct fault *fault)
{
	struct strbuf old_value = STRBUF_INIT, data = STRBUF_INIT;
	struct json_writer w;
	int ret;

	json_writer_init(&w, &old_value);
	json_write_object_begin(&w);
	json_member_text(&w, "email", user->email);
	json_member_text(&w, "role", role_name(user->role));
	json_member_bool(&w, "active", user->active);
	json_write_object_end(&w);
	ret = change_audit(change, "user.deleted", &user->id, old_value.data,
	    NULL, fault);
	strbuf_deinit(&old_value);
	json_writer_init(&w, &data);
	json_write_object_begin(&w);
	json_member_uuid(&w, "user_id", &user->id);
	json_member_text(&w, "email", user->email);
	json_member_text(&w, "role", role_name(user->role));
	change_write_actor(&w, change);
	json_write_object_end(&w);
	if (ret == 0)
		ret = change_emit(change, "user.deleted", data.data, data.len,
		    fault);
	strbuf_deinit(&data);
	return ret;
}

static int
delete_body(struct change *change, void *ctx, struct fault *fault)
{
	struct user_deletion *deletion = ctx;
	char etag[ETAG_SIZE];
	struct user user;
	int deleted;

	if (user_lock_target(change, deletion->id, &user, fault) < 0)
		return -1;
	if (user_judge_delete(change, &user, fault) < 0 ||
	    etag_check(deletion->if_match,
	    etag_format(user.updated_us, etag), fault) < 0)
		return -1;
	if (picture_apply(change, &user.id, &deletion->picture, fault) < 0)
		return -1;
	deleted = user_store_delete(change->db, &change->tenant_id, &user.id,
	    fault);
	if (deleted < 0)
		return fault_prefix(fault, "delete");
	wuts_assert(deleted == 1);	/* its row is locked */
	if (details_count(change, -1, fault) < 0)
		return -1;
	return tell_deleted(change, &user, fault);
}

int
user_service_delete(struct service *service, const struct caller *caller,
    const struct uuid *id, const char *if_match, struct fault *fault)
{
	struct user_deletion deletion = {
		.id = id,
		.if_match = if_match,
		.picture = { .is_removed = true }
	};
	char text[UUID_TEXT_LEN + 1];
	struct uuid tenant_id;

	fault_clear(fault);
	if (user_find_tenant(service, &caller->identity, id, &tenant_id,
	    fault) < 0)
		return -1;
	if (picture_finish(service, &deletion.picture, change_run(service,
	    caller, &tenant_id, delete_body, &deletion, fault), fault) < 0)
		return fault_prefix(fault, "delete user %s",
		    uuid_format(id, text));
	return 0;
}
