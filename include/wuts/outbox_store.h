/* SPDX-License-Identifier: MIT */
/* Table outbox: the ids of prepared queue records whose transaction committed,
   and the tombstones of those that never will (design §5). */
#ifndef WUTS_OUTBOX_STORE_H
#define WUTS_OUTBOX_STORE_H

#include <stdint.h>

struct db;
struct fault;
struct uuid;

/* 1: inserted; 0: the id is there already: claimed; -1. Within the transaction
   that makes the event, so that it exists with the commit. */
int outbox_store_insert(struct db *db, const struct uuid *id,
    int64_t created_us, struct fault *fault);

/* Outside any transaction. 1: a tombstone is there, put by this call or by one
   whose answer was lost: that transaction can never commit any more; 0: it
   has committed; -1: ask again. */
int outbox_store_claim(struct db *db, const struct uuid *id,
    int64_t created_us, struct fault *fault);

/* Delete at most limit rows created before that time. Rows deleted, or -1. */
int outbox_store_expire(struct db *db, int64_t before_us, unsigned limit,
    struct fault *fault);

#endif
