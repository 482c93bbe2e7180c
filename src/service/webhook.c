/* SPDX-License-Identifier: MIT */
/* Use cases on webhooks: at most one a device and one a tenant. Owns how a
   signing secret comes to be and how it is kept: sealed, bound to the
   webhook's id, never in an audit row. So are the headers. */
#include "config.h"

#include "webhook_private.h"

#include "wuts/arena.h"
#include "wuts/clock.h"
#include "wuts/device.h"
#include "wuts/fault.h"
#include "wuts/settings.h"
#include "wuts/webhook_store.h"

#include <string.h>

#define SECRET_RANDOM_LEN 24

static int
refuse_not_found(struct fault *fault)
{
	return fault_say(fault, REFUSAL_WEBHOOK_NOT_FOUND,
	    "webhook not found");
}

/* --- secrets --- */

static const char *
generate_secret(struct arena *arena)
{
	uint8_t random[SECRET_RANDOM_LEN];
	struct strbuf text = STRBUF_INIT;
	const char *secret;

	crypto_random(random, sizeof(random));
	strbuf_append_str(&text, "whsec_");
	crypto_base64(&text, random, sizeof(random));
	secret = arena_strdup(arena, text.data);
	crypto_wipe(random, sizeof(random));
	crypto_wipe(text.data, text.len);
	strbuf_deinit(&text);
	return secret;
}

static void
seal_secret(const struct crypto_keys *keys, struct arena *arena,
    struct webhook *webhook, const char *secret)
{
	size_t len = strlen(secret);
	uint8_t *sealed = arena_alloc(arena, len + CRYPTO_SEAL_OVERHEAD);

	crypto_seal(keys, webhook->id, sizeof(webhook->id), secret, len,
	    sealed);
	webhook->secret_sealed = sealed;
	webhook->secret_sealed_len = len + CRYPTO_SEAL_OVERHEAD;
}

static void
forget_old_secret(struct webhook *webhook)
{
	webhook->old_secret_sealed = NULL;
	webhook->old_secret_sealed_len = 0;
	webhook->old_secret_until_us = 0;
}

/* --- configure --- */

struct configuring {
	const struct webhook_scope *scope;
	const struct webhook_input *input;
	const char *if_match;
	struct arena *arena;
	struct webhook *webhook_r;
	const char **secret_r;		/* the one generated, or NULL */
	bool created;
};

static const struct webhook_header *
copy_headers(struct arena *arena, const struct webhook_input *input)
{
	struct webhook_header *headers;
	size_t i;

	headers = arena_alloc(arena, input->nheaders * sizeof(*headers));
	for (i = 0; i < input->nheaders; i++) {
		headers[i].name = arena_strdup(arena, input->headers[i].name);
		headers[i].value = arena_strdup(arena,
		    input->headers[i].value);
	}
	return headers;
}

static void
take_input(const struct crypto_keys *keys, struct arena *arena,
    const struct webhook_input *input, struct webhook *webhook)
{
	struct strbuf events = STRBUF_INIT;

	webhook_write_events(&events, input->events, input->nevents);
	webhook->url = arena_strdup(arena, input->url);
	webhook->enabled_events = arena_strdup(arena, events.data);
	strbuf_deinit(&events);
	webhook->enabled = input->enabled;
	webhook->retry_attempts = (unsigned)input->retry_attempts;
	webhook->timeout_s = (unsigned)input->timeout_s;
	webhook->ordered = input->ordered;
	webhook->max_concurrency = (unsigned)input->max_concurrency;
	webhook->rate_limit = (unsigned)input->rate_limit;
	webhook->nheaders = input->nheaders;
	webhook->headers = copy_headers(arena, input);
	webhook_headers_seal(webhook, arena, keys);
}

static int
insert_new(struct change *change, struct configuring *configuring,
    struct fault *fault)
{
	const struct webhook_input *input = configuring->input;
	const struct crypto_keys *keys = &change->service->settings->keys;
	struct webhook *webhook = configuring->webhook_r;
	const char *secret = input->secret;

	memset(webhook, 0, sizeof(*webhook));
	crypto_random(webhook->id, sizeof(webhook->id));
	webhook->tenant_id = configuring->scope->tenant_id;
	webhook->device_id = configuring->scope->device_id;
	webhook->created_us = change->now_us;
	webhook->updated_us = change->now_us;
	take_input(keys, configuring->arena, input, webhook);
	if (secret == NULL) {
		secret = generate_secret(configuring->arena);
		*configuring->secret_r = secret;
	}
	seal_secret(keys, configuring->arena, webhook, secret);
	configuring->created = true;
	if (webhook_store_insert(change->db, webhook, fault) < 0)
		return fault_prefix(fault, "insert webhook");
	return webhook_audit(change, "webhook.configured", NULL, webhook,
	    fault);
}

static int
replace(struct change *change, struct configuring *configuring,
    const struct webhook *before, struct fault *fault)
{
	const struct webhook_input *input = configuring->input;
	const struct crypto_keys *keys = &change->service->settings->keys;
	struct webhook *webhook = configuring->webhook_r;

	*webhook = *before;	/* id, time of creation and secrets stay */
	webhook->updated_us = change_time_after(change, before->updated_us);
	take_input(keys, configuring->arena, input, webhook);
	if (input->secret != NULL) {
		/* Whoever gives one may do so because the last was betrayed. */
		seal_secret(keys, configuring->arena, webhook, input->secret);
		forget_old_secret(webhook);
	}
	if (webhook_store_update(change->db, webhook, fault) < 0)
		return fault_prefix(fault, "update webhook");
	return webhook_audit(change, "webhook.configured", before, webhook,
	    fault);
}

static int
configure_body(struct change *change, void *ctx, struct fault *fault)
{
	struct configuring *configuring = ctx;
	const struct webhook_scope *scope = configuring->scope;
	char etag[ETAG_SIZE];
	struct webhook before;
	int found;

	configuring->created = false;
	*configuring->secret_r = NULL;
	if (webhook_scope_enter(change, scope, fault) < 0)
		return -1;
	found = webhook_store_lock(change->db, configuring->arena,
	    &scope->tenant_id, &scope->device_id, &before, fault);
	if (found < 0)
		return fault_prefix(fault, "lock webhook");
	if (etag_check(configuring->if_match, found == 1 ?
	    etag_format(before.updated_us, etag) : NULL, fault) < 0)
		return -1;
	return found == 1 ? replace(change, configuring, &before, fault) :
	    insert_new(change, configuring, fault);
}

int
webhook_service_configure(struct service *service, struct arena *arena,
    const struct caller *caller, const struct webhook_scope *scope,
    const struct webhook_input *input, const char *if_match,
    struct webhook *webhook_r, const char **secret_r, struct fault *fault)
{
	struct configuring configuring = {
		.scope = scope,
		.input = input,
		.if_match = if_match,
		.arena = arena,
		.webhook_r = webhook_r,
		.secret_r = secret_r
	};

	*secret_r = NULL;
	if (webhook_scope_check(&caller->identity, scope, fault) < 0 ||
	    webhook_input_check(service, input, fault) < 0)
		return -1;
	if (change_run(service, caller, &scope->tenant_id, configure_body,
	    &configuring, fault) < 0)
		return fault_prefix(fault, "configure webhook");
	return configuring.created ? 1 : 0;
}

int
webhook_apply_pending(struct change *change, struct arena *arena,
    const struct device *device, int64_t created_us, struct fault *fault)
{
	static const char *const all[] = { "*" };
	struct webhook_input input = {
		.nevents = 1,
		.events = all,
		.enabled = true,
		.retry_attempts = WEBHOOK_RETRY_DEFAULT,
		.timeout_s = WEBHOOK_TIMEOUT_DEFAULT_S,
		.max_concurrency = WEBHOOK_CONCURRENCY_DEFAULT
	};
	struct webhook_scope scope = {
		.tenant_id = device->tenant_id,
		.device_id = device->id
	};
	struct webhook webhook;
	const char *secret;	/* nobody is there to be shown it */
	struct configuring configuring = {
		.scope = &scope,
		.input = &input,
		.arena = arena,
		.webhook_r = &webhook,
		.secret_r = &secret
	};
	int found;

	found = user_store_pending_webhook(change->db, &device->tenant_id,
	    &device->user_id, arena, &input.url, fault);
	if (found <= 0)
		return found;
	found = webhook_store_lock(change->db, arena, &device->tenant_id,
	    &device->id, &webhook, fault);
	if (found != 0)	/* configured by hand */
		return found < 0 ? -1 : 0;
	change->now_us = created_us;
	return insert_new(change, &configuring, fault);
}

/* --- rotation --- */

static int
rotate_body(struct change *change, void *ctx, struct fault *fault)
{
	struct configuring *rotating = ctx;
	const struct webhook_scope *scope = rotating->scope;
	const struct crypto_keys *keys = &change->service->settings->keys;
	struct webhook *webhook = rotating->webhook_r;
	char etag[ETAG_SIZE];
	struct webhook before;
	int found;

	if (webhook_scope_enter(change, scope, fault) < 0)
		return -1;
	found = webhook_store_lock(change->db, rotating->arena,
	    &scope->tenant_id, &scope->device_id, &before, fault);
	if (found < 0)
		return fault_prefix(fault, "lock webhook");
	if (found == 0)
		return refuse_not_found(fault);
	if (etag_check(rotating->if_match,
	    etag_format(before.updated_us, etag), fault) < 0)
		return -1;
	*webhook = before;
	webhook->updated_us = change_time_after(change, before.updated_us);
	webhook->old_secret_sealed = before.secret_sealed;
	webhook->old_secret_sealed_len = before.secret_sealed_len;
	webhook->old_secret_until_us = webhook->updated_us +
	    (int64_t)WEBHOOK_SECRET_OVERLAP_S * CLOCK_SECOND_US;
	*rotating->secret_r = generate_secret(rotating->arena);
	seal_secret(keys, rotating->arena, webhook, *rotating->secret_r);
	if (webhook_headers_open(webhook, rotating->arena, keys, fault) < 0)
		return -1;
	webhook_headers_seal(webhook, rotating->arena, keys);
	if (webhook_store_update(change->db, webhook, fault) < 0)
		return fault_prefix(fault, "update webhook");
	return webhook_audit(change, "webhook.secret_rotated", NULL, webhook,
	    fault);
}

int
webhook_service_rotate_secret(struct service *service, struct arena *arena,
    const struct caller *caller, const struct webhook_scope *scope,
    const char *if_match, struct webhook *webhook_r, const char **secret_r,
    struct fault *fault)
{
	struct configuring rotating = {
		.scope = scope,
		.if_match = if_match,
		.arena = arena,
		.webhook_r = webhook_r,
		.secret_r = secret_r
	};

	*secret_r = NULL;
	if (webhook_scope_check(&caller->identity, scope, fault) < 0)
		return -1;
	if (change_run(service, caller, &scope->tenant_id, rotate_body,
	    &rotating, fault) < 0)
		return fault_prefix(fault, "rotate secret");
	return 0;
}

/* --- get, delete --- */

int
webhook_service_get(struct service *service, struct arena *arena,
    const struct webhook_scope *scope, struct webhook *webhook_r,
    struct fault *fault)
{
	int found;

	found = webhook_store_find(service->db, arena, &scope->tenant_id,
	    &scope->device_id, webhook_r, fault);
	if (found < 0)
		return fault_prefix(fault, "find webhook");
	if (found == 0)
		return refuse_not_found(fault);
	return webhook_headers_open(webhook_r, arena,
	    &service->settings->keys, fault);
}

struct deleting {
	const struct webhook_scope *scope;
	const char *if_match;
	struct arena *arena;
};

static int
delete_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct deleting *deleting = ctx;
	const struct webhook_scope *scope = deleting->scope;
	char etag[ETAG_SIZE];
	struct webhook before;
	int found;

	if (webhook_scope_enter(change, scope, fault) < 0)
		return -1;
	found = webhook_store_lock(change->db, deleting->arena,
	    &scope->tenant_id, &scope->device_id, &before, fault);
	if (found < 0)
		return fault_prefix(fault, "lock webhook");
	if (found == 0)
		return refuse_not_found(fault);
	if (etag_check(deleting->if_match,
	    etag_format(before.updated_us, etag), fault) < 0)
		return -1;
	if (webhook_store_delete(change->db, &scope->tenant_id,
	    &scope->device_id, fault) < 0)
		return fault_prefix(fault, "delete webhook");
	return webhook_audit(change, "webhook.deleted", &before, NULL, fault);
}

int
webhook_service_delete(struct service *service, const struct caller *caller,
    const struct webhook_scope *scope, const char *if_match,
    struct fault *fault)
{
	struct deleting deleting = { .scope = scope, .if_match = if_match };
	int ret;

	if (webhook_scope_check(&caller->identity, scope, fault) < 0)
		return -1;
	deleting.arena = arena_new();
	ret = change_run(service, caller, &scope->tenant_id, delete_body,
	    &deleting, fault);
	arena_free(&deleting.arena);
	return ret < 0 ? fault_prefix(fault, "delete webhook") : 0;
}

char *
webhook_service_etag(const struct webhook *webhook,
    char buf[WEBHOOK_ETAG_SIZE])
{
	return etag_format(webhook->updated_us, buf);
}
