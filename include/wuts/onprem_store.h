/* SPDX-License-Identifier: MIT */
/* Tables onprem_settings and tenant_ca. A tenant with a row in the first one
   speaks the On-Premises dialect. Every call: FAULT_DATABASE on -1. Whoever
   changes one of these rows bumps the tenant's generation after the commit, as
   for webhooks. */
#ifndef WUTS_ONPREM_STORE_H
#define WUTS_ONPREM_STORE_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct db;
struct fault;
struct onprem;
struct uuid;

/* 1: *onprem_r, which needs no arena afterwards; 0: the dialect is not enabled
   for this tenant, or the tenant is being deleted; -1. Where the row has no
   wa_id, it is the number of the tenant's first device that has an account. */
int onprem_store_find(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, struct onprem *onprem_r,
    struct fault *fault);
/* As find, holding the row's lock; wa_id as the row has it. */
int onprem_store_lock(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, struct onprem *onprem_r,
    struct fault *fault);

/* How many tenants speak the dialect, counted up to 2; *tenant_id_r is one of
   them. Or -1. */
int onprem_store_find_only(struct db *db, struct uuid *tenant_id_r,
    struct fault *fault);

/* 1: inserted / 0: the tenant has one / -1. */
int onprem_store_insert(struct db *db, const struct onprem *onprem,
    struct fault *fault);
int onprem_store_update(struct db *db, const struct onprem *onprem,
    struct fault *fault);
/* 1: deleted / 0: there was none / -1. The tenant's CA is another row. */
int onprem_store_delete(struct db *db, const struct uuid *tenant_id,
    struct fault *fault);

/* The CA certificates that the tenant's webhooks trust besides the system's,
   byte for byte as they were uploaded. 1: *pem_r in arena, with a NUL behind
   its last byte / 0: none stored / -1. */
int onprem_store_find_ca(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const uint8_t **pem_r, size_t *len_r,
    struct fault *fault);
/* 0 / -1. */
int onprem_store_replace_ca(struct db *db, const struct uuid *tenant_id,
    const void *pem, size_t len, int64_t now_us, struct fault *fault);
/* 1: deleted / 0: none stored / -1. */
int onprem_store_delete_ca(struct db *db, const struct uuid *tenant_id,
    struct fault *fault);

#endif
