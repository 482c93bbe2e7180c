/* SPDX-License-Identifier: MIT */
/* The table of endpoints, found by tenant and device or by the scheduler's
   number, and the rule how long what is known of one may be believed (design
   §6). Knows neither database nor clock. */
#include "config.h"

#include "endpoint.h"

#include "target.h"

#include "wuts/crypto.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/uuid.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define BUCKETS_FIRST 64

struct endpoints {
	struct endpoint **by_number;
	uint32_t limit;
	uint32_t *buckets;	/* a power of two of chains, by number */
	uint32_t nbuckets;
	size_t count;
	uint32_t seed;
};

static uint32_t
hash(const struct endpoints *table, const struct uuid *tenant_id,
    const struct uuid *device_id)
{
	uint32_t crc = crypto_crc32c(table->seed, tenant_id,
	    sizeof(*tenant_id));

	return crypto_crc32c(crc, device_id, sizeof(*device_id));
}

static void
chain_add(struct endpoints *table, struct endpoint *endpoint)
{
	uint32_t *bucket = &table->buckets[hash(table, &endpoint->tenant_id,
	    &endpoint->device_id) & (table->nbuckets - 1)];

	endpoint->hash_next = *bucket;
	*bucket = endpoint->number;
}

static void
rehash(struct endpoints *table, uint32_t nbuckets)
{
	table->buckets = mem_realloc(table->buckets, nbuckets,
	    sizeof(table->buckets[0]));
	table->nbuckets = nbuckets;
	for (uint32_t i = 0; i < nbuckets; i++)
		table->buckets[i] = NONE;
	for (uint32_t i = 0; i < table->limit; i++)
		if (table->by_number[i] != NULL)
			chain_add(table, table->by_number[i]);
}

struct endpoints *
endpoints_new(void)
{
	struct endpoints *table = mem_calloc(1, sizeof(*table));

	crypto_random(&table->seed, sizeof(table->seed));
	rehash(table, BUCKETS_FIRST);
	return table;
}

void
endpoints_free(struct endpoints **tablep)
{
	struct endpoints *table = *tablep;

	*tablep = NULL;
	if (table == NULL)
		return;
	for (uint32_t i = 0; i < table->limit; i++) {
		if (table->by_number[i] == NULL)
			continue;
		target_unref(&table->by_number[i]->target);
		free(table->by_number[i]);
	}
	free(table->by_number);
	free(table->buckets);
	free(table);
}

size_t
endpoints_count(const struct endpoints *table)
{
	return table->count;
}

uint32_t
endpoints_limit(const struct endpoints *table)
{
	return table->limit;
}

struct endpoint *
endpoints_at(const struct endpoints *table, uint32_t number)
{
	return number < table->limit ? table->by_number[number] : NULL;
}

struct endpoint *
endpoints_find(const struct endpoints *table, const struct uuid *tenant_id,
    const struct uuid *device_id)
{
	uint32_t number = table->buckets[hash(table, tenant_id, device_id) &
	    (table->nbuckets - 1)];

	while (number != NONE) {
		struct endpoint *endpoint = table->by_number[number];

		if (uuid_is_equal(&endpoint->device_id, device_id) &&
		    uuid_is_equal(&endpoint->tenant_id, tenant_id))
			return endpoint;
		number = endpoint->hash_next;
	}
	return NULL;
}

static void
make_room(struct endpoints *table, uint32_t number)
{
	uint32_t limit = table->limit;

	if (number < limit)
		return;
	while (limit <= number)
		limit = limit * 2 + 16;
	table->by_number = mem_realloc(table->by_number, limit,
	    sizeof(struct endpoint *));
	for (uint32_t i = table->limit; i < limit; i++)
		table->by_number[i] = NULL;
	table->limit = limit;
}

struct endpoint *
endpoints_add(struct endpoints *table, uint32_t number,
    const struct uuid *tenant_id, const struct uuid *device_id)
{
	struct endpoint *endpoint = mem_calloc(1, sizeof(*endpoint));

	make_room(table, number);
	wuts_assert(table->by_number[number] == NULL);
	endpoint->tenant_id = *tenant_id;
	endpoint->device_id = *device_id;
	endpoint->number = number;
	table->by_number[number] = endpoint;
	table->count++;
	if (table->count > table->nbuckets)
		rehash(table, table->nbuckets * 2);
	else
		chain_add(table, endpoint);
	return endpoint;
}

void
endpoints_remove(struct endpoints *table, struct endpoint *endpoint)
{
	uint32_t *link = &table->buckets[hash(table, &endpoint->tenant_id,
	    &endpoint->device_id) & (table->nbuckets - 1)];

	while (*link != endpoint->number)
		link = &table->by_number[*link]->hash_next;
	*link = endpoint->hash_next;
	table->by_number[endpoint->number] = NULL;
	table->count--;
	target_unref(&endpoint->target);
	free(endpoint);
}

enum endpoint_state
endpoint_state(const struct endpoint *endpoint, uint64_t generation,
    int64_t mono_us, int64_t ttl_us)
{
	int64_t age_us = mono_us - endpoint->read_us;

	if (!endpoint->known || endpoint->generation != generation)
		return ENDPOINT_STALE;
	if (ttl_us == 0)
		return endpoint->granted ? ENDPOINT_FRESH : ENDPOINT_STALE;
	if (age_us >= ttl_us)
		return ENDPOINT_STALE;
	return age_us >= ttl_us / 2 ? ENDPOINT_AGEING : ENDPOINT_FRESH;
}

bool
endpoint_learn(struct endpoint *endpoint, struct target *target,
    uint64_t generation, int64_t read_us)
{
	bool changed = !endpoint->known ||
	    !target_is_same(endpoint->target, target);

	if (changed) {
		target_unref(&endpoint->target);
		endpoint->target = target;
	} else {
		target_unref(&target);
	}
	endpoint->known = true;
	endpoint->unusable = false;
	endpoint->granted = true;
	endpoint->generation = generation;
	endpoint->read_us = read_us;
	return changed;
}
