/* SPDX-License-Identifier: MIT */
/* Containers for records that wait. */
#ifndef WUTS_SRC_SPOOL_PENDING_H
#define WUTS_SRC_SPOOL_PENDING_H

#include "wuts/queue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A pending record: all that is kept of it in memory. */
struct pending {
	struct queue_pos pos;
	uint64_t created_us : 52;	/* until the year 2112 */
	uint64_t attempts : 12;		/* made so far, as far as they are
					   counted here */
};
#define PENDING_ATTEMPTS_MAX 4095

struct pending pending_make(struct queue_pos pos, int64_t created_us,
    unsigned attempts);

/* First in, first out, in chunks that are freed as they empty. */
struct pending_chunk;
struct pending_fifo {
	struct pending_chunk *head, *tail;
	size_t count;
};
void pending_fifo_push(struct pending_fifo *fifo, struct pending item);
bool pending_fifo_pop(struct pending_fifo *fifo, struct pending *item_r);
/* The one that is next; NULL: none. */
const struct pending *pending_fifo_first(const struct pending_fifo *fifo);
void pending_fifo_clear(struct pending_fifo *fifo);

/* Oldest first; records of the same moment in the order of their segment. */
struct pending_heap {
	struct pending *items;
	size_t count, cap;
};
void pending_heap_push(struct pending_heap *heap, struct pending item);
bool pending_heap_pop(struct pending_heap *heap, struct pending *item_r);
void pending_heap_clear(struct pending_heap *heap);

/* What happens at a time: a retry of item, or (attempts 0) an alarm: its rate
   or its breaker lets an endpoint start again. */
struct pending_timer {
	int64_t due_us;
	uint32_t endpoint;
	struct pending item;
};
struct pending_timers {
	struct pending_timer *items;
	size_t count, cap;
};
void pending_timers_push(struct pending_timers *timers,
    struct pending_timer timer);
/* Let the retry of that record be due at once. False: there is none. */
bool pending_timers_hurry(struct pending_timers *timers,
    struct queue_pos pos);
bool pending_timers_pop(struct pending_timers *timers,
    struct pending_timer *timer_r);
/* Hand out all retries of an endpoint, in no order. As costly as there are
   timers. */
void pending_timers_take(struct pending_timers *timers, uint32_t endpoint,
    void (*taken)(void *ctx, struct pending item), void *ctx);
void pending_timers_clear(struct pending_timers *timers);

#endif
