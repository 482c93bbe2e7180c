/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct said {
	unsigned count;
	char last[64];
};

static void
note(void *ctx, const char *file)
{
	struct said *said = ctx;

	said->count++;
	(void)snprintf(said->last, sizeof(said->last), "%s", file);
}

static void
empty_database_is_version_zero(void **state)
{
	struct fixture *f = *state;
	unsigned version = 99;

	assert_int_equal(schema_store_version(f->db, &version, &f->fault), 0);
	assert_int_equal(version, 0);
}

static void
migrating_twice_applies_each_file_once(void **state)
{
	struct fixture *f = *state;
	struct said said = { .count = 0 };
	unsigned version = 0;

	assert_int_equal(schema_store_migrate(f->db, sql_dir(), note, &said,
	    &f->fault), 0);
	assert_int_equal(said.count, SCHEMA_VERSION);
	assert_int_equal(schema_store_version(f->db, &version, &f->fault), 0);
	assert_int_equal(version, SCHEMA_VERSION);
	said.count = 0;
	assert_int_equal(schema_store_migrate(f->other, sql_dir(), note,
	    &said, &f->fault), 0);
	assert_int_equal(said.count, 0);
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM schema_migration"),
	    SCHEMA_VERSION);
}

/* A file that failed half way, and was not recorded, can be applied again. */
static void
migration_can_run_over_its_own_tables(void **state)
{
	struct fixture *f = *state;
	struct said said = { .count = 0 };

	run_sql(f, "DELETE FROM schema_migration");
	assert_int_equal(schema_store_migrate(f->db, sql_dir(), note, &said,
	    &f->fault), 0);
	assert_int_equal(said.count, SCHEMA_VERSION);
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM role_transition"),
	    7);
}

/* Data definition commits itself: whatever piece of a file was reached before
   the end, the rest comes with the next run, and what is there stays. */
static void
migration_goes_on_where_it_stopped(void **state)
{
	static const char *const pieces[] = {
		"DROP TABLE idempotency, api_key, audit_chain",
		"DROP TABLE idempotency",
		("ALTER TABLE audit DROP KEY audit_seq, DROP KEY audit_action,"
		    " DROP KEY audit_actor, DROP KEY audit_target,"
		    " DROP COLUMN seq, DROP COLUMN hash,"
		    " DROP COLUMN actor_key_id,"
		    " ADD KEY audit_tenant (tenant_id, id)"),
		("ALTER TABLE tenant DROP KEY tenant_deleted,"
		    " DROP COLUMN deleted_at"),
		("ALTER TABLE webhook DROP COLUMN old_secret_sealed,"
		    " DROP COLUMN old_secret_until"),
	};
	struct fixture *f = *state;
	struct said said = { .count = 0 };
	size_t i;

	run_sql(f, "INSERT INTO audit (id, tenant_id, actor_kind, action,"
	    " target_id, request_id, address, created_at) VALUES"
	    " (REPEAT('a', 16), REPEAT('b', 16), 'master', 'old.row',"
	    " REPEAT('c', 16), '', '', NOW(6))");
	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		run_sql(f, "%s", pieces[i]);
		run_sql(f, "DELETE FROM schema_migration WHERE version >= 2");
		said.count = 0;
		if (schema_store_migrate(f->db, sql_dir(), note, &said,
		    &f->fault) < 0)
			fail_msg("%s: %s", pieces[i], f->fault.text);
		assert_int_equal(said.count, SCHEMA_VERSION - 1);
		assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM audit"
		    " LEFT JOIN api_key ON FALSE LEFT JOIN idempotency"
		    " ON FALSE LEFT JOIN tenant ON deleted_at IS NULL"
		    " LEFT JOIN webhook ON old_secret_until IS NOT NULL"
		    " WHERE action = 'old.row' AND seq IS NULL"), 1);
		assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM audit_chain"),
		    1);
	}
	run_sql(f, "DELETE FROM audit");
}

static void
write_file(const char *dir, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
remove_files(const char *dir)
{
	static const char *const names[] = {
		"9001_good.sql", "9002_bad.sql", "readme.txt"
	};
	char path[128];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(dir), 0);
}

static void
failure_names_file_and_statement_and_keeps_the_rest(void **state)
{
	struct fixture *f = *state;
	const char *tmp = getenv("TMPDIR");
	struct said said = { .count = 0 };
	char dir[100];
	unsigned version;
	int ret;

	(void)snprintf(dir, sizeof(dir), "%s/wuts-sql.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	write_file(dir, "readme.txt", "not a migration;\n");
	write_file(dir, "9001_good.sql", "-- a comment;\n"
	    "CREATE TABLE note (text VARCHAR(20));\n\n"
	    "INSERT INTO note VALUES\n\t('a;b'),\n\t('c')  ;  \n");
	write_file(dir, "9002_bad.sql", "INSERT INTO note VALUES ('d');\n"
	    "INSERT INTO no_such_table VALUES (1);\n"
	    "INSERT INTO note VALUES ('e');\n");
	ret = schema_store_migrate(f->db, dir, note, &said, &f->fault);
	remove_files(dir);
	assert_int_equal(ret, -1);
	assert_database_fault(f->fault);
	assert_non_null(strstr(f->fault.text, "9002_bad.sql: statement 2: "));
	assert_int_equal(said.count, 1);
	assert_string_equal(said.last, "9001_good.sql");
	assert_int_equal(ask_sql(f, "SELECT COUNT(*) FROM note"), 3);
	assert_int_equal(schema_store_version(f->db, &version, &f->fault), 0);
	assert_int_equal(version, 9001);
}

static void
directory_that_is_not_there_is_the_configurations_fault(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(schema_store_migrate(f->db, "/nonexistent/sql", NULL,
	    NULL, &f->fault), -1);
	assert_int_equal(f->fault.code, FAULT_CONFIG);
	assert_non_null(strstr(f->fault.text, "/nonexistent/sql"));
}

static void
missing_database_is_made_once(void **state)
{
	struct fixture *f = *state;
	struct settings settings = f->settings;
	unsigned version = 99;
	char name[64];
	struct db *db;

	(void)snprintf(name, sizeof(name), "%s-new", f->name);
	settings.database_name = name;
	db = db_new(&settings);
	assert_int_equal(schema_store_version(db, &version, &f->fault), -1);
	assert_database_fault(f->fault);
	db_free(&db);
	db = db_new(&settings);
	assert_int_equal(schema_store_create_database(db, &f->fault), 1);
	assert_int_equal(schema_store_create_database(db, &f->fault), 0);
	assert_int_equal(schema_store_version(db, &version, &f->fault), 0);
	assert_int_equal(version, 0);
	db_free(&db);
	run_sql(f, "DROP DATABASE `%s`", name);
}

static void
odd_database_name_is_not_put_into_a_statement(void **state)
{
	struct fixture *f = *state;
	struct settings settings = f->settings;
	char name[] = "no`such";
	struct db *db;

	settings.database_name = name;
	db = db_new(&settings);
	assert_int_equal(schema_store_create_database(db, &f->fault), -1);
	assert_int_equal(f->fault.code, FAULT_CONFIG);
	db_free(&db);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_database_is_version_zero),
		cmocka_unit_test(migrating_twice_applies_each_file_once),
		cmocka_unit_test(migration_can_run_over_its_own_tables),
		cmocka_unit_test(migration_goes_on_where_it_stopped),
		cmocka_unit_test(
		    failure_names_file_and_statement_and_keeps_the_rest),
		cmocka_unit_test(
		    directory_that_is_not_there_is_the_configurations_fault),
		cmocka_unit_test(missing_database_is_made_once),
		cmocka_unit_test(odd_database_name_is_not_put_into_a_statement),
	};

	return cmocka_run_group_tests(tests, store_test_begin_empty,
	    store_test_end);
}
