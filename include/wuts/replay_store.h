/* SPDX-License-Identifier: MIT */
/* Table replay: written by services, done by the spooler. Every call:
   FAULT_DATABASE on -1. */
#ifndef WUTS_REPLAY_STORE_H
#define WUTS_REPLAY_STORE_H

#include <stdint.h>

#include "wuts/delivery.h"

struct db;
struct fault;

int replay_store_insert(struct db *db, const struct replay *replay,
    struct fault *fault);
/* One that was asked for this webhook. 1 / 0 / -1. */
int replay_store_find(struct db *db, const struct uuid *tenant_id,
    const struct uuid *device_id, const struct uuid *id,
    struct replay *replay_r, struct fault *fault);

/* Those of all tenants that live and are not done, the oldest first. */
typedef int replay_row(void *ctx, const struct replay *replay,
    struct fault *fault);
int replay_store_list_open(struct db *db, unsigned limit, replay_row *row,
    void *ctx, struct fault *fault);
/* So many more events were put back. */
int replay_store_advance(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, uint64_t more, bool done, int64_t now_us,
    struct fault *fault);
/* Delete those done before before_us, at most limit. How many, or -1. */
int replay_store_expire(struct db *db, int64_t before_us, unsigned limit,
    struct fault *fault);

#endif
