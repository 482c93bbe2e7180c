/* SPDX-License-Identifier: MIT */
/* Attempts over HTTP. */
#ifndef WUTS_SRC_SPOOL_DELIVERY_H
#define WUTS_SRC_SPOOL_DELIVERY_H

#include "pending.h"
#include "target.h"

#include "wuts/queue.h"
#include "wuts/strbuf.h"

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

struct address_policy;
struct endpoint;
struct trial;

struct delivery;
struct delivery_pool;

/* What became of an attempt. */
struct delivery_result {
	long status;		/* 0: no answer */
	CURLcode code;
	int64_t retry_after_s;	/* 0: not asked */
	int64_t duration_us;
	char why[CURL_ERROR_SIZE];	/* for the operator; empty: the status
					   says it */
	const char *error;		/* for the tenant, likewise; lives on */
	const char *answer;		/* how its body begins, cleaned */
};

struct delivery {
	struct trial *trial;		/* NULL: it is none */
	struct endpoint *endpoint;
	struct target *target;		/* a reference */
	struct pending item;
	struct strbuf buf;		/* of record */
	struct queue_record record;
};

/* result() may start deliveries. epoll_fd is borrowed: the pool adds its
   sockets there, by data.fd. queue_dir: where trust_keep() has put them. */
struct delivery_pool *delivery_pool_new(int epoll_fd, const char *queue_dir,
    unsigned max_in_flight,
    void (*result)(void *ctx, struct delivery *delivery,
	const struct delivery_result *result), void *ctx);
/* Breaks off what is in flight, without a result. */
void delivery_pool_free(struct delivery_pool **poolp);

struct delivery_policy {
	bool http;
	const struct address_policy *addresses[TARGET_KIND_COUNT];
	unsigned max_in_flight;
	long callback_connect_timeout_ms, callback_timeout_ms;
};
/* From now on, also for connections that were made before. The addresses are
   borrowed. */
void delivery_pool_set_policy(struct delivery_pool *pool,
    const struct delivery_policy *policy);

/* A delivery to fill in, then either start or release it. */
struct delivery *delivery_get(struct delivery_pool *pool);
/* attempt: 1 for the first. The target is referenced until the result. */
void delivery_start(struct delivery_pool *pool, struct delivery *delivery,
    unsigned attempt, int64_t wall_us, int64_t mono_us);
void delivery_release(struct delivery_pool *pool, struct delivery *delivery);

/* A socket is ready; run what time asks for; report what is finished. */
void delivery_pool_socket(struct delivery_pool *pool, int fd,
    uint32_t epoll_events);
void delivery_pool_run(struct delivery_pool *pool, int64_t mono_us);
/* When delivery_pool_run() must be called; INT64_MAX: not by time. */
int64_t delivery_pool_due(const struct delivery_pool *pool);

#endif
