/* SPDX-License-Identifier: MIT */
/* GET /metrics: three sources, none of which needs the database: the shared
   counters of the workers, the accounts and the tally of the queue, and the
   file of the spooler's numbers. Each metric has a fixed set of series. */
#include "config.h"

#include "wuts/metrics_service.h"

#include "service_private.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/metric_text.h"
#include "wuts/metrics.h"
#include "wuts/queue.h"
#include "wuts/settings.h"
#include "wuts/spool_numbers.h"
#include "wuts/strbuf.h"

#include <stdio.h>
#include <string.h>

#define LABELS_SIZE 96
#define STATUS_CLASSES 6	/* 2xx at 2, …; 0: none of these */

bool
metrics_service_may_read(const struct service *service, const char *address)
{
	return address_is_listed(&service->metrics_readers, address);
}

/* --- requests --- */

/* The routes of one dialect stand together. */
struct requests {
	const char *dialect;
	uint64_t counts[METRICS_CLASS_COUNT][STATUS_CLASSES];
};

static void
put_requests(struct strbuf *out, const struct requests *requests)
{
	char labels[LABELS_SIZE];

	for (unsigned c = 0; c < METRICS_CLASS_COUNT; c++) {
		for (unsigned s = 0; s < STATUS_CLASSES; s++) {
			if (requests->counts[c][s] == 0)
				continue;
			snprintf(labels, sizeof(labels), "dialect=\"%s\","
			    "class=\"%s\",status=\"%c%s\"",
			    requests->dialect,
			    metrics_class_name((enum metrics_class)c),
			    s == 0 ? 'o' : '0' + (char)s,
			    s == 0 ? "ther" : "xx");
			metric_count(out, METRIC_HTTP_REQUESTS, labels,
			    requests->counts[c][s]);
		}
	}
}

static void
add_route(struct requests *requests, const struct metrics *metrics, size_t i,
    enum metrics_class class)
{
	struct metrics_count counts[METRICS_STATUS_MAX];
	size_t n = metrics_route_counts(metrics, i, counts);

	for (size_t j = 0; j < n; j++) {
		unsigned s = counts[j].status / 100;

		requests->counts[class][s < STATUS_CLASSES ? s : 0] +=
		    counts[j].count;
	}
}

static void
render_requests(struct strbuf *out, const struct metrics *metrics)
{
	struct metrics_histogram histogram;
	struct requests requests = { .dialect = NULL };
	const struct metrics_route *routes;
	size_t n = metrics_routes(metrics, &routes);
	char labels[LABELS_SIZE];

	metric_begin(out, METRIC_HTTP_REQUESTS);
	for (size_t i = 0; i < n; i++) {
		if (requests.dialect != NULL &&
		    strcmp(requests.dialect, routes[i].dialect) != 0) {
			put_requests(out, &requests);
			memset(&requests, 0, sizeof(requests));
		}
		requests.dialect = routes[i].dialect;
		add_route(&requests, metrics, i, routes[i].class);
	}
	if (requests.dialect != NULL)
		put_requests(out, &requests);
	metric_begin(out, METRIC_HTTP_SECONDS);
	for (unsigned c = 0; c < METRICS_CLASS_COUNT; c++) {
		metrics_request_histogram(metrics, (enum metrics_class)c,
		    &histogram);
		snprintf(labels, sizeof(labels), "class=\"%s\"",
		    metrics_class_name((enum metrics_class)c));
		metric_histogram(out, METRIC_HTTP_SECONDS, labels,
		    metrics_bounds_us, &histogram);
	}
}

/* --- the rest of wutsd --- */

static void
render_wutsd(struct strbuf *out, const struct metrics *metrics)
{
	struct metrics_histogram histogram;
	uint64_t failed = metrics_statement_histogram(metrics, &histogram);
	unsigned busy, idle;

	metric_begin(out, METRIC_DB_SECONDS);
	metric_histogram(out, METRIC_DB_SECONDS, NULL, metrics_bounds_us,
	    &histogram);
	metric_whole_count(out, METRIC_DB_FAILED, failed);
	metrics_workers(metrics, &busy, &idle);
	metric_begin(out, METRIC_WORKERS);
	metric_count(out, METRIC_WORKERS, "state=\"busy\"", busy);
	metric_count(out, METRIC_WORKERS, "state=\"idle\"", idle);
	metric_whole_count(out, METRIC_WORKER_STARTS,
	    metrics_worker_count(metrics, METRICS_WORKER_STARTED));
	metric_whole_count(out, METRIC_WORKER_DEATHS,
	    metrics_worker_count(metrics, METRICS_WORKER_DIED));
	metric_whole_count(out, METRIC_WORKER_KILLS,
	    metrics_worker_count(metrics, METRICS_WORKER_KILLED));
}

/* --- queue --- */

static int
render_queue(struct strbuf *out, const char *dir, struct fault *fault)
{
	struct queue_counts counts;
	struct queue_books books;
	const uint64_t *terms = books.account.terms;

	/* In this order: nobody shall see more read than there was. */
	if (queue_books_read(dir, &books, fault) < 0 ||
	    queue_counts_read(dir, &counts, fault) < 0)
		return -1;
	metric_whole_count(out, METRIC_QUEUE_ACCEPTED,
	    terms[QUEUE_TERM_ACCEPTED]);
	metric_whole_count(out, METRIC_QUEUE_DELIVERED,
	    terms[QUEUE_TERM_DELIVERED]);
	metric_whole_count(out, METRIC_QUEUE_DEAD, terms[QUEUE_TERM_DEAD]);
	metric_whole_count(out, METRIC_QUEUE_DROPPED,
	    terms[QUEUE_TERM_DROPPED]);
	metric_whole_count(out, METRIC_QUEUE_DAMAGED,
	    terms[QUEUE_TERM_DAMAGED]);
	metric_whole_count(out, METRIC_QUEUE_WAITING, books.waiting);
	metric_whole_count(out, METRIC_QUEUE_WAITING_BYTES, counts.bytes);
	metric_whole_count(out, METRIC_QUEUE_APPENDED,
	    counts.totals[QUEUE_TOTAL_ACCEPTED]);
	metric_whole_count(out, METRIC_QUEUE_MISSING, books.missing);
	metric_whole_count(out, METRIC_QUEUE_MENDED, books.mended);
	metric_whole_seconds(out, METRIC_QUEUE_CHECKED, books.checked_us);
	return 0;
}

/* --- spooler --- */

struct gauge {
	enum spool_gauge gauge;
	const char *labels;
};

static void
put_gauges(struct strbuf *out, enum metric_id id,
    const struct spool_report *report, const struct gauge *gauges, size_t n)
{
	metric_begin(out, id);
	for (size_t i = 0; i < n; i++)
		metric_count(out, id, gauges[i].labels,
		    (uint64_t)report->gauges[gauges[i].gauge]);
}

static void
render_attempts(struct strbuf *out, const struct spool_report *report)
{
	static const char *const outcomes[SPOOL_ATTEMPT_COUNT] = {
		[SPOOL_DELIVERED] = "outcome=\"delivered\"",
		[SPOOL_RETRY] = "outcome=\"retry\"",
		[SPOOL_DEAD] = "outcome=\"dead\"",
		[SPOOL_DROPPED] = "outcome=\"dropped\""
	};
	static const char *const answers[SPOOL_ANSWER_COUNT] = {
		[SPOOL_ANSWER_2XX] = "answer=\"2xx\"",
		[SPOOL_ANSWER_3XX] = "answer=\"3xx\"",
		[SPOOL_ANSWER_4XX] = "answer=\"4xx\"",
		[SPOOL_ANSWER_5XX] = "answer=\"5xx\"",
		[SPOOL_ANSWER_NONE] = "answer=\"none\""
	};

	metric_begin(out, METRIC_SPOOL_ATTEMPTS);
	for (size_t i = 0; i < SPOOL_ATTEMPT_COUNT; i++)
		metric_count(out, METRIC_SPOOL_ATTEMPTS, outcomes[i],
		    report->attempts[i]);
	metric_begin(out, METRIC_SPOOL_SECONDS);
	for (size_t i = 0; i < SPOOL_ANSWER_COUNT; i++)
		metric_histogram(out, METRIC_SPOOL_SECONDS, answers[i],
		    spool_numbers_bounds_us, &report->seconds[i]);
}

/* What one that does not run said last of its state is not the state now. */
static void
render_spool(struct strbuf *out, const char *run_dir)
{
	static const struct gauge in_flight[] = { { SPOOL_IN_FLIGHT, NULL } };
	static const struct gauge stuck[] = { { SPOOL_STUCK, NULL } };
	static const struct gauge disabled[] = { { SPOOL_DISABLED, NULL } };
	static const struct gauge endpoints[] = {
		{ SPOOL_CLOSED, "breaker=\"closed\"" },
		{ SPOOL_HALF_OPEN, "breaker=\"half_open\"" },
		{ SPOOL_OPEN, "breaker=\"open\"" }
	};
	static const struct gauge shards[] = {
		{ SPOOL_SHARDS_UP, "state=\"up\"" },
		{ SPOOL_SHARDS_DOWN, "state=\"down\"" }
	};
	struct spool_report report;
	int64_t oldest_us;

	spool_numbers_read(run_dir, &report);
	metric_whole_count(out, METRIC_SPOOL_UP, report.is_up);
	render_attempts(out, &report);
	metric_whole_count(out, METRIC_SPOOL_SHARD_RESTARTS, report.restarts);
	if (!report.is_up)
		return;
	oldest_us = report.gauges[SPOOL_OLDEST_US];
	metric_whole_seconds(out, METRIC_SPOOL_STARTED,
	    report.gauges[SPOOL_STARTED_US]);
	metric_whole_seconds(out, METRIC_SPOOL_OLDEST, oldest_us == 0 ? 0 :
	    clock_wall_us() - oldest_us);
	metric_whole_seconds(out, METRIC_SPOOL_LAG,
	    report.gauges[SPOOL_LAG_US]);
	put_gauges(out, METRIC_SPOOL_STUCK, &report, stuck, 1);
	put_gauges(out, METRIC_SPOOL_IN_FLIGHT, &report, in_flight, 1);
	put_gauges(out, METRIC_SPOOL_ENDPOINTS, &report, endpoints, 3);
	put_gauges(out, METRIC_SPOOL_DISABLED, &report, disabled, 1);
	put_gauges(out, METRIC_SPOOL_SHARDS, &report, shards, 2);
}

void
metrics_service_render(struct service *service, const struct metrics *metrics,
    struct strbuf *out)
{
	const struct settings *settings = service->settings;
	struct fault fault;

	fault_clear(&fault);
	metric_begin(out, METRIC_BUILD_INFO);
	metric_count(out, METRIC_BUILD_INFO,
	    "version=\"" PACKAGE_VERSION "\"", 1);
	render_requests(out, metrics);
	render_wutsd(out, metrics);
	if (render_queue(out, settings->queue_dir, &fault) < 0)
		log_error("metrics: %s", fault.text);
	render_spool(out, settings->run_dir);
}
