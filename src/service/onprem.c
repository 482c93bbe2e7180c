/* SPDX-License-Identifier: MIT */
/* Tenants that speak the On-Premises dialect: which one is meant, making and
   unmaking them, their application settings. */
#include "config.h"

#include "wuts/onprem_service.h"

#include "service_private.h"
#include "wuts/arena.h"
#include "wuts/fault.h"
#include "wuts/generations.h"
#include "wuts/json.h"
#include "wuts/onprem_store.h"
#include "wuts/operator_service.h"
#include "wuts/schema_store.h"
#include "wuts/settings.h"
#include "wuts/tenant.h"

#include <string.h>

/* --- which tenant --- */

static int
not_ready(struct fault *fault, const char *what)
{
	return fault_say(fault, FAULT_NOT_READY, "%s", what);
}

/* A database that answers, but not about this, has the schema of another
   release. */
static int
look_at_schema(struct service *service, struct fault *fault)
{
	struct fault ignored;
	unsigned version;

	fault_clear(&ignored);
	if (fault->code != FAULT_DATABASE ||
	    schema_store_version(service->db, &version, &ignored) < 0 ||
	    version == SCHEMA_VERSION)
		return -1;
	return not_ready(fault, "The database schema is not that of this "
	    "release: run wutsctl migrate");
}

static int
read_binding(struct service *service, const char *text,
    struct uuid *tenant_id_r, struct fault *fault)
{
	struct arena *arena;
	struct onprem onprem;
	struct tenant tenant;
	int found;

	found = operator_service_find_tenant(service, text, &tenant, fault);
	if (found < 0)
		return look_at_schema(service, fault);
	if (found == 0)
		return not_ready(fault, "The tenant that "
		    "$wuts_onprem_tenant (WUTS_TENANT) in nginx's server "
		    "block, or the setting onprem_tenant, names does not "
		    "exist");
	arena = arena_new();
	found = onprem_store_find(service->db, arena, &tenant.id, &onprem,
	    fault);
	arena_free(&arena);
	if (found < 0)
		return look_at_schema(service, fault);
	if (found == 0)
		return not_ready(fault, "The tenant does not speak this "
		    "dialect: run wutsctl onprem enable TENANT");
	*tenant_id_r = tenant.id;
	return 0;
}

/* Where nobody says which one, the only one is meant. */
static int
read_only_one(struct service *service, struct uuid *tenant_id_r,
    struct fault *fault)
{
	int count = onprem_store_find_only(service->db, tenant_id_r, fault);

	if (count < 0)
		return look_at_schema(service, fault);
	return count == 1 ? 0 : not_ready(fault, count == 0 ?
	    "No tenant speaks this dialect: run wutsctl onprem enable TENANT" :
	    "Which tenant? Set $wuts_onprem_tenant (WUTS_TENANT) in nginx's "
	    "server block, or the setting onprem_tenant");
}

int
onprem_service_bind(struct service *service, const char *text,
    struct uuid *tenant_id_r, struct fault *fault)
{
	uint8_t key[CRYPTO_HASH_LEN];
	const struct uuid *remembered;
	struct memory_read read;

	if (text[0] == '\0')
		text = service->settings->onprem_tenant;
	crypto_sha256(text, strlen(text), key);
	remembered = memory_find(service, &service->bindings, key, NULL,
	    NULL, &read);
	if (remembered != NULL) {
		*tenant_id_r = *remembered;
		return 0;
	}
	if ((text[0] == '\0' ? read_only_one(service, tenant_id_r, fault) :
	    read_binding(service, text, tenant_id_r, fault)) < 0)
		return fault_prefix(fault, "which tenant");
	memory_put(service, &service->bindings, key, tenant_id_r, &read);
	return 0;
}

/* --- enable, disable --- */

struct onprem_enabling {
	struct new_user admin;
	bool was_enabled;
	struct uuid only;		/* the only one before; nil: none */
	struct user *admin_r;
};

static int
insert_settings(struct change *change, struct onprem_enabling *enabling,
    struct fault *fault)
{
	struct onprem onprem = {
		.tenant_id = change->tenant_id,
		.updated_us = change->now_us
	};
	int inserted;

	onprem_settings_init(&onprem.settings);
	inserted = onprem_store_insert(change->db, &onprem, fault);
	if (inserted < 0)
		return fault_prefix(fault, "insert settings");
	enabling->was_enabled = inserted == 0;
	return inserted == 0 ? 0 : change_audit(change, "onprem.enabled",
	    &change->tenant_id, NULL, NULL, fault);
}

static int
enable_body(struct change *change, void *ctx, struct fault *fault)
{
	struct onprem_enabling *enabling = ctx;
	char hash[CRYPTO_PASSWORD_HASH_MAX];
	int found;

	if (change_lock_tenant(change, fault) < 0)
		return -1;
	found = onprem_store_find_only(change->db, &enabling->only, fault);
	if (found < 0)
		return fault_prefix(fault, "find enabled tenants");
	if (found != 1)
		enabling->only = UUID_NIL;
	if (insert_settings(change, enabling, fault) < 0)
		return -1;
	found = user_store_find_password_by_username(change->db,
	    &change->tenant_id, ONPREM_ADMIN, enabling->admin_r, hash, fault);
	crypto_wipe(hash, sizeof(hash));
	if (found < 0)
		return fault_prefix(fault, "find account");
	return found == 1 ? 0 :
	    new_user_insert(change, &enabling->admin, fault);
}

int
onprem_service_enable(struct service *service, const struct caller *caller,
    const struct uuid *tenant_id, bool *was_enabled_r, struct user *admin_r,
    struct fault *fault)
{
	struct onprem_enabling enabling = { .admin_r = admin_r };
	char token[UUID_TEXT_LEN + 1];
	struct user *user = &enabling.admin.user;
	int ret;

	fault_clear(fault);
	if (!identity_is_super(&caller->identity))
		return service_refuse_forbidden(fault);
	memcpy(user->username, ONPREM_ADMIN, sizeof(ONPREM_ADMIN));
	user->role = ROLE_ADMIN;
	user->must_change_password = true;
	enabling.admin.username_in_any_case = true;
	enabling.admin.user_r = admin_r;
	ret = new_user_prepare(service, caller, &enabling.admin,
	    service->settings->onprem_admin_password, token, fault);
	crypto_wipe(token, sizeof(token));
	if (ret == 0)
		ret = change_run(service, caller, tenant_id, enable_body,
		    &enabling, fault);
	*was_enabled_r = enabling.was_enabled;
	/* It is remembered as the one that is meant where nobody says which. */
	if (ret == 0 && !uuid_is_nil(&enabling.only))
		generations_bump(service->generations, &enabling.only);
	crypto_wipe(&enabling.admin, sizeof(enabling.admin));
	if (ret < 0 && fault->code == REFUSAL_USERNAME_EXISTS)
		return fault_say(fault, REFUSAL_USERNAME_EXISTS,
		    "a user is called " ONPREM_ADMIN " in other letters:"
		    " rename it first");
	return ret < 0 ? fault_prefix(fault, "enable the dialect") : 0;
}

static int
disable_body(struct change *change, void *ctx, struct fault *fault)
{
	bool *was_enabled = ctx;
	int deleted;

	if (change_lock_tenant(change, fault) < 0)
		return -1;
	deleted = onprem_store_delete(change->db, &change->tenant_id, fault);
	if (deleted < 0 || onprem_store_delete_ca(change->db,
	    &change->tenant_id, fault) < 0)
		return fault_prefix(fault, "delete settings");
	*was_enabled = deleted == 1;
	return deleted == 0 ? 0 : change_audit(change, "onprem.disabled",
	    &change->tenant_id, NULL, NULL, fault);
}

int
onprem_service_disable(struct service *service, const struct caller *caller,
    const struct uuid *tenant_id, bool *was_enabled_r, struct fault *fault)
{
	fault_clear(fault);
	if (!identity_is_super(&caller->identity))
		return service_refuse_forbidden(fault);
	if (change_run(service, caller, tenant_id, disable_body,
	    was_enabled_r, fault) < 0)
		return fault_prefix(fault, "disable the dialect");
	return 0;
}

/* --- settings --- */

int
onprem_service_get(struct service *service, const struct uuid *tenant_id,
    struct onprem *onprem_r, struct fault *fault)
{
	struct arena *arena = arena_new();
	int found;

	found = onprem_store_find(service->db, arena, tenant_id, onprem_r,
	    fault);
	arena_free(&arena);
	return found < 0 ? fault_prefix(fault, "find settings") : found;
}

int
onprem_keep_admin(struct change *change, const struct user *user,
    struct fault *fault)
{
	struct arena *arena;
	struct onprem onprem;
	int found;

	if (change->identity.kind == IDENTITY_OPERATOR ||
	    strcmp(user->username, ONPREM_ADMIN) != 0)
		return 0;
	arena = arena_new();
	found = onprem_store_find(change->db, arena, &change->tenant_id,
	    &onprem, fault);
	arena_free(&arena);
	if (found < 0)
		return fault_prefix(fault, "find settings");
	return found == 0 ? 0 : fault_say(fault, REFUSAL_FORBIDDEN,
	    "the account admin of the On-Premises API must stay");
}

struct onprem_patch {
	const json_t *patch;	/* NULL: back to the defaults */
};

/* A URL may hold a key of the receiver's: the trail has its origin only. */
static void
describe(struct strbuf *out, const struct onprem_settings *settings)
{
	struct onprem_settings shown = *settings;
	struct json_writer w;
	char *host = strstr(shown.webhook_url, "://");

	if (host != NULL) {
		host += 3;
		host[strcspn(host, "/?")] = '\0';
	}
	json_writer_init(&w, out);
	onprem_settings_write(&w, &shown, NULL);
}

static int
tell_patched(struct change *change, const struct onprem_settings *before,
    const struct onprem_settings *after, struct fault *fault)
{
	struct strbuf old_value = STRBUF_INIT, new_value = STRBUF_INIT;
	int ret;

	describe(&old_value, before);
	describe(&new_value, after);
	ret = change_audit(change, "onprem.settings_changed",
	    &change->tenant_id, old_value.data, new_value.data, fault);
	strbuf_deinit(&old_value);
	strbuf_deinit(&new_value);
	return ret;
}

int
onprem_lock_as_admin(struct change *change, struct fault *fault)
{
	if (change_lock_tenant(change, fault) < 0 ||
	    change_judge_caller(change, fault) < 0)
		return -1;
	return service_is_admin(&change->identity, &change->tenant_id) ? 0 :
	    service_refuse_forbidden(fault);
}

static int
merge(struct onprem_settings *settings, const json_t *patch,
    struct fault *fault)
{
	const char *problem;

	if (onprem_settings_merge(settings, patch, fault) < 0)
		return -1;
	problem = json_object_get(json_object_get(patch, "webhooks"),
	    "url") == NULL || settings->webhook_url[0] == '\0' ? NULL :
	    onprem_url_check_host(settings->webhook_url);
	if (problem == NULL)
		return 0;
	fault_add_field(fault, "webhooks.url", problem, NULL);
	return service_refuse_fields(fault);
}

static int
patch_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct onprem_patch *patch = ctx;
	struct onprem_settings before;
	struct onprem onprem;
	struct arena *arena;
	int found;

	if (onprem_lock_as_admin(change, fault) < 0)
		return -1;
	arena = arena_new();
	found = onprem_store_lock(change->db, arena, &change->tenant_id,
	    &onprem, fault);
	arena_free(&arena);
	if (found < 0)
		return fault_prefix(fault, "lock settings");
	if (found == 0)
		return not_ready(fault, "The tenant does not speak this "
		    "dialect any more");
	before = onprem.settings;
	if (patch->patch == NULL)
		onprem_settings_init(&onprem.settings);
	else if (merge(&onprem.settings, patch->patch, fault) < 0)
		return -1;
	onprem.updated_us = change_time_after(change, onprem.updated_us);
	if (onprem_store_update(change->db, &onprem, fault) < 0)
		return fault_prefix(fault, "update settings");
	return tell_patched(change, &before, &onprem.settings, fault);
}

static int
run_patch(struct service *service, const struct caller *caller,
    const struct uuid *tenant_id, const json_t *json, struct fault *fault)
{
	struct onprem_patch patch = { .patch = json };

	fault_clear(fault);
	if (change_run(service, caller, tenant_id, patch_body, &patch,
	    fault) < 0)
		return fault_prefix(fault, "change settings");
	return 0;
}

int
onprem_service_patch(struct service *service, const struct caller *caller,
    const struct uuid *tenant_id, const json_t *patch, struct fault *fault)
{
	return run_patch(service, caller, tenant_id, patch, fault);
}

int
onprem_service_reset(struct service *service, const struct caller *caller,
    const struct uuid *tenant_id, struct fault *fault)
{
	return run_patch(service, caller, tenant_id, NULL, fault);
}
