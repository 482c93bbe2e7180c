/* SPDX-License-Identifier: MIT */
/* Use cases on a user's connections to identity providers and its passkeys
   (spec/wacht.md §3.8, §3.10). Every one: REFUSAL_USER_NOT_FOUND for a user
   that the caller's tenant does not have, faults. */
#ifndef WUTS_CONNECTION_SERVICE_H
#define WUTS_CONNECTION_SERVICE_H

#include "wuts/connection.h"

struct arena;
struct caller;
struct fault;
struct service;

/* The newest first. The tokens are "" unless the tenant lets them be seen. */
typedef int connection_listed(void *ctx, const struct connection *connection,
    struct fault *fault);
int connection_service_list(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *user_id,
    connection_listed *row, void *ctx, struct fault *fault);
/* Emits user.updated. -1 besides: REFUSAL_DETAIL_NOT_FOUND. */
int connection_service_delete(struct service *service,
    const struct caller *caller, const struct uuid *user_id,
    const struct uuid *id, struct fault *fault);

typedef int passkey_listed(void *ctx, const struct passkey *passkey,
    struct fault *fault);
int passkey_service_list(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *user_id,
    passkey_listed *row, void *ctx, struct fault *fault);
/* Both emit user.updated. -1 besides: REFUSAL_VALIDATION,
   REFUSAL_DETAIL_NOT_FOUND. */
int passkey_service_rename(struct service *service,
    const struct caller *caller, const struct uuid *user_id,
    const struct uuid *id, const char *name, struct fault *fault);
int passkey_service_delete(struct service *service,
    const struct caller *caller, const struct uuid *user_id,
    const struct uuid *id, struct fault *fault);

#endif
