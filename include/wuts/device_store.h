/* SPDX-License-Identifier: MIT */
/* Table device. Every call: FAULT_DATABASE on -1. */
#ifndef WUTS_DEVICE_STORE_H
#define WUTS_DEVICE_STORE_H

#include <stdbool.h>
#include <stdint.h>

struct db;
struct device;
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

/* Write connected, jid, last_seen_us and updated_us of an existing row. */
int device_store_update(struct db *db, const struct device *device,
    struct fault *fault);

#endif
