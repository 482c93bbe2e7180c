/* SPDX-License-Identifier: MIT */
/* Table user_profile. */
#include "config.h"

#include "wuts/user_profile_store.h"
#include "store_private.h"

enum {
	USER_PROFILE_FIND,
	USER_PROFILE_PUT,
	USER_PROFILE_STMT_COUNT
};

static const struct stmt_def user_profile_stmts[USER_PROFILE_STMT_COUNT] = {
	[USER_PROFILE_FIND] = { "user_profile_find",
	    "SELECT first_name, last_name, public_metadata,"
	    " private_metadata, second_factor_policy, availability,"
	    " password_reset_at FROM user_profile"
	    " WHERE tenant_id = ? AND user_id = ?" },
	[USER_PROFILE_PUT] = { "user_profile_put",
	    "INSERT INTO user_profile (tenant_id, user_id, first_name,"
	    " last_name, public_metadata, private_metadata,"
	    " second_factor_policy, availability, password_reset_at)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
	    " ON DUPLICATE KEY UPDATE first_name = VALUES(first_name),"
	    " last_name = VALUES(last_name),"
	    " public_metadata = VALUES(public_metadata),"
	    " private_metadata = VALUES(private_metadata),"
	    " second_factor_policy = VALUES(second_factor_policy),"
	    " availability = VALUES(availability),"
	    " password_reset_at = VALUES(password_reset_at)" },
};

static bool
policy_word(const char *word, void *dest)
{
	return second_factor_policy_parse(word, dest);
}

int
user_profile_store_find(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *user_id,
    struct user_profile *profile_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	user_profile_init(profile_r, tenant_id, user_id);
	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, user_id);
	columns_init(&out);
	fetch_text(&out, profile_r->first_name,
	    sizeof(profile_r->first_name));
	fetch_text(&out, profile_r->last_name, sizeof(profile_r->last_name));
	fetch_arena_text(&out, arena, &profile_r->public_metadata);
	fetch_arena_text(&out, arena, &profile_r->private_metadata);
	fetch_word(&out, policy_word, &profile_r->second_factor_policy);
	fetch_text(&out, profile_r->availability,
	    sizeof(profile_r->availability));
	fetch_time(&out, &profile_r->password_reset_us);
	return stmt_read_one(db, &user_profile_stmts[USER_PROFILE_FIND], &in,
	    &out, fault);
}

int
user_profile_store_put(struct db *db, const struct user_profile *profile,
    struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, &profile->tenant_id);
	bind_uuid(&in, &profile->user_id);
	bind_text(&in, profile->first_name);
	bind_text(&in, profile->last_name);
	bind_text(&in, profile->public_metadata);
	bind_text(&in, profile->private_metadata);
	bind_text(&in,
	    second_factor_policy_name(profile->second_factor_policy));
	bind_text(&in, profile->availability);
	bind_time_or_null(&in, profile->password_reset_us);
	return stmt_write(db, &user_profile_stmts[USER_PROFILE_PUT], &in,
	    NULL, fault) < 0 ? -1 : 0;
}
