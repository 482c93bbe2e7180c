/* SPDX-License-Identifier: MIT */
/* Builds and ends the worlds; leaves neither database nor directory behind. */
#include "config.h"

#include "world.h"

#include "wuts/arena.h"
#include "wuts/crypto.h"
#include "wuts/db.h"
#include "wuts/log.h"
#include "wuts/outbox_store.h"
#include "wuts/queue.h"
#include "wuts/schema_store.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSWORD "correct horse battery"

static char *
copy(const char *text)
{
	char *out = strdup(text);

	assert_non_null(out);
	return out;
}

static const char *
environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	if (value == NULL)
		value = otherwise;
	if (value == NULL)
		fail_msg("%s is not set: run below tests/with-mariadb", name);
	return value;
}

static char *
path_in(const struct world *w, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	return copy(path);
}

static void
make_settings(struct world *w)
{
	struct settings *set = &w->settings;

	set->run_dir = path_in(w, "run");
	set->queue_dir = path_in(w, "queue");
	set->database_socket = copy(environment("WUTS_TEST_DB_SOCKET", NULL));
	set->database_host = copy("");
	set->database_name = copy(w->database);
	set->database_user = copy(environment("WUTS_TEST_DB_USER", "root"));
	set->database_password_file = copy("");
	set->database_timeout_ms = 5000;
	set->identity_cache_ttl_ms = 60000;
	set->auth_failure_limit = 3;
	set->show_tokens = true;
	set->password_memory_kib = 8;
	set->password_passes = 1;
	set->queue_segment_bytes = 256 * 1024;
	set->queue_disk_reserve = 0;
	set->webhook_allow = copy("192.0.2.0/24");
	set->webhook_allow_host = copy("");
	set->metrics_allow = copy("");
	set->request_timeout_ms = 60000;
	set->keys.n = 1;
	memset(&set->keys.key[0], 1, sizeof(set->keys.key[0]));
	set->has_master_token = true;
	crypto_sha256("the master", 10, set->master_token_hash);
	set->has_engine_token = true;
	crypto_sha256("the engine", 10, set->engine_token_hash);
}

static void
free_settings(struct settings *set)
{
	free(set->run_dir);
	free(set->queue_dir);
	free(set->database_socket);
	free(set->database_host);
	free(set->database_name);
	free(set->database_user);
	free(set->database_password_file);
	free(set->webhook_allow);
	free(set->webhook_allow_host);
	free(set->metrics_allow);
}

static void
make_database(struct world *w)
{
	struct db *db;

	w->sql = mysql_init(NULL);
	if (mysql_real_connect(w->sql, NULL, w->settings.database_user, NULL,
	    NULL, 0, w->settings.database_socket, 0) == NULL)
		fail_msg("connect: %s", mysql_error(w->sql));
	world_sql(w, "CREATE DATABASE `%s`", w->database);
	world_sql(w, "USE `%s`", w->database);
	db = db_new(&w->settings);
	assert_ok(w, schema_store_migrate(db,
	    environment("WUTS_TEST_SQL_DIR", NULL), NULL, NULL, &w->fault));
	db_free(&db);
}

int
world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	*state = w;
	snprintf(w->dir, sizeof(w->dir), "/tmp/wuts-service-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->database, sizeof(w->database), "service_%ld_%s",
	    (long)getpid(), w->dir + strlen(w->dir) - 6);
	w->arena = arena_new();
	/* Segments of killed writers are sealed here with a line each. */
	assert_int_equal(log_open("test", "-", LOG_LEVEL_WARN), 0);
	fault_clear(&w->fault);
	make_settings(w);
	make_database(w);
	w->service = world_service(w);
	w->master.identity.kind = IDENTITY_MASTER;
	w->master.request_id = "test";
	w->master.address = "192.0.2.7";
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type,
    struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

int
world_teardown(void **state)
{
	struct world *w = *state;

	service_close(&w->service);
	world_sql(w, "DROP DATABASE `%s`", w->database);
	mysql_close(w->sql);
	assert_int_equal(nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS),
	    0);
	free_settings(&w->settings);
	arena_free(&w->arena);
	free(w);
	return 0;
}

struct service *
world_service(struct world *w)
{
	struct service *service = NULL;

	assert_ok(w, service_open(&service, &w->settings, &w->fault));
	return service;
}

/* --- the database --- */

static void __attribute__((format(printf, 2, 0)))
run_sql(struct world *w, const char *fmt, va_list ap)
{
	char sql[2048];

	assert_true(vsnprintf(sql, sizeof(sql), fmt, ap) < (int)sizeof(sql));
	if (mysql_query(w->sql, sql) != 0)
		fail_msg("%s: %s", sql, mysql_error(w->sql));
}

void
world_sql(struct world *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	run_sql(w, fmt, ap);
	va_end(ap);
}

static const char *
first_column(struct world *w)
{
	MYSQL_RES *result = mysql_store_result(w->sql);
	const char *text = NULL;
	MYSQL_ROW row;

	assert_non_null(result);
	row = mysql_fetch_row(result);
	if (row != NULL && row[0] != NULL)
		text = arena_strdup(w->arena, row[0]);
	mysql_free_result(result);
	return text;
}

const char *
world_text(struct world *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	run_sql(w, fmt, ap);
	va_end(ap);
	return first_column(w);
}

long
world_number(struct world *w, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	run_sql(w, fmt, ap);
	va_end(ap);
	text = first_column(w);
	assert_non_null(text);
	return strtol(text, NULL, 10);
}

void
world_kill_connections(struct world *w)
{
	long id;

	while ((id = world_number(w, "SELECT COALESCE(MAX(id), 0)"
	    " FROM information_schema.processlist WHERE db = '%s'"
	    " AND id <> CONNECTION_ID() AND command <> 'Killed'",
	    w->database)) != 0) {
		char sql[64];

		/* It may be gone by itself meanwhile. */
		snprintf(sql, sizeof(sql), "KILL %ld", id);
		(void)mysql_query(w->sql, sql);
	}
}

/* --- the queue --- */

struct looking {
	struct world *w;
	struct seen *seen;
	struct db *db;
	struct queue_reader *reader;
	size_t nasked;
	struct {
		struct queue_pos pos;
		struct uuid id;
		int64_t created_us;
	} asked[64];
};

static void
see_record(void *ctx, struct queue_pos pos, const struct queue_record *record,
    unsigned attempts, int64_t due_us)
{
	struct looking *looking = ctx;
	struct seen *seen = looking->seen;
	struct seen_event *event;

	(void)pos;
	(void)attempts;
	(void)due_us;
	assert_true(seen->n < sizeof(seen->events) / sizeof(seen->events[0]));
	event = &seen->events[seen->n++];
	event->id = record->id;
	event->tenant_id = record->tenant_id;
	event->device_id = record->device_id;
	snprintf(event->name, sizeof(event->name), "%s", record->event);
	event->created_us = record->created_us;
	event->body = arena_memdup(looking->w->arena, record->body,
	    record->body_len);
}

static void
note_unresolved(void *ctx, struct queue_pos pos, const struct uuid *id,
    int64_t created_us)
{
	struct looking *looking = ctx;

	assert_true(looking->nasked <
	    sizeof(looking->asked) / sizeof(looking->asked[0]));
	looking->asked[looking->nasked].pos = pos;
	looking->asked[looking->nasked].id = *id;
	looking->asked[looking->nasked].created_us = created_us;
	looking->nasked++;
	looking->seen->claimed++;
}

static void
claim(struct looking *looking)
{
	size_t i;
	int claimed;

	for (i = 0; i < looking->nasked; i++) {
		claimed = outbox_store_claim(looking->db,
		    &looking->asked[i].id, looking->asked[i].created_us,
		    &looking->w->fault);
		assert_ok(looking->w, claimed);
		queue_resolve(looking->reader, looking->asked[i].pos,
		    claimed == 0);
	}
	looking->nasked = 0;
}

static void
look(struct looking *looking)
{
	struct world *w = looking->w;
	int more;

	do {
		more = queue_reader_scan(looking->reader, 1000, &w->fault);
		assert_ok(w, more);
	} while (more == 1);
}

const struct seen *
world_events(struct world *w)
{
	struct queue_events events = {
		.record = see_record,
		.unresolved = note_unresolved
	};
	struct settings settings = w->settings;
	struct looking looking = { .w = w };

	looking.seen = arena_alloc(w->arena, sizeof(*looking.seen));
	/* Straight to the server, whatever a test put in between. */
	settings.database_socket = copy(environment("WUTS_TEST_DB_SOCKET",
	    NULL));
	looking.db = db_new(&settings);
	events.ctx = &looking;
	assert_ok(w, queue_reader_open(&looking.reader, settings.queue_dir,
	    &events, &w->fault));
	look(&looking);
	assert_ok(w, queue_reader_adopt(looking.reader, &w->fault));
	look(&looking);
	claim(&looking);
	look(&looking);
	queue_reader_close(&looking.reader);
	db_free(&looking.db);
	free(settings.database_socket);
	return looking.seen;
}

size_t
world_count_events(struct world *w, const char *name)
{
	const struct seen *seen = world_events(w);
	size_t n = 0, i;

	for (i = 0; i < seen->n; i++)
		n += strcmp(seen->events[i].name, name) == 0;
	return n;
}

/* --- people and things --- */

void
world_tenant(struct world *w, const char *name,
    struct tenant_registered *result_r)
{
	struct tenant_registration input = {
		.tenant_name = name,
		.email = "admin@example.com",
		.password = PASSWORD
	};

	assert_ok(w, tenant_service_register(w->service, &w->master, &input,
	    result_r, &w->fault));
}

void
world_user(struct world *w, const struct uuid *tenant_id, const char *email,
    enum role role, struct user_registered *result_r)
{
	struct user_registration input = {
		.tenant_id = *tenant_id,
		.email = email,
		.password = PASSWORD,
		.role = role
	};

	assert_ok(w, user_service_create(w->service, &w->master, &input,
	    result_r, &w->fault));
}

struct caller
world_caller(const struct user *user)
{
	struct caller caller = {
		.identity = {
			.kind = IDENTITY_USER,
			.user_id = user->id,
			.tenant_id = user->tenant_id,
			.role = user->role
		},
		.request_id = "test",
		.address = "192.0.2.7"
	};

	return caller;
}

void
world_device(struct world *w, const struct caller *caller, const char *name,
    struct device *device_r)
{
	assert_ok(w, device_service_create(w->service, caller, name, device_r,
	    &w->fault));
}

void
world_cast(struct world *w, struct world_cast *cast,
    const char *tenant_name)
{
	const struct uuid *tenant_id = &cast->tenant.tenant.id;

	world_tenant(w, tenant_name, &cast->tenant);
	world_user(w, tenant_id, "a@example.com", ROLE_ADMIN,
	    &cast->by_role[ROLE_ADMIN]);
	world_user(w, tenant_id, "m@example.com", ROLE_MANAGER,
	    &cast->by_role[ROLE_MANAGER]);
	world_user(w, tenant_id, "u@example.com", ROLE_USER,
	    &cast->by_role[ROLE_USER]);
	world_user(w, tenant_id, "t@example.com", ROLE_USER, &cast->target);
}
