/* SPDX-License-Identifier: MIT */
/* Table webhook: at most one a device, one a tenant (device_id nil). Used by
   services and by the spooler. Every call: FAULT_DATABASE on -1. */
#ifndef WUTS_WEBHOOK_STORE_H
#define WUTS_WEBHOOK_STORE_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct db;
struct fault;
struct uuid;
struct webhook;

/* 1: *webhook_r, its strings in arena / 0: none configured / -1. Headers that
   are sealed stay so, and none are listed until they are opened. */
int webhook_store_find(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *device_id,
    struct webhook *webhook_r, struct fault *fault);
/* As find, holding the row's lock. */
int webhook_store_lock(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *device_id,
    struct webhook *webhook_r, struct fault *fault);

/* Writes the sealed headers, or the plain ones where there are no sealed. */
int webhook_store_insert(struct db *db, const struct webhook *webhook,
    struct fault *fault);
/* Replace all settings of the row with webhook->id; created_us stays. */
int webhook_store_update(struct db *db, const struct webhook *webhook,
    struct fault *fault);
/* The sealed secrets of a tenant's webhooks in the order of their ids
   (WEBHOOK_ID_LEN bytes), behind after. Of the row only id, headers and the
   secrets are filled; an old one only when it still signs at now_us. */
typedef int webhook_secret_row(void *ctx, const struct webhook *secrets,
    struct fault *fault);
int webhook_store_list_secrets(struct db *db, const struct uuid *tenant_id,
    const uint8_t *after, int64_t now_us, unsigned limit,
    webhook_secret_row *row, void *ctx, struct fault *fault);
/* The same secrets and headers sealed anew (by id; no old secret: forget it):
   nothing else changes, no time either. */
int webhook_store_update_secrets(struct db *db, const struct uuid *tenant_id,
    const struct webhook *secrets, struct fault *fault);

/* 1: deleted / 0: there was none / -1. */
int webhook_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *device_id, struct fault *fault);

#endif
