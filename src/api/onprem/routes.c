/* SPDX-License-Identifier: MIT */
/* The surface of the On-Premises dialect on one page, in the order of
   spec/onprem.md §1.1: what exists, and who may call it. Patterns are written
   without the prefix. */
#include "config.h"

#include "wuts/api.h"
#include "wuts/fault.h"
#include "wuts/http.h"

#include "onprem_private.h"

#include <string.h>

/* For load balancers and container probes, on a server that is this dialect's
   alone; "/v1/" is no such thing. */
int
root_greet(struct exchange *x, struct fault *fault)
{
	static const char text[] = "WUTS\n";

	if (strcmp(x->request.path, "/") != 0)
		return fault_say(fault, REFUSAL_NOT_FOUND, "no such path");
	response_status(x, 200);
	response_header(x, "Content-Type", "text/plain; charset=utf-8");
	strbuf_append_str(&x->response.body, text);
	return 0;
}

/* Bodies, of whatever media type they say they are. */
#define JSON (ROUTE_ANY_MEDIA | ROUTE_BODY_KIB(64))
#define PEM (ROUTE_ANY_MEDIA | ROUTE_BODY_KIB(256))

#define RELAYED(method, pattern, access) { HTTP_##method, pattern, \
	ACCESS_##access, relay_authorise, ROUTE_RELAY | ROUTE_ANY_MEDIA }

static const struct route routes[] = {
	{ HTTP_GET, "/", ACCESS_PUBLIC, root_greet, 0 },

	{ HTTP_POST, "/users/login", ACCESS_PUBLIC, accounts_login, JSON },
	{ HTTP_POST, "/users/logout", ACCESS_MEMBER, accounts_logout, JSON },
	{ HTTP_POST, "/users", ACCESS_ADMIN, accounts_create, JSON },
	{ HTTP_GET, "/users/{username}", ACCESS_MEMBER, accounts_get, 0 },
	{ HTTP_PUT, "/users/{username}", ACCESS_MEMBER, accounts_update, JSON },
	{ HTTP_DELETE, "/users/{username}", ACCESS_ADMIN, accounts_delete, JSON },

	{ HTTP_GET, "/settings/application", ACCESS_ADMIN, settings_get, 0 },
	{ HTTP_PATCH, "/settings/application", ACCESS_ADMIN, settings_patch,
	    JSON },
	{ HTTP_DELETE, "/settings/application", ACCESS_ADMIN, settings_reset,
	    JSON },

	{ HTTP_POST, "/certificates/webhooks/ca", ACCESS_ADMIN,
	    certificates_set_ca, PEM },
	{ HTTP_GET, "/certificates/webhooks/ca", ACCESS_ADMIN,
	    certificates_get_ca, 0 },
	{ HTTP_DELETE, "/certificates/webhooks/ca", ACCESS_ADMIN,
	    certificates_delete_ca, JSON },
	{ HTTP_POST, "/certificates/external", ACCESS_ADMIN,
	    certificates_set_external, PEM },
	{ HTTP_GET, "/certificates/external/ca", ACCESS_MEMBER,
	    certificates_get_external_ca, 0 },

	{ HTTP_GET, "/health", ACCESS_MEMBER, health_get, ONPREM_APIKEY },
	{ HTTP_GET, "/metrics", ACCESS_MEMBER, metrics_get, ONPREM_APIKEY },
	{ HTTP_GET, "/stats/app", ACCESS_MEMBER, stats_get_app,
	    ONPREM_APIKEY },
	{ HTTP_GET, "/stats/db", ACCESS_MEMBER, stats_get_db, ONPREM_APIKEY },
	{ HTTP_GET, "/support", ACCESS_MEMBER, support_get, 0 },

	/* The engine's, by way of nginx (§7). */
	RELAYED(POST, "/account", ADMIN),
	RELAYED(POST, "/account/verify", ADMIN),
	RELAYED(POST, "/account/shards", ADMIN),
	RELAYED(GET, "/settings/application/media/providers", ADMIN),
	RELAYED(POST, "/settings/application/media/providers", ADMIN),
	RELAYED(DELETE, "/settings/application/media/providers/{name}", ADMIN),
	RELAYED(POST, "/contacts", MEMBER),
	RELAYED(GET, "/contacts/{wa_id}/identity", MEMBER),
	RELAYED(PUT, "/contacts/{wa_id}/identity", MEMBER),
	RELAYED(GET, "/groups", MEMBER),
	RELAYED(POST, "/groups", MEMBER),
	RELAYED(GET, "/groups/{id}", MEMBER),
	RELAYED(PUT, "/groups/{id}", MEMBER),
	RELAYED(PATCH, "/groups/{id}/admins", MEMBER),
	RELAYED(DELETE, "/groups/{id}/admins", MEMBER),
	RELAYED(GET, "/groups/{id}/icon", MEMBER),
	RELAYED(POST, "/groups/{id}/icon", MEMBER),
	RELAYED(DELETE, "/groups/{id}/icon", MEMBER),
	RELAYED(GET, "/groups/{id}/invite", MEMBER),
	RELAYED(DELETE, "/groups/{id}/invite", MEMBER),
	RELAYED(POST, "/groups/{id}/leave", MEMBER),
	RELAYED(DELETE, "/groups/{id}/participants", MEMBER),
	RELAYED(POST, "/media", MEMBER),
	RELAYED(GET, "/media/{id}", MEMBER),
	RELAYED(DELETE, "/media/{id}", MEMBER),
	RELAYED(POST, "/messages", MEMBER),
	RELAYED(PUT, "/messages/{id}", MEMBER),
	RELAYED(POST, "/settings/account/two-step", ADMIN),
	RELAYED(DELETE, "/settings/account/two-step", ADMIN),
	RELAYED(POST, "/settings/backup", ADMIN),
	RELAYED(POST, "/settings/restore", ADMIN),
	RELAYED(GET, "/settings/business/profile", ADMIN),
	RELAYED(POST, "/settings/business/profile", ADMIN),
	RELAYED(GET, "/settings/business/compliance_info", ADMIN),
	RELAYED(POST, "/settings/business/compliance_info", ADMIN),
	RELAYED(GET, "/settings/profile/about", ADMIN),
	RELAYED(PATCH, "/settings/profile/about", ADMIN),
	RELAYED(GET, "/settings/profile/photo", ADMIN),
	RELAYED(POST, "/settings/profile/photo", ADMIN),
	RELAYED(DELETE, "/settings/profile/photo", ADMIN),
	RELAYED(PUT, "/services/message/gc", ADMIN),
	RELAYED(PUT, "/services/media/gc", ADMIN),
	RELAYED(GET, "/stickerpacks", MEMBER),
	RELAYED(POST, "/stickerpacks", MEMBER),
	RELAYED(GET, "/stickerpacks/{id}", MEMBER),
	RELAYED(PATCH, "/stickerpacks/{id}", MEMBER),
	RELAYED(DELETE, "/stickerpacks/{id}", MEMBER),
	RELAYED(GET, "/stickerpacks/{id}/stickers", MEMBER),
	RELAYED(POST, "/stickerpacks/{id}/stickers", MEMBER),
	RELAYED(GET, "/stickerpacks/{id}/stickers/{index}", MEMBER),
	RELAYED(PATCH, "/stickerpacks/{id}/stickers/{index}", MEMBER),
	RELAYED(DELETE, "/stickerpacks/{id}/stickers/{index}", MEMBER)
};

const struct dialect api_onprem = {
	.name = "onprem",
	.routes = routes,
	.nroutes = sizeof(routes) / sizeof(routes[0]),
	.write_error = onprem_write_error,
	.prefix = "/v1",
	.authenticate = onprem_authenticate,
	.add_headers = onprem_add_headers,
	.flags = DIALECT_TRAILING_SLASH
};
