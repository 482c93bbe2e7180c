/* SPDX-License-Identifier: MIT */
/* Use cases on devices, and whose device a caller may reach. */
#include "config.h"

#include "wuts/device_service.h"

#include "service_private.h"
#include "wuts/clock.h"
#include "wuts/device_code_store.h"
#include "wuts/device_store.h"
#include "wuts/fault.h"
#include "wuts/json.h"

#include <string.h>

#define CURSOR_KIND 'd'

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
	json_member_uuid(&w, "user_id", &device->user_id);
	json_member_text(&w, "name", device->name);
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
	    in_tenant ? &identity->tenant_id : NULL, NULL, &read);
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

int
device_service_look(struct service *service, const struct caller *caller,
    const struct uuid *id, struct device *device_r, struct fault *fault)
{
	struct uuid tenant_id;
	int found;

	if (device_service_find(service, caller, id, device_r, fault) < 0)
		return -1;
	if (id == NULL)		/* that is never out of memory */
		return 0;
	tenant_id = device_r->tenant_id;
	memset(device_r, 0, sizeof(*device_r));
	found = device_store_find(service->db, &tenant_id, id, device_r,
	    fault);
	if (found < 0)
		return fault_prefix(fault, "look at device");
	return found == 1 ? 0 : refuse_not_found(fault);
}

int
device_service_look_for_code(struct service *service,
    const struct caller *caller, const struct uuid *id,
    struct device *device_r, struct device_code *code_r, struct fault *fault)
{
	int found;

	if (device_service_look(service, caller, id, device_r, fault) < 0)
		return -1;
	found = device_code_store_find(service->db, &device_r->tenant_id,
	    &device_r->id, code_r, fault);
	if (found < 0)
		return fault_prefix(fault, "find code");
	if (found == 0 || !device_code_is_fresh(code_r, clock_wall_us()))
		memset(code_r, 0, sizeof(*code_r));
	return 0;
}

/* --- the list --- */

struct device_page {
	device_listed *row;
	void *ctx;
	unsigned limit;
	unsigned seen;
	bool has_more;
	struct uuid last;
};

static int
page_row(void *ctx, const struct device *device, const char *webhook_url,
    struct fault *fault)
{
	struct device_page *page = ctx;

	if (page->limit > 0 && page->seen == page->limit) {
		page->has_more = true;
		return 0;
	}
	page->seen++;
	page->last = device->id;
	return page->row(page->ctx, device, webhook_url, fault);
}

/* Whose devices? NULL: everybody's in the tenant. */
static int
choose_owner(const struct identity *caller, const struct device_query *query,
    const struct uuid **owner_r, struct fault *fault)
{
	*owner_r = NULL;
	if (identity_is_super(caller))
		return 0;
	if (!service_is_member(caller, &query->tenant_id))
		return service_refuse_forbidden(fault);
	if (caller->kind == IDENTITY_KEY)
		return 0;
	if (!query->all_of_tenant)
		*owner_r = &caller->user_id;
	else if (caller->role != ROLE_ADMIN && caller->role != ROLE_MANAGER)
		return fault_say(fault, REFUSAL_FORBIDDEN,
		    "the tenant's devices are listed for admins and managers");
	return 0;
}

int
device_service_list(struct service *service, struct arena *arena,
    const struct caller *caller, const struct device_query *query,
    device_listed *row, void *ctx, const char **next_cursor_r,
    struct fault *fault)
{
	struct device_page page = {
		.row = row, .ctx = ctx, .limit = query->limit
	};
	const struct uuid *owner;
	struct uuid after;

	*next_cursor_r = NULL;
	if (choose_owner(&caller->identity, query, &owner, fault) < 0 ||
	    (query->cursor != NULL && cursor_parse_id(query->cursor,
	    CURSOR_KIND, &after, fault) < 0))
		return -1;
	/* One row more than asked for tells whether there is another page. */
	if (device_store_list(service->db, &query->tenant_id, owner,
	    query->cursor != NULL ? &after : NULL,
	    query->limit > 0 ? query->limit + 1 : 0, page_row, &page,
	    fault) < 0)
		return fault_prefix(fault, "list devices");
	if (page.seen == 0 && identity_is_super(&caller->identity))
		return service_check_tenant(service, &query->tenant_id,
		    fault);
	if (page.has_more)
		*next_cursor_r = cursor_format(arena, CURSOR_KIND,
		    page.last.b, sizeof(page.last.b));
	return 0;
}

/* --- disconnect, purge --- */

struct disconnection {
	const struct uuid *id;
	bool purge;
};

static int
audit_disconnect(struct change *change, const struct device *device,
    bool purge, struct fault *fault)
{
	struct strbuf old_value = STRBUF_INIT;
	struct json_writer w;
	int ret;

	json_writer_init(&w, &old_value);
	json_write_object_begin(&w);
	if (purge) {
		json_member_uuid(&w, "user_id", &device->user_id);
		json_member_text(&w, "name", device->name);
	}
	json_member_bool(&w, "connected", device->connected);
	json_write_object_end(&w);
	ret = change_audit(change,
	    purge ? "device.deleted" : "device.disconnected", &device->id,
	    old_value.data, purge ? NULL : "{\"connected\":false}", fault);
	strbuf_deinit(&old_value);
	return ret;
}

static int
emit_disconnected(struct change *change, const struct device *device,
    struct fault *fault)
{
	struct strbuf data = STRBUF_INIT;
	struct json_writer w;
	int ret;

	json_writer_init(&w, &data);
	json_write_object_begin(&w);
	if (device->jid[0] != '\0')
		json_member_text(&w, "jid", device->jid);
	json_member_text(&w, "reason", "requested");
	change_write_actor(&w, change);
	json_write_object_end(&w);
	ret = change_emit_of_device(change, &device->id,
	    "device.disconnected", data.data, data.len, fault);
	strbuf_deinit(&data);
	return ret;
}

static int
write_disconnect(struct change *change, const struct device *before,
    bool purge, struct fault *fault)
{
	struct device after = *before;

	if (purge)
		return device_store_delete(change->db, &before->tenant_id,
		    &before->id, fault);
	after.connected = false;
	after.last_seen_us = change->now_us;
	after.updated_us = change_time_after(change, before->updated_us);
	return device_store_update(change->db, &after, fault);
}

int
device_lock(struct change *change, const struct uuid *id,
    struct device *device_r, struct fault *fault)
{
	int found;

	if (change_lock_tenant(change, fault) < 0 ||
	    change_judge_caller(change, fault) < 0)
		return -1;
	memset(device_r, 0, sizeof(*device_r));
	found = device_store_lock(change->db, &change->tenant_id, id,
	    device_r, fault);
	if (found < 0)
		return fault_prefix(fault, "lock device");
	if (found == 0 || !device_is_reachable(&change->identity, device_r))
		return refuse_not_found(fault);
	return 0;
}

static int
disconnect_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct disconnection *disconnection = ctx;
	struct device device;

	if (device_lock(change, disconnection->id, &device, fault) < 0)
		return -1;
	if (!device.connected && !disconnection->purge)
		return 0;
	if (write_disconnect(change, &device, disconnection->purge,
	    fault) < 0)
		return fault_prefix(fault, "write device");
	if (audit_disconnect(change, &device, disconnection->purge,
	    fault) < 0)
		return -1;
	return device.connected ? emit_disconnected(change, &device, fault) :
	    0;
}

int
device_service_disconnect(struct service *service,
    const struct caller *caller, const struct uuid *id, bool purge,
    struct fault *fault)
{
	struct disconnection disconnection = { .id = id, .purge = purge };
	struct device device;

	fault_clear(fault);
	if (device_service_find(service, caller, id, &device, fault) < 0)
		return -1;
	if (change_run(service, caller, &device.tenant_id, disconnect_body,
	    &disconnection, fault) < 0)
		return fault_prefix(fault, "disconnect device");
	return 0;
}
