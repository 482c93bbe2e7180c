/* SPDX-License-Identifier: MIT */
/* One attempt, from its turn to its outcome. */
#ifndef WUTS_SRC_SPOOL_DISPATCH_H
#define WUTS_SRC_SPOOL_DISPATCH_H

#include "pending.h"

#include "wuts/queue.h"

#include <stdint.h>

struct delivery;
struct delivery_result;
struct endpoint;
struct spool;

/* A record counts: the queue_events callback; ctx is the spool. */
void dispatch_record(void *ctx, struct queue_pos pos,
    const struct queue_record *record, unsigned attempts, int64_t due_us);
/* Start what may start, within bounds. */
void dispatch_start(struct spool *spool);
/* An attempt is over: the delivery_pool callback; ctx is the spool. */
void dispatch_result(void *ctx, struct delivery *delivery,
    const struct delivery_result *result);
/* An attempt has ended with its shard and told nothing: make it again. */
void dispatch_lost(struct spool *spool, struct delivery *delivery);
/* A record that is not in flight will not be tried any more. */
void dispatch_drop(struct spool *spool, struct endpoint *endpoint,
    struct pending item, const char *why);
/* Outcomes noted so far: written, so that a kill loses none; or written and
   synced, at most 100 ms after the first. When it fails, spool->stuck. */
void dispatch_write(struct spool *spool);
void dispatch_sync(struct spool *spool);

#endif
