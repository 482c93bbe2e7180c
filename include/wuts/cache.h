/* SPDX-License-Identifier: MIT */
/* A fixed-size cache in one process's memory: fixed keys, fixed values, no
   allocation after new. A full bucket forgets its oldest entry. An entry is
   believed while the generation it was read under is the present one and it
   is younger than the ttl (design §6). */
#ifndef WUTS_CACHE_H
#define WUTS_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache;

/* slots is rounded up to a power of two. */
struct cache *cache_new(size_t slots, size_t key_len, size_t value_len);
void cache_free(struct cache **cachep);

/* The value under key, not older than ttl_us, or NULL; valid until the next
   put. *generation_r is what it was put with: the caller compares. */
const void *cache_find(const struct cache *cache, const void *key,
    int64_t now_us, int64_t ttl_us, uint64_t *generation_r);

/* generation must have been read before the value was read. */
void cache_put(struct cache *cache, const void *key, const void *value,
    uint64_t generation, int64_t now_us);

#endif
