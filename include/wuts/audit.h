/* SPDX-License-Identifier: MIT */
/* An entry of the audit trail: who changed what, when, from where. */
#ifndef WUTS_AUDIT_H
#define WUTS_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "wuts/crypto.h"
#include "wuts/user.h"
#include "wuts/uuid.h"

struct audit_entry {
	struct uuid id;			/* version 7 */
	struct uuid tenant_id;
	struct identity actor;
	const char *action;		/* "user.role_changed" */
	struct uuid target_id;
	const char *old_value;		/* JSON or NULL */
	const char *new_value;		/* JSON or NULL; never a secret */
	const char *request_id;		/* "" from wutsctl */
	const char *address;
	int64_t created_us;
	uint64_t seq;			/* 1, 2, 3 … within the tenant */
	uint8_t hash[CRYPTO_HASH_LEN];	/* chained (wuts/audit_service.h) */
};

/* The word for who acted that is stored and hashed, never to be changed. */
const char *audit_actor_word(enum identity_kind kind);
/* False: it is none of them. */
bool audit_actor_parse(const char *word, enum identity_kind *kind_r);

/* The hash of a row behind the row with this hash; of the first, zeroes. */
void audit_chain_hash(const uint8_t audit_key[CRYPTO_KEY_LEN],
    const uint8_t previous[CRYPTO_HASH_LEN], const struct audit_entry *entry,
    uint8_t hash_r[CRYPTO_HASH_LEN]);

#endif
