/* SPDX-License-Identifier: MIT */
/* Table users. Of a token it holds the keyed hash, by which it is looked up,
   (caller.c), and the sealed text; never the token. Passwords:
   user_password.c. */
#include "config.h"

#include "wuts/user_store.h"
#include "user_private.h"
#include "wuts/fault.h"

#include <string.h>

enum {
	USER_INSERT,
	USER_FIND,
	USER_FIND_ANY_TENANT,
	USER_COUNT_OTHER_ADMINS,
	USER_UPDATE,
	USER_FIND_USERNAME,
	USER_UPDATE_ACCOUNT,
	USER_UPDATE_TOKEN,
	USER_DELETE,
	USER_LIST,
	USER_PENDING_WEBHOOK,
	USER_STAGE_WEBHOOK,
	USER_CLEAR_PENDING_WEBHOOK,
	USER_STMT_COUNT
};

static const struct stmt_def user_stmts[USER_STMT_COUNT] = {
	[USER_INSERT] = { "user_insert",
	    "INSERT INTO users (id, tenant_id, email, email_key, username,"
	    " username_key, password_hash, must_change_password, role,"
	    " active, token_hash, token_sealed, pending_webhook_url,"
	    " created_at, updated_at)"
	    " VALUES (?, ?, ?, LOWER(?), ?, LOWER(?), ?, ?, ?, ?, ?, ?, ?,"
	    " ?, ?)" },
	[USER_FIND] = { "user_find",
	    "SELECT " USER_COLUMNS " FROM users"
	    " WHERE tenant_id = ? AND id = ?" },
	[USER_FIND_ANY_TENANT] = { "user_find_any_tenant",
	    "SELECT " USER_COLUMNS " FROM users WHERE id = ?"
	    SQL_TENANT_LIVES("users") },
	[USER_COUNT_OTHER_ADMINS] = { "user_count_other_admins",
	    "SELECT COUNT(*) FROM users WHERE tenant_id = ?"
	    " AND role = ? AND active = TRUE AND id <> ?" },
	/* Six keys begin with the tenant, and an UPDATE weighs each of them
	   unless it is told. */
	[USER_UPDATE] = { "user_update",
	    "UPDATE users USE INDEX (PRIMARY) SET role = ?, active = ?,"
	    " updated_at = ? WHERE tenant_id = ? AND id = ?" },
	[USER_FIND_USERNAME] = { "user_find_username",
	    "SELECT id FROM users WHERE tenant_id = ?"
	    " AND username_key = LOWER(?) ORDER BY id LIMIT 1" },
	[USER_UPDATE_ACCOUNT] = { "user_update_account",
	    "UPDATE users SET email = ?, email_key = LOWER(?), username = ?,"
	    " username_key = LOWER(?), active = ?, updated_at = ?"
	    " WHERE tenant_id = ? AND id = ?" },
	[USER_UPDATE_TOKEN] = { "user_update_token",
	    "UPDATE users SET token_hash = ?, token_sealed = ?,"
	    " updated_at = ? WHERE tenant_id = ? AND id = ?" },
	[USER_DELETE] = { "user_delete",
	    "DELETE FROM users WHERE tenant_id = ? AND id = ?" },
	[USER_LIST] = { "user_list",
	    "SELECT " USER_COLUMNS ", token_sealed FROM users"
	    " WHERE tenant_id = ? AND id > ? ORDER BY id LIMIT ?" },
	[USER_PENDING_WEBHOOK] = { "user_pending_webhook",
	    "SELECT pending_webhook_url FROM users"
	    " WHERE tenant_id = ? AND id = ?" },
	[USER_STAGE_WEBHOOK] = { "user_stage_webhook",
	    "UPDATE users SET pending_webhook_url = ?"
	    " WHERE tenant_id = ? AND id = ?" },
	[USER_CLEAR_PENDING_WEBHOOK] = { "user_clear_pending_webhook",
	    "UPDATE users SET pending_webhook_url = NULL"
	    " WHERE tenant_id = ? AND id = ?" },
};

void
user_fetch(struct columns *out, struct user *user)
{
	fetch_uuid(out, &user->id);
	fetch_uuid(out, &user->tenant_id);
	fetch_text(out, user->email, sizeof(user->email));
	fetch_text(out, user->username, sizeof(user->username));
	fetch_role(out, &user->role);
	fetch_bool(out, &user->active);
	fetch_bool(out, &user->must_change_password);
	fetch_time(out, &user->created_us);
	fetch_time(out, &user->updated_us);
}

const char *
user_text_or_null(const char *text)
{
	return text == NULL || text[0] == '\0' ? NULL : text;
}

void
user_bind_id(struct params *in, const struct uuid *tenant_id,
    const struct uuid *id)
{
	params_init(in);
	bind_uuid(in, tenant_id);
	bind_uuid(in, id);
}

static void
bind_names(struct params *in, const struct user *user)
{
	bind_text(in, user_text_or_null(user->email));
	bind_text(in, user_text_or_null(user->email));
	bind_text(in, user_text_or_null(user->username));
	bind_text(in, user_text_or_null(user->username));
}

int
user_store_insert(struct db *db, const struct user *user,
    const char *password_hash, const struct user_token *token,
    const char *pending_webhook_url, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, &user->id);
	bind_uuid(&in, &user->tenant_id);
	bind_names(&in, user);
	bind_text(&in, user_text_or_null(password_hash));
	bind_int(&in, user->must_change_password);
	bind_text(&in, role_name(user->role));
	bind_int(&in, user->active);
	bind_bytes(&in, token->hash, sizeof(token->hash));
	bind_bytes(&in, token->sealed, sizeof(token->sealed));
	bind_text(&in, pending_webhook_url);
	bind_time(&in, user->created_us);
	bind_time(&in, user->updated_us);
	return stmt_write(db, &user_stmts[USER_INSERT], &in, NULL, fault);
}

static int
user_read(struct db *db, const struct stmt_def *def, struct params *in,
    struct user *user_r, struct fault *fault)
{
	struct columns out;

	columns_init(&out);
	user_fetch(&out, user_r);
	return stmt_read_one(db, def, in, &out, fault);
}

int
user_store_find(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct user *user_r, struct fault *fault)
{
	struct params in;

	user_bind_id(&in, tenant_id, id);
	return user_read(db, &user_stmts[USER_FIND], &in, user_r, fault);
}

int
user_store_find_any_tenant(struct db *db, const struct uuid *id,
    struct user *user_r, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, id);
	return user_read(db, &user_stmts[USER_FIND_ANY_TENANT], &in, user_r,
	    fault);
}

int
user_store_count_other_admins(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, unsigned *count_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_text(&in, role_name(ROLE_ADMIN));
	bind_uuid(&in, id);
	columns_init(&out);
	fetch_unsigned(&out, count_r);
	return stmt_read_one(db, &user_stmts[USER_COUNT_OTHER_ADMINS], &in,
	    &out, fault) < 0 ? -1 : 0;
}

int
user_store_update(struct db *db, const struct user *user, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_text(&in, role_name(user->role));
	bind_int(&in, user->active);
	bind_time(&in, user->updated_us);
	bind_uuid(&in, &user->tenant_id);
	bind_uuid(&in, &user->id);
	return stmt_update(db, &user_stmts[USER_UPDATE], &in, fault);
}

int
user_store_find_username(struct db *db, const struct uuid *tenant_id,
    const char *username, struct uuid *id_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_text(&in, username);
	columns_init(&out);
	fetch_uuid(&out, id_r);
	return stmt_read_one(db, &user_stmts[USER_FIND_USERNAME], &in, &out,
	    fault);
}

int
user_store_update_account(struct db *db, const struct user *user,
    struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;
	int ret;

	params_init(&in);
	bind_names(&in, user);
	bind_int(&in, user->active);
	bind_time(&in, user->updated_us);
	bind_uuid(&in, &user->tenant_id);
	bind_uuid(&in, &user->id);
	ret = stmt_write(db, &user_stmts[USER_UPDATE_ACCOUNT], &in, &rows,
	    fault);
	if (ret == 1 && rows == 0)
		return fault_set(fault, FAULT_DATABASE,
		    "user_update_account: no such row");
	return ret;
}

int
user_store_update_token(struct db *db, const struct user *user,
    const struct user_token *token, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_bytes(&in, token->hash, sizeof(token->hash));
	bind_bytes(&in, token->sealed, sizeof(token->sealed));
	bind_time(&in, user->updated_us);
	bind_uuid(&in, &user->tenant_id);
	bind_uuid(&in, &user->id);
	return stmt_update(db, &user_stmts[USER_UPDATE_TOKEN], &in, fault);
}

int
user_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	user_bind_id(&in, tenant_id, id);
	if (stmt_write(db, &user_stmts[USER_DELETE], &in, &rows, fault) < 0)
		return -1;
	return rows > 0;
}

struct user_list {
	struct user user;
	uint8_t token_sealed[USER_TOKEN_SEALED_LEN];
	user_row *row;
	void *ctx;
};

static int
user_list_row(void *ctx, struct fault *fault)
{
	struct user_list *list = ctx;

	return list->row(list->ctx, &list->user, list->token_sealed, fault);
}

int
user_store_list(struct db *db, const struct uuid *tenant_id,
    const struct uuid *after, unsigned limit, user_row *row, void *ctx,
    struct fault *fault)
{
	struct user_list list = { .row = row, .ctx = ctx };
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, after != NULL ? after : &UUID_NIL);
	bind_limit(&in, limit);
	columns_init(&out);
	user_fetch(&out, &list.user);
	fetch_bytes(&out, list.token_sealed, sizeof(list.token_sealed));
	return stmt_read(db, &user_stmts[USER_LIST], &in, &out, user_list_row,
	    &list, fault);
}

int
user_store_pending_webhook(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct arena *arena, const char **url_r,
    struct fault *fault)
{
	struct params in;
	struct columns out;
	int ret;

	*url_r = NULL;
	user_bind_id(&in, tenant_id, id);
	columns_init(&out);
	fetch_arena_text(&out, arena, url_r);
	ret = stmt_read_one(db, &user_stmts[USER_PENDING_WEBHOOK], &in, &out,
	    fault);
	return ret == 1 && *url_r == NULL ? 0 : ret;
}

int
user_store_stage_webhook(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, const char *url, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_text(&in, url);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, id);
	return stmt_update(db, &user_stmts[USER_STAGE_WEBHOOK], &in, fault);
}

int
user_store_clear_pending_webhook(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct fault *fault)
{
	struct params in;

	user_bind_id(&in, tenant_id, id);
	return stmt_update(db, &user_stmts[USER_CLEAR_PENDING_WEBHOOK], &in,
	    fault);
}
