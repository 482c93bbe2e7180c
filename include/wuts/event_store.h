/* SPDX-License-Identifier: MIT */
/* Table event_seen: the ids that callers gave to their events, as far as these
   were accepted within EVENT_SEEN_KEEP_S. Every call: FAULT_DATABASE on -1. */
#ifndef WUTS_EVENT_STORE_H
#define WUTS_EVENT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct fault;
struct uuid;

#define EVENT_SEEN_KEEP_S 86400

/* Inside a transaction: note n ids, distinct and in ascending order, as seen at
   now_us. is_new_r[i]: the id was not there, or was but from before
   EVENT_SEEN_KEEP_S. Waits for another transaction that notes the same one. */
int event_store_note(struct db *db, const struct uuid *tenant_id,
    const struct uuid *ids, size_t n, int64_t now_us, bool *is_new_r,
    struct fault *fault);
/* 1: seen within EVENT_SEEN_KEEP_S before now_us / 0 / -1. */
int event_store_is_seen(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, int64_t now_us, struct fault *fault);
/* Delete rows older than before_us, at most limit. How many, or -1. */
int event_store_expire(struct db *db, int64_t before_us, unsigned limit,
    struct fault *fault);

#endif
