/* SPDX-License-Identifier: MIT */
/* Look-ups by name, for wutsctl. They change nothing and know no caller: the
   operator may see all. */
#include "config.h"

#include "wuts/operator_service.h"

#include "service_private.h"
#include "wuts/fault.h"
#include "wuts/tenant.h"
#include "wuts/tenant_store.h"

#include <string.h>

int
operator_service_find_tenant(struct service *service, const char *text,
    struct tenant *tenant_r, struct fault *fault)
{
	struct uuid id;
	int found = 0;

	if (uuid_parse(text, strlen(text), &id))
		found = tenant_store_find(service->db, &id, tenant_r, fault);
	if (found == 0)
		found = tenant_store_find_by_name(service->db, text, tenant_r,
		    fault);
	return found < 0 ? fault_prefix(fault, "find tenant") : found;
}

int
operator_service_find_user(struct service *service,
    const struct uuid *tenant_id, const char *email, struct user *user_r,
    struct fault *fault)
{
	char hash[CRYPTO_PASSWORD_HASH_MAX];
	int found;

	found = user_store_find_password(service->db, tenant_id, email, user_r,
	    hash, fault);
	if (found == 0)
		found = user_store_find_password_by_username(service->db,
		    tenant_id, email, user_r, hash, fault);
	crypto_wipe(hash, sizeof(hash));
	return found < 0 ? fault_prefix(fault, "find user") : found;
}
