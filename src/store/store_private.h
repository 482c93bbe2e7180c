/* SPDX-License-Identifier: MIT */
/* What the store's files share: the connection, statements prepared once per
   connection, and natively bound parameters and columns. */
#ifndef WUTS_STORE_PRIVATE_H
#define WUTS_STORE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mysql.h>

#include "wuts/role.h"
#include "wuts/uuid.h"

struct arena;
struct db;
struct fault;

#ifdef HAVE_MY_BOOL
typedef my_bool sql_bool;
#else
typedef bool sql_bool;
#endif

/* --- the connection (db.c) --- */

/* How a failed statement leaves its transaction. */
enum db_failure {
	DB_FAILURE_NONE,
	DB_FAILURE_OTHER,	/* running it again would fail again */
	DB_FAILURE_RETRY,	/* the transaction lost a race */
	DB_FAILURE_LOST		/* the connection is gone */
};

struct db_stmt;

struct db {
	const struct settings *settings;
	struct metrics *metrics;	/* NULL: nobody counts */
	MYSQL *mysql;		/* NULL: not connected */
	unsigned timeout_s;
	bool in_tx;
	bool is_reading;	/* rows of a statement are on their way */
	enum db_failure failure;	/* since db_failure_forget() */
	unsigned code;		/* the last failure's number, 0: none */
	int64_t used_us;	/* monotonic time of the last answer */
	int64_t retry_at_us;	/* no attempt to connect before that */
	int64_t backoff_us;
	char away[256];		/* why the last attempt failed */
	struct db_stmt *stmts;	/* prepared on this connection */
	size_t nstmts;
};

/* Numbers of the server's errors that mean something to us. */
enum {
	DB_ER_CHECKREAD = 1020,		/* row changed since read */
	DB_ER_NO_TABLE = 1146,
	DB_ER_UNKNOWN_DATABASE = 1049,
	DB_ER_UNKNOWN_COMMAND = 1047,	/* Galera: node not ready */
	DB_ER_SHUTDOWN = 1053,
	DB_ER_DUPLICATE = 1062,
	DB_ER_LOCK_WAIT = 1205,
	DB_ER_DEADLOCK = 1213,		/* Galera: failed certification */
	DB_ER_NEED_REPREPARE = 1615,
	DB_ER_KILLED = 1927,
	DB_ER_ROLLED_BACK = 3101,	/* MySQL group replication */
	DB_ER_IDLE_TOO_LONG = 4031
};

/* Connected after this, or -1. Inside a transaction a lost connection stays
   lost: what follows must not run outside it. */
int db_need(struct db *db, struct fault *fault);
/* Connect now, without regard to the back-off. database NULL: to none. */
int db_connect(struct db *db, const char *database, struct fault *fault);
void db_disconnect(struct db *db);

/* Run a statement without parameters and rows. */
int db_query(struct db *db, const char *what, const char *sql, size_t len,
    struct fault *fault);

/* Note the failure of what with the client library's number and text, drop a
   lost connection, set the fault. Returns -1. */
int db_failed(struct db *db, const char *what, unsigned code,
    const char *text, struct fault *fault);
void db_failure_forget(struct db *db);

/* --- parameters and columns (bind.c) --- */

#define BIND_MAX 20

union bind_value {
	int64_t number;
	MYSQL_TIME time;
	char text[24];
};

struct params {
	unsigned n, max;
	MYSQL_BIND *bind;
	union bind_value *value;
	MYSQL_BIND few_bind[BIND_MAX];
	union bind_value few_value[BIND_MAX];
};

/* In the order of the question marks. What is pointed to must live until the
   statement has run. */
void params_init(struct params *in);
/* For a statement with up to max of them, that writes many rows; deinit frees
   them. */
void params_init_many(struct params *in, unsigned max);
void params_deinit(struct params *in);
void bind_bytes(struct params *in, const void *data, size_t len);
void bind_null(struct params *in);
void bind_uuid(struct params *in, const struct uuid *uuid);
void bind_uuid_or_null(struct params *in, const struct uuid *uuid); /* nil */
void bind_text(struct params *in, const char *text);	/* NULL: NULL */
void bind_int(struct params *in, int64_t number);
void bind_time(struct params *in, int64_t wall_us);
void bind_time_or_null(struct params *in, int64_t wall_us);	/* 0: NULL */
/* LIMIT; 0 stands for all. */
void bind_limit(struct params *in, unsigned limit);

enum column_kind {
	COLUMN_BYTES,		/* exactly size bytes */
	COLUMN_TEXT,		/* into an array of size bytes */
	COLUMN_ARENA,		/* of any length, into the arena */
	COLUMN_UNSIGNED,
	COLUMN_UINT64,
	COLUMN_BOOL,
	COLUMN_TIME,
	COLUMN_WORD		/* one of a few words */
};

/* The value of a word, NULL being the empty one. False: it has none. */
typedef bool column_word(const char *word, void *dest);

struct column {
	enum column_kind kind;
	void *dest;
	size_t size;
	size_t *len_r;
	struct arena *arena;
	column_word *parse;
	unsigned long real_len;
	sql_bool is_null;
	sql_bool is_cut;
};

struct columns {
	unsigned n;
	MYSQL_BIND bind[BIND_MAX];
	union bind_value value[BIND_MAX];
	struct column column[BIND_MAX];
};

/* In the order of the select list. Each row read fills the destinations. NULL
   becomes 0, "" or a NULL pointer. */
void columns_init(struct columns *out);
void fetch_bytes(struct columns *out, void *dest, size_t len);
void fetch_uuid(struct columns *out, struct uuid *dest);
void fetch_text(struct columns *out, char *dest, size_t size);
void fetch_arena_text(struct columns *out, struct arena *arena,
    const char **dest);
void fetch_arena_bytes(struct columns *out, struct arena *arena,
    const uint8_t **dest, size_t *len_r);
void fetch_unsigned(struct columns *out, unsigned *dest);
void fetch_uint64(struct columns *out, uint64_t *dest);
void fetch_bool(struct columns *out, bool *dest);
void fetch_time(struct columns *out, int64_t *dest);
void fetch_word(struct columns *out, column_word *parse, void *dest);
void fetch_role(struct columns *out, enum role *dest);

/* Move the row that was just fetched into the destinations. -1: a value does
   not fit what this release knows; the fault names the column's number. */
int columns_take(struct columns *out, MYSQL_STMT *stmt, struct fault *fault);

/* --- statements (stmt.c) --- */

struct stmt_def {
	const char *name;	/* in faults */
	const char *sql;
};

/* Ends the condition of a look-up that nobody has found the tenant for: one
   that is being deleted has no rows any more. */
#define SQL_TENANT_LIVES(table) \
	" AND EXISTS (SELECT 1 FROM tenant WHERE tenant.id = " table \
	".tenant_id AND tenant.deleted_at IS NULL)"

void stmt_cache_forget(struct db *db);

/* Insert, update, delete. 1: done, *rows_r (may be NULL) rows matched;
   0: a row with such a key exists; -1. */
int stmt_write(struct db *db, const struct stmt_def *def, struct params *in,
    uint64_t *rows_r, struct fault *fault);

/* As stmt_write() for a row that must exist. 0 / -1. */
int stmt_update(struct db *db, const struct stmt_def *def, struct params *in,
    struct fault *fault);

/* The first row. 1: out's destinations are filled; 0: no row; -1. */
int stmt_read_one(struct db *db, const struct stmt_def *def,
    struct params *in, struct columns *out, struct fault *fault);

/* Every row as it arrives, in flat memory. row must not use this db; when it
   returns -1 the rest is not read. 0 / -1. */
typedef int stmt_row(void *ctx, struct fault *fault);
int stmt_read(struct db *db, const struct stmt_def *def, struct params *in,
    struct columns *out, stmt_row *row, void *ctx, struct fault *fault);

#endif
