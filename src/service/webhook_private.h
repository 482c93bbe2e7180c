/* SPDX-License-Identifier: MIT */
/* What the files of the use cases on webhooks share. */
#ifndef WUTS_WEBHOOK_PRIVATE_H
#define WUTS_WEBHOOK_PRIVATE_H

#include "service_private.h"
#include "wuts/webhook_service.h"

/* REFUSAL_VALIDATION with every problem, or REFUSAL_UNKNOWN_EVENT. */
int webhook_input_check(const struct service *service,
    const struct webhook_input *input, struct fault *fault);

/* webhook_scope.c: is the scope one of the caller's? REFUSAL_DEVICE_NOT_FOUND,
   REFUSAL_FORBIDDEN. */
int webhook_scope_check(const struct identity *caller,
    const struct webhook_scope *scope, struct fault *fault);
/* The first steps of a change: lock tenant, caller and device, and judge again
   by what they are now. */
int webhook_scope_enter(struct change *change,
    const struct webhook_scope *scope, struct fault *fault);

/* The names as the JSON array that is stored. */
void webhook_write_events(struct strbuf *out, const char *const *events,
    size_t nevents);

/* --- webhook_audit.c --- */

/* Scheme, host and port: behind them a URL often holds a credential. */
size_t webhook_origin_length(const char *url);
/* before or after is NULL where there is none. The target is what has the
   webhook: the device, or the tenant. */
int webhook_audit(struct change *change, const char *action,
    const struct webhook *before, const struct webhook *after,
    struct fault *fault);

#endif
