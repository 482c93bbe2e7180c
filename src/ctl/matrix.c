/* SPDX-License-Identifier: MIT */
/* wutsctl matrix: the permission matrix, shown whole and edited a cell at a
   time. Every running process obeys at once. */
#include "config.h"

#include "ctl_private.h"

#include "wuts/role_service.h"

#include <stdio.h>

/* --- show --- */

struct cell {
	enum role actor, from, to;
};

#define CELLS (ROLE_COUNT * ROLE_COUNT * ROLE_COUNT)

/* The number-th cell, in the order of the table. False: it says that a role
   becomes itself, and nobody asks the matrix about that. */
static bool
cell_at(unsigned number, struct cell *cell_r)
{
	cell_r->actor = (enum role)(number / (ROLE_COUNT * ROLE_COUNT));
	cell_r->from = (enum role)(number / ROLE_COUNT % ROLE_COUNT);
	cell_r->to = (enum role)(number % ROLE_COUNT);
	return cell_r->from != cell_r->to;
}

static bool
is_allowed(const struct role_matrix *matrix, const struct cell *cell)
{
	return role_may_change(matrix, cell->actor, cell->from, cell->to);
}

static void
print_matrix(const struct role_matrix *matrix)
{
	unsigned i, changed = 0;
	struct cell cell;
	bool now, shipped;

	printf("%-8s  %-8s    %-8s  %s\n", "ACTOR", "FROM", "TO", "ALLOWED");
	for (i = 0; i < CELLS; i++) {
		if (!cell_at(i, &cell))
			continue;
		now = is_allowed(matrix, &cell);
		shipped = is_allowed(&ROLE_MATRIX_SHIPPED, &cell);
		changed += now != shipped;
		printf("%-8s  %-8s →  %-8s  %s%s\n", role_name(cell.actor),
		    role_name(cell.from), role_name(cell.to),
		    now ? "yes" : "no", now == shipped ? "" :
		    now ? " *" : "  *");
	}
	if (changed > 0)
		printf("\n* not as shipped; wutsctl matrix reset takes %s"
		    " back\n", changed == 1 ? "it" : "them");
}

static void
write_cell(struct json_writer *w, const struct cell *cell)
{
	json_member_text(w, "actor", role_name(cell->actor));
	json_member_text(w, "from", role_name(cell->from));
	json_member_text(w, "to", role_name(cell->to));
}

/* Those allowed, as GET /roles has them; and which were allowed or denied
   since. */
static void
write_matrix(struct json_writer *w, const struct role_matrix *matrix)
{
	struct cell cell;
	unsigned i;

	json_write_key(w, "transitions");
	json_write_array_begin(w);
	for (i = 0; i < CELLS; i++) {
		if (!cell_at(i, &cell) || !is_allowed(matrix, &cell))
			continue;
		json_write_object_begin(w);
		write_cell(w, &cell);
		json_write_object_end(w);
	}
	json_write_array_end(w);
	json_write_key(w, "changes");
	json_write_array_begin(w);
	for (i = 0; i < CELLS; i++) {
		if (!cell_at(i, &cell) || is_allowed(matrix, &cell) ==
		    is_allowed(&ROLE_MATRIX_SHIPPED, &cell))
			continue;
		json_write_object_begin(w);
		write_cell(w, &cell);
		json_member_bool(w, "allowed", is_allowed(matrix, &cell));
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

static int
show(struct session *session)
{
	struct role_matrix matrix;

	if (role_service_matrix(session->service, &matrix,
	    &session->fault) < 0)
		return -1;
	if (session->ctl->json)
		write_matrix(&session->w, &matrix);
	else
		print_matrix(&matrix);
	return 0;
}

int
ctl_matrix_show(const struct ctl *ctl)
{
	struct session session;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	return session_close(&session, show(&session));
}

/* --- allow, deny, reset --- */

static int
edit(struct session *session, bool allowed)
{
	const char *const *args = session->ctl->args;
	struct json_writer *w = &session->w;
	struct cell cell;
	int changed;

	if (session_role(session, args[0], &cell.actor) < 0 ||
	    session_role(session, args[1], &cell.from) < 0 ||
	    session_role(session, args[2], &cell.to) < 0)
		return -1;
	changed = role_service_allow(session->service, &session->caller,
	    cell.actor, cell.from, cell.to, allowed, &session->fault);
	if (changed < 0)
		return -1;
	if (session->ctl->json) {
		write_cell(w, &cell);
		json_member_bool(w, "allowed", allowed);
		json_member_bool(w, "changed", changed == 1);
		return 0;
	}
	printf("%s %s %s turn %s into %s\n", role_name(cell.actor),
	    changed == 1 ? "now" : "already", allowed ? "may" : "may not",
	    role_name(cell.from), role_name(cell.to));
	return 0;
}

static int
run_edit(const struct ctl *ctl, bool allowed)
{
	struct session session;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	return session_close(&session, edit(&session, allowed));
}

int
ctl_matrix_allow(const struct ctl *ctl)
{
	return run_edit(ctl, true);
}

int
ctl_matrix_deny(const struct ctl *ctl)
{
	return run_edit(ctl, false);
}

int
ctl_matrix_reset(const struct ctl *ctl)
{
	struct session session;
	int ret;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	ret = role_service_reset(session.service, &session.caller,
	    &session.fault);
	if (ret == 0)
		ret = show(&session);
	return session_close(&session, ret);
}
