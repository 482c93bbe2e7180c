/* SPDX-License-Identifier: MIT */
/* The surface of the WUTS dialect on one page, in the order of spec/wuts.md §4:
   what exists, and who may call it. What depends on the target of a call is
   decided below the handlers, by the services. */
#include "config.h"

#include "wuts/api.h"
#include "wuts/http.h"

#include "wuts_private.h"

static const struct route routes[] = {
	{ HTTP_POST, "/register", ACCESS_MASTER, tenants_register, 0 },
	{ HTTP_GET, "/tenants", ACCESS_MASTER, tenants_list, 0 },
	{ HTTP_GET, "/global/tenants/{id}", ACCESS_MASTER, tenants_get, 0 },
	{ HTTP_DELETE, "/global/tenants/{id}", ACCESS_MASTER,
	    tenants_delete, 0 },

	{ HTTP_GET, "/users", ACCESS_ADMIN, users_list, 0 },
	{ HTTP_POST, "/users", ACCESS_ADMIN, users_create, 0 },
	{ HTTP_GET, "/users/{id}", ACCESS_MEMBER, users_get,
	    ROUTE_READS_USER },
	{ HTTP_PUT, "/users/{id}", ACCESS_MEMBER, users_update, 0 },
	{ HTTP_POST, "/users/{id}/promote", ACCESS_MEMBER, users_promote, 0 },
	{ HTTP_DELETE, "/users/{id}", ACCESS_MEMBER, users_delete, 0 },
	{ HTTP_POST, "/users/{id}/token", ACCESS_MEMBER,
	    users_rotate_token, 0 },
	{ HTTP_GET, "/roles", ACCESS_ADMIN, roles_show, 0 },
	{ HTTP_POST, "/api-keys", ACCESS_ADMIN, api_keys_create, 0 },
	{ HTTP_GET, "/api-keys", ACCESS_ADMIN, api_keys_list, 0 },
	{ HTTP_DELETE, "/api-keys/{id}", ACCESS_ADMIN, api_keys_delete, 0 },
	{ HTTP_GET, "/audit", ACCESS_ADMIN, audit_list, 0 },

	{ HTTP_POST, "/devices", ACCESS_USER, devices_create, 0 },
	{ HTTP_GET, "/devices", ACCESS_MEMBER, devices_list, 0 },
	{ HTTP_GET, "/user/devices", ACCESS_USER, devices_list_of_user, 0 },
	{ HTTP_DELETE, "/devices/{deviceID}", ACCESS_MEMBER,
	    devices_disconnect, 0 },
	{ HTTP_GET, "/status", ACCESS_MEMBER, devices_status, 0 },
	{ HTTP_POST, "/connect", ACCESS_MEMBER, engine_relay, ROUTE_RELAY },
	{ HTTP_POST, "/disconnect", ACCESS_MEMBER, engine_relay, ROUTE_RELAY },
	{ HTTP_POST, "/logout", ACCESS_MEMBER, engine_relay, ROUTE_RELAY },
	{ HTTP_GET, "/qr", ACCESS_MEMBER, engine_relay, ROUTE_RELAY },
	{ HTTP_GET, "/qr/status", ACCESS_MEMBER, engine_code, 0 },
	{ HTTP_POST, "/paircode", ACCESS_MEMBER, engine_relay, ROUTE_RELAY },
	{ HTTP_POST, "/devices/{deviceID}/events", ACCESS_ENGINE,
	    events_accept, ROUTE_INGEST },

	{ HTTP_POST, "/webhook", ACCESS_MEMBER, webhooks_configure, 0 },
	{ HTTP_GET, "/webhook", ACCESS_MEMBER, webhooks_get, 0 },
	{ HTTP_DELETE, "/webhook", ACCESS_MEMBER, webhooks_delete, 0 },
	{ HTTP_GET, "/webhook/events", ACCESS_MEMBER, webhooks_events, 0 },
	{ HTTP_POST, "/webhook/test", ACCESS_MEMBER, webhooks_test, 0 },
	{ HTTP_GET, "/webhook/deliveries", ACCESS_MEMBER, deliveries_list, 0 },
	{ HTTP_POST, "/webhook/deliveries/{id}/replay", ACCESS_MEMBER,
	    deliveries_replay_one, 0 },
	{ HTTP_POST, "/webhook/replay", ACCESS_MEMBER,
	    deliveries_replay_all, 0 },
	{ HTTP_GET, "/webhook/replay/{id}", ACCESS_MEMBER,
	    deliveries_get_replay, 0 },
	{ HTTP_POST, "/webhook/secret", ACCESS_MEMBER,
	    webhooks_rotate_secret, 0 },
	{ HTTP_POST, "/user/webhook", ACCESS_USER, user_webhook_stage, 0 },
	{ HTTP_GET, "/user/webhook", ACCESS_USER, user_webhook_get, 0 },
	{ HTTP_DELETE, "/user/webhook", ACCESS_USER, user_webhook_unstage, 0 }
};

const struct dialect api_wuts = {
	.name = "wuts",
	.routes = routes,
	.nroutes = sizeof(routes) / sizeof(routes[0]),
	.write_error = api_wuts_write_error,
	.flags = DIALECT_IDEMPOTENT
};
