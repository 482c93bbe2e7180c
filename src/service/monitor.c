/* SPDX-License-Identifier: MIT */
/* The state of the installation as the On-Premises dialect tells it. */
#include "config.h"

#include "wuts/monitor_service.h"

#include "service_private.h"
#include "wuts/clock.h"
#include "wuts/db.h"
#include "wuts/engine_probe.h"
#include "wuts/fault.h"
#include "wuts/queue.h"
#include "wuts/schema_store.h"
#include "wuts/settings.h"

#include <stdbool.h>

int
monitor_service_gateway(struct service *service,
    enum monitor_gateway *gateway_r, struct fault *fault)
{
	static const enum monitor_gateway gateways[] = {
		[ENGINE_ASKED] = MONITOR_CONNECTING,
		[ENGINE_CONNECTED] = MONITOR_CONNECTED,
		[ENGINE_DISCONNECTED] = MONITOR_DISCONNECTED
	};
	const struct settings *settings = service->settings;
	unsigned version;

	if (schema_store_version(service->db, &version, fault) < 0)
		return -1;
	if (version != SCHEMA_VERSION)
		*gateway_r = MONITOR_UNINITIALIZED;
	else if (settings->onprem_engine_url[0] == '\0')
		*gateway_r = MONITOR_UNREGISTERED;
	else
		*gateway_r = gateways[engine_probe_read(settings->run_dir,
		    clock_wall_us())];
	return 0;
}

uint64_t
monitor_service_callbacks(struct service *service,
    const struct uuid *tenant_id)
{
	return queue_writer_waiting(service->queue, tenant_id, true);
}

int
monitor_service_database(struct service *service,
    struct monitor_database *database_r, struct fault *fault)
{
	if (schema_store_version(service->db, &database_r->schema,
	    fault) < 0)
		return -1;
	return schema_store_server(service->db, database_r->server, fault);
}
