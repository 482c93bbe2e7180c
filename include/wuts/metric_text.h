/* SPDX-License-Identifier: MIT */
/* The metrics of GET /metrics: their names in one table, and the Prometheus
   text format. doc/metrics.md is checked against the table. */
#ifndef WUTS_METRIC_TEXT_H
#define WUTS_METRIC_TEXT_H

#include <stdint.h>

struct metrics_histogram;
struct strbuf;

enum metric_id {
	METRIC_BUILD_INFO,
	METRIC_HTTP_REQUESTS,
	METRIC_HTTP_SECONDS,
	METRIC_DB_SECONDS,
	METRIC_DB_FAILED,
	METRIC_WORKERS,
	METRIC_WORKER_STARTS,
	METRIC_WORKER_DEATHS,
	METRIC_WORKER_KILLS,
	METRIC_QUEUE_ACCEPTED,
	METRIC_QUEUE_DELIVERED,
	METRIC_QUEUE_DEAD,
	METRIC_QUEUE_DROPPED,
	METRIC_QUEUE_DAMAGED,
	METRIC_QUEUE_WAITING,
	METRIC_QUEUE_WAITING_BYTES,
	METRIC_QUEUE_APPENDED,
	METRIC_QUEUE_MISSING,
	METRIC_QUEUE_MENDED,
	METRIC_QUEUE_CHECKED,
	METRIC_SPOOL_UP,
	METRIC_SPOOL_STARTED,
	METRIC_SPOOL_OLDEST,
	METRIC_SPOOL_LAG,
	METRIC_SPOOL_STUCK,
	METRIC_SPOOL_IN_FLIGHT,
	METRIC_SPOOL_ATTEMPTS,
	METRIC_SPOOL_SECONDS,
	METRIC_SPOOL_ENDPOINTS,
	METRIC_SPOOL_DISABLED,
	METRIC_SPOOL_SHARDS,
	METRIC_SPOOL_SHARD_RESTARTS,
	METRIC_COUNT
};

struct metric {
	const char *name;
	const char *type;	/* counter, gauge, histogram */
	const char *labels;	/* with their values where these are few; "" */
	const char *help;	/* one sentence */
};
extern const struct metric metric_table[METRIC_COUNT];

#define METRIC_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* HELP and TYPE; then its values. */
void metric_begin(struct strbuf *out, enum metric_id id);
/* labels: name="value" pairs with commas between, or NULL. Their values hold
   no quote, backslash or newline. */
void metric_count(struct strbuf *out, enum metric_id id, const char *labels,
    uint64_t value);
/* Of a number of microseconds. */
void metric_seconds(struct strbuf *out, enum metric_id id,
    const char *labels, int64_t value_us);
/* bounds_us: METRICS_BUCKETS - 1 of them. */
void metric_histogram(struct strbuf *out, enum metric_id id,
    const char *labels, const int64_t *bounds_us,
    const struct metrics_histogram *histogram);

/* Both of a metric without labels. */
void metric_whole_count(struct strbuf *out, enum metric_id id,
    uint64_t value);
void metric_whole_seconds(struct strbuf *out, enum metric_id id,
    int64_t value_us);

#endif
