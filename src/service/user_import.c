/* SPDX-License-Identifier: MIT */
/* One user into a tenant, with all that hangs on it, in one transaction. A user
   whose id is there already is left alone, whatever else the input says: that
   is what makes an interrupted import safe to begin again. The tenant's policy
   is not asked: it is for what people type. */
#include "config.h"

#include "wuts/user_transfer_service.h"

#include "connection_private.h"
#include "user_detail_private.h"
#include "wuts/arena.h"
#include "wuts/connection_store.h"
#include "wuts/fault.h"
#include "wuts/second_factor_store.h"
#include "wuts/settings.h"
#include "wuts/user_email_store.h"
#include "wuts/user_phone_store.h"
#include "wuts/user_policy.h"
#include "wuts/user_profile_store.h"

#include <string.h>
#include <strings.h>

struct importing {
	struct arena *arena;
	const struct user_transfer *user;
	struct new_user new_user;
	struct user created;
	struct authenticator authenticator;
	bool was_there;
};

/* --- what may not be --- */

static void
complain(struct fault *fault, const char *field, const char *problem)
{
	if (problem != NULL)
		fault_add_field(fault, field, problem, NULL);
}

static void
check_account(const struct user_details *details, struct fault *fault)
{
	struct user_policy policy;
	size_t nprimary = 0;

	user_policy_init(&policy);
	policy.names_required = false;
	policy.username_min = 1;
	policy.username_max = USERNAME_CHARS_MAX;
	policy.username_required = false;
	user_policy_check_name(&policy, "first_name",
	    details->profile.first_name, fault);
	user_policy_check_name(&policy, "last_name",
	    details->profile.last_name, fault);
	user_policy_check_username(&policy, "username",
	    details->user.username, fault);
	if (details->nemails > USER_EMAILS_MAX ||
	    details->nphones > USER_PHONES_MAX)
		complain(fault, "emails", "has too many items");
	for (size_t i = 0; i < details->nemails; i++) {
		complain(fault, "emails.email",
		    user_email_check(details->emails[i].email));
		nprimary += details->emails[i].is_primary;
	}
	if (nprimary > 1)
		complain(fault, "emails", "has more than one primary one");
}

static void
check_details(const struct user_transfer *user, struct fault *fault)
{
	const struct user_details *details = &user->details;
	char name[PASSKEY_NAME_MAX * 4 + 1];

	for (size_t i = 0; i < details->nconnections; i++)
		if (!connection_provider_is_known(
		    details->connections[i].provider) ||
		    strlen(details->connections[i].email) > USER_EMAIL_MAX ||
		    strlen(details->connections[i].access_token) >
		    CONNECTION_TOKEN_MAX ||
		    strlen(details->connections[i].refresh_token) >
		    CONNECTION_TOKEN_MAX)
			complain(fault, "connections",
			    "holds one that cannot be kept");
	for (size_t i = 0; i < user->npasskeys; i++)
		if (passkey_name_check(user->passkeys[i].name, name) != NULL ||
		    user->passkeys[i].credential_id_len == 0 ||
		    user->passkeys[i].credential_id_len > 1023 ||
		    user->passkeys[i].public_key_len == 0 ||
		    user->passkeys[i].public_key_len > 8192)
			complain(fault, "passkeys",
			    "holds one that cannot be kept");
	if (user->password_hash != NULL &&
	    (strncmp(user->password_hash, "$argon2id$v=19$", 15) != 0 ||
	    strlen(user->password_hash) >= CRYPTO_PASSWORD_HASH_MAX))
		complain(fault, "password_hash",
		    "must be a PHC string of Argon2id");
}

static void
take_authenticator(struct service *service, struct importing *importing,
    struct fault *fault)
{
	const struct user_transfer *user = importing->user;
	struct authenticator *row = &importing->authenticator;
	uint8_t secret[TOTP_SECRET_MAX];
	char text[TOTP_TEXT_MAX + 1];
	size_t len;

	if (user->otp_secret == NULL)
		return;
	if (!totp_secret_parse(user->otp_secret, text, secret, &len)) {
		complain(fault, "authenticator.secret",
		    "must be base32 (RFC 4648) of 16 to 128 bytes");
		return;
	}
	uuid_new_ordered(&row->id);
	crypto_seal(&service->settings->keys, row->id.b, sizeof(row->id.b),
	    secret, len, row->sealed);
	row->sealed_len = len + CRYPTO_SEAL_OVERHEAD;
	row->account = user->otp_account != NULL ? user->otp_account : "";
	if (strlen(row->account) > 600)
		complain(fault, "authenticator.account_name", "is too long");
	crypto_wipe(secret, sizeof(secret));
	crypto_wipe(text, sizeof(text));
}

/* --- rows --- */

static int
insert_emails(struct change *change, const struct importing *importing,
    struct fault *fault)
{
	const struct user_details *details = &importing->user->details;
	struct user_email email;
	int inserted;

	for (size_t i = 0; i < details->nemails; i++) {
		email = details->emails[i];
		if (email.is_primary)
			continue;	/* it came with the account */
		email.tenant_id = change->tenant_id;
		email.user_id = details->user.id;
		email.verified_us = email.verified ? change->now_us : 0;
		email.created_us = email.updated_us = change->now_us;
		inserted = user_email_store_insert(change->db, &email, fault);
		if (inserted < 0)
			return fault_prefix(fault, "insert address");
		if (inserted == 0)
			return fault_say(fault, REFUSAL_EMAIL_EXISTS,
			    "another user has %s", email.email);
	}
	return 0;
}

static int
insert_phones(struct change *change, const struct importing *importing,
    struct fault *fault)
{
	const struct user_details *details = &importing->user->details;
	struct user_phone phone;
	int inserted;

	for (size_t i = 0; i < details->nphones; i++) {
		phone = details->phones[i];
		phone.tenant_id = change->tenant_id;
		phone.user_id = details->user.id;
		phone.verified_us = phone.verified ? change->now_us : 0;
		phone.created_us = phone.updated_us = change->now_us;
		inserted = user_phone_store_insert(change->db, &phone, fault);
		if (inserted < 0)
			return fault_prefix(fault, "insert number");
		if (inserted == 0)
			return fault_say(fault, REFUSAL_PHONE_EXISTS,
			    "another user has %s", phone.phone_number);
	}
	return 0;
}

/* The user's own address of this text, which the connection then hangs on. */
static struct uuid
find_email(const struct user_details *details, const char *text)
{
	for (size_t i = 0; i < details->nemails; i++)
		if (strcasecmp(details->emails[i].email, text) == 0)
			return details->emails[i].id;
	return UUID_NIL;
}

static int
refuse_id(struct fault *fault, const char *what)
{
	return fault_say(fault, REFUSAL_VALIDATION,
	    "the id of a %s is taken", what);
}

static int
insert_connections(struct change *change, const struct importing *importing,
    struct fault *fault)
{
	const struct crypto_keys *keys = &change->service->settings->keys;
	const struct user_details *details = &importing->user->details;
	struct connection_row row;
	struct connection *c = &row.connection;
	int inserted;

	for (size_t i = 0; i < details->nconnections; i++) {
		*c = details->connections[i];
		c->tenant_id = change->tenant_id;
		c->user_id = details->user.id;
		c->email_id = find_email(details, c->email);
		c->created_us = c->updated_us = change->now_us;
		row.access_sealed_len = connection_seal(keys,
		    importing->arena, &c->id, CONNECTION_ACCESS,
		    c->access_token, &row.access_sealed);
		row.refresh_sealed_len = connection_seal(keys,
		    importing->arena, &c->id, CONNECTION_REFRESH,
		    c->refresh_token, &row.refresh_sealed);
		inserted = connection_store_insert(change->db, &row, fault);
		if (inserted != 1)
			return inserted < 0 ? fault_prefix(fault,
			    "insert connection") :
			    refuse_id(fault, "connection");
	}
	return 0;
}

static int
insert_passkeys(struct change *change, const struct importing *importing,
    struct fault *fault)
{
	const struct user_transfer *user = importing->user;
	struct passkey passkey;
	int inserted;

	for (size_t i = 0; i < user->npasskeys; i++) {
		passkey = user->passkeys[i];
		passkey.tenant_id = change->tenant_id;
		passkey.user_id = user->details.user.id;
		passkey.created_us = passkey.updated_us = change->now_us;
		inserted = passkey_store_insert(change->db, &passkey, fault);
		if (inserted != 1)
			return inserted < 0 ? fault_prefix(fault,
			    "insert passkey") : refuse_id(fault, "passkey");
	}
	return 0;
}

static int
insert_authenticator(struct change *change, struct importing *importing,
    struct fault *fault)
{
	struct authenticator *row = &importing->authenticator;

	if (row->sealed_len == 0)
		return 0;
	row->tenant_id = change->tenant_id;
	row->user_id = importing->user->details.user.id;
	row->created_us = row->updated_us = change->now_us;
	if (authenticator_store_insert(change->db, row, fault) != 1)
		return fault_prefix(fault, "insert authenticator");
	return 0;
}

static int
insert_all(struct change *change, struct importing *importing,
    struct fault *fault)
{
	struct user_profile profile = importing->user->details.profile;

	profile.tenant_id = change->tenant_id;
	profile.user_id = importing->user->details.user.id;
	if (new_user_insert_rows(change, &importing->new_user, fault) < 0 ||
	    user_profile_store_put(change->db, &profile, fault) < 0 ||
	    insert_emails(change, importing, fault) < 0 ||
	    insert_phones(change, importing, fault) < 0 ||
	    insert_connections(change, importing, fault) < 0 ||
	    insert_passkeys(change, importing, fault) < 0)
		return -1;
	return insert_authenticator(change, importing, fault);
}

static int
import_body(struct change *change, void *ctx, struct fault *fault)
{
	struct importing *importing = ctx;
	const struct uuid *id = &importing->user->details.user.id;
	struct user_details details;
	struct user user;
	int found;

	importing->was_there = false;
	if (change_lock_tenant(change, fault) < 0)
		return -1;
	found = user_store_find_any_tenant(change->db, id, &user, fault);
	if (found < 0)
		return fault_prefix(fault, "find user");
	if (found == 1 && !uuid_is_equal(&user.tenant_id, &change->tenant_id))
		return refuse_id(fault, "user");
	importing->was_there = found == 1;
	if (importing->was_there)
		return 0;
	if (insert_all(change, importing, fault) < 0 ||
	    details_load(change, importing->arena, &importing->created,
	    &details, fault) < 0 ||
	    details_index(change, &details, fault) < 0 ||
	    details_audit(change, "user.imported", id, "email",
	    importing->created.email, fault) < 0)
		return -1;
	return details_emit_user(change, "user.created", &details, fault);
}

static void
take_account(struct service *service, struct importing *importing)
{
	const struct user_transfer *user = importing->user;
	const struct user_details *details = &user->details;
	struct new_user *new_user = &importing->new_user;
	char token[UUID_TEXT_LEN + 1];

	new_user->user = details->user;
	new_user->user.email[0] = '\0';
	new_user->created_us = details->user.created_us;
	new_user->username_in_any_case = true;
	new_user->user_r = &importing->created;
	uuid_new_ordered(&new_user->email_id);
	for (size_t i = 0; i < details->nemails; i++) {
		if (!details->emails[i].is_primary)
			continue;
		new_user->email_id = details->emails[i].id;
		new_user->email_verified = details->emails[i].verified;
		memcpy(new_user->user.email, details->emails[i].email,
		    sizeof(new_user->user.email));
	}
	if (user->password_hash != NULL)
		memcpy(new_user->password_hash, user->password_hash,
		    strlen(user->password_hash) + 1);
	new_user_make_token(service, &details->user.id, token,
	    &new_user->token);
	crypto_wipe(token, sizeof(token));
}

int
user_transfer_service_import(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *tenant_id,
    const struct user_transfer *user, struct fault *fault)
{
	struct importing *importing;
	int ret;

	if (!identity_is_super(&caller->identity))
		return service_refuse_forbidden(fault);
	importing = arena_alloc(arena, sizeof(*importing));
	importing->arena = arena;
	importing->user = user;
	check_account(&user->details, fault);
	check_details(user, fault);
	take_authenticator(service, importing, fault);
	if (fault->nfields > 0)
		return service_refuse_fields(fault);
	take_account(service, importing);
	ret = change_run(service, caller, tenant_id, import_body, importing,
	    fault);
	crypto_wipe(&importing->new_user, sizeof(importing->new_user));
	return ret < 0 ? -1 : !importing->was_there;
}
