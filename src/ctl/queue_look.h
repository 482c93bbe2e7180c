/* SPDX-License-Identifier: MIT */
/* What the queue's commands share: which events are meant, how they are called
   and shown, and progress on long work. */
#ifndef WUTS_CTL_QUEUE_LOOK_H
#define WUTS_CTL_QUEUE_LOOK_H

#include "ctl_private.h"

#include "wuts/queue.h"
#include "wuts/uuid.h"

/* --tenant, --device, --event, --since, --state. */
struct queue_filter {
	struct uuid tenant_id;	/* nil: any, as below */
	struct uuid device_id;
	const char *event;	/* NULL: any */
	int64_t since_us;
	bool states[QUEUE_STATE_COUNT];
};

/* -1: FAULT_CONFIG, one of them is not understood. */
int queue_filter_parse(struct queue_filter *filter_r, const struct ctl *ctl,
    struct fault *fault);
bool queue_filter_wants(const struct queue_filter *filter,
    const struct queue_entry *entry);

/* The event that the command's first argument names. */
int queue_argument_id(const struct ctl *ctl, struct uuid *id_r,
    struct fault *fault);

const char *queue_state_name(enum queue_state state);

/* The members of an event in JSON, without its body. */
void write_queue_entry(struct json_writer *w,
    const struct queue_entry *entry);

/* How far a long look is, on the terminal, for a visitor. */
struct progress {
	int64_t begun_us;
	int64_t told_us;
};

void progress_begin(struct progress *progress);
void progress_tell(struct progress *progress, uint64_t done, uint64_t all);
void progress_end(struct progress *progress);

#endif
