/* SPDX-License-Identifier: MIT */
/* Table role_transition. */
#include "config.h"

#include "wuts/role_store.h"
#include "store_private.h"

#include <string.h>

enum {
	ROLE_LOAD,
	ROLE_STMT_COUNT
};

static const struct stmt_def role_stmts[ROLE_STMT_COUNT] = {
	[ROLE_LOAD] = { "role_load",
	    "SELECT actor, from_role, to_role FROM role_transition" },
};

struct role_rows {
	enum role actor, from, to;
	struct role_matrix matrix;
};

static int
role_row(void *ctx, struct fault *fault)
{
	struct role_rows *rows = ctx;

	(void)fault;
	rows->matrix.allowed[rows->actor][rows->from][rows->to] = true;
	return 0;
}

/* The caller's matrix is replaced whole or not at all. */
int
role_store_load(struct db *db, struct role_matrix *matrix_r,
    struct fault *fault)
{
	struct role_rows rows;
	struct params in;
	struct columns out;

	memset(&rows, 0, sizeof(rows));
	params_init(&in);
	columns_init(&out);
	fetch_role(&out, &rows.actor);
	fetch_role(&out, &rows.from);
	fetch_role(&out, &rows.to);
	if (stmt_read(db, &role_stmts[ROLE_LOAD], &in, &out, role_row, &rows,
	    fault) < 0)
		return -1;
	*matrix_r = rows.matrix;
	return 0;
}
