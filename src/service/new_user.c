/* SPDX-License-Identifier: MIT */
/* A new user, from its input to its row: shared by the registration of a
   tenant and the creation of a user. Owns how a token is kept: a keyed hash to
   find it by, and its text sealed to show it again. */
#include "config.h"

#include "service_private.h"
#include "user_detail_private.h"

#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/settings.h"
#include "wuts/user_email_store.h"

#include <string.h>

static void
check_field(struct fault *fault, const char *field, const char *problem,
    const char *value)
{
	if (problem != NULL)
		fault_add_field(fault, field, problem, value);
}

void
new_user_check(const struct service *service, const char *email,
    const char *password, const char *webhook_url, struct fault *fault)
{
	struct webhook_policy policy = service_webhook_policy(service);

	check_field(fault, "email", email == NULL ? "is required" :
	    user_email_check(email), email);
	check_field(fault, "password", password == NULL ? "is required" :
	    user_password_check(password), password == NULL ? NULL : "***");
	if (webhook_url != NULL)
		check_field(fault, "webhook_url",
		    webhook_url_check(webhook_url, &policy),
		    service_webhook_url_shown(webhook_url));
}

void
new_user_keep_token(const struct crypto_keys *keys, const struct uuid *id,
    const char token[UUID_TEXT_LEN + 1], struct user_token *kept_r)
{
	service_lookup_hash(&keys->key[0], token, UUID_TEXT_LEN,
	    kept_r->hash);
	crypto_seal(keys, id->b, sizeof(id->b), token, UUID_TEXT_LEN,
	    kept_r->sealed);
}

void
new_user_make_token(const struct service *service, const struct uuid *id,
    char token_r[UUID_TEXT_LEN + 1], struct user_token *kept_r)
{
	struct uuid token;

	uuid_new_random(&token);
	uuid_format(&token, token_r);
	crypto_wipe(&token, sizeof(token));
	new_user_keep_token(&service->settings->keys, id, token_r, kept_r);
}

int
new_user_prepare(struct service *service, const struct caller *caller,
    struct new_user *new_user, const char *password,
    char token_r[UUID_TEXT_LEN + 1], struct fault *fault)
{
	struct user *user = &new_user->user;

	uuid_new_ordered(&user->id);
	uuid_new_ordered(&new_user->email_id);
	user->active = true;
	new_user_make_token(service, &user->id, token_r, &new_user->token);
	if (password == NULL || login_hash(service, caller, password,
	    new_user->password_hash, fault) == 0)
		return 0;
	crypto_wipe(token_r, UUID_TEXT_LEN + 1);
	return -1;
}

static int
tell(struct change *change, const struct user *user, struct fault *fault)
{
	struct strbuf data = STRBUF_INIT;
	struct json_writer w;
	int ret;

	json_writer_init(&w, &data);
	json_write_object_begin(&w);
	json_member_uuid(&w, "user_id", &user->id);
	json_member_text(&w, "email", user->email);
	if (user->username[0] != '\0')
		json_member_text(&w, "username", user->username);
	json_member_text(&w, "role", role_name(user->role));
	json_write_object_end(&w);
	ret = change_audit(change, "user.created", &user->id, NULL, data.data,
	    fault);
	if (ret == 0)
		ret = change_emit(change, "user.created", data.data, data.len,
		    fault);
	strbuf_deinit(&data);
	return ret;
}

static int
refuse_email(struct fault *fault)
{
	return fault_say(fault, REFUSAL_EMAIL_EXISTS,
	    "a user with this email already exists");
}

static int
refuse_username(struct fault *fault)
{
	return fault_say(fault, REFUSAL_USERNAME_EXISTS,
	    "a user with this name already exists");
}

/* Is the name taken in whatever case? Under the tenant's lock the answer
   holds. */
static int
check_username(struct change *change, const struct user *user,
    struct fault *fault)
{
	struct uuid other;
	int found;

	found = user_store_find_username(change->db, &change->tenant_id,
	    user->username, &other, fault);
	if (found < 0)
		return fault_prefix(fault, "find username");
	return found == 1 ? refuse_username(fault) : 0;
}

/* A key of the user's row is there already: which? */
static int
refuse_user(struct change *change, const struct user *user,
    struct fault *fault)
{
	char hash[CRYPTO_PASSWORD_HASH_MAX];
	struct user other;
	int found = 0;

	if (user->username[0] != '\0')
		found = user_store_find_password_by_username(change->db,
		    &change->tenant_id, user->username, &other, hash, fault);
	crypto_wipe(hash, sizeof(hash));
	if (found < 0)
		return fault_prefix(fault, "find username");
	return found == 1 ? refuse_username(fault) : refuse_email(fault);
}

static int
insert_email(struct change *change, const struct new_user *new_user,
    struct fault *fault)
{
	const struct user *user = &new_user->user;
	struct user_email email = {
		.id = new_user->email_id,
		.tenant_id = user->tenant_id,
		.user_id = user->id,
		.is_primary = true,
		.verified = new_user->email_verified,
		.verified_us = new_user->email_verified ? change->now_us : 0,
		.strategy = USER_EMAIL_OTP,
		.created_us = change->now_us,
		.updated_us = change->now_us
	};
	int inserted;

	memcpy(email.email, user->email, sizeof(email.email));
	inserted = user_email_store_insert(change->db, &email, fault);
	if (inserted < 0)
		return fault_prefix(fault, "insert address");
	return inserted == 0 ? refuse_email(fault) : 0;
}

int
new_user_insert_rows(struct change *change, struct new_user *new_user,
    struct fault *fault)
{
	struct user *user = &new_user->user;
	int inserted;

	if (new_user->username_in_any_case && user->username[0] != '\0' &&
	    check_username(change, user, fault) < 0)
		return -1;
	user->tenant_id = change->tenant_id;
	user->created_us = new_user->created_us != 0 ?
	    new_user->created_us : change->now_us;
	user->updated_us = change->now_us;
	inserted = user_store_insert(change->db, user,
	    new_user->password_hash, &new_user->token, new_user->webhook_url,
	    fault);
	if (inserted < 0)
		return fault_prefix(fault, "insert user");
	if (inserted == 0)
		return refuse_user(change, user, fault);
	*new_user->user_r = *user;
	if (user->email[0] != '\0' &&
	    insert_email(change, new_user, fault) < 0)
		return -1;
	if (details_index_account(change, user, fault) < 0)
		return -1;
	return details_count(change, 1, fault);
}

int
new_user_insert(struct change *change, struct new_user *new_user,
    struct fault *fault)
{
	if (new_user_insert_rows(change, new_user, fault) < 0)
		return -1;
	return tell(change, &new_user->user, fault);
}
