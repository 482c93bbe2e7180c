/* SPDX-License-Identifier: MIT */
/* The appends of several requests made one: a sync costs more than everything
   else that is done with an event, and one makes all of them durable that were
   accepted side by side. Each request keeps its own verdict: where all together
   are too much for the queue, each is tried alone. */
#include "config.h"

#include "wuts/event_service.h"

#include "service_private.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/queue.h"

#include <stdlib.h>
#include <string.h>

/* More text than this is not gathered: its sync is a small part of it. */
#define GATHER_BYTES ((size_t)256 << 10)
/* What one large batch grew is not kept for the life of the process. */
#define BODIES_KEPT ((size_t)1 << 20)

/* All bodies stand in one buffer, which moves while it grows: the records
   point into it when it is complete. */
static void
point_at_bodies(const struct event_group *group)
{
	const char *body = group->bodies.data;

	for (size_t i = 0; i < group->nrecords; i++) {
		group->records[i].body = body;
		body += group->records[i].body_len;
	}
}

struct queue_record *
event_group_room(struct service *service, size_t n)
{
	struct event_group *group = &service->events;

	if (group->nparts == EVENT_GROUP_MAX ||
	    group->nrecords + n > QUEUE_BATCH_MAX)
		event_service_flush(service);
	wuts_assert(n <= QUEUE_BATCH_MAX);
	if (group->nrecords + n > group->cap) {
		group->cap = group->nrecords + n;
		group->records = mem_realloc(group->records, group->cap,
		    sizeof(*group->records));
	}
	return group->records + group->nrecords;
}

void
event_group_add(struct service *service, size_t n,
    struct fault *verdict)
{
	struct event_group *group = &service->events;

	group->parts[group->nparts++] = (struct event_part){
		.nrecords = n,
		.verdict = verdict,
	};
	group->nrecords += n;
	if (group->bodies.len > GATHER_BYTES)
		event_service_flush(service);
}

static void
append_alone(struct service *service, const struct queue_record *records,
    const struct event_part *part)
{
	struct fault *fault = part->verdict;

	fault_clear(fault);
	if (part->nrecords > 0 && queue_append(service->queue, records,
	    part->nrecords, fault) < 0)
		fault_prefix(fault, "append events");
}

/* False: all together are more than the queue takes. */
static bool
append_together(struct service *service)
{
	struct event_group *group = &service->events;
	struct fault fault;

	fault_clear(&fault);
	if (group->nparts < 2 || group->nrecords == 0)
		return false;
	if (queue_append(service->queue, group->records, group->nrecords,
	    &fault) < 0) {
		if (fault.code == FAULT_QUEUE_FULL)
			return false;
		fault_prefix(&fault, "append events");
	}
	for (size_t i = 0; i < group->nparts; i++) {
		if (fault.code == FAULT_NONE)
			fault_clear(group->parts[i].verdict);
		else
			*group->parts[i].verdict = fault;
	}
	return true;
}

void
event_service_flush(struct service *service)
{
	struct event_group *group = &service->events;
	const struct queue_record *records = group->records;

	if (group->nparts == 0)
		return;
	point_at_bodies(group);
	if (!append_together(service))
		for (size_t i = 0; i < group->nparts; i++) {
			append_alone(service, records, &group->parts[i]);
			records += group->parts[i].nrecords;
		}
	group->nparts = group->nrecords = 0;
	strbuf_reset(&group->bodies);
	if (group->bodies.cap > BODIES_KEPT)
		strbuf_deinit(&group->bodies);
}

void
event_group_deinit(struct event_group *group)
{
	strbuf_deinit(&group->bodies);
	free(group->records);
	group->records = NULL;
}
