/* SPDX-License-Identifier: MIT */
/* How much one endpoint is trusted with. Its window starts small and doubles
   with each window of answers (slow start); failures in a row open the breaker:
   then nothing starts but one probe after a pause that doubles each time, until
   an answer closes it and slow start begins anew. Who answers at once is
   trusted; everybody else shares what the scheduler sets aside. Pure. */
#include "config.h"

#include "breaker.h"

/* Failures in a row that open the breaker. */
#define FAILURES_MAX 5
/* An answer later than this is a slow one. */
#define SLOW_US INT64_C(1000000)
/* 2^30 times the shortest pause is beyond any longest one. */
#define PAUSES_MAX 30

enum breaker_state {
	BREAKER_CLOSED,
	BREAKER_OPEN,
	BREAKER_HALF_OPEN,	/* a probe may start */
	BREAKER_PROBING		/* it is under way */
};

enum breaker_verdict
breaker_judge(long status, int64_t duration_us)
{
	if (status == 429 || status == 503)
		return BREAKER_OVERLOADED;
	/* Any other answer is a sign of life, also one that refuses. */
	if (status == 0 || status >= 500)
		return BREAKER_FAILED;
	return duration_us >= SLOW_US ? BREAKER_SLOW : BREAKER_QUICK;
}

void
breaker_limit(struct breaker *breaker, const struct breaker_limits *limits)
{
	unsigned first = limits->first_window > 0 ? limits->first_window :
	    limits->window;

	if (breaker->window == 0)
		breaker->window = first;
	if (breaker->window > limits->window)
		breaker->window = limits->window;
}

void
breaker_reset(struct breaker *breaker, const struct breaker_limits *limits)
{
	*breaker = (struct breaker){ .window = 0 };
	breaker_limit(breaker, limits);
}

bool
breaker_may_start(const struct breaker *breaker, unsigned in_flight)
{
	switch (breaker->state) {
	case BREAKER_CLOSED:
		return in_flight < breaker->window;
	case BREAKER_HALF_OPEN:
		return true;
	default:
		return false;
	}
}

bool
breaker_is_trusted(const struct breaker *breaker)
{
	return breaker->trusted;
}

bool
breaker_is_open(const struct breaker *breaker)
{
	return breaker->state != BREAKER_CLOSED;
}

bool
breaker_is_half_open(const struct breaker *breaker)
{
	return breaker->state == BREAKER_HALF_OPEN ||
	    breaker->state == BREAKER_PROBING;
}

void
breaker_started(struct breaker *breaker)
{
	if (breaker->state == BREAKER_HALF_OPEN)
		breaker->state = BREAKER_PROBING;
}

void
breaker_ended(struct breaker *breaker)
{
	if (breaker->state == BREAKER_PROBING)
		breaker->state = BREAKER_HALF_OPEN;
}

bool
breaker_wake(struct breaker *breaker, int64_t now_us)
{
	if (breaker->state != BREAKER_OPEN || now_us < breaker->until_us)
		return false;
	breaker->state = BREAKER_HALF_OPEN;
	return true;
}

static void
grow(struct breaker *breaker, const struct breaker_limits *limits)
{
	if (breaker->window >= limits->window ||
	    ++breaker->answers < breaker->window)
		return;
	breaker->answers = 0;
	breaker->window *= 2;
	breaker_limit(breaker, limits);
}

static enum breaker_change
answered(struct breaker *breaker, const struct breaker_limits *limits,
    bool quick)
{
	bool was_open = breaker_is_open(breaker);

	/* Also an answer to what was started before it opened. */
	if (was_open)
		breaker_reset(breaker, limits);
	breaker->trusted = quick;
	breaker->failures = 0;
	grow(breaker, limits);
	return was_open ? BREAKER_HAS_CLOSED : BREAKER_AS_BEFORE;
}

/* Half of the pause is fixed, so that it grows for sure; half is chance, so
   that endpoints that fell together are not probed together. */
static void
open_until(struct breaker *breaker, const struct breaker_limits *limits,
    int64_t now_us, uint64_t random)
{
	int64_t pause_us = limits->pause_us;

	for (unsigned i = 0; i < breaker->pauses &&
	    pause_us < limits->pause_max_us; i++)
		pause_us *= 2;
	if (pause_us > limits->pause_max_us)
		pause_us = limits->pause_max_us;
	pause_us -= (int64_t)(random % (uint64_t)(pause_us / 2 + 1));
	if (breaker->pauses < PAUSES_MAX)
		breaker->pauses++;
	breaker->state = BREAKER_OPEN;
	breaker->until_us = now_us + pause_us;
}

static enum breaker_change
failed(struct breaker *breaker, const struct breaker_limits *limits,
    int64_t now_us, uint64_t random)
{
	breaker->trusted = false;
	breaker->answers = 0;
	switch (breaker->state) {
	case BREAKER_CLOSED:
		if (++breaker->failures < FAILURES_MAX ||
		    limits->pause_us == 0)
			return BREAKER_AS_BEFORE;
		open_until(breaker, limits, now_us, random);
		return BREAKER_HAS_OPENED;
	case BREAKER_OPEN:
		/* Started before it opened: tells nothing new. */
		return BREAKER_AS_BEFORE;
	default:
		open_until(breaker, limits, now_us, random);
		return BREAKER_STAYS_OPEN;
	}
}

enum breaker_change
breaker_report(struct breaker *breaker, const struct breaker_limits *limits,
    enum breaker_verdict verdict, int64_t now_us, uint64_t random)
{
	switch (verdict) {
	case BREAKER_QUICK:
	case BREAKER_SLOW:
		return answered(breaker, limits, verdict == BREAKER_QUICK);
	case BREAKER_OVERLOADED:
		if (breaker->window > 1)
			breaker->window /= 2;
		break;
	case BREAKER_FAILED:
		break;
	}
	return failed(breaker, limits, now_us, random);
}
