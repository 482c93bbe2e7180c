/* SPDX-License-Identifier: MIT */
/* The generation counters: one mapped file, atomic, no locks. */
#include "config.h"

#include "wuts/generations.h"

#include "wuts/mem.h"
#include "wuts/uuid.h"
#include "base_private.h"

#include <stdatomic.h>
#include <stdlib.h>

#define COUNTERS 4096

struct generations {
	_Atomic uint64_t *counters;
};

int
generations_open(struct generations **gens_r, const char *path,
    struct fault *fault)
{
	struct generations *gens = mem_calloc(1, sizeof(*gens));

	gens->counters = mapping_open(path, COUNTERS * sizeof(uint64_t),
	    fault);
	if (gens->counters == NULL) {
		generations_close(&gens);
		return -1;
	}
	*gens_r = gens;
	return 0;
}

void
generations_close(struct generations **gensp)
{
	if (*gensp == NULL)
		return;
	mapping_close((*gensp)->counters, COUNTERS * sizeof(uint64_t));
	free(*gensp);
	*gensp = NULL;
}

static _Atomic uint64_t *
counter_of(const struct generations *gens, const struct uuid *id)
{
	size_t place = id == NULL ? 0 :
	    hash_bytes(id->b, sizeof(id->b)) % COUNTERS;

	return &gens->counters[place];
}

uint64_t
generations_get(const struct generations *gens, const struct uuid *id)
{
	return atomic_load_explicit(counter_of(gens, id),
	    memory_order_acquire);
}

void
generations_bump(struct generations *gens, const struct uuid *id)
{
	atomic_fetch_add_explicit(counter_of(gens, id), 1,
	    memory_order_release);
}
