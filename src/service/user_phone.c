/* SPDX-License-Identifier: MIT */
/* The phone numbers of a user (spec/wacht.md §3.7). At most one is the primary
   one. */
#include "config.h"

#include "user_detail_private.h"

#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/user_phone_store.h"
#include "wuts/user_policy_store.h"

#include <string.h>

struct phone_change {
	struct arena *arena;
	const struct uuid *user_id;
	const struct uuid *id;
	const struct phone_patch *patch;
	struct user_phone *phone_r;
	struct user user;
	bool was_verified;
	bool is_changed;	/* besides verified */
};

static void
write_phone(struct json_writer *w, const void *ctx)
{
	user_shape_phone(w, ctx);
}

static int
tell(struct change *change, const char *event,
    const struct user_phone *phone, struct fault *fault)
{
	return details_emit(change, event, "user_phone", &phone->id,
	    write_phone, phone, fault);
}

static int
refuse_phone(bool is_code, const char *problem, struct fault *fault)
{
	fault_add_field(fault, is_code ? "country_code" : "phone_number",
	    problem, NULL);
	return service_refuse_fields(fault);
}

static int
refuse_taken(struct fault *fault)
{
	return fault_say(fault, REFUSAL_PHONE_EXISTS,
	    "a user with this phone number already exists");
}

/* Of the parts that are given, as far as one can be judged without the
   other. */
static int
check_patch(struct service *service, const struct caller *caller,
    const struct phone_patch *patch, struct fault *fault)
{
	const char *number = patch->phone_number, *problem;
	struct user_policy policy;
	struct user_phone parsed;
	bool bad_code;

	if (details_check_caller(caller, fault) < 0)
		return -1;
	if (number == NULL && patch->country_code == NULL)
		return 0;
	if (user_policy_store_find(service->db, &caller->identity.tenant_id,
	    &policy, fault) < 0)
		return fault_prefix(fault, "find policy");
	problem = !policy.phone_enabled ? "is not used by this deployment" :
	    phone_parse(
	    patch->country_code != NULL ? patch->country_code : "",
	    number != NULL ? number : "22", parsed.country_code,
	    parsed.phone_number, &bad_code);
	return problem == NULL ? 0 : refuse_phone(policy.phone_enabled &&
	    bad_code, problem, fault);
}

/* Both parts, as they will stand together. */
static int
set_number(struct phone_change *pc, struct user_phone *phone,
    struct fault *fault)
{
	const struct phone_patch *patch = pc->patch;
	struct user_phone parsed;
	const char *problem;
	bool bad_code;

	problem = phone_parse(patch->country_code != NULL ?
	    patch->country_code : phone->country_code,
	    patch->phone_number != NULL ? patch->phone_number :
	    phone->phone_number, parsed.country_code, parsed.phone_number,
	    &bad_code);
	if (problem != NULL)
		return refuse_phone(bad_code, problem, fault);
	pc->is_changed |=
	    strcmp(parsed.country_code, phone->country_code) != 0 ||
	    strcmp(parsed.phone_number, phone->phone_number) != 0;
	memcpy(phone->country_code, parsed.country_code,
	    sizeof(phone->country_code));
	memcpy(phone->phone_number, parsed.phone_number,
	    sizeof(phone->phone_number));
	return 0;
}

/* The one that was primary is so no more; the row of this one is written
   afterwards. */
static int
take_primary(struct change *change, struct phone_change *pc,
    struct user_phone *phone, struct fault *fault)
{
	if (phone->is_primary)
		return 0;
	if (user_phone_store_clear_primary(change->db, &change->tenant_id,
	    &pc->user.id, change->now_us, fault) < 0)
		return fault_prefix(fault, "clear primary number");
	phone->is_primary = true;
	pc->is_changed = true;
	return 0;
}

static void
set_verified(struct change *change, struct phone_change *pc,
    struct user_phone *phone)
{
	const struct phone_patch *patch = pc->patch;

	if (!patch->has_verified)
		return;
	if (patch->verified)
		phone->verified_us = change->now_us;
	pc->is_changed |= phone->verified && !patch->verified;
	phone->verified = patch->verified;
}

static int
count_row(void *ctx, const struct user_phone *phone, struct fault *fault)
{
	size_t *n = ctx;

	(void)phone;
	(void)fault;
	(*n)++;
	return 0;
}

static int
check_count(struct change *change, const struct uuid *user_id,
    struct fault *fault)
{
	size_t n = 0;

	if (user_phone_store_list(change->db, &change->tenant_id, user_id,
	    count_row, &n, fault) < 0)
		return fault_prefix(fault, "count numberes");
	return n < USER_PHONES_MAX ? 0 : fault_add_field(fault, "phone_number",
	    "is one too many: a user has at most 100 numbers", NULL);
}

/* --- add --- */

static int
insert(struct change *change, const struct user_phone *phone,
    struct fault *fault)
{
	int inserted;

	inserted = user_phone_store_insert(change->db, phone, fault);
	if (inserted < 0)
		return fault_prefix(fault, "insert number");
	return inserted == 1 ? 0 : refuse_taken(fault);
}

static int
add_body(struct change *change, void *ctx, struct fault *fault)
{
	struct phone_change *pc = ctx;
	struct user_phone *phone = pc->phone_r;
	char whole[PHONE_WHOLE_MAX + 1];
	struct user_details details;

	if (details_begin(change, pc->user_id, &pc->user, fault) < 0 ||
	    check_count(change, &pc->user.id, fault) < 0)
		return -1;
	phone->tenant_id = change->tenant_id;
	phone->user_id = pc->user.id;
	phone->created_us = phone->updated_us = change->now_us;
	phone->is_primary = phone->verified = false;
	phone->verified_us = 0;
	set_verified(change, pc, phone);
	if (pc->patch->make_primary &&
	    take_primary(change, pc, phone, fault) < 0)
		return -1;
	if (insert(change, phone, fault) < 0 ||
	    details_settle(change, pc->arena, &pc->user, &details, fault) < 0 ||
	    details_audit(change, "user.phone.added", &pc->user.id,
	    "phone_number", phone_whole(phone, whole), fault) < 0 ||
	    tell(change, "user.phone.added", phone, fault) < 0)
		return -1;
	if (phone->verified &&
	    tell(change, "user.phone.verified", phone, fault) < 0)
		return -1;
	return phone->is_primary ? details_emit_user(change, "user.updated",
	    &details, fault) : 0;
}

int
user_phone_service_add(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *user_id,
    const struct phone_patch *patch, struct user_phone *phone_r,
    struct fault *fault)
{
	struct phone_change pc = {
		.arena = arena,
		.user_id = user_id,
		.patch = patch,
		.phone_r = phone_r
	};

	if (check_patch(service, caller, patch, fault) < 0)
		return -1;
	memset(phone_r, 0, sizeof(*phone_r));
	uuid_new_ordered(&phone_r->id);
	if (set_number(&pc, phone_r, fault) < 0)
		return -1;
	if (details_run(service, caller, add_body, &pc, fault) < 0)
		return fault_prefix(fault, "add number");
	return 0;
}

/* --- update, make primary --- */

static int
find(struct change *change, struct phone_change *pc, struct user_phone *phone,
    struct fault *fault)
{
	int found;

	if (details_begin(change, pc->user_id, &pc->user, fault) < 0)
		return -1;
	found = user_phone_store_find(change->db, &change->tenant_id,
	    &pc->user.id, pc->id, phone, fault);
	if (found < 0)
		return fault_prefix(fault, "find number");
	return found == 1 ? 0 : details_refuse_unknown("phone number", fault);
}

static int
store(struct change *change, struct user_phone *phone, struct fault *fault)
{
	int updated;

	phone->updated_us = change_time_after(change, phone->updated_us);
	updated = user_phone_store_update(change->db, phone, fault);
	if (updated < 0)
		return fault_prefix(fault, "update number");
	return updated == 1 ? 0 : refuse_taken(fault);
}

static int
finish_update(struct change *change, struct phone_change *pc,
    struct user_phone *phone, struct fault *fault)
{
	bool is_verified = phone->verified && !pc->was_verified;
	char whole[PHONE_WHOLE_MAX + 1];
	struct user_details details;

	if (store(change, phone, fault) < 0 ||
	    details_settle(change, pc->arena, &pc->user, &details, fault) < 0 ||
	    details_audit(change, "user.phone.updated", &pc->user.id,
	    "phone_number", phone_whole(phone, whole), fault) < 0)
		return -1;
	if (is_verified &&
	    tell(change, "user.phone.verified", phone, fault) < 0)
		return -1;
	return pc->is_changed || !is_verified ? details_emit_user(change,
	    "user.updated", &details, fault) : 0;
}

static int
update_body(struct change *change, void *ctx, struct fault *fault)
{
	struct phone_change *pc = ctx;
	struct user_phone *phone = pc->phone_r;
	const struct phone_patch *patch = pc->patch;

	pc->is_changed = false;
	if (find(change, pc, phone, fault) < 0)
		return -1;
	pc->was_verified = phone->verified;
	if (set_number(pc, phone, fault) < 0)
		return -1;
	set_verified(change, pc, phone);
	if (patch->make_primary &&
	    take_primary(change, pc, phone, fault) < 0)
		return -1;
	if (!pc->is_changed && !(patch->has_verified && patch->verified))
		return 0;
	return finish_update(change, pc, phone, fault);
}

int
user_phone_service_update(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *user_id,
    const struct uuid *id, const struct phone_patch *patch,
    struct user_phone *phone_r, struct fault *fault)
{
	struct phone_change pc = {
		.arena = arena,
		.user_id = user_id,
		.id = id,
		.patch = patch,
		.phone_r = phone_r
	};

	if (check_patch(service, caller, patch, fault) < 0)
		return -1;
	if (details_run(service, caller, update_body, &pc, fault) < 0)
		return fault_prefix(fault, "update number");
	return 0;
}

static int
primary_body(struct change *change, void *ctx, struct fault *fault)
{
	struct phone_change *pc = ctx;
	struct user_phone phone;

	pc->is_changed = false;
	if (find(change, pc, &phone, fault) < 0)
		return -1;
	if (!phone.verified)
		return fault_say(fault, REFUSAL_VALIDATION,
		    "the phone number is not verified");
	pc->was_verified = true;
	if (take_primary(change, pc, &phone, fault) < 0)
		return -1;
	return pc->is_changed ? finish_update(change, pc, &phone, fault) : 0;
}

int
user_phone_service_make_primary(struct service *service,
    struct arena *arena, const struct caller *caller,
    const struct uuid *user_id, const struct uuid *id, struct fault *fault)
{
	struct phone_change pc = {
		.arena = arena, .user_id = user_id, .id = id
	};

	if (details_run(service, caller, primary_body, &pc, fault) < 0)
		return fault_prefix(fault, "make number primary");
	return 0;
}

/* --- delete --- */

static int
delete_body(struct change *change, void *ctx, struct fault *fault)
{
	struct phone_change *pc = ctx;
	char whole[PHONE_WHOLE_MAX + 1];
	struct user_details details;
	struct user_phone phone;

	if (find(change, pc, &phone, fault) < 0)
		return -1;
	if (user_phone_store_delete(change->db, &change->tenant_id,
	    &pc->user.id, &phone.id, fault) < 0)
		return fault_prefix(fault, "delete");
	/* No other is promoted. */
	if (details_settle(change, pc->arena, &pc->user, &details, fault) < 0 ||
	    details_audit(change, "user.phone.removed", &pc->user.id,
	    "phone_number", phone_whole(&phone, whole), fault) < 0)
		return -1;
	return tell(change, "user.phone.removed", &phone, fault);
}

int
user_phone_service_delete(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *user_id,
    const struct uuid *id, struct fault *fault)
{
	struct phone_change pc = {
		.arena = arena, .user_id = user_id, .id = id
	};

	if (details_run(service, caller, delete_body, &pc, fault) < 0)
		return fault_prefix(fault, "delete number");
	return 0;
}
