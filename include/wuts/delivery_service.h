/* SPDX-License-Identifier: MIT */
/* Use cases on the delivery log (spec/wuts.md §4 "Webhooks"). */
#ifndef WUTS_DELIVERY_SERVICE_H
#define WUTS_DELIVERY_SERVICE_H

#include <stdint.h>

#include "wuts/delivery.h"
#include "wuts/webhook_service.h"

struct arena;
struct caller;
struct fault;
struct service;

struct delivery_query {
	struct webhook_scope scope;
	const enum delivery_state *state;	/* NULL: any */
	const char *event;			/* NULL: any */
	int64_t since_us;	/* events created then or later; 0: all */
	const char *cursor;	/* NULL: from the newest */
	unsigned limit;		/* 0: all */
};

/* The events of a webhook that were tried, newest first, as far as the log goes
   back (delivery_log_keep). Streams. *next_cursor_r in arena, NULL at the end.
   -1: REFUSAL_VALIDATION (cursor), FAULT_DATABASE. */
typedef int delivery_listed(void *ctx, const struct delivery_entry *entry,
    struct fault *fault);
int delivery_service_list(struct service *service, struct arena *arena,
    const struct delivery_query *query, delivery_listed *row, void *ctx,
    const char **next_cursor_r, struct fault *fault);

/* Ask for dead letters of a webhook to be delivered again, with the ids they
   have: the one of event_id, or (NULL) all of events created from since_us on.
   Done by the spooler, later. -1: REFUSAL_DELIVERY_NOT_FOUND (the event is not
   in the log, or not dead), FAULT_DATABASE. */
int delivery_service_replay(struct service *service,
    const struct caller *caller, const struct webhook_scope *scope,
    const struct uuid *event_id, int64_t since_us, struct replay *replay_r,
    struct fault *fault);
/* How far it is. -1: REFUSAL_DELIVERY_NOT_FOUND, FAULT_DATABASE. */
int delivery_service_get_replay(struct service *service,
    const struct webhook_scope *scope, const struct uuid *id,
    struct replay *replay_r, struct fault *fault);

#endif
