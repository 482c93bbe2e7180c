/* SPDX-License-Identifier: MIT */
/* What a receiver verifies; pure. */
#ifndef WUTS_SRC_SPOOL_SIGNATURE_H
#define WUTS_SRC_SPOOL_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

struct crypto_hmac;
struct secret;

#define SIGNATURE_STANDARD_SIZE 48	/* "v1,", 44 of base64, NUL */
#define SIGNATURE_HEX_SIZE 72		/* "sha256=", 64 hex digits, NUL */

/* The key that a webhook's secret stands for (spec/wuts.md §6). */
void signature_key(struct secret *key, const char *secret, size_t len);
/* Standard Webhooks, over id.timestamp.body. */
void signature_standard(struct crypto_hmac *hmac, const char *id,
    int64_t timestamp, const char *body, size_t body_len,
    char out[SIGNATURE_STANDARD_SIZE]);
/* Over the body alone. */
void signature_hex(struct crypto_hmac *hmac, const char *body,
    size_t body_len, char out[SIGNATURE_HEX_SIZE]);

#endif
