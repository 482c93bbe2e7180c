/* SPDX-License-Identifier: MIT */
/* Tables user_connection and user_passkey. Every call: FAULT_DATABASE on
   -1. */
#ifndef WUTS_CONNECTION_STORE_H
#define WUTS_CONNECTION_STORE_H

#include "wuts/connection.h"

struct arena;
struct db;
struct fault;

/* A row as it is kept: tokens sealed, aad the row's id; length 0: none. The
   token texts of the connection are not looked at. */
struct connection_row {
	struct connection connection;
	const uint8_t *access_sealed;
	size_t access_sealed_len;
	const uint8_t *refresh_sealed;
	size_t refresh_sealed_len;
};

/* 1: inserted; 0: a row has this id; -1. */
int connection_store_insert(struct db *db, const struct connection_row *row,
    struct fault *fault);
/* Of a user, the newest first; a row's texts live as long as the arena. */
typedef int connection_visit(void *ctx, const struct connection_row *row,
    struct fault *fault);
int connection_store_list(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *user_id,
    connection_visit *visit, void *ctx, struct fault *fault);
/* Those of a tenant behind this id, in the order of ids. */
int connection_store_list_of_tenant(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *after, unsigned limit,
    connection_visit *visit, void *ctx, struct fault *fault);
/* The tokens of an existing row, sealed anew. 0 / -1. */
int connection_store_reseal(struct db *db, const struct connection_row *row,
    struct fault *fault);
/* 1: deleted / 0: this user has no such one / -1. */
int connection_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id, struct fault *fault);
/* All that are bound to an address of the user; how many, or -1. */
int connection_store_delete_of_email(struct db *db,
    const struct uuid *tenant_id, const struct uuid *user_id,
    const struct uuid *email_id, struct fault *fault);

int passkey_store_insert(struct db *db, const struct passkey *passkey,
    struct fault *fault);
typedef int passkey_visit(void *ctx, const struct passkey *passkey,
    struct fault *fault);
int passkey_store_list(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *user_id,
    passkey_visit *visit, void *ctx, struct fault *fault);
/* 1 / 0: this user has no such one / -1. */
int passkey_store_rename(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id, const char *name,
    int64_t now_us, struct fault *fault);
int passkey_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *user_id, const struct uuid *id, struct fault *fault);

#endif
