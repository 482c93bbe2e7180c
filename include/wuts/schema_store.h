/* SPDX-License-Identifier: MIT */
/* The schema's version and its migrations: numbered files NNNN_name.sql in one
   directory, applied in order, each recorded in table schema_migration. */
#ifndef WUTS_SCHEMA_STORE_H
#define WUTS_SCHEMA_STORE_H

struct db;
struct fault;

/* The newest version this release brings. */
#define SCHEMA_VERSION 13

/* 0: an empty database. -1. */
int schema_store_version(struct db *db, unsigned *version_r,
    struct fault *fault);

/* How many connections the server lets this user have at once: the account's
   limit, or the server's. 0 / -1. */
int schema_store_connections(struct db *db, unsigned *max_r,
    struct fault *fault);

/* What the server calls itself, as in 10.11.6-MariaDB. 0 / -1. */
#define SCHEMA_SERVER_SIZE 64
int schema_store_server(struct db *db, char name_r[SCHEMA_SERVER_SIZE],
    struct fault *fault);

/* Apply what is missing, under an advisory lock so that two cannot at once.
   applied is called after each file (may be NULL). -1: FAULT_DATABASE, or
   FAULT_CONFIG for an unreadable directory; names file and statement. */
int schema_store_migrate(struct db *db, const char *dir,
    void (*applied)(void *ctx, const char *file), void *ctx,
    struct fault *fault);

/* Make the database that settings name, when it does not exist. 1: made;
   0: it was there; -1: FAULT_DATABASE (not allowed), or FAULT_CONFIG. */
int schema_store_create_database(struct db *db, struct fault *fault);

#endif
