/* SPDX-License-Identifier: MIT */
/* What the spooler says of itself. */
#ifndef WUTS_SRC_SPOOL_NUMBERS_H
#define WUTS_SRC_SPOOL_NUMBERS_H

#include "wuts/queue.h"

#include <stdbool.h>
#include <stdint.h>

struct delivery_result;
struct spool;

/* About once a second. */
void numbers_tick(struct spool *spool, int64_t mono_us);
/* An attempt has come to its end; status 0 without one. */
void numbers_note(struct spool *spool, enum queue_outcome outcome,
    const struct delivery_result *result, bool was_tried);

#endif
