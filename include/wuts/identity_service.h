/* SPDX-License-Identifier: MIT */
/* From a token to who it is, and the brake on guessing (spec/wuts.md §2). */
#ifndef WUTS_IDENTITY_SERVICE_H
#define WUTS_IDENTITY_SERVICE_H

#include <stddef.h>

struct fault;
struct identity;
struct service;
struct uuid;

/* 1: the master token, the engine token, the token of an active user, or an API
   key that has not expired (the last two from memory while the tenant's
   generation stands, design §6); 0: none of these; -1: FAULT_DATABASE. That a
   key was used is noted once a minute and process. */
int identity_service_find(struct service *service, const char *token,
    size_t len, struct identity *identity_r, struct fault *fault);

/* The same for a request that will look at this user (NULL: at none) by
   user_service_get(): where the caller's row has to be read, the user's comes
   along with it, and is not read again. It counts for this request alone. */
int identity_service_find_with_user(struct service *service,
    const char *token, size_t len, const struct uuid *user_id,
    struct identity *identity_r, struct fault *fault);

/* Seconds this client address has to wait after too many failures; 0: none. */
unsigned identity_service_wait_s(struct service *service, const char *address);
void identity_service_count_failure(struct service *service,
    const char *address);

#endif
