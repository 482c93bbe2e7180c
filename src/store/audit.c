/* SPDX-License-Identifier: MIT */
/* Tables audit and audit_chain. Rows of the trail are only ever added here, and
   read back as they were written: what is hashed before is hashed again. */
#include "config.h"

#include "wuts/audit_store.h"
#include "store_private.h"

#include "wuts/arena.h"

#include <string.h>

enum {
	AUDIT_INSERT,
	AUDIT_HEAD,
	AUDIT_SET_HEAD,
	AUDIT_LIST,
	AUDIT_LIST_ACTION,
	AUDIT_LIST_USER,
	AUDIT_LIST_USER_ACTION,
	AUDIT_LIST_OF_REQUEST,
	AUDIT_WALK,
	AUDIT_FIRST_TENANT,
	AUDIT_NEXT_TENANT,
	AUDIT_STMT_COUNT
};

#define AUDIT_COLUMNS \
	"audit.id, audit.tenant_id, audit.actor_kind, audit.actor_user_id," \
	" audit.actor_key_id, audit.actor_role, audit.action," \
	" audit.target_id, audit.old_value, audit.new_value," \
	" audit.request_id, audit.address, audit.created_at, audit.seq," \
	" audit.hash"

/* The numbers of a user's rows, as actor and as target, each from the end of
   its own key, so that a page never reads more than twice its rows. */
#define AUDIT_OF_USER(column, and_action) \
	"(SELECT seq FROM audit WHERE tenant_id = ? AND " column " = ?" \
	and_action " AND seq < ? ORDER BY seq DESC LIMIT ?)"
#define AUDIT_LIST_OF_USER(and_action) \
	"SELECT " AUDIT_COLUMNS " FROM (" \
	AUDIT_OF_USER("actor_user_id", and_action) " UNION DISTINCT " \
	AUDIT_OF_USER("target_id", and_action) ") AS numbers" \
	" JOIN audit ON audit.tenant_id = ? AND audit.seq = numbers.seq" \
	" ORDER BY audit.seq DESC LIMIT ?"

/* A chain whose head is gone still has rows, and one whose rows are gone still
   has its head. */
#define AUDIT_TENANTS(audit_where, chain_where) \
	"SELECT tenant_id FROM (" \
	"(SELECT tenant_id FROM audit WHERE seq IS NOT NULL" audit_where \
	" ORDER BY tenant_id LIMIT 1) UNION ALL " \
	"(SELECT tenant_id FROM audit_chain WHERE seq > 0" chain_where \
	" ORDER BY tenant_id LIMIT 1)) AS tenants" \
	" ORDER BY tenant_id LIMIT 1"

/* Request id and address come from outside and are cut, so that an odd one
   never makes a change fail. */
static const struct stmt_def audit_stmts[AUDIT_STMT_COUNT] = {
	[AUDIT_INSERT] = { "audit_insert",
	    "INSERT INTO audit (id, tenant_id, actor_kind, actor_user_id,"
	    " actor_key_id, actor_role, action, target_id, old_value,"
	    " new_value, request_id, address, created_at, seq, hash)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, LEFT(?, 128),"
	    " LEFT(?, 64), ?, ?, ?)" },
	[AUDIT_HEAD] = { "audit_head",
	    "SELECT seq, hash FROM audit_chain WHERE tenant_id = ?"
	    " FOR UPDATE" },
	[AUDIT_SET_HEAD] = { "audit_set_head",
	    "INSERT INTO audit_chain (tenant_id, seq, hash)"
	    " VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE seq = ?, hash = ?" },
	[AUDIT_LIST] = { "audit_list",
	    "SELECT " AUDIT_COLUMNS " FROM audit"
	    " WHERE tenant_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?" },
	[AUDIT_LIST_ACTION] = { "audit_list_action",
	    "SELECT " AUDIT_COLUMNS " FROM audit"
	    " WHERE tenant_id = ? AND action = ? AND seq < ?"
	    " ORDER BY seq DESC LIMIT ?" },
	[AUDIT_LIST_USER] = { "audit_list_user", AUDIT_LIST_OF_USER("") },
	[AUDIT_LIST_USER_ACTION] = { "audit_list_user_action",
	    AUDIT_LIST_OF_USER(" AND action = ?") },
	[AUDIT_LIST_OF_REQUEST] = { "audit_list_of_request",
	    "SELECT " AUDIT_COLUMNS " FROM audit WHERE request_id = ?"
	    " ORDER BY created_at, seq LIMIT ?" },
	[AUDIT_WALK] = { "audit_walk",
	    "SELECT " AUDIT_COLUMNS " FROM audit"
	    " WHERE tenant_id = ? AND seq > ? ORDER BY seq LIMIT ?" },
	[AUDIT_FIRST_TENANT] = { "audit_first_tenant", AUDIT_TENANTS("", "") },
	[AUDIT_NEXT_TENANT] = { "audit_next_tenant",
	    AUDIT_TENANTS(" AND tenant_id > ?", " AND tenant_id > ?") },
};

static bool
kind_word(const char *word, void *dest)
{
	return audit_actor_parse(word, dest);
}

/* Only a user's role is kept; all others have one role for ever. */
static bool
actor_role_word(const char *word, void *dest)
{
	if (*word != '\0')
		return role_parse(word, dest);
	*(enum role *)dest = ROLE_ADMIN;
	return true;
}

int
audit_store_insert(struct db *db, const struct audit_entry *entry,
    struct fault *fault)
{
	bool is_user = entry->actor.kind == IDENTITY_USER;
	bool is_key = entry->actor.kind == IDENTITY_KEY;
	struct params in;

	params_init(&in);
	bind_uuid(&in, &entry->id);
	bind_uuid(&in, &entry->tenant_id);
	bind_text(&in, audit_actor_word(entry->actor.kind));
	bind_uuid_or_null(&in, is_user ? &entry->actor.user_id : &UUID_NIL);
	bind_uuid_or_null(&in, is_key ? &entry->actor.key_id : &UUID_NIL);
	bind_text(&in, is_user ? role_name(entry->actor.role) : NULL);
	bind_text(&in, entry->action);
	bind_uuid(&in, &entry->target_id);
	bind_text(&in, entry->old_value);
	bind_text(&in, entry->new_value);
	bind_text(&in, entry->request_id != NULL ? entry->request_id : "");
	bind_text(&in, entry->address != NULL ? entry->address : "");
	bind_time(&in, entry->created_us);
	if (entry->seq != 0) {
		bind_int(&in, (int64_t)entry->seq);
		bind_bytes(&in, entry->hash, sizeof(entry->hash));
	} else {
		bind_null(&in);
		bind_null(&in);
	}
	return stmt_update(db, &audit_stmts[AUDIT_INSERT], &in, fault);
}

int
audit_store_head(struct db *db, const struct uuid *tenant_id,
    uint64_t *seq_r, uint8_t hash_r[CRYPTO_HASH_LEN], struct fault *fault)
{
	struct params in;
	struct columns out;

	*seq_r = 0;
	memset(hash_r, 0, CRYPTO_HASH_LEN);
	params_init(&in);
	bind_uuid(&in, tenant_id);
	columns_init(&out);
	fetch_uint64(&out, seq_r);
	fetch_bytes(&out, hash_r, CRYPTO_HASH_LEN);
	if (stmt_read_one(db, &audit_stmts[AUDIT_HEAD], &in, &out, fault) < 0)
		return -1;
	return *seq_r > 0;
}

int
audit_store_set_head(struct db *db, const struct uuid *tenant_id,
    uint64_t seq, const uint8_t hash[CRYPTO_HASH_LEN], struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_int(&in, (int64_t)seq);
	bind_bytes(&in, hash, CRYPTO_HASH_LEN);
	bind_int(&in, (int64_t)seq);
	bind_bytes(&in, hash, CRYPTO_HASH_LEN);
	return stmt_update(db, &audit_stmts[AUDIT_SET_HEAD], &in, fault);
}

struct audit_list {
	struct audit_entry entry;
	struct arena *arena;		/* of the row at hand */
	audit_row *row;
	void *ctx;
};

static void
fetch_entry(struct columns *out, struct audit_list *list)
{
	struct audit_entry *entry = &list->entry;
	struct arena *arena = list->arena;

	columns_init(out);
	fetch_uuid(out, &entry->id);
	fetch_uuid(out, &entry->tenant_id);
	fetch_word(out, kind_word, &entry->actor.kind);
	fetch_uuid(out, &entry->actor.user_id);
	fetch_uuid(out, &entry->actor.key_id);
	fetch_word(out, actor_role_word, &entry->actor.role);
	fetch_arena_text(out, arena, &entry->action);
	fetch_uuid(out, &entry->target_id);
	fetch_arena_text(out, arena, &entry->old_value);
	fetch_arena_text(out, arena, &entry->new_value);
	fetch_arena_text(out, arena, &entry->request_id);
	fetch_arena_text(out, arena, &entry->address);
	fetch_time(out, &entry->created_us);
	fetch_uint64(out, &entry->seq);
	fetch_bytes(out, entry->hash, sizeof(entry->hash));
}

static int
audit_list_row(void *ctx, struct fault *fault)
{
	struct audit_list *list = ctx;
	enum identity_kind kind = list->entry.actor.kind;
	int ret;

	list->entry.actor.tenant_id =
	    kind == IDENTITY_USER || kind == IDENTITY_KEY ?
	    list->entry.tenant_id : UUID_NIL;
	ret = list->row(list->ctx, &list->entry, fault);
	arena_reset(list->arena);
	return ret;
}

static int
audit_read(struct db *db, const struct stmt_def *def, struct params *in,
    audit_row *row, void *ctx, struct fault *fault)
{
	struct audit_list list = { .row = row, .ctx = ctx };
	struct columns out;
	int ret;

	list.arena = arena_new();
	fetch_entry(&out, &list);
	ret = stmt_read(db, def, in, &out, audit_list_row, &list, fault);
	arena_free(&list.arena);
	return ret;
}

/* One side of AUDIT_LIST_OF_USER. */
static void
bind_of_user(struct params *in, const struct uuid *tenant_id,
    const struct uuid *user_id, const char *action, int64_t before,
    unsigned limit)
{
	bind_uuid(in, tenant_id);
	bind_uuid(in, user_id);
	if (action != NULL)
		bind_text(in, action);
	bind_int(in, before);
	bind_limit(in, limit);
}

int
audit_store_list(struct db *db, const struct uuid *tenant_id,
    uint64_t before_seq, const char *action, const struct uuid *user_id,
    unsigned limit, audit_row *row, void *ctx, struct fault *fault)
{
	int64_t before = before_seq == 0 || before_seq > INT64_MAX ?
	    INT64_MAX : (int64_t)before_seq;
	struct params in;

	params_init(&in);
	if (user_id != NULL) {
		bind_of_user(&in, tenant_id, user_id, action, before, limit);
		bind_of_user(&in, tenant_id, user_id, action, before, limit);
		bind_uuid(&in, tenant_id);
		bind_limit(&in, limit);
		return audit_read(db, &audit_stmts[action != NULL ?
		    AUDIT_LIST_USER_ACTION : AUDIT_LIST_USER], &in, row, ctx,
		    fault);
	}
	bind_uuid(&in, tenant_id);
	if (action != NULL)
		bind_text(&in, action);
	bind_int(&in, before);
	bind_limit(&in, limit);
	return audit_read(db, &audit_stmts[action != NULL ?
	    AUDIT_LIST_ACTION : AUDIT_LIST], &in, row, ctx, fault);
}

int
audit_store_list_of_request(struct db *db, const char *request_id,
    unsigned limit, audit_row *row, void *ctx, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_text(&in, request_id);
	bind_limit(&in, limit);
	return audit_read(db, &audit_stmts[AUDIT_LIST_OF_REQUEST], &in, row,
	    ctx, fault);
}

int
audit_store_walk(struct db *db, const struct uuid *tenant_id,
    uint64_t after_seq, unsigned limit, audit_row *row, void *ctx,
    struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_int(&in, after_seq > INT64_MAX ? INT64_MAX : (int64_t)after_seq);
	bind_limit(&in, limit);
	return audit_read(db, &audit_stmts[AUDIT_WALK], &in, row, ctx, fault);
}

int
audit_store_next_tenant(struct db *db, const struct uuid *after,
    struct uuid *tenant_id_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	if (after != NULL) {
		bind_uuid(&in, after);
		bind_uuid(&in, after);
	}
	columns_init(&out);
	fetch_uuid(&out, tenant_id_r);
	return stmt_read_one(db, &audit_stmts[after != NULL ?
	    AUDIT_NEXT_TENANT : AUDIT_FIRST_TENANT], &in, &out, fault);
}
