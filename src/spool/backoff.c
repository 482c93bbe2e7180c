/* SPDX-License-Identifier: MIT */
/* What an attempt came to and when the next one is due. Pure. */
#include "config.h"

#include "backoff.h"

#include "wuts/queue.h"

int64_t
backoff_delay_us(unsigned attempt, int64_t base_ms, int64_t cap_ms,
    int64_t retry_after_s, uint64_t random)
{
	int64_t limit_ms = base_ms, delay_us;

	for (unsigned i = 1; i < attempt && limit_ms < cap_ms; i++)
		limit_ms *= 2;
	if (limit_ms > cap_ms)
		limit_ms = cap_ms;
	if (limit_ms < 0)
		limit_ms = 0;
	delay_us = (int64_t)(random % (uint64_t)(limit_ms * 1000 + 1));
	if (retry_after_s > BACKOFF_RETRY_AFTER_MAX_S)
		retry_after_s = BACKOFF_RETRY_AFTER_MAX_S;
	if (delay_us < retry_after_s * 1000000)
		delay_us = retry_after_s * 1000000;
	return delay_us;
}

enum queue_outcome
backoff_outcome(long status, unsigned attempts, unsigned retry_attempts)
{
	if (status >= 200 && status <= 299)
		return QUEUE_DELIVERED;
	return attempts > retry_attempts ? QUEUE_DEAD : QUEUE_RETRY;
}

int64_t
backoff_callback_delay_us(unsigned attempt, int64_t delay_ms, int64_t max_ms)
{
	return delay_ms > max_ms / attempt ? max_ms * 1000 :
	    delay_ms * attempt * 1000;
}

enum queue_outcome
backoff_callback_outcome(long status, int64_t age_us, int64_t keep_us)
{
	if (status == 200)
		return QUEUE_DELIVERED;
	return age_us >= keep_us ? QUEUE_DROPPED : QUEUE_RETRY;
}
