/* SPDX-License-Identifier: MIT */
/* What wutsd counts: requests by route and status, their durations, those of
   the database's answers, and what the workers do. All workers of a run_dir
   share one mapped file, also those that no master has started; no locks. Every
   row is there from the start, so no client can make them grow. Counting never
   fails and never stops the service: without a file a process counts for
   itself. Every function accepts a NULL metrics. */
#ifndef WUTS_METRICS_H
#define WUTS_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct metrics;

/* What kind of request a route serves: as fine as histograms are kept. */
enum metrics_class {
	METRICS_READ,
	METRICS_WRITE,
	METRICS_INGEST,		/* events from the engine */
	METRICS_RELAY,		/* handed to the engine */
	METRICS_OPS,		/* health, metrics, auth_request */
	METRICS_NO_ROUTE,	/* no such path or method; OPTIONS */
	METRICS_CLASS_COUNT
};
const char *metrics_class_name(enum metrics_class class);

/* One row of counters. The strings are borrowed for as long as the metrics are
   open. */
struct metrics_route {
	const char *dialect;
	const char *method;	/* "" of METRICS_NO_ROUTE */
	const char *pattern;	/* likewise */
	enum metrics_class class;
};

/* Map run_dir/metrics.<layout>, made when missing; the layout follows from the
   routes, so releases that differ in them do not share a file. Not across a
   fork: each process opens its own. */
struct metrics *metrics_open(const char *run_dir,
    const struct metrics_route *routes, size_t nroutes);
void metrics_close(struct metrics **metricsp);
/* Remove the files of other layouts. */
void metrics_remove_others(const struct metrics *metrics, const char *run_dir);

/* --- counting --- */

void metrics_count_request(struct metrics *metrics, size_t route,
    unsigned status, int64_t duration_us);
/* One statement that the database was asked to run. */
void metrics_count_statement(struct metrics *metrics, int64_t duration_us,
    bool failed);

enum metrics_worker {
	METRICS_WORKER_STARTED,
	METRICS_WORKER_DIED,	/* by itself */
	METRICS_WORKER_KILLED,	/* by the master: overdue */
	METRICS_WORKER_COUNT
};
void metrics_count_worker(struct metrics *metrics, enum metrics_worker what);

/* This process is a worker, until it ends, however it ends. */
void metrics_worker_begin(struct metrics *metrics);
void metrics_worker_busy(struct metrics *metrics, bool is_busy);

/* --- reading --- */

#define METRICS_STATUS_MAX 32

struct metrics_count {
	unsigned status;	/* 0: one that this release does not know */
	uint64_t count;
	uint64_t sum_us;	/* of the durations */
};

/* What was answered on one route, by status; the number of entries. */
size_t metrics_route_counts(const struct metrics *metrics, size_t route,
    struct metrics_count counts_r[METRICS_STATUS_MAX]);
size_t metrics_routes(const struct metrics *metrics,
    const struct metrics_route **routes_r);

#define METRICS_BUCKETS 14
/* Upper bounds; the last one has none. */
extern const int64_t metrics_bounds_us[METRICS_BUCKETS - 1];

struct metrics_histogram {
	uint64_t counts[METRICS_BUCKETS];	/* of each bucket alone */
	uint64_t sum_us;
};
void metrics_request_histogram(const struct metrics *metrics,
    enum metrics_class class, struct metrics_histogram *histogram_r);
/* The number of failed ones. */
uint64_t metrics_statement_histogram(const struct metrics *metrics,
    struct metrics_histogram *histogram_r);
uint64_t metrics_worker_count(const struct metrics *metrics,
    enum metrics_worker what);
/* Workers that live now. */
void metrics_workers(const struct metrics *metrics, unsigned *busy_r,
    unsigned *idle_r);

#endif
