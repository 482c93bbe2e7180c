/* SPDX-License-Identifier: MIT */
/* Which certificates a connection trusts. */
#ifndef WUTS_SRC_SPOOL_TRUST_H
#define WUTS_SRC_SPOOL_TRUST_H

#include "wuts/crypto.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault;
struct uuid;

/* A tenant's certificates, besides the system's. */
struct trust {
	bool is_set;		/* there are some */
	uint8_t hash[CRYPTO_HASH_LEN];	/* of their text */
};

bool trust_is_same(const struct trust *a, const struct trust *b);
/* What libcurl has to compare before it uses a connection again. */
#define TRUST_KEY_SIZE 128
struct target;
void trust_format_key(const struct target *target, char out[TRUST_KEY_SIZE]);

/* The files in a queue's directory. Keep: write it; is_known: only if it is
   missing. Sweep: remove those that nobody has kept for days. */
int trust_make_dir(const char *queue_dir, struct fault *fault);
int trust_keep(const char *queue_dir, const struct uuid *tenant_id,
    const void *pem, size_t len, bool is_known, struct fault *fault);
void trust_sweep(const char *queue_dir, int64_t wall_us);

/* Those in use, parsed; one thread's. */
struct trusts;

struct trusts *trusts_new(const char *queue_dir);
void trusts_free(struct trusts **trustsp);
/* Forget what was read, the system's too. */
void trusts_read_again(struct trusts *trusts);
/* For CURLOPT_SSL_CTX_FUNCTION. An error: they cannot be had now. */
CURLcode trusts_apply(struct trusts *trusts, const struct uuid *tenant_id,
    const struct trust *trust, void *ssl_ctx);

#endif
