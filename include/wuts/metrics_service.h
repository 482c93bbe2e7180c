/* SPDX-License-Identifier: MIT */
/* What GET /metrics tells: what the workers count, the accounts of the queue,
   and what wuts-spool says of itself. */
#ifndef WUTS_METRICS_SERVICE_H
#define WUTS_METRICS_SERVICE_H

#include <stdbool.h>

struct metrics;
struct service;
struct strbuf;

/* Is the client's address one of setting metrics_allow? */
bool metrics_service_may_read(const struct service *service,
    const char *address);

/* Append all of it, in the Prometheus text format. What cannot be read is left
   out, with an error in the log. Does not ask the database. */
void metrics_service_render(struct service *service,
    const struct metrics *metrics, struct strbuf *out);

#endif
