/* SPDX-License-Identifier: MIT */
/* A mapped hash table with linear probing. A slot is taken by writing its hash,
   filled, and shown by its mark; whoever else has the same hash counts in it
   meanwhile. */
#include "config.h"

#include "wuts/callback_counts.h"

#include "base_private.h"
#include "wuts/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 16384
#define PROBES 64

struct slot {
	_Atomic uint64_t hash;		/* 0: free */
	_Atomic uint64_t count;
	_Atomic uint64_t sum_us;
	struct uuid tenant_id;
	uint32_t type;
	int32_t result;
	_Atomic uint32_t is_shown;
	uint32_t spare;
};

_Static_assert(sizeof(struct slot) == 56, "the layout of " CALLBACK_COUNTS_FILE);

struct callback_counts {
	struct slot *slots;
};

int
callback_counts_open(struct callback_counts **counts_r, const char *path,
    struct fault *fault)
{
	struct callback_counts *counts = mem_calloc(1, sizeof(*counts));

	*counts_r = NULL;
	counts->slots = mapping_open(path, SLOTS * sizeof(struct slot),
	    fault);
	if (counts->slots == NULL) {
		free(counts);
		return -1;
	}
	*counts_r = counts;
	return 0;
}

void
callback_counts_close(struct callback_counts **countsp)
{
	if (*countsp == NULL)
		return;
	mapping_close((*countsp)->slots, SLOTS * sizeof(struct slot));
	free(*countsp);
	*countsp = NULL;
}

static uint64_t
hash_of(const struct uuid *tenant_id, unsigned type, int result)
{
	struct {
		struct uuid tenant_id;
		uint32_t type;
		int32_t result;
	} key = { *tenant_id, type, result };
	uint64_t hash = hash_bytes(&key, sizeof(key));

	return hash != 0 ? hash : 1;
}

/* NULL: full. */
static struct slot *
take(struct callback_counts *counts, const struct uuid *tenant_id,
    unsigned type, int result)
{
	uint64_t hash = hash_of(tenant_id, type, result);

	for (uint64_t i = 0; i < PROBES; i++) {
		struct slot *slot = &counts->slots[(hash + i) % SLOTS];
		uint64_t seen = 0;

		if (atomic_compare_exchange_strong(&slot->hash, &seen,
		    hash)) {
			slot->tenant_id = *tenant_id;
			slot->type = type;
			slot->result = result;
			atomic_store(&slot->is_shown, 1);
			return slot;
		}
		if (seen == hash)
			return slot;
	}
	return NULL;
}

void
callback_counts_add(struct callback_counts *counts,
    const struct uuid *tenant_id, unsigned type, int result,
    int64_t duration_us)
{
	struct slot *slot = take(counts, tenant_id, type, result);

	if (slot == NULL)
		return;
	atomic_fetch_add(&slot->count, 1);
	atomic_fetch_add(&slot->sum_us,
	    duration_us > 0 ? (uint64_t)duration_us : 0);
}

size_t
callback_counts_read(const struct callback_counts *counts,
    const struct uuid *tenant_id, struct callback_count *counts_r,
    size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < SLOTS && n < max; i++) {
		struct slot *slot = &counts->slots[i];

		if (atomic_load(&slot->is_shown) == 0 ||
		    !uuid_is_equal(&slot->tenant_id, tenant_id))
			continue;
		counts_r[n++] = (struct callback_count){
			.type = slot->type,
			.result = slot->result,
			.count = atomic_load(&slot->count),
			.sum_us = atomic_load(&slot->sum_us),
		};
	}
	return n;
}
