/* SPDX-License-Identifier: MIT */
/* Table audit: one row per successful change, written in its transaction. It
   has no foreign key: it survives its tenant. */
#ifndef WUTS_AUDIT_STORE_H
#define WUTS_AUDIT_STORE_H

#include <stdint.h>

#include "wuts/audit.h"

struct db;
struct fault;
struct uuid;

/* seq 0: in no chain. An entry is read back as it was given, but for request_id
   and address, of which 128 and 64 characters are kept. 0 / -1. */
int audit_store_insert(struct db *db, const struct audit_entry *entry,
    struct fault *fault);

/* The last link of a tenant's chain, its row locked to the end of the
   transaction. 1 / 0: no chain yet: *seq_r is 0, hash_r zero / -1. */
int audit_store_head(struct db *db, const struct uuid *tenant_id,
    uint64_t *seq_r, uint8_t hash_r[CRYPTO_HASH_LEN], struct fault *fault);
int audit_store_set_head(struct db *db, const struct uuid *tenant_id,
    uint64_t seq, const uint8_t hash[CRYPTO_HASH_LEN], struct fault *fault);

/* Newest first, rows below before_seq (0: all), at most limit (0: all). action
   and user_id may be NULL. The entry's strings live during the call. Rows older
   than the chain have no seq and are in no list. */
typedef int audit_row(void *ctx, const struct audit_entry *entry,
    struct fault *fault);
int audit_store_list(struct db *db, const struct uuid *tenant_id,
    uint64_t before_seq, const char *action, const struct uuid *user_id,
    unsigned limit, audit_row *row, void *ctx, struct fault *fault);
/* What this request has changed, in any tenant, oldest first. Reads the whole
   table. */
int audit_store_list_of_request(struct db *db, const char *request_id,
    unsigned limit, audit_row *row, void *ctx, struct fault *fault);
/* Oldest first, rows above after_seq: for verifying. */
int audit_store_walk(struct db *db, const struct uuid *tenant_id,
    uint64_t after_seq, unsigned limit, audit_row *row, void *ctx,
    struct fault *fault);
/* Every tenant that has a chain or a piece of one, behind after (NULL: the
   first, which may be nil: what belongs to no tenant). 1 / 0 / -1. */
int audit_store_next_tenant(struct db *db, const struct uuid *after,
    struct uuid *tenant_id_r, struct fault *fault);

#endif
