/* SPDX-License-Identifier: MIT */
/* Keeps what is known of the endpoints true. */
#ifndef WUTS_SRC_SPOOL_DIRECTORY_H
#define WUTS_SRC_SPOOL_DIRECTORY_H

#include "wuts/queue.h"

#include <stdbool.h>
#include <stdint.h>

struct endpoint;
struct lookup_job;
struct spool;
struct uuid;

/* The endpoint, added and asked for when it is new. */
struct endpoint *directory_endpoint(struct spool *spool,
    const struct uuid *tenant_id, const struct uuid *device_id);
/* May an attempt use its settings now? False: it is held until they are. */
bool directory_may_use(struct spool *spool, struct endpoint *endpoint,
    int64_t mono_us);
/* A prepared record's writer is gone: find out by claim. */
void directory_claim(struct spool *spool, struct queue_pos pos,
    const struct uuid *id, int64_t created_us);
/* Apply what the look-up thread has found. */
void directory_answers(struct spool *spool);
/* Other installation keys (spool->live): take them up, and say so in the
   reader's lock file once nothing is under way with those before. */
void directory_take_keys(struct spool *spool);
/* About once a second. scanned: all of the queue has been read. */
void directory_tick(struct spool *spool, bool scanned);
/* At the end of --once: delete what nobody needs. True: that is under way. */
bool directory_tidy(struct spool *spool);
void directory_restore(struct spool *spool);
void directory_save(struct spool *spool);

/* Hand a job to the look-up thread; its answer comes to directory_answers(). */
void directory_ask(struct spool *spool, struct lookup_job *job);
/* Let the scheduler do what is known of the endpoint. */
void directory_apply(struct spool *spool, struct endpoint *endpoint);
void directory_apply_all(struct spool *spool);

#endif
