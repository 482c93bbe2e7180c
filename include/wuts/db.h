/* SPDX-License-Identifier: MIT */
/* One connection to MySQL 8.0+ or MariaDB 10.6+, opened when first needed and
   opened again when lost. No call blocks longer than settings
   database_timeout_ms; after a failure to connect, further calls fail at once
   for a moment, so that no worker hangs while the database is down. Every
   failure is FAULT_DATABASE with retry_after_s set. */
#ifndef WUTS_DB_H
#define WUTS_DB_H

#include <stdbool.h>

struct db;
struct fault;
struct metrics;
struct settings;

/* Does not connect. settings is borrowed and outlives the db. */
struct db *db_new(const struct settings *settings);
void db_free(struct db **dbp);

/* Close the connection, outside a transaction, until it is needed again. */
void db_rest(struct db *db);

/* Count statements there, NULL: nowhere. Borrowed. */
void db_set_metrics(struct db *db, struct metrics *metrics);

/* Is the database there and answering? 0 / -1. */
int db_ping(struct db *db, struct fault *fault);

enum tx_result {
	TX_COMMITTED,
	TX_ROLLED_BACK,		/* fault says why; nothing has changed */
	TX_UNKNOWN		/* the connection broke during COMMIT */
};

/* Run body in one transaction (READ COMMITTED): begin, body, commit. body
   returns 0 to commit, -1 to roll back. Deadlock, lock wait time-out,
   certification failure and a connection lost before COMMIT run the whole body
   again, bounded, with jitter: it must be a pure function of its inputs and
   the database. retry, when not NULL, is called before each further run. */
typedef int tx_body(struct db *db, void *ctx, struct fault *fault);
enum tx_result tx_run(struct db *db, tx_body *body, void (*retry)(void *ctx),
    void *ctx, struct fault *fault);

#endif
