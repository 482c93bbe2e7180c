/* SPDX-License-Identifier: MIT */
/* GET /metrics (spec/onprem.md §5 H2): what this dialect has answered on this
   machine, by route and status, under the vendor's names. A route's row stands
   for all of its paths, so no client can make more of them. */
#include "config.h"

#include "wuts/api.h"
#include "wuts/arena.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/metrics.h"

#include "onprem_private.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NODE_SIZE 256
#define RESULT_SIZE 16

struct row {
	const char *method;	/* GET_v1_users_username */
	struct metrics_count counts[METRICS_STATUS_MAX];
	size_t ncounts;
};

struct table {
	struct samples samples;
	char node[NODE_SIZE];
	struct row *rows;	/* one a route, and one for what met none */
	size_t nrows;
};

/* "/users/{username}" of a GET: GET_v1_users_username. */
static const char *
label_of(struct exchange *x, const struct route *route)
{
	char *label = arena_printf(x->arena, "%s%s%s",
	    http_method_name(route->method), api_onprem.prefix,
	    route->pattern), *to = label;

	for (const char *at = label; *at != '\0'; at++)
		if (*at != '{' && *at != '}')
			*to++ = *at == '/' ? '_' : *at;
	*to = '\0';
	return label;
}

static void
collect(struct table *t, struct exchange *x)
{
	t->nrows = api_onprem.nroutes + 1;
	t->rows = arena_alloc(x->arena, t->nrows * sizeof(*t->rows));
	for (size_t i = 0; i < t->nrows; i++) {
		t->rows[i].method = i < api_onprem.nroutes ?
		    label_of(x, &api_onprem.routes[i]) : NULL;
		t->rows[i].ncounts = http_route_counts(x, &api_onprem, i,
		    t->rows[i].counts);
	}
	if (gethostname(t->node, sizeof(t->node)) < 0)
		memcpy(t->node, "localhost", sizeof("localhost"));
	t->node[sizeof(t->node) - 1] = '\0';
}

static void
add_one(struct table *t, const char *name, const char *type, const char *help,
    uint64_t value)
{
	const struct sample_label label = { "node", t->node };

	samples_metric(&t->samples, name, type, help);
	samples_add(&t->samples, &label, 1, value);
}

static uint64_t
count_all(const struct table *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->nrows; i++)
		for (size_t k = 0; k < t->rows[i].ncounts; k++)
			n += t->rows[i].counts[k].count;
	return n;
}

static void
add_by_route(struct table *t, const char *name, const char *help, bool is_sum)
{
	char result[RESULT_SIZE];
	struct sample_label labels[] = { { "method", NULL },
	    { "node", t->node }, { "result", result } };

	samples_metric(&t->samples, name, "counter", help);
	for (size_t i = 0; i < t->nrows; i++) {
		const struct row *row = &t->rows[i];

		labels[0].value = row->method;
		for (size_t k = 0; row->method != NULL && k < row->ncounts;
		    k++) {
			snprintf(result, sizeof(result), "%u",
			    row->counts[k].status);
			samples_add(&t->samples, labels, 3, is_sum ?
			    row->counts[k].sum_us / 1000 :
			    row->counts[k].count);
		}
	}
}

int
metrics_get(struct exchange *x, struct fault *fault)
{
	struct table t;
	unsigned busy, idle;

	if (samples_begin(&t.samples, x, "metrics", NULL, fault) < 0)
		return -1;
	collect(&t, x);
	metrics_workers(x->metrics, &busy, &idle);
	add_one(&t, "web_uptime", "gauge", "Seconds since the start",
	    (uint64_t)(clock_mono_us() - x->up_since_us) / CLOCK_SECOND_US);
	add_one(&t, "web_idle_processes", "gauge", "Workers without a request",
	    idle);
	add_one(&t, "web_total_processes", "gauge", "Workers",
	    (uint64_t)busy + idle);
	add_one(&t, "web_handled_requests", "counter", "Requests answered",
	    count_all(&t));
	add_by_route(&t, "api_requests_duration_ms_count",
	    "Requests answered", false);
	add_by_route(&t, "api_requests_duration_ms_sum",
	    "Milliseconds that it took to answer them", true);
	return samples_end(&t.samples);
}
