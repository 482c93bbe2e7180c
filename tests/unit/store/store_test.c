/* SPDX-License-Identifier: MIT */
/* The fixture of the store's tests. */
#include "config.h"

#include "store_test.h"

#include "wuts/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *
sql_dir(void)
{
	static char dir[4096];
	const char *srcdir = getenv("srcdir");

	(void)snprintf(dir, sizeof(dir), "%s/sql",
	    srcdir != NULL ? srcdir : ".");
	return dir;
}

static void
set_settings(struct fixture *f, const char *socket)
{
	static char empty[] = "", root[] = "root", host[] = "127.0.0.1";

	f->settings.database_socket = mem_strdup(socket);
	f->settings.database_host = host;
	f->settings.database_port = 3306;
	f->settings.database_name = f->name;
	f->settings.database_user = root;
	f->settings.database_password_file = empty;
	f->settings.database_timeout_ms = 1000;
}

int
store_test_begin_empty(void **state)
{
	struct fixture *f = mem_calloc(1, sizeof(*f));
	const char *socket = getenv("WUTS_TEST_DB_SOCKET");

	if (socket == NULL) {
		fprintf(stderr, "run this below tests/with-mariadb\n");
		return -1;
	}
	(void)snprintf(f->name, sizeof(f->name), "wuts_test_%ld",
	    (long)getpid());
	set_settings(f, socket);
	f->root = mysql_init(NULL);
	if (mysql_real_connect(f->root, NULL, "root", "", NULL, 0, socket,
	    0) == NULL)
		return -1;
	run_sql(f, "CREATE DATABASE %s CHARACTER SET utf8mb4", f->name);
	run_sql(f, "USE %s", f->name);
	f->db = db_new(&f->settings);
	f->other = db_new(&f->settings);
	f->arena = arena_new();
	*state = f;
	return 0;
}

int
store_test_begin(void **state)
{
	struct fixture *f;

	if (store_test_begin_empty(state) < 0)
		return -1;
	f = *state;
	if (schema_store_migrate(f->db, sql_dir(), NULL, NULL, &f->fault) < 0) {
		fprintf(stderr, "migrate: %s\n", f->fault.text);
		return -1;
	}
	return 0;
}

int
store_test_end(void **state)
{
	struct fixture *f = *state;

	db_free(&f->db);
	db_free(&f->other);
	assert_null(f->db);
	run_sql(f, "DROP DATABASE %s", f->name);
	mysql_close(f->root);
	arena_free(&f->arena);
	free(f->settings.database_socket);
	free(f);
	return 0;
}

static void
run_text(struct fixture *f, const char *sql)
{
	if (mysql_query(f->root, sql) != 0)
		fail_msg("%s: %s", sql, mysql_error(f->root));
}

void
run_sql(struct fixture *f, const char *fmt, ...)
{
	char sql[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(sql, sizeof(sql), fmt, ap);
	va_end(ap);
	run_text(f, sql);
}

long long
ask_sql(struct fixture *f, const char *fmt, ...)
{
	char sql[1024];
	long long answer = -1;
	MYSQL_RES *result;
	MYSQL_ROW row;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(sql, sizeof(sql), fmt, ap);
	va_end(ap);
	run_text(f, sql);
	result = mysql_store_result(f->root);
	assert_non_null(result);
	row = mysql_fetch_row(result);
	if (row != NULL && row[0] != NULL)
		answer = atoll(row[0]);
	mysql_free_result(result);
	return answer;
}

/* Everybody else on the database, one at a time: make sure that it is
   connected, then take the newest. */
long long
connection_id(struct fixture *f, struct db *db)
{
	assert_int_equal(db_ping(db, &f->fault), 0);
	return ask_sql(f, "SELECT MAX(id) FROM"
	    " information_schema.processlist WHERE db = '%s'"
	    " AND id <> CONNECTION_ID()", f->name);
}

struct tenant
add_tenant(struct fixture *f, const char *name)
{
	struct tenant tenant;

	memset(&tenant, 0, sizeof(tenant));
	uuid_new_ordered(&tenant.id);
	(void)snprintf(tenant.name, sizeof(tenant.name), "%s", name);
	tenant.created_us = SOME_TIME_US;
	tenant.updated_us = SOME_TIME_US + 1;
	assert_int_equal(tenant_store_insert(f->db, &tenant, &f->fault), 1);
	return tenant;
}

void
fill_token(struct user_token *token, const struct uuid *id)
{
	memset(token, 0, sizeof(*token));
	memcpy(token->hash, id->b, sizeof(id->b));
	memset(token->sealed, 0xa5, sizeof(token->sealed));
	memcpy(token->sealed, id->b, sizeof(id->b));
}

struct user
add_user(struct fixture *f, const struct tenant *tenant, const char *email,
    enum role role)
{
	struct user_token token;
	struct user user;

	memset(&user, 0, sizeof(user));
	uuid_new_ordered(&user.id);
	user.tenant_id = tenant->id;
	(void)snprintf(user.email, sizeof(user.email), "%s", email);
	user.role = role;
	user.active = true;
	user.created_us = user.updated_us = SOME_TIME_US;
	fill_token(&token, &user.id);
	assert_int_equal(user_store_insert(f->db, &user, "$argon2id$", &token,
	    NULL, &f->fault), 1);
	return user;
}

struct device
add_device(struct fixture *f, const struct user *user, const char *name)
{
	struct device device;

	memset(&device, 0, sizeof(device));
	uuid_new_ordered(&device.id);
	device.tenant_id = user->tenant_id;
	device.user_id = user->id;
	(void)snprintf(device.name, sizeof(device.name), "%s", name);
	device.created_us = device.updated_us = SOME_TIME_US;
	assert_int_equal(device_store_insert(f->db, &device, &f->fault), 0);
	return device;
}
