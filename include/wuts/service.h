/* SPDX-License-Identifier: MIT */
/* What every use case needs, one per process: database, queue, keys, caches,
   generation counters. The use cases are in <noun>_service.h; each is one
   transaction with its audit row and its events. */
#ifndef WUTS_SERVICE_H
#define WUTS_SERVICE_H

#include "wuts/user.h"

struct fault;
struct metrics;
struct service;
struct settings;

/* Neither connects to the database nor opens a segment: both happen when first
   needed. settings is borrowed and outlives the service. Never shared across a
   fork. -1: FAULT_IO, FAULT_QUEUE or FAULT_CONFIG. */
int service_open(struct service **service_r, const struct settings *settings,
    struct fault *fault);

/* Count what the database does there. metrics is borrowed and outlives the
   service. */
void service_set_metrics(struct service *service, struct metrics *metrics);

/* Seals the queue segment, closes the connection. Accepts NULL. */
void service_close(struct service **servicep);

/* A request under an Idempotency-Key: render is called inside the transaction
   of the change that it makes, when everything but COMMIT is done, and gives
   the answer to store with it. It may be called again (the body is retried):
   a pure function of what the use case has filled in. */
struct idempotency;
struct idempotency_answer;
struct reply {
	struct idempotency *idempotency;
	void (*render)(void *ctx, struct idempotency_answer *answer_r);
	void *ctx;
};

/* A use case is about to wait for somebody else's computer, for seconds. begin
   sees to it that others do not wait with it, or refuses (-1, REFUSAL_BUSY);
   end comes after each begin that did not. */
struct service_wait {
	int (*begin)(void *ctx, struct fault *fault);
	void (*end)(void *ctx);
	void *ctx;
};

/* Without this nobody else is there to wait, and every use case may. */
void service_set_wait(struct service *service,
    const struct service_wait *wait);

/* Who asks, and what ties the log, the audit row and the request together. */
struct caller {
	struct identity identity;
	const char *request_id;
	const char *address;
	struct reply *reply;	/* NULL: no Idempotency-Key */
};

/* Close the database connection until it is needed again. */
void service_rest(struct service *service);

/* Ready to serve? 0, or -1 with a client text that names what is not:
   "database", "schema", "queue". For GET /readyz. */
int service_check_ready(struct service *service, struct fault *fault);

#endif
