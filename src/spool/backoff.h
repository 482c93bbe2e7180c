/* SPDX-License-Identifier: MIT */
/* When to try again; pure. */
#ifndef WUTS_SRC_SPOOL_BACKOFF_H
#define WUTS_SRC_SPOOL_BACKOFF_H

#include "wuts/queue.h"

#include <stdint.h>

#define BACKOFF_RETRY_AFTER_MAX_S 3600

/* How long to wait after the attempt with this number (1..): full jitter below
   base * 2^(attempt - 1), at most cap; but no less than what the receiver
   asked for, which counts up to an hour. random: any 64 bits. */
int64_t backoff_delay_us(unsigned attempt, int64_t base_ms, int64_t cap_ms,
    int64_t retry_after_s, uint64_t random);

/* What an attempt came to. status 0: no answer. */
enum queue_outcome backoff_outcome(long status, unsigned attempts,
    unsigned retry_attempts);

/* The same of a callback: a straight line, and given up by age. */
int64_t backoff_callback_delay_us(unsigned attempt, int64_t delay_ms,
    int64_t max_ms);
enum queue_outcome backoff_callback_outcome(long status, int64_t age_us,
    int64_t keep_us);

#endif
