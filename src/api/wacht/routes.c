/* SPDX-License-Identifier: MIT */
/* The whole surface of the Wacht users dialect, in the order of spec/wacht.md
   §3. Patterns are written without the prefix: the same routes stand at the
   root of a server that nginx has given to this dialect alone. */
#include "config.h"

#include "wuts/api.h"
#include "wuts/http.h"

#include "details_private.h"
#include "wacht_private.h"

static const struct route routes[] = {
	{ HTTP_GET, "/users", ACCESS_ADMIN, wacht_users_list, WACHT_NO_BODY },
	{ HTTP_POST, "/users", ACCESS_ADMIN, wacht_users_create, WACHT_FORM },
	{ HTTP_GET, "/users/{user_id}/details", ACCESS_ADMIN,
	    wacht_users_get, WACHT_NO_BODY },
	{ HTTP_PATCH, "/users/{user_id}", ACCESS_ADMIN, wacht_users_update,
	    WACHT_FORM },
	{ HTTP_DELETE, "/users/{user_id}", ACCESS_ADMIN, wacht_users_delete,
	    WACHT_NO_BODY },
	{ HTTP_PATCH, "/users/{user_id}/password", ACCESS_ADMIN,
	    wacht_password_set, WACHT_JSON },
	{ HTTP_DELETE, "/users/{user_id}/password", ACCESS_ADMIN,
	    wacht_password_remove, WACHT_NO_BODY },

	{ HTTP_POST, "/users/{user_id}/emails", ACCESS_ADMIN,
	    wacht_emails_add, WACHT_JSON },
	{ HTTP_PATCH, "/users/{user_id}/emails/{email_id}", ACCESS_ADMIN,
	    wacht_emails_update, WACHT_JSON },
	{ HTTP_DELETE, "/users/{user_id}/emails/{email_id}", ACCESS_ADMIN,
	    wacht_emails_delete, WACHT_NO_BODY },
	{ HTTP_POST, "/users/{user_id}/emails/{email_id}/make-primary",
	    ACCESS_ADMIN, wacht_emails_make_primary, WACHT_NO_BODY },

	{ HTTP_POST, "/users/{user_id}/phones", ACCESS_ADMIN,
	    wacht_phones_add, WACHT_JSON },
	{ HTTP_PATCH, "/users/{user_id}/phones/{phone_id}", ACCESS_ADMIN,
	    wacht_phones_update, WACHT_JSON },
	{ HTTP_DELETE, "/users/{user_id}/phones/{phone_id}", ACCESS_ADMIN,
	    wacht_phones_delete, WACHT_NO_BODY },
	{ HTTP_POST, "/users/{user_id}/phones/{phone_id}/make-primary",
	    ACCESS_ADMIN, wacht_phones_make_primary, WACHT_NO_BODY },

	{ HTTP_GET, "/users/{user_id}/social-connections", ACCESS_ADMIN,
	    wacht_connections_list, WACHT_NO_BODY },
	{ HTTP_DELETE, "/users/{user_id}/social-connections/{connection_id}",
	    ACCESS_ADMIN, wacht_connections_delete, WACHT_NO_BODY },
	{ HTTP_GET, "/users/{user_id}/organization-memberships", ACCESS_ADMIN,
	    wacht_organizations_list, WACHT_NO_BODY },
	{ HTTP_GET, "/users/{user_id}/workspace-memberships", ACCESS_ADMIN,
	    wacht_workspaces_list, WACHT_NO_BODY },
	{ HTTP_GET, "/users/{user_id}/sessions", ACCESS_ADMIN,
	    wacht_sessions_list, WACHT_NO_BODY },
	{ HTTP_POST, "/users/{user_id}/sessions/{signin_id}/revoke",
	    ACCESS_ADMIN, wacht_sessions_revoke, WACHT_NO_BODY },
	{ HTTP_POST, "/users/{user_id}/sessions/revoke-all", ACCESS_ADMIN,
	    wacht_sessions_revoke_all, WACHT_NO_BODY },
	{ HTTP_GET, "/users/{user_id}/passkeys", ACCESS_ADMIN,
	    wacht_passkeys_list, WACHT_NO_BODY },
	{ HTTP_PATCH, "/users/{user_id}/passkeys/{passkey_id}", ACCESS_ADMIN,
	    wacht_passkeys_rename, WACHT_JSON },
	{ HTTP_DELETE, "/users/{user_id}/passkeys/{passkey_id}", ACCESS_ADMIN,
	    wacht_passkeys_delete, WACHT_NO_BODY },
	{ HTTP_POST, "/users/{user_id}/authenticators", ACCESS_ADMIN,
	    wacht_authenticators_create, WACHT_JSON },
	{ HTTP_DELETE, "/users/{user_id}/authenticators", ACCESS_ADMIN,
	    wacht_authenticators_delete, WACHT_NO_BODY },
	{ HTTP_POST, "/users/{user_id}/backup-codes/regenerate", ACCESS_ADMIN,
	    wacht_backup_codes_renew, WACHT_NO_BODY }
};

/* What every answer of this dialect carries beside no-store. */
static void
add_headers(struct exchange *x)
{
	response_header_default(x, "X-Content-Type-Options", "nosniff");
}

const struct dialect api_wacht = {
	.name = "wacht",
	.routes = routes,
	.nroutes = sizeof(routes) / sizeof(routes[0]),
	.write_error = wacht_write_error,
	.prefix = "/wacht",
	.authenticate = wacht_authenticate,
	.add_headers = add_headers,
	.flags = DIALECT_AUTH_FIRST | DIALECT_NO_OPTIONS
};
