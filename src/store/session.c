/* SPDX-License-Identifier: MIT */
/* Table session. Of a token it holds the hash alone. A session that is revoked
   counts as expired from then on, so that one index finds both kinds of rows
   that nobody needs. */
#include "config.h"

#include "wuts/session_store.h"
#include "user_private.h"

#include "wuts/user.h"

#include <string.h>

enum {
	SESSION_INSERT,
	SESSION_FIND_BY_TOKEN,
	SESSION_FIND,
	SESSION_TOUCH,
	SESSION_REVOKE,
	SESSION_COUNT,
	SESSION_REVOKE_ALL,
	SESSION_LIST,
	SESSION_LIST_EXPIRED,
	SESSION_DELETE,
	SESSION_EXPIRE,
	SESSION_COUNT_UNDER,
	SESSION_STMT_COUNT
};

#define SESSION_COLUMNS \
	"session.id, session.tenant_id, session.user_id, session.address," \
	" session.user_agent, session.created_at, session.updated_at," \
	" session.expires_at, session.last_active_at, session.revoked_at"

static const struct stmt_def session_stmts[SESSION_STMT_COUNT] = {
	[SESSION_INSERT] = { "session_insert",
	    "INSERT INTO session (id, tenant_id, user_id, token_hash, address,"
	    " user_agent, created_at, updated_at, expires_at, last_active_at)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	[SESSION_FIND_BY_TOKEN] = { "session_find_by_token",
	    "SELECT " SESSION_COLUMNS ", " USER_COLUMNS_OF("users")
	    " FROM session JOIN users ON users.tenant_id = session.tenant_id"
	    " AND users.id = session.user_id WHERE session.token_hash = ?"
	    SQL_TENANT_LIVES("session") },
	[SESSION_FIND] = { "session_find",
	    "SELECT " SESSION_COLUMNS " FROM session WHERE tenant_id = ?"
	    " AND user_id = ? AND id = ?" },
	/* Two workers may note the same minute: the later one stays. */
	[SESSION_TOUCH] = { "session_touch_any_tenant",
	    "UPDATE session SET last_active_at = ? WHERE id = ?"
	    " AND last_active_at < ?" },
	[SESSION_REVOKE] = { "session_revoke",
	    "UPDATE session SET revoked_at = ?, updated_at = ?,"
	    " expires_at = LEAST(expires_at, ?) WHERE tenant_id = ?"
	    " AND user_id = ? AND id = ? AND revoked_at IS NULL" },
	[SESSION_COUNT] = { "session_count",
	    "SELECT COUNT(*) FROM session WHERE tenant_id = ?"
	    " AND user_id = ? AND revoked_at IS NULL AND expires_at > ?" },
	[SESSION_REVOKE_ALL] = { "session_revoke_all",
	    "UPDATE session SET revoked_at = ?, updated_at = ?,"
	    " expires_at = LEAST(expires_at, ?) WHERE tenant_id = ?"
	    " AND user_id = ? AND revoked_at IS NULL" },
	[SESSION_LIST] = { "session_list",
	    "SELECT " SESSION_COLUMNS " FROM session WHERE tenant_id = ?"
	    " AND user_id = ? AND revoked_at IS NULL AND expires_at > ?"
	    " ORDER BY last_active_at DESC, id DESC" },
	[SESSION_LIST_EXPIRED] = { "session_list_expired_any_tenant",
	    "SELECT " SESSION_COLUMNS " FROM session WHERE expires_at <= ?"
	    " AND revoked_at IS NULL" SQL_TENANT_LIVES("session")
	    " ORDER BY expires_at LIMIT ?" },
	[SESSION_DELETE] = { "session_delete",
	    "DELETE FROM session WHERE tenant_id = ? AND id = ?"
	    " AND revoked_at IS NULL" },
	[SESSION_EXPIRE] = { "session_expire_any_tenant",
	    "DELETE FROM session WHERE expires_at < ? ORDER BY expires_at"
	    " LIMIT ?" },
	[SESSION_COUNT_UNDER] = { "session_count_under_any_tenant",
	    "SELECT COUNT(*) FROM session WHERE LEFT(token_hash, 4) = ?"
	    " AND revoked_at IS NULL AND expires_at > ?" },
};

static void
fetch_session(struct columns *out, struct session *session)
{
	columns_init(out);
	fetch_uuid(out, &session->id);
	fetch_uuid(out, &session->tenant_id);
	fetch_uuid(out, &session->user_id);
	fetch_text(out, session->address, sizeof(session->address));
	fetch_text(out, session->user_agent, sizeof(session->user_agent));
	fetch_time(out, &session->created_us);
	fetch_time(out, &session->updated_us);
	fetch_time(out, &session->expires_us);
	fetch_time(out, &session->last_active_us);
	fetch_time(out, &session->revoked_us);
}

static void
bind_of_user(struct params *in, const struct uuid *tenant_id,
    const struct uuid *user_id)
{
	bind_uuid(in, tenant_id);
	bind_uuid(in, user_id);
}

int
session_store_insert(struct db *db, const struct session *session,
    const uint8_t token_hash[CRYPTO_HASH_LEN], struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, &session->id);
	bind_of_user(&in, &session->tenant_id, &session->user_id);
	bind_bytes(&in, token_hash, CRYPTO_HASH_LEN);
	bind_text(&in, session->address);
	bind_text(&in, session->user_agent);
	bind_time(&in, session->created_us);
	bind_time(&in, session->updated_us);
	bind_time(&in, session->expires_us);
	bind_time(&in, session->last_active_us);
	return stmt_update(db, &session_stmts[SESSION_INSERT], &in, fault);
}

int
session_store_find_by_token(struct db *db,
    const uint8_t token_hash[CRYPTO_HASH_LEN], struct session *session_r,
    struct user *user_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_bytes(&in, token_hash, CRYPTO_HASH_LEN);
	fetch_session(&out, session_r);
	user_fetch(&out, user_r);
	return stmt_read_one(db, &session_stmts[SESSION_FIND_BY_TOKEN], &in,
	    &out, fault);
}

int
session_store_find(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id,
    struct session *session_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_of_user(&in, tenant_id, user_id);
	bind_uuid(&in, id);
	fetch_session(&out, session_r);
	return stmt_read_one(db, &session_stmts[SESSION_FIND], &in, &out,
	    fault);
}

int
session_store_touch(struct db *db, const struct uuid *id, int64_t now_us,
    struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_time(&in, now_us);
	bind_uuid(&in, id);
	bind_time(&in, now_us);
	return stmt_write(db, &session_stmts[SESSION_TOUCH], &in, NULL,
	    fault) < 0 ? -1 : 0;
}

static void
bind_revocation(struct params *in, const struct uuid *tenant_id,
    const struct uuid *user_id, int64_t now_us)
{
	params_init(in);
	bind_time(in, now_us);
	bind_time(in, now_us);
	bind_time(in, now_us);
	bind_of_user(in, tenant_id, user_id);
}

int
session_store_revoke(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id, int64_t now_us,
    struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	bind_revocation(&in, tenant_id, user_id, now_us);
	bind_uuid(&in, id);
	if (stmt_write(db, &session_stmts[SESSION_REVOKE], &in, &rows,
	    fault) < 0)
		return -1;
	return rows > 0;
}

int
session_store_revoke_all(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, int64_t now_us, size_t *n_r,
    struct fault *fault)
{
	struct params in;
	struct columns out;
	uint64_t n = 0;

	params_init(&in);
	bind_of_user(&in, tenant_id, user_id);
	bind_time(&in, now_us);
	columns_init(&out);
	fetch_uint64(&out, &n);
	if (stmt_read_one(db, &session_stmts[SESSION_COUNT], &in, &out,
	    fault) < 0)
		return -1;
	*n_r = (size_t)n;
	bind_revocation(&in, tenant_id, user_id, now_us);
	return stmt_write(db, &session_stmts[SESSION_REVOKE_ALL], &in, NULL,
	    fault) < 0 ? -1 : 0;
}

struct session_list {
	struct session session;
	session_row *row;
	void *ctx;
};

static int
session_list_row(void *ctx, struct fault *fault)
{
	struct session_list *list = ctx;

	return list->row(list->ctx, &list->session, fault);
}

int
session_store_list(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, bool include_expired, int64_t now_us,
    session_row *row, void *ctx, struct fault *fault)
{
	struct session_list list = { .row = row, .ctx = ctx };
	struct params in;
	struct columns out;

	params_init(&in);
	bind_of_user(&in, tenant_id, user_id);
	bind_time(&in, include_expired ? 0 : now_us);
	fetch_session(&out, &list.session);
	return stmt_read(db, &session_stmts[SESSION_LIST], &in, &out,
	    session_list_row, &list, fault);
}

struct session_gathering {
	struct session session;
	struct session *sessions;
	unsigned n;
};

static int
gather_row(void *ctx, struct fault *fault)
{
	struct session_gathering *gathering = ctx;

	(void)fault;
	gathering->sessions[gathering->n++] = gathering->session;
	return 0;
}

int
session_store_list_expired(struct db *db, int64_t now_us, unsigned limit,
    struct session *sessions_r, struct fault *fault)
{
	struct session_gathering gathering = { .sessions = sessions_r };
	struct params in;
	struct columns out;

	params_init(&in);
	bind_time(&in, now_us);
	bind_limit(&in, limit);
	fetch_session(&out, &gathering.session);
	if (stmt_read(db, &session_stmts[SESSION_LIST_EXPIRED], &in, &out,
	    gather_row, &gathering, fault) < 0)
		return -1;
	return (int)gathering.n;
}

int
session_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, id);
	if (stmt_write(db, &session_stmts[SESSION_DELETE], &in, &rows,
	    fault) < 0)
		return -1;
	return rows > 0;
}

int
session_store_expire(struct db *db, int64_t before_us, unsigned limit,
    struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_time(&in, before_us);
	bind_limit(&in, limit);
	if (stmt_write(db, &session_stmts[SESSION_EXPIRE], &in, &rows,
	    fault) < 0)
		return -1;
	return (int)rows;
}

int
session_store_count_under(struct db *db,
    const uint8_t key_name[CRYPTO_KEY_NAME_LEN], int64_t now_us,
    uint64_t *count_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_bytes(&in, key_name, CRYPTO_KEY_NAME_LEN);
	bind_time(&in, now_us);
	columns_init(&out);
	fetch_uint64(&out, count_r);
	return stmt_read_one(db, &session_stmts[SESSION_COUNT_UNDER], &in,
	    &out, fault) < 0 ? -1 : 0;
}
