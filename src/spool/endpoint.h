/* SPDX-License-Identifier: MIT */
/* The table of endpoints. */
#ifndef WUTS_SRC_SPOOL_ENDPOINT_H
#define WUTS_SRC_SPOOL_ENDPOINT_H

#include "wuts/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct target;

struct endpoint {
	struct uuid tenant_id;
	struct uuid device_id;
	uint32_t number;	/* the scheduler's */
	uint32_t hash_next;
	bool known;		/* target counts; NULL: no webhook */
	bool unusable;		/* there is a row, but see the log */
	bool asking;		/* a look-up is under way */
	bool granted;		/* looked up for the very next attempt */
	uint64_t generation;	/* before the row was read */
	int64_t read_us;	/* monotonic, likewise */
	int64_t asked_us;	/* of the last look-up */
	int64_t failing_us;	/* wall: the first failure since the last
				   success; 0: none */
	unsigned failures;	/* in a row, seen by this process */
	bool disabling;		/* given up; the database is being told */
	struct target *target;
};

enum endpoint_state {
	ENDPOINT_FRESH,		/* use it */
	ENDPOINT_AGEING,	/* use it and look it up meanwhile */
	ENDPOINT_STALE		/* look it up first */
};

struct endpoints;

struct endpoints *endpoints_new(void);
void endpoints_free(struct endpoints **tablep);
size_t endpoints_count(const struct endpoints *table);
/* NULL: not there. */
struct endpoint *endpoints_find(const struct endpoints *table,
    const struct uuid *tenant_id, const struct uuid *device_id);
/* number must be free in the table. */
struct endpoint *endpoints_add(struct endpoints *table, uint32_t number,
    const struct uuid *tenant_id, const struct uuid *device_id);
void endpoints_remove(struct endpoints *table, struct endpoint *endpoint);
/* By number; NULL: none has it. Numbers are below endpoints_limit(). */
struct endpoint *endpoints_at(const struct endpoints *table, uint32_t number);
uint32_t endpoints_limit(const struct endpoints *table);

/* ttl_us 0: a look-up serves one attempt. */
enum endpoint_state endpoint_state(const struct endpoint *endpoint,
    uint64_t generation, int64_t mono_us, int64_t ttl_us);
/* Take over what a look-up found. True: other settings than before. */
bool endpoint_learn(struct endpoint *endpoint, struct target *target,
    uint64_t generation, int64_t read_us);

#endif
