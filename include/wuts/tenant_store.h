/* SPDX-License-Identifier: MIT */
/* Table tenant. Every call: FAULT_DATABASE on -1. */
#ifndef WUTS_TENANT_STORE_H
#define WUTS_TENANT_STORE_H

#include <stdint.h>

#include "wuts/crypto.h"

struct db;
struct fault;
struct tenant;
struct uuid;

/* 1: inserted; 0: a tenant of that name, in whatever case, exists; -1. */
int tenant_store_insert(struct db *db, const struct tenant *tenant,
    struct fault *fault);

/* 1 / 0: no such tenant / -1. */
int tenant_store_find(struct db *db, const struct uuid *id,
    struct tenant *tenant_r, struct fault *fault);

/* By its name, in whatever case. */
int tenant_store_find_by_name(struct db *db, const char *name,
    struct tenant *tenant_r, struct fault *fault);

/* As find, holding the row's lock to the end of the transaction: the first
   lock of every change inside a tenant (design §4, lock order). */
int tenant_store_lock(struct db *db, const struct uuid *id,
    struct tenant *tenant_r, struct fault *fault);
/* As lock, and with it the head of the tenant's audit chain, as
   audit_store_head() gives it: every change needs both. */
int tenant_store_lock_chain(struct db *db, const struct uuid *id,
    struct tenant *tenant_r, uint64_t *seq_r,
    uint8_t hash_r[CRYPTO_HASH_LEN], struct fault *fault);


/* Calls row for each tenant, by name. after: rows behind this tenant (its name
   and id, as the last row of the page before), or NULL. limit 0: all. A row
   that returns -1 ends the list with -1. */
typedef int tenant_row(void *ctx, const struct tenant *tenant,
    struct fault *fault);
int tenant_store_list(struct db *db, const struct tenant *after,
    unsigned limit, tenant_row *row, void *ctx, struct fault *fault);

/* Users and devices of the tenant. 0 / -1. */
int tenant_store_count(struct db *db, const struct uuid *id,
    uint64_t *users_r, uint64_t *devices_r, struct fault *fault);

/* Mark as deleted: no find, lock, list, token, key or webhook look-up knows
   the tenant any more, and its name is free. 1 / 0: none such / -1. */
int tenant_store_mark_deleted(struct db *db, const struct uuid *id,
    int64_t deleted_us, struct fault *fault);

/* Delete at most limit rows of a marked tenant: keys, devices and users, each
   with what hangs on it; when none is left, the tenant's own row. In a
   transaction, two who sweep take turns. 1: there may be more / 0: no marked
   tenant is left / -1. */
int tenant_store_sweep(struct db *db, unsigned limit, struct fault *fault);

#endif
