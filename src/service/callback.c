/* SPDX-License-Identifier: MIT */
/* The On-Premises webhook of a tenant as far as workers have to do with it:
   whether events are queued for it and in which form, and how it fares. */
#include "config.h"

#include "wuts/callback_service.h"

#include "service_private.h"
#include "wuts/arena.h"
#include "wuts/onprem.h"
#include "wuts/onprem_store.h"

/* Without a URL events wait for one, or, when they need not be kept, are not
   kept. */
static bool
is_fed(const struct onprem_settings *settings)
{
	return settings->webhook_url[0] != '\0' || settings->callback_persist;
}

static int
read_settings(struct service *service, const struct uuid *tenant_id,
    struct known_callback *known_r, struct fault *fault)
{
	struct arena *arena = arena_new();
	struct onprem onprem;
	int found = onprem_store_find(service->db, arena, tenant_id, &onprem,
	    fault);

	arena_free(&arena);
	*known_r = (struct known_callback){ .tenant_id = *tenant_id };
	if (found <= 0)
		return found;
	known_r->is_fed = is_fed(&onprem.settings);
	known_r->sent = onprem.settings.webhook_sent;
	known_r->delivered = onprem.settings.webhook_delivered;
	known_r->read = onprem.settings.webhook_read;
	known_r->without_pricing = onprem.settings.without_pricing;
	known_r->identity = onprem.settings.show_security_notifications;
	return 1;
}

int
callback_settings_find(struct service *service,
    const struct uuid *tenant_id, struct onprem_settings *settings_r,
    struct fault *fault)
{
	const struct known_callback *known;
	struct known_callback read;
	struct memory_read reading;

	known = memory_find(service, &service->callbacks, tenant_id,
	    tenant_id, NULL, &reading);
	if (known == NULL) {
		if (read_settings(service, tenant_id, &read, fault) < 0)
			return -1;
		memory_put(service, &service->callbacks, tenant_id, &read,
		    &reading);
		known = &read;
	}
	*settings_r = (struct onprem_settings){
		.webhook_sent = known->sent,
		.webhook_delivered = known->delivered,
		.webhook_read = known->read,
		.without_pricing = known->without_pricing,
		.show_security_notifications = known->identity,
	};
	return known->is_fed;
}

size_t
callback_service_counts(const struct service *service,
    const struct uuid *tenant_id, struct callback_count *counts_r,
    size_t max)
{
	return callback_counts_read(service->callback_counts, tenant_id,
	    counts_r, max);
}
