/* SPDX-License-Identifier: MIT */
/* What the delivery log says of an event (spec/wuts.md §4 "Webhooks"). */
#ifndef WUTS_DELIVERY_H
#define WUTS_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "wuts/event.h"
#include "wuts/uuid.h"

enum delivery_state {
	DELIVERY_PENDING,	/* tried, and will be again */
	DELIVERY_DELIVERED,
	DELIVERY_DEAD,		/* after its last attempt */
	DELIVERY_DROPPED,	/* tried, and then nobody wanted it any more */
	DELIVERY_STATE_COUNT
};

/* "pending", "delivered", "dead", "dropped". */
const char *delivery_state_name(enum delivery_state state);
bool delivery_state_parse(const char *name, enum delivery_state *state_r);

/* A row of the log. Strings live in the arena it was read with. */
struct delivery_entry {
	struct uuid id;			/* of the event */
	struct uuid tenant_id;
	struct uuid device_id;		/* nil: of the tenant's webhook */
	char event[EVENT_NAME_MAX + 1];
	enum delivery_state state;
	const char *attempts;		/* JSON: [{at, status, duration_ms,
					   error}] */
	const char *answer;		/* how the last one began that was no
					   success; NULL: it was, or none */
	int64_t next_attempt_us;	/* 0: none */
	int64_t created_us;		/* of the event */
	int64_t updated_us;
};

/* Dead letters that are to be delivered again. */
struct replay {
	struct uuid id;
	struct uuid tenant_id;
	struct uuid device_id;		/* nil: of the tenant's webhook */
	struct uuid event_id;		/* nil: all of events that were created
					   from since_us to until_us */
	int64_t since_us, until_us;
	bool done;
	uint64_t replayed;		/* events, so far */
	int64_t created_us;
	int64_t updated_us;
};

#endif
