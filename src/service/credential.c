/* SPDX-License-Identifier: MIT */
/* What a user proves itself by: a new token, and the password of a log-in. A
   log-in that fails takes as long as one that does not, so the time tells
   nobody which users there are. */
#include "config.h"

#include "wuts/user_service.h"

#include "service_private.h"
#include "wuts/db.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/log.h"
#include "wuts/settings.h"
#include "wuts/tenant.h"
#include "wuts/tenant_store.h"

#include <string.h>

/* --- the token --- */

struct token_rotation {
	const struct uuid *id;
	struct user_token token;
};

static int
check_rotate(const struct identity *identity, const struct user *target,
    struct fault *fault)
{
	bool is_self = identity->kind == IDENTITY_USER &&
	    uuid_is_equal(&identity->user_id, &target->id);

	if (user_check_manage(identity, target, MANAGE_VIEW, fault) < 0)
		return -1;
	return is_self || service_is_admin(identity, &target->tenant_id) ? 0 :
	    service_refuse_forbidden(fault);
}

static int
tell_rotated(struct change *change, const struct user *user,
    struct fault *fault)
{
	struct strbuf data = STRBUF_INIT;
	struct json_writer w;
	int ret;

	json_writer_init(&w, &data);
	json_write_object_begin(&w);
	json_member_uuid(&w, "user_id", &user->id);
	change_write_actor(&w, change);
	json_write_object_end(&w);
	ret = change_audit(change, "user.token_rotated", &user->id, NULL,
	    NULL, fault);
	if (ret == 0)
		ret = change_emit(change, "user.token_rotated", data.data,
		    data.len, fault);
	strbuf_deinit(&data);
	return ret;
}

static int
rotate_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct token_rotation *rotation = ctx;
	struct user user;

	if (user_lock_target(change, rotation->id, &user, fault) < 0 ||
	    check_rotate(&change->identity, &user, fault) < 0)
		return -1;
	user.updated_us = change_time_after(change, user.updated_us);
	if (user_store_update_token(change->db, &user, &rotation->token,
	    fault) < 0)
		return fault_prefix(fault, "update token");
	return tell_rotated(change, &user, fault);
}

int
user_service_rotate_token(struct service *service,
    const struct caller *caller, const struct uuid *id,
    char token_r[UUID_TEXT_LEN + 1], struct fault *fault)
{
	struct token_rotation rotation = { .id = id };
	char text[UUID_TEXT_LEN + 1];
	struct uuid tenant_id;

	memset(token_r, 0, UUID_TEXT_LEN + 1);
	fault_clear(fault);
	if (user_find_tenant(service, &caller->identity, id, &tenant_id,
	    fault) < 0)
		return -1;
	new_user_make_token(service, id, token_r, &rotation.token);
	if (change_run(service, caller, &tenant_id, rotate_body, &rotation,
	    fault) == 0)
		return 0;
	crypto_wipe(token_r, UUID_TEXT_LEN + 1);
	return fault_prefix(fault, "rotate the token of user %s",
	    uuid_format(id, text));
}

/* --- the password --- */

struct rehash {
	const struct user *user;
	const char *old_hash;
	const char *new_hash;
};

/* Only over the hash that was verified: a password that was changed meanwhile
   stays changed. */
static int
rehash_body(struct db *db, void *ctx, struct fault *fault)
{
	const struct rehash *rehash = ctx;
	const struct user *user = rehash->user;
	char hash[CRYPTO_PASSWORD_HASH_MAX];
	struct tenant tenant;
	struct user now;
	int found;

	found = tenant_store_lock(db, &user->tenant_id, &tenant, fault);
	if (found == 1)
		found = user_store_find_password_by_username(db,
		    &user->tenant_id, user->username, &now, hash, fault);
	if (found <= 0)
		return found;
	if (!uuid_is_equal(&now.id, &user->id) ||
	    strcmp(hash, rehash->old_hash) != 0)
		return 0;
	return user_store_update_password(db, &user->tenant_id, &user->id,
	    rehash->new_hash, fault);
}

/* The user has logged in all the same when this fails. */
static void
renew_hash(struct service *service, const struct caller *caller,
    const struct user *user, const char *password, const char *old_hash)
{
	const struct settings *settings = service->settings;
	char new_hash[CRYPTO_PASSWORD_HASH_MAX], id[UUID_TEXT_LEN + 1];
	struct rehash rehash = {
		.user = user,
		.old_hash = old_hash,
		.new_hash = new_hash
	};
	struct fault fault;

	if (crypto_password_is_current(old_hash,
	    settings->password_memory_kib, settings->password_passes))
		return;
	fault_clear(&fault);
	/* Who has no time now does it at another log-in. */
	if (login_hash(service, caller, password, new_hash, &fault) < 0)
		return;
	if (tx_run(service->db, rehash_body, NULL, &rehash, &fault) !=
	    TX_COMMITTED)
		log_warn("user=%s renew the password's hash: %s",
		    uuid_format(&user->id, id), fault.text);
	crypto_wipe(new_hash, sizeof(new_hash));
}

/* Byte for byte: the server's comparison knows blanks at the end from none. */
static int
find_account(struct service *service, const struct uuid *tenant_id,
    const char *username, struct user *user_r,
    char hash_r[CRYPTO_PASSWORD_HASH_MAX], struct fault *fault)
{
	int found;

	hash_r[0] = '\0';
	found = user_store_find_password_by_username(service->db, tenant_id,
	    username, user_r, hash_r, fault);
	if (found < 0)
		return fault_prefix(fault, "find password");
	return found == 1 && strcmp(user_r->username, username) == 0;
}

/* 1: it is the password of this active user. */
static int
judge(struct service *service, const struct caller *caller,
    const struct user *user, int found, const char *password,
    const char *hash, struct fault *fault)
{
	int matches;

	matches = login_verify(service, caller, password,
	    found == 1 ? hash : "", fault);
	if (matches < 0)
		return -1;
	if (matches == 0 || !user->active)
		return 0;
	renew_hash(service, caller, user, password, hash);
	return 1;
}

int
user_service_check_password(struct service *service,
    const struct caller *caller, const struct uuid *tenant_id,
    const char *username, const char *password, struct user *user_r,
    struct fault *fault)
{
	char hash[CRYPTO_PASSWORD_HASH_MAX];
	int found, verdict;

	memset(user_r, 0, sizeof(*user_r));
	fault_clear(fault);
	if (login_check_limits(service, caller, tenant_id, username,
	    fault) < 0)
		return -1;
	found = find_account(service, tenant_id, username, user_r, hash,
	    fault);
	if (found < 0)
		return -1;
	verdict = judge(service, caller, user_r, found, password, hash,
	    fault);
	crypto_wipe(hash, sizeof(hash));
	if (verdict == 1)
		login_forget_failures(service, tenant_id, username);
	else if (verdict == 0)
		login_count_failure(service, caller, tenant_id, username);
	if (verdict != 1)
		memset(user_r, 0, sizeof(*user_r));
	return verdict;
}
