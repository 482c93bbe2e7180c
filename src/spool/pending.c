/* SPDX-License-Identifier: MIT */
/* Containers for the records that wait: 16 bytes a record in a FIFO or heap,
   32 in the heap of times. A million may wait, so memory is given back as they
   shrink, and an endpoint with one record costs a small chunk only. */
#include "config.h"

#include "pending.h"

#include "wuts/mem.h"

#include <stdlib.h>

#define CHUNK_FIRST 4
#define CHUNK_MAX 254
#define HEAP_FIRST 16

struct pending_chunk {
	struct pending_chunk *next;
	uint32_t cap, first, end;
	struct pending items[];
};

_Static_assert(sizeof(struct pending) == 16, "a record in a FIFO");
_Static_assert(sizeof(struct pending_timer) == 32, "a record to be retried");

struct pending
pending_make(struct queue_pos pos, int64_t created_us, unsigned attempts)
{
	struct pending item = { .pos = pos };

	if (created_us > 0)
		item.created_us = (uint64_t)created_us &
		    ((UINT64_C(1) << 52) - 1);
	item.attempts = (attempts < PENDING_ATTEMPTS_MAX ? attempts :
	    PENDING_ATTEMPTS_MAX) & PENDING_ATTEMPTS_MAX;
	return item;
}

static struct pending_chunk *
chunk_new(uint32_t cap)
{
	struct pending_chunk *chunk;

	chunk = mem_calloc(1, sizeof(*chunk) + cap * sizeof(chunk->items[0]));
	chunk->cap = cap;
	return chunk;
}

void
pending_fifo_push(struct pending_fifo *fifo, struct pending item)
{
	struct pending_chunk *tail = fifo->tail;

	if (tail == NULL) {
		tail = fifo->head = fifo->tail = chunk_new(CHUNK_FIRST);
	} else if (tail->end == tail->cap) {
		uint32_t cap = tail->cap * 2;

		tail->next = chunk_new(cap < CHUNK_MAX ? cap : CHUNK_MAX);
		tail = fifo->tail = tail->next;
	}
	tail->items[tail->end++] = item;
	fifo->count++;
}

bool
pending_fifo_pop(struct pending_fifo *fifo, struct pending *item_r)
{
	struct pending_chunk *head = fifo->head;

	if (head == NULL)
		return false;
	*item_r = head->items[head->first++];
	fifo->count--;
	if (head->first == head->end) {
		fifo->head = head->next;
		if (fifo->head == NULL)
			fifo->tail = NULL;
		free(head);
	}
	return true;
}

const struct pending *
pending_fifo_first(const struct pending_fifo *fifo)
{
	return fifo->head == NULL ? NULL :
	    &fifo->head->items[fifo->head->first];
}

void
pending_fifo_clear(struct pending_fifo *fifo)
{
	struct pending item;

	while (pending_fifo_pop(fifo, &item))
		;
}

static bool
is_older(const struct pending *a, const struct pending *b)
{
	if (a->created_us != b->created_us)
		return a->created_us < b->created_us;
	if (a->pos.segment != b->pos.segment)
		return a->pos.segment < b->pos.segment;
	return a->pos.offset < b->pos.offset;
}

/* The capacity for count items, when it is now cap: double when full, half
   when three quarters are empty. */
static size_t
heap_capacity(size_t count, size_t cap)
{
	if (count > cap)
		return cap == 0 ? HEAP_FIRST : cap * 2;
	if (cap > HEAP_FIRST && count < cap / 4)
		return cap / 2;
	return cap;
}

static void
heap_resize(struct pending_heap *heap, size_t count)
{
	size_t cap = heap_capacity(count, heap->cap);

	if (cap != heap->cap) {
		heap->items = mem_realloc(heap->items, cap,
		    sizeof(heap->items[0]));
		heap->cap = cap;
	}
	heap->count = count;
}

void
pending_heap_push(struct pending_heap *heap, struct pending item)
{
	size_t i = heap->count;

	heap_resize(heap, heap->count + 1);
	for (; i > 0; i = (i - 1) / 2) {
		if (!is_older(&item, &heap->items[(i - 1) / 2]))
			break;
		heap->items[i] = heap->items[(i - 1) / 2];
	}
	heap->items[i] = item;
}

bool
pending_heap_pop(struct pending_heap *heap, struct pending *item_r)
{
	struct pending last;
	size_t i = 0, child, count;

	if (heap->count == 0)
		return false;
	*item_r = heap->items[0];
	count = heap->count - 1;
	last = heap->items[count];
	for (; (child = 2 * i + 1) < count; i = child) {
		if (child + 1 < count &&
		    is_older(&heap->items[child + 1], &heap->items[child]))
			child++;
		if (!is_older(&heap->items[child], &last))
			break;
		heap->items[i] = heap->items[child];
	}
	heap->items[i] = last;
	heap_resize(heap, count);
	return true;
}

void
pending_heap_clear(struct pending_heap *heap)
{
	free(heap->items);
	*heap = (struct pending_heap){ 0 };
}

static void
timers_resize(struct pending_timers *timers, size_t count)
{
	size_t cap = heap_capacity(count, timers->cap);

	if (cap != timers->cap) {
		timers->items = mem_realloc(timers->items, cap,
		    sizeof(timers->items[0]));
		timers->cap = cap;
	}
	timers->count = count;
}

void
pending_timers_push(struct pending_timers *timers, struct pending_timer timer)
{
	size_t i = timers->count;

	timers_resize(timers, timers->count + 1);
	for (; i > 0; i = (i - 1) / 2) {
		if (timer.due_us >= timers->items[(i - 1) / 2].due_us)
			break;
		timers->items[i] = timers->items[(i - 1) / 2];
	}
	timers->items[i] = timer;
}

bool
pending_timers_hurry(struct pending_timers *timers, struct queue_pos pos)
{
	struct pending_timer timer;
	size_t i;

	for (i = 0; i < timers->count; i++)
		if (timers->items[i].item.attempts > 0 &&
		    timers->items[i].item.pos.segment == pos.segment &&
		    timers->items[i].item.pos.offset == pos.offset)
			break;
	if (i == timers->count)
		return false;
	/* To the top: it is before any other time. */
	timer = timers->items[i];
	timer.due_us = 0;
	for (; i > 0; i = (i - 1) / 2)
		timers->items[i] = timers->items[(i - 1) / 2];
	timers->items[0] = timer;
	return true;
}

/* Put timer into the hole at i, of count, or below it. */
static void
timers_sift_down(struct pending_timer *items, size_t count, size_t i,
    struct pending_timer timer)
{
	size_t child;

	for (; (child = 2 * i + 1) < count; i = child) {
		if (child + 1 < count &&
		    items[child + 1].due_us < items[child].due_us)
			child++;
		if (items[child].due_us >= timer.due_us)
			break;
		items[i] = items[child];
	}
	items[i] = timer;
}

bool
pending_timers_pop(struct pending_timers *timers,
    struct pending_timer *timer_r)
{
	size_t count;

	if (timers->count == 0)
		return false;
	*timer_r = timers->items[0];
	count = timers->count - 1;
	timers_sift_down(timers->items, count, 0, timers->items[count]);
	timers_resize(timers, count);
	return true;
}

void
pending_timers_take(struct pending_timers *timers, uint32_t endpoint,
    void (*taken)(void *ctx, struct pending item), void *ctx)
{
	size_t count = 0;

	for (size_t i = 0; i < timers->count; i++) {
		const struct pending_timer *timer = &timers->items[i];

		if (timer->endpoint == endpoint && timer->item.attempts > 0)
			taken(ctx, timer->item);
		else
			timers->items[count++] = *timer;
	}
	for (size_t i = count / 2; i-- > 0; )
		timers_sift_down(timers->items, count, i, timers->items[i]);
	timers_resize(timers, count);
}

void
pending_timers_clear(struct pending_timers *timers)
{
	free(timers->items);
	*timers = (struct pending_timers){ 0 };
}
