/* SPDX-License-Identifier: MIT */
/* What is different with On-Premises webhooks. */
#ifndef WUTS_SRC_SPOOL_CALLBACK_H
#define WUTS_SRC_SPOOL_CALLBACK_H

#include "wuts/queue.h"

#include <stdint.h>

struct delivery;
struct delivery_result;
struct endpoint;
struct scheduler_limits;
struct spool;
struct target;

/* NULL: it is to be tried. */
const char *callback_why_unwanted(const struct spool *spool,
    const struct target *target, const struct queue_record *record);
/* *due_us: of a retry, else 0. */
enum queue_outcome callback_judge(const struct spool *spool,
    const struct delivery *delivery, const struct delivery_result *result,
    unsigned attempts, int64_t now_us, int64_t *due_us);
void callback_count(struct spool *spool, const struct delivery *delivery,
    const struct delivery_result *result);
void callback_limits(const struct target *target,
    struct scheduler_limits *limits);
/* Any endpoint has other settings now than before (NULL: none were known). */
void callback_changed(struct spool *spool, const struct endpoint *endpoint,
    const struct target *before);
/* About once a second: drop what has waited too long for a URL. */
void callback_tick(struct spool *spool);

#endif
