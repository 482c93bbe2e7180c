/* SPDX-License-Identifier: MIT */
/* Session tokens as text: three parts in base64url with dots between them,
   header and claims as the vendor's server writes them, and the signature over
   both. */
#include "config.h"

#include "session_private.h"

#include "wuts/arena.h"
#include "wuts/json.h"
#include "wuts/log.h"
#include "wuts/strbuf.h"

#include <jansson.h>
#include <string.h>

#define RANDOM_LEN 16
#define SIGNATURE_LEN 43	/* 32 bytes in base64url */

static void
add_base64url(struct strbuf *out, const void *data, size_t len)
{
	size_t start = out->len, i;

	crypto_base64(out, data, len);
	while (out->len > start && out->data[out->len - 1] == '=')
		out->data[--out->len] = '\0';
	for (i = start; i < out->len; i++) {
		if (out->data[i] == '+')
			out->data[i] = '-';
		else if (out->data[i] == '/')
			out->data[i] = '_';
	}
}

static void
add_signature(struct strbuf *out, const struct crypto_key *key,
    const char *text, size_t len)
{
	uint8_t signature[CRYPTO_HASH_LEN];

	crypto_hmac_sha256(key->session, sizeof(key->session), text, len,
	    signature);
	add_base64url(out, signature, sizeof(signature));
}

static void
write_claims(struct strbuf *out, const char *user, int64_t issued_s,
    int64_t expires_s)
{
	uint8_t random[RANDOM_LEN];
	char hex[2 * RANDOM_LEN + 1];
	struct json_writer w;

	crypto_random(random, sizeof(random));
	crypto_hex(random, sizeof(random), hex);
	json_writer_init(&w, out);
	json_write_object_begin(&w);
	json_member_text(&w, "user", user);
	json_member_int(&w, "iat", issued_s);
	json_member_int(&w, "exp", expires_s);
	json_member_text(&w, "wa:rand", hex);
	json_write_object_end(&w);
}

void
session_token_make(const struct crypto_keys *keys, const char *user,
    int64_t issued_s, int64_t expires_s, char token_r[SESSION_TOKEN_MAX + 1])
{
	static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
	struct strbuf claims = STRBUF_INIT, token = STRBUF_INIT;
	size_t len;

	write_claims(&claims, user, issued_s, expires_s);
	add_base64url(&token, header, sizeof(header) - 1);
	strbuf_append_char(&token, '.');
	add_base64url(&token, claims.data, claims.len);
	len = token.len;
	strbuf_append_char(&token, '.');
	add_signature(&token, &keys->key[0], token.data, len);
	wuts_assert(token.len <= SESSION_TOKEN_MAX);
	memcpy(token_r, token.data, token.len + 1);
	crypto_wipe(token.data, token.len);
	strbuf_deinit(&token);
	strbuf_deinit(&claims);
}

/* NULL: not one of the keys. */
static const struct crypto_key *
find_signer(const struct crypto_keys *keys, const char *token, size_t len)
{
	const struct crypto_key *signer = NULL;
	struct strbuf expected = STRBUF_INIT;
	size_t signed_len = len - SIGNATURE_LEN - 1;
	unsigned i;

	for (i = 0; i < keys->n && signer == NULL; i++) {
		strbuf_reset(&expected);
		add_signature(&expected, &keys->key[i], token, signed_len);
		if (crypto_is_equal(expected.data, token + signed_len + 1,
		    SIGNATURE_LEN))
			signer = &keys->key[i];
	}
	strbuf_deinit(&expected);
	return signer;
}

/* What we have signed is well formed; the claim is read, not believed. */
static bool
read_expiry(const char *claims, size_t len, int64_t *expires_s_r)
{
	struct strbuf text = STRBUF_INIT;
	struct arena *arena = arena_new();
	json_t *json = NULL;
	const json_t *value;
	uint8_t *plain;
	size_t plain_len;

	strbuf_append(&text, claims, len);
	while (text.len % 4 != 0)
		strbuf_append_char(&text, '=');
	for (size_t i = 0; i < len; i++) {
		if (text.data[i] == '-')
			text.data[i] = '+';
		else if (text.data[i] == '_')
			text.data[i] = '/';
	}
	plain = crypto_unbase64(arena, text.data, text.len, &plain_len);
	if (plain != NULL)
		json = json_loadb((char *)plain, plain_len, 0, NULL);
	value = json_object_get(json, "exp");
	*expires_s_r = json_integer_value(value);
	len = json_is_integer(value);
	json_decref(json);
	arena_free(&arena);
	strbuf_deinit(&text);
	return len != 0;
}

bool
session_token_check(const struct crypto_keys *keys, const char *token,
    size_t len, int64_t *expires_s_r, uint8_t hash_r[CRYPTO_HASH_LEN])
{
	const struct crypto_key *signer;
	const char *claims, *end;

	if (len <= SIGNATURE_LEN + 2 || len > SESSION_TOKEN_MAX ||
	    token[len - SIGNATURE_LEN - 1] != '.')
		return false;
	end = token + len - SIGNATURE_LEN - 1;
	claims = memchr(token, '.', (size_t)(end - token));
	if (claims == NULL)
		return false;
	claims++;
	signer = find_signer(keys, token, len);
	if (signer == NULL ||
	    !read_expiry(claims, (size_t)(end - claims), expires_s_r))
		return false;
	crypto_sha256(token, len, hash_r);
	memcpy(hash_r, signer->name, sizeof(signer->name));
	return true;
}
