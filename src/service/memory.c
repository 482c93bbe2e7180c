/* SPDX-License-Identifier: MIT */
/* Rows in this process's memory (design §6). A row is believed while its
   generation is the one that was read BEFORE the row was: a change that commits
   in between moves it on, and the copy is never believed. It is the sum of its
   tenant's counter and, for what is told of one user, of that user's: as each
   only rises, the sum is the same only while both are. Only what exists is
   remembered, never an absence. */
#include "config.h"

#include "service_private.h"

#include "wuts/cache.h"
#include "wuts/clock.h"
#include "wuts/generations.h"
#include "wuts/settings.h"

#include <string.h>

#define MEMORY_SLOTS 8192
#define MEMORY_ANY_AGE_US ((int64_t)365 * 86400 * CLOCK_SECOND_US)

static const struct uuid *
uuid_at(const void *value, size_t offset)
{
	return (const struct uuid *)(const void *)((const char *)value +
	    offset);
}

static const struct uuid *
tenant_of(const struct memory *memory, const void *value)
{
	return uuid_at(value, memory->tenant_offset);
}

/* NULL: it is told of no single user. */
static const struct uuid *
user_of(const struct memory *memory, const void *value)
{
	return memory->user_offset == MEMORY_NO_USER ? NULL :
	    uuid_at(value, memory->user_offset);
}

static uint64_t
generation_of(const struct service *service, const struct uuid *tenant_id,
    const struct uuid *user_id)
{
	uint64_t generation = generations_get(service->generations, tenant_id);

	if (user_id != NULL)
		generation += generations_get(service->generations, user_id);
	return generation;
}

void
memory_init(struct memory *memory, size_t key_len, size_t value_len,
    size_t tenant_offset, size_t user_offset)
{
	memory->cache = cache_new(MEMORY_SLOTS, key_len, value_len);
	memory->tenant_offset = tenant_offset;
	memory->user_offset = user_offset;
}

void
memory_deinit(struct memory *memory)
{
	cache_free(&memory->cache);
}

const void *
memory_find(const struct service *service, const struct memory *memory,
    const void *key, const struct uuid *tenant_id, const struct uuid *user_id,
    struct memory_read *read_r)
{
	int64_t ttl_us = service->settings->identity_cache_ttl_ms * 1000;
	bool has_user = memory->user_offset != MEMORY_NO_USER;
	int64_t now_us = clock_mono_us();
	uint64_t generation = 0;
	const void *value;

	memset(read_r, 0, sizeof(*read_r));
	if (ttl_us <= 0)
		return NULL;
	value = cache_find(memory->cache, key, now_us, ttl_us, &generation);
	if (value != NULL && generation_of(service, tenant_of(memory, value),
	    user_of(memory, value)) == generation)
		return value;
	if (tenant_id == NULL || (has_user && user_id == NULL)) {
		/* A row never moves to another tenant or user, so even an
		   entry that is not believed any more says whose counters to
		   read. */
		value = cache_find(memory->cache, key, now_us,
		    MEMORY_ANY_AGE_US, &generation);
		if (value == NULL)
			return NULL;
		tenant_id = tenant_of(memory, value);
		user_id = user_of(memory, value);
	}
	read_r->tenant_id = *tenant_id;
	if (has_user)
		read_r->user_id = *user_id;
	read_r->generation = generation_of(service, tenant_id,
	    has_user ? user_id : NULL);
	return NULL;
}

void
memory_put(struct service *service, struct memory *memory, const void *key,
    const void *value, const struct memory_read *read)
{
	const struct uuid *tenant_id = tenant_of(memory, value);
	const struct uuid *user_id = user_of(memory, value);
	uint64_t generation = read->generation;

	if (service->settings->identity_cache_ttl_ms <= 0)
		return;
	/* The counters could not be read first, because the row had to tell
	   whose it is: remember the row with a value that is already past. It
	   is not believed, but the next look-up knows the counters. */
	if (!uuid_is_equal(tenant_id, &read->tenant_id) ||
	    (user_id != NULL && !uuid_is_equal(user_id, &read->user_id)))
		generation = generation_of(service, tenant_id, user_id) - 1;
	cache_put(memory->cache, key, value, generation, clock_mono_us());
}
