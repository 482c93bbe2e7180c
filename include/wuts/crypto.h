/* SPDX-License-Identifier: MIT */
/* Cryptography, all by OpenSSL and libargon2: hashes, keyed hashes,
   authenticated encryption at rest, passwords, random bytes, text encodings.
   A failure inside a library is a broken installation and ends the process. */
#ifndef WUTS_CRYPTO_H
#define WUTS_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct fault;
struct secret;
struct strbuf;

#define CRYPTO_HASH_LEN 32
#define CRYPTO_KEY_LEN 32
#define CRYPTO_KEY_NAME_LEN 4
/* version byte, nonce, tag */
#define CRYPTO_SEAL_OVERHEAD (1 + 12 + 16)
#define CRYPTO_PASSWORD_HASH_MAX 160	/* PHC string with NUL */

/* What is derived (HKDF-SHA-256, one label each) from one installation key:
   its name, token look-up, encryption at rest, the chain of the audit
   trail, the signature of session tokens. */
struct crypto_key {
	uint8_t name[CRYPTO_KEY_NAME_LEN];	/* not secret: which key it is */
	uint8_t lookup[CRYPTO_KEY_LEN];
	uint8_t seal[CRYPTO_KEY_LEN];
	uint8_t audit[CRYPTO_KEY_LEN];
	uint8_t session[CRYPTO_KEY_LEN];
};

/* The installation keys. The first is used for all that is written; what was
   written with any of them is read. Of keys that were retired only the chain of
   the audit trail is left: it proves old rows, and opens nothing. */
#define CRYPTO_KEYS_MAX 4
#define CRYPTO_RETIRED_MAX 32
struct crypto_keys {
	unsigned n;
	struct crypto_key key[CRYPTO_KEYS_MAX];
	unsigned nretired;
	uint8_t retired_audit[CRYPTO_RETIRED_MAX][CRYPTO_KEY_LEN];
};

/* installation: 32 bytes, or 1 to CRYPTO_KEYS_MAX lines of 64 hex digits, all
   different, and below them at most CRYPTO_RETIRED_MAX lines of "audit " and 64
   hex digits. -1: FAULT_CONFIG. */
int crypto_keys_derive(struct crypto_keys *keys_r,
    const struct secret *installation, struct fault *fault);

void crypto_random(void *out, size_t len);
void crypto_sha256(const void *data, size_t len, uint8_t out[CRYPTO_HASH_LEN]);
void crypto_hmac_sha256(const void *key, size_t key_len, const void *data,
    size_t len, uint8_t out[CRYPTO_HASH_LEN]);
/* The same with a key that is used again and again: half the work. A message
   comes in pieces; end begins the next. */
struct crypto_hmac;
struct crypto_hmac *crypto_hmac_new(const void *key, size_t key_len);
void crypto_hmac_free(struct crypto_hmac **hmacp);
void crypto_hmac_add(struct crypto_hmac *hmac, const void *data, size_t len);
void crypto_hmac_end(struct crypto_hmac *hmac, uint8_t out[CRYPTO_HASH_LEN]);
bool crypto_is_equal(const void *a, const void *b, size_t len); /* const time */
void crypto_wipe(void *data, size_t len);

/* AES-256-GCM. out holds len + CRYPTO_SEAL_OVERHEAD bytes. aad binds the
   ciphertext to its row (an id), so that rows cannot be swapped. Sealed with
   the first key, opened with any. */
void crypto_seal(const struct crypto_keys *keys, const void *aad,
    size_t aad_len, const void *plain, size_t len, uint8_t *out);
/* out holds sealed_len - CRYPTO_SEAL_OVERHEAD bytes. False: not ours, or
   changed. */
bool crypto_open(const struct crypto_keys *keys, const void *aad,
    size_t aad_len, const uint8_t *sealed, size_t sealed_len, void *out);
/* As crypto_open(), and with which of the keys. */
bool crypto_open_which(const struct crypto_keys *keys, const void *aad,
    size_t aad_len, const uint8_t *sealed, size_t sealed_len, void *out,
    unsigned *which_r);

/* Argon2id (RFC 9106) as a PHC string. Slow on purpose: memory_kib KiB,
   passes times, one lane. */
void crypto_password_hash(const char *password, unsigned memory_kib,
    unsigned passes, char out[CRYPTO_PASSWORD_HASH_MAX]);
bool crypto_password_verify(const char *password, const char *phc);
/* Is it what crypto_password_hash() makes with these parameters today? */
bool crypto_password_is_current(const char *phc, unsigned memory_kib,
    unsigned passes);

/* Text forms. hex: 2 * len characters and NUL. */
void crypto_hex(const void *data, size_t len, char *out);
bool crypto_unhex(const char *text, size_t len, void *out);
/* Appends standard base64 with padding. */
void crypto_base64(struct strbuf *out, const void *data, size_t len);
/* The same to CRYPTO_BASE64_LEN(len) characters and NUL. */
#define CRYPTO_BASE64_LEN(len) (((len) + 2) / 3 * 4)
void crypto_base64_text(const void *data, size_t len, char *out);
/* Strict standard base64; *out_len_r set. NULL: not base64. In arena. */
uint8_t *crypto_unbase64(struct arena *arena, const char *text, size_t len,
    size_t *out_len_r);

/* CRC-32C (Castagnoli), hardware where there is. Start with crc 0; feeding a
   buffer in pieces gives the same value. */
uint32_t crypto_crc32c(uint32_t crc, const void *data, size_t len);

#endif
