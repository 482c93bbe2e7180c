/* SPDX-License-Identifier: MIT */
/* What the files of the WUTS dialect share: the handlers that routes.c lists,
   the JSON shapes, and the few ways of taking a request apart that several
   handlers need. */
#ifndef WUTS_API_WUTS_PRIVATE_H
#define WUTS_API_WUTS_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "wuts/role.h"
#include "wuts/uuid.h"

struct api_key;
struct device;
struct device_code;
struct exchange;
struct fault;
struct json_writer;
struct tenant;
struct tenant_details;
struct user;
struct webhook;
struct webhook_scope;

/* --- handlers: 0, or -1 with the fault --- */

int tenants_register(struct exchange *x, struct fault *fault);
int tenants_list(struct exchange *x, struct fault *fault);
int tenants_get(struct exchange *x, struct fault *fault);
int tenants_delete(struct exchange *x, struct fault *fault);

int users_list(struct exchange *x, struct fault *fault);
int users_create(struct exchange *x, struct fault *fault);
int users_get(struct exchange *x, struct fault *fault);
int users_update(struct exchange *x, struct fault *fault);
int users_promote(struct exchange *x, struct fault *fault);
int users_delete(struct exchange *x, struct fault *fault);
int users_rotate_token(struct exchange *x, struct fault *fault);

int roles_show(struct exchange *x, struct fault *fault);

int api_keys_create(struct exchange *x, struct fault *fault);
int api_keys_list(struct exchange *x, struct fault *fault);
int api_keys_delete(struct exchange *x, struct fault *fault);

int audit_list(struct exchange *x, struct fault *fault);

int devices_create(struct exchange *x, struct fault *fault);
int devices_list(struct exchange *x, struct fault *fault);
int devices_list_of_user(struct exchange *x, struct fault *fault);
int devices_status(struct exchange *x, struct fault *fault);
int devices_disconnect(struct exchange *x, struct fault *fault);

int engine_relay(struct exchange *x, struct fault *fault);
int engine_code(struct exchange *x, struct fault *fault);

int events_accept(struct exchange *x, struct fault *fault);

int webhooks_configure(struct exchange *x, struct fault *fault);
int webhooks_get(struct exchange *x, struct fault *fault);
int webhooks_delete(struct exchange *x, struct fault *fault);
int webhooks_events(struct exchange *x, struct fault *fault);
int webhooks_rotate_secret(struct exchange *x, struct fault *fault);
int webhooks_test(struct exchange *x, struct fault *fault);

int deliveries_list(struct exchange *x, struct fault *fault);
int deliveries_replay_one(struct exchange *x, struct fault *fault);
int deliveries_replay_all(struct exchange *x, struct fault *fault);
int deliveries_get_replay(struct exchange *x, struct fault *fault);

int user_webhook_stage(struct exchange *x, struct fault *fault);
int user_webhook_get(struct exchange *x, struct fault *fault);
int user_webhook_unstage(struct exchange *x, struct fault *fault);

/* --- input --- */

/* The query parameter as a UUID. 1: *uuid_r; 0: absent; -1: malformed. */
int input_query_uuid(const struct exchange *x, const char *name,
    struct uuid *uuid_r, struct fault *fault);

/* ?name=true or false; false when absent. -1: anything else. */
int input_query_bool(const struct exchange *x, const char *name,
    bool *value_r, struct fault *fault);

/* The tenant that a request on a tenant's things is about: the caller's own,
   or ?tenant_id= for one who belongs to none. -1: missing or malformed. */
int input_tenant(const struct exchange *x, struct uuid *tenant_id_r,
    struct fault *fault);

/* Which webhook: ?device_id= or the caller's only device; with ?scope=tenant
   the tenant's own. -1: REFUSAL_VALIDATION, REFUSAL_FORBIDDEN,
   REFUSAL_DEVICE_NOT_FOUND, FAULT_DATABASE. */
int input_webhook_scope(struct exchange *x, struct webhook_scope *scope_r,
    struct fault *fault);

/* -1: REFUSAL_VALIDATION naming field. */
int input_role(const char *field, const char *name, enum role *role_r,
    struct fault *fault);

/* --- shapes --- */

/* webhook_configured, webhook_url (url not NULL) and note, of an answer to a
   registration. */
void shape_staged_webhook(struct json_writer *w, const char *url);

/* "key": [n names of the catalogue from the first on]. */
void shape_event_names(struct json_writer *w, const char *key, size_t first,
    size_t n);

/* The end of a page; nothing where no page was asked for (limit 0). */
void shape_next_cursor(struct json_writer *w, unsigned limit,
    const char *next_cursor);

/* One object each. */
void shape_tenant(struct json_writer *w, const struct tenant *tenant);
/* A tenant with its counts. */
void shape_tenant_details(struct json_writer *w,
    const struct tenant_details *details);
/* token NULL: without. */
void shape_user(struct json_writer *w, const struct user *user,
    const char *token);
/* webhook_url "": without. */
void shape_device(struct json_writer *w, const struct device *device,
    const char *webhook_url);
/* The shorter form. */
void shape_device_summary(struct json_writer *w, const struct device *device);
/* code, reported_at, expires_at: null for a code "". */
void shape_device_code(struct json_writer *w, const struct device_code *code);
/* device_id, connected, logged_in, whatsapp_jid, last_seen: members of an
   object that stands open. */
void shape_device_state(struct json_writer *w, const struct device *device);
/* secret NULL: without. */
void shape_webhook(struct json_writer *w, const struct webhook *webhook,
    const char *secret);

/* Never the key itself: that is a member of its own, once. */
void shape_api_key(struct json_writer *w, const struct api_key *key);

#endif
