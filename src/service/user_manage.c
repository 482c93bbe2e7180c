/* SPDX-License-Identifier: MIT */
/* A user in the Wacht dialect changed and deleted, with its profile and
   its picture (spec/wacht.md §3.2-3.4). */
#include "config.h"

#include "user_detail_private.h"

#include "picture_private.h"
#include "wuts/fault.h"
#include "wuts/user_policy_store.h"
#include "wuts/user_profile_store.h"

#include <string.h>

/* --- update --- */

struct updating {
	struct arena *arena;
	const struct uuid *id;
	const struct user_patch *patch;
	const char *username;		/* trimmed; "": unchanged */
	bool has_public;
	const char *public_metadata;
	bool has_private;
	const char *private_metadata;
	bool has_policy;
	enum second_factor_policy policy;
	struct picture_change picture;
	struct user_details *details_r;
};

static void
check_names(const struct user_policy *policy, struct updating *updating,
    struct fault *fault)
{
	const struct user_patch *patch = updating->patch;

	if (details_is_given(patch->first_name))
		user_policy_check_name(policy, "first_name",
		    patch->first_name, fault);
	if (details_is_given(patch->last_name))
		user_policy_check_name(policy, "last_name", patch->last_name,
		    fault);
	updating->username = details_trim(updating->arena, patch->username);
	if (details_is_given(patch->username))
		user_policy_check_username(policy, "username",
		    updating->username, fault);
}

static int
take_patch(struct service *service, const struct caller *caller,
    struct updating *updating, struct fault *fault)
{
	const struct user_patch *patch = updating->patch;
	struct user_policy policy;

	if (user_policy_store_find(service->db, &caller->identity.tenant_id,
	    &policy, fault) < 0)
		return fault_prefix(fault, "find policy");
	check_names(&policy, updating, fault);
	updating->has_public = metadata_take(updating->arena,
	    "public_metadata", patch->public_metadata,
	    &updating->public_metadata, fault) == 1;
	updating->has_private = metadata_take(updating->arena,
	    "private_metadata", patch->private_metadata,
	    &updating->private_metadata, fault) == 1;
	updating->has_policy = details_is_given(patch->second_factor_policy);
	if (updating->has_policy && !second_factor_policy_parse(
	    patch->second_factor_policy, &updating->policy))
		fault_add_field(fault, "second_factor_policy",
		    "must be none, optional or enforced",
		    patch->second_factor_policy);
	picture_check(service->settings, &patch->picture, fault);
	return fault->nfields > 0 ? service_refuse_fields(fault) : 0;
}

/* What the audit trail says: the fields that changed, and their new values
   where they are short and not private. */
struct changes {
	struct json_writer w;
	struct strbuf text;
	bool any;
};

static void
note(struct changes *changes, const char *field, const char *value)
{
	json_member_text(&changes->w, field, value);
	changes->any = true;
}

static void
set_text(struct changes *changes, const char *field, char *old,
    const char *new)
{
	if (!details_is_given(new) || strcmp(old, new) == 0)
		return;
	memcpy(old, new, strlen(new) + 1);
	note(changes, field, new);
}

static void
set_metadata(struct changes *changes, const char *field, const char **old,
    const char *new)
{
	if ((*old == NULL) == (new == NULL) &&
	    (new == NULL || strcmp(*old, new) == 0))
		return;
	*old = new;
	note(changes, field, "changed");
}

static int
set_username(struct change *change, struct updating *updating,
    struct user *user, struct changes *changes, struct fault *fault)
{
	struct uuid other;
	int found;

	if (updating->username[0] == '\0' ||
	    strcmp(updating->username, user->username) == 0)
		return 0;
	found = user_store_find_username(change->db, &change->tenant_id,
	    updating->username, &other, fault);
	if (found < 0)
		return fault_prefix(fault, "find username");
	if (found == 1 && !uuid_is_equal(&other, &user->id))
		return fault_say(fault, REFUSAL_USERNAME_EXISTS,
		    "a user with this username already exists");
	if (onprem_keep_admin(change, user, fault) < 0)
		return -1;
	set_text(changes, "username", user->username, updating->username);
	return 0;
}

static int
set_disabled(struct change *change, const struct updating *updating,
    struct user *user, struct changes *changes, struct fault *fault)
{
	struct user_change asked = {
		.has_active = updating->patch->has_disabled,
		.active = !updating->patch->disabled
	};
	int verdict;

	if (!asked.has_active || asked.active == user->active)
		return 0;
	verdict = user_judge_change(change, user, &asked, fault);
	if (verdict <= 0)
		return verdict;
	user->active = asked.active;
	note(changes, "disabled", asked.active ? "false" : "true");
	return asked.active ? 0 : session_end_all(change, &user->id, fault);
}

static void
set_profile(const struct updating *updating, struct user_profile *profile,
    struct changes *changes)
{
	set_text(changes, "first_name", profile->first_name,
	    updating->patch->first_name);
	set_text(changes, "last_name", profile->last_name,
	    updating->patch->last_name);
	if (updating->has_public)
		set_metadata(changes, "public_metadata",
		    &profile->public_metadata, updating->public_metadata);
	if (updating->has_private)
		set_metadata(changes, "private_metadata",
		    &profile->private_metadata, updating->private_metadata);
	if (updating->has_policy &&
	    updating->policy != profile->second_factor_policy) {
		profile->second_factor_policy = updating->policy;
		note(changes, "second_factor_policy",
		    second_factor_policy_name(updating->policy));
	}
}

static int
apply(struct change *change, struct updating *updating, struct user *user,
    struct changes *changes, struct fault *fault)
{
	struct user_profile profile;
	int picture;

	if (user_profile_store_find(change->db, updating->arena,
	    &change->tenant_id, &user->id, &profile, fault) < 0)
		return fault_prefix(fault, "find profile");
	set_profile(updating, &profile, changes);
	if (changes->any &&
	    user_profile_store_put(change->db, &profile, fault) < 0)
		return fault_prefix(fault, "put profile");
	if (set_username(change, updating, user, changes, fault) < 0 ||
	    set_disabled(change, updating, user, changes, fault) < 0)
		return -1;
	picture = picture_apply(change, &user->id, &updating->picture, fault);
	if (picture < 0)
		return fault_prefix(fault, "picture");
	if (picture == 1)
		note(changes, "profile_image", "changed");
	return 0;
}

static int
tell_updated(struct change *change, const struct user_details *details,
    struct changes *changes, struct fault *fault)
{
	json_write_object_end(&changes->w);
	if (change_audit(change, "user.updated", &details->user.id, NULL,
	    changes->text.data, fault) < 0)
		return -1;
	return details_emit_user(change, "user.updated", details, fault);
}

static int
update_body(struct change *change, void *ctx, struct fault *fault)
{
	struct updating *updating = ctx;
	struct changes changes = { .text = STRBUF_INIT };
	struct user user;
	int ret;

	if (details_begin(change, updating->id, &user, fault) < 0)
		return -1;
	json_writer_init(&changes.w, &changes.text);
	json_write_object_begin(&changes.w);
	ret = apply(change, updating, &user, &changes, fault);
	if (ret == 0 && changes.any) {
		ret = details_settle(change, updating->arena, &user,
		    updating->details_r, fault);
		if (ret == 0)
			ret = tell_updated(change, updating->details_r,
			    &changes, fault);
	} else if (ret == 0) {
		ret = details_load(change, updating->arena, &user,
		    updating->details_r, fault);
	}
	strbuf_deinit(&changes.text);
	return ret;
}

int
user_detail_service_update(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *id,
    const struct user_patch *patch, struct user_details *details_r,
    struct fault *fault)
{
	struct updating updating = {
		.arena = arena,
		.id = id,
		.patch = patch,
		.picture = { .is_removed = patch->remove_picture },
		.details_r = details_r
	};

	if (details_check_caller(caller, fault) < 0 ||
	    take_patch(service, caller, &updating, fault) < 0)
		return -1;
	if (picture_prepare(service, &patch->picture, &updating.picture,
	    fault) < 0)
		return fault_prefix(fault, "picture");
	if (picture_finish(service, &updating.picture, details_run(service,
	    caller, update_body, &updating, fault), fault) < 0)
		return fault_prefix(fault, "update user");
	return details_show_tokens(service, arena, caller, details_r, fault);
}

/* --- delete --- */

struct deleting {
	struct arena *arena;
	const struct uuid *id;
	struct picture_change picture;
};

static int
delete_body(struct change *change, void *ctx, struct fault *fault)
{
	struct deleting *deleting = ctx;
	struct user_details details;
	struct user user;
	int deleted;

	if (details_begin(change, deleting->id, &user, fault) < 0 ||
	    user_judge_delete(change, &user, fault) < 0 ||
	    details_load(change, deleting->arena, &user, &details, fault) < 0 ||
	    picture_apply(change, &user.id, &deleting->picture, fault) < 0)
		return -1;
	deleted = user_store_delete(change->db, &change->tenant_id, &user.id,
	    fault);
	if (deleted < 0)
		return fault_prefix(fault, "delete");
	if (details_count(change, -1, fault) < 0)
		return -1;
	if (details_audit(change, "user.deleted", &user.id, "email",
	    user.email, fault) < 0)
		return -1;
	return details_emit_user(change, "user.deleted", &details, fault);
}

int
user_detail_service_delete(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *id, struct fault *fault)
{
	struct deleting deleting = {
		.arena = arena, .id = id, .picture = { .is_removed = true }
	};
	char text[UUID_TEXT_LEN + 1];

	if (picture_finish(service, &deleting.picture, details_run(service,
	    caller, delete_body, &deleting, fault), fault) < 0)
		return fault_prefix(fault, "delete user %s",
		    uuid_format(id, text));
	return 0;
}
