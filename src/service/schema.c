/* SPDX-License-Identifier: MIT */
/* The schema of an installation, on a connection of its own: who sets it up
   has no service yet. */
#include "config.h"

#include "wuts/schema_service.h"

#include "wuts/db.h"
#include "wuts/fault.h"
#include "wuts/schema_store.h"
#include "wuts/tenant.h"
#include "wuts/tenant_store.h"
#include "wuts/user_backfill_store.h"
#include "wuts/user_search_store.h"

#include <stdlib.h>
#include <string.h>

int
schema_service_create_database(const struct settings *settings,
    struct fault *fault)
{
	struct db *db = db_new(settings);
	int ret;

	ret = schema_store_create_database(db, fault);
	db_free(&db);
	return ret;
}

int
schema_service_migrate(const struct settings *settings, const char *dir,
    void (*said)(void *ctx, const char *file), void *ctx, struct fault *fault)
{
	struct db *db = db_new(settings);
	int ret;

	ret = schema_store_migrate(db, dir, said, ctx, fault);
	db_free(&db);
	return ret;
}

int
schema_service_connections(const struct settings *settings, unsigned *max_r,
    struct fault *fault)
{
	struct db *db = db_new(settings);
	int ret;

	ret = schema_store_connections(db, max_r, fault);
	db_free(&db);
	return ret;
}

int
schema_service_version(const struct settings *settings, unsigned *have_r,
    unsigned *want_r, struct fault *fault)
{
	struct db *db = db_new(settings);
	int ret;

	*want_r = SCHEMA_VERSION;
	ret = schema_store_version(db, have_r, fault);
	db_free(&db);
	return ret;
}

/* --- what old programs did not write --- */

/* In one transaction: few enough that nobody waits long for the tenant, enough
   that a disk's flush is shared. */
#define COMPLETED_AT_ONCE 50

/* Of one tenant. */
struct completion {
	const struct user_lacking *users;
	size_t n;
	unsigned written;
};

/* Under the tenant's lock, as every change of a user: nobody else writes about
   these meanwhile. */
static int
complete_body(struct db *db, void *ctx, struct fault *fault)
{
	struct completion *completion = ctx;
	struct tenant tenant;
	int ret;

	completion->written = 0;
	ret = tenant_store_lock(db, &completion->users[0].tenant_id, &tenant,
	    fault);
	for (size_t i = 0; ret > 0 && i < completion->n; i++) {
		ret = user_backfill_store_write(db, &completion->users[i],
		    fault);
		completion->written += ret == 1;
		ret = ret < 0 ? -1 : 1;
	}
	return ret < 0 ? -1 : 0;
}

static int
recount_body(struct db *db, void *ctx, struct fault *fault)
{
	const struct uuid *tenant_id = ctx;
	struct tenant tenant;
	int found;

	found = tenant_store_lock(db, tenant_id, &tenant, fault);
	return found <= 0 ? found : user_count_store_make(db, tenant_id,
	    fault);
}

static int
run(struct db *db, tx_body *body, void *ctx, struct fault *fault)
{
	return tx_run(db, body, NULL, ctx, fault) == TX_COMMITTED ? 0 : -1;
}

static int
by_tenant(const void *a, const void *b)
{
	const struct user_lacking *x = a, *y = b;

	return memcmp(&x->tenant_id, &y->tenant_id, sizeof(x->tenant_id));
}

static int
complete_batch(struct db *db, struct user_lacking *lacking, size_t n,
    unsigned *users_r, struct fault *fault)
{
	struct completion completion;
	size_t i, next;

	qsort(lacking, n, sizeof(*lacking), by_tenant);
	for (i = 0; i < n; i = next) {
		for (next = i + 1; next < n && next - i < COMPLETED_AT_ONCE &&
		    by_tenant(&lacking[i], &lacking[next]) == 0; next++)
			;
		completion.users = &lacking[i];
		completion.n = next - i;
		if (run(db, complete_body, &completion, fault) < 0)
			return -1;
		*users_r += completion.written;
	}
	return 0;
}

static int
complete_users(struct db *db, unsigned *users_r, struct fault *fault)
{
	struct user_lacking lacking[USER_BACKFILL_BATCH];
	struct uuid cursor = UUID_NIL;
	size_t n;
	int more;

	do {
		more = user_backfill_store_find(db, &cursor, lacking, &n,
		    fault);
		if (more >= 0 && complete_batch(db, lacking, n, users_r,
		    fault) < 0)
			return -1;
	} while (more == 1);
	return more;
}

static int
recount_tenants(struct db *db, unsigned *tenants_r, struct fault *fault)
{
	struct uuid tenant_id, last = UUID_NIL;
	int found;

	while ((found = user_backfill_store_find_miscounted(db, &last,
	    &tenant_id, fault)) == 1) {
		if (run(db, recount_body, &tenant_id, fault) < 0)
			return -1;
		last = tenant_id;
		++*tenants_r;
	}
	return found;
}

int
schema_service_complete_users(const struct settings *settings,
    unsigned *users_r, unsigned *tenants_r, struct fault *fault)
{
	struct db *db = db_new(settings);
	int ret;

	*users_r = *tenants_r = 0;
	ret = complete_users(db, users_r, fault);
	if (ret == 0)
		ret = recount_tenants(db, tenants_r, fault);
	db_free(&db);
	return ret < 0 ? fault_prefix(fault, "complete users") : 0;
}
