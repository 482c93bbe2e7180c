/* SPDX-License-Identifier: MIT */
/* One use case that changes something: its transaction, its audit rows, and
   its events, which exist if and only if the transaction committed (design
   §5). Events are prepared in the queue before COMMIT and marked after it; when
   the connection breaks inside COMMIT, the claim on the outbox row tells what
   became of it, and nothing is ever guessed. */
#include "config.h"

#include "service_private.h"

#include "wuts/audit_store.h"
#include "wuts/clock.h"
#include "wuts/db.h"
#include "wuts/event_service.h"
#include "wuts/fault.h"
#include "wuts/generations.h"
#include "wuts/json.h"
#include "wuts/log.h"
#include "wuts/outbox_store.h"
#include "wuts/queue.h"
#include "wuts/tenant.h"
#include "wuts/tenant_store.h"

#include <stdlib.h>
#include <string.h>

#define API_KEY_ACTOR "api_key:"

static void
discard_events(struct change *change)
{
	size_t i;

	for (i = 0; i < change->nprepared; i++)
		queue_discard(change->service->queue, &change->prepared[i]);
	change->nprepared = 0;
}

static void
commit_events(struct change *change)
{
	size_t i;

	for (i = 0; i < change->nprepared; i++)
		queue_commit(change->service->queue, &change->prepared[i]);
	change->nprepared = 0;
}

static int
run_body(struct db *db, void *ctx, struct fault *fault)
{
	struct change *change = ctx;

	fault_clear(fault);
	change->db = db;
	change->identity = change->caller->identity;
	change->now_us = clock_wall_us();
	change->changed = false;
	return change->body(change, change->ctx, fault);
}

static void
before_retry(void *ctx)
{
	discard_events(ctx);
}

/* The connection broke inside COMMIT. The outbox row of an event was written
   by that transaction, so claiming its id finds out, and keeps a transaction
   that has not committed by now from ever doing so. */
static int
settle_unknown(struct change *change, struct fault *fault)
{
	int claimed;

	if (!change->changed)
		return 0;	/* nothing was at stake */
	generations_bump(change->service->generations, &change->tenant_id);
	if (change->nprepared == 0) {
		fault_set(fault, FAULT_DATABASE,
		    "connection lost in COMMIT, outcome unknown");
		fault->retry_after_s = 1;
		return -1;
	}
	fault_clear(fault);
	claimed = outbox_store_claim(change->db, &change->prepared[0],
	    change->now_us, fault);
	if (claimed == 0) {
		commit_events(change);
		return 0;
	}
	if (claimed < 0) {
		queue_abandon(change->service->queue);
		return fault_prefix(fault,
		    "connection lost in COMMIT, outcome unknown: claim");
	}
	discard_events(change);
	fault_set(fault, FAULT_DATABASE,
	    "connection lost in COMMIT, which did not happen");
	fault->retry_after_s = 1;
	return -1;
}

int
change_run(struct service *service, const struct caller *caller,
    const struct uuid *tenant_id, change_body *body, void *ctx,
    struct fault *fault)
{
	struct change change;
	enum tx_result result;

	memset(&change, 0, sizeof(change));
	change.service = service;
	change.caller = caller;
	change.tenant_id = *tenant_id;
	change.body = body;
	change.ctx = ctx;
	change.db = service->db;
	result = tx_run(service->db, run_body, before_retry, &change, fault);
	switch (result) {
	case TX_COMMITTED:
		/* First the counter, then the events: who is told of the
		   change finds it in force. */
		if (change.changed)
			generations_bump(service->generations, tenant_id);
		commit_events(&change);
		fault_clear(fault);
		return 0;
	case TX_ROLLED_BACK:
		discard_events(&change);
		return -1;
	case TX_UNKNOWN:
		return settle_unknown(&change, fault);
	}
	abort();
}

int
change_lock_tenant(struct change *change, struct fault *fault)
{
	const struct identity *caller = &change->caller->identity;
	struct tenant tenant;
	int found;

	found = tenant_store_lock(change->db, &change->tenant_id, &tenant,
	    fault);
	if (found < 0)
		return fault_prefix(fault, "lock tenant");
	if (found == 0 && caller->kind == IDENTITY_USER)
		return fault_say(fault, REFUSAL_UNAUTHORIZED,
		    "invalid token");
	if (found == 0)
		return fault_say(fault, REFUSAL_TENANT_NOT_FOUND,
		    "tenant not found");
	/* Waiting for the lock may have taken long. Events and webhooks of a
	   tenant are compared by time, so it is read in the lock's order. */
	change->now_us = clock_wall_us();
	return 0;
}

int
change_judge_caller(struct change *change, struct fault *fault)
{
	struct identity *identity = &change->identity;
	struct user user;
	int found;

	if (identity->kind != IDENTITY_USER)
		return 0;
	wuts_assert(uuid_is_equal(&identity->tenant_id, &change->tenant_id));
	found = user_store_lock(change->db, &identity->tenant_id,
	    &identity->user_id, &user, fault);
	if (found < 0)
		return fault_prefix(fault, "lock caller");
	if (found == 0 || !user.active)
		return fault_say(fault, REFUSAL_UNAUTHORIZED,
		    "invalid token");
	identity->role = user.role;
	return 0;
}

int
change_emit(struct change *change, const char *event, const char *data,
    size_t data_len, struct fault *fault)
{
	struct strbuf body = STRBUF_INIT;
	struct queue_record record;
	int ret;

	wuts_assert(change->nprepared < CHANGE_EVENTS_MAX);
	memset(&record, 0, sizeof(record));
	uuid_new_ordered(&record.id);
	event_body_format(&body, &record.id, event, change->now_us,
	    &change->tenant_id, NULL, data, data_len);
	record.tenant_id = change->tenant_id;
	record.event = event;
	record.created_us = change->now_us;
	record.body = body.data;
	record.body_len = body.len;
	ret = queue_prepare(change->service->queue, &record, fault);
	strbuf_deinit(&body);
	if (ret < 0)
		return fault_prefix(fault, "prepare %s", event);
	change->prepared[change->nprepared++] = record.id;
	ret = outbox_store_insert(change->db, &record.id, change->now_us,
	    fault);
	if (ret < 0)
		return fault_prefix(fault, "outbox row of %s", event);
	if (ret == 0)
		return fault_set(fault, FAULT_INTERNAL,
		    "outbox row of %s: its new id is there already", event);
	change->changed = true;
	return 0;
}

int
change_audit(struct change *change, const char *action,
    const struct uuid *target_id, const char *old_value,
    const char *new_value, struct fault *fault)
{
	const struct caller *caller = change->caller;
	struct audit_entry entry;

	memset(&entry, 0, sizeof(entry));
	uuid_new_ordered(&entry.id);
	entry.tenant_id = change->tenant_id;
	entry.actor = change->identity;
	entry.action = action;
	entry.target_id = *target_id;
	entry.old_value = old_value;
	entry.new_value = new_value;
	entry.request_id = caller->request_id != NULL ?
	    caller->request_id : "";
	entry.address = caller->address != NULL ? caller->address : "";
	entry.created_us = change->now_us;
	if (audit_store_insert(change->db, &entry, fault) < 0)
		return fault_prefix(fault, "audit %s", action);
	change->changed = true;
	return 0;
}

int64_t
change_time_after(const struct change *change, int64_t before_us)
{
	return change->now_us > before_us ? change->now_us : before_us + 1;
}

void
change_write_text(struct json_writer *w, const char *key, const char *value)
{
	json_write_key(w, key);
	json_write_string(w, value);
}

void
change_write_uuid(struct json_writer *w, const char *key,
    const struct uuid *value)
{
	char text[UUID_TEXT_LEN + 1];

	change_write_text(w, key, uuid_format(value, text));
}

void
change_write_actor(struct json_writer *w, const struct change *change)
{
	char text[sizeof(API_KEY_ACTOR) + UUID_TEXT_LEN] = API_KEY_ACTOR;

	switch (change->identity.kind) {
	case IDENTITY_USER:
		change_write_uuid(w, "changed_by", &change->identity.user_id);
		return;
	case IDENTITY_KEY:
		uuid_format(&change->identity.key_id,
		    text + sizeof(API_KEY_ACTOR) - 1);
		change_write_text(w, "changed_by", text);
		return;
	case IDENTITY_MASTER:
		change_write_text(w, "changed_by", "super_admin");
		return;
	case IDENTITY_OPERATOR:
		change_write_text(w, "changed_by", "operator");
		return;
	case IDENTITY_ENGINE:
		change_write_text(w, "changed_by", "engine");
		return;
	case IDENTITY_NONE:
		break;
	}
	abort();
}
