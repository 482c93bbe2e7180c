/* SPDX-License-Identifier: MIT */
/* What a user's fields may be, and the verdict on one user acting on another.
   No matrix lifts the guards here: nobody changes itself, and a tenant's own
   users never leave it without an active admin. */
#include "config.h"

#include "wuts/user.h"

#include "wuts/fault.h"

#include "model_private.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define EMAIL_LOCAL_MAX 64

/* atext of RFC 5322, which RFC 5321 borrows. */
static bool
is_atom_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
is_dot_string(const char *local, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (is_atom_char(local[i]))
			continue;
		if (local[i] != '.' || i == 0 || i == len - 1 ||
		    local[i - 1] == '.')
			return false;
	}
	return len > 0;
}

static bool
is_quoted_string(const char *local, size_t len)
{
	size_t i;

	if (len < 3 || local[0] != '"' || local[len - 1] != '"')
		return false;
	for (i = 1; i < len - 1; i++) {
		if (local[i] == '"')
			return false;
		if (local[i] == '\\' && ++i == len - 1)
			return false;
		if (local[i] < 0x20 || local[i] > 0x7e)
			return false;
	}
	return true;
}

/* [192.0.2.1] or [IPv6:2001:db8::1] */
static bool
is_address_literal(const char *domain, size_t len)
{
	static const char tag[] = "IPv6:";
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (len < 2 || domain[0] != '[' || domain[len - 1] != ']')
		return false;
	domain++;
	len -= 2;
	if (len > sizeof(tag) - 1 &&
	    memcmp(domain, tag, sizeof(tag) - 1) == 0) {
		domain += sizeof(tag) - 1;
		len -= sizeof(tag) - 1;
		if (len >= sizeof(text))
			return false;
		memcpy(text, domain, len);
		text[len] = '\0';
		return inet_pton(AF_INET6, text, &address) == 1;
	}
	if (len >= sizeof(text))
		return false;
	memcpy(text, domain, len);
	text[len] = '\0';
	return inet_pton(AF_INET, text, &address) == 1;
}

const char *
user_email_check(const char *email)
{
	const char *at, *domain;
	size_t len = strlen(email), local_len, domain_len;

	if (len == 0)
		return "must not be empty";
	if (len > USER_EMAIL_MAX)
		return "must be at most 254 characters";
	/* The last one: a quoted local part may hold others. */
	if ((at = strrchr(email, '@')) == NULL)
		return "must be a valid e-mail address";
	domain = at + 1;
	local_len = (size_t)(at - email);
	domain_len = len - local_len - 1;
	if (local_len > EMAIL_LOCAL_MAX ||
	    (!is_dot_string(email, local_len) &&
	    !is_quoted_string(email, local_len)))
		return "must be a valid e-mail address";
	if (!text_is_host_name(domain, domain_len) &&
	    !is_address_literal(domain, domain_len))
		return "must be a valid e-mail address";
	return NULL;
}

const char *
user_password_check(const char *password)
{
	size_t chars = text_chars(password);

	if (chars < USER_PASSWORD_MIN || chars > USER_PASSWORD_MAX)
		return "must be 8 to 128 characters";
	return NULL;
}

static const char *const kind_names[] = {
	[IDENTITY_NONE] = "none",
	[IDENTITY_USER] = "user",
	[IDENTITY_KEY] = "api_key",
	[IDENTITY_MASTER] = "super_admin",
	[IDENTITY_ENGINE] = "engine",
	[IDENTITY_OPERATOR] = "operator",
};

const char *
identity_kind_name(enum identity_kind kind)
{
	return kind_names[kind];
}

const char *
user_called(const struct user *user, char buf[UUID_TEXT_LEN + 1])
{
	if (user->email[0] != '\0')
		return user->email;
	return user->username[0] != '\0' ? user->username :
	    uuid_format(&user->id, buf);
}

bool
identity_is_super(const struct identity *caller)
{
	return caller->kind == IDENTITY_MASTER ||
	    caller->kind == IDENTITY_OPERATOR;
}

int
user_check_manage(const struct identity *caller, const struct user *target,
    enum manage_action action, struct fault *fault)
{
	if (identity_is_super(caller))
		return 0;
	if (caller->kind != IDENTITY_USER && caller->kind != IDENTITY_KEY)
		return fault_say(fault, REFUSAL_FORBIDDEN,
		    "insufficient permissions");
	if (!uuid_is_equal(&caller->tenant_id, &target->tenant_id))
		return fault_say(fault, REFUSAL_USER_NOT_FOUND,
		    "user not found");
	if (caller->kind == IDENTITY_USER &&
	    uuid_is_equal(&caller->user_id, &target->id)) {
		if (action == MANAGE_VIEW)
			return 0;
		return fault_say(fault, REFUSAL_SELF_MODIFICATION,
		    "you cannot change your own role or active flag"
		    " or delete yourself");
	}
	if (caller->read_only && action != MANAGE_VIEW)
		return fault_say(fault, REFUSAL_FORBIDDEN,
		    "this key may only read");
	if (!role_may_manage(caller->role, target->role, action))
		return fault_say(fault, REFUSAL_FORBIDDEN,
		    "insufficient permissions");
	return 0;
}

static int
check_transition(const struct identity *caller, enum role from, enum role to,
    const struct role_matrix *matrix, struct fault *fault)
{
	if (identity_is_super(caller) ||
	    role_may_change(matrix, caller->role, from, to))
		return 0;
	return fault_say(fault, REFUSAL_ROLE_TRANSITION,
	    "role transition denied: %s may not change %s to %s",
	    role_name(caller->role), role_name(from), role_name(to));
}

static bool
is_active_admin(enum role role, bool active)
{
	return role == ROLE_ADMIN && active;
}

/* becomes_admin: what the target is after it all. */
static int
check_last_admin(const struct identity *caller, const struct user *target,
    bool becomes_admin, unsigned other_active_admins, struct fault *fault)
{
	if (identity_is_super(caller) || other_active_admins > 0 ||
	    !is_active_admin(target->role, target->active) || becomes_admin)
		return 0;
	return fault_say(fault, REFUSAL_LAST_ADMIN,
	    "the last active admin of a tenant cannot be demoted,"
	    " deactivated or deleted");
}

int
user_check_change(const struct identity *caller, const struct user *target,
    const struct user_change *change, const struct role_matrix *matrix,
    unsigned other_active_admins, struct fault *fault)
{
	enum role role = change->has_role ? change->role : target->role;
	bool active = change->has_active ? change->active : target->active;

	/* A change of nothing still must not tell that the user exists. */
	if (user_check_manage(caller, target, MANAGE_VIEW, fault) < 0)
		return -1;
	if (change->has_active &&
	    user_check_manage(caller, target, MANAGE_ACTIVE, fault) < 0)
		return -1;
	if (change->has_role &&
	    user_check_manage(caller, target, MANAGE_ROLE, fault) < 0)
		return -1;
	if (role == target->role && active == target->active)
		return 0;
	if (role != target->role && check_transition(caller, target->role,
	    role, matrix, fault) < 0)
		return -1;
	if (check_last_admin(caller, target, is_active_admin(role, active),
	    other_active_admins, fault) < 0)
		return -1;
	return 1;
}

int
user_check_delete(const struct identity *caller, const struct user *target,
    unsigned other_active_admins, struct fault *fault)
{
	if (user_check_manage(caller, target, MANAGE_DELETE, fault) < 0)
		return -1;
	return check_last_admin(caller, target, false, other_active_admins,
	    fault);
}
