/* SPDX-License-Identifier: MIT */
/* Which webhooks are given up. */
#ifndef WUTS_SRC_SPOOL_HEALTH_H
#define WUTS_SRC_SPOOL_HEALTH_H

#include <stdint.h>

struct delivery;
struct delivery_result;
struct endpoint;
struct lookup_job;
struct spool;

/* An attempt is over. */
void health_note(struct spool *spool, const struct delivery *delivery,
    const struct delivery_result *result, int64_t now_us);
/* The endpoint's settings are other ones now. */
void health_forget(struct endpoint *endpoint);
/* The database has decided. */
void health_answer(struct endpoint *endpoint, const struct lookup_job *job);

#endif
