/* SPDX-License-Identifier: MIT */
/* Table user_policy. */
#include "config.h"

#include "wuts/user_policy_store.h"
#include "store_private.h"

enum {
	USER_POLICY_FIND,
	USER_POLICY_PUT,
	USER_POLICY_STMT_COUNT
};

static const struct stmt_def user_policy_stmts[USER_POLICY_STMT_COUNT] = {
	[USER_POLICY_FIND] = { "user_policy_find",
	    "SELECT names_required, email_enabled, email_required,"
	    " phone_enabled, phone_required, username_enabled,"
	    " username_required, username_min, username_max,"
	    " password_enabled, password_min, password_lower,"
	    " password_upper, password_digit, password_special,"
	    " expose_provider_tokens, requests_per_minute FROM user_policy"
	    " WHERE tenant_id = ?" },
	[USER_POLICY_PUT] = { "user_policy_put",
	    "REPLACE INTO user_policy (tenant_id, names_required,"
	    " email_enabled, email_required, phone_enabled, phone_required,"
	    " username_enabled, username_required, username_min,"
	    " username_max, password_enabled, password_min, password_lower,"
	    " password_upper, password_digit, password_special,"
	    " expose_provider_tokens, requests_per_minute, updated_at)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
	    " ?, ?)" },
};

int
user_policy_store_find(struct db *db, const struct uuid *tenant_id,
    struct user_policy *policy_r, struct fault *fault)
{
	struct params in;
	struct columns out;
	int found;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	columns_init(&out);
	fetch_bool(&out, &policy_r->names_required);
	fetch_bool(&out, &policy_r->email_enabled);
	fetch_bool(&out, &policy_r->email_required);
	fetch_bool(&out, &policy_r->phone_enabled);
	fetch_bool(&out, &policy_r->phone_required);
	fetch_bool(&out, &policy_r->username_enabled);
	fetch_bool(&out, &policy_r->username_required);
	fetch_unsigned(&out, &policy_r->username_min);
	fetch_unsigned(&out, &policy_r->username_max);
	fetch_bool(&out, &policy_r->password_enabled);
	fetch_unsigned(&out, &policy_r->password_min);
	fetch_bool(&out, &policy_r->password_lower);
	fetch_bool(&out, &policy_r->password_upper);
	fetch_bool(&out, &policy_r->password_digit);
	fetch_bool(&out, &policy_r->password_special);
	fetch_bool(&out, &policy_r->expose_provider_tokens);
	fetch_unsigned(&out, &policy_r->requests_per_minute);
	found = stmt_read_one(db, &user_policy_stmts[USER_POLICY_FIND], &in,
	    &out, fault);
	if (found == 0)
		user_policy_init(policy_r);
	return found;
}

int
user_policy_store_put(struct db *db, const struct uuid *tenant_id,
    const struct user_policy *policy, int64_t now_us, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_int(&in, policy->names_required);
	bind_int(&in, policy->email_enabled);
	bind_int(&in, policy->email_required);
	bind_int(&in, policy->phone_enabled);
	bind_int(&in, policy->phone_required);
	bind_int(&in, policy->username_enabled);
	bind_int(&in, policy->username_required);
	bind_int(&in, (int64_t)policy->username_min);
	bind_int(&in, (int64_t)policy->username_max);
	bind_int(&in, policy->password_enabled);
	bind_int(&in, (int64_t)policy->password_min);
	bind_int(&in, policy->password_lower);
	bind_int(&in, policy->password_upper);
	bind_int(&in, policy->password_digit);
	bind_int(&in, policy->password_special);
	bind_int(&in, policy->expose_provider_tokens);
	bind_int(&in, (int64_t)policy->requests_per_minute);
	bind_time(&in, now_us);
	return stmt_write(db, &user_policy_stmts[USER_POLICY_PUT], &in, NULL,
	    fault) < 0 ? -1 : 0;
}
