/* SPDX-License-Identifier: MIT */
/* Prepared statements: each prepared when a connection first needs it and kept
   with that connection. A read outside a transaction that finds the connection
   gone runs once more on a new one; a write never does, since it may have been
   done. */
#include "config.h"

#include "store_private.h"

#include "wuts/clock.h"
#include "wuts/db.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/metrics.h"

#include <string.h>

/* A write outside a transaction first asks whether a connection that was idle
   this long is still there. */
#define IDLE_US CLOCK_SECOND_US

struct db_stmt {
	const struct stmt_def *def;
	MYSQL_STMT *stmt;
};

void
stmt_cache_forget(struct db *db)
{
	size_t i;

	for (i = 0; i < db->nstmts; i++)
		(void)mysql_stmt_close(db->stmts[i].stmt);
	db->nstmts = 0;
}

static int
stmt_failed(struct db *db, const struct stmt_def *def, MYSQL_STMT *stmt,
    struct fault *fault)
{
	return db_failed(db, def->name, mysql_stmt_errno(stmt),
	    mysql_stmt_error(stmt), fault);
}

/* A few dozen at most, so a walk costs nothing beside a round trip. */
static MYSQL_STMT *
cache_find(const struct db *db, const struct stmt_def *def)
{
	size_t i;

	for (i = 0; i < db->nstmts; i++)
		if (db->stmts[i].def == def)
			return db->stmts[i].stmt;
	return NULL;
}

static void
cache_add(struct db *db, const struct stmt_def *def, MYSQL_STMT *stmt)
{
	db->stmts = mem_realloc(db->stmts, db->nstmts + 1,
	    sizeof(db->stmts[0]));
	db->stmts[db->nstmts].def = def;
	db->stmts[db->nstmts].stmt = stmt;
	db->nstmts++;
}

static int
stmt_prepare(struct db *db, const struct stmt_def *def, MYSQL_STMT **stmt_r,
    struct fault *fault)
{
	MYSQL_STMT *stmt = cache_find(db, def);

	if (stmt == NULL) {
		stmt = mysql_stmt_init(db->mysql);
		if (stmt == NULL)
			log_fatal("out of memory for a statement");
		/* Into the cache before it can fail: a loss closes what is
		   there, after the connection. */
		cache_add(db, def, stmt);
		if (mysql_stmt_prepare(stmt, def->sql,
		    (unsigned long)strlen(def->sql)) != 0) {
			(void)stmt_failed(db, def, stmt, fault);
			if (db->mysql != NULL) {
				db->nstmts--;
				(void)mysql_stmt_close(stmt);
			}
			return -1;
		}
	}
	*stmt_r = stmt;
	return 0;
}

/* Oracle's libmysqlclient, told again by an answer what the columns are, writes
   through the lengths that were bound for the run before, which lie where the
   caller's caller has long returned from. NULL is bound with the statement's
   own. */
static void
unbind_columns(MYSQL_STMT *stmt)
{
	MYSQL_BIND nowhere[BIND_MAX] = { 0 };
	unsigned i, n = mysql_stmt_field_count(stmt);

	wuts_assert(n <= BIND_MAX);
	for (i = 0; i < n; i++)
		nowhere[i].buffer_type = MYSQL_TYPE_NULL;
	if (n > 0)
		(void)mysql_stmt_bind_result(stmt, nowhere);
}

/* 1: it ran; 0: a row with such a key exists, and the server has undone this
   statement only: its transaction can go on; -1. */
static int
try_execute(struct db *db, const struct stmt_def *def, struct params *in,
    MYSQL_STMT **stmt_r, struct fault *fault)
{
	int64_t begun_us = clock_mono_us();
	MYSQL_STMT *stmt = NULL;
	bool failed, is_duplicate;

	if (stmt_prepare(db, def, &stmt, fault) < 0)
		return -1;
	wuts_assert(mysql_stmt_param_count(stmt) == in->n);
	unbind_columns(stmt);
	failed = (in->n > 0 && mysql_stmt_bind_param(stmt, in->bind) != 0) ||
	    mysql_stmt_execute(stmt) != 0;
	is_duplicate = failed && mysql_stmt_errno(stmt) == DB_ER_DUPLICATE;
	metrics_count_statement(db->metrics, clock_mono_us() - begun_us,
	    failed && !is_duplicate);
	if (failed) {
		if (is_duplicate)
			return 0;
		return stmt_failed(db, def, stmt, fault);
	}
	db->used_us = clock_mono_us();
	*stmt_r = stmt;
	return 1;
}

static int
execute_read(struct db *db, const struct stmt_def *def, struct params *in,
    MYSQL_STMT **stmt_r, struct fault *fault)
{
	int64_t begun_us = clock_mono_us();
	bool was_connected = db->mysql != NULL;

	if (db_need(db, fault) < 0)
		return fault_prefix(fault, "%s", def->name);
	if (try_execute(db, def, in, stmt_r, fault) > 0)
		return 0;
	/* A connection that died while idle is no news about the server; one
	   that timed out is, and has cost the caller its time already. */
	if (db->mysql != NULL || db->in_tx || !was_connected ||
	    clock_mono_us() - begun_us > (int64_t)db->timeout_s *
	    CLOCK_SECOND_US / 2)
		return -1;
	fault_clear(fault);
	if (db_need(db, fault) < 0)
		return fault_prefix(fault, "%s", def->name);
	return try_execute(db, def, in, stmt_r, fault) > 0 ? 0 : -1;
}

/* A connection that is known to be gone must not cost a write its only run. */
static void
check_idle(struct db *db)
{
	if (db->mysql == NULL || db->in_tx ||
	    clock_mono_us() - db->used_us < IDLE_US)
		return;
	if (mysql_ping(db->mysql) != 0)
		db_disconnect(db);
}

int
stmt_write(struct db *db, const struct stmt_def *def, struct params *in,
    uint64_t *rows_r, struct fault *fault)
{
	MYSQL_STMT *stmt = NULL;
	int ret;

	check_idle(db);
	if (db_need(db, fault) < 0)
		return fault_prefix(fault, "%s", def->name);
	ret = try_execute(db, def, in, &stmt, fault);
	if (ret == 1 && rows_r != NULL)
		*rows_r = mysql_stmt_affected_rows(stmt);
	return ret;
}

/* The database answered, but not what can be. */
static int
is_nonsense(struct db *db, const struct stmt_def *def, struct fault *fault)
{
	fault->retry_after_s = 1;
	if (db->failure < DB_FAILURE_OTHER)
		db->failure = DB_FAILURE_OTHER;
	return fault_prefix(fault, "%s", def->name);
}

int
stmt_update(struct db *db, const struct stmt_def *def, struct params *in,
    struct fault *fault)
{
	uint64_t rows = 0;
	int ret;

	ret = stmt_write(db, def, in, &rows, fault);
	if (ret < 0)
		return -1;
	if (ret == 1 && rows > 0)
		return 0;
	(void)fault_set(fault, FAULT_DATABASE, "%s",
	    ret == 0 ? "another row has this key" : "no such row");
	return is_nonsense(db, def, fault);
}

/* No more rows of this statement. Inside a transaction the rest is read, so
   that the connection lives on; outside, a new connection is cheaper than the
   rest of a large table. */
static void
read_end(struct db *db, MYSQL_STMT *stmt, bool is_complete)
{
	db->is_reading = false;
	if (!is_complete && !db->in_tx)
		db_disconnect(db);
	else
		(void)mysql_stmt_free_result(stmt);
}

/* 1: a row is in out's destinations; 0: that was all; -1. */
static int
read_row(struct db *db, const struct stmt_def *def, MYSQL_STMT *stmt,
    struct columns *out, struct fault *fault)
{
	switch (mysql_stmt_fetch(stmt)) {
	case 0:
	case MYSQL_DATA_TRUNCATED:	/* columns_take() looks at each */
		if (columns_take(out, stmt, fault) == 0)
			return 1;
		return is_nonsense(db, def, fault);
	case MYSQL_NO_DATA:
		return 0;
	default:
		db->is_reading = false;
		return stmt_failed(db, def, stmt, fault);
	}
}

static int
read_begin(struct db *db, const struct stmt_def *def, struct params *in,
    struct columns *out, MYSQL_STMT **stmt_r, struct fault *fault)
{
	if (execute_read(db, def, in, stmt_r, fault) < 0)
		return -1;
	wuts_assert(mysql_stmt_field_count(*stmt_r) == out->n);
	if (mysql_stmt_bind_result(*stmt_r, out->bind) != 0)
		return stmt_failed(db, def, *stmt_r, fault);
	db->is_reading = true;
	return 0;
}

int
stmt_read_one(struct db *db, const struct stmt_def *def, struct params *in,
    struct columns *out, struct fault *fault)
{
	MYSQL_STMT *stmt = NULL;
	int ret;

	if (read_begin(db, def, in, out, &stmt, fault) < 0)
		return -1;
	ret = read_row(db, def, stmt, out, fault);
	/* Reads what is left, a handful of bytes: the end marker. */
	if (db->mysql != NULL) {
		db->is_reading = false;
		(void)mysql_stmt_free_result(stmt);
	}
	return ret;
}

int
stmt_read(struct db *db, const struct stmt_def *def, struct params *in,
    struct columns *out, stmt_row *row, void *ctx, struct fault *fault)
{
	MYSQL_STMT *stmt = NULL;
	int ret;

	if (read_begin(db, def, in, out, &stmt, fault) < 0)
		return -1;
	while ((ret = read_row(db, def, stmt, out, fault)) == 1) {
		if (row(ctx, fault) < 0) {
			ret = -1;
			break;
		}
	}
	if (db->mysql != NULL)
		read_end(db, stmt, ret == 0);
	return ret;
}
