/* SPDX-License-Identifier: MIT */
/* The schema of an installation, on a connection of its own: who sets it up
   has no service yet. */
#include "config.h"

#include "wuts/schema_service.h"

#include "wuts/db.h"
#include "wuts/schema_store.h"

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
