/* SPDX-License-Identifier: MIT */
/* What a program older than a table did not write there: users without a row
   in user_email or in user_search, or with one that is of before a change, and
   tenants whose user_count is not how many users they have. Every call:
   FAULT_DATABASE on -1. */
#ifndef WUTS_USER_BACKFILL_STORE_H
#define WUTS_USER_BACKFILL_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "wuts/uuid.h"

struct db;
struct fault;

/* Of so many users at most one call tells. */
#define USER_BACKFILL_BATCH 500

struct user_lacking {
	struct uuid tenant_id;
	struct uuid id;
};

/* Look at the next users behind *cursor (nil: from the first on), and move it.
   lacking_r: *n_r of them lack something. 1: there are more; 0: these were the
   last; -1. Locks nothing: ask again under the tenant's lock. */
int user_backfill_store_find(struct db *db, struct uuid *cursor,
    struct user_lacking lacking_r[USER_BACKFILL_BATCH], size_t *n_r,
    struct fault *fault);

/* Under the tenant's lock. Write what the user lacks. 1: it lacked something;
   0: not any more, or it has gone; -1. */
int user_backfill_store_write(struct db *db, const struct user_lacking *user,
    struct fault *fault);

/* The next tenant behind `after` (nil: from the first on) whose count is wrong.
   1 / 0: none / -1. */
int user_backfill_store_find_miscounted(struct db *db,
    const struct uuid *after, struct uuid *tenant_id_r, struct fault *fault);

#endif
