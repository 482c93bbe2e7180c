/* SPDX-License-Identifier: MIT */
/* Idempotency-Key (spec/wuts.md §1): the same key, caller, path and body
   within 24 h gets the first answer again. The answer of a request that
   changes something is stored by the change's own transaction (struct caller's
   reply), so that a crash leaves both or neither; an answer that changed
   nothing is stored by finish. A request whose process died in flight is taken
   over by the next of its key after settings request_timeout. An answer of more
   than 1 MiB is not kept: its key is free again. */
#ifndef WUTS_IDEMPOTENCY_SERVICE_H
#define WUTS_IDEMPOTENCY_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "wuts/crypto.h"

struct arena;
struct caller;
struct fault;
struct service;

#define IDEMPOTENCY_KEY_MAX 255		/* visible ASCII */
#define IDEMPOTENCY_KEEP_S 86400

/* One request under a key. */
struct idempotency {
	uint8_t key_hash[CRYPTO_HASH_LEN];
	uint8_t body_hash[CRYPTO_HASH_LEN];
	int64_t created_us;		/* of our row */
	int stored;			/* the answer is in the row */
};

/* What was answered then. */
struct idempotency_answer {
	unsigned status;
	const char *text;		/* as given to the store, in arena */
	size_t len;
};

/* 1: *answer_r is to be given again; 0: go on, *idempotency_r is in flight and
   must be ended by finish or abandon; -1: REFUSAL_VALIDATION (the key's form),
   REFUSAL_IDEMPOTENCY_MISMATCH, REFUSAL_IDEMPOTENCY_IN_FLIGHT,
   FAULT_DATABASE. */
int idempotency_service_begin(struct service *service, struct arena *arena,
    const struct caller *caller, const char *key, const char *path,
    const char *body, size_t body_len, struct idempotency *idempotency_r,
    struct idempotency_answer *answer_r, struct fault *fault);

/* The answer is known and nothing of ours has stored it: a refusal, or a
   request without a transaction. Faults are logged: the row is taken over
   later. */
void idempotency_service_finish(struct service *service,
    struct idempotency *idempotency, const struct idempotency_answer *answer);

/* Nothing has happened (a fault of ours): the next try may run at once. */
void idempotency_service_abandon(struct service *service,
    struct idempotency *idempotency);

#endif
