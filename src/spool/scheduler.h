/* SPDX-License-Identifier: MIT */
/* Which record is tried next; pure. */
#ifndef WUTS_SRC_SPOOL_SCHEDULER_H
#define WUTS_SRC_SPOOL_SCHEDULER_H

#include "breaker.h"
#include "pending.h"

#include "wuts/queue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scheduler;

struct scheduler_limits {
	struct breaker_limits breaker;
	unsigned rate;		/* starts a second, 0: any */
	bool ordered;		/* one at a time, oldest first */
};

struct scheduler *scheduler_new(unsigned max_in_flight);
void scheduler_free(struct scheduler **sp);
void scheduler_set_max_in_flight(struct scheduler *s, unsigned max);

/* A new endpoint, held; its number is reused after remove. */
uint32_t scheduler_add(struct scheduler *s);
/* Only when it is idle. */
void scheduler_remove(struct scheduler *s, uint32_t endpoint);
/* Set the limits and let its records start. */
void scheduler_open(struct scheduler *s, uint32_t endpoint,
    const struct scheduler_limits *limits);
/* Start nothing of it; what is in flight goes on. */
void scheduler_hold(struct scheduler *s, uint32_t endpoint);
bool scheduler_is_held(const struct scheduler *s, uint32_t endpoint);
/* Nothing waits, nothing is in flight. */
bool scheduler_is_idle(const struct scheduler *s, uint32_t endpoint);

/* A record was read. due_us: of a record tried before. */
void scheduler_push(struct scheduler *s, uint32_t endpoint,
    struct pending item, int64_t due_us);
/* Let a record that waits for its next attempt be due at once. */
void scheduler_hurry(struct scheduler *s, struct queue_pos pos);
/* A scan of the queue has come to its end. Two of them make sure that no older
   record of an ordered endpoint is still unread in another writer's segment:
   scheduler_wants_scan() asks for the second. */
void scheduler_scanned(struct scheduler *s);
bool scheduler_wants_scan(const struct scheduler *s);

/* The endpoint whose turn it is; false: nothing may start now. Either take
   from it or hold it before asking again. */
bool scheduler_next(struct scheduler *s, int64_t now_us, uint32_t *endpoint_r);
/* Its next record, in flight from here until done or retry. */
struct pending scheduler_take(struct scheduler *s, uint32_t endpoint,
    int64_t now_us);
/* What an attempt told, before done or retry. The wake-up after a pause is the
   scheduler's own. */
enum breaker_change scheduler_report(struct scheduler *s, uint32_t endpoint,
    enum breaker_verdict verdict, int64_t now_us, uint64_t random);
/* The endpoint is another one now: forget what was told. */
void scheduler_forgive(struct scheduler *s, uint32_t endpoint);
/* Its records need not wait for their time. */
void scheduler_hurry_all(struct scheduler *s, uint32_t endpoint);
/* Take out a record of a held endpoint that was created before before_us, as
   far as one is first in line. False: none is. It is not in flight. */
bool scheduler_take_old(struct scheduler *s, uint32_t endpoint,
    int64_t before_us, struct pending *item_r);
void scheduler_done(struct scheduler *s, uint32_t endpoint);
void scheduler_retry(struct scheduler *s, uint32_t endpoint,
    struct pending item, int64_t due_us);

/* When scheduler_next() may find something that it does not find now, as far
   as time alone decides; INT64_MAX: never. */
int64_t scheduler_due(const struct scheduler *s);
/* Is it worth calling scheduler_next()? */
bool scheduler_is_ready(const struct scheduler *s);
/* Does something wait that time alone, not a retry, holds up (rate limits)? */
bool scheduler_is_throttled(const struct scheduler *s);
unsigned scheduler_in_flight(const struct scheduler *s);

/* How it stands, for whoever watches. */
struct scheduler_survey {
	size_t closed, half_open, open;	/* breakers of endpoints */
	int64_t oldest_us;	/* created_us of the oldest that waits; 0: none */
	int64_t lag_us;		/* of the turn that is the longest overdue */
};
/* Looks at every endpoint and every retry: scheduler_size() of them. */
size_t scheduler_size(const struct scheduler *s);
void scheduler_survey(const struct scheduler *s, int64_t now_us,
    struct scheduler_survey *survey_r);

#endif
