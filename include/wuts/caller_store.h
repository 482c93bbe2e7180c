/* SPDX-License-Identifier: MIT */
/* Whose token it is, and callers together with the user that their request is
   about: one way to the server where there would be two or three. Every call:
   FAULT_DATABASE on -1. */
#ifndef WUTS_CALLER_STORE_H
#define WUTS_CALLER_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "wuts/crypto.h"
#include "wuts/user.h"

struct db;
struct fault;

/* What decides what a user may do. */
struct token_owner {
	struct uuid id;
	struct uuid tenant_id;
	enum role role;
	bool active;
};

/* Whose token is it? The hash names user and tenant. 1 / 0: nobody's / -1. */
int caller_store_find(struct db *db, const uint8_t hash[CRYPTO_HASH_LEN],
    struct token_owner *owner_r, struct fault *fault);
/* The same, and as user_store_find() a user of the owner's tenant:
   *has_target_r tells whether *target_r is filled. */
int caller_store_find_both(struct db *db, const uint8_t hash[CRYPTO_HASH_LEN],
    const struct uuid *target_id, struct token_owner *owner_r,
    struct user *target_r, bool *has_target_r, struct fault *fault);

/* What a change inside a tenant begins with. */
struct caller_lock {
	uint64_t seq;			/* the audit chain's head, as */
	uint8_t hash[CRYPTO_HASH_LEN];	/* audit_store_head() gives it */
	bool has_caller;
	enum role caller_role;
	bool caller_active;
	bool has_target;
	struct user target;
};

/* Take the tenant's lock, and under it those of the chain's head and of two of
   its users; either id may be nil, of nobody. No user's row is looked at, let
   alone locked, before the tenant's is: whoever waits there holds nothing, and
   what it reads afterwards is what the one before it has left. 1; 0: no such
   tenant; -1. */
int caller_store_lock(struct db *db, const struct uuid *tenant_id,
    const struct uuid *caller_id, const struct uuid *target_id,
    struct caller_lock *lock_r, struct fault *fault);

#endif
