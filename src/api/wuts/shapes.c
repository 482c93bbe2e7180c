/* SPDX-License-Identifier: MIT */
/* How the things of the WUTS dialect look in JSON (spec/wuts.md §4), and the
   ways of taking a request apart that its handlers share. */
#include "config.h"

#include "wuts/api_key.h"
#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/device.h"
#include "wuts/event.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/tenant_service.h"
#include "wuts/user.h"
#include "wuts/webhook.h"

#include "wuts_private.h"

#include <string.h>

#define WEBHOOK_ID_TEXT_SIZE (3 + 2 * WEBHOOK_ID_LEN + 1)

int
input_query_uuid(const struct exchange *x, const char *name,
    struct uuid *uuid_r, struct fault *fault)
{
	const char *text = request_query(x, name);

	if (text == NULL)
		return 0;
	if (!uuid_parse(text, strlen(text), uuid_r))
		return fault_add_field(fault, name, "must be a UUID", text);
	return 1;
}

int
input_query_bool(const struct exchange *x, const char *name, bool *value_r,
    struct fault *fault)
{
	const char *text = request_query(x, name);

	*value_r = text != NULL && strcmp(text, "true") == 0;
	if (text == NULL || *value_r || strcmp(text, "false") == 0)
		return 0;
	return fault_add_field(fault, name, "must be true or false", text);
}

int
input_tenant(const struct exchange *x, struct uuid *tenant_id_r,
    struct fault *fault)
{
	int found;

	if (!identity_is_super(&x->caller.identity)) {
		*tenant_id_r = x->caller.identity.tenant_id;
		return 0;
	}
	found = input_query_uuid(x, "tenant_id", tenant_id_r, fault);
	if (found < 0)
		return -1;
	if (found == 0)
		return fault_add_field(fault, "tenant_id",
		    "is required with the master token", NULL);
	return 0;
}

int
input_role(const char *field, const char *name, enum role *role_r,
    struct fault *fault)
{
	if (role_parse(name, role_r))
		return 0;
	return fault_add_field(fault, field, "must be admin, manager or user",
	    name);
}

void
shape_staged_webhook(struct json_writer *w, const char *url)
{
	json_member_bool(w, "webhook_configured", url != NULL);
	if (url == NULL) {
		json_member_text(w, "note", "No webhook_url was given: "
		    "configure one with POST /webhook");
		return;
	}
	json_member_text(w, "webhook_url", url);
	json_member_text(w, "note", "Webhook will be auto-configured when "
	    "WhatsApp device is connected");
}

void
shape_event_names(struct json_writer *w, const char *key, size_t first,
    size_t n)
{
	size_t i;

	json_write_key(w, key);
	json_write_array_begin(w);
	for (i = 0; i < n; i++)
		json_write_string(w, event_name(first + i));
	json_write_array_end(w);
}

void
shape_next_cursor(struct json_writer *w, unsigned limit,
    const char *next_cursor)
{
	if (limit == 0)
		return;
	json_write_key(w, "next_cursor");
	if (next_cursor != NULL)
		json_write_string(w, next_cursor);
	else
		json_write_null(w);
}

static void
write_tenant_members(struct json_writer *w, const struct tenant *tenant)
{
	json_member_uuid(w, "id", &tenant->id);
	json_member_text(w, "name", tenant->name);
	json_member_time(w, "created_at", tenant->created_us);
	json_member_time(w, "updated_at", tenant->updated_us);
}

void
shape_tenant(struct json_writer *w, const struct tenant *tenant)
{
	json_write_object_begin(w);
	write_tenant_members(w, tenant);
	json_write_object_end(w);
}

void
shape_tenant_details(struct json_writer *w,
    const struct tenant_details *details)
{
	json_write_object_begin(w);
	write_tenant_members(w, &details->tenant);
	json_member_int(w, "users", (int64_t)details->users);
	json_member_int(w, "devices", (int64_t)details->devices);
	json_write_object_end(w);
}

void
shape_user(struct json_writer *w, const struct user *user, const char *token)
{
	json_write_object_begin(w);
	json_member_uuid(w, "id", &user->id);
	json_member_uuid(w, "tenant_id", &user->tenant_id);
	json_member_text(w, "email", user->email);
	json_member_text(w, "role", role_name(user->role));
	if (token != NULL)
		json_member_text(w, "token", token);
	json_member_bool(w, "active", user->active);
	json_member_time(w, "created_at", user->created_us);
	json_member_time(w, "updated_at", user->updated_us);
	json_write_object_end(w);
}

void
shape_device(struct json_writer *w, const struct device *device,
    const char *webhook_url)
{
	json_write_object_begin(w);
	json_member_uuid(w, "id", &device->id);
	json_member_uuid(w, "user_id", &device->user_id);
	json_member_text(w, "name", device->name);
	if (device->jid[0] != '\0')
		json_member_text(w, "whatsapp_jid", device->jid);
	json_member_bool(w, "connected", device->connected);
	if (device->last_seen_us != 0)
		json_member_time(w, "last_seen", device->last_seen_us);
	if (webhook_url[0] != '\0')
		json_member_text(w, "webhook_url", webhook_url);
	json_member_time(w, "created_at", device->created_us);
	json_member_time(w, "updated_at", device->updated_us);
	json_write_object_end(w);
}

void
shape_device_summary(struct json_writer *w, const struct device *device)
{
	json_write_object_begin(w);
	json_member_uuid(w, "id", &device->id);
	json_member_text(w, "name", device->name);
	json_member_bool(w, "connected", device->connected);
	json_member_time_or_null(w, "last_seen", device->last_seen_us);
	json_member_time(w, "created_at", device->created_us);
	json_write_object_end(w);
}

void
shape_device_state(struct json_writer *w, const struct device *device)
{
	json_member_uuid(w, "device_id", &device->id);
	json_member_bool(w, "connected", device->connected);
	json_member_bool(w, "logged_in", device_is_logged_in(device));
	json_member_text_or_null(w, "whatsapp_jid", device->jid);
	json_member_time_or_null(w, "last_seen", device->last_seen_us);
}

void
shape_device_code(struct json_writer *w, const struct device_code *code)
{
	json_member_text_or_null(w, "code", code->text);
	json_member_time_or_null(w, "reported_at", code->reported_us);
	json_member_time_or_null(w, "expires_at",
	    code->reported_us == 0 ? 0 :
	    code->reported_us + DEVICE_CODE_LIFE_US);
}

static void
format_webhook_id(const struct webhook *webhook,
    char text_r[WEBHOOK_ID_TEXT_SIZE])
{
	memcpy(text_r, "wh_", 3);
	crypto_hex(webhook->id, WEBHOOK_ID_LEN, text_r + 3);
}

static void
shape_webhook_headers(struct json_writer *w, const struct webhook *webhook)
{
	size_t i;

	json_write_key(w, "headers");
	json_write_object_begin(w);
	for (i = 0; i < webhook->nheaders; i++)
		json_member_text(w, webhook->headers[i].name,
		    webhook->headers[i].value);
	json_write_object_end(w);
}

void
shape_webhook(struct json_writer *w, const struct webhook *webhook,
    const char *secret)
{
	char id[WEBHOOK_ID_TEXT_SIZE];

	format_webhook_id(webhook, id);
	json_write_object_begin(w);
	json_member_text(w, "id", id);
	if (!uuid_is_nil(&webhook->device_id))
		json_member_uuid(w, "device_id", &webhook->device_id);
	json_member_text(w, "webhook_url", webhook->url);
	json_write_key(w, "enabled_events");
	json_write_raw(w, webhook->enabled_events,
	    strlen(webhook->enabled_events));
	json_member_bool(w, "enabled", webhook->enabled);
	json_member_int(w, "retry_attempts", webhook->retry_attempts);
	json_member_int(w, "timeout", webhook->timeout_s);
	json_member_bool(w, "ordered", webhook->ordered);
	json_member_int(w, "max_concurrency", webhook->max_concurrency);
	json_member_int(w, "rate_limit", webhook->rate_limit);
	shape_webhook_headers(w, webhook);
	if (secret != NULL)
		json_member_text(w, "secret", secret);
	json_member_time(w, "created_at", webhook->created_us);
	json_member_time(w, "updated_at", webhook->updated_us);
	json_write_object_end(w);
}

void
shape_api_key(struct json_writer *w, const struct api_key *key)
{
	json_write_object_begin(w);
	json_member_uuid(w, "id", &key->id);
	json_member_text(w, "name", key->name);
	json_member_text(w, "prefix", key->prefix);
	json_member_text(w, "scope", api_key_scope_name(key->scope));
	json_member_time(w, "created_at", key->created_us);
	json_member_time_or_null(w, "expires_at", key->expires_us);
	json_member_time_or_null(w, "last_used_at", key->last_used_us);
	json_write_object_end(w);
}
