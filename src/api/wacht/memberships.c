/* SPDX-License-Identifier: MIT */
/* Memberships (spec/wacht.md §3.8): a user belongs to one organization, which
   is its tenant, with the one role that it has there; there are no
   workspaces. */
#include "config.h"

#include "wuts/crypto.h"
#include "wuts/http.h"
#include "wuts/role.h"
#include "wuts/tenant_service.h"
#include "wuts/user_service.h"
#include "wuts/uuid.h"

#include "details_private.h"
#include "wacht_private.h"

#include <string.h>

/* Roles have no rows of their own: an id that is always the same for a tenant
   and a role, in the form of a UUID of version 8. */
static void
make_role_id(const struct uuid *tenant_id, enum role role, struct uuid *id_r)
{
	uint8_t hash[CRYPTO_HASH_LEN], from[sizeof(tenant_id->b) + 1];

	memcpy(from, tenant_id->b, sizeof(tenant_id->b));
	from[sizeof(tenant_id->b)] = (uint8_t)role;
	crypto_sha256(from, sizeof(from), hash);
	memcpy(id_r->b, hash, sizeof(id_r->b));
	id_r->b[6] = (uint8_t)((id_r->b[6] & 0x0f) | 0x80);
	id_r->b[8] = (uint8_t)((id_r->b[8] & 0x3f) | 0x80);
}

static void
put_role(struct json_writer *w, const struct tenant *tenant, enum role role)
{
	struct uuid id;

	make_role_id(&tenant->id, role, &id);
	json_write_object_begin(w);
	json_member_uuid(w, "id", &id);
	json_member_micros(w, "created_at", tenant->created_us);
	json_member_micros(w, "updated_at", tenant->created_us);
	json_member_text(w, "name", role_name(role));
	json_write_key(w, "permissions");
	json_write_array_begin(w);
	json_write_array_end(w);
	json_member_bool(w, "is_deployment_level", true);
	json_write_object_end(w);
}

static void
put_organization(struct json_writer *w, const struct tenant_details *details)
{
	const struct tenant *tenant = &details->tenant;

	json_write_object_begin(w);
	json_member_uuid(w, "id", &tenant->id);
	json_member_micros(w, "created_at", tenant->created_us);
	json_member_micros(w, "updated_at", tenant->updated_us);
	json_member_text(w, "name", tenant->name);
	json_member_text(w, "image_url", "");
	json_member_text(w, "description", "");
	json_member_int(w, "member_count", (int64_t)details->users);
	json_member_object(w, "public_metadata", "");
	json_member_object(w, "private_metadata", "");
	json_write_object_end(w);
}

/* There is one membership a user, so it has the user's id. */
static void
put_membership(struct json_writer *w, const struct user *user,
    const struct tenant_details *details)
{
	json_write_object_begin(w);
	json_member_uuid(w, "id", &user->id);
	json_member_micros(w, "created_at", user->created_us);
	json_member_micros(w, "updated_at", user->updated_us);
	json_member_uuid(w, "organization_id", &user->tenant_id);
	json_member_uuid(w, "user_id", &user->id);
	json_member_object(w, "public_metadata", "");
	json_write_key(w, "roles");
	json_write_array_begin(w);
	put_role(w, &details->tenant, user->role);
	json_write_array_end(w);
	json_write_key(w, "organization");
	put_organization(w, details);
	json_write_object_end(w);
}

int
wacht_organizations_list(struct exchange *x, struct fault *fault)
{
	struct tenant_details details;
	struct uuid user_id;
	struct user user;

	if (wacht_input_user(x, &user_id, fault) < 0 ||
	    user_service_get(x->service, &x->caller, &user_id, &user,
	    fault) < 0 ||
	    tenant_service_get(x->service, &user.tenant_id, &details,
	    fault) < 0)
		return -1;
	put_membership(wacht_list_begin(x), &user, &details);
	return wacht_list_end_whole(x, 1);
}

int
wacht_workspaces_list(struct exchange *x, struct fault *fault)
{
	struct uuid user_id;
	struct user user;

	if (wacht_input_user(x, &user_id, fault) < 0 ||
	    user_service_get(x->service, &x->caller, &user_id, &user,
	    fault) < 0)
		return -1;
	(void)wacht_list_begin(x);
	return wacht_list_end_whole(x, 0);
}
