/* SPDX-License-Identifier: MIT */
/* What the store's tests share: a database of their own on the server that
   tests/with-mariadb started, dropped again at the end, and a second, plain
   connection to do what the store would not. */
#ifndef WUTS_STORE_TEST_H
#define WUTS_STORE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <mysql.h>

#include "wuts/api_key.h"
#include "wuts/api_key_store.h"
#include "wuts/arena.h"
#include "wuts/audit_store.h"
#include "wuts/caller_store.h"
#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/db.h"
#include "wuts/device.h"
#include "wuts/device_store.h"
#include "wuts/fault.h"
#include "wuts/idempotency_store.h"
#include "wuts/outbox_store.h"
#include "wuts/role.h"
#include "wuts/role_store.h"
#include "wuts/schema_store.h"
#include "wuts/settings.h"
#include "wuts/tenant.h"
#include "wuts/tenant_store.h"
#include "wuts/user.h"
#include "wuts/user_store.h"
#include "wuts/uuid.h"
#include "wuts/webhook.h"
#include "wuts/webhook_store.h"

/* 2026-06-15T12:34:56.789012Z */
#define SOME_TIME_US INT64_C(1781526896789012)

struct fixture {
	struct settings settings;
	char name[48];
	struct db *db;
	struct db *other;	/* a second client of the store */
	MYSQL *root;		/* a client of the server */
	struct arena *arena;
	struct fault fault;
};

/* cmocka group fixtures; *state is a struct fixture. The second leaves the
   database empty. */
int store_test_begin(void **state);
int store_test_begin_empty(void **state);
int store_test_end(void **state);

/* Run SQL as root in the test's database; it must succeed. */
void run_sql(struct fixture *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The first column of the first row as a number; -1 without a row. */
long long ask_sql(struct fixture *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The server's id of a client's connection. */
long long connection_id(struct fixture *f, struct db *db);

/* The directory of migrations in the source tree. */
const char *sql_dir(void);

/* Rows for tests that need one to stand on; ids are new. */
struct tenant add_tenant(struct fixture *f, const char *name);
struct user add_user(struct fixture *f, const struct tenant *tenant,
    const char *email, enum role role);
struct device add_device(struct fixture *f, const struct user *user,
    const char *name);
void fill_token(struct user_token *token, const struct uuid *id);

/* The call's result was the failure of the database. */
#define assert_database_fault(fault) do { \
	assert_int_equal((fault).code, FAULT_DATABASE); \
	assert_int_equal((fault).retry_after_s, 1); \
} while (0)

#endif
