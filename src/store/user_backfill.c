/* SPDX-License-Identifier: MIT */
/* Rows that a program older than their table did not write. The statements say
   what the services say in C (details_index(), new_user_insert_rows()): here
   there is no service yet, and a user that an old program wrote has little. */
#include "config.h"

#include "wuts/user_backfill_store.h"
#include "store_private.h"

#include "wuts/fault.h"

#include <stdbool.h>

enum {
	BACKFILL_FIND,
	BACKFILL_EMAIL,
	BACKFILL_SEARCH,
	BACKFILL_MISCOUNTED,
	BACKFILL_STMT_COUNT
};

#define OF_USER(t) t ".tenant_id = u.tenant_id AND " t ".user_id = u.id"

#define LACKS_EMAIL \
	"u.email IS NOT NULL AND NOT EXISTS (SELECT 1 FROM user_email AS e" \
	" WHERE " OF_USER("e") ")"
#define LACKS_SEARCH \
	"NOT EXISTS (SELECT 1 FROM user_search AS s WHERE " OF_USER("s") \
	" AND s.username_key <=> u.username_key" \
	" AND s.email_key <=> u.email_key)"

static const struct stmt_def backfill_stmts[BACKFILL_STMT_COUNT] = {
	[BACKFILL_FIND] = { "user_backfill_find",
	    "SELECT u.tenant_id, u.id, (" LACKS_EMAIL ") OR (" LACKS_SEARCH
	    ") FROM users AS u WHERE u.id > ? ORDER BY u.id LIMIT ?" },
	[BACKFILL_EMAIL] = { "user_backfill_email",
	    "INSERT INTO user_email (id, tenant_id, user_id, email, email_key,"
	    " is_primary, verified, verified_at, created_at, updated_at)"
	    " SELECT ?, u.tenant_id, u.id, u.email, u.email_key, TRUE, FALSE,"
	    " NULL, u.created_at, u.updated_at FROM users AS u"
	    " WHERE u.tenant_id = ? AND u.id = ? AND " LACKS_EMAIL },
	[BACKFILL_SEARCH] = { "user_backfill_search",
	    "INSERT INTO user_search (tenant_id, user_id, created_at,"
	    " username_key, email_key, phone, text)"
	    " SELECT u.tenant_id, u.id, u.created_at, u.username_key,"
	    " u.email_key, (SELECT CONCAT(f.country_code, f.phone_number)"
	    " FROM user_phone AS f WHERE " OF_USER("f") " AND f.is_primary),"
	    " LOWER(CONCAT_WS(' ', NULLIF(p.first_name, ''),"
	    " NULLIF(p.last_name, ''), u.username, u.email,"
	    " (SELECT GROUP_CONCAT(e.email ORDER BY e.created_at, e.id"
	    " SEPARATOR ' ') FROM user_email AS e WHERE " OF_USER("e") "),"
	    " (SELECT GROUP_CONCAT(CONCAT(f.country_code, f.phone_number, ' ',"
	    " f.phone_number) ORDER BY f.created_at, f.id SEPARATOR ' ')"
	    " FROM user_phone AS f WHERE " OF_USER("f") ")))"
	    " FROM users AS u LEFT JOIN user_profile AS p ON " OF_USER("p")
	    " WHERE u.tenant_id = ? AND u.id = ? AND " LACKS_SEARCH
	    " ON DUPLICATE KEY UPDATE username_key = VALUES(username_key),"
	    " email_key = VALUES(email_key), phone = VALUES(phone),"
	    " text = VALUES(text)" },
	[BACKFILL_MISCOUNTED] = { "user_backfill_miscounted",
	    "SELECT c.tenant_id FROM user_count AS c WHERE c.tenant_id > ?"
	    " AND c.n <> (SELECT COUNT(*) FROM users AS u WHERE u.tenant_id ="
	    " c.tenant_id) ORDER BY c.tenant_id LIMIT 1" },
};

struct finding {
	struct user_lacking user;
	bool lacks;
	struct user_lacking *lacking;
	size_t n;
	size_t seen;
};

static int
find_row(void *ctx, struct fault *fault)
{
	struct finding *finding = ctx;

	(void)fault;
	finding->seen++;
	if (finding->lacks)
		finding->lacking[finding->n++] = finding->user;
	return 0;
}

int
user_backfill_store_find(struct db *db, struct uuid *cursor,
    struct user_lacking lacking_r[USER_BACKFILL_BATCH], size_t *n_r,
    struct fault *fault)
{
	struct finding finding = { .lacking = lacking_r };
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, cursor);
	bind_int(&in, USER_BACKFILL_BATCH);
	columns_init(&out);
	fetch_uuid(&out, &finding.user.tenant_id);
	fetch_uuid(&out, &finding.user.id);
	fetch_bool(&out, &finding.lacks);
	*n_r = 0;
	if (stmt_read(db, &backfill_stmts[BACKFILL_FIND], &in, &out, find_row,
	    &finding, fault) < 0)
		return -1;
	*cursor = finding.user.id;
	*n_r = finding.n;
	return finding.seen == USER_BACKFILL_BATCH;
}

/* An address that another user has by now stays where it is. */
int
user_backfill_store_write(struct db *db, const struct user_lacking *user,
    struct fault *fault)
{
	uint64_t emails = 0, searches = 0;
	struct params in;
	struct uuid id;

	uuid_new_ordered(&id);
	params_init(&in);
	bind_uuid(&in, &id);
	bind_uuid(&in, &user->tenant_id);
	bind_uuid(&in, &user->id);
	if (stmt_write(db, &backfill_stmts[BACKFILL_EMAIL], &in, &emails,
	    fault) < 0)
		return -1;
	params_init(&in);
	bind_uuid(&in, &user->tenant_id);
	bind_uuid(&in, &user->id);
	if (stmt_write(db, &backfill_stmts[BACKFILL_SEARCH], &in, &searches,
	    fault) < 0)
		return -1;
	return emails + searches > 0;
}

int
user_backfill_store_find_miscounted(struct db *db, const struct uuid *after,
    struct uuid *tenant_id_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_uuid(&in, after);
	columns_init(&out);
	fetch_uuid(&out, tenant_id_r);
	return stmt_read_one(db, &backfill_stmts[BACKFILL_MISCOUNTED], &in,
	    &out, fault);
}
