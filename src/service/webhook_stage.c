/* SPDX-License-Identifier: MIT */
/* The URL that a user has given for devices to come: each gets it as its webhook
   when it connects for the first time (webhook_apply_pending()). */
#include "config.h"

#include "webhook_private.h"

#include "wuts/arena.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/log.h"

static int
stage_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct uuid *user_id = &change->identity.user_id;
	struct strbuf value = STRBUF_INIT;
	const char *url = ctx;
	struct json_writer w;
	int ret;

	if (change_lock_tenant(change, fault) < 0 ||
	    change_judge_caller(change, fault) < 0)
		return -1;
	if (user_store_stage_webhook(change->db, &change->tenant_id, user_id,
	    url, fault) < 0)
		return fault_prefix(fault, "stage webhook");
	json_writer_init(&w, &value);
	json_write_object_begin(&w);
	json_write_key(&w, "origin");
	json_write_string_len(&w, url, webhook_origin_length(url));
	json_write_object_end(&w);
	ret = change_audit(change, "user.webhook_staged", user_id, NULL,
	    value.data, fault);
	strbuf_deinit(&value);
	return ret;
}

int
webhook_service_stage(struct service *service, const struct caller *caller,
    const char *url, struct fault *fault)
{
	struct webhook_policy policy = service_webhook_policy(service);
	const char *problem = webhook_url_check(url, &policy);

	wuts_assert(caller->identity.kind == IDENTITY_USER);
	if (problem != NULL) {
		fault_add_field(fault, "webhook_url", problem,
		    service_webhook_url_shown(url));
		return service_refuse_fields(fault);
	}
	if (change_run(service, caller, &caller->identity.tenant_id,
	    stage_body, (void *)(uintptr_t)url, fault) < 0)
		return fault_prefix(fault, "stage webhook");
	return 0;
}

static int
unstage_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct uuid *user_id = &change->identity.user_id;
	struct arena *arena = arena_new();
	const char *url;
	int found;

	(void)ctx;
	found = change_lock_tenant(change, fault);
	if (found == 0)
		found = change_judge_caller(change, fault);
	if (found == 0)
		found = user_store_pending_webhook(change->db,
		    &change->tenant_id, user_id, arena, &url, fault);
	arena_free(&arena);
	if (found <= 0)
		return found;
	if (user_store_clear_pending_webhook(change->db, &change->tenant_id,
	    user_id, fault) < 0)
		return fault_prefix(fault, "clear staged webhook");
	return change_audit(change, "user.webhook_unstaged", user_id, NULL,
	    NULL, fault);
}

int
webhook_service_unstage(struct service *service, const struct caller *caller,
    struct fault *fault)
{
	wuts_assert(caller->identity.kind == IDENTITY_USER);
	if (change_run(service, caller, &caller->identity.tenant_id,
	    unstage_body, NULL, fault) < 0)
		return fault_prefix(fault, "unstage webhook");
	return 0;
}

int
webhook_service_get_staged(struct service *service, struct arena *arena,
    const struct caller *caller, const char **url_r, struct fault *fault)
{
	wuts_assert(caller->identity.kind == IDENTITY_USER);
	if (user_store_pending_webhook(service->db,
	    &caller->identity.tenant_id, &caller->identity.user_id, arena,
	    url_r, fault) < 0)
		return fault_prefix(fault, "staged webhook");
	return 0;
}
