/* SPDX-License-Identifier: MIT */
/* Who may change what belongs to a webhook: of a device whoever reaches it, of
   the tenant its admins. */
#include "config.h"

#include "webhook_private.h"

#include "wuts/device.h"
#include "wuts/fault.h"

/* The tenant of the scope is the caller's, or the caller is outside of
   tenants; the tenant's own webhook is an admin's. */
int
webhook_scope_check(const struct identity *caller,
    const struct webhook_scope *scope, struct fault *fault)
{
	bool is_own = service_is_member(caller, &scope->tenant_id);

	if (identity_is_super(caller))
		return 0;
	if (!uuid_is_nil(&scope->device_id))
		return is_own ? 0 : fault_say(fault,
		    REFUSAL_DEVICE_NOT_FOUND, "device not found");
	return is_own && caller->role == ROLE_ADMIN ? 0 : fault_say(fault,
	    REFUSAL_FORBIDDEN, "insufficient permissions");
}

int
webhook_scope_enter(struct change *change, const struct webhook_scope *scope,
    struct fault *fault)
{
	struct device device;

	if (!uuid_is_nil(&scope->device_id))
		return device_lock(change, &scope->device_id, &device, fault);
	if (change_lock_tenant(change, fault) < 0 ||
	    change_judge_caller(change, fault) < 0)
		return -1;
	return webhook_scope_check(&change->identity, scope, fault);
}
