/* SPDX-License-Identifier: MIT */
/* Accounts of the On-Premises dialect: users of the tenant, called by their
   user name. The role decides as everywhere; what differs are the rules for
   names and passwords and the log-in that may have to change the latter. */
#include "config.h"

#include "wuts/onprem_service.h"

#include "session_private.h"
#include "user_detail_private.h"
#include "wuts/arena.h"
#include "wuts/fault.h"
#include "wuts/identity_service.h"
#include "wuts/second_factor_service.h"
#include "wuts/settings.h"
#include "wuts/user_service.h"

#include <string.h>

static int
check_new_password(const char *field, const char *password,
    struct fault *fault)
{
	const char *problem = onprem_password_check(password);

	if (problem == NULL)
		return 0;
	fault_add_field(fault, field, problem, "***");
	return service_refuse_fields(fault);
}

/* --- the password --- */

/* Of a user whose row stands locked. */
static int
change_password(struct change *change, struct user *user, const char *hash,
    struct fault *fault)
{
	const struct settings *settings = change->service->settings;
	struct arena *arena;
	int ret;

	if (settings->onprem_revoke_on_password_change &&
	    session_end_all(change, &user->id, fault) < 0)
		return -1;
	arena = arena_new();
	ret = details_set_password(change, arena, user, hash, fault);
	arena_free(&arena);
	return ret;
}

/* --- log-in --- */

int
onprem_service_check_login(struct service *service,
    const struct caller *caller, const struct onprem_login *login,
    struct user *user_r, struct fault *fault)
{
	int verdict;

	verdict = user_service_check_password(service, caller,
	    login->tenant_id, login->username, login->password, user_r,
	    fault);
	if (verdict < 0)
		return fault_prefix(fault, "log in");
	return verdict == 1 ? 0 : fault_say(fault, REFUSAL_UNAUTHORIZED,
	    "Invalid credentials");
}

struct login_change {
	const struct user *user;	/* as its password was checked */
	char hash[CRYPTO_PASSWORD_HASH_MAX];	/* of the new one */
	struct session_opening opening;
};

/* Whoever has changed the user since its password was checked may have done so
   to keep this one out. */
static int
login_body(struct change *change, void *ctx, struct fault *fault)
{
	struct login_change *login = ctx;
	struct user user;
	int found;

	if (change_lock_tenant(change, fault) < 0 ||
	    change_judge_caller(change, fault) < 0)
		return -1;
	found = user_store_find(change->db, &change->tenant_id,
	    &login->user->id, &user, fault);
	if (found < 0)
		return fault_prefix(fault, "find user");
	if (found == 0 || user.updated_us != login->user->updated_us)
		return fault_say(fault, REFUSAL_UNAUTHORIZED,
		    "Invalid credentials");
	if (change_password(change, &user, login->hash, fault) < 0)
		return -1;
	return session_insert(change, &login->opening, fault);
}

static int
login_with_new(struct service *service, const struct caller *caller,
    const struct user *user, const char *user_agent, const char *password,
    struct session_opened *result_r, struct fault *fault)
{
	int64_t lifetime_s = service->settings->onprem_token_lifetime_ms /
	    1000;
	struct login_change login = { .user = user };
	struct caller self;
	int ret;

	if (login_hash(service, caller, password, login.hash, fault) < 0)
		return -1;
	session_prepare(service, caller, user, lifetime_s, user_agent,
	    &login.opening, &self, result_r);
	ret = change_run(service, &self, &user->tenant_id, login_body, &login,
	    fault);
	crypto_wipe(login.hash, sizeof(login.hash));
	if (ret < 0)
		crypto_wipe(result_r->token, sizeof(result_r->token));
	return ret;
}

/* Last of all that can be refused: a code that was right is used up. */
static int
check_second_factor(struct service *service, const struct caller *caller,
    const struct onprem_login *login, const struct user *user,
    struct fault *fault)
{
	switch (second_factor_service_check(service, user, login->otp,
	    fault)) {
	case SECOND_FACTOR_PASSED:
		return 0;
	case SECOND_FACTOR_MISSING:
		return fault_say(fault, REFUSAL_SECOND_FACTOR,
		    "a second factor is required");
	case SECOND_FACTOR_WRONG:
		identity_service_count_failure(service, caller->address);
		return fault_say(fault, REFUSAL_UNAUTHORIZED,
		    "Invalid credentials");
	case SECOND_FACTOR_FAULT:
		break;
	}
	return -1;
}

int
onprem_service_login(struct service *service, const struct caller *caller,
    const struct onprem_login *login, const struct user *user,
    const char *new_password, struct session_opened *result_r,
    struct fault *fault)
{
	int ret;

	fault_clear(fault);
	if (new_password == NULL && user->must_change_password)
		return fault_say(fault, REFUSAL_PASSWORD_CHANGE,
		    "Password must be changed");
	if (new_password != NULL && check_new_password("new_password",
	    new_password, fault) < 0)
		return -1;
	if (check_second_factor(service, caller, login, user, fault) < 0)
		return -1;
	ret = new_password != NULL ?
	    login_with_new(service, caller, user, login->user_agent,
	    new_password, result_r, fault) :
	    session_service_open(service, caller, user,
	    service->settings->onprem_token_lifetime_ms / 1000,
	    login->user_agent, result_r, fault);
	return ret < 0 ? fault_prefix(fault, "log in") : 0;
}

/* --- accounts --- */

int
onprem_service_create_user(struct service *service,
    const struct caller *caller, const char *username, const char *password,
    struct fault *fault)
{
	struct user_registration input = {
		.tenant_id = caller->identity.tenant_id,
		.rules = ACCOUNT_CHECKED,
		.username = username,
		.username_in_any_case = true,
		.password = password,
		.role = ROLE_USER
	};
	struct user_registered registered;
	const char *problem = onprem_username_check(username);
	int ret;

	fault_clear(fault);
	if (problem != NULL) {
		fault_add_field(fault, "username", problem, username);
		return service_refuse_fields(fault);
	}
	if (check_new_password("password", password, fault) < 0)
		return -1;
	ret = user_service_create(service, caller, &input, &registered,
	    fault);
	crypto_wipe(&registered, sizeof(registered));
	return ret;
}

/* The caller's own account, when it is this name's. 1 / 0 / -1. */
static int
find_self(struct service *service, const struct caller *caller,
    const char *username, struct user *user_r, struct fault *fault)
{
	if (user_service_get(service, caller, &caller->identity.user_id,
	    user_r, fault) < 0)
		return -1;
	return strcmp(user_r->username, username) == 0;
}

static int
find_other(struct service *service, const struct uuid *tenant_id,
    const char *username, struct user *user_r, struct fault *fault)
{
	char hash[CRYPTO_PASSWORD_HASH_MAX];
	int found;

	found = user_store_find_password_by_username(service->db, tenant_id,
	    username, user_r, hash, fault);
	crypto_wipe(hash, sizeof(hash));
	if (found < 0)
		return fault_prefix(fault, "find account");
	/* The server's comparison knows blanks at the end from none. */
	if (found == 0 || strcmp(user_r->username, username) != 0)
		return fault_say(fault, REFUSAL_USER_NOT_FOUND,
		    "user not found");
	return 0;
}

int
onprem_service_check_access(struct service *service,
    const struct caller *caller, const char *username, struct fault *fault)
{
	struct user user;
	int is_self;

	if (caller->identity.role == ROLE_ADMIN)
		return 0;
	is_self = find_self(service, caller, username, &user, fault);
	if (is_self < 0)
		return -1;
	return is_self == 1 ? 0 : service_refuse_forbidden(fault);
}

int
onprem_service_get_user(struct service *service, const struct caller *caller,
    const char *username, struct user *user_r, struct fault *fault)
{
	int is_self = find_self(service, caller, username, user_r, fault);

	if (is_self != 0)
		return is_self < 0 ? -1 : 0;
	if (caller->identity.role != ROLE_ADMIN)
		return service_refuse_forbidden(fault);
	return find_other(service, &caller->identity.tenant_id, username,
	    user_r, fault);
}

struct password_change {
	const struct uuid *id;
	char hash[CRYPTO_PASSWORD_HASH_MAX];
};

static int
password_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct password_change *password = ctx;
	struct user user;

	if (user_lock_target(change, password->id, &user, fault) < 0)
		return -1;
	if (!service_is_admin(&change->identity, &change->tenant_id) &&
	    !uuid_is_equal(&change->identity.user_id, &user.id))
		return service_refuse_forbidden(fault);
	return change_password(change, &user, password->hash, fault);
}

int
onprem_service_set_password(struct service *service,
    const struct caller *caller, const char *username, const char *password,
    struct fault *fault)
{
	struct password_change change;
	struct user user;
	int ret;

	fault_clear(fault);
	if (onprem_service_check_access(service, caller, username,
	    fault) < 0 ||
	    check_new_password("password", password, fault) < 0 ||
	    onprem_service_get_user(service, caller, username, &user,
	    fault) < 0 ||
	    login_hash(service, caller, password, change.hash, fault) < 0)
		return -1;
	change.id = &user.id;
	ret = change_run(service, caller, &user.tenant_id, password_body,
	    &change, fault);
	crypto_wipe(change.hash, sizeof(change.hash));
	return ret < 0 ? fault_prefix(fault, "set password") : 0;
}

int
onprem_service_delete_user(struct service *service,
    const struct caller *caller, const char *username, struct fault *fault)
{
	struct user user;

	fault_clear(fault);
	if (strcmp(username, ONPREM_ADMIN) == 0)
		return fault_say(fault, REFUSAL_FORBIDDEN,
		    "The admin account cannot be deleted");
	if (find_other(service, &caller->identity.tenant_id, username, &user,
	    fault) < 0)
		return -1;
	return user_service_delete(service, caller, &user.id, NULL, fault);
}
