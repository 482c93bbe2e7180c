/* SPDX-License-Identifier: MIT */
/* HMAC-SHA-256 (RFC 2104) with a key that is used again and again. OpenSSL
   takes the key anew, and a dozen allocations, for every message; here
   the two hashes stand ready with the key in them, and a message begins with a
   copy of one. */
#include "config.h"

#include "wuts/crypto.h"

#include "wuts/log.h"
#include "wuts/mem.h"

#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

#define BLOCK_LEN 64

struct crypto_hmac {
	EVP_MD_CTX *inner, *outer;	/* with the key in */
	EVP_MD_CTX *work;
	bool begun;
};

static void
check(int ok)
{
	if (ok != 1)
		log_fatal("HMAC-SHA-256 failed: the OpenSSL library is "
		    "broken");
}

static EVP_MD_CTX *
keyed(const EVP_MD *sha256, const uint8_t key[BLOCK_LEN], uint8_t pad)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t block[BLOCK_LEN];

	for (size_t i = 0; i < BLOCK_LEN; i++)
		block[i] = key[i] ^ pad;
	check(ctx != NULL && EVP_DigestInit_ex(ctx, sha256, NULL) == 1);
	check(EVP_DigestUpdate(ctx, block, sizeof(block)));
	crypto_wipe(block, sizeof(block));
	return ctx;
}

struct crypto_hmac *
crypto_hmac_new(const void *key, size_t key_len)
{
	struct crypto_hmac *hmac = mem_calloc(1, sizeof(*hmac));
	EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	uint8_t block[BLOCK_LEN] = { 0 };

	check(sha256 != NULL);
	if (key_len > BLOCK_LEN)
		crypto_sha256(key, key_len, block);
	else if (key_len > 0)
		memcpy(block, key, key_len);
	hmac->inner = keyed(sha256, block, 0x36);
	hmac->outer = keyed(sha256, block, 0x5c);
	hmac->work = EVP_MD_CTX_new();
	check(hmac->work != NULL);
	crypto_wipe(block, sizeof(block));
	/* The contexts hold it. */
	EVP_MD_free(sha256);
	return hmac;
}

void
crypto_hmac_free(struct crypto_hmac **hmacp)
{
	struct crypto_hmac *hmac = *hmacp;

	*hmacp = NULL;
	if (hmac == NULL)
		return;
	EVP_MD_CTX_free(hmac->inner);
	EVP_MD_CTX_free(hmac->outer);
	EVP_MD_CTX_free(hmac->work);
	free(hmac);
}

static void
begin(struct crypto_hmac *hmac)
{
	if (!hmac->begun)
		check(EVP_MD_CTX_copy_ex(hmac->work, hmac->inner));
	hmac->begun = true;
}

void
crypto_hmac_add(struct crypto_hmac *hmac, const void *data, size_t len)
{
	begin(hmac);
	check(EVP_DigestUpdate(hmac->work, data, len));
}

void
crypto_hmac_end(struct crypto_hmac *hmac, uint8_t out[CRYPTO_HASH_LEN])
{
	uint8_t hash[CRYPTO_HASH_LEN];

	begin(hmac);
	check(EVP_DigestFinal_ex(hmac->work, hash, NULL));
	check(EVP_MD_CTX_copy_ex(hmac->work, hmac->outer));
	check(EVP_DigestUpdate(hmac->work, hash, sizeof(hash)));
	check(EVP_DigestFinal_ex(hmac->work, out, NULL));
	hmac->begun = false;
}
