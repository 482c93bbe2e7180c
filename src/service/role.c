/* SPDX-License-Identifier: MIT */
/* The permission matrix as data: remembered while its generation stands, and
   edited by the operator under the audit trail of the installation, whose
   tenant is nil. */
#include "config.h"

#include "wuts/role_service.h"

#include "service_private.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/generations.h"
#include "wuts/role_store.h"
#include "wuts/settings.h"

#include <string.h>

int
role_service_matrix(struct service *service, struct role_matrix *matrix_r,
    struct fault *fault)
{
	int64_t ttl_us = service->settings->identity_cache_ttl_ms * 1000;
	uint64_t generation = generations_get(service->generations, NULL);
	struct role_memory *memory = &service->roles;
	int64_t now_us = clock_mono_us();

	if (!memory->is_read || memory->generation != generation ||
	    now_us - memory->read_us >= ttl_us) {
		memory->is_read = false;
		if (role_store_load(service->db, &memory->matrix, fault) < 0)
			return fault_prefix(fault, "load the matrix");
		memory->is_read = true;
		memory->generation = generation;
		memory->read_us = now_us;
	}
	*matrix_r = memory->matrix;
	return 0;
}

/* --- editing --- */

struct role_edit {
	enum role actor, from, to;
	bool allowed;
	int changed;
};

static int
tell(struct change *change, const struct role_edit *edit,
    struct fault *fault)
{
	struct strbuf old_value = STRBUF_INIT, new_value = STRBUF_INIT;
	int ret;

	strbuf_printf(&old_value, "{\"actor\":\"%s\",\"from\":\"%s\","
	    "\"to\":\"%s\",\"allowed\":", role_name(edit->actor),
	    role_name(edit->from), role_name(edit->to));
	strbuf_append_str(&new_value, old_value.data);
	strbuf_append_str(&old_value, edit->allowed ? "false}" : "true}");
	strbuf_append_str(&new_value, edit->allowed ? "true}" : "false}");
	ret = change_audit(change, "matrix.changed", &UUID_NIL,
	    old_value.data, new_value.data, fault);
	strbuf_deinit(&new_value);
	strbuf_deinit(&old_value);
	return ret;
}

static int
apply(struct change *change, struct role_edit *edit, struct fault *fault)
{
	edit->changed = role_store_allow(change->db, edit->actor, edit->from,
	    edit->to, edit->allowed, fault);
	if (edit->changed < 0)
		return fault_prefix(fault, "edit the matrix");
	return edit->changed == 1 ? tell(change, edit, fault) : 0;
}

static int
allow_body(struct change *change, void *ctx, struct fault *fault)
{
	return apply(change, ctx, fault);
}

int
role_service_allow(struct service *service, const struct caller *caller,
    enum role actor, enum role from, enum role to, bool allowed,
    struct fault *fault)
{
	struct role_edit edit = {
		.actor = actor,
		.from = from,
		.to = to,
		.allowed = allowed
	};

	fault_clear(fault);
	if (!identity_is_super(&caller->identity))
		return service_refuse_forbidden(fault);
	if (from == to) {
		fault_add_field(fault, "to", "must differ from the role it "
		    "starts from", role_name(to));
		return service_refuse_fields(fault);
	}
	if (change_run(service, caller, &UUID_NIL, allow_body, &edit,
	    fault) < 0)
		return fault_prefix(fault, "allow");
	return edit.changed;
}

static int
reset_body(struct change *change, void *ctx, struct fault *fault)
{
	struct role_matrix matrix;
	struct role_edit edit;
	int actor, from, to;

	(void)ctx;
	if (role_store_load(change->db, &matrix, fault) < 0)
		return fault_prefix(fault, "load the matrix");
	for (actor = 0; actor < ROLE_COUNT; actor++)
	for (from = 0; from < ROLE_COUNT; from++)
	for (to = 0; to < ROLE_COUNT; to++) {
		edit.actor = (enum role)actor;
		edit.from = (enum role)from;
		edit.to = (enum role)to;
		edit.allowed = ROLE_MATRIX_SHIPPED.allowed[actor][from][to];
		if (matrix.allowed[actor][from][to] != edit.allowed &&
		    apply(change, &edit, fault) < 0)
			return -1;
	}
	return 0;
}

int
role_service_reset(struct service *service, const struct caller *caller,
    struct fault *fault)
{
	fault_clear(fault);
	if (!identity_is_super(&caller->identity))
		return service_refuse_forbidden(fault);
	if (change_run(service, caller, &UUID_NIL, reset_body, NULL,
	    fault) < 0)
		return fault_prefix(fault, "reset the matrix");
	return 0;
}
