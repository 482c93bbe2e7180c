/* SPDX-License-Identifier: MIT */
/* How a webhook's headers are kept: as one JSON object, sealed, because one of
   them may be the credential that a receiver asks for. */
#include "config.h"

#include "wuts/webhook.h"

#include "wuts/arena.h"
#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/strbuf.h"

#include <string.h>

#define AAD_TEXT "headers"
#define AAD_LEN (WEBHOOK_ID_LEN + sizeof(AAD_TEXT) - 1)

/* The id and more: what is sealed under the id alone is the secret. */
static void
make_aad(const struct webhook *webhook, uint8_t aad_r[AAD_LEN])
{
	memcpy(aad_r, webhook->id, WEBHOOK_ID_LEN);
	memcpy(aad_r + WEBHOOK_ID_LEN, AAD_TEXT, AAD_LEN - WEBHOOK_ID_LEN);
}

void
webhook_headers_format(const struct webhook *webhook, struct strbuf *out)
{
	struct json_writer writer;
	size_t i;

	json_writer_init(&writer, out);
	json_write_object_begin(&writer);
	for (i = 0; i < webhook->nheaders; i++) {
		json_write_key(&writer, webhook->headers[i].name);
		json_write_string(&writer, webhook->headers[i].value);
	}
	json_write_object_end(&writer);
}

int
webhook_headers_parse(struct webhook *webhook, struct arena *arena,
    const char *text, size_t len, struct fault *fault)
{
	struct webhook_header *headers;
	const char *name;
	json_t *root, *value;
	size_t n = 0;

	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(root)) {
		json_decref(root);
		return fault_set(fault, FAULT_INTERNAL,
		    "the headers of a webhook are no JSON object");
	}
	headers = arena_alloc(arena,
	    json_object_size(root) * sizeof(headers[0]));
	json_object_foreach(root, name, value) {
		if (!json_is_string(value))
			continue;
		headers[n].name = arena_strdup(arena, name);
		headers[n].value = arena_strdup(arena,
		    json_string_value(value));
		n++;
	}
	json_decref(root);
	webhook->headers = headers;
	webhook->nheaders = n;
	return 0;
}

void
webhook_headers_seal(struct webhook *webhook, struct arena *arena,
    const struct crypto_keys *keys)
{
	struct strbuf text = STRBUF_INIT;
	uint8_t aad[AAD_LEN], *sealed;

	make_aad(webhook, aad);
	webhook_headers_format(webhook, &text);
	sealed = arena_alloc(arena, text.len + CRYPTO_SEAL_OVERHEAD);
	crypto_seal(keys, aad, sizeof(aad), text.data, text.len, sealed);
	webhook->headers_sealed = sealed;
	webhook->headers_sealed_len = text.len + CRYPTO_SEAL_OVERHEAD;
	crypto_wipe(text.data, text.len);
	strbuf_deinit(&text);
}

/* With which of the keys; -1: with none. */
static int
open_with(struct webhook *webhook, struct arena *arena,
    const struct crypto_keys *keys, struct fault *fault)
{
	size_t len = webhook->headers_sealed_len;
	uint8_t aad[AAD_LEN];
	unsigned which;
	char *text;
	int ret;

	make_aad(webhook, aad);
	text = arena_alloc(arena, len + 1);
	if (len < CRYPTO_SEAL_OVERHEAD || !crypto_open_which(keys, aad,
	    sizeof(aad), webhook->headers_sealed, len, text, &which))
		return fault_set(fault, FAULT_INTERNAL, "the headers of a"
		    " webhook were sealed by another installation key");
	len -= CRYPTO_SEAL_OVERHEAD;
	ret = webhook_headers_parse(webhook, arena, text, len, fault);
	crypto_wipe(text, len);
	return ret < 0 ? -1 : (int)which;
}

int
webhook_headers_open(struct webhook *webhook, struct arena *arena,
    const struct crypto_keys *keys, struct fault *fault)
{
	if (webhook->headers_sealed == NULL)
		return 0;
	return open_with(webhook, arena, keys, fault) < 0 ? -1 : 0;
}

int
webhook_headers_reseal(struct webhook *webhook, struct arena *arena,
    const struct crypto_keys *keys)
{
	struct fault ignored = { .code = FAULT_NONE };
	int which = 1;

	if (webhook->headers_sealed != NULL)
		which = open_with(webhook, arena, keys, &ignored);
	if (which <= 0)
		return which;
	webhook_headers_seal(webhook, arena, keys);
	return 1;
}
