/* SPDX-License-Identifier: MIT */
/* Table user_email. The key of an address is judged here alone: users.email
   only repeats the primary one. */
#include "config.h"

#include "wuts/user_email_store.h"
#include "store_private.h"

#include "wuts/fault.h"

enum {
	USER_EMAIL_INSERT,
	USER_EMAIL_FIND,
	USER_EMAIL_UPDATE,
	USER_EMAIL_CLEAR_PRIMARY,
	USER_EMAIL_DELETE,
	USER_EMAIL_LIST,
	USER_EMAIL_STMT_COUNT
};

#define USER_EMAIL_COLUMNS \
	"id, tenant_id, user_id, email, is_primary, verified, verified_at," \
	" strategy, created_at, updated_at"

static const struct stmt_def user_email_stmts[USER_EMAIL_STMT_COUNT] = {
	[USER_EMAIL_INSERT] = { "user_email_insert",
	    "INSERT INTO user_email (id, tenant_id, user_id, email,"
	    " email_key, is_primary, verified, verified_at, strategy,"
	    " created_at, updated_at)"
	    " VALUES (?, ?, ?, ?, LOWER(?), ?, ?, ?, ?, ?, ?)" },
	[USER_EMAIL_FIND] = { "user_email_find",
	    "SELECT " USER_EMAIL_COLUMNS " FROM user_email"
	    " WHERE tenant_id = ? AND id = ? AND user_id = ?" },
	[USER_EMAIL_UPDATE] = { "user_email_update",
	    "UPDATE user_email SET email = ?, email_key = LOWER(?),"
	    " is_primary = ?, verified = ?, verified_at = ?, strategy = ?,"
	    " updated_at = ? WHERE tenant_id = ? AND id = ?"
	    " AND user_id = ?" },
	[USER_EMAIL_CLEAR_PRIMARY] = { "user_email_clear_primary",
	    "UPDATE user_email SET is_primary = FALSE, updated_at = ?"
	    " WHERE tenant_id = ? AND user_id = ? AND is_primary = TRUE" },
	[USER_EMAIL_DELETE] = { "user_email_delete",
	    "DELETE FROM user_email"
	    " WHERE tenant_id = ? AND id = ? AND user_id = ?" },
	[USER_EMAIL_LIST] = { "user_email_list",
	    "SELECT " USER_EMAIL_COLUMNS " FROM user_email"
	    " WHERE tenant_id = ? AND user_id = ? ORDER BY created_at, id" },
};

static void
fetch_email(struct columns *out, struct user_email *email)
{
	columns_init(out);
	fetch_uuid(out, &email->id);
	fetch_uuid(out, &email->tenant_id);
	fetch_uuid(out, &email->user_id);
	fetch_text(out, email->email, sizeof(email->email));
	fetch_bool(out, &email->is_primary);
	fetch_bool(out, &email->verified);
	fetch_time(out, &email->verified_us);
	fetch_text(out, email->strategy, sizeof(email->strategy));
	fetch_time(out, &email->created_us);
	fetch_time(out, &email->updated_us);
}

static void
bind_one(struct params *in, const struct uuid *tenant_id,
    const struct uuid *id, const struct uuid *user_id)
{
	bind_uuid(in, tenant_id);
	bind_uuid(in, id);
	bind_uuid(in, user_id);
}

/* What an update may change, but its time. */
static void
bind_state(struct params *in, const struct user_email *email)
{
	bind_text(in, email->email);
	bind_text(in, email->email);
	bind_int(in, email->is_primary);
	bind_int(in, email->verified);
	bind_time_or_null(in, email->verified_us);
	bind_text(in, email->strategy);
}

int
user_email_store_insert(struct db *db, const struct user_email *email,
    struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, &email->id);
	bind_uuid(&in, &email->tenant_id);
	bind_uuid(&in, &email->user_id);
	bind_state(&in, email);
	bind_time(&in, email->created_us);
	bind_time(&in, email->updated_us);
	return stmt_write(db, &user_email_stmts[USER_EMAIL_INSERT], &in, NULL,
	    fault);
}

int
user_email_store_find(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id,
    struct user_email *email_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_one(&in, tenant_id, id, user_id);
	fetch_email(&out, email_r);
	return stmt_read_one(db, &user_email_stmts[USER_EMAIL_FIND], &in,
	    &out, fault);
}

int
user_email_store_update(struct db *db, const struct user_email *email,
    struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;
	int ret;

	params_init(&in);
	bind_state(&in, email);
	bind_time(&in, email->updated_us);
	bind_one(&in, &email->tenant_id, &email->id, &email->user_id);
	ret = stmt_write(db, &user_email_stmts[USER_EMAIL_UPDATE], &in, &rows,
	    fault);
	if (ret == 1 && rows == 0)
		return fault_set(fault, FAULT_DATABASE,
		    "user_email_update: no such row");
	return ret;
}

int
user_email_store_clear_primary(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, int64_t updated_us, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_time(&in, updated_us);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	return stmt_write(db, &user_email_stmts[USER_EMAIL_CLEAR_PRIMARY],
	    &in, NULL, fault) < 0 ? -1 : 0;
}

int
user_email_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id, struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_one(&in, tenant_id, id, user_id);
	if (stmt_write(db, &user_email_stmts[USER_EMAIL_DELETE], &in, &rows,
	    fault) < 0)
		return -1;
	return rows > 0;
}

struct user_email_list {
	struct user_email email;
	user_email_row *row;
	void *ctx;
};

static int
list_row(void *ctx, struct fault *fault)
{
	struct user_email_list *list = ctx;

	return list->row(list->ctx, &list->email, fault);
}

int
user_email_store_list(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, user_email_row *row, void *ctx,
    struct fault *fault)
{
	struct user_email_list list = { .row = row, .ctx = ctx };
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	fetch_email(&out, &list.email);
	return stmt_read(db, &user_email_stmts[USER_EMAIL_LIST], &in, &out,
	    list_row, &list, fault);
}
