/* SPDX-License-Identifier: MIT */
/* Disabling a webhook that has had its chance: the row, the entry in the audit
   trail and the event webhook.disabled, which exist together or not at all
   (design §5). Runs in the look-up thread, on its connection, with a queue
   segment of its own for the moment. Whoever has changed the webhook since it
   was judged has decided otherwise: then nothing happens. */
#include "config.h"

#include "lookup.h"

#include "wuts/arena.h"
#include "wuts/audit.h"
#include "wuts/audit_store.h"
#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/db.h"
#include "wuts/event.h"
#include "wuts/fault.h"
#include "wuts/generations.h"
#include "wuts/json.h"
#include "wuts/outbox_store.h"
#include "wuts/queue.h"
#include "wuts/settings.h"
#include "wuts/strbuf.h"
#include "wuts/tenant.h"
#include "wuts/tenant_store.h"
#include "wuts/uuid.h"
#include "wuts/webhook.h"
#include "wuts/webhook_store.h"

#include <string.h>

#define EVENT "webhook.disabled"

struct disabling {
	const struct crypto_keys *keys;
	const struct lookup_job *job;
	struct arena *arena;
	struct queue_writer *queue;
	struct uuid event_id;
	bool prepared;
	int64_t now_us;
	uint64_t seq;		/* the end of the audit trail */
	uint8_t hash[CRYPTO_HASH_LEN];
};

/* Behind host and port a URL often holds a credential. */
static void
write_host(struct json_writer *w, const char *url)
{
	const char *host = strstr(url, "://");

	host = host != NULL ? host + 3 : url;
	json_write_key(w, "host");
	json_write_string_len(w, host, strcspn(host, "/?#"));
}

static void
write_webhook(struct json_writer *w, const struct webhook *webhook)
{
	char id[3 + 2 * WEBHOOK_ID_LEN + 1] = "wh_";

	crypto_hex(webhook->id, sizeof(webhook->id), id + 3);
	json_member_text(w, "webhook_id", id);
	write_host(w, webhook->url);
}

static void
format_data(struct strbuf *out, const struct webhook *webhook,
    const char *reason)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_write_object_begin(&w);
	write_webhook(&w, webhook);
	json_member_uuid_or_null(&w, "device_id", &webhook->device_id);
	json_member_text(&w, "reason", reason);
	json_write_object_end(&w);
}

static void
format_state(struct strbuf *out, const struct webhook *webhook, bool enabled,
    const char *reason)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_write_object_begin(&w);
	write_webhook(&w, webhook);
	json_member_bool(&w, "enabled", enabled);
	if (reason != NULL)
		json_member_text(&w, "reason", reason);
	json_write_object_end(&w);
}

static int
insert_entry(struct disabling *d, struct db *db, struct audit_entry *entry,
    struct fault *fault)
{
	uuid_new_ordered(&entry->id);
	entry->tenant_id = d->job->tenant_id;
	entry->actor.kind = IDENTITY_NONE;
	entry->action = EVENT;
	entry->request_id = "";
	entry->address = "";
	entry->created_us = d->now_us;
	entry->seq = d->seq + 1;
	audit_chain_hash(d->keys->key[0].audit, d->hash, entry, entry->hash);
	if (audit_store_insert(db, entry, fault) < 0 ||
	    audit_store_set_head(db, &entry->tenant_id, entry->seq,
	    entry->hash, fault) < 0)
		return fault_prefix(fault, "audit");
	return 0;
}

static int
audit(struct disabling *d, struct db *db, const struct webhook *webhook,
    struct fault *fault)
{
	struct strbuf before = STRBUF_INIT, after = STRBUF_INIT;
	struct audit_entry entry = { .seq = 0 };
	int ret;

	format_state(&before, webhook, true, NULL);
	format_state(&after, webhook, false, d->job->reason);
	entry.target_id = uuid_is_nil(&webhook->device_id) ?
	    webhook->tenant_id : webhook->device_id;
	entry.old_value = before.data;
	entry.new_value = after.data;
	ret = insert_entry(d, db, &entry, fault);
	strbuf_deinit(&before);
	strbuf_deinit(&after);
	return ret;
}

static int
prepare(struct disabling *d, const struct webhook *webhook,
    struct fault *fault)
{
	struct strbuf data = STRBUF_INIT, body = STRBUF_INIT;
	struct queue_record record = {
		.tenant_id = d->job->tenant_id,
		.event = EVENT,
		.created_us = d->now_us,
	};
	int ret;

	uuid_new_ordered(&record.id);
	format_data(&data, webhook, d->job->reason);
	event_body_format(&body, &record.id, EVENT, d->now_us,
	    &record.tenant_id, NULL, data.data, data.len);
	record.body = body.data;
	record.body_len = body.len;
	ret = queue_prepare(d->queue, &record, fault);
	strbuf_deinit(&data);
	strbuf_deinit(&body);
	if (ret < 0)
		return fault_prefix(fault, "prepare " EVENT);
	d->event_id = record.id;
	d->prepared = true;
	return 0;
}

static int
emit(struct disabling *d, struct db *db, const struct webhook *webhook,
    struct fault *fault)
{
	int inserted;

	if (prepare(d, webhook, fault) < 0)
		return -1;
	inserted = outbox_store_insert(db, &d->event_id, d->now_us, fault);
	if (inserted == 0)
		return fault_set(fault, FAULT_INTERNAL,
		    "outbox row of " EVENT ": its new id is there already");
	return inserted < 0 ? fault_prefix(fault, "outbox row of " EVENT) : 0;
}

/* 1: it is still as it was judged. */
static int
lock(struct disabling *d, struct db *db, struct webhook *webhook_r,
    struct fault *fault)
{
	const struct lookup_job *job = d->job;
	struct tenant tenant;
	int found;

	found = tenant_store_lock_chain(db, &job->tenant_id, &tenant, &d->seq,
	    d->hash, fault);
	if (found <= 0)
		return found;
	found = webhook_store_lock(db, d->arena, &job->tenant_id,
	    &job->device_id, webhook_r, fault);
	if (found <= 0)
		return found;
	return webhook_r->enabled &&
	    memcmp(webhook_r->id, job->webhook_id, WEBHOOK_ID_LEN) == 0 &&
	    webhook_r->updated_us == job->updated_us;
}

static int
disable_body(struct db *db, void *ctx, struct fault *fault)
{
	struct disabling *d = ctx;
	struct webhook webhook;
	int found;

	fault_clear(fault);
	found = lock(d, db, &webhook, fault);
	if (found <= 0)
		return found;
	d->now_us = clock_wall_us();
	webhook.enabled = false;
	webhook.updated_us = d->now_us > webhook.updated_us ? d->now_us :
	    webhook.updated_us + 1;
	if (webhook_store_update(db, &webhook, fault) < 0)
		return fault_prefix(fault, "update webhook");
	if (audit(d, db, &webhook, fault) < 0)
		return -1;
	return emit(d, db, &webhook, fault);
}

static void
discard(void *ctx)
{
	struct disabling *d = ctx;

	if (d->prepared)
		queue_discard(d->queue, &d->event_id);
	d->prepared = false;
}

/* The connection broke inside COMMIT: claiming the event's id tells. */
static int
settle(struct disabling *d, struct db *db, struct fault *fault)
{
	int claimed;

	if (!d->prepared)
		return 0;	/* nothing was at stake */
	claimed = outbox_store_claim(db, &d->event_id, d->now_us, fault);
	if (claimed == 0) {
		queue_commit(d->queue, &d->event_id);
		return 1;
	}
	if (claimed < 0) {
		queue_abandon(d->queue);
		return -1;
	}
	discard(d);
	return fault_set(fault, FAULT_DATABASE,
	    "connection lost in COMMIT, which did not happen");
}

static int
run(struct disabling *d, struct db *db, struct generations *generations,
    struct fault *fault)
{
	int ret;

	switch (tx_run(db, disable_body, discard, d, fault)) {
	case TX_COMMITTED:
		if (!d->prepared)
			return 0;
		/* First the counter, then the event, as the services do. */
		generations_bump(generations, &d->job->tenant_id);
		queue_commit(d->queue, &d->event_id);
		return 1;
	case TX_UNKNOWN:
		ret = settle(d, db, fault);
		generations_bump(generations, &d->job->tenant_id);
		return ret;
	default:
		discard(d);
		return -1;
	}
}

int
disable_webhook(const struct settings *settings,
    const struct crypto_keys *keys, struct generations *generations,
    struct db *db, const struct lookup_job *job, struct fault *fault)
{
	struct disabling d = {
		.keys = keys,
		.job = job,
	};
	struct queue_limits limits = {
		.segment_bytes = DISABLE_SEGMENT_BYTES,
		.max_bytes = settings->queue_max_bytes,
		.disk_reserve = settings->queue_disk_reserve,
	};
	int ret;

	if (queue_writer_open(&d.queue, settings->queue_dir, &limits,
	    fault) < 0)
		return -1;
	d.arena = arena_new();
	ret = run(&d, db, generations, fault);
	arena_free(&d.arena);
	queue_writer_close(&d.queue);
	return ret < 0 ? fault_prefix(fault, "disable webhook") : ret;
}
