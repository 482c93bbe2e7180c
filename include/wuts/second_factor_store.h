/* SPDX-License-Identifier: MIT */
/* Tables user_authenticator and user_backup_code. Every call: FAULT_DATABASE
   on -1. */
#ifndef WUTS_SECOND_FACTOR_STORE_H
#define WUTS_SECOND_FACTOR_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "wuts/crypto.h"
#include "wuts/totp.h"
#include "wuts/uuid.h"

struct arena;
struct db;
struct fault;

#define AUTHENTICATOR_SEALED_MAX (TOTP_SECRET_MAX + CRYPTO_SEAL_OVERHEAD)

struct authenticator {
	struct uuid id;
	struct uuid tenant_id;
	struct uuid user_id;
	uint8_t sealed[AUTHENTICATOR_SEALED_MAX];	/* aad: id */
	size_t sealed_len;
	const char *account;
	uint64_t last_step;	/* TOTP step that was used last; 0: none */
	unsigned failures;	/* tries since the last one that was right */
	int64_t tried_us;	/* the last try; 0: none */
	int64_t created_us;
	int64_t updated_us;
};

/* 1: inserted; 0: the user has one; -1. */
int authenticator_store_insert(struct db *db,
    const struct authenticator *authenticator, struct fault *fault);
/* The user's one; account in arena. 1 / 0 / -1. */
int authenticator_store_find(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *user_id,
    struct authenticator *authenticator_r, struct fault *fault);
/* That of a user whose policy enforces it. */
int authenticator_store_find_enforced(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *user_id,
    struct authenticator *authenticator_r, struct fault *fault);
/* Count a try, before it is judged, so that tries at the same time all count.
   1: it may go on; 0: there was another one since the row was read; -1. */
int authenticator_store_try(struct db *db,
    const struct authenticator *authenticator, int64_t now_us,
    struct fault *fault);
/* A code of this step (0: a backup code) was right: the count begins anew. 1:
   this step was not used before, nor a later one; 0: it was; -1. */
int authenticator_store_use(struct db *db,
    const struct authenticator *authenticator, uint64_t step,
    struct fault *fault);
/* 1: deleted / 0 / -1. */
int authenticator_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, struct fault *fault);

/* Those of a tenant behind this id, in the order of ids; account in arena. */
typedef int authenticator_row(void *ctx,
    const struct authenticator *authenticator, struct fault *fault);
int authenticator_store_list(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *after, unsigned limit,
    authenticator_row *row, void *ctx, struct fault *fault);
/* The secret of an existing row, sealed anew. 0 / -1. */
int authenticator_store_reseal(struct db *db,
    const struct authenticator *authenticator, struct fault *fault);

int backup_code_store_insert(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id,
    const char hash[CRYPTO_PASSWORD_HASH_MAX], int64_t now_us,
    struct fault *fault);
/* Does the user have any? 1 / 0 / -1. */
int backup_code_store_exists(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, struct fault *fault);
typedef int backup_code_row(void *ctx, const struct uuid *id,
    const char hash[CRYPTO_PASSWORD_HASH_MAX], struct fault *fault);
int backup_code_store_list(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, backup_code_row *row, void *ctx,
    struct fault *fault);
/* One code is used up. 1: by this call; 0: it was before; -1. */
int backup_code_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id, struct fault *fault);
int backup_code_store_delete_all(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, struct fault *fault);

#endif
