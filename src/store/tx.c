/* SPDX-License-Identifier: MIT */
/* Transactions: begin, body, commit, and the whole of it again when it lost a
   race or its connection. Decides only what is certain: a COMMIT without an
   answer is reported as unknown, never guessed. */
#include "config.h"

#include "wuts/db.h"
#include "store_private.h"

#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/log.h"

#include <stdint.h>
#include <string.h>
#include <time.h>

#define TX_RUNS_MAX 5

enum tx_once_result {
	ONCE_COMMITTED,
	ONCE_ROLLED_BACK,
	ONCE_AGAIN,
	ONCE_UNKNOWN
};

/* Two that collided must not meet again at the same step: 1 to 4 ms, then up
   to 8, 16 … */
static void
pause_before_run(unsigned run)
{
	struct timespec pause = { 0, 0 };
	uint32_t random;

	crypto_random(&random, sizeof(random));
	pause.tv_nsec = 1000000L +
	    (long)(random % (3000000U << (run < 4 ? run - 1 : 3)));
	(void)nanosleep(&pause, NULL);
}

static int
tx_statement(struct db *db, const char *sql, struct fault *fault)
{
	return db_query(db, sql, sql, strlen(sql), fault);
}

static void
roll_back(struct db *db)
{
	struct fault ignored;

	if (db->mysql == NULL)
		return;
	fault_clear(&ignored);
	/* A connection that cannot roll back is no use; closing it does. */
	if (tx_statement(db, "ROLLBACK", &ignored) < 0)
		db_disconnect(db);
}

static enum tx_once_result
commit(struct db *db, struct fault *fault)
{
	if (tx_statement(db, "COMMIT", fault) == 0)
		return ONCE_COMMITTED;
	switch (db->code) {
	case DB_ER_CHECKREAD:
	case DB_ER_DEADLOCK:
	case DB_ER_ROLLED_BACK:
		/* The server's word that nothing was committed. */
		roll_back(db);
		return ONCE_AGAIN;
	default:
		db_disconnect(db);
		return ONCE_UNKNOWN;
	}
}

static enum tx_once_result
tx_once(struct db *db, tx_body *body, void *ctx, struct fault *fault)
{
	enum db_failure failure;
	int ret;

	db_failure_forget(db);
	ret = tx_statement(db, "START TRANSACTION", fault);
	if (ret == 0) {
		db->in_tx = true;
		ret = body(db, ctx, fault);
		/* Also when the body made nothing of a failure: the server may
		   have undone what came before it. */
		if (ret == 0 && db->failure == DB_FAILURE_NONE) {
			enum tx_once_result result = commit(db, fault);

			db->in_tx = false;
			return result;
		}
		failure = db->failure;
		roll_back(db);
		db->in_tx = false;
	} else {
		failure = db->failure;
	}
	return failure == DB_FAILURE_RETRY || failure == DB_FAILURE_LOST ?
	    ONCE_AGAIN : ONCE_ROLLED_BACK;
}

enum tx_result
tx_run(struct db *db, tx_body *body, void (*retry)(void *ctx), void *ctx,
    struct fault *fault)
{
	int64_t until_us = clock_mono_us() +
	    (int64_t)db->timeout_s * CLOCK_SECOND_US;
	unsigned run = 1;

	wuts_assert(!db->in_tx);
	for (;;) {
		switch (tx_once(db, body, ctx, fault)) {
		case ONCE_COMMITTED:
			return TX_COMMITTED;
		case ONCE_ROLLED_BACK:
			return TX_ROLLED_BACK;
		case ONCE_UNKNOWN:
			return TX_UNKNOWN;
		case ONCE_AGAIN:
			break;
		}
		/* Time-outs add up; races cost next to nothing. */
		if (run == TX_RUNS_MAX || clock_mono_us() >= until_us) {
			(void)fault_prefix(fault, "given up after %u runs",
			    run);
			return TX_ROLLED_BACK;
		}
		pause_before_run(run++);
		if (retry != NULL)
			retry(ctx);
		fault_clear(fault);
	}
}
