/* SPDX-License-Identifier: MIT */
/* The settings last read, on disk, so that a spooler started while the
   database is away can deliver. One line a webhook: the base64 of a sealed
   JSON object. The seal is the checksum too, and hides header values, which
   may be passwords; the secret inside is sealed once more, as in its row. */
#include "config.h"

#include "snapshot.h"

#include "endpoint.h"
#include "target.h"
#include "trust.h"

#include "wuts/arena.h"
#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/file.h"
#include "wuts/json.h"
#include "wuts/onprem.h"
#include "wuts/strbuf.h"
#include "wuts/uuid.h"
#include "wuts/webhook.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AAD "wuts settings snapshot 1"
#define SNAPSHOT_MAX (256u << 20)

static void
write_headers(struct json_writer *w, const struct webhook *webhook)
{
	json_write_key(w, "headers");
	json_write_array_begin(w);
	for (size_t i = 0; i < webhook->nheaders; i++) {
		json_write_string(w, webhook->headers[i].name);
		json_write_string(w, webhook->headers[i].value);
	}
	json_write_array_end(w);
}

static void
write_secret(struct json_writer *w, const char *key, const uint8_t *sealed,
    size_t len)
{
	struct strbuf text = STRBUF_INIT;

	if (sealed == NULL)
		return;
	crypto_base64(&text, sealed, len);
	json_member_text(w, key, text.data);
	strbuf_deinit(&text);
}

static void
write_trust(struct json_writer *w, const struct trust *trust)
{
	char hex[2 * CRYPTO_HASH_LEN + 1];

	if (!trust->is_set)
		return;
	crypto_hex(trust->hash, sizeof(trust->hash), hex);
	json_member_text(w, "trust", hex);
}

static void
write_callback(struct json_writer *w, const struct target *target)
{
	if (target->kind != TARGET_CALLBACK)
		return;
	json_member_text(w, "account", target->wa_id);
	json_member_int(w, "delay", target->delay_ms);
	json_member_int(w, "delay_max", target->delay_max_ms);
	json_member_int(w, "kept", target->is_kept);
}

static void
write_target(struct strbuf *out, const struct target *target,
    int64_t failing_us)
{
	const struct webhook *webhook = &target->webhook;
	char id[2 * WEBHOOK_ID_LEN + 1];
	struct json_writer w;

	crypto_hex(webhook->id, sizeof(webhook->id), id);
	json_writer_init(&w, out);
	json_write_object_begin(&w);
	json_member_text(&w, "id", id);
	json_member_uuid(&w, "tenant", &webhook->tenant_id);
	json_member_uuid(&w, "device", &webhook->device_id);
	json_member_text(&w, "url", webhook->url);
	json_member_text(&w, "events", webhook->enabled_events);
	json_member_int(&w, "enabled", webhook->enabled);
	json_member_int(&w, "retry", webhook->retry_attempts);
	json_member_int(&w, "timeout", webhook->timeout_s);
	json_member_int(&w, "ordered", webhook->ordered);
	json_member_int(&w, "concurrency", webhook->max_concurrency);
	json_member_int(&w, "rate", webhook->rate_limit);
	json_member_int(&w, "created", webhook->created_us);
	json_member_int(&w, "updated", webhook->updated_us);
	json_member_int(&w, "failing", failing_us);
	write_headers(&w, webhook);
	write_secret(&w, "secret", webhook->secret_sealed,
	    webhook->secret_sealed_len);
	write_secret(&w, "old_secret", webhook->old_secret_sealed,
	    webhook->old_secret_sealed_len);
	json_member_int(&w, "old_until", webhook->old_secret_until_us);
	write_trust(&w, &target->trust);
	write_callback(&w, target);
	json_write_object_end(&w);
}

void
snapshot_format_line(struct strbuf *out, const struct target *target,
    int64_t failing_us, const struct crypto_keys *keys)
{
	struct strbuf plain = STRBUF_INIT, sealed = STRBUF_INIT;

	write_target(&plain, target, failing_us);
	strbuf_reserve(&sealed, plain.len + CRYPTO_SEAL_OVERHEAD);
	crypto_seal(keys, AAD, strlen(AAD), plain.data, plain.len,
	    (uint8_t *)sealed.data);
	crypto_base64(out, sealed.data, plain.len + CRYPTO_SEAL_OVERHEAD);
	crypto_wipe(plain.data, plain.len);
	strbuf_deinit(&plain);
	strbuf_deinit(&sealed);
}

int
snapshot_save(const char *path, const struct endpoints *table,
    const struct crypto_keys *keys, struct fault *fault)
{
	struct strbuf text = STRBUF_INIT;
	int ret;

	for (uint32_t i = 0; i < endpoints_limit(table); i++) {
		const struct endpoint *endpoint = endpoints_at(table, i);

		if (endpoint == NULL || endpoint->target == NULL)
			continue;
		snapshot_format_line(&text, endpoint->target,
		    endpoint->failing_us, keys);
		strbuf_append_char(&text, '\n');
	}
	ret = file_replace(path, text.data != NULL ? text.data : "", text.len,
	    0600, fault);
	strbuf_deinit(&text);
	return ret;
}

static bool
read_id(json_t *object, const char *key, struct uuid *id_r)
{
	json_t *value = json_object_get(object, key);

	return json_is_string(value) && uuid_parse(json_string_value(value),
	    json_string_length(value), id_r);
}

static unsigned
read_count(json_t *object, const char *key)
{
	json_int_t value =
	    json_integer_value(json_object_get(object, key));

	return value >= 0 && value <= INT32_MAX ? (unsigned)value : 0;
}

static bool
read_headers(json_t *object, struct arena *arena, struct webhook *webhook_r)
{
	json_t *list = json_object_get(object, "headers");
	size_t n = json_array_size(list) / 2;
	struct webhook_header *headers;

	if (!json_is_array(list) || n > WEBHOOK_HEADERS_MAX)
		return false;
	headers = arena_alloc(arena, n * sizeof(*headers));
	for (size_t i = 0; i < n; i++) {
		headers[i].name =
		    json_string_value(json_array_get(list, 2 * i));
		headers[i].value =
		    json_string_value(json_array_get(list, 2 * i + 1));
		if (headers[i].name == NULL || headers[i].value == NULL)
			return false;
	}
	webhook_r->headers = headers;
	webhook_r->nheaders = n;
	return true;
}

/* NULL: there is none. */
static const uint8_t *
read_secret(json_t *object, const char *key, struct arena *arena,
    size_t *len_r)
{
	json_t *value = json_object_get(object, key);

	*len_r = 0;
	return json_is_string(value) ? crypto_unbase64(arena,
	    json_string_value(value), json_string_length(value), len_r) :
	    NULL;
}

/* The strings of *webhook_r live in object and arena. */
static bool
read_webhook(json_t *object, struct arena *arena, struct webhook *webhook_r)
{
	json_t *id = json_object_get(object, "id");

	*webhook_r = (struct webhook){
		.url = json_string_value(json_object_get(object, "url")),
		.enabled_events =
		    json_string_value(json_object_get(object, "events")),
		.enabled = read_count(object, "enabled") != 0,
		.retry_attempts = read_count(object, "retry"),
		.timeout_s = read_count(object, "timeout"),
		.ordered = read_count(object, "ordered") != 0,
		.max_concurrency = read_count(object, "concurrency"),
		.rate_limit = read_count(object, "rate"),
		.created_us =
		    json_integer_value(json_object_get(object, "created")),
		.updated_us =
		    json_integer_value(json_object_get(object, "updated")),
		.old_secret_until_us =
		    json_integer_value(json_object_get(object, "old_until")),
	};
	if (webhook_r->url == NULL || webhook_r->enabled_events == NULL ||
	    json_string_length(id) != 2 * WEBHOOK_ID_LEN ||
	    !crypto_unhex(json_string_value(id), 2 * WEBHOOK_ID_LEN,
	    webhook_r->id) ||
	    !read_id(object, "tenant", &webhook_r->tenant_id) ||
	    !read_id(object, "device", &webhook_r->device_id) ||
	    !read_headers(object, arena, webhook_r))
		return false;
	webhook_r->secret_sealed = read_secret(object, "secret", arena,
	    &webhook_r->secret_sealed_len);
	webhook_r->old_secret_sealed = read_secret(object, "old_secret",
	    arena, &webhook_r->old_secret_sealed_len);
	return webhook_r->secret_sealed != NULL;
}

/* Not there in files of earlier releases. */
static bool
read_trust(json_t *object, struct trust *trust_r)
{
	json_t *value = json_object_get(object, "trust");

	*trust_r = (struct trust){ .is_set = json_is_string(value) };
	return !trust_r->is_set ||
	    (json_string_length(value) == 2 * CRYPTO_HASH_LEN &&
	    crypto_unhex(json_string_value(value), 2 * CRYPTO_HASH_LEN,
	    trust_r->hash));
}

static struct target *
read_callback(json_t *object)
{
	json_t *url = json_object_get(object, "url");
	json_t *account = json_object_get(object, "account");
	struct onprem onprem = {
		.settings = {
			.callback_backoff_delay_ms =
			    read_count(object, "delay"),
			.max_callback_backoff_delay_ms =
			    read_count(object, "delay_max"),
			.callback_persist = read_count(object, "kept") != 0,
			.webhook_max_concurrent =
			    read_count(object, "concurrency"),
		},
		.updated_us =
		    json_integer_value(json_object_get(object, "updated")),
	};

	if (!read_id(object, "tenant", &onprem.tenant_id) ||
	    !json_is_string(url) ||
	    json_string_length(url) > ONPREM_URL_MAX ||
	    json_string_length(account) > ONPREM_WA_ID_MAX)
		return NULL;
	memcpy(onprem.settings.webhook_url, json_string_value(url),
	    json_string_length(url));
	memcpy(onprem.wa_id, json_string_value(account),
	    json_string_length(account));
	return target_new_callback(&onprem);
}

static struct target *
read_target(json_t *object, struct arena *arena,
    const struct crypto_keys *keys)
{
	struct fault ignored = { .code = FAULT_NONE };
	struct target *target = NULL;
	struct webhook webhook;
	struct trust trust;

	if (!read_trust(object, &trust))
		return NULL;
	if (json_is_string(json_object_get(object, "account")))
		target = read_callback(object);
	else if (read_webhook(object, arena, &webhook))
		target = target_new(&webhook, keys, &ignored);
	if (target != NULL)
		target->trust = trust;
	return target;
}

static struct target *
read_line(const char *line, size_t len, const struct crypto_keys *keys,
    struct arena *arena, int64_t *failing_us_r)
{
	struct fault ignored = { .code = FAULT_NONE };
	struct target *target = NULL;
	json_t *object;
	uint8_t *sealed;
	char *plain;

	sealed = crypto_unbase64(arena, line, len, &len);
	if (sealed == NULL || len <= CRYPTO_SEAL_OVERHEAD)
		return NULL;
	plain = arena_alloc(arena, len);
	if (!crypto_open(keys, AAD, strlen(AAD), sealed, len, plain))
		return NULL;
	len -= CRYPTO_SEAL_OVERHEAD;
	object = json_text_parse(plain, len, &ignored);
	crypto_wipe(plain, len);
	if (object != NULL)
		target = read_target(object, arena, keys);
	/* Not there in files of the first release. */
	*failing_us_r = json_integer_value(json_object_get(object, "failing"));
	json_decref(object);
	return target;
}

struct target *
snapshot_parse_line(const char *line, size_t len,
    const struct crypto_keys *keys, int64_t *failing_us_r)
{
	struct arena *arena = arena_new();
	struct target *target = read_line(line, len, keys, arena,
	    failing_us_r);

	arena_free(&arena);
	return target;
}

int
snapshot_load(const char *path, const struct crypto_keys *keys,
    void (*found)(void *ctx, struct target *target, int64_t failing_us),
    void *ctx,
    size_t *refused_r, struct fault *fault)
{
	struct strbuf text = STRBUF_INIT;
	struct arena *arena;
	char *line, *end;

	*refused_r = 0;
	if (access(path, F_OK) < 0)
		return 0;
	if (file_read(path, SNAPSHOT_MAX, &text, fault) < 0) {
		strbuf_deinit(&text);
		return -1;
	}
	arena = arena_new();
	for (line = text.data; line != NULL && *line != '\0'; line = end + 1) {
		struct target *target;
		int64_t failing_us;

		end = strchr(line, '\n');
		if (end == NULL) {
			++*refused_r;
			break;
		}
		target = read_line(line, (size_t)(end - line), keys, arena,
		    &failing_us);
		if (target != NULL)
			found(ctx, target, failing_us);
		else
			++*refused_r;
		arena_reset(arena);
	}
	arena_free(&arena);
	strbuf_deinit(&text);
	return 0;
}
