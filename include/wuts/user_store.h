/* SPDX-License-Identifier: MIT */
/* Table users: rows, pending webhook URL. Tokens: caller_store.h. Every call:
   FAULT_DATABASE on -1. */
#ifndef WUTS_USER_STORE_H
#define WUTS_USER_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "wuts/crypto.h"
#include "wuts/user.h"

struct arena;
struct db;
struct fault;

#define USER_TOKEN_SEALED_LEN (UUID_TEXT_LEN + CRYPTO_SEAL_OVERHEAD)

/* What is kept of a token: for looking it up, and for showing it again. */
struct user_token {
	uint8_t hash[CRYPTO_HASH_LEN];	/* HMAC-SHA-256, key "lookup" */
	uint8_t sealed[USER_TOKEN_SEALED_LEN];	/* the text; aad: user id */
};

/* 1: inserted; 0: the tenant has a user of that e-mail address, in whatever
   case, or of that very user name; -1. An address, a name or a hash that is ""
   is none; password_hash and pending_webhook_url may be NULL. The address gets
   its row in user_email from the caller. */
int user_store_insert(struct db *db, const struct user *user,
    const char *password_hash, const struct user_token *token,
    const char *pending_webhook_url, struct fault *fault);

/* 1 / 0: no such user in this tenant / -1. */
int user_store_find(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct user *user_r, struct fault *fault);
/* For the super admin. */
int user_store_find_any_tenant(struct db *db, const struct uuid *id,
    struct user *user_r, struct fault *fault);

/* Active admins of the tenant besides this user. */
int user_store_count_other_admins(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, unsigned *count_r, struct fault *fault);

/* Write active, role and updated_us of an existing row. */
int user_store_update(struct db *db, const struct user *user,
    struct fault *fault);

/* The password's hash of a user found by e-mail, whatever its case. 1: *user_r
   and hash_r; 0; -1. */
int user_store_find_password(struct db *db, const struct uuid *tenant_id,
    const char *email, struct user *user_r,
    char hash_r[CRYPTO_PASSWORD_HASH_MAX], struct fault *fault);
/* The same by user name, byte for byte. hash_r is "" for a user without. */
int user_store_find_password_by_username(struct db *db,
    const struct uuid *tenant_id, const char *username, struct user *user_r,
    char hash_r[CRYPTO_PASSWORD_HASH_MAX], struct fault *fault);
/* Who has this user name, in whatever case? 1: *id_r, the oldest of them; 0;
   -1. */
int user_store_find_username(struct db *db, const struct uuid *tenant_id,
    const char *username, struct uuid *id_r, struct fault *fault);
/* The hash of its password, "" without one. 1 / 0: no such user / -1. */
int user_store_find_hash(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, char hash_r[CRYPTO_PASSWORD_HASH_MAX],
    struct fault *fault);
/* Has it a password? 1 / 0 / -1. */
int user_store_has_password(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct fault *fault);
/* Write e-mail address, user name, active and updated_us of an existing row.
   1: done; 0: another user of the tenant has the address or the name; -1. */
int user_store_update_account(struct db *db, const struct user *user,
    struct fault *fault);
/* Write another hash of the same password. */
int user_store_update_password(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, const char *password_hash, struct fault *fault);
/* Another password (NULL: none), with must_change_password and updated_us. */
int user_store_change_password(struct db *db, const struct user *user,
    const char *password_hash, struct fault *fault);
/* Replace the token of an existing row; updated_us with it. */
int user_store_update_token(struct db *db, const struct user *user,
    const struct user_token *token, struct fault *fault);
/* 1: deleted, with all that belongs to it / 0 / -1. */
int user_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct fault *fault);

/* Calls row for each user of the tenant in the order of ids (of creation),
   behind after (NULL: from the first), at most limit (0: all). Rows stream: a
   tenant of any size is listed in flat memory. */
typedef int user_row(void *ctx, const struct user *user,
    const uint8_t token_sealed[USER_TOKEN_SEALED_LEN], struct fault *fault);
int user_store_list(struct db *db, const struct uuid *tenant_id,
    const struct uuid *after, unsigned limit, user_row *row, void *ctx,
    struct fault *fault);

/* The webhook URL staged for the user's new devices. 1: *url_r in arena;
   0: none staged. stage sets it, of a user that exists; clear forgets it. */
int user_store_pending_webhook(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, struct arena *arena, const char **url_r,
    struct fault *fault);
int user_store_stage_webhook(struct db *db, const struct uuid *tenant_id,
    const struct uuid *id, const char *url, struct fault *fault);
int user_store_clear_pending_webhook(struct db *db,
    const struct uuid *tenant_id, const struct uuid *id, struct fault *fault);

#endif
