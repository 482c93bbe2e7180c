/* SPDX-License-Identifier: MIT */
/* Look-ups that no index serves, because only an operator ever asks: a request
   by a walk along the trail, an event tenant by tenant. */
#include "config.h"

#include "wuts/trace_service.h"

#include "service_private.h"
#include "wuts/audit_store.h"
#include "wuts/delivery_store.h"
#include "wuts/fault.h"

int
trace_service_changes(struct service *service, const char *request_id,
    audit_listed *row, void *ctx, struct fault *fault)
{
	if (audit_store_list_of_request(service->db, request_id,
	    TRACE_CHANGES_MAX, row, ctx, fault) < 0)
		return fault_prefix(fault, "changes of a request");
	return 0;
}

struct search {
	struct arena *arena;
	const struct uuid *event_id;
	struct delivery_entry *entry;
	int found;
};

static int
search_tenant(struct service *service, const struct uuid *tenant_id,
    void *ctx, struct fault *fault)
{
	struct search *search = ctx;

	if (search->found == 1)
		return 0;
	search->found = delivery_store_find(service->db, search->arena,
	    tenant_id, search->event_id, search->entry, fault);
	return search->found < 0 ? -1 : 0;
}

int
trace_service_delivery(struct service *service, struct arena *arena,
    const struct uuid *event_id, struct delivery_entry *entry_r,
    struct fault *fault)
{
	struct search search = {
		.arena = arena, .event_id = event_id, .entry = entry_r
	};

	if (tenant_visit_all(service, search_tenant, &search, fault) < 0)
		return fault_prefix(fault, "delivery of an event");
	return search.found;
}
