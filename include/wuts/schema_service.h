/* SPDX-License-Identifier: MIT */
/* Setting up and checking an installation, for wutsctl. */
#ifndef WUTS_SCHEMA_SERVICE_H
#define WUTS_SCHEMA_SERVICE_H

struct fault;
struct settings;

/* Make the database that settings name. 1: made; 0: it was there; -1. */
int schema_service_create_database(const struct settings *settings,
    struct fault *fault);

/* Bring the schema to this release; said is called with each file applied. */
int schema_service_migrate(const struct settings *settings, const char *dir,
    void (*said)(void *ctx, const char *file), void *ctx,
    struct fault *fault);

/* Write what programs older than this release did not write about users: to be
   called after a migration, as often as one likes, while programs of any
   release serve, in short transactions. *users_r: so many lacked
   something; *tenants_r: so many had a wrong count of users. 0 / -1. */
int schema_service_complete_users(const struct settings *settings,
    unsigned *users_r, unsigned *tenants_r, struct fault *fault);

/* How many connections the server lets this installation have. 0 / -1. */
int schema_service_connections(const struct settings *settings,
    unsigned *max_r, struct fault *fault);

/* *have_r is the database's schema version, *want_r this release's. */
int schema_service_version(const struct settings *settings,
    unsigned *have_r, unsigned *want_r, struct fault *fault);

#endif
