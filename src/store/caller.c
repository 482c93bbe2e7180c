/* SPDX-License-Identifier: MIT */
/* Callers and targets in one statement each, over the tables users, tenant and
   audit_chain. All rows are found by keys that are unique, so there is at most
   one row of each; LEFT JOIN makes a table wait for the one before it, in
   MySQL and MariaDB, which is what the order of the locks rests on. */
#include "config.h"

#include "wuts/caller_store.h"
#include "user_private.h"

#include <string.h>

enum {
	CALLER_FIND,
	CALLER_FIND_BOTH,
	CALLER_LOCK,
	CALLER_STMT_COUNT
};

/* Each column costs the server time: here are those that are needed. */
#define OWNER_COLUMNS \
	"caller.id, caller.tenant_id, caller.role, caller.active"

/* The role of nobody is nobody's: it is not looked at. */
#define TARGET_COLUMNS \
	"target.id, target.tenant_id, target.email, target.username," \
	" COALESCE(target.role, 'user'), target.active," \
	" target.must_change_password, target.created_at, target.updated_at"

static const struct stmt_def caller_stmts[CALLER_STMT_COUNT] = {
	[CALLER_FIND] = { "caller_find",
	    "SELECT " OWNER_COLUMNS " FROM users AS caller"
	    " JOIN tenant ON tenant.id = caller.tenant_id"
	    " WHERE caller.token_hash = ? AND tenant.deleted_at IS NULL" },
	[CALLER_FIND_BOTH] = { "caller_find_both",
	    "SELECT " OWNER_COLUMNS ", " TARGET_COLUMNS
	    " FROM users AS caller"
	    " JOIN tenant ON tenant.id = caller.tenant_id"
	    " LEFT JOIN users AS target ON target.id = ?"
	    " AND target.tenant_id = tenant.id"
	    " WHERE caller.token_hash = ? AND tenant.deleted_at IS NULL" },
	[CALLER_LOCK] = { "caller_lock",
	    "SELECT chain.seq, chain.hash, caller.id,"
	    " COALESCE(caller.role, 'user'), caller.active, " TARGET_COLUMNS
	    " FROM tenant"
	    " LEFT JOIN audit_chain AS chain ON chain.tenant_id = tenant.id"
	    " LEFT JOIN users AS caller ON caller.id = ?"
	    " AND caller.tenant_id = tenant.id"
	    " LEFT JOIN users AS target ON target.id = ?"
	    " AND target.tenant_id = tenant.id"
	    " WHERE tenant.id = ? AND tenant.deleted_at IS NULL FOR UPDATE" },
};

static void
fetch_owner(struct columns *out, struct token_owner *owner)
{
	columns_init(out);
	fetch_uuid(out, &owner->id);
	fetch_uuid(out, &owner->tenant_id);
	fetch_role(out, &owner->role);
	fetch_bool(out, &owner->active);
}

int
caller_store_find(struct db *db, const uint8_t hash[CRYPTO_HASH_LEN],
    struct token_owner *owner_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	bind_bytes(&in, hash, CRYPTO_HASH_LEN);
	fetch_owner(&out, owner_r);
	return stmt_read_one(db, &caller_stmts[CALLER_FIND], &in, &out,
	    fault);
}

int
caller_store_find_both(struct db *db, const uint8_t hash[CRYPTO_HASH_LEN],
    const struct uuid *target_id, struct token_owner *owner_r,
    struct user *target_r, bool *has_target_r, struct fault *fault)
{
	struct params in;
	struct columns out;
	int found;

	memset(target_r, 0, sizeof(*target_r));
	params_init(&in);
	bind_uuid(&in, target_id);
	bind_bytes(&in, hash, CRYPTO_HASH_LEN);
	fetch_owner(&out, owner_r);
	user_fetch(&out, target_r);
	found = stmt_read_one(db, &caller_stmts[CALLER_FIND_BOTH], &in, &out,
	    fault);
	*has_target_r = found == 1 && !uuid_is_nil(&target_r->id);
	return found;
}

int
caller_store_lock(struct db *db, const struct uuid *tenant_id,
    const struct uuid *caller_id, const struct uuid *target_id,
    struct caller_lock *lock_r, struct fault *fault)
{
	struct uuid caller = UUID_NIL;
	struct params in;
	struct columns out;
	int found;

	memset(lock_r, 0, sizeof(*lock_r));
	params_init(&in);
	bind_uuid(&in, caller_id);
	bind_uuid(&in, target_id);
	bind_uuid(&in, tenant_id);
	columns_init(&out);
	fetch_uint64(&out, &lock_r->seq);
	fetch_bytes(&out, lock_r->hash, sizeof(lock_r->hash));
	fetch_uuid(&out, &caller);
	fetch_role(&out, &lock_r->caller_role);
	fetch_bool(&out, &lock_r->caller_active);
	user_fetch(&out, &lock_r->target);
	found = stmt_read_one(db, &caller_stmts[CALLER_LOCK], &in, &out,
	    fault);
	lock_r->has_caller = found == 1 && !uuid_is_nil(&caller);
	lock_r->has_target = found == 1 && !uuid_is_nil(&lock_r->target.id);
	return found;
}
