/* SPDX-License-Identifier: MIT */
/* A user, what its fields may be, who a caller is, and who may change whom
   into what (spec/wuts.md §3). Pure: the facts come in, a verdict goes out. */
#ifndef WUTS_USER_H
#define WUTS_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wuts/role.h"
#include "wuts/uuid.h"

struct fault;

#define USER_EMAIL_MAX 254
#define USER_USERNAME_MAX 128		/* bytes */
#define USER_PASSWORD_MIN 8		/* characters */
#define USER_PASSWORD_MAX 128

struct user {
	struct uuid id;
	struct uuid tenant_id;
	char email[USER_EMAIL_MAX + 1];		/* the primary one; "": none */
	char username[USER_USERNAME_MAX + 1];	/* "": none */
	enum role role;
	bool active;
	bool must_change_password;
	int64_t created_us;
	int64_t updated_us;
};

/* NULL when good, else the sentence for the client. Valid UTF-8 in. */
const char *user_email_check(const char *email);
const char *user_password_check(const char *password);

/* What people know it by: its address, its user name, or its id (in buf). */
const char *user_called(const struct user *user, char buf[UUID_TEXT_LEN + 1]);

/* Who makes a request. */
enum identity_kind {
	IDENTITY_NONE,
	IDENTITY_USER,		/* a user token: user, tenant, role are set */
	IDENTITY_KEY,		/* an API key: tenant_id, key_id, role
				   ROLE_ADMIN, read_only */
	IDENTITY_MASTER,	/* the master token: every tenant, all allowed */
	IDENTITY_ENGINE,	/* the engine token: event ingest only */
	IDENTITY_OPERATOR	/* wutsctl on this machine: as the master */
};

struct identity {
	enum identity_kind kind;
	struct uuid user_id;
	struct uuid tenant_id;
	enum role role;
	struct uuid key_id;
	struct uuid session_id;		/* nil: not by a log-in */
	bool read_only;
};

/* What people read: user, api_key, super_admin, engine, operator; none. */
const char *identity_kind_name(enum identity_kind kind);

/* Master and operator: outside tenants, manage relation and matrix. */
bool identity_is_super(const struct identity *caller);

/* May the caller look at / act on this user? 0, or -1 with
   REFUSAL_USER_NOT_FOUND (another tenant's user does not exist for it),
   REFUSAL_SELF_MODIFICATION (any action but view on oneself) or
   REFUSAL_FORBIDDEN, in this order of checks. An API key is as an admin of its
   tenant that has no self. */
int user_check_manage(const struct identity *caller, const struct user *target,
    enum manage_action action, struct fault *fault);

/* The change of active flag and/or role, asked for in one request. */
struct user_change {
	bool has_active;
	bool active;
	bool has_role;
	enum role role;
};

/* All checks of PUT /users/{id} and promote in the order of spec §3: manage
   relation for each part asked for, then the transition when the role really
   changes (REFUSAL_ROLE_TRANSITION, whose client text names actor, from and
   to), then REFUSAL_LAST_ADMIN when a tenant user would leave the tenant
   without another active admin. other_active_admins: active admins of the
   tenant besides the target, counted under the tenant's lock.
   1: something changes; 0: allowed, but nothing would change; -1: refused. */
int user_check_change(const struct identity *caller, const struct user *target,
    const struct user_change *change, const struct role_matrix *matrix,
    unsigned other_active_admins, struct fault *fault);

/* All checks of DELETE /users/{id}: manage relation, then the last active
   admin, as above. 0 / -1. */
int user_check_delete(const struct identity *caller, const struct user *target,
    unsigned other_active_admins, struct fault *fault);

#endif
