/* SPDX-License-Identifier: MIT */
/* Between the use cases on webhooks and the check of their input. */
#ifndef WUTS_WEBHOOK_PRIVATE_H
#define WUTS_WEBHOOK_PRIVATE_H

#include "service_private.h"
#include "wuts/webhook_service.h"

/* REFUSAL_VALIDATION with every problem, or REFUSAL_UNKNOWN_EVENT. */
int webhook_input_check(const struct service *service,
    const struct webhook_input *input, struct fault *fault);

/* The names as the JSON array that is stored. */
void webhook_write_events(struct strbuf *out, const char *const *events,
    size_t nevents);

#endif
