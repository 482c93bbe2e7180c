/* SPDX-License-Identifier: MIT */
/* Use cases on devices (spec/wuts.md §4 "Devices"). */
#ifndef WUTS_DEVICE_SERVICE_H
#define WUTS_DEVICE_SERVICE_H

#include "wuts/device.h"

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

#endif
