/* SPDX-License-Identifier: MIT */
/* Table user_phone. */
#include "config.h"

#include "wuts/user_phone_store.h"
#include "store_private.h"

#include "wuts/fault.h"

enum {
	USER_PHONE_INSERT,
	USER_PHONE_FIND,
	USER_PHONE_UPDATE,
	USER_PHONE_CLEAR_PRIMARY,
	USER_PHONE_DELETE,
	USER_PHONE_LIST,
	USER_PHONE_STMT_COUNT
};

#define USER_PHONE_COLUMNS \
	"id, tenant_id, user_id, country_code, phone_number, is_primary," \
	" verified, verified_at, created_at, updated_at"

static const struct stmt_def user_phone_stmts[USER_PHONE_STMT_COUNT] = {
	[USER_PHONE_INSERT] = { "user_phone_insert",
	    "INSERT INTO user_phone (id, tenant_id, user_id, country_code,"
	    " phone_number, phone_key, is_primary, verified, verified_at,"
	    " created_at, updated_at)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	[USER_PHONE_FIND] = { "user_phone_find",
	    "SELECT " USER_PHONE_COLUMNS " FROM user_phone"
	    " WHERE tenant_id = ? AND id = ? AND user_id = ?" },
	[USER_PHONE_UPDATE] = { "user_phone_update",
	    "UPDATE user_phone SET country_code = ?, phone_number = ?,"
	    " phone_key = ?, is_primary = ?, verified = ?, verified_at = ?,"
	    " updated_at = ? WHERE tenant_id = ? AND id = ?"
	    " AND user_id = ?" },
	[USER_PHONE_CLEAR_PRIMARY] = { "user_phone_clear_primary",
	    "UPDATE user_phone SET is_primary = FALSE, updated_at = ?"
	    " WHERE tenant_id = ? AND user_id = ? AND is_primary = TRUE" },
	[USER_PHONE_DELETE] = { "user_phone_delete",
	    "DELETE FROM user_phone"
	    " WHERE tenant_id = ? AND id = ? AND user_id = ?" },
	[USER_PHONE_LIST] = { "user_phone_list",
	    "SELECT " USER_PHONE_COLUMNS " FROM user_phone"
	    " WHERE tenant_id = ? AND user_id = ? ORDER BY created_at, id" },
};

static void
fetch_phone(struct columns *out, struct user_phone *phone)
{
	columns_init(out);
	fetch_uuid(out, &phone->id);
	fetch_uuid(out, &phone->tenant_id);
	fetch_uuid(out, &phone->user_id);
	fetch_text(out, phone->country_code, sizeof(phone->country_code));
	fetch_text(out, phone->phone_number, sizeof(phone->phone_number));
	fetch_bool(out, &phone->is_primary);
	fetch_bool(out, &phone->verified);
	fetch_time(out, &phone->verified_us);
	fetch_time(out, &phone->created_us);
	fetch_time(out, &phone->updated_us);
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
bind_state(struct params *in, const struct user_phone *phone,
    char key[PHONE_DIGITS_MAX + 1])
{
	bind_text(in, phone->country_code);
	bind_text(in, phone->phone_number);
	bind_text(in, phone_key(phone, key));
	bind_int(in, phone->is_primary);
	bind_int(in, phone->verified);
	bind_time_or_null(in, phone->verified_us);
}

int
user_phone_store_insert(struct db *db, const struct user_phone *phone,
    struct fault *fault)
{
	char key[PHONE_DIGITS_MAX + 1];
	struct params in;

	params_init(&in);
	bind_uuid(&in, &phone->id);
	bind_uuid(&in, &phone->tenant_id);
	bind_uuid(&in, &phone->user_id);
	bind_state(&in, phone, key);
	bind_time(&in, phone->created_us);
	bind_time(&in, phone->updated_us);
	return stmt_write(db, &user_phone_stmts[USER_PHONE_INSERT], &in, NULL,
	    fault);
}

int
user_phone_store_find(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id,
    struct user_phone *phone_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_one(&in, tenant_id, id, user_id);
	fetch_phone(&out, phone_r);
	return stmt_read_one(db, &user_phone_stmts[USER_PHONE_FIND], &in,
	    &out, fault);
}

int
user_phone_store_update(struct db *db, const struct user_phone *phone,
    struct fault *fault)
{
	char key[PHONE_DIGITS_MAX + 1];
	struct params in;
	uint64_t rows = 0;
	int ret;

	params_init(&in);
	bind_state(&in, phone, key);
	bind_time(&in, phone->updated_us);
	bind_one(&in, &phone->tenant_id, &phone->id, &phone->user_id);
	ret = stmt_write(db, &user_phone_stmts[USER_PHONE_UPDATE], &in, &rows,
	    fault);
	if (ret == 1 && rows == 0)
		return fault_set(fault, FAULT_DATABASE,
		    "user_phone_update: no such row");
	return ret;
}

int
user_phone_store_clear_primary(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, int64_t updated_us, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_time(&in, updated_us);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	return stmt_write(db, &user_phone_stmts[USER_PHONE_CLEAR_PRIMARY],
	    &in, NULL, fault) < 0 ? -1 : 0;
}

int
user_phone_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id, struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_one(&in, tenant_id, id, user_id);
	if (stmt_write(db, &user_phone_stmts[USER_PHONE_DELETE], &in, &rows,
	    fault) < 0)
		return -1;
	return rows > 0;
}

struct user_phone_list {
	struct user_phone phone;
	user_phone_row *row;
	void *ctx;
};

static int
list_row(void *ctx, struct fault *fault)
{
	struct user_phone_list *list = ctx;

	return list->row(list->ctx, &list->phone, fault);
}

int
user_phone_store_list(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, user_phone_row *row, void *ctx,
    struct fault *fault)
{
	struct user_phone_list list = { .row = row, .ctx = ctx };
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	fetch_phone(&out, &list.phone);
	return stmt_read(db, &user_phone_stmts[USER_PHONE_LIST], &in, &out,
	    list_row, &list, fault);
}
