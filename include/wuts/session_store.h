/* SPDX-License-Identifier: MIT */
/* Table session. Every call: FAULT_DATABASE on -1. */
#ifndef WUTS_SESSION_STORE_H
#define WUTS_SESSION_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wuts/crypto.h"
#include "wuts/session.h"

struct db;
struct fault;
struct user;

int session_store_insert(struct db *db, const struct session *session,
    const uint8_t token_hash[CRYPTO_HASH_LEN], struct fault *fault);

/* 1: the session with this token, whatever its state, and its user, whatever
   that one's; 0: there is none, or its tenant is being deleted; -1. */
int session_store_find_by_token(struct db *db,
    const uint8_t token_hash[CRYPTO_HASH_LEN], struct session *session_r,
    struct user *user_r, struct fault *fault);
/* 1 / 0: this user has no such session / -1. */
int session_store_find(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id,
    struct session *session_r, struct fault *fault);

int session_store_touch(struct db *db, const struct uuid *id, int64_t now_us,
    struct fault *fault);
/* 1: revoked now / 0: this user has no such session, or it was revoked / -1. */
int session_store_revoke(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id, int64_t now_us,
    struct fault *fault);
/* All of a user that are not revoked, expired ones too; *n_r: how many of them
   had not expired. 0 / -1. */
int session_store_revoke_all(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, int64_t now_us, size_t *n_r,
    struct fault *fault);

/* Those not revoked, the most recently active first; expired ones only when
   asked for. */
typedef int session_row(void *ctx, const struct session *session,
    struct fault *fault);
int session_store_list(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, bool include_expired, int64_t now_us,
    session_row *row, void *ctx, struct fault *fault);

/* Those of any tenant that have expired and are not revoked: their end has not
   been told yet. At most limit of them, which fit into sessions_r; how many,
   or -1. */
int session_store_list_expired(struct db *db, int64_t now_us, unsigned limit,
    struct session *sessions_r, struct fault *fault);
/* 1: deleted, it was not revoked / 0: there is none such any more / -1. */
int session_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct fault *fault);
/* Deletes at most limit of those that expired or were revoked before then,
   without a word; how many, or -1. */
int session_store_expire(struct db *db, int64_t before_us, unsigned limit,
    struct fault *fault);

/* Those whose hash begins with this key's name, and that are good now. */
int session_store_count_under(struct db *db,
    const uint8_t key_name[CRYPTO_KEY_NAME_LEN], int64_t now_us,
    uint64_t *count_r, struct fault *fault);

#endif
