/* SPDX-License-Identifier: MIT */
/* The table of metrics, in the order in which they are told, and the text
   format 0.0.4 of Prometheus. */
#include "config.h"

#include "wuts/metric_text.h"

#include "wuts/metrics.h"
#include "wuts/strbuf.h"

#include <inttypes.h>

const struct metric metric_table[METRIC_COUNT] = {
	[METRIC_BUILD_INFO] = { "wuts_build_info", "gauge", "version",
	    "Always 1; the version of wutsd." },
	[METRIC_HTTP_REQUESTS] = { "wuts_http_requests_total", "counter",
	    "dialect, class: read, write, ingest, relay, ops, none, "
	    "status: 2xx, 3xx, 4xx, 5xx, other",
	    "Requests answered." },
	[METRIC_HTTP_SECONDS] = { "wuts_http_request_seconds", "histogram",
	    "class",
	    "Time from a request's first byte here to the last of its "
	    "answer." },
	[METRIC_DB_SECONDS] = { "wuts_db_statement_seconds", "histogram", "",
	    "Time that the database took for a statement." },
	[METRIC_DB_FAILED] = { "wuts_db_statements_failed_total", "counter",
	    "", "Statements that failed, duplicate keys excepted." },
	[METRIC_WORKERS] = { "wuts_workers", "gauge", "state: busy, idle",
	    "Worker processes of wutsd." },
	[METRIC_WORKER_STARTS] = { "wuts_worker_starts_total", "counter", "",
	    "Workers started." },
	[METRIC_WORKER_DEATHS] = { "wuts_worker_deaths_total", "counter", "",
	    "Workers that ended unasked." },
	[METRIC_WORKER_KILLS] = { "wuts_worker_kills_total", "counter", "",
	    "Workers killed because a request took longer than "
	    "request_timeout, or they did not end when asked." },
	[METRIC_QUEUE_ACCEPTED] = { "wuts_queue_accepted_total", "counter",
	    "", "Events accepted; equals delivered + dead + dropped + damaged "
	    "+ waiting at any moment." },
	[METRIC_QUEUE_DELIVERED] = { "wuts_queue_delivered_total", "counter",
	    "", "Events delivered." },
	[METRIC_QUEUE_DEAD] = { "wuts_queue_dead_total", "counter", "",
	    "Events that became dead letters." },
	[METRIC_QUEUE_DROPPED] = { "wuts_queue_dropped_total", "counter", "",
	    "Events that no webhook wanted." },
	[METRIC_QUEUE_DAMAGED] = { "wuts_queue_damaged_total", "counter", "",
	    "Events that failed their checksum later and are in corrupt/." },
	[METRIC_QUEUE_WAITING] = { "wuts_queue_waiting", "gauge", "",
	    "Events that wait, retries included." },
	[METRIC_QUEUE_WAITING_BYTES] = { "wuts_queue_waiting_bytes", "gauge",
	    "", "Bytes of events that wait." },
	[METRIC_QUEUE_APPENDED] = { "wuts_queue_appended_total", "counter",
	    "", "Events accepted, as counted by whoever answered; is ahead of "
	    "accepted by what wuts-spool has not read." },
	[METRIC_QUEUE_MISSING] = { "wuts_queue_missing_events", "gauge", "",
	    "Events that were answered for and are in no file; must be 0." },
	[METRIC_QUEUE_MENDED] = { "wuts_queue_mended_events_total", "counter",
	    "", "Events that whoever accepted them was killed before it "
	    "counted." },
	[METRIC_QUEUE_CHECKED] = { "wuts_queue_checked_timestamp_seconds",
	    "gauge", "",
	    "When the files were compared last with what was answered for." },
	[METRIC_SPOOL_UP] = { "wuts_spool_up", "gauge", "",
	    "1 while wuts-spool runs and has said so within 10 seconds." },
	[METRIC_SPOOL_STARTED] = { "wuts_spool_start_timestamp_seconds",
	    "gauge", "", "When wuts-spool was started." },
	[METRIC_SPOOL_OLDEST] = { "wuts_spool_oldest_event_seconds", "gauge",
	    "", "Age of the oldest event that waits, retries included." },
	[METRIC_SPOOL_LAG] = { "wuts_spool_due_lag_seconds", "gauge", "",
	    "How long the next delivery that may start has been waiting for "
	    "a slot." },
	[METRIC_SPOOL_STUCK] = { "wuts_spool_stuck", "gauge", "",
	    "1 while outcomes cannot be written and deliveries pause." },
	[METRIC_SPOOL_IN_FLIGHT] = { "wuts_spool_in_flight", "gauge", "",
	    "Deliveries under way." },
	[METRIC_SPOOL_ATTEMPTS] = { "wuts_spool_attempts_total", "counter",
	    "outcome: delivered, retry, dead, dropped",
	    "Attempts, and events dropped without one, by what they came "
	    "to." },
	[METRIC_SPOOL_SECONDS] = { "wuts_spool_attempt_seconds", "histogram",
	    "answer: 2xx, 3xx, 4xx, 5xx, none",
	    "Duration of attempts by the class of the answer." },
	[METRIC_SPOOL_ENDPOINTS] = { "wuts_spool_endpoints", "gauge",
	    "breaker: closed, half_open, open",
	    "Endpoints that wuts-spool knows, by the state of their "
	    "breakers." },
	[METRIC_SPOOL_DISABLED] = { "wuts_spool_webhooks_disabled", "gauge",
	    "", "Disabled webhooks among these." },
	[METRIC_SPOOL_SHARDS] = { "wuts_spool_shards", "gauge",
	    "state: up, down", "Processes that deliver, with --shards." },
	[METRIC_SPOOL_SHARD_RESTARTS] = { "wuts_spool_shard_restarts_total",
	    "counter", "", "Shards that died and were started again." },
};

void
metric_begin(struct strbuf *out, enum metric_id id)
{
	const struct metric *metric = &metric_table[id];

	strbuf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name,
	    metric->help, metric->name, metric->type);
}

static void
put_name(struct strbuf *out, enum metric_id id, const char *suffix,
    const char *labels)
{
	strbuf_printf(out, "%s%s", metric_table[id].name, suffix);
	if (labels != NULL)
		strbuf_printf(out, "{%s}", labels);
}

/* Exact, where a double might not be. */
static void
put_seconds(struct strbuf *out, int64_t us)
{
	const char *sign = us < 0 ? "-" : "";
	uint64_t all = us < 0 ? -(uint64_t)us : (uint64_t)us;

	strbuf_printf(out, "%s%" PRIu64 ".%06" PRIu64, sign, all / 1000000,
	    all % 1000000);
}

void
metric_count(struct strbuf *out, enum metric_id id, const char *labels,
    uint64_t value)
{
	put_name(out, id, "", labels);
	strbuf_printf(out, " %" PRIu64 "\n", value);
}

void
metric_seconds(struct strbuf *out, enum metric_id id, const char *labels,
    int64_t value_us)
{
	put_name(out, id, "", labels);
	strbuf_append_char(out, ' ');
	put_seconds(out, value_us);
	strbuf_append_char(out, '\n');
}

/* Buckets count what is at most as long; a bound is written as short as it
   can be, for people. */
void
metric_histogram(struct strbuf *out, enum metric_id id, const char *labels,
    const int64_t *bounds_us, const struct metrics_histogram *histogram)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		sum += histogram->counts[i];
		strbuf_printf(out, "%s_bucket{%s%sle=\"",
		    metric_table[id].name, labels == NULL ? "" : labels,
		    labels == NULL ? "" : ",");
		if (i < METRICS_BUCKETS - 1)
			strbuf_printf(out, "%g", (double)bounds_us[i] / 1e6);
		else
			strbuf_append_str(out, "+Inf");
		strbuf_printf(out, "\"} %" PRIu64 "\n", sum);
	}
	put_name(out, id, "_sum", labels);
	strbuf_append_char(out, ' ');
	put_seconds(out, (int64_t)histogram->sum_us);
	strbuf_append_char(out, '\n');
	put_name(out, id, "_count", labels);
	strbuf_printf(out, " %" PRIu64 "\n", sum);
}

void
metric_whole_count(struct strbuf *out, enum metric_id id, uint64_t value)
{
	metric_begin(out, id);
	metric_count(out, id, NULL, value);
}

void
metric_whole_seconds(struct strbuf *out, enum metric_id id, int64_t value_us)
{
	metric_begin(out, id);
	metric_seconds(out, id, NULL, value_us);
}
