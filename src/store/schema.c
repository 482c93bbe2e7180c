/* SPDX-License-Identifier: MIT */
/* Migrations: one direction, one at a time. Data definition commits itself, so
   a file that failed half way is applied again from its start; its statements
   are written for that. */
#include "config.h"

#include "wuts/schema_store.h"
#include "store_private.h"

#include "wuts/clock.h"
#include "wuts/db.h"
#include "wuts/fault.h"
#include "wuts/file.h"
#include "wuts/settings.h"
#include "wuts/strbuf.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)1 << 20)
/* Building an index on a large table takes its time. */
#define MIGRATE_TIMEOUT_S 3600
#define VERSION_DIGITS 4

enum {
	SCHEMA_VERSION_FIND,
	SCHEMA_RECORD,
	SCHEMA_LOCK,
	SCHEMA_CONNECTIONS,
	SCHEMA_SERVER,
	SCHEMA_STMT_COUNT
};

/* The lock is the server's, not the database's, hence its name. It ends with
   the connection. */
static const struct stmt_def schema_stmts[SCHEMA_STMT_COUNT] = {
	[SCHEMA_VERSION_FIND] = { "schema_version",
	    "SELECT COALESCE(MAX(version), 0) FROM schema_migration" },
	[SCHEMA_RECORD] = { "schema_record",
	    "INSERT INTO schema_migration (version, name, applied_at)"
	    " VALUES (?, ?, ?)" },
	[SCHEMA_LOCK] = { "schema_lock",
	    "SELECT GET_LOCK(CONCAT('wuts.', LEFT(DATABASE(), 50)), 30)" },
	[SCHEMA_CONNECTIONS] = { "schema_connections",
	    "SELECT @@GLOBAL.max_connections,"
	    " @@SESSION.max_user_connections" },
	[SCHEMA_SERVER] = { "schema_server", "SELECT VERSION()" },
};

int
schema_store_version(struct db *db, unsigned *version_r, struct fault *fault)
{
	struct params in;
	struct columns out;

	*version_r = 0;
	params_init(&in);
	columns_init(&out);
	fetch_unsigned(&out, version_r);
	if (stmt_read_one(db, &schema_stmts[SCHEMA_VERSION_FIND], &in, &out,
	    fault) >= 0)
		return 0;
	if (db->mysql == NULL || db->code != DB_ER_NO_TABLE)
		return -1;
	fault_clear(fault);
	*version_r = 0;
	return 0;
}

int
schema_store_connections(struct db *db, unsigned *max_r, struct fault *fault)
{
	unsigned of_all = 0, of_user = 0;
	struct params in;
	struct columns out;

	params_init(&in);
	columns_init(&out);
	fetch_unsigned(&out, &of_all);
	fetch_unsigned(&out, &of_user);
	if (stmt_read_one(db, &schema_stmts[SCHEMA_CONNECTIONS], &in, &out,
	    fault) < 0)
		return -1;
	*max_r = of_user != 0 && of_user < of_all ? of_user : of_all;
	return 0;
}

int
schema_store_server(struct db *db, char name_r[SCHEMA_SERVER_SIZE],
    struct fault *fault)
{
	struct params in;
	struct columns out;

	params_init(&in);
	columns_init(&out);
	fetch_text(&out, name_r, SCHEMA_SERVER_SIZE);
	return stmt_read_one(db, &schema_stmts[SCHEMA_SERVER], &in, &out,
	    fault) < 0 ? -1 : 0;
}

static int
take_lock(struct db *db, struct fault *fault)
{
	unsigned is_ours = 0;
	struct params in;
	struct columns out;

	params_init(&in);
	columns_init(&out);
	fetch_unsigned(&out, &is_ours);
	if (stmt_read_one(db, &schema_stmts[SCHEMA_LOCK], &in, &out,
	    fault) < 0)
		return -1;
	if (is_ours == 1)
		return 0;
	return fault_set(fault, FAULT_DATABASE,
	    "another migration is running: wait for it to end");
}

/* The next statement: whole lines up to one that ends with a semicolon, empty
   lines and comment lines left out. False: there is none. */
static bool
statement_next(const char **cursor, struct strbuf *out)
{
	strbuf_reset(out);
	while (**cursor != '\0') {
		const char *line = *cursor;
		size_t len = strcspn(line, "\n");

		*cursor = line + len + (line[len] == '\n');
		while (len > 0 && isspace((unsigned char)line[len - 1]))
			len--;
		if (len == 0 || strncmp(line, "--", 2) == 0)
			continue;
		strbuf_append(out, line, len);
		if (line[len - 1] == ';') {
			out->data[--out->len] = '\0';
			return true;
		}
		strbuf_append_char(out, '\n');
	}
	return out->len > 0;
}

static int
apply_text(struct db *db, const char *text, struct fault *fault)
{
	struct strbuf sql = STRBUF_INIT;
	unsigned number = 0;
	int ret = 0;

	while (ret == 0 && statement_next(&text, &sql)) {
		char what[32];

		(void)snprintf(what, sizeof(what), "statement %u", ++number);
		ret = db_query(db, what, sql.data, sql.len, fault);
	}
	strbuf_deinit(&sql);
	return ret;
}

static int
record(struct db *db, unsigned version, const char *file, struct fault *fault)
{
	struct params in;

	params_init(&in);
	bind_int(&in, version);
	bind_text(&in, file);
	bind_time(&in, clock_wall_us());
	return stmt_update(db, &schema_stmts[SCHEMA_RECORD], &in, fault);
}

static int
apply_file(struct db *db, const char *dir, const char *file, unsigned version,
    struct fault *fault)
{
	struct strbuf path = STRBUF_INIT, text = STRBUF_INIT;
	int ret;

	strbuf_printf(&path, "%s/%s", dir, file);
	ret = file_read(path.data, FILE_MAX, &text, fault);
	if (ret < 0)
		fault->code = FAULT_CONFIG;
	else if ((ret = apply_text(db, text.data != NULL ? text.data : "",
	    fault)) < 0 || (ret = record(db, version, file, fault)) < 0)
		(void)fault_prefix(fault, "%s", file);
	strbuf_deinit(&path);
	strbuf_deinit(&text);
	return ret;
}

/* NNNN_name.sql */
static unsigned
file_version(const char *name)
{
	unsigned version = 0;
	size_t i, len = strlen(name);

	for (i = 0; i < VERSION_DIGITS; i++) {
		if (!isdigit((unsigned char)name[i]))
			return 0;
		version = version * 10 + (unsigned)(name[i] - '0');
	}
	if (name[i] != '_' || len < i + 6 || len > 100 ||
	    strcmp(name + len - 4, ".sql") != 0)
		return 0;
	return version;
}

static int
is_migration(const struct dirent *entry)
{
	return file_version(entry->d_name) != 0;
}

static int
apply_missing(struct db *db, const char *dir, struct dirent **files, int n,
    void (*applied)(void *ctx, const char *file), void *ctx,
    struct fault *fault)
{
	unsigned have, version;
	int i;

	if (take_lock(db, fault) < 0 ||
	    schema_store_version(db, &have, fault) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		version = file_version(files[i]->d_name);
		if (version <= have)
			continue;
		if (apply_file(db, dir, files[i]->d_name, version, fault) < 0)
			return -1;
		if (applied != NULL)
			applied(ctx, files[i]->d_name);
	}
	return 0;
}

int
schema_store_migrate(struct db *db, const char *dir,
    void (*applied)(void *ctx, const char *file), void *ctx,
    struct fault *fault)
{
	unsigned timeout_s = db->timeout_s;
	struct dirent **files;
	int i, n, ret;

	n = scandir(dir, &files, is_migration, alphasort);
	if (n < 0)
		return fault_errno(fault, FAULT_CONFIG,
		    "read the directory of migrations %s", dir);
	if (n == 0)
		ret = fault_set(fault, FAULT_CONFIG,
		    "no migration (NNNN_name.sql) in %s", dir);
	else {
		db_disconnect(db);
		db->timeout_s = MIGRATE_TIMEOUT_S;
		ret = apply_missing(db, dir, files, n, applied, ctx, fault);
		db_disconnect(db);
		db->timeout_s = timeout_s;
	}
	for (i = 0; i < n; i++)
		free(files[i]);
	free(files);
	return ret;
}

/* A database's name cannot be bound, so only one that needs no quoting care is
   put into a statement. */
static bool
is_plain_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return len > 0 && len <= 64 && name[len] == '\0';
}

int
schema_store_create_database(struct db *db, struct fault *fault)
{
	const char *name = db->settings->database_name;
	struct strbuf sql = STRBUF_INIT;
	int ret;

	if (db_ping(db, fault) == 0)
		return 0;
	if (db->code != DB_ER_UNKNOWN_DATABASE)
		return -1;
	if (!is_plain_name(name))
		return fault_set(fault, FAULT_CONFIG,
		    "database %s does not exist: create it yourself, its name"
		    " has unusual characters", name);
	fault_clear(fault);
	strbuf_printf(&sql, "CREATE DATABASE `%s` CHARACTER SET utf8mb4", name);
	ret = db_connect(db, NULL, fault);
	if (ret == 0)
		ret = db_query(db, "create the database", sql.data, sql.len,
		    fault);
	strbuf_deinit(&sql);
	db_disconnect(db);
	db->retry_at_us = 0;
	return ret < 0 ? -1 : 1;
}
