/* SPDX-License-Identifier: MIT */
/* How a tenant's On-Premises webhook fares: for statistics. */
#ifndef WUTS_CALLBACK_SERVICE_H
#define WUTS_CALLBACK_SERVICE_H

#include <stddef.h>

#include "wuts/callback_counts.h"

struct service;
struct uuid;

/* Enough for every type and result that is seen. */
#define CALLBACK_COUNTS_MAX 512

/* What became of the requests made, by type (wuts/callback.h) and result; how
   many entries. The database is not asked. */
size_t callback_service_counts(const struct service *service,
    const struct uuid *tenant_id, struct callback_count *counts_r,
    size_t max);

#endif
