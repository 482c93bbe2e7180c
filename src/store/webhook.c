/* SPDX-License-Identifier: MIT */
/* Table webhook. Headers are sealed by whoever writes them; rows of before have
   them in plain still, in a column that is "{}" otherwise. */
#include "config.h"

#include "wuts/webhook_store.h"
#include "store_private.h"

#include "wuts/arena.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/strbuf.h"
#include "wuts/webhook.h"

#include <string.h>

enum {
	WEBHOOK_FIND,
	WEBHOOK_LOCK,
	WEBHOOK_INSERT,
	WEBHOOK_UPDATE,
	WEBHOOK_DELETE,
	WEBHOOK_LIST_SECRETS,
	WEBHOOK_UPDATE_SECRETS,
	WEBHOOK_STMT_COUNT
};

#define WEBHOOK_COLUMNS \
	"id, tenant_id, device_id, url, enabled_events, enabled," \
	" retry_attempts, timeout_s, ordered, max_concurrency, rate_limit," \
	" headers, headers_sealed, secret_sealed, old_secret_sealed," \
	" old_secret_until, created_at, updated_at"

static const struct stmt_def webhook_stmts[WEBHOOK_STMT_COUNT] = {
	[WEBHOOK_FIND] = { "webhook_find",
	    "SELECT " WEBHOOK_COLUMNS " FROM webhook"
	    " WHERE tenant_id = ? AND device_id = ?"
	    SQL_TENANT_LIVES("webhook") },
	[WEBHOOK_LOCK] = { "webhook_lock",
	    "SELECT " WEBHOOK_COLUMNS " FROM webhook"
	    " WHERE tenant_id = ? AND device_id = ? FOR UPDATE" },
	[WEBHOOK_INSERT] = { "webhook_insert",
	    "INSERT INTO webhook (id, tenant_id, device_id, owner_device_id,"
	    " created_at, url, enabled_events, enabled, retry_attempts,"
	    " timeout_s, ordered, max_concurrency, rate_limit, headers,"
	    " headers_sealed, secret_sealed, old_secret_sealed, old_secret_until,"
	    " updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
	    " ?, ?, ?, ?, ?)" },
	[WEBHOOK_UPDATE] = { "webhook_update",
	    "UPDATE webhook SET url = ?, enabled_events = ?, enabled = ?,"
	    " retry_attempts = ?, timeout_s = ?, ordered = ?,"
	    " max_concurrency = ?, rate_limit = ?, headers = ?,"
	    " headers_sealed = ?, secret_sealed = ?, old_secret_sealed = ?,"
	    " old_secret_until = ?, updated_at = ?"
	    " WHERE tenant_id = ? AND id = ?" },
	[WEBHOOK_DELETE] = { "webhook_delete",
	    "DELETE FROM webhook WHERE tenant_id = ? AND device_id = ?" },
	[WEBHOOK_LIST_SECRETS] = { "webhook_list_secrets",
	    "SELECT id, headers, headers_sealed, secret_sealed,"
	    " IF(old_secret_until > ?, old_secret_sealed, NULL)"
	    " FROM webhook WHERE tenant_id = ? AND id > ? ORDER BY id LIMIT ?" },
	[WEBHOOK_UPDATE_SECRETS] = { "webhook_update_secrets",
	    "UPDATE webhook SET headers = ?, headers_sealed = ?,"
	    " secret_sealed = ?, old_secret_sealed = ?"
	    " WHERE tenant_id = ? AND id = ?" },
};

static void
fetch_webhook(struct columns *out, struct arena *arena,
    struct webhook *webhook, const char **headers)
{
	columns_init(out);
	fetch_bytes(out, webhook->id, sizeof(webhook->id));
	fetch_uuid(out, &webhook->tenant_id);
	fetch_uuid(out, &webhook->device_id);
	fetch_arena_text(out, arena, &webhook->url);
	fetch_arena_text(out, arena, &webhook->enabled_events);
	fetch_bool(out, &webhook->enabled);
	fetch_unsigned(out, &webhook->retry_attempts);
	fetch_unsigned(out, &webhook->timeout_s);
	fetch_bool(out, &webhook->ordered);
	fetch_unsigned(out, &webhook->max_concurrency);
	fetch_unsigned(out, &webhook->rate_limit);
	fetch_arena_text(out, arena, headers);
	fetch_arena_bytes(out, arena, &webhook->headers_sealed,
	    &webhook->headers_sealed_len);
	fetch_arena_bytes(out, arena, &webhook->secret_sealed,
	    &webhook->secret_sealed_len);
	fetch_arena_bytes(out, arena, &webhook->old_secret_sealed,
	    &webhook->old_secret_sealed_len);
	fetch_time(out, &webhook->old_secret_until_us);
	fetch_time(out, &webhook->created_us);
	fetch_time(out, &webhook->updated_us);
}

static int
parse_plain(struct webhook *webhook, struct arena *arena, const char *headers,
    struct fault *fault)
{
	if (webhook->headers_sealed != NULL || webhook_headers_parse(webhook,
	    arena, headers, strlen(headers), fault) == 0)
		return 0;
	fault->code = FAULT_DATABASE;
	return fault_prefix(fault, "webhook: column headers");
}

/* What is sealed is in no other column besides; the text is the caller's. */
static void
bind_headers(struct params *in, const struct webhook *webhook,
    struct strbuf *text)
{
	struct webhook none = { .nheaders = 0 };

	webhook_headers_format(webhook->headers_sealed == NULL ? webhook :
	    &none, text);
	bind_text(in, text->data);
	if (webhook->headers_sealed == NULL)
		bind_null(in);
	else
		bind_bytes(in, webhook->headers_sealed,
		    webhook->headers_sealed_len);
}

static int
webhook_read(struct db *db, const struct stmt_def *def, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *device_id,
    struct webhook *webhook_r, struct fault *fault)
{
	const char *headers = NULL;
	struct params in;
	struct columns out;
	int ret;

	memset(webhook_r, 0, sizeof(*webhook_r));
	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, device_id);
	fetch_webhook(&out, arena, webhook_r, &headers);
	ret = stmt_read_one(db, def, &in, &out, fault);
	if (ret == 1 && parse_plain(webhook_r, arena, headers, fault) < 0)
		return -1;
	return ret;
}

int
webhook_store_find(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *device_id,
    struct webhook *webhook_r, struct fault *fault)
{
	return webhook_read(db, &webhook_stmts[WEBHOOK_FIND], arena, tenant_id,
	    device_id, webhook_r, fault);
}

int
webhook_store_lock(struct db *db, struct arena *arena,
    const struct uuid *tenant_id, const struct uuid *device_id,
    struct webhook *webhook_r, struct fault *fault)
{
	return webhook_read(db, &webhook_stmts[WEBHOOK_LOCK], arena, tenant_id,
	    device_id, webhook_r, fault);
}

/* The sealed secret and the one before it, NULL where there is none. */
static void
bind_secrets(struct params *in, const struct webhook *webhook)
{
	bind_bytes(in, webhook->secret_sealed, webhook->secret_sealed_len);
	if (webhook->old_secret_sealed == NULL)
		bind_null(in);
	else
		bind_bytes(in, webhook->old_secret_sealed,
		    webhook->old_secret_sealed_len);
}

/* url to updated_at, in the order of both statements. */
static void
bind_webhook_settings(struct params *in, const struct webhook *webhook,
    struct strbuf *headers)
{
	bind_text(in, webhook->url);
	bind_text(in, webhook->enabled_events);
	bind_int(in, webhook->enabled);
	bind_int(in, webhook->retry_attempts);
	bind_int(in, webhook->timeout_s);
	bind_int(in, webhook->ordered);
	bind_int(in, webhook->max_concurrency);
	bind_int(in, webhook->rate_limit);
	bind_headers(in, webhook, headers);
	bind_secrets(in, webhook);
	bind_time_or_null(in, webhook->old_secret_until_us);
	bind_time(in, webhook->updated_us);
}

int
webhook_store_insert(struct db *db, const struct webhook *webhook,
    struct fault *fault)
{
	struct strbuf headers = STRBUF_INIT;
	struct params in;
	int ret;

	params_init(&in);
	bind_bytes(&in, webhook->id, sizeof(webhook->id));
	bind_uuid(&in, &webhook->tenant_id);
	bind_uuid(&in, &webhook->device_id);
	bind_uuid_or_null(&in, &webhook->device_id);
	bind_time(&in, webhook->created_us);
	bind_webhook_settings(&in, webhook, &headers);
	ret = stmt_update(db, &webhook_stmts[WEBHOOK_INSERT], &in, fault);
	strbuf_deinit(&headers);
	return ret;
}

int
webhook_store_update(struct db *db, const struct webhook *webhook,
    struct fault *fault)
{
	struct strbuf headers = STRBUF_INIT;
	struct params in;
	int ret;

	params_init(&in);
	bind_webhook_settings(&in, webhook, &headers);
	bind_uuid(&in, &webhook->tenant_id);
	bind_bytes(&in, webhook->id, sizeof(webhook->id));
	ret = stmt_update(db, &webhook_stmts[WEBHOOK_UPDATE], &in, fault);
	strbuf_deinit(&headers);
	return ret;
}

int
webhook_store_delete(struct db *db, const struct uuid *tenant_id,
    const struct uuid *device_id, struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_uuid(&in, tenant_id);
	bind_uuid(&in, device_id);
	if (stmt_write(db, &webhook_stmts[WEBHOOK_DELETE], &in, &rows,
	    fault) < 0)
		return -1;
	return rows > 0;
}

struct secret_list {
	struct webhook webhook;
	struct arena *arena;
	const char *headers;
	webhook_secret_row *row;
	void *ctx;
};

static int
secret_list_row(void *ctx, struct fault *fault)
{
	struct secret_list *list = ctx;

	if (parse_plain(&list->webhook, list->arena, list->headers,
	    fault) < 0)
		return -1;
	return list->row(list->ctx, &list->webhook, fault);
}

int
webhook_store_list_secrets(struct db *db, const struct uuid *tenant_id,
    const uint8_t *after, int64_t now_us, unsigned limit,
    webhook_secret_row *row, void *ctx, struct fault *fault)
{
	struct arena *arena = arena_new();
	struct secret_list list = { .arena = arena, .row = row, .ctx = ctx };
	struct webhook *webhook = &list.webhook;
	struct params in;
	struct columns out;
	int ret;

	params_init(&in);
	bind_time(&in, now_us);
	bind_uuid(&in, tenant_id);
	bind_bytes(&in, after, WEBHOOK_ID_LEN);
	bind_limit(&in, limit);
	columns_init(&out);
	fetch_bytes(&out, webhook->id, sizeof(webhook->id));
	fetch_arena_text(&out, arena, &list.headers);
	fetch_arena_bytes(&out, arena, &webhook->headers_sealed,
	    &webhook->headers_sealed_len);
	fetch_arena_bytes(&out, arena, &webhook->secret_sealed,
	    &webhook->secret_sealed_len);
	fetch_arena_bytes(&out, arena, &webhook->old_secret_sealed,
	    &webhook->old_secret_sealed_len);
	ret = stmt_read(db, &webhook_stmts[WEBHOOK_LIST_SECRETS], &in, &out,
	    secret_list_row, &list, fault);
	arena_free(&arena);
	return ret;
}

int
webhook_store_update_secrets(struct db *db, const struct uuid *tenant_id,
    const struct webhook *secrets, struct fault *fault)
{
	struct strbuf headers = STRBUF_INIT;
	struct params in;
	int ret;

	params_init(&in);
	bind_headers(&in, secrets, &headers);
	bind_secrets(&in, secrets);
	bind_uuid(&in, tenant_id);
	bind_bytes(&in, secrets->id, WEBHOOK_ID_LEN);
	ret = stmt_update(db, &webhook_stmts[WEBHOOK_UPDATE_SECRETS], &in,
	    fault);
	strbuf_deinit(&headers);
	return ret;
}
