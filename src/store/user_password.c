/* SPDX-License-Identifier: MIT */
/* The passwords in table users: only ever their hashes. */
#include "config.h"

#include "wuts/user_store.h"
#include "user_private.h"

enum {
	USER_FIND_PASSWORD,
	USER_FIND_PASSWORD_BY_USERNAME,
	USER_FIND_HASH,
	USER_HAS_PASSWORD,
	USER_UPDATE_PASSWORD,
	USER_CHANGE_PASSWORD,
	USER_PASSWORD_STMT_COUNT
};

static const struct stmt_def password_stmts[USER_PASSWORD_STMT_COUNT] = {
	[USER_FIND_PASSWORD] = { "user_find_password",
	    "SELECT " USER_COLUMNS ", password_hash FROM users"
	    " WHERE tenant_id = ? AND email_key = LOWER(?)"
	    SQL_TENANT_LIVES("users") },
	[USER_FIND_PASSWORD_BY_USERNAME] = { "user_find_password_by_username",
	    "SELECT " USER_COLUMNS ", password_hash FROM users"
	    " WHERE tenant_id = ? AND username = ?"
	    SQL_TENANT_LIVES("users") },
	[USER_FIND_HASH] = { "user_find_hash",
	    "SELECT password_hash FROM users WHERE tenant_id = ? AND id = ?" },
	[USER_HAS_PASSWORD] = { "user_has_password",
	    "SELECT 1 FROM users WHERE tenant_id = ? AND id = ?"
	    " AND password_hash IS NOT NULL" },
	[USER_UPDATE_PASSWORD] = { "user_update_password",
	    "UPDATE users SET password_hash = ?"
	    " WHERE tenant_id = ? AND id = ?" },
	[USER_CHANGE_PASSWORD] = { "user_change_password",
	    "UPDATE users SET password_hash = ?, must_change_password = ?,"
	    " updated_at = ? WHERE tenant_id = ? AND id = ?" },
};

static int
find_password(struct db *db, const struct stmt_def *def,
    const struct uuid *tenant_id, const char *name, struct user *user_r,
    char hash_r[CRYPTO_PASSWORD_HASH_MAX], struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_text(&in, name);
	columns_init(&out);
	user_fetch(&out, user_r);
	fetch_text(&out, hash_r, CRYPTO_PASSWORD_HASH_MAX);
	return stmt_read_one(db, def, &in, &out, fault);
}

int
user_store_find_password(struct db *db, const struct uuid *tenant_id,
    const char *email, struct user *user_r,
    char hash_r[CRYPTO_PASSWORD_HASH_MAX], struct fault *fault)
{
	return find_password(db, &password_stmts[USER_FIND_PASSWORD],
	    tenant_id, email, user_r, hash_r, fault);
}

int
user_store_find_password_by_username(struct db *db,
    const struct uuid *tenant_id, const char *username, struct user *user_r,
    char hash_r[CRYPTO_PASSWORD_HASH_MAX], struct fault *fault)
{
	return find_password(db,
	    &password_stmts[USER_FIND_PASSWORD_BY_USERNAME], tenant_id,
	    username, user_r, hash_r, fault);
}

int
user_store_find_hash(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, char hash_r[CRYPTO_PASSWORD_HASH_MAX],
    struct fault *fault)
{
	struct params in;
	struct columns out;

	user_bind_id(&in, tenant_id, id);
	columns_init(&out);
	fetch_text(&out, hash_r, CRYPTO_PASSWORD_HASH_MAX);
	return stmt_read_one(db, &password_stmts[USER_FIND_HASH], &in, &out,
	    fault);
}

int
user_store_has_password(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct fault *fault)
{
	struct params in;
	struct columns out;
	bool one;

	user_bind_id(&in, tenant_id, id);
	columns_init(&out);
	fetch_bool(&out, &one);
	return stmt_read_one(db, &password_stmts[USER_HAS_PASSWORD], &in,
	    &out, fault);
}

int
user_store_change_password(struct db *db, const struct user *user,
    const char *password_hash, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_text(&in, user_text_or_null(password_hash));
	bind_int(&in, user->must_change_password);
	bind_time(&in, user->updated_us);
	bind_uuid(&in, &user->tenant_id);
	bind_uuid(&in, &user->id);
	return stmt_update(db, &password_stmts[USER_CHANGE_PASSWORD], &in,
	    fault);
}

int
user_store_update_password(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, const char *password_hash, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_text(&in, password_hash);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, id);
	return stmt_update(db, &password_stmts[USER_UPDATE_PASSWORD], &in,
	    fault);
}
