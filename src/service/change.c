/* SPDX-License-Identifier: MIT */
/* One use case that changes something: its transaction, its audit rows, and
   its events, which exist if and only if the transaction committed (design
   §5). Events are prepared in the queue before COMMIT and marked after it; when
   the connection breaks inside COMMIT, the claim on the outbox row tells what
   became of it, and nothing is ever guessed. */
#include "config.h"

#include "service_private.h"

#include "wuts/api_key_store.h"
#include "wuts/caller_store.h"
#include "wuts/clock.h"
#include "wuts/db.h"
#include "wuts/event.h"
#include "wuts/fault.h"
#include "wuts/generations.h"
#include "wuts/idempotency_service.h"
#include "wuts/json.h"
#include "wuts/log.h"
#include "wuts/outbox_store.h"
#include "wuts/queue.h"

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

/* The answer is rendered from what the body has filled in, and written with
   the change: both exist, or neither. */
static int
write_answer(struct change *change, struct fault *fault)
{
	const struct reply *reply = change->caller->reply;
	struct idempotency_answer answer;
	int written;

	if (reply == NULL)
		return 0;
	memset(&answer, 0, sizeof(answer));
	reply->render(reply->ctx, &answer);
	written = idempotency_write(change->service, reply->idempotency,
	    &answer, fault);
	if (written < 0)
		return fault_prefix(fault, "store the answer");
	if (written == 0)
		return fault_say(fault, REFUSAL_IDEMPOTENCY_IN_FLIGHT,
		    "another request with this Idempotency-Key has taken "
		    "over");
	return 0;
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
	change->adds_only = false;
	change->one_user = UUID_NIL;
	memset(&change->chain, 0, sizeof(change->chain));
	memset(&change->caller_row, 0, sizeof(change->caller_row));
	if (change->body(change, change->ctx, fault) < 0 ||
	    change_close_audit(change, fault) < 0)
		return -1;
	return write_answer(change, fault);
}

static void
before_retry(void *ctx)
{
	discard_events(ctx);
}

static void
answer_is_stored(struct change *change)
{
	if (change->caller->reply != NULL)
		change->caller->reply->idempotency->stored = 1;
}

static void
bump(struct change *change)
{
	const struct uuid *whose = &change->tenant_id;

	if (change->adds_only)
		return;
	if (!uuid_is_nil(&change->one_user))
		whose = &change->one_user;
	generations_bump(change->service->generations,
	    uuid_is_nil(whose) ? NULL : whose);
}

/* Did that transaction commit? The outbox row of an event was written by it,
   so claiming its id finds out, and keeps a transaction that has not committed
   by now from ever doing so; the row of an answer tells the same. 1 / 0 / -1:
   not to be found out. */
static int
ask_whether_committed(struct change *change, struct fault *fault)
{
	int claimed;

	if (change->nprepared > 0) {
		claimed = outbox_store_claim(change->db, &change->prepared[0],
		    change->now_us, fault);
		return claimed < 0 ? -1 : claimed == 0;
	}
	if (change->caller->reply != NULL)
		return idempotency_settle(change->service,
		    change->caller->reply->idempotency, fault);
	return fault_set(fault, FAULT_DATABASE, "nothing tells");
}

/* The connection broke inside COMMIT. */
static int
settle_unknown(struct change *change, struct fault *fault)
{
	int committed;

	if (!change->changed)
		return 0;	/* nothing was at stake */
	bump(change);
	fault_clear(fault);
	committed = ask_whether_committed(change, fault);
	if (committed == 1) {
		/* Whoever read in between may remember what was before. */
		bump(change);
		commit_events(change);
		answer_is_stored(change);
		return 0;
	}
	if (committed < 0) {
		if (change->nprepared > 0)
			queue_abandon(change->service->queue);
		fault->retry_after_s = 1;
		return fault_prefix(fault,
		    "connection lost in COMMIT, outcome unknown");
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
			bump(&change);
		commit_events(&change);
		answer_is_stored(&change);
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

/* As this change finds its caller; nil: it is no user of the tenant. */
static const struct uuid *
caller_id(const struct change *change)
{
	const struct identity *caller = &change->caller->identity;

	return caller->kind == IDENTITY_USER &&
	    uuid_is_equal(&caller->tenant_id, &change->tenant_id) ?
	    &caller->user_id : &UUID_NIL;
}

static int
lock(struct change *change, const struct uuid *user_id,
    struct caller_lock *lock_r, struct fault *fault)
{
	int found;

	found = caller_store_lock(change->db, &change->tenant_id,
	    caller_id(change), user_id, lock_r, fault);
	if (found < 0)
		return fault_prefix(fault, "lock tenant");
	if (found == 0 && service_is_member(&change->caller->identity,
	    &change->tenant_id))
		return fault_say(fault, REFUSAL_UNAUTHORIZED,
		    "invalid token");
	if (found == 0)
		return fault_say(fault, REFUSAL_TENANT_NOT_FOUND,
		    "tenant not found");
	change->chain.is_read = true;
	change->chain.seq = lock_r->seq;
	memcpy(change->chain.hash, lock_r->hash, sizeof(change->chain.hash));
	change->caller_row.is_there = lock_r->has_caller;
	change->caller_row.active = lock_r->caller_active;
	change->caller_row.role = lock_r->caller_role;
	/* Waiting for the lock may have taken long. Events and webhooks of a
	   tenant are compared by time, so it is read in the lock's order. */
	change->now_us = clock_wall_us();
	return 0;
}

int
change_lock_tenant(struct change *change, struct fault *fault)
{
	struct caller_lock taken;

	return lock(change, &UUID_NIL, &taken, fault);
}

int
change_lock_user(struct change *change, const struct uuid *user_id,
    struct user *user_r, struct fault *fault)
{
	struct caller_lock taken;

	if (lock(change, user_id, &taken, fault) < 0)
		return -1;
	*user_r = taken.target;
	return taken.has_target;
}

static int
judge_user(struct change *change, struct fault *fault)
{
	if (!change->caller_row.is_there || !change->caller_row.active)
		return fault_say(fault, REFUSAL_UNAUTHORIZED,
		    "invalid token");
	change->identity.role = change->caller_row.role;
	return 0;
}

static int
judge_key(struct change *change, struct fault *fault)
{
	struct identity *identity = &change->identity;
	struct api_key key;
	int found;

	found = api_key_store_lock(change->db, &identity->tenant_id,
	    &identity->key_id, &key, fault);
	if (found < 0)
		return fault_prefix(fault, "lock the caller's key");
	if (found == 0 || (key.expires_us != 0 &&
	    key.expires_us <= change->now_us))
		return fault_say(fault, REFUSAL_UNAUTHORIZED,
		    "invalid token");
	identity->read_only = key.scope != API_KEY_FULL;
	if (identity->read_only)
		return fault_say(fault, REFUSAL_FORBIDDEN,
		    "this key may only read");
	return 0;
}

int
change_judge_caller(struct change *change, struct fault *fault)
{
	const struct identity *identity = &change->identity;

	if (identity->kind != IDENTITY_USER && identity->kind != IDENTITY_KEY)
		return 0;
	wuts_assert(uuid_is_equal(&identity->tenant_id, &change->tenant_id));
	return identity->kind == IDENTITY_USER ? judge_user(change, fault) :
	    judge_key(change, fault);
}

enum body_shape {
	BODY_OF_WUTS,
	BODY_TYPED
};

static int
emit(struct change *change, enum body_shape shape,
    const struct uuid *device_id, const char *event, const char *data,
    size_t data_len, struct fault *fault)
{
	struct strbuf body = STRBUF_INIT;
	struct queue_record record;
	int ret;

	wuts_assert(change->nprepared < CHANGE_EVENTS_MAX);
	memset(&record, 0, sizeof(record));
	uuid_new_ordered(&record.id);
	if (shape == BODY_TYPED)
		event_body_format_typed(&body, &record.id, event,
		    change->now_us, &change->tenant_id, data, data_len);
	else
		event_body_format(&body, &record.id, event, change->now_us,
		    &change->tenant_id, device_id, data, data_len);
	record.tenant_id = change->tenant_id;
	if (device_id != NULL)
		record.device_id = *device_id;
	record.event = event;
	record.request = change->caller->request_id;
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
change_emit(struct change *change, const char *event, const char *data,
    size_t data_len, struct fault *fault)
{
	return emit(change, BODY_OF_WUTS, NULL, event, data, data_len, fault);
}

int
change_emit_typed(struct change *change, const char *event, const char *data,
    size_t data_len, struct fault *fault)
{
	return emit(change, BODY_TYPED, NULL, event, data, data_len, fault);
}

int
change_emit_of_device(struct change *change, const struct uuid *device_id,
    const char *event, const char *data, size_t data_len, struct fault *fault)
{
	return emit(change, BODY_OF_WUTS, device_id, event, data, data_len,
	    fault);
}

int64_t
change_time_after(const struct change *change, int64_t before_us)
{
	return change->now_us > before_us ? change->now_us : before_us + 1;
}

void
change_write_actor(struct json_writer *w, const struct change *change)
{
	const struct identity *who = &change->identity;
	char text[sizeof(API_KEY_ACTOR) + UUID_TEXT_LEN] = API_KEY_ACTOR;

	if (who->kind == IDENTITY_USER) {
		json_member_uuid(w, "changed_by", &who->user_id);
		return;
	}
	if (who->kind == IDENTITY_KEY) {
		uuid_format(&who->key_id, text + sizeof(API_KEY_ACTOR) - 1);
		json_member_text(w, "changed_by", text);
		return;
	}
	json_member_text(w, "changed_by", identity_kind_name(who->kind));
}
