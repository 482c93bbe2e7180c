/* SPDX-License-Identifier: MIT */
/* The limit programs behind nginx (L1, L1i, LJ, L2w): pre-forked libfcgi workers
   that do next to nothing, so that what wutsd adds can be read as a ratio.
       limit_fcgi SOCKET WORKERS fixed
       limit_fcgi SOCKET WORKERS identity
       limit_fcgi SOCKET WORKERS join DBSOCKET DBUSER DBNAME PASSWORDFILE
       limit_fcgi SOCKET WORKERS write DBSOCKET DBUSER DBNAME PASSWORDFILE [DIR]
   fixed: 250 bytes. identity: the bearer token found in a table first. join: caller and
   target in one prepared look-up by primary keys, nothing remembered. write: a
   durable role change (SELECT … FOR UPDATE, UPDATE, audit INSERT, COMMIT);
   with DIR one durable append to a preallocated file there comes first: as
   many syncs as a change with an event has. */
#include "config.h"

#include <fcgiapp.h>
#include <mysql.h>

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOKENS 1024
#define USERS 1000
#define BODY_LEN 250
#define APPEND_LEN 900
#define SEGMENT_BYTES (16 << 20)

static char tokens[TOKENS][37];
static char body[BODY_LEN + 1];

static MYSQL *db;
static MYSQL_STMT *stmt_lock, *stmt_update, *stmt_audit, *stmt_join;
static int user_id, caller_id;
static signed char role;
static int append_fd = -1;

static void
tokens_fill(void)
{
	for (int i = 0; i < TOKENS; i++)
		snprintf(tokens[i], sizeof(tokens[i]),
		    "00000000-0000-4000-8000-%012d", i);
}

/* The last digits of a benchmark token are its slot. */
static int
token_is_known(const char *header)
{
	if (header == NULL || strncmp(header, "Bearer ", 7) != 0 ||
	    strlen(header) != 7 + 36)
		return 0;
	return strcmp(tokens[atoi(header + 7 + 24) % TOKENS], header + 7) == 0;
}

static MYSQL_STMT *
prepare(const char *sql, MYSQL_BIND *binds)
{
	MYSQL_STMT *stmt = mysql_stmt_init(db);

	if (stmt == NULL || mysql_stmt_prepare(stmt, sql, strlen(sql)) != 0)
		errx(1, "%s: %s", sql, mysql_error(db));
	if (mysql_stmt_bind_param(stmt, binds) != 0)
		errx(1, "bind: %s", mysql_stmt_error(stmt));
	return stmt;
}

static void
run_sql(const char *sql)
{
	if (mysql_query(db, sql) != 0)
		errx(1, "%s: %s", sql, mysql_error(db));
}

static void
connect_db(char **args)
{
	char password[256] = "";
	FILE *file = fopen(args[3], "r");

	if (file == NULL)
		err(1, "%s", args[3]);
	if (fgets(password, sizeof(password), file) != NULL)
		password[strcspn(password, "\n")] = '\0';
	fclose(file);
	db = mysql_init(NULL);
	if (mysql_real_connect(db, NULL, args[1], password, args[2], 0,
	    args[0], 0) == NULL)
		errx(1, "connect: %s", mysql_error(db));
}

static void
join_open(char **args)
{
	static MYSQL_BIND by_ids[2];

	connect_db(args);
	by_ids[0].buffer_type = MYSQL_TYPE_LONG;
	by_ids[0].buffer = &user_id;
	by_ids[1].buffer_type = MYSQL_TYPE_LONG;
	by_ids[1].buffer = &caller_id;
	stmt_join = prepare(
	    "SELECT target.id, target.role, caller.role FROM bench_user target"
	    " JOIN bench_user caller ON caller.id = ? WHERE target.id = ?",
	    by_ids);
}

static void
write_open(char **args)
{
	static MYSQL_BIND by_role[2], by_id[1];

	connect_db(args);
	run_sql("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
	by_role[0].buffer_type = MYSQL_TYPE_TINY;
	by_role[0].buffer = &role;
	by_role[1].buffer_type = MYSQL_TYPE_LONG;
	by_role[1].buffer = &user_id;
	by_id[0] = by_role[1];
	stmt_lock = prepare(
	    "SELECT role FROM bench_user WHERE id = ? FOR UPDATE", by_id);
	stmt_update = prepare(
	    "UPDATE bench_user SET role = ? WHERE id = ?", by_role);
	stmt_audit = prepare(
	    "INSERT INTO bench_audit (new_role, user_id, at)"
	    " VALUES (?, ?, UTC_TIMESTAMP(6))", by_role);
}

static void
append_open(const char *dir)
{
	static const char zeros[1 << 20];
	char path[4096];

	snprintf(path, sizeof(path), "%s/append-%ld", dir, (long)getpid());
	append_fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (append_fd < 0)
		err(1, "%s", path);
	for (int i = 0; i < SEGMENT_BYTES; i += (int)sizeof(zeros))
		if (pwrite(append_fd, zeros, sizeof(zeros), i) < 0)
			err(1, "%s", path);
	if (fsync(append_fd) < 0)
		err(1, "%s", path);
	unlink(path);
}

static void
append_one(void)
{
	static char record[APPEND_LEN];
	static off_t at;

	if (at + APPEND_LEN > SEGMENT_BYTES)
		at = 0;
	if (pwrite(append_fd, record, APPEND_LEN, at) != APPEND_LEN ||
	    fdatasync(append_fd) < 0)
		err(1, "append");
	at += APPEND_LEN;
}

static void
schema_open(char **args)
{
	char insert[128];

	connect_db(args);
	run_sql("CREATE TABLE IF NOT EXISTS bench_user"
	    " (id INT PRIMARY KEY, role TINYINT NOT NULL) ENGINE=InnoDB");
	run_sql("CREATE TABLE IF NOT EXISTS bench_audit"
	    " (id BIGINT AUTO_INCREMENT PRIMARY KEY, user_id INT NOT NULL,"
	    " new_role TINYINT NOT NULL, at DATETIME(6) NOT NULL)"
	    " ENGINE=InnoDB");
	for (int i = 0; i < USERS; i++) {
		snprintf(insert, sizeof(insert),
		    "REPLACE INTO bench_user VALUES (%d, 0)", i);
		run_sql(insert);
	}
	mysql_close(db);
}

static void
execute(MYSQL_STMT *stmt)
{
	if (mysql_stmt_execute(stmt) != 0)
		errx(1, "execute: %s", mysql_stmt_error(stmt));
}

static void
join_one(void)
{
	user_id = (int)(random() % USERS);
	caller_id = (int)(random() % USERS);
	execute(stmt_join);
	if (mysql_stmt_store_result(stmt_join) != 0)
		errx(1, "result: %s", mysql_stmt_error(stmt_join));
	mysql_stmt_free_result(stmt_join);
}

static void
write_one(void)
{
	user_id = (int)(random() % USERS);
	if (append_fd >= 0)
		append_one();
	run_sql("BEGIN");
	execute(stmt_lock);
	if (mysql_stmt_store_result(stmt_lock) != 0)
		errx(1, "result: %s", mysql_stmt_error(stmt_lock));
	mysql_stmt_free_result(stmt_lock);
	role = (signed char)!role;
	execute(stmt_update);
	execute(stmt_audit);
	run_sql("COMMIT");
}

static void
serve(int listen_fd, const char *mode, char **args)
{
	int identity = strcmp(mode, "identity") == 0;
	int join_mode = strcmp(mode, "join") == 0;
	int write_mode = strcmp(mode, "write") == 0;
	FCGX_Request request;

	if (join_mode)
		join_open(args);
	if (write_mode)
		write_open(args);
	if (write_mode && args[4] != NULL)
		append_open(args[4]);
	srandom((unsigned)getpid());
	FCGX_Init();
	FCGX_InitRequest(&request, listen_fd, 0);
	while (FCGX_Accept_r(&request) == 0) {
		if (identity && !token_is_known(FCGX_GetParam(
		    "HTTP_AUTHORIZATION", request.envp))) {
			FCGX_PutS("Status: 401\r\n\r\n", request.out);
		} else {
			if (join_mode)
				join_one();
			if (write_mode)
				write_one();
			FCGX_PutS("Content-Type: application/json\r\n"
			    "Content-Length: 250\r\n\r\n", request.out);
			FCGX_PutStr(body, BODY_LEN, request.out);
		}
		FCGX_Finish_r(&request);
	}
}

int
main(int argc, char **argv)
{
	int listen_fd, workers;

	if (argc < 4)
		errx(2, "usage: limit_fcgi SOCKET WORKERS MODE [DB…]");
	workers = atoi(argv[2]);
	tokens_fill();
	memset(body, 'x', BODY_LEN);
	unlink(argv[1]);
	FCGX_Init();
	listen_fd = FCGX_OpenSocket(argv[1], 4096);
	if (listen_fd < 0)
		err(1, "%s", argv[1]);
	chmod(argv[1], 0666);
	if (strcmp(argv[3], "write") == 0 || strcmp(argv[3], "join") == 0) {
		if (argc < 8)
			errx(2, "DBSOCKET DBUSER DBNAME PASSWORDFILE missing");
		schema_open(argv + 4);
	}
	for (int i = 0; i < workers; i++) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			serve(listen_fd, argv[3], argv + 4);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		continue;
	return 0;
}
