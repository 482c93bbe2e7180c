/* SPDX-License-Identifier: MIT */
/* GET /roles: who may manage whom, and the transition matrix as it is in force
   (spec/wuts.md §3). Everything is asked of the rules themselves, nothing is
   said here a second time. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/role_service.h"
#include "wuts/user.h"

#include "wuts_private.h"

static const char *const action_names[MANAGE_COUNT] = {
	[MANAGE_VIEW] = "view",
	[MANAGE_ACTIVE] = "active",
	[MANAGE_ROLE] = "role",
	[MANAGE_DELETE] = "delete"
};

/* The columns of the manage relation, in the order of spec §3. */
static const enum role columns[] = { ROLE_USER, ROLE_MANAGER, ROLE_ADMIN };

static void
write_roles(struct json_writer *w)
{
	unsigned role;

	json_write_key(w, "roles");
	json_write_array_begin(w);
	for (role = 0; role < ROLE_COUNT; role++)
		json_write_string(w, role_name((enum role)role));
	json_write_array_end(w);
}

static void
write_transition(struct json_writer *w, enum role actor, enum role from,
    enum role to)
{
	json_write_object_begin(w);
	json_member_text(w, "actor", role_name(actor));
	json_member_text(w, "from", role_name(from));
	json_member_text(w, "to", role_name(to));
	json_write_object_end(w);
}

static void
write_transitions(struct json_writer *w, const struct role_matrix *matrix)
{
	const unsigned all = ROLE_COUNT * ROLE_COUNT * ROLE_COUNT;
	enum role actor, from, to;
	unsigned i;

	json_write_key(w, "transitions");
	json_write_array_begin(w);
	for (i = 0; i < all; i++) {
		actor = (enum role)(i / (ROLE_COUNT * ROLE_COUNT));
		from = (enum role)(i / ROLE_COUNT % ROLE_COUNT);
		to = (enum role)(i % ROLE_COUNT);
		if (from != to && role_may_change(matrix, actor, from, to))
			write_transition(w, actor, from, to);
	}
	json_write_array_end(w);
}

/* What a caller may do to a user of this role; is_self: to itself. */
static void
write_actions(struct json_writer *w, const char *key, enum role caller_role,
    enum role target_role, bool is_self)
{
	struct identity caller = { .kind = IDENTITY_USER,
		.role = caller_role };
	struct user target = { .role = target_role };
	struct fault fault;
	unsigned action;

	target.id.b[0] = is_self ? 0 : 1;
	json_write_key(w, key);
	json_write_array_begin(w);
	for (action = 0; action < MANAGE_COUNT; action++) {
		fault_clear(&fault);
		if (user_check_manage(&caller, &target,
		    (enum manage_action)action, &fault) == 0)
			json_write_string(w, action_names[action]);
	}
	json_write_array_end(w);
}

static void
write_manage(struct json_writer *w)
{
	enum role caller;
	unsigned role;
	size_t i;

	json_write_key(w, "manage");
	json_write_object_begin(w);
	for (role = 0; role < ROLE_COUNT; role++) {
		caller = (enum role)role;
		json_write_key(w, role_name(caller));
		json_write_object_begin(w);
		write_actions(w, "self", caller, caller, true);
		for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
			write_actions(w, role_name(columns[i]), caller,
			    columns[i], false);
		json_write_object_end(w);
	}
	json_write_object_end(w);
}

int
roles_show(struct exchange *x, struct fault *fault)
{
	struct role_matrix matrix;
	struct json_writer *w;

	if (role_service_matrix(x->service, &matrix, fault) < 0)
		return -1;

	w = response_begin(x, 200);
	write_roles(w);
	write_transitions(w, &matrix);
	write_manage(w);
	json_write_object_end(w);
	return 0;
}
