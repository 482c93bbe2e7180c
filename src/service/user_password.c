/* SPDX-License-Identifier: MIT */
/* The password of a user, set or taken away by an administrator (spec/wacht.md
   §3.5), and what every change of a password does. Sessions stay. */
#include "config.h"

#include "user_detail_private.h"

#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/user_policy_store.h"
#include "wuts/user_profile_store.h"
#include "wuts/user_store.h"

#include <string.h>

struct password_setting {
	struct arena *arena;
	const struct uuid *id;
	const char *hash;		/* NULL: none */
};

struct telling {
	const struct change *change;
	const struct user *user;
};

static void
write_password(struct json_writer *w, const void *ctx)
{
	const struct telling *telling = ctx;

	json_member_uuid(w, "user_id", &telling->user->id);
	change_write_actor(w, telling->change);
}

/* The time of the last reset is told by the one that sets one. */
static int
note_reset(struct change *change, struct arena *arena,
    const struct user *user, struct fault *fault)
{
	struct user_profile profile;

	if (user_profile_store_find(change->db, arena, &change->tenant_id,
	    &user->id, &profile, fault) < 0)
		return -1;
	profile.password_reset_us = change->now_us;
	return user_profile_store_put(change->db, &profile, fault);
}

int
details_set_password(struct change *change, struct arena *arena,
    struct user *user, const char *hash, struct fault *fault)
{
	user->must_change_password = false;
	user->updated_us = change_time_after(change, user->updated_us);
	if (user_store_change_password(change->db, user, hash, fault) < 0 ||
	    (hash != NULL && note_reset(change, arena, user, fault) < 0))
		return fault_prefix(fault, "change password");
	if (details_audit(change, hash != NULL ? "user.password_changed" :
	    "user.password_removed", &user->id, NULL, NULL, fault) < 0)
		return -1;
	return details_emit(change, "user.password.updated", "user",
	    &user->id, write_password, &(struct telling) { change, user },
	    fault);
}

static int
set_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct password_setting *setting = ctx;
	struct user user;
	int has = 1;

	if (details_begin(change, setting->id, &user, fault) < 0)
		return -1;
	if (setting->hash == NULL)
		has = user_store_has_password(change->db, &change->tenant_id,
		    &user.id, fault);
	if (has <= 0)
		return has;	/* nothing to take away */
	return details_set_password(change, setting->arena, &user,
	    setting->hash, fault);
}

static int
check_password(struct service *service, const struct caller *caller,
    const char *password, bool skip, struct fault *fault)
{
	struct user_policy policy;

	if (user_policy_store_find(service->db, &caller->identity.tenant_id,
	    &policy, fault) < 0)
		return fault_prefix(fault, "find policy");
	user_policy_check_password(&policy, "new_password", password, skip,
	    fault);
	return fault->nfields > 0 ? service_refuse_fields(fault) : 0;
}

int
user_detail_service_set_password(struct service *service,
    struct arena *arena, const struct caller *caller, const struct uuid *id,
    const char *password, bool skip_check, struct fault *fault)
{
	char hash[CRYPTO_PASSWORD_HASH_MAX], text[UUID_TEXT_LEN + 1];
	struct password_setting setting = { .arena = arena, .id = id };
	int ret;

	if (details_check_caller(caller, fault) < 0 || (password != NULL &&
	    check_password(service, caller, password, skip_check, fault) < 0))
		return -1;
	if (password != NULL) {
		if (login_hash(service, caller, password, hash, fault) < 0)
			return -1;
		setting.hash = hash;
	}
	ret = details_run(service, caller, set_body, &setting, fault);
	crypto_wipe(hash, sizeof(hash));
	return ret < 0 ? fault_prefix(fault, "password of user %s",
	    uuid_format(id, text)) : 0;
}
