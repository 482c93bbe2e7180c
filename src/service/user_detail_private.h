/* SPDX-License-Identifier: MIT */
/* What the use cases on a user's details share: the frame of a change, and how
   its events look. */
#ifndef WUTS_USER_DETAIL_PRIVATE_H
#define WUTS_USER_DETAIL_PRIVATE_H

#include "wuts/user_detail_service.h"

#include "service_private.h"

/* Only a tenant's own API keys and admins get as far as a transaction, and
   which tenant it is they say by being that. */
int details_check_caller(const struct caller *caller, struct fault *fault);
/* change_run() in the caller's tenant, after details_check_caller(). */
int details_run(struct service *service, const struct caller *caller,
    change_body *body, void *ctx, struct fault *fault);

/* A look-up in the caller's tenant, after details_check_caller(). -1:
   REFUSAL_USER_NOT_FOUND. */
int details_find(struct service *service, const struct caller *caller,
    const struct uuid *id, struct user *user_r, struct fault *fault);

/* The first step of a body: user_lock_target(), and the caller is still what
   it has to be. */
int details_begin(struct change *change, const struct uuid *user_id,
    struct user *user_r, struct fault *fault);
/* Everything about a user whose row has been read. connections have no
   tokens. */
int details_load(struct change *change, struct arena *arena,
    const struct user *user, struct user_details *details_r,
    struct fault *fault);
/* The same outside of a change. */
int details_read(struct service *service, struct arena *arena,
    const struct user *user, struct user_details *details_r,
    struct fault *fault);
/* What an answer may show of the connections' tokens, after the change. */
int details_show_tokens(struct service *service, struct arena *arena,
    const struct caller *caller, struct user_details *details,
    struct fault *fault);
/* Something about the user, besides its row in user_search, has changed: move
   its updated_us. */
int details_touch(struct change *change, struct user *user,
    struct fault *fault);
/* The last step of a body that has changed names, addresses or numbers:
   details_touch(), load, and the row that searches read. */
int details_settle(struct change *change, struct arena *arena,
    struct user *user, struct user_details *details_r, struct fault *fault);

/* user_search.c: that row. */
int details_index(struct change *change, const struct user_details *details,
    struct fault *fault);
int details_index_account(struct change *change, const struct user *user,
    struct fault *fault);

/* A user has come (1) or gone (-1), in this change. */
int details_count(struct change *change, int by, struct fault *fault);

/* An event whose data is {"entity_id", "entity_type", and what write puts
   in}. */
typedef void details_write(struct json_writer *w, const void *ctx);
int details_emit(struct change *change, const char *event,
    const char *entity_type, const struct uuid *entity_id,
    details_write *write, const void *ctx, struct fault *fault);
/* user.created, user.updated, user.deleted. */
int details_emit_user(struct change *change, const char *event,
    const struct user_details *details, struct fault *fault);
/* For a change of something that hangs on the user and is not shown in an
   event of its own: details_touch(), load, user.updated. */
int details_emit_updated(struct change *change, struct arena *arena,
    struct user *user, struct fault *fault);

/* user_password.c: the password of a user that stands locked, from now on; hash
   NULL: none. With the time of the reset, the audit row, and
   user.password.updated. */
int details_set_password(struct change *change, struct arena *arena,
    struct user *user, const char *hash, struct fault *fault);

/* An audit row about the user, whose new value is one text. value NULL:
   none. */
int details_audit(struct change *change, const char *action,
    const struct uuid *user_id, const char *key, const char *value,
    struct fault *fault);

/* -1: REFUSAL_DETAIL_NOT_FOUND. */
int details_refuse_unknown(const char *what, struct fault *fault);

/* Neither NULL nor "". */
bool details_is_given(const char *text);
/* A copy without white space at both ends; "" for NULL. */
const char *details_trim(struct arena *arena, const char *text);

/* user_metadata.c: the text of a JSON object in its shortest form, in arena;
   NULL is {}. The text may be blank: then 0, and nothing is said. 1: *text_r;
   -1: a field is added to fault. */
int metadata_take(struct arena *arena, const char *field, const char *text,
    const char **text_r, struct fault *fault);

#endif
