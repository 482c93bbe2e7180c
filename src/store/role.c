/* SPDX-License-Identifier: MIT */
/* Table role_transition. */
#include "config.h"

#include "wuts/role_store.h"
#include "store_private.h"

#include <string.h>

enum {
	ROLE_LOAD,
	ROLE_ALLOW,
	ROLE_DENY,
	ROLE_STMT_COUNT
};

static const struct stmt_def role_stmts[ROLE_STMT_COUNT] = {
	[ROLE_LOAD] = { "role_load",
	    "SELECT actor, from_role, to_role FROM role_transition" },
	[ROLE_ALLOW] = { "role_allow",
	    "INSERT INTO role_transition (actor, from_role, to_role)"
	    " VALUES (?, ?, ?)" },
	[ROLE_DENY] = { "role_deny",
	    "DELETE FROM role_transition"
	    " WHERE actor = ? AND from_role = ? AND to_role = ?" },
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

int
role_store_allow(struct db *db, enum role actor, enum role from,
    enum role to, bool allowed, struct fault *fault)
{
	struct params in;
	uint64_t rows = 0;

	params_init(&in);
	bind_text(&in, role_name(actor));
	bind_text(&in, role_name(from));
	bind_text(&in, role_name(to));
	/* A row that is there already leaves rows at 0. */
	if (stmt_write(db, &role_stmts[allowed ? ROLE_ALLOW : ROLE_DENY], &in,
	    &rows, fault) < 0)
		return -1;
	return rows > 0;
}
