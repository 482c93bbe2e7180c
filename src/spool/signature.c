/* SPDX-License-Identifier: MIT */
/* The two signatures of a delivery. Standard Webhooks covers id, time and
   body, so a receiver can refuse a replay; the plain one covers the body, for
   receivers written after GitHub's. Pure. */
#include "config.h"

#include "signature.h"

#include "wuts/arena.h"
#include "wuts/crypto.h"
#include "wuts/secret.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "whsec_"
#define PREFIX_LEN (sizeof(PREFIX) - 1)

void
signature_key(struct secret *key, const char *secret, size_t len)
{
	struct arena *arena;
	uint8_t *bytes;
	size_t nbytes = 0;

	if (len <= PREFIX_LEN || memcmp(secret, PREFIX, PREFIX_LEN) != 0) {
		secret_set(key, secret, len);
		return;
	}
	arena = arena_new();
	bytes = crypto_unbase64(arena, secret + PREFIX_LEN, len - PREFIX_LEN,
	    &nbytes);
	if (bytes == NULL || nbytes == 0)
		secret_set(key, secret, len);
	else
		secret_set(key, bytes, nbytes);
	if (bytes != NULL)
		crypto_wipe(bytes, nbytes);
	arena_free(&arena);
}

void
signature_standard(struct crypto_hmac *hmac, const char *id,
    int64_t timestamp, const char *body, size_t body_len,
    char out[SIGNATURE_STANDARD_SIZE])
{
	static const char prefix[] = "v1,";
	uint8_t mac[CRYPTO_HASH_LEN];
	char time[32];
	int len;

	len = snprintf(time, sizeof(time), ".%" PRId64 ".", timestamp);
	crypto_hmac_add(hmac, id, strlen(id));
	crypto_hmac_add(hmac, time, (size_t)len);
	crypto_hmac_add(hmac, body, body_len);
	crypto_hmac_end(hmac, mac);
	memcpy(out, prefix, sizeof(prefix));
	crypto_base64_text(mac, sizeof(mac), out + sizeof(prefix) - 1);
}

void
signature_hex(struct crypto_hmac *hmac, const char *body, size_t body_len,
    char out[SIGNATURE_HEX_SIZE])
{
	static const char prefix[] = "sha256=";
	uint8_t mac[CRYPTO_HASH_LEN];

	crypto_hmac_add(hmac, body, body_len);
	crypto_hmac_end(hmac, mac);
	memcpy(out, prefix, sizeof(prefix));
	crypto_hex(mac, sizeof(mac), out + sizeof(prefix) - 1);
}
