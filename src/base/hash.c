/* SPDX-License-Identifier: MIT */
/* The hash that spreads keys over tables. */
#include "config.h"

#include "base_private.h"

uint64_t
hash_bytes(const void *data, size_t len)
{
	const unsigned char *b = data;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; len > 0; len--)
		hash = (hash ^ *b++) * UINT64_C(0x100000001b3);
	/* FNV leaves its low bits poor; callers mask those. */
	return hash ^ hash >> 32;
}
