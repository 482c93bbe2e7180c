/* SPDX-License-Identifier: MIT */
/* The connection: opened when first needed, opened again after a loss, never
   behind the back of a transaction. After a failure to connect, calls fail at
   once until the back-off has passed, so that a worker answers 503 instead of
   queueing requests up in front of a database that is not there. */
#include "config.h"

#include "wuts/db.h"
#include "store_private.h"

#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/metrics.h"
#include "wuts/settings.h"

#include <errmsg.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKOFF_MIN_US (CLOCK_SECOND_US / 4)
#define BACKOFF_MAX_US CLOCK_SECOND_US

/* TRADITIONAL: the server refuses what does not fit instead of changing it.
   The collation decides what LOWER() does, and differs between servers and
   client libraries. */
#define SESSION(lock_wait_s) \
	"SET SESSION sql_mode = 'TRADITIONAL', time_zone = '+00:00'," \
	" collation_connection = utf8mb4_unicode_ci," \
	" innodb_lock_wait_timeout = " lock_wait_s

#define LOCK_WAIT_MAX_S 3
static const char *const session_sql[LOCK_WAIT_MAX_S] = {
	SESSION("1"), SESSION("2"), SESSION("3")
};
static const char isolation_sql[] =
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

struct db *
db_new(const struct settings *settings)
{
	struct db *db = mem_calloc(1, sizeof(*db));

	/* Not left to the first mysql_init(): that is not safe when two
	   threads come to it at once. */
	(void)mysql_library_init(0, NULL, NULL);
	db->settings = settings;
	db->timeout_s =
	    (unsigned)((settings->database_timeout_ms + 999) / 1000);
	if (db->timeout_s == 0)
		db->timeout_s = 1;
	return db;
}

void
db_free(struct db **dbp)
{
	struct db *db = *dbp;

	if (db == NULL)
		return;
	*dbp = NULL;
	db_disconnect(db);
	free(db->stmts);
	free(db);
}

void
db_disconnect(struct db *db)
{
	MYSQL *mysql = db->mysql;

	if (mysql == NULL)
		return;
	db->mysql = NULL;
	db->is_reading = false;
	/* In this order: closing a statement first would read the rest of its
	   rows, from a server that may not send them. */
	mysql_close(mysql);
	stmt_cache_forget(db);
}

void
db_rest(struct db *db)
{
	wuts_assert(!db->in_tx);
	db_disconnect(db);
}

void
db_failure_forget(struct db *db)
{
	db->failure = DB_FAILURE_NONE;
	db->code = 0;
}

static enum db_failure
classify(unsigned code)
{
	switch (code) {
	case CR_SERVER_GONE_ERROR:
	case CR_SERVER_LOST:
	case CR_SERVER_LOST_EXTENDED:
	case CR_COMMANDS_OUT_OF_SYNC:
	case DB_ER_SHUTDOWN:
	case DB_ER_NEED_REPREPARE:
	case DB_ER_KILLED:
	case DB_ER_IDLE_TOO_LONG:
		return DB_FAILURE_LOST;
	case DB_ER_CHECKREAD:
	case DB_ER_UNKNOWN_COMMAND:
	case DB_ER_LOCK_WAIT:
	case DB_ER_DEADLOCK:
	case DB_ER_ROLLED_BACK:
		return DB_FAILURE_RETRY;
	default:
		return DB_FAILURE_OTHER;
	}
}

int
db_failed(struct db *db, const char *what, unsigned code, const char *text,
    struct fault *fault)
{
	enum db_failure failure = classify(code);

	(void)fault_set(fault, FAULT_DATABASE, "%s: %s (%u)", what, text,
	    code);
	fault->retry_after_s = 1;
	db->code = code;
	/* The worst counts: after a loss nothing better can follow. */
	if (failure > db->failure)
		db->failure = failure;
	if (failure == DB_FAILURE_LOST)
		db_disconnect(db);
	return -1;
}

static void
set_options(struct db *db, MYSQL *mysql)
{
	unsigned protocol = MYSQL_PROTOCOL_TCP;
	unsigned no_local_files = 0;

	/* "localhost" would silently mean a socket of the library's choice. */
	if (db->settings->database_socket[0] != '\0')
		protocol = MYSQL_PROTOCOL_SOCKET;
	mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
	mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &db->timeout_s);
	mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &db->timeout_s);
	mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &db->timeout_s);
	mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no_local_files);
}

static bool
log_in(struct db *db, MYSQL *mysql, const char *database)
{
	const struct settings *set = db->settings;
	bool is_socket = set->database_socket[0] != '\0';
	char *password;
	MYSQL *done;

	password = mem_calloc(1, set->database_password.len + 1);
	if (set->database_password.len > 0)
		memcpy(password, set->database_password.data,
		    set->database_password.len);
	/* FOUND_ROWS: an update counts the rows it matched, so that "no such
	   row" and "nothing new in it" are not the same. */
	done = mysql_real_connect(mysql,
	    is_socket ? NULL : set->database_host, set->database_user,
	    password, database, is_socket ? 0 : set->database_port,
	    is_socket ? set->database_socket : NULL, CLIENT_FOUND_ROWS);
	crypto_wipe(password, set->database_password.len);
	free(password);
	return done != NULL;
}

static bool
set_up_session(struct db *db, MYSQL *mysql)
{
	/* Below our own time-out, where seconds allow it: the server's "lock
	   wait" leaves us a connection, a time-out does not. */
	unsigned wait_s = db->timeout_s - 1;

	if (wait_s < 1)
		wait_s = 1;
	if (wait_s > LOCK_WAIT_MAX_S)
		wait_s = LOCK_WAIT_MAX_S;
	return mysql_query(mysql, session_sql[wait_s - 1]) == 0 &&
	    mysql_query(mysql, isolation_sql) == 0;
}

static void
describe_server(const struct settings *set, char *out, size_t size)
{
	if (set->database_socket[0] != '\0')
		(void)snprintf(out, size, "%s", set->database_socket);
	else
		(void)snprintf(out, size, "%s:%u", set->database_host,
		    set->database_port);
}

static void
back_off(struct db *db, MYSQL *mysql)
{
	char server[108];

	describe_server(db->settings, server, sizeof(server));
	(void)snprintf(db->away, sizeof(db->away), "connect to %s: %.120s",
	    server, mysql_error(mysql));
	db->backoff_us *= 2;
	if (db->backoff_us < BACKOFF_MIN_US)
		db->backoff_us = BACKOFF_MIN_US;
	if (db->backoff_us > BACKOFF_MAX_US)
		db->backoff_us = BACKOFF_MAX_US;
	db->retry_at_us = clock_mono_us() + db->backoff_us;
}

/* No attempt, or a failed one: the transaction, if any, need not try again. */
static int
is_away(struct db *db, struct fault *fault)
{
	(void)fault_set(fault, FAULT_DATABASE, "%s", db->away);
	fault->retry_after_s = 1;
	if (db->failure < DB_FAILURE_OTHER)
		db->failure = DB_FAILURE_OTHER;
	return -1;
}

int
db_connect(struct db *db, const char *database, struct fault *fault)
{
	MYSQL *mysql;

	mysql = mysql_init(NULL);
	if (mysql == NULL)
		log_fatal("out of memory for a database connection");
	set_options(db, mysql);
	if (!log_in(db, mysql, database) || !set_up_session(db, mysql)) {
		db->code = mysql_errno(mysql);
		back_off(db, mysql);
		mysql_close(mysql);
		return is_away(db, fault);
	}
	db->mysql = mysql;
	db->backoff_us = 0;
	db->used_us = clock_mono_us();
	return 0;
}

int
db_need(struct db *db, struct fault *fault)
{
	wuts_assert(!db->is_reading);
	if (db->mysql != NULL)
		return 0;
	if (db->in_tx) {
		(void)fault_set(fault, FAULT_DATABASE,
		    "the connection was lost in this transaction");
		fault->retry_after_s = 1;
		return -1;
	}
	if (db->retry_at_us != 0 && clock_mono_us() < db->retry_at_us)
		return is_away(db, fault);
	return db_connect(db, db->settings->database_name, fault);
}

int
db_query(struct db *db, const char *what, const char *sql, size_t len,
    struct fault *fault)
{
	int64_t begun_us;
	bool failed;

	if (db_need(db, fault) < 0)
		return fault_prefix(fault, "%s", what);
	begun_us = clock_mono_us();
	failed = mysql_real_query(db->mysql, sql, (unsigned long)len) != 0;
	metrics_count_statement(db->metrics, clock_mono_us() - begun_us,
	    failed);
	if (failed)
		return db_failed(db, what, mysql_errno(db->mysql),
		    mysql_error(db->mysql), fault);
	db->used_us = clock_mono_us();
	return 0;
}

void
db_set_metrics(struct db *db, struct metrics *metrics)
{
	db->metrics = metrics;
}

int
db_ping(struct db *db, struct fault *fault)
{
	bool was_connected = db->mysql != NULL;

	if (db_need(db, fault) < 0)
		return -1;
	if (mysql_ping(db->mysql) == 0)
		return 0;
	(void)db_failed(db, "ping", mysql_errno(db->mysql),
	    mysql_error(db->mysql), fault);
	/* An old connection says little about the server. */
	if (!was_connected || db->mysql != NULL)
		return -1;
	return db_need(db, fault);
}
