/* SPDX-License-Identifier: MIT */
/* Table user_profile. Every call: FAULT_DATABASE on -1. */
#ifndef WUTS_USER_PROFILE_STORE_H
#define WUTS_USER_PROFILE_STORE_H

#include "wuts/user_profile.h"

struct arena;
struct db;
struct fault;

/* 1; 0: there is no row, *profile_r has the defaults; -1. Metadata in arena. */
int user_profile_store_find(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *user_id,
    struct user_profile *profile_r, struct fault *fault);
/* The whole profile of a user that exists. 0 / -1. */
int user_profile_store_put(struct db *db, const struct user_profile *profile,
    struct fault *fault);

#endif
