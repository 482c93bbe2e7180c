/* SPDX-License-Identifier: MIT */
/* Table user_policy. Every call: FAULT_DATABASE on -1. */
#ifndef WUTS_USER_POLICY_STORE_H
#define WUTS_USER_POLICY_STORE_H

#include <stdint.h>

#include "wuts/user_policy.h"

struct db;
struct fault;
struct uuid;

/* 1; 0: there is no row, *policy_r has the defaults; -1. */
int user_policy_store_find(struct db *db, const struct uuid *tenant_id,
    struct user_policy *policy_r, struct fault *fault);
/* Of a tenant that exists. 0 / -1. */
int user_policy_store_put(struct db *db, const struct uuid *tenant_id,
    const struct user_policy *policy, int64_t now_us, struct fault *fault);

#endif
