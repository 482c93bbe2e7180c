/* SPDX-License-Identifier: MIT */
/* Hashes, keyed hashes, encryption at rest, passwords, random bytes. The
   algorithms are OpenSSL's and libargon2's; a call of theirs that fails on
   bounded input is a broken installation and ends the process. */
#include "config.h"

#include "wuts/crypto.h"

#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/secret.h"

#include <argon2.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define SEAL_VERSION 1
#define SEAL_NONCE_LEN 12
#define SEAL_TAG_LEN 16
#define SALT_LEN 16

/* Looked up once: OpenSSL 3 pays for a search on every implicit use. */
static struct {
	EVP_MD *sha256;
	EVP_MAC *hmac;
	EVP_CIPHER *aes_256_gcm;
} algorithms;
static pthread_once_t algorithms_once = PTHREAD_ONCE_INIT;

static void
library_failed(const char *what)
{
	log_fatal("%s failed: the OpenSSL or argon2 library is broken", what);
}

static void
free_algorithms(void)
{
	EVP_MD_free(algorithms.sha256);
	EVP_MAC_free(algorithms.hmac);
	EVP_CIPHER_free(algorithms.aes_256_gcm);
}

static void
fetch_algorithms(void)
{
	algorithms.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	algorithms.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	algorithms.aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	if (algorithms.sha256 == NULL || algorithms.hmac == NULL ||
	    algorithms.aes_256_gcm == NULL)
		library_failed("fetching SHA-256, HMAC and AES-256-GCM");
	OPENSSL_atexit(free_algorithms);
}

static void
need_algorithms(void)
{
	pthread_once(&algorithms_once, fetch_algorithms);
}

static void
derive(const uint8_t key[CRYPTO_KEY_LEN], const char *label,
    uint8_t out[CRYPTO_KEY_LEN])
{
	char digest[] = "SHA256";
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
		    digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
		    (void *)(uintptr_t)key, CRYPTO_KEY_LEN),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
		    (void *)(uintptr_t)label, strlen(label)),
		OSSL_PARAM_construct_end()
	};

	if (ctx == NULL ||
	    EVP_KDF_derive(ctx, out, CRYPTO_KEY_LEN, params) != 1)
		library_failed("HKDF");
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
}

static void
derive_all(struct crypto_key *key_r, const uint8_t key[CRYPTO_KEY_LEN])
{
	uint8_t name[CRYPTO_KEY_LEN];

	derive(key, "wuts name", name);
	memcpy(key_r->name, name, sizeof(key_r->name));
	derive(key, "wuts token look-up", key_r->lookup);
	derive(key, "wuts encryption at rest", key_r->seal);
	derive(key, "wuts audit chain", key_r->audit);
	derive(key, "wuts session token", key_r->session);
}

/* One line: a key, or what is left of a retired one. */
static bool
derive_line(struct crypto_keys *keys, const char *line, size_t len)
{
	static const char audit[] = "audit ";
	size_t start = sizeof(audit) - 1;
	uint8_t key[CRYPTO_KEY_LEN];

	if (len == 2 * sizeof(key) && keys->nretired == 0 &&
	    keys->n < CRYPTO_KEYS_MAX && crypto_unhex(line, len, key)) {
		derive_all(&keys->key[keys->n++], key);
		crypto_wipe(key, sizeof(key));
		return true;
	}
	if (len != start + 2 * sizeof(key) || keys->n == 0 ||
	    keys->nretired == CRYPTO_RETIRED_MAX ||
	    strncmp(line, audit, start) != 0 ||
	    !crypto_unhex(line + start, len - start,
	    keys->retired_audit[keys->nretired]))
		return false;
	keys->nretired++;
	return true;
}

/* The last line is without its newline. */
static bool
derive_lines(struct crypto_keys *keys, const char *text, size_t len)
{
	const char *end;

	while ((end = memchr(text, '\n', len)) != NULL) {
		if (!derive_line(keys, text, (size_t)(end - text)))
			return false;
		len -= (size_t)(end - text) + 1;
		text = end + 1;
	}
	return derive_line(keys, text, len);
}

static bool
is_repeated(const struct crypto_keys *keys)
{
	unsigned i, j;

	for (i = 1; i < keys->n; i++)
		for (j = 0; j < i; j++)
			if (crypto_is_equal(&keys->key[i], &keys->key[j],
			    sizeof(keys->key[i])))
				return true;
	return false;
}

int
crypto_keys_derive(struct crypto_keys *keys_r,
    const struct secret *installation, struct fault *fault)
{
	memset(keys_r, 0, sizeof(*keys_r));
	if (installation->len == CRYPTO_KEY_LEN)
		derive_all(&keys_r->key[keys_r->n++], installation->data);
	else if (!derive_lines(keys_r, (const char *)installation->data,
	    installation->len))
		return fault_set(fault, FAULT_CONFIG,
		    "the installation key must be 32 bytes, or 1 to %d lines "
		    "of 64 hex digits and then those of `wutsctl key rotate`: "
		    "make one with `openssl rand -hex 32`",
		    CRYPTO_KEYS_MAX);
	if (is_repeated(keys_r))
		return fault_set(fault, FAULT_CONFIG,
		    "the same installation key stands there twice: "
		    "remove one line");
	return 0;
}

void
crypto_random(void *out, size_t len)
{
	unsigned char *p = out;
	ssize_t n;

	while (len > 0) {
		n = getrandom(p, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			log_fatal("getrandom: %s", strerror(errno));
		p += n;
		len -= (size_t)n;
	}
}

void
crypto_sha256(const void *data, size_t len, uint8_t out[CRYPTO_HASH_LEN])
{
	need_algorithms();
	if (EVP_Digest(data, len, out, NULL, algorithms.sha256, NULL) != 1)
		library_failed("SHA-256");
}

void
crypto_hmac_sha256(const void *key, size_t key_len, const void *data,
    size_t len, uint8_t out[CRYPTO_HASH_LEN])
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
		    digest, 0),
		OSSL_PARAM_construct_end()
	};
	/* A NULL key means "the same as before" to OpenSSL. */
	const void *some_key = key_len == 0 ? "" : key;
	EVP_MAC_CTX *ctx;
	size_t out_len;

	need_algorithms();
	ctx = EVP_MAC_CTX_new(algorithms.hmac);
	if (ctx == NULL || EVP_MAC_init(ctx, some_key, key_len, params) != 1 ||
	    EVP_MAC_update(ctx, data, len) != 1 ||
	    EVP_MAC_final(ctx, out, &out_len, CRYPTO_HASH_LEN) != 1)
		library_failed("HMAC-SHA-256");
	EVP_MAC_CTX_free(ctx);
}

bool
crypto_is_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void
crypto_wipe(void *data, size_t len)
{
	OPENSSL_cleanse(data, len);
}

/* A sealed text is: version, nonce, ciphertext, tag. */
void
crypto_seal(const struct crypto_keys *keys, const void *aad, size_t aad_len,
    const void *plain, size_t len, uint8_t *out)
{
	uint8_t *nonce = out + 1, *text = nonce + SEAL_NONCE_LEN;
	uint8_t *tag = text + len;
	EVP_CIPHER_CTX *ctx;
	int n;

	need_algorithms();
	wuts_assert(len < INT32_MAX && aad_len < INT32_MAX && keys->n > 0);
	out[0] = SEAL_VERSION;
	crypto_random(nonce, SEAL_NONCE_LEN);
	ctx = EVP_CIPHER_CTX_new();
	if (ctx == NULL || EVP_EncryptInit_ex2(ctx, algorithms.aes_256_gcm,
	    keys->key[0].seal, nonce, NULL) != 1 ||
	    EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)aad_len) != 1 ||
	    EVP_EncryptUpdate(ctx, text, &n, plain, (int)len) != 1 ||
	    EVP_EncryptFinal_ex(ctx, tag, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_LEN,
	    tag) != 1)
		library_failed("AES-256-GCM");
	EVP_CIPHER_CTX_free(ctx);
}

static bool
open_with(const uint8_t key[CRYPTO_KEY_LEN], const void *aad, size_t aad_len,
    const uint8_t *sealed, size_t sealed_len, void *out)
{
	uint8_t tag[SEAL_TAG_LEN], end[16];
	const uint8_t *nonce = sealed + 1;
	size_t len = sealed_len - CRYPTO_SEAL_OVERHEAD;
	EVP_CIPHER_CTX *ctx;
	bool genuine;
	int n;

	memcpy(tag, sealed + sealed_len - SEAL_TAG_LEN, SEAL_TAG_LEN);
	ctx = EVP_CIPHER_CTX_new();
	if (ctx == NULL)
		library_failed("AES-256-GCM");
	genuine = EVP_DecryptInit_ex2(ctx, algorithms.aes_256_gcm, key,
	    nonce, NULL) == 1 &&
	    EVP_DecryptUpdate(ctx, NULL, &n, aad, (int)aad_len) == 1 &&
	    EVP_DecryptUpdate(ctx, out, &n, nonce + SEAL_NONCE_LEN,
	    (int)len) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_LEN,
	    tag) == 1 && EVP_DecryptFinal_ex(ctx, end, &n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (!genuine)
		crypto_wipe(out, len);
	return genuine;
}

bool
crypto_open_which(const struct crypto_keys *keys, const void *aad,
    size_t aad_len, const uint8_t *sealed, size_t sealed_len, void *out,
    unsigned *which_r)
{
	unsigned i;

	need_algorithms();
	if (sealed_len < CRYPTO_SEAL_OVERHEAD || sealed_len > INT32_MAX ||
	    aad_len > INT32_MAX || sealed[0] != SEAL_VERSION)
		return false;
	for (i = 0; i < keys->n; i++) {
		if (open_with(keys->key[i].seal, aad, aad_len, sealed,
		    sealed_len, out)) {
			*which_r = i;
			return true;
		}
	}
	return false;
}

bool
crypto_open(const struct crypto_keys *keys, const void *aad, size_t aad_len,
    const uint8_t *sealed, size_t sealed_len, void *out)
{
	unsigned which;

	return crypto_open_which(keys, aad, aad_len, sealed, sealed_len, out,
	    &which);
}

void
crypto_password_hash(const char *password, unsigned memory_kib,
    unsigned passes, char out[CRYPTO_PASSWORD_HASH_MAX])
{
	uint8_t salt[SALT_LEN];

	crypto_random(salt, sizeof(salt));
	if (argon2id_hash_encoded(passes, memory_kib, 1, password,
	    strlen(password), salt, sizeof(salt), CRYPTO_HASH_LEN, out,
	    CRYPTO_PASSWORD_HASH_MAX) != ARGON2_OK)
		library_failed("Argon2id");
}

bool
crypto_password_verify(const char *password, const char *phc)
{
	return argon2id_verify(phc, password, strlen(password)) == ARGON2_OK;
}

/* The parameters stand in front, always in the same spelling. */
bool
crypto_password_is_current(const char *phc, unsigned memory_kib,
    unsigned passes)
{
	char start[80];
	int len;

	len = snprintf(start, sizeof(start), "$argon2id$v=%d$m=%u,t=%u,p=1$",
	    ARGON2_VERSION_NUMBER, memory_kib, passes);
	return strncmp(phc, start, (size_t)len) == 0;
}
