/* SPDX-License-Identifier: MIT */
/* What the files of the scheduler share: scheduler.c, whose turn it is
   (scheduler_turn.c), what waits on time (scheduler_time.c), ordered endpoints
   (scheduler_order.c), and what is told of it (scheduler_survey.c). */
#ifndef WUTS_SCHEDULER_PRIVATE_H
#define WUTS_SCHEDULER_PRIVATE_H

#include "breaker.h"
#include "pending.h"
#include "scheduler.h"

#include "wuts/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHEDULER_NONE UINT32_MAX

/* Which one, in a timer without attempts. */
enum alarm {
	ALARM_RATE,
	ALARM_BREAKER
};

struct lane {
	struct pending_fifo fresh;	/* not tried yet */
	struct pending_heap by_age;	/* the same when ordered */
	struct pending_fifo retries;	/* due */
	uint32_t ring_prev, ring_next;
	uint32_t ticket;		/* its place in the ring */
	uint32_t in_flight;
	uint32_t sleeping;		/* retries not due yet */
	uint32_t alarms;		/* of the breaker, not gone off */
	struct scheduler_limits limits;
	struct breaker breaker;
	int64_t allowed_us;		/* next start, evenly spaced */
	int64_t ready_us;		/* since when it is in the ring */
	int64_t newest_us;		/* created_us of all read */
	int64_t settled_us;		/* of those read before last_round */
	uint32_t last_round;
	bool used, open, in_ring, throttled, retry_turn, unsettled, trusted;
};

struct ring {
	uint32_t first;		/* whose turn it is */
	uint32_t count;
	/* Nobody in it may have a slot until one gets free. */
	bool blocked;
};

struct scheduler {
	struct lane *lanes;
	uint32_t nlanes, cap;
	uint32_t *free;			/* numbers to use again */
	uint32_t nfree, free_cap;
	struct ring rings[2];		/* by lane.trusted */
	uint32_t next_ticket;
	uint32_t *unsettled;		/* ordered, waiting for a scan */
	uint32_t nunsettled, unsettled_cap;
	struct pending_timers timers;
	size_t throttled;
	unsigned in_flight, max_in_flight;
	unsigned untrusted_in_flight;
	uint32_t round;			/* scans that have ended */
	int64_t now_us;			/* as told last */
};

static inline struct lane *
scheduler_lane(const struct scheduler *s, uint32_t endpoint)
{
	wuts_assert(endpoint < s->nlanes && s->lanes[endpoint].used);
	return &s->lanes[endpoint];
}

/* --- scheduler_turn.c --- */

/* An endpoint may start, or not any more: after everything that changes the
   answer. */
void scheduler_settle(struct scheduler *s, uint32_t endpoint);
void scheduler_ring_remove(struct scheduler *s, uint32_t endpoint);

/* --- scheduler_time.c --- */

void scheduler_sleep(struct scheduler *s, uint32_t endpoint,
    struct pending item, int64_t due_us);
void scheduler_set_alarm(struct scheduler *s, uint32_t endpoint,
    enum alarm alarm, int64_t due_us);
/* What is due by now. */
void scheduler_run_timers(struct scheduler *s, int64_t now_us);
/* Is its rate what holds it up? */
bool scheduler_lane_is_throttled(const struct lane *lane, int64_t now_us);
/* Out of the ring until its rate lets it start again. */
void scheduler_throttle(struct scheduler *s, uint32_t endpoint);

/* --- scheduler_order.c --- */

bool scheduler_may_start_ordered(struct scheduler *s, uint32_t endpoint);
/* A record of that age was read. */
void scheduler_note_round(const struct scheduler *s, struct lane *lane,
    int64_t created_us);

#endif
