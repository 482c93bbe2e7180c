/* SPDX-License-Identifier: MIT */
/* Table device. Every call: FAULT_DATABASE on -1. */
#ifndef WUTS_DEVICE_STORE_H
#define WUTS_DEVICE_STORE_H

#include <stdbool.h>
#include <stdint.h>

struct db;
struct device;
struct device_code;
struct fault;
struct uuid;

int device_store_insert(struct db *db, const struct device *device,
    struct fault *fault);

/* 1 / 0: no such device in this tenant / -1. */
int device_store_find(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct device *device_r, struct fault *fault);
/* For the engine and the super admin, who belong to no tenant. */
int device_store_find_any_tenant(struct db *db, const struct uuid *id,
    struct device *device_r, struct fault *fault);
/* As find, holding the row's lock. */
int device_store_lock(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct device *device_r, struct fault *fault);

/* The user's only device. 1: *device_r; 0: the user has none; 2: several. */
int device_store_find_only(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, struct device *device_r, struct fault *fault);

/* Calls row for each device of the tenant, or of one user of it (user_id not
   NULL), in the order of ids (of creation), behind after (NULL: from the
   first), at most limit (0: all). webhook_url is "" without a webhook. Rows
   stream. */
typedef int device_row(void *ctx, const struct device *device,
    const char *webhook_url, struct fault *fault);
int device_store_list(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *after, unsigned limit,
    device_row *row, void *ctx, struct fault *fault);

/* Write connected, jid, last_seen_us and updated_us of an existing row. */
int device_store_update(struct db *db, const struct device *device,
    struct fault *fault);

/* For good, with its webhook and code. The row must exist. */
int device_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct fault *fault);

#endif
