/* SPDX-License-Identifier: MIT */
/* Use cases on devices (spec/wuts.md §4 "Devices"). */
#ifndef WUTS_DEVICE_SERVICE_H
#define WUTS_DEVICE_SERVICE_H

#include "wuts/device.h"

struct arena;
struct caller;
struct fault;
struct service;

/* A device of the calling user. -1: REFUSAL_VALIDATION, faults. */
int device_service_create(struct service *service, const struct caller *caller,
    const char *name, struct device *device_r, struct fault *fault);

/* The device the caller means: id, or when NULL its only one. Ownership: a
   user reaches its own, admin and manager those of the tenant, super and the
   engine any. -1: REFUSAL_DEVICE_NOT_FOUND; REFUSAL_VALIDATION naming
   device_id when the caller has several; FAULT_DATABASE. Believed from memory
   while the generation stands, except connected, jid and last_seen. */
int device_service_find(struct service *service, const struct caller *caller,
    const struct uuid *id, struct device *device_r, struct fault *fault);

/* The same, with connected, jid and last_seen as they are now. */
int device_service_look(struct service *service, const struct caller *caller,
    const struct uuid *id, struct device *device_r, struct fault *fault);

/* And the code for pairing that its engine has reported last, "" when there is
   none that can still be scanned. */
int device_service_look_for_code(struct service *service,
    const struct caller *caller, const struct uuid *id,
    struct device *device_r, struct device_code *code_r, struct fault *fault);

/* Devices in the order of creation; webhook_url is "" without a webhook. Paging
   as tenant_service_list(). The caller's own; those of everybody in the tenant
   when all_of_tenant, for admin and manager, and always for callers that have
   none of their own: a key and super (tenant_id). -1: REFUSAL_FORBIDDEN,
   REFUSAL_TENANT_NOT_FOUND, REFUSAL_VALIDATION for a bad cursor, row's,
   FAULT_DATABASE. */
typedef int device_listed(void *ctx, const struct device *device,
    const char *webhook_url, struct fault *fault);
struct device_query {
	struct uuid tenant_id;
	bool all_of_tenant;
	const char *cursor;
	unsigned limit;
};
int device_service_list(struct service *service, struct arena *arena,
    const struct caller *caller, const struct device_query *query,
    device_listed *row, void *ctx, const char **next_cursor_r,
    struct fault *fault);

/* Mark the device offline; it and its webhook go for good when purge. Emits
   device.disconnected (reason "requested", changed_by) when it was connected;
   with purge nobody is left to get that. A device that is offline already
   stays as it is. -1: REFUSAL_DEVICE_NOT_FOUND, faults. */
int device_service_disconnect(struct service *service,
    const struct caller *caller, const struct uuid *id, bool purge,
    struct fault *fault);

#endif
