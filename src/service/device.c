/* SPDX-License-Identifier: MIT */
/* Use cases on devices, and whose device a caller may reach. */
#include "config.h"

#include "wuts/device_service.h"

#include "service_private.h"
#include "wuts/device_store.h"
#include "wuts/fault.h"
#include "wuts/json.h"

#include <string.h>

static int
refuse_not_found(struct fault *fault)
{
	return fault_say(fault, REFUSAL_DEVICE_NOT_FOUND, "device not found");
}

bool
device_is_reachable(const struct identity *caller,
    const struct device *device)
{
	if (identity_is_super(caller) || caller->kind == IDENTITY_ENGINE)
		return true;
	if (!service_is_member(caller, &device->tenant_id))
		return false;
	return caller->role == ROLE_ADMIN || caller->role == ROLE_MANAGER ||
	    uuid_is_equal(&caller->user_id, &device->user_id);
}

/* --- create --- */

static int
create_body(struct change *change, void *ctx, struct fault *fault)
{
	struct device *device = ctx;
	struct strbuf value = STRBUF_INIT;
	struct json_writer w;
	int ret;

	if (change_lock_tenant(change, fault) < 0 ||
	    change_judge_caller(change, fault) < 0)
		return -1;
	device->created_us = change->now_us;
	device->updated_us = change->now_us;
	if (device_store_insert(change->db, device, fault) < 0)
		return fault_prefix(fault, "insert device");
	json_writer_init(&w, &value);
	json_write_object_begin(&w);
	change_write_uuid(&w, "user_id", &device->user_id);
	change_write_text(&w, "name", device->name);
	json_write_object_end(&w);
	ret = change_audit(change, "device.created", &device->id, NULL,
	    value.data, fault);
	strbuf_deinit(&value);
	return ret;
}

int
device_service_create(struct service *service, const struct caller *caller,
    const char *name, struct device *device_r, struct fault *fault)
{
	const struct identity *identity = &caller->identity;
	const char *problem;

	memset(device_r, 0, sizeof(*device_r));
	fault_clear(fault);
	if (identity->kind != IDENTITY_USER)
		return fault_say(fault, REFUSAL_FORBIDDEN,
		    "a device belongs to a user: use a user's token");
	problem = name == NULL ? "is required" :
	    device_name_check(name, device_r->name);
	if (problem != NULL) {
		fault_add_field(fault, "name", problem, name);
		return service_refuse_fields(fault);
	}
	uuid_new_ordered(&device_r->id);
	device_r->tenant_id = identity->tenant_id;
	device_r->user_id = identity->user_id;
	if (change_run(service, caller, &identity->tenant_id, create_body,
	    device_r, fault) < 0)
		return fault_prefix(fault, "create device");
	return 0;
}

/* --- find --- */

static int
find_by_id(struct service *service, const struct identity *identity,
    const struct uuid *id, struct device *device_r, struct fault *fault)
{
	bool in_tenant = identity->kind == IDENTITY_USER ||
	    identity->kind == IDENTITY_KEY;
	const struct device *remembered;
	struct memory_read read;
	int found;

	remembered = memory_find(service, &service->devices, id,
	    in_tenant ? &identity->tenant_id : NULL, &read);
	if (remembered != NULL) {
		*device_r = *remembered;
		return 1;
	}
	memset(device_r, 0, sizeof(*device_r));
	if (in_tenant)
		found = device_store_find(service->db, &identity->tenant_id,
		    id, device_r, fault);
	else
		found = device_store_find_any_tenant(service->db, id,
		    device_r, fault);
	if (found == 1)
		memory_put(service, &service->devices, id, device_r, &read);
	return found;
}

static int
find_only(struct service *service, const struct identity *identity,
    struct device *device_r, struct fault *fault)
{
	int found;

	if (identity->kind != IDENTITY_USER) {
		fault_add_field(fault, "device_id",
		    "is required with this token", NULL);
		return service_refuse_fields(fault);
	}
	found = device_store_find_only(service->db, &identity->tenant_id,
	    &identity->user_id, device_r, fault);
	if (found != 2)
		return found;
	fault_add_field(fault, "device_id",
	    "is required: you have several devices", NULL);
	return service_refuse_fields(fault);
}

int
device_service_find(struct service *service, const struct caller *caller,
    const struct uuid *id, struct device *device_r, struct fault *fault)
{
	const struct identity *identity = &caller->identity;
	int found;

	if (id != NULL)
		found = find_by_id(service, identity, id, device_r, fault);
	else
		found = find_only(service, identity, device_r, fault);
	if (found < 0)
		return fault_prefix(fault, "find device");
	if (found == 0 || !device_is_reachable(identity, device_r))
		return refuse_not_found(fault);
	return 0;
}
