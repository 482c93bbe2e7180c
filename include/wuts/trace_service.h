/* SPDX-License-Identifier: MIT */
/* What the database knows of one request or event, whosever it is: for the
   operator, who follows it across tenants. */
#ifndef WUTS_TRACE_SERVICE_H
#define WUTS_TRACE_SERVICE_H

#include "wuts/audit_service.h"
#include "wuts/delivery.h"

/* The changes that this request made, oldest first, at most
   TRACE_CHANGES_MAX. Reads the whole trail. 0 / -1: FAULT_DATABASE. */
#define TRACE_CHANGES_MAX 1000
int trace_service_changes(struct service *service, const char *request_id,
    audit_listed *row, void *ctx, struct fault *fault);

/* The delivery log's entry of this event. 1: *entry_r, its strings in arena;
   0: none; -1: FAULT_DATABASE. */
int trace_service_delivery(struct service *service, struct arena *arena,
    const struct uuid *event_id, struct delivery_entry *entry_r,
    struct fault *fault);

#endif
