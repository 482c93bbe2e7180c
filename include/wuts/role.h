/* SPDX-License-Identifier: MIT */
/* Roles, the manage relation and the role-transition permission matrix
   (spec/wuts.md §3). Pure rules. */
#ifndef WUTS_ROLE_H
#define WUTS_ROLE_H

#include <stdbool.h>

enum role {
	ROLE_ADMIN,
	ROLE_MANAGER,
	ROLE_USER,
	ROLE_COUNT
};

/* "admin", "manager", "user". */
const char *role_name(enum role role);
bool role_parse(const char *name, enum role *role_r);

enum manage_action {
	MANAGE_VIEW,
	MANAGE_ACTIVE,
	MANAGE_ROLE,
	MANAGE_DELETE,
	MANAGE_COUNT
};

/* The manage relation between a caller and ANOTHER user of its tenant. What
   one may do to oneself is decided by user_check_*() in wuts/user.h. */
bool role_may_manage(enum role caller, enum role target,
    enum manage_action action);

/* Rows (actor, from, to) of table role_transition. */
struct role_matrix {
	bool allowed[ROLE_COUNT][ROLE_COUNT][ROLE_COUNT];
};
/* That of a new installation, as sql/0001_initial.sql fills the table. */
extern const struct role_matrix ROLE_MATRIX_SHIPPED;
bool role_may_change(const struct role_matrix *matrix, enum role actor,
    enum role from, enum role to);

#endif
