/* SPDX-License-Identifier: MIT */
/* A new user of the Wacht dialect, with its profile, number and picture
   (spec/wacht.md §3.2). */
#include "config.h"

#include "user_detail_private.h"

#include "picture_private.h"
#include "wuts/fault.h"
#include "wuts/user_phone_store.h"
#include "wuts/user_policy_store.h"
#include "wuts/user_profile_store.h"

#include <string.h>

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
		if (details_is_given(password))
			fault_add_field(fault, "password",
			    "is not used by this deployment", NULL);
		return;
	}
	if (input->skip_password_check && !details_is_given(password))
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

	creating->has_phone = details_is_given(text);
	if (!details_is_given(text)) {
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
