/* SPDX-License-Identifier: MIT */
/* A world for one service test: a database of its own on a real server, a
   queue and a run directory of its own, and eyes that need no service: plain
   SQL, and a reader of the queue that claims like the spooler does. */
#ifndef WUTS_TEST_WORLD_H
#define WUTS_TEST_WORLD_H

#include <mysql.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "wuts/device_service.h"
#include "wuts/event_service.h"
#include "wuts/fault.h"
#include "wuts/identity_service.h"
#include "wuts/role_service.h"
#include "wuts/service.h"
#include "wuts/settings.h"
#include "wuts/tenant_service.h"
#include "wuts/user_service.h"
#include "wuts/webhook_service.h"

struct world {
	char dir[64];
	char database[64];
	struct settings settings;
	struct service *service;
	MYSQL *sql;
	struct arena *arena;
	struct caller master;
	struct fault fault;
};

/* cmocka's set-up and tear-down of one test. */
int world_setup(void **state);
int world_teardown(void **state);

/* What another process would have: its own service on the same settings. */
struct service *world_service(struct world *w);

/* --- the database, past the services --- */

void world_sql(struct world *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
long world_number(struct world *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The first column of the first row, in the arena; NULL: no row or NULL. */
const char *world_text(struct world *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* End every connection of the services to this database. */
void world_kill_connections(struct world *w);

/* --- the queue, as the spooler sees it --- */

struct seen_event {
	struct uuid id, tenant_id, device_id;
	char name[64];
	int64_t created_us;
	const char *body;	/* in the arena */
};
struct seen {
	size_t n;
	size_t claimed;		/* asked for, because nothing marked them */
	struct seen_event events[4096];
};
/* Everything that would be delivered by now, in the arena. */
const struct seen *world_events(struct world *w);
size_t world_count_events(struct world *w, const char *name);

/* --- people and things --- */

void world_tenant(struct world *w, const char *name,
    struct tenant_registered *result_r);
void world_user(struct world *w, const struct uuid *tenant_id,
    const char *email, enum role role, struct user_registered *result_r);
/* A caller as authentication would have made it for this user. */
struct caller world_caller(const struct user *user);
void world_device(struct world *w, const struct caller *caller,
    const char *name, struct device *device_r);

/* A tenant with one user of each role besides its first admin. */
struct world_cast {
	struct tenant_registered tenant;
	struct user_registered by_role[ROLE_COUNT];
	struct user_registered target;
};
void world_cast(struct world *w, struct world_cast *cast,
    const char *tenant_name);

#define assert_ok(w, expr) \
	do { \
		int assert_ok_ret = (expr); \
		if (assert_ok_ret < 0) \
			fail_msg("%s: %s", #expr, (w)->fault.text); \
	} while (0)
#define assert_refused(w, expr, expected) \
	do { \
		fault_clear(&(w)->fault); \
		assert_int_equal(expr, -1); \
		if ((w)->fault.code != (expected)) \
			fail_msg("%s: code %d instead of " #expected ": %s", \
			    #expr, (int)(w)->fault.code, (w)->fault.text); \
	} while (0)

#endif
