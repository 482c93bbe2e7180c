/* SPDX-License-Identifier: MIT */
/* One version of a webhook's settings, or of an On-Premises webhook's, copied,
   unsealed and made ready: never changed afterwards (what signs is made when it
   is first needed), shared by reference with the attempts that use it, so a
   change of settings never pulls them from under an attempt in flight. */
#include "config.h"

#include "target.h"

#include "signature.h"
#include "trust.h"

#include "wuts/crypto.h"
#include "wuts/event.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/secret.h"
#include "wuts/strbuf.h"
#include "wuts/webhook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct uuid TARGET_CALLBACK_ID = { {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
} };

static uint8_t *
copy_bytes(const void *data, size_t len)
{
	uint8_t *copy = mem_calloc(1, len + 1);

	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

static struct webhook_header *
copy_headers(const struct webhook *from)
{
	struct webhook_header *headers;

	headers = mem_calloc(from->nheaders + 1, sizeof(*headers));
	for (size_t i = 0; i < from->nheaders; i++) {
		headers[i].name = mem_strdup(from->headers[i].name);
		headers[i].value = mem_strdup(from->headers[i].value);
	}
	return headers;
}

static void
copy_webhook(struct webhook *to, const struct webhook *from)
{
	*to = *from;
	to->url = mem_strdup(from->url);
	to->enabled_events = mem_strdup(from->enabled_events);
	to->secret_sealed = copy_bytes(from->secret_sealed,
	    from->secret_sealed_len);
	to->old_secret_sealed = from->old_secret_sealed == NULL ? NULL :
	    copy_bytes(from->old_secret_sealed, from->old_secret_sealed_len);
	to->headers = copy_headers(from);
	/* What was opened already is sealed with the rest of a snapshot. */
	to->headers_sealed = NULL;
	to->headers_sealed_len = 0;
}

static void
free_webhook(struct webhook *webhook)
{
	for (size_t i = 0; i < webhook->nheaders; i++) {
		free((char *)(uintptr_t)webhook->headers[i].name);
		free((char *)(uintptr_t)webhook->headers[i].value);
	}
	free((void *)(uintptr_t)webhook->headers);
	free((void *)(uintptr_t)webhook->secret_sealed);
	free((void *)(uintptr_t)webhook->old_secret_sealed);
	free((char *)(uintptr_t)webhook->enabled_events);
	free((char *)(uintptr_t)webhook->url);
}

/* One sealed secret of the webhook as the key that it stands for. */
static int
unseal(const struct webhook *webhook, const uint8_t *sealed, size_t len,
    const struct crypto_keys *keys, struct secret *key, struct fault *fault)
{
	char plain[WEBHOOK_SECRET_MAX];

	if (len <= CRYPTO_SEAL_OVERHEAD ||
	    len - CRYPTO_SEAL_OVERHEAD > sizeof(plain))
		return fault_set(fault, FAULT_INTERNAL,
		    "the secret has an impossible length");
	if (!crypto_open(keys, webhook->id, sizeof(webhook->id), sealed, len,
	    plain))
		return fault_set(fault, FAULT_INTERNAL,
		    "the secret was sealed by another installation key");
	signature_key(key, plain, len - CRYPTO_SEAL_OVERHEAD);
	crypto_wipe(plain, sizeof(plain));
	return 0;
}

static int
unseal_all(struct target *target, const struct crypto_keys *keys,
    struct fault *fault)
{
	const struct webhook *webhook = &target->webhook;
	struct fault ignored = { .code = FAULT_NONE };

	/* An old secret that cannot be opened is one that signs no more. */
	if (webhook->old_secret_sealed != NULL)
		(void)unseal(webhook, webhook->old_secret_sealed,
		    webhook->old_secret_sealed_len, keys, &target->old_key,
		    &ignored);
	return unseal(webhook, webhook->secret_sealed,
	    webhook->secret_sealed_len, keys, &target->key, fault);
}

static void
reseal(const struct webhook *webhook, const uint8_t **sealedp, size_t len,
    const struct crypto_keys *keys)
{
	char plain[WEBHOOK_SECRET_MAX];
	unsigned which;
	uint8_t *sealed;

	if (*sealedp == NULL || len > sizeof(plain) + CRYPTO_SEAL_OVERHEAD ||
	    !crypto_open_which(keys, webhook->id, sizeof(webhook->id),
	    *sealedp, len, plain, &which))
		return;
	if (which != 0) {
		sealed = mem_calloc(1, len);
		crypto_seal(keys, webhook->id, sizeof(webhook->id), plain,
		    len - CRYPTO_SEAL_OVERHEAD, sealed);
		free((void *)(uintptr_t)*sealedp);
		*sealedp = sealed;
	}
	crypto_wipe(plain, sizeof(plain));
}

void
target_reseal(struct target *target, const struct crypto_keys *keys)
{
	struct webhook *webhook = &target->webhook;

	if (target->kind != TARGET_WEBHOOK)
		return;
	reseal(webhook, &webhook->secret_sealed, webhook->secret_sealed_len,
	    keys);
	reseal(webhook, &webhook->old_secret_sealed,
	    webhook->old_secret_sealed_len, keys);
}

int
target_parse_events(const char *text, struct event_set *events_r,
    struct fault *fault)
{
	json_t *names = json_text_parse(text, strlen(text), fault);

	if (!json_is_array(names)) {
		json_decref(names);
		return fault_set(fault, FAULT_INTERNAL,
		    "enabled_events is no JSON array");
	}
	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));

		if (name != NULL)
			(void)event_set_add(events_r, name);
	}
	json_decref(names);
	return 0;
}

bool
target_events_have(const struct event_set *events, const char *event)
{
	int index;

	if (events->all)
		return true;
	index = event_find(event);
	return index >= 0 && event_set_has(events, (size_t)index);
}

static void
add_header(struct target *target, const char *line)
{
	struct curl_slist *list = curl_slist_append(target->headers, line);

	if (list == NULL)
		log_fatal("out of memory");
	target->headers = list;
}

static void
make_headers(struct target *target)
{
	struct strbuf line = STRBUF_INIT;

	add_header(target, "Content-Type: application/json");
	/* Do not wait for a 100 before a large body. */
	add_header(target, "Expect:");
	for (size_t i = 0; i < target->webhook.nheaders; i++) {
		const struct webhook_header *h = &target->webhook.headers[i];

		strbuf_reset(&line);
		/* libcurl takes "Name:" for "do not send", "Name;" for an
		   empty value. */
		if (h->value[0] == '\0')
			strbuf_printf(&line, "%s;", h->name);
		else
			strbuf_printf(&line, "%s: %s", h->name, h->value);
		add_header(target, line.data);
	}
	strbuf_deinit(&line);
}

struct target *
target_new(const struct webhook *webhook, const struct crypto_keys *keys,
    struct fault *fault)
{
	struct target *target = mem_calloc(1, sizeof(*target));
	char id[2 * WEBHOOK_ID_LEN + 1];

	target->refs = 1;
	copy_webhook(&target->webhook, webhook);
	if (unseal_all(target, keys, fault) < 0 ||
	    target_parse_events(target->webhook.enabled_events,
	    &target->events, fault) < 0) {
		crypto_hex(webhook->id, sizeof(webhook->id), id);
		fault_prefix(fault, "webhook wh_%s", id);
		target_unref(&target);
		return NULL;
	}
	target_reseal(target, keys);
	make_headers(target);
	return target;
}

/* Without a URL its events wait, or are taken one by one and dropped. */
struct target *
target_new_callback(const struct onprem *onprem)
{
	const struct onprem_settings *settings = &onprem->settings;
	struct target *target = mem_calloc(1, sizeof(*target));
	const struct webhook webhook = {
		.tenant_id = onprem->tenant_id,
		.device_id = TARGET_CALLBACK_ID,
		.url = settings->webhook_url,
		.enabled_events = "[]",
		.enabled = settings->webhook_url[0] != '\0' ||
		    !settings->callback_persist,
		.max_concurrency = settings->webhook_max_concurrent,
		.updated_us = onprem->updated_us,
	};

	target->refs = 1;
	target->kind = TARGET_CALLBACK;
	target->delay_ms = settings->callback_backoff_delay_ms;
	target->delay_max_ms = settings->max_callback_backoff_delay_ms;
	target->is_kept = settings->callback_persist;
	memcpy(target->wa_id, onprem->wa_id, sizeof(target->wa_id));
	copy_webhook(&target->webhook, &webhook);
	make_headers(target);
	return target;
}

struct target *
target_ref(struct target *target)
{
	if (target != NULL)
		target->refs++;
	return target;
}

void
target_unref(struct target **targetp)
{
	struct target *target = *targetp;

	*targetp = NULL;
	if (target == NULL || --target->refs > 0)
		return;
	curl_slist_free_all(target->headers);
	crypto_hmac_free(&target->hmac);
	crypto_hmac_free(&target->old_hmac);
	secret_deinit(&target->key);
	secret_deinit(&target->old_key);
	free_webhook(&target->webhook);
	free(target);
}

bool
target_is_same(const struct target *a, const struct target *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->kind == b->kind && trust_is_same(&a->trust, &b->trust) &&
	    memcmp(a->webhook.id, b->webhook.id, WEBHOOK_ID_LEN) == 0 &&
	    a->webhook.created_us == b->webhook.created_us &&
	    a->webhook.updated_us == b->webhook.updated_us &&
	    strcmp(a->wa_id, b->wa_id) == 0;
}

bool
target_wants(const struct target *target, const char *event)
{
	return target_events_have(&target->events, event);
}

const struct secret *
target_old_key(const struct target *target, int64_t wall_us)
{
	return target->old_key.len > 0 &&
	    wall_us < target->webhook.old_secret_until_us ?
	    &target->old_key : NULL;
}

struct crypto_hmac *
target_hmac(struct target *target)
{
	if (target->hmac == NULL)
		target->hmac = crypto_hmac_new(target->key.data,
		    target->key.len);
	return target->hmac;
}

struct crypto_hmac *
target_old_hmac(struct target *target, int64_t wall_us)
{
	const struct secret *key = target_old_key(target, wall_us);

	if (key == NULL)
		return NULL;
	if (target->old_hmac == NULL)
		target->old_hmac = crypto_hmac_new(key->data, key->len);
	return target->old_hmac;
}
