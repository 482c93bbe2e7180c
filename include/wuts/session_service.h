/* SPDX-License-Identifier: MIT */
/* Use cases on sessions. Tokens have the shape of a JWT (spec/onprem.md §2.4)
   and mean nothing without their row; a token is known by memory while its
   tenant's generation stands, and never costs a slow hash. */
#ifndef WUTS_SESSION_SERVICE_H
#define WUTS_SESSION_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wuts/session.h"
#include "wuts/user.h"

struct caller;
struct fault;
struct json_writer;
struct service;

#define SESSION_TOKEN_MAX 512

struct session_opened {
	struct session session;
	char token[SESSION_TOKEN_MAX + 1];
};

/* A session for a user whose log-in has been checked. lifetime_s from now.
   Audit row session.created; emits session.created. -1:
   REFUSAL_UNAUTHORIZED (gone or inactive meanwhile), faults. */
int session_service_open(struct service *service, const struct caller *caller,
    const struct user *user, int64_t lifetime_s, const char *user_agent,
    struct session_opened *result_r, struct fault *fault);

/* 1: the token's signature, row and expiry agree, the session is not revoked,
   its user is active and of this tenant (nil: of any); *identity_r is that
   user (IDENTITY_USER with session_id), *user_r its row. 0: none of that. -1:
   FAULT_DATABASE. */
int session_service_identify(struct service *service,
    const struct uuid *tenant_id, const char *token, size_t len,
    struct identity *identity_r, struct user *user_r, struct fault *fault);

/* End one: the user itself, or whoever may manage it as its tenant does. It
   stops at once. Emits session.deleted. -1: REFUSAL_USER_NOT_FOUND,
   REFUSAL_SESSION_NOT_FOUND, REFUSAL_FORBIDDEN, faults. */
int session_service_revoke(struct service *service,
    const struct caller *caller, const struct uuid *user_id,
    const struct uuid *id, struct fault *fault);
/* *n_r: unexpired ones that it ended. Emits session.deleted for each of the
   first eight, the last of which names the rest. */
int session_service_revoke_all(struct service *service,
    const struct caller *caller, const struct uuid *user_id, size_t *n_r,
    struct fault *fault);

/* End what has expired: session.expired for each. A call of identify does so
   once a minute and process. 1: there may be more / 0 / -1. */
int session_service_sweep(struct service *service, struct fault *fault);

/* Streams them, the most recently active first. */
typedef int session_listed(void *ctx, const struct session *session,
    struct fault *fault);
int session_service_list(struct service *service, const struct caller *caller,
    const struct uuid *user_id, bool include_expired, session_listed *row,
    void *ctx, struct fault *fault);

/* The members of a UserSignin (spec/wacht.md §2): one session holds one
   sign-in, so both have the same id. */
void session_shape_signin(struct json_writer *w,
    const struct session *session);

#endif
