/* SPDX-License-Identifier: MIT */
/* Table idempotency: what was answered under which key. Every call:
   FAULT_DATABASE on -1. */
#ifndef WUTS_IDEMPOTENCY_STORE_H
#define WUTS_IDEMPOTENCY_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "wuts/crypto.h"

struct arena;
struct db;
struct fault;

struct idempotency_row {
	uint8_t key_hash[CRYPTO_HASH_LEN];	/* of caller, path and key */
	uint8_t body_hash[CRYPTO_HASH_LEN];
	unsigned status;			/* 0: still in flight */
	const uint8_t *sealed;			/* the answer; aad: key_hash */
	size_t sealed_len;
	int64_t created_us;
};

/* 1: inserted, in flight; 0: there is a row of that key; -1. */
int idempotency_store_insert(struct db *db,
    const struct idempotency_row *row, struct fault *fault);

/* 1: *row_r, its bytes in arena / 0 / -1. */
int idempotency_store_find(struct db *db, struct arena *arena,
    const uint8_t key_hash[CRYPTO_HASH_LEN], struct idempotency_row *row_r,
    struct fault *fault);

/* Take over a row that is still in flight since created_us: its process is
   gone. 1: taken, created_us is now new_created_us; 0: another was first;
   -1. */
int idempotency_store_take_over(struct db *db,
    const uint8_t key_hash[CRYPTO_HASH_LEN], int64_t created_us,
    int64_t new_created_us, struct fault *fault);

/* Write the answer of the row in flight since created_us. In a change's own
   transaction: then answer and change exist together. 1: written; 0: the row
   was taken over: this transaction must not commit; -1. */
int idempotency_store_finish(struct db *db,
    const struct idempotency_row *row, struct fault *fault);

/* Forget a row in flight: nothing was changed, nothing need be replayed.
   0 / -1. */
int idempotency_store_delete(struct db *db,
    const uint8_t key_hash[CRYPTO_HASH_LEN], int64_t created_us,
    struct fault *fault);

/* Rows created after that time whose name is hashed under this installation
   key. 0 / -1. */
int idempotency_store_count_under(struct db *db,
    const uint8_t name[CRYPTO_KEY_NAME_LEN], int64_t after_us,
    uint64_t *count_r, struct fault *fault);

/* Delete at most limit rows created before that time. Rows, or -1. */
int idempotency_store_expire(struct db *db, int64_t before_us,
    unsigned limit, struct fault *fault);

#endif
