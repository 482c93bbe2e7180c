/* SPDX-License-Identifier: MIT */
/* The permission matrix as data (spec/wuts.md §3): reading and editing it. In
   force at once on this machine; between machines identity_cache_ttl. */
#ifndef WUTS_ROLE_SERVICE_H
#define WUTS_ROLE_SERVICE_H

#include <stdbool.h>

#include "wuts/role.h"

struct caller;
struct fault;
struct service;

/* From memory while its generation stands. 0 / -1. */
int role_service_matrix(struct service *service, struct role_matrix *matrix_r,
    struct fault *fault);

/* Allow or deny one transition. 1: changed, 0: it was so already, -1.
   REFUSAL_VALIDATION: from and to are the same. The caller is the operator.
   Audit matrix.changed, tenant nil. */
int role_service_allow(struct service *service, const struct caller *caller,
    enum role actor, enum role from, enum role to, bool allowed,
    struct fault *fault);

/* Back to the shipped matrix. 0 / -1. */
int role_service_reset(struct service *service, const struct caller *caller,
    struct fault *fault);

#endif
