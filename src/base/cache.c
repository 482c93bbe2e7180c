/* SPDX-License-Identifier: MIT */
/* The cache: buckets of four entries in one block of memory. */
#include "config.h"

#include "wuts/cache.h"

#include "wuts/mem.h"
#include "base_private.h"

#include <stdlib.h>
#include <string.h>

#define BUCKET_ENTRIES 4

/* In front of each key and value. */
struct entry {
	int64_t put_us;		/* 0: empty */
	uint64_t generation;
};

struct cache {
	size_t nbuckets;	/* a power of two */
	size_t key_len;
	size_t value_len;
	size_t value_offset;
	size_t entry_size;
	unsigned char *entries;
};

static size_t
round_up(size_t n, size_t unit)
{
	return (n + unit - 1) / unit * unit;
}

struct cache *
cache_new(size_t slots, size_t key_len, size_t value_len)
{
	struct cache *cache = mem_calloc(1, sizeof(*cache));

	cache->nbuckets = 1;
	while (cache->nbuckets * BUCKET_ENTRIES < slots)
		cache->nbuckets *= 2;
	cache->key_len = key_len;
	cache->value_len = value_len;
	cache->value_offset = round_up(sizeof(struct entry) + key_len,
	    _Alignof(max_align_t));
	cache->entry_size = round_up(cache->value_offset + value_len,
	    _Alignof(max_align_t));
	cache->entries = mem_calloc(cache->nbuckets * BUCKET_ENTRIES,
	    cache->entry_size);
	return cache;
}

void
cache_free(struct cache **cachep)
{
	if (*cachep == NULL)
		return;
	free((*cachep)->entries);
	free(*cachep);
	*cachep = NULL;
}

static struct entry *
entry_at(const struct cache *cache, size_t bucket, size_t i)
{
	return (void *)(cache->entries +
	    (bucket * BUCKET_ENTRIES + i) * cache->entry_size);
}

static size_t
bucket_of(const struct cache *cache, const void *key)
{
	return hash_bytes(key, cache->key_len) & (cache->nbuckets - 1);
}

static bool
entry_has_key(const struct cache *cache, const struct entry *entry,
    const void *key)
{
	return entry->put_us != 0 &&
	    memcmp(entry + 1, key, cache->key_len) == 0;
}

const void *
cache_find(const struct cache *cache, const void *key, int64_t now_us,
    int64_t ttl_us, uint64_t *generation_r)
{
	size_t bucket = bucket_of(cache, key), i;
	const struct entry *entry;

	for (i = 0; i < BUCKET_ENTRIES; i++) {
		entry = entry_at(cache, bucket, i);
		if (!entry_has_key(cache, entry, key))
			continue;
		if (now_us - entry->put_us >= ttl_us)
			return NULL;
		*generation_r = entry->generation;
		return (const unsigned char *)entry + cache->value_offset;
	}
	return NULL;
}

void
cache_put(struct cache *cache, const void *key, const void *value,
    uint64_t generation, int64_t now_us)
{
	size_t bucket = bucket_of(cache, key), i;
	struct entry *entry, *chosen = entry_at(cache, bucket, 0);

	for (i = 0; i < BUCKET_ENTRIES; i++) {
		entry = entry_at(cache, bucket, i);
		if (entry_has_key(cache, entry, key)) {
			chosen = entry;
			break;
		}
		if (entry->put_us < chosen->put_us)
			chosen = entry;
	}
	chosen->put_us = now_us;
	chosen->generation = generation;
	memcpy(chosen + 1, key, cache->key_len);
	memcpy((unsigned char *)chosen + cache->value_offset, value,
	    cache->value_len);
}
