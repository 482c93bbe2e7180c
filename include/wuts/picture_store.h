/* SPDX-License-Identifier: MIT */
/* Table user_picture: which file is a user's picture. The files themselves are
   src/service/picture.c's. Every call: FAULT_DATABASE on -1. */
#ifndef WUTS_PICTURE_STORE_H
#define WUTS_PICTURE_STORE_H

#include "wuts/picture.h"

struct db;
struct fault;
struct uuid;

/* 1: name_r / 0: it has none / -1. */
int picture_store_find(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, char name_r[PICTURE_NAME_MAX + 1],
    struct fault *fault);
/* The picture of a user that exists is this one from now on. 0 / -1. */
int picture_store_put(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const char *name, int64_t now_us,
    struct fault *fault);
/* 1: it had one / 0 / -1. */
int picture_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, struct fault *fault);

/* Does any user of any tenant have this file? 1 / 0 / -1. */
int picture_store_is_used_any_tenant(struct db *db, const char *name,
    struct fault *fault);

#endif
