/* SPDX-License-Identifier: MIT */
/* Table user_phone: the numbers of users, unique within a tenant by their
   digits. Every call: FAULT_DATABASE on -1. */
#ifndef WUTS_USER_PHONE_STORE_H
#define WUTS_USER_PHONE_STORE_H

#include "wuts/user_phone.h"

struct db;
struct fault;

/* 1: inserted; 0: the tenant has this number; -1. */
int user_phone_store_insert(struct db *db, const struct user_phone *phone,
    struct fault *fault);
/* 1 / 0: this user has no such number / -1. */
int user_phone_store_find(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id,
    struct user_phone *phone_r, struct fault *fault);
/* All but ids and creation. 1: done; 0: the tenant has this number; -1. */
int user_phone_store_update(struct db *db, const struct user_phone *phone,
    struct fault *fault);
/* None of the user's is the primary one after this; updated_us for the one
   that was. 0 / -1. */
int user_phone_store_clear_primary(struct db *db,
    const struct uuid *tenant_id, const struct uuid *user_id,
    int64_t updated_us, struct fault *fault);
/* 1: deleted / 0 / -1. */
int user_phone_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id, struct fault *fault);

/* A user's, the oldest first. */
typedef int user_phone_row(void *ctx, const struct user_phone *phone,
    struct fault *fault);
int user_phone_store_list(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, user_phone_row *row, void *ctx,
    struct fault *fault);

#endif
