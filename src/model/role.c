/* SPDX-License-Identifier: MIT */
/* The roles, the manage relation between them, and the lookup in the
   transition matrix, whose content is data of the installation. */
#include "config.h"

#include "wuts/role.h"

#include <string.h>

#define MAY(action) (1U << MANAGE_##action)
#define MAY_ALL (MAY(VIEW) | MAY(ACTIVE) | MAY(ROLE) | MAY(DELETE))

static const char *const role_names[ROLE_COUNT] = {
	[ROLE_ADMIN] = "admin",
	[ROLE_MANAGER] = "manager",
	[ROLE_USER] = "user",
};

/* Rows: caller; columns: target. What is not named is forbidden. */
static const unsigned manage[ROLE_COUNT][ROLE_COUNT] = {
	[ROLE_ADMIN] = {
		[ROLE_ADMIN] = MAY_ALL,
		[ROLE_MANAGER] = MAY_ALL,
		[ROLE_USER] = MAY_ALL,
	},
	[ROLE_MANAGER] = {
		[ROLE_MANAGER] = MAY(VIEW),
		[ROLE_USER] = MAY(VIEW) | MAY(ACTIVE) | MAY(ROLE),
	},
};

const struct role_matrix ROLE_MATRIX_SHIPPED = { .allowed = {
	[ROLE_ADMIN] = {
		[ROLE_ADMIN] = { [ROLE_MANAGER] = true, [ROLE_USER] = true },
		[ROLE_MANAGER] = { [ROLE_ADMIN] = true, [ROLE_USER] = true },
		[ROLE_USER] = { [ROLE_ADMIN] = true, [ROLE_MANAGER] = true },
	},
	[ROLE_MANAGER] = {
		[ROLE_USER] = { [ROLE_MANAGER] = true },
	},
} };

const char *
role_name(enum role role)
{
	return role_names[role];
}

bool
role_parse(const char *name, enum role *role_r)
{
	int i;

	for (i = 0; i < ROLE_COUNT; i++) {
		if (strcmp(name, role_names[i]) == 0) {
			*role_r = (enum role)i;
			return true;
		}
	}
	return false;
}

bool
role_may_manage(enum role caller, enum role target, enum manage_action action)
{
	return (manage[caller][target] & 1U << action) != 0;
}

bool
role_may_change(const struct role_matrix *matrix, enum role actor,
    enum role from, enum role to)
{
	return matrix->allowed[actor][from][to];
}
