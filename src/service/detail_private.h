/* SPDX-License-Identifier: MIT */
/* The frame of a change of what hangs on a user: an administrator of its
   tenant makes it, under the user's lock, and the user's time of change moves
   with it. */
#ifndef WUTS_DETAIL_PRIVATE_H
#define WUTS_DETAIL_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "service_private.h"
#include "wuts/user.h"

struct caller;
struct fault;

/* The first step of a body: locks as user_lock_target() does. -1 besides:
   REFUSAL_FORBIDDEN for who is no admin of the tenant. */
int detail_lock_user(struct change *change, const struct uuid *user_id,
    struct user *user_r, struct fault *fault);

/* The same of a look-up: the tenant is the caller's own. */
int detail_find_user(struct service *service, const struct caller *caller,
    const struct uuid *user_id, struct user *user_r, struct fault *fault);

/* The last step: moves updated_us of the user and writes the audit row about
   it; values as in change_audit(). */
int detail_changed(struct change *change, struct user *user,
    const char *action, const char *old_value, const char *new_value,
    struct fault *fault);

/* The same, with an event user.updated. The audit row's value is the id of the
   thing under this name. */
int detail_updated(struct change *change, struct user *user,
    const char *action, const char *name, const struct uuid *id,
    struct fault *fault);

/* Which thing of which user. */
struct detail_id {
	const struct uuid *user_id;
	const struct uuid *id;
	const void *input;
};
/* change_run() in the user's tenant; what: for the operator. */
int detail_run(struct service *service, const struct caller *caller,
    change_body *body, const struct uuid *user_id, void *ctx,
    const char *what, struct fault *fault);

int detail_refuse_not_found(struct fault *fault, const char *what);

#endif
