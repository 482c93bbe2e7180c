/* SPDX-License-Identifier: MIT */
/* Asking for dead letters to be delivered again. What is asked for is one row,
   which the spooler finds and does; nothing here touches the queue. */
#include "config.h"

#include "webhook_private.h"
#include "wuts/delivery_service.h"

#include "wuts/arena.h"
#include "wuts/delivery_store.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/replay_store.h"
#include "wuts/webhook_store.h"

#include <string.h>

static int
refuse(struct fault *fault, const char *why)
{
	return fault_say(fault, REFUSAL_DELIVERY_NOT_FOUND, "%s", why);
}

/* Only the bodies of dead letters are kept. */
static int
check_event(struct change *change, const struct replay *replay,
    int64_t webhook_created_us, struct fault *fault)
{
	struct arena *arena = arena_new();
	struct delivery_entry entry;
	int found;

	found = delivery_store_find(change->db, arena, &replay->tenant_id,
	    &replay->event_id, &entry, fault);
	arena_free(&arena);
	if (found < 0)
		return fault_prefix(fault, "find delivery");
	if (found == 0 ||
	    !uuid_is_equal(&entry.device_id, &replay->device_id))
		return refuse(fault, "delivery not found");
	switch (entry.state) {
	case DELIVERY_DEAD:
		return entry.created_us >= webhook_created_us ? 0 :
		    refuse(fault, "the event is older than the webhook");
	case DELIVERY_PENDING:
		return refuse(fault, "the event is not dead: it will be "
		    "tried again as it is");
	default:
		return refuse(fault, "the event is not dead: its body is not "
		    "kept");
	}
}

static int
audit(struct change *change, const struct replay *replay,
    struct fault *fault)
{
	struct strbuf value = STRBUF_INIT;
	struct json_writer w;
	int ret;

	json_writer_init(&w, &value);
	json_write_object_begin(&w);
	json_member_uuid(&w, "replay_id", &replay->id);
	if (!uuid_is_nil(&replay->event_id))
		json_member_uuid(&w, "event_id", &replay->event_id);
	json_write_object_end(&w);
	ret = change_audit(change, "webhook.replay_requested",
	    uuid_is_nil(&replay->device_id) ? &replay->tenant_id :
	    &replay->device_id, NULL, value.data, fault);
	strbuf_deinit(&value);
	return ret;
}

/* Without a webhook the letters would go into the queue only to be dropped. */
static int
find_webhook(struct change *change, const struct webhook_scope *scope,
    int64_t *created_us_r, struct fault *fault)
{
	struct arena *arena = arena_new();
	struct webhook webhook;
	int found;

	found = webhook_store_find(change->db, arena, &scope->tenant_id,
	    &scope->device_id, &webhook, fault);
	if (found == 1)
		*created_us_r = webhook.created_us;
	arena_free(&arena);
	if (found < 0)
		return fault_prefix(fault, "find webhook");
	return found == 1 ? 0 : fault_say(fault, REFUSAL_WEBHOOK_NOT_FOUND,
	    "webhook not found");
}

static int
replay_body(struct change *change, void *ctx, struct fault *fault)
{
	struct replay *replay = ctx;
	struct webhook_scope scope = {
		.tenant_id = replay->tenant_id,
		.device_id = replay->device_id
	};
	int64_t webhook_created_us = 0;

	if (webhook_scope_enter(change, &scope, fault) < 0 ||
	    find_webhook(change, &scope, &webhook_created_us, fault) < 0)
		return -1;
	if (!uuid_is_nil(&replay->event_id) &&
	    check_event(change, replay, webhook_created_us, fault) < 0)
		return -1;
	uuid_new_ordered(&replay->id);
	replay->created_us = replay->updated_us = change->now_us;
	replay->until_us = change->now_us;
	if (replay_store_insert(change->db, replay, fault) < 0)
		return fault_prefix(fault, "insert replay");
	return audit(change, replay, fault);
}

int
delivery_service_replay(struct service *service, const struct caller *caller,
    const struct webhook_scope *scope, const struct uuid *event_id,
    int64_t since_us, struct replay *replay_r, struct fault *fault)
{
	memset(replay_r, 0, sizeof(*replay_r));
	replay_r->tenant_id = scope->tenant_id;
	replay_r->device_id = scope->device_id;
	replay_r->event_id = event_id != NULL ? *event_id : UUID_NIL;
	replay_r->since_us = since_us;
	if (webhook_scope_check(&caller->identity, scope, fault) < 0)
		return -1;
	if (change_run(service, caller, &scope->tenant_id, replay_body,
	    replay_r, fault) < 0)
		return fault_prefix(fault, "replay");
	return 0;
}

int
delivery_service_get_replay(struct service *service,
    const struct webhook_scope *scope, const struct uuid *id,
    struct replay *replay_r, struct fault *fault)
{
	int found;

	found = replay_store_find(service->db, &scope->tenant_id,
	    &scope->device_id, id, replay_r, fault);
	if (found < 0)
		return fault_prefix(fault, "find replay");
	return found == 1 ? 0 : refuse(fault, "replay not found");
}
