/* SPDX-License-Identifier: MIT */
/* How much one endpoint is trusted with; pure. */
#ifndef WUTS_SRC_SPOOL_BREAKER_H
#define WUTS_SRC_SPOOL_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

struct breaker_limits {
	unsigned window;	/* attempts at once, at least 1 */
	unsigned first_window;	/* to begin with; 0: all of window */
	int64_t pause_us;	/* the first one; 0: the breaker never opens */
	int64_t pause_max_us;
};

struct breaker {
	int64_t until_us;	/* open till then */
	unsigned window;	/* now */
	unsigned answers;	/* since the window was this wide */
	uint8_t state;
	uint8_t failures;	/* in a row */
	uint8_t pauses;		/* in a row */
	bool trusted;
};

/* What an attempt told about its endpoint. */
enum breaker_verdict {
	BREAKER_QUICK,		/* it answers */
	BREAKER_SLOW,		/* it answers, but late */
	BREAKER_FAILED,		/* no answer, or 5xx */
	BREAKER_OVERLOADED	/* 429 or 503: less at once, too */
};

enum breaker_change {
	BREAKER_AS_BEFORE,
	BREAKER_HAS_OPENED,
	BREAKER_STAYS_OPEN,	/* the probe failed: a longer pause */
	BREAKER_HAS_CLOSED
};

/* status 0: no answer. */
enum breaker_verdict breaker_judge(long status, int64_t duration_us);
/* A zeroed breaker is closed and trusts nobody; limits may change any time. */
void breaker_limit(struct breaker *breaker,
    const struct breaker_limits *limits);
/* As if nothing had ever been tried. */
void breaker_reset(struct breaker *breaker,
    const struct breaker_limits *limits);
bool breaker_may_start(const struct breaker *breaker, unsigned in_flight);
bool breaker_is_trusted(const struct breaker *breaker);
bool breaker_is_open(const struct breaker *breaker);
/* Of one that is open: the pause is over, the next attempt decides. */
bool breaker_is_half_open(const struct breaker *breaker);
void breaker_started(struct breaker *breaker);
/* Nothing is in flight any more: a probe that told nothing is made again. */
void breaker_ended(struct breaker *breaker);
/* The pause is over. False: it is not, or there is none. */
bool breaker_wake(struct breaker *breaker, int64_t now_us);
/* random: any 64 bits. */
enum breaker_change breaker_report(struct breaker *breaker,
    const struct breaker_limits *limits, enum breaker_verdict verdict,
    int64_t now_us, uint64_t random);

#endif
