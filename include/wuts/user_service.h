/* SPDX-License-Identifier: MIT */
/* Use cases on users (spec/wuts.md §3, §4 "Users"). The rules are those of
   wuts/user.h, judged on rows read under the tenant's lock; the caller's own
   role is read again there, never believed from a cache. */
#ifndef WUTS_USER_SERVICE_H
#define WUTS_USER_SERVICE_H

#include "wuts/user.h"

struct arena;
struct caller;
struct fault;
struct service;

/* Whose rules for address, name and password? */
enum account_rules {
	ACCOUNT_OF_WUTS,	/* address and password are required */
	ACCOUNT_CHECKED		/* the caller has applied its dialect's; any of
				   the three may be missing */
};

struct user_registration {
	struct uuid tenant_id;
	enum account_rules rules;
	const char *email;		/* NULL: none */
	const char *username;		/* NULL: none */
	bool username_in_any_case;	/* another's in other case is taken,
					   too */
	const char *password;		/* NULL: none */
	bool must_change_password;
	enum role role;
	const char *webhook_url;	/* NULL: none staged */
};

struct user_registered {
	struct user user;
	char token[UUID_TEXT_LEN + 1];
};

/* -1: REFUSAL_VALIDATION with all fields, REFUSAL_FORBIDDEN (the caller is no
   admin of the tenant), REFUSAL_TENANT_NOT_FOUND, REFUSAL_EMAIL_EXISTS,
   REFUSAL_USERNAME_EXISTS, faults. Emits user.created. */
int user_service_create(struct service *service, const struct caller *caller,
    const struct user_registration *input, struct user_registered *result_r,
    struct fault *fault);

/* A user that the caller may view. From memory while the generation stands.
   -1: REFUSAL_USER_NOT_FOUND, REFUSAL_FORBIDDEN, FAULT_DATABASE. */
int user_service_get(struct service *service, const struct caller *caller,
    const struct uuid *id, struct user *user_r, struct fault *fault);

/* Active flag and/or role, together or not at all. if_match: the If-Match
   header or NULL (REFUSAL_PRECONDITION_FAILED). *before_r is the user as it
   was, *after_r as it is now; the same when nothing changed (0 then, too,
   without audit row or event). Emits user.role_changed and/or user.updated.
   -1: as user_check_change(), REFUSAL_USER_NOT_FOUND, faults. */
int user_service_change(struct service *service, const struct caller *caller,
    const struct uuid *id, const struct user_change *change,
    const char *if_match, struct user *before_r, struct user *after_r,
    struct fault *fault);

/* For good, with devices, webhooks and sessions. -1: REFUSAL_USER_NOT_FOUND,
   REFUSAL_SELF_MODIFICATION, REFUSAL_FORBIDDEN, REFUSAL_LAST_ADMIN,
   REFUSAL_PRECONDITION_FAILED, faults. Emits user.deleted. */
int user_service_delete(struct service *service, const struct caller *caller,
    const struct uuid *id, const char *if_match, struct fault *fault);

/* A new token; the old one stops at once. The user itself, an admin of its
   tenant or super. -1: REFUSAL_USER_NOT_FOUND, REFUSAL_FORBIDDEN, faults.
   Emits user.token_rotated (user_id, changed_by; never the token). */
int user_service_rotate_token(struct service *service,
    const struct caller *caller, const struct uuid *id,
    char token_r[UUID_TEXT_LEN + 1], struct fault *fault);

/* A log-in: 1: the password is that active user's, whose user name this is byte
   for byte; *user_r is filled, and its hash was renewed when settings ask for
   other Argon2 parameters than it was made with. 0: no such user, inactive, or
   another password: all take the same time, and count as a failure of name and
   address. -1: REFUSAL_RATE_LIMITED after too many failures, REFUSAL_BUSY (too
   many at once), FAULT_DATABASE. */
int user_service_check_password(struct service *service,
    const struct caller *caller, const struct uuid *tenant_id,
    const char *username, const char *password, struct user *user_r,
    struct fault *fault);

/* Users of the tenant in the order of creation, with their tokens (masked
   where settings show_tokens is off). Paging as tenant_service_list(). */
typedef int user_listed(void *ctx, const struct user *user, const char *token,
    struct fault *fault);
int user_service_list(struct service *service, struct arena *arena,
    const struct uuid *tenant_id, const char *cursor, unsigned limit,
    user_listed *row, void *ctx, const char **next_cursor_r,
    struct fault *fault);

/* The strong entity tag of a user, quotes included (spec §1 "Conditional
   update"). */
#define USER_ETAG_SIZE 24
char *user_service_etag(const struct user *user, char buf[USER_ETAG_SIZE]);

#endif
