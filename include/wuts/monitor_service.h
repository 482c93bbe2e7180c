/* SPDX-License-Identifier: MIT */
/* What an installation's monitoring asks, by the On-Premises dialect. */
#ifndef WUTS_MONITOR_SERVICE_H
#define WUTS_MONITOR_SERVICE_H

#include <stdint.h>

struct fault;
struct service;
struct uuid;

enum monitor_gateway {
	MONITOR_CONNECTED,
	MONITOR_CONNECTING,
	MONITOR_DISCONNECTED,
	MONITOR_UNINITIALIZED,	/* the schema is missing or another one */
	MONITOR_UNREGISTERED	/* no engine is configured */
};

/* 0; -1: FAULT_DATABASE: it does not answer. */
int monitor_service_gateway(struct service *service,
    enum monitor_gateway *gateway_r, struct fault *fault);

/* Callbacks of the tenant that wait or are under way. Cheap. */
uint64_t monitor_service_callbacks(struct service *service,
    const struct uuid *tenant_id);

struct monitor_database {
	char server[64];	/* as it calls itself */
	unsigned schema;
};
int monitor_service_database(struct service *service,
    struct monitor_database *database_r, struct fault *fault);

#endif
