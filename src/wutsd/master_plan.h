/* SPDX-License-Identifier: MIT */
/* What the master should do now: a pure function of what has happened, without
   a process, a clock or a signal in it. Events go in, master_plan_next() says
   one thing to do after the other until there is nothing left. */
#ifndef WUTS_MASTER_PLAN_H
#define WUTS_MASTER_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum plan_state {
	PLAN_EMPTY,
	PLAN_STARTING,		/* forked, not serving yet */
	PLAN_SERVING,
	PLAN_RETIRING,		/* asked to end */
	PLAN_KILLED		/* made to end, not reaped yet */
};

struct plan_slot {
	enum plan_state state;
	bool is_full;		/* wants a successor */
	bool is_crash;		/* KILLED, and to count as one */
	unsigned generation;	/* of the configuration */
	int64_t since_us;	/* of this state */
	int64_t busy_since_us;	/* 0: in no request */
};

struct plan_limits {
	unsigned workers;
	unsigned alive_max;	/* also while they change over; 0: any */
	int64_t request_timeout_us;
	int64_t drain_timeout_us;
};

struct master_plan {
	struct plan_limits limits;
	unsigned generation;
	bool is_stopping;
	unsigned crashes;	/* in a row */
	int64_t last_crash_us;
	int64_t start_at_us;	/* no worker is started before */
	size_t nslots;
	struct plan_slot *slots;
};

enum plan_verb {
	PLAN_WAIT,		/* nothing now */
	PLAN_START,		/* fork a worker into slot */
	PLAN_RETIRE,		/* ask it to end */
	PLAN_KILL,
	PLAN_EXIT		/* stopping, and all are gone */
};

struct plan_action {
	enum plan_verb verb;
	size_t slot;
};

/* slots: nslots empty ones, at least 2 * workers + 1, owned by the caller. */
void master_plan_init(struct master_plan *plan, struct plan_slot *slots,
    size_t nslots, const struct plan_limits *limits);

/* Events. */
void master_plan_ready(struct master_plan *plan, size_t slot, int64_t now_us);
void master_plan_full(struct master_plan *plan, size_t slot);
void master_plan_busy(struct master_plan *plan, size_t slot,
    int64_t busy_since_us);
/* Also when the fork failed. True: it should not have ended. */
bool master_plan_exited(struct master_plan *plan, size_t slot, int64_t now_us);
void master_plan_reload(struct master_plan *plan,
    const struct plan_limits *limits);
void master_plan_stop(struct master_plan *plan);

/* The next thing to do; the plan takes it as done. */
struct plan_action master_plan_next(struct master_plan *plan, int64_t now_us);

/* When to ask again if nothing happens, or -1: at the next event. */
int64_t master_plan_wait_us(const struct master_plan *plan, int64_t now_us);

/* As many workers of this configuration serve as are wanted, and no others. */
bool master_plan_is_settled(const struct master_plan *plan);

#endif
