/* SPDX-License-Identifier: MIT */
/* The addresses of a user (spec/wacht.md §3.6). At most one is the primary one,
   and users.email is that one, always: both are written in one transaction. */
#include "config.h"

#include "user_detail_private.h"

#include "wuts/connection_store.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/user_email_store.h"
#include "wuts/user_policy_store.h"

#include <string.h>

struct email_change {
	struct arena *arena;
	const struct uuid *user_id;
	const struct uuid *id;
	const struct email_patch *patch;
	struct user_email *email_r;
	struct user user;
	bool was_verified;
	bool is_changed;	/* besides verified */
};

static void
write_email(struct json_writer *w, const void *ctx)
{
	user_shape_email(w, ctx);
}

static int
tell(struct change *change, const char *event,
    const struct user_email *email, struct fault *fault)
{
	return details_emit(change, event, "user_email", &email->id,
	    write_email, email, fault);
}

static int
refuse_taken(struct fault *fault)
{
	return fault_say(fault, REFUSAL_EMAIL_EXISTS,
	    "a user with this email address already exists");
}

static int
check_email(struct service *service, const struct caller *caller,
    const struct email_patch *patch, struct fault *fault)
{
	struct user_policy policy;

	if (details_check_caller(caller, fault) < 0)
		return -1;
	if (patch->email == NULL)
		return 0;
	if (user_policy_store_find(service->db, &caller->identity.tenant_id,
	    &policy, fault) < 0)
		return fault_prefix(fault, "find policy");
	policy.email_required = true;	/* of an address in a row of its own */
	user_policy_check_email(&policy, "email", patch->email, fault);
	return fault->nfields > 0 ? service_refuse_fields(fault) : 0;
}

/* The one that was primary is so no more; the row of this one is written
   afterwards. */
static int
take_primary(struct change *change, struct email_change *ec,
    struct user_email *email, struct fault *fault)
{
	if (email->is_primary)
		return 0;
	if (user_email_store_clear_primary(change->db, &change->tenant_id,
	    &ec->user.id, change->now_us, fault) < 0)
		return fault_prefix(fault, "clear primary address");
	email->is_primary = true;
	ec->is_changed = true;
	return 0;
}

static void
set_verified(struct change *change, struct email_change *ec,
    struct user_email *email)
{
	const struct email_patch *patch = ec->patch;

	if (!patch->has_verified)
		return;
	if (patch->verified)
		email->verified_us = change->now_us;
	ec->is_changed |= email->verified && !patch->verified;
	email->verified = patch->verified;
}

/* The last steps: the user repeats its primary address. */
static int
settle(struct change *change, struct email_change *ec,
    const struct user_email *email, struct user_details *details_r,
    struct fault *fault)
{
	if (email->is_primary)
		memcpy(ec->user.email, email->email, sizeof(ec->user.email));
	return details_settle(change, ec->arena, &ec->user, details_r, fault);
}

static int
count_row(void *ctx, const struct user_email *email, struct fault *fault)
{
	size_t *n = ctx;

	(void)email;
	(void)fault;
	(*n)++;
	return 0;
}

static int
check_count(struct change *change, const struct uuid *user_id,
    struct fault *fault)
{
	size_t n = 0;

	if (user_email_store_list(change->db, &change->tenant_id, user_id,
	    count_row, &n, fault) < 0)
		return fault_prefix(fault, "count addresses");
	return n < USER_EMAILS_MAX ? 0 : fault_add_field(fault, "email",
	    "is one too many: a user has at most 100 addresses", NULL);
}

/* --- add --- */

static int
insert(struct change *change, const struct user_email *email,
    struct fault *fault)
{
	int inserted;

	inserted = user_email_store_insert(change->db, email, fault);
	if (inserted < 0)
		return fault_prefix(fault, "insert address");
	return inserted == 1 ? 0 : refuse_taken(fault);
}

static int
add_body(struct change *change, void *ctx, struct fault *fault)
{
	struct email_change *ec = ctx;
	struct user_email *email = ec->email_r;
	struct user_details details;

	if (details_begin(change, ec->user_id, &ec->user, fault) < 0 ||
	    check_count(change, &ec->user.id, fault) < 0)
		return -1;
	email->tenant_id = change->tenant_id;
	email->user_id = ec->user.id;
	email->created_us = email->updated_us = change->now_us;
	email->is_primary = email->verified = false;
	email->verified_us = 0;
	set_verified(change, ec, email);
	if (ec->patch->make_primary &&
	    take_primary(change, ec, email, fault) < 0)
		return -1;
	if (insert(change, email, fault) < 0 ||
	    settle(change, ec, email, &details, fault) < 0 ||
	    details_audit(change, "user.email.added", &ec->user.id, "email",
	    email->email, fault) < 0 ||
	    tell(change, "user.email.added", email, fault) < 0)
		return -1;
	if (email->verified &&
	    tell(change, "user.email.verified", email, fault) < 0)
		return -1;
	return email->is_primary ? details_emit_user(change, "user.updated",
	    &details, fault) : 0;
}

int
user_email_service_add(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *user_id,
    const struct email_patch *patch, struct user_email *email_r,
    struct fault *fault)
{
	struct email_change ec = {
		.arena = arena,
		.user_id = user_id,
		.patch = patch,
		.email_r = email_r
	};

	if (check_email(service, caller, patch, fault) < 0)
		return -1;
	memset(email_r, 0, sizeof(*email_r));
	uuid_new_ordered(&email_r->id);
	memcpy(email_r->email, patch->email, strlen(patch->email) + 1);
	memcpy(email_r->strategy, USER_EMAIL_OTP, sizeof(USER_EMAIL_OTP));
	if (details_run(service, caller, add_body, &ec, fault) < 0)
		return fault_prefix(fault, "add address");
	return 0;
}

/* --- update, make primary --- */

static int
find(struct change *change, struct email_change *ec, struct user_email *email,
    struct fault *fault)
{
	int found;

	if (details_begin(change, ec->user_id, &ec->user, fault) < 0)
		return -1;
	found = user_email_store_find(change->db, &change->tenant_id,
	    &ec->user.id, ec->id, email, fault);
	if (found < 0)
		return fault_prefix(fault, "find address");
	return found == 1 ? 0 : details_refuse_unknown("email address", fault);
}

static int
store(struct change *change, struct user_email *email, struct fault *fault)
{
	int updated;

	email->updated_us = change_time_after(change, email->updated_us);
	updated = user_email_store_update(change->db, email, fault);
	if (updated < 0)
		return fault_prefix(fault, "update address");
	return updated == 1 ? 0 : refuse_taken(fault);
}

static int
finish_update(struct change *change, struct email_change *ec,
    struct user_email *email, struct fault *fault)
{
	bool is_verified = email->verified && !ec->was_verified;
	struct user_details details;

	if (store(change, email, fault) < 0 ||
	    settle(change, ec, email, &details, fault) < 0 ||
	    details_audit(change, "user.email.updated", &ec->user.id, "email",
	    email->email, fault) < 0)
		return -1;
	if (is_verified &&
	    tell(change, "user.email.verified", email, fault) < 0)
		return -1;
	return ec->is_changed || !is_verified ? details_emit_user(change,
	    "user.updated", &details, fault) : 0;
}

static int
update_body(struct change *change, void *ctx, struct fault *fault)
{
	struct email_change *ec = ctx;
	struct user_email *email = ec->email_r;
	const struct email_patch *patch = ec->patch;

	ec->is_changed = false;
	if (find(change, ec, email, fault) < 0)
		return -1;
	ec->was_verified = email->verified;
	if (patch->email != NULL && strcmp(patch->email, email->email) != 0) {
		memcpy(email->email, patch->email, strlen(patch->email) + 1);
		ec->is_changed = true;
	}
	set_verified(change, ec, email);
	if (patch->make_primary &&
	    take_primary(change, ec, email, fault) < 0)
		return -1;
	if (!ec->is_changed && !(patch->has_verified && patch->verified))
		return 0;
	return finish_update(change, ec, email, fault);
}

int
user_email_service_update(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *user_id,
    const struct uuid *id, const struct email_patch *patch,
    struct user_email *email_r, struct fault *fault)
{
	struct email_change ec = {
		.arena = arena,
		.user_id = user_id,
		.id = id,
		.patch = patch,
		.email_r = email_r
	};

	if (check_email(service, caller, patch, fault) < 0)
		return -1;
	if (details_run(service, caller, update_body, &ec, fault) < 0)
		return fault_prefix(fault, "update address");
	return 0;
}

static int
primary_body(struct change *change, void *ctx, struct fault *fault)
{
	struct email_change *ec = ctx;
	struct user_email email;

	ec->is_changed = false;
	if (find(change, ec, &email, fault) < 0)
		return -1;
	if (!email.verified)
		return fault_say(fault, REFUSAL_VALIDATION,
		    "the email address is not verified");
	ec->was_verified = true;
	if (take_primary(change, ec, &email, fault) < 0)
		return -1;
	return ec->is_changed ? finish_update(change, ec, &email, fault) : 0;
}

int
user_email_service_make_primary(struct service *service,
    struct arena *arena, const struct caller *caller,
    const struct uuid *user_id, const struct uuid *id, struct fault *fault)
{
	struct email_change ec = {
		.arena = arena, .user_id = user_id, .id = id
	};

	if (details_run(service, caller, primary_body, &ec, fault) < 0)
		return fault_prefix(fault, "make address primary");
	return 0;
}

/* --- delete --- */

static int
delete_body(struct change *change, void *ctx, struct fault *fault)
{
	struct email_change *ec = ctx;
	struct user_details details;
	struct user_email email;

	if (find(change, ec, &email, fault) < 0)
		return -1;
	if (connection_store_delete_of_email(change->db, &change->tenant_id,
	    &ec->user.id, &email.id, fault) < 0 ||
	    user_email_store_delete(change->db, &change->tenant_id,
	    &ec->user.id, &email.id, fault) < 0)
		return fault_prefix(fault, "delete");
	/* No other is promoted. */
	if (email.is_primary)
		ec->user.email[0] = '\0';
	if (details_settle(change, ec->arena, &ec->user, &details, fault) < 0 ||
	    details_audit(change, "user.email.removed", &ec->user.id, "email",
	    email.email, fault) < 0)
		return -1;
	return tell(change, "user.email.removed", &email, fault);
}

int
user_email_service_delete(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *user_id,
    const struct uuid *id, struct fault *fault)
{
	struct email_change ec = {
		.arena = arena, .user_id = user_id, .id = id
	};

	if (details_run(service, caller, delete_body, &ec, fault) < 0)
		return fault_prefix(fault, "delete address");
	return 0;
}
