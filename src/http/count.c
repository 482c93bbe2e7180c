/* SPDX-License-Identifier: MIT */
/* Which row of the shared counters belongs to which route: those of a dialect
   stand together, in the order of its table, with one behind them for what met
   no route. */
#include "config.h"

#include "wuts/http.h"

#include "wuts/log.h"
#include "wuts/mem.h"

#include "http_private.h"

#include <string.h>

static enum metrics_class
class_of(const struct dialect *dialect, const struct route *route)
{
	if (strcmp(dialect->name, "ops") == 0)
		return METRICS_OPS;
	if ((route->flags & ROUTE_INGEST) != 0)
		return METRICS_INGEST;
	if ((route->flags & ROUTE_RELAY) != 0)
		return METRICS_RELAY;
	return route->method == HTTP_GET ? METRICS_READ : METRICS_WRITE;
}

size_t
http_metrics_routes(const struct dialect *const *dialects, size_t ndialects,
    struct metrics_route **routes_r)
{
	struct metrics_route *rows;
	size_t n = 0;

	for (size_t d = 0; d < ndialects; d++)
		n += dialects[d]->nroutes + 1;
	rows = *routes_r = mem_calloc(n, sizeof(*rows));
	for (size_t d = 0; d < ndialects; d++) {
		const struct dialect *dialect = dialects[d];

		for (size_t i = 0; i < dialect->nroutes; i++)
			*rows++ = (struct metrics_route) {
				.dialect = dialect->name,
				.method = http_method_name(
				    dialect->routes[i].method),
				.pattern = dialect->routes[i].pattern,
				.class = class_of(dialect, &dialect->routes[i])
			};
		*rows++ = (struct metrics_route) { .dialect = dialect->name,
		    .method = "", .pattern = "", .class = METRICS_NO_ROUTE };
	}
	return n;
}

static size_t
first_row(const struct exchange *x, const struct dialect *dialect)
{
	size_t row = 0;

	for (size_t d = 0; d < x->ndialects; d++) {
		if (x->dialects[d] == dialect)
			return row;
		row += x->dialects[d]->nroutes + 1;
	}
	wuts_assert(false);	/* a dialect that is not served */
	return 0;
}

size_t
http_route_counts(const struct exchange *x, const struct dialect *dialect,
    size_t i, struct metrics_count counts_r[METRICS_STATUS_MAX])
{
	return metrics_route_counts(x->metrics, first_row(x, dialect) + i,
	    counts_r);
}

void
count_request(const struct exchange *x, int64_t duration_us)
{
	size_t i = x->route != NULL ? (size_t)(x->route - x->dialect->routes) :
	    x->dialect->nroutes;

	metrics_count_request(x->metrics, first_row(x, x->dialect) + i,
	    x->response.status, duration_us);
}
