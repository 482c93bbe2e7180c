/* SPDX-License-Identifier: MIT */
/* The life of a user in the Wacht dialect: made, changed, deleted, with its
   profile and its picture (spec/wacht.md §3.2-3.4). */
#include "config.h"

#include "user_detail_private.h"

#include "picture_private.h"
#include "wuts/arena.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/settings.h"
#include "wuts/user_phone_store.h"
#include "wuts/user_policy_store.h"
#include "wuts/user_profile_store.h"
#include "wuts/user_search_store.h"
#include "wuts/user_store.h"

#include <string.h>

static bool
is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* --- create --- */

struct creating {
	struct arena *arena;
	struct new_user new_user;
	struct user_profile profile;
	bool has_phone;
	struct user_phone phone;
	struct picture_change picture;
	struct user_details *details_r;
};

static void
check_password(const struct user_policy *policy,
    const struct user_creation *input, const char *password,
    struct fault *fault)
{
	if (!policy->password_enabled) {
		if (is_given(password))
			fault_add_field(fault, "password",
			    "is not used by this deployment", NULL);
		return;
	}
	if (input->skip_password_check && !is_given(password))
		return;
	user_policy_check_password(policy, "password", password,
	    input->skip_password_check, fault);
}

static void
check_phone(const struct user_policy *policy, const char *text,
    struct creating *creating, struct fault *fault)
{
	struct user_phone *phone = &creating->phone;
	const char *problem;
	bool bad_code;

	creating->has_phone = is_given(text);
	if (!is_given(text)) {
		if (policy->phone_enabled && policy->phone_required)
			fault_add_field(fault, "phone_number", "is required",
			    NULL);
		return;
	}
	problem = !policy->phone_enabled ? "is not used by this deployment" :
	    phone_parse("", text, phone->country_code, phone->phone_number,
	    &bad_code);
	if (problem != NULL)
		fault_add_field(fault, "phone_number", problem, NULL);
}

static void
take_names(struct creating *creating, const struct user_creation *input,
    const char *email, const char *username)
{
	struct user *user = &creating->new_user.user;
	struct user_profile *profile = &creating->profile;

	memcpy(user->email, email, strlen(email) + 1);
	memcpy(user->username, username, strlen(username) + 1);
	user->role = ROLE_USER;
	creating->new_user.username_in_any_case = true;
	creating->new_user.email_verified = true;
	user_profile_init(profile, &UUID_NIL, &UUID_NIL);
	if (input->first_name != NULL)
		memcpy(profile->first_name, input->first_name,
		    strlen(input->first_name) + 1);
	if (input->last_name != NULL)
		memcpy(profile->last_name, input->last_name,
		    strlen(input->last_name) + 1);
}

/* Everything that can be said without the other users, at once. */
static int
take_creation(struct service *service, const struct caller *caller,
    const struct user_creation *input, struct creating *creating,
    const char **password_r, struct fault *fault)
{
	const char *email = details_trim(creating->arena, input->email);
	const char *username = details_trim(creating->arena, input->username);
	const char *phone = details_trim(creating->arena, input->phone);
	struct user_policy policy;

	*password_r = input->password != NULL &&
	    !user_text_is_blank(input->password) ? input->password : NULL;
	if (user_policy_store_find(service->db, &caller->identity.tenant_id,
	    &policy, fault) < 0)
		return fault_prefix(fault, "find policy");
	user_policy_check_name(&policy, "first_name", input->first_name,
	    fault);
	user_policy_check_name(&policy, "last_name", input->last_name, fault);
	user_policy_check_email(&policy, "email_address", email, fault);
	check_phone(&policy, phone, creating, fault);
	user_policy_check_username(&policy, "username", username, fault);
	check_password(&policy, input, *password_r, fault);
	picture_check(service->settings, &input->picture, fault);
	if (fault->nfields > 0)
		return service_refuse_fields(fault);
	take_names(creating, input, email, username);
	return 0;
}

static int
insert_phone(struct change *change, struct creating *creating,
    struct fault *fault)
{
	const struct user *user = &creating->new_user.user;
	struct user_phone *phone = &creating->phone;
	int inserted;

	if (!creating->has_phone)
		return 0;
	phone->tenant_id = user->tenant_id;
	phone->user_id = user->id;
	phone->is_primary = phone->verified = true;
	phone->verified_us = change->now_us;
	phone->created_us = phone->updated_us = change->now_us;
	inserted = user_phone_store_insert(change->db, phone, fault);
	if (inserted < 0)
		return fault_prefix(fault, "insert number");
	return inserted == 1 ? 0 : fault_say(fault, REFUSAL_PHONE_EXISTS,
	    "a user with this phone number already exists");
}

static int
create_body(struct change *change, void *ctx, struct fault *fault)
{
	struct creating *creating = ctx;
	struct new_user *new_user = &creating->new_user;
	struct user_details *details = creating->details_r;

	if (change_lock_tenant(change, fault) < 0 ||
	    change_judge_caller(change, fault) < 0)
		return -1;
	if (!service_is_admin(&change->identity, &change->tenant_id))
		return service_refuse_forbidden(fault);
	if (new_user_insert_rows(change, new_user, fault) < 0)
		return -1;
	creating->profile.tenant_id = new_user->user.tenant_id;
	creating->profile.user_id = new_user->user.id;
	if (user_profile_store_put(change->db, &creating->profile,
	    fault) < 0 ||
	    insert_phone(change, creating, fault) < 0 ||
	    picture_apply(change, &new_user->user.id, &creating->picture,
	    fault) < 0 ||
	    details_load(change, creating->arena, &new_user->user, details,
	    fault) < 0 ||
	    details_index(change, details, fault) < 0)
		return -1;
	if (details_audit(change, "user.created", &details->user.id, "email",
	    details->user.email, fault) < 0)
		return -1;
	return details_emit_user(change, "user.created", details, fault);
}

int
user_detail_service_create(struct service *service, struct arena *arena,
    const struct caller *caller, const struct user_creation *input,
    struct user_details *details_r, struct fault *fault)
{
	struct creating creating;
	char token[UUID_TEXT_LEN + 1];
	const char *password;
	struct user created;
	int ret;

	if (details_check_caller(caller, fault) < 0)
		return -1;
	memset(&creating, 0, sizeof(creating));
	creating.arena = arena;
	creating.details_r = details_r;
	creating.new_user.user_r = &created;
	if (take_creation(service, caller, input, &creating, &password,
	    fault) < 0)
		return -1;
	uuid_new_ordered(&creating.phone.id);
	ret = new_user_prepare(service, caller, &creating.new_user, password,
	    token, fault);
	crypto_wipe(token, sizeof(token));
	if (ret == 0)
		ret = picture_prepare(service, &input->picture,
		    &creating.picture, fault);
	if (ret == 0)
		ret = picture_finish(service, &creating.picture,
		    details_run(service, caller, create_body, &creating,
		    fault), fault);
	crypto_wipe(&creating.new_user, sizeof(creating.new_user));
	return ret < 0 ? fault_prefix(fault, "create user") : 0;
}

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

	if (is_given(patch->first_name))
		user_policy_check_name(policy, "first_name",
		    patch->first_name, fault);
	if (is_given(patch->last_name))
		user_policy_check_name(policy, "last_name", patch->last_name,
		    fault);
	updating->username = details_trim(updating->arena, patch->username);
	if (is_given(patch->username))
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
	updating->has_policy = is_given(patch->second_factor_policy);
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
	change_write_text(&changes->w, field, value);
	changes->any = true;
}

static void
set_text(struct changes *changes, const char *field, char *old,
    const char *new)
{
	if (!is_given(new) || strcmp(old, new) == 0)
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
