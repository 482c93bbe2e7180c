/* SPDX-License-Identifier: MIT */
/* What wuts-spool says of itself, in a mapped file in run_dir, for it listens
   on nothing: it writes, wutsd shows. A lock on the file tells whether it
   lives, and the time of its last word whether it moves. */
#ifndef WUTS_SPOOL_NUMBERS_H
#define WUTS_SPOOL_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "wuts/metrics.h"

struct spool_numbers;

enum spool_attempt {
	SPOOL_DELIVERED,
	SPOOL_RETRY,
	SPOOL_DEAD,
	SPOOL_DROPPED,
	SPOOL_ATTEMPT_COUNT
};

enum spool_answer {
	SPOOL_ANSWER_2XX,
	SPOOL_ANSWER_3XX,
	SPOOL_ANSWER_4XX,
	SPOOL_ANSWER_5XX,
	SPOOL_ANSWER_NONE,
	SPOOL_ANSWER_COUNT
};

enum spool_gauge {
	SPOOL_STARTED_US,	/* wall */
	SPOOL_OLDEST_US,	/* wall, created; 0: nothing waits */
	SPOOL_LAG_US,
	SPOOL_STUCK,
	SPOOL_IN_FLIGHT,
	SPOOL_CLOSED,		/* endpoints, by breaker */
	SPOOL_HALF_OPEN,
	SPOOL_OPEN,
	SPOOL_DISABLED,
	SPOOL_SHARDS_UP,	/* both 0: not sharded */
	SPOOL_SHARDS_DOWN,
	SPOOL_GAUGE_COUNT
};

/* As the spooler: counters go on, gauges begin at 0. Never fails: without a
   file nobody sees them. NULL numbers are accepted below. */
struct spool_numbers *spool_numbers_open(const char *run_dir);
void spool_numbers_close(struct spool_numbers **numbersp);
void spool_numbers_count(struct spool_numbers *numbers,
    enum spool_attempt attempt);
/* status 0: no answer. */
void spool_numbers_observe(struct spool_numbers *numbers, long status,
    int64_t duration_us);
void spool_numbers_count_restart(struct spool_numbers *numbers);
void spool_numbers_set(struct spool_numbers *numbers, enum spool_gauge gauge,
    int64_t value);
/* All gauges are as of now. */
void spool_numbers_beat(struct spool_numbers *numbers);

struct spool_report {
	bool is_up;
	uint64_t attempts[SPOOL_ATTEMPT_COUNT];
	struct metrics_histogram seconds[SPOOL_ANSWER_COUNT];
	uint64_t restarts;	/* of shards */
	int64_t gauges[SPOOL_GAUGE_COUNT];
};
extern const int64_t spool_numbers_bounds_us[METRICS_BUCKETS - 1];

/* What it has said; zeros where there is nothing. */
void spool_numbers_read(const char *run_dir, struct spool_report *report_r);

#endif
