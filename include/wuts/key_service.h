/* SPDX-License-Identifier: MIT */
/* The installation key changes without downtime. Its file holds a key a line:
   with the first all is written, with any of them all is read. Three steps,
   each followed by a reload of every process and its end: (1) the new key is
   added behind the present one; (2) it changes places with the first; (3) what
   is kept is written anew, here, and the old one is removed when nothing needs
   it any more.

   What stays under an older key: API keys, whose text is known only while they
   are used: then they are hashed anew; the audit trail, whose rows are never
   written again: to be verified it needs the key it was written under; stored
   answers (Idempotency-Key), for a day; the tokens of log-ins, until they
   expire. */
#ifndef WUTS_KEY_SERVICE_H
#define WUTS_KEY_SERVICE_H

#include <stdint.h>

struct api_key;
struct fault;
struct service;

struct key_reseal {
	uint64_t tokens;	/* of users: hashed and sealed anew */
	uint64_t secrets;	/* of webhooks, authenticators, connections:
				   sealed anew */
	uint64_t headers;	/* of webhooks: sealed anew, or for the first
				   time */
	uint64_t lost;		/* of all: none of the keys opens it */
	uint64_t api_keys;	/* not used since: need an older key still */
};

/* Write everything anew that is under an older key, in small transactions
   beside the traffic. May be repeated, and taken up again after a failure.
   said, when not NULL, is told after each batch how far it is. 0 / -1. */
typedef void key_resealed(void *ctx, const struct key_reseal *so_far);
int key_service_reseal(struct service *service, key_resealed *said, void *ctx,
    struct key_reseal *result_r, struct fault *fault);

/* What needs one of the older keys still: row is called with each API key that
   has not expired, left_r says how many others there are. 0 / -1. */
struct key_others_left {
	uint64_t answers;	/* stored, and could yet be asked for */
	uint64_t sessions;	/* that have not ended */
};
typedef int key_left(void *ctx, const struct api_key *key,
    struct fault *fault);
int key_service_list_left(struct service *service, key_left *row, void *ctx,
    struct key_others_left *left_r, struct fault *fault);

#endif
