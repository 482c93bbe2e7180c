/* SPDX-License-Identifier: MIT */
/* The two signatures of a delivery. Standard Webhooks covers id, time and
   body, so a receiver can refuse a replay; the plain one covers the body, for
   receivers written after GitHub's. Pure. */
#include "config.h"

#include "signature.h"

#include "wuts/arena.h"
#include "wuts/crypto.h"
#include "wuts/secret.h"
#include "wuts/strbuf.h"

#include <inttypes.h>
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
signature_standard(const struct secret *key, const char *id,
    int64_t timestamp, const char *body, size_t body_len,
    struct strbuf *scratch, char out[SIGNATURE_STANDARD_SIZE])
{
	uint8_t mac[CRYPTO_HASH_LEN];
	size_t len;

	strbuf_reset(scratch);
	strbuf_printf(scratch, "%s.%" PRId64 ".", id, timestamp);
	strbuf_append(scratch, body, body_len);
	crypto_hmac_sha256(key->data, key->len, scratch->data, scratch->len,
	    mac);
	strbuf_reset(scratch);
	strbuf_append_str(scratch, "v1,");
	crypto_base64(scratch, mac, sizeof(mac));
	len = scratch->len;
	memcpy(out, scratch->data, len + 1);
}

void
signature_hex(const struct secret *key, const char *body, size_t body_len,
    char out[SIGNATURE_HEX_SIZE])
{
	static const char prefix[] = "sha256=";
	uint8_t mac[CRYPTO_HASH_LEN];

	crypto_hmac_sha256(key->data, key->len, body, body_len, mac);
	memcpy(out, prefix, sizeof(prefix));
	crypto_hex(mac, sizeof(mac), out + sizeof(prefix) - 1);
}
