/* SPDX-License-Identifier: MIT */
/* Heap memory that ends the process rather than fail. */
#include "config.h"

#include "wuts/mem.h"

#include "wuts/log.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void
out_of_memory(size_t count, size_t size)
{
	log_fatal("out of memory: %zu items of %zu bytes", count, size);
}

void *
mem_calloc(size_t count, size_t size)
{
	void *p;

	p = calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);
	if (p == NULL)
		out_of_memory(count, size);
	return p;
}

void *
mem_realloc(void *p, size_t count, size_t size)
{
	void *grown;

	if (size != 0 && count > SIZE_MAX / size)
		out_of_memory(count, size);
	/* realloc() to 0 bytes may free: never ask for it. */
	grown = realloc(p, count * size == 0 ? 1 : count * size);
	if (grown == NULL)
		out_of_memory(count, size);
	return grown;
}

char *
mem_strdup(const char *s)
{
	size_t size = strlen(s) + 1;

	return memcpy(mem_calloc(size, 1), s, size);
}
