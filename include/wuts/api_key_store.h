/* SPDX-License-Identifier: MIT */
/* Table api_key. Every call: FAULT_DATABASE on -1. */
#ifndef WUTS_API_KEY_STORE_H
#define WUTS_API_KEY_STORE_H

#include <stdint.h>

#include "wuts/crypto.h"

struct api_key;
struct db;
struct fault;
struct uuid;

/* hash: HMAC-SHA-256 of the key's text, key "lookup", its first bytes replaced
   by the name of the installation key. */
int api_key_store_insert(struct db *db, const struct api_key *key,
    const uint8_t hash[CRYPTO_HASH_LEN], struct fault *fault);

/* Whose key is it? Of a tenant that is not being deleted. 1 / 0 / -1. */
int api_key_store_find_by_hash(struct db *db,
    const uint8_t hash[CRYPTO_HASH_LEN], struct api_key *key_r,
    struct fault *fault);

/* 1 / 0: no such key in this tenant / -1. Holds the row's lock. */
int api_key_store_lock(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct api_key *key_r, struct fault *fault);

/* In the order of creation; paging as user_store_list(). */
typedef int api_key_row(void *ctx, const struct api_key *key,
    struct fault *fault);
int api_key_store_list(struct db *db, const struct uuid *tenant_id,
    const struct uuid *after, unsigned limit, api_key_row *row, void *ctx,
    struct fault *fault);

/* 1: deleted, *key_r is what it was / 0: no such key in this tenant / -1. */
int api_key_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct api_key *key_r, struct fault *fault);

/* 0 / -1. */
int api_key_store_touch(struct db *db, const struct uuid *id,
    int64_t last_used_us, struct fault *fault);
/* Keys whose hash is under another installation key than this. 0 / -1. */
int api_key_store_count_others(struct db *db,
    const uint8_t name[CRYPTO_KEY_NAME_LEN], uint64_t *count_r,
    struct fault *fault);
/* Keys whose hash is under this installation key, in the order of creation. */
int api_key_store_list_under(struct db *db,
    const uint8_t name[CRYPTO_KEY_NAME_LEN], api_key_row *row, void *ctx,
    struct fault *fault);
/* The same text, hashed under another installation key. 0 / -1. */
int api_key_store_update_hash(struct db *db, const struct uuid *id,
    const uint8_t hash[CRYPTO_HASH_LEN], struct fault *fault);

#endif
