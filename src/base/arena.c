/* SPDX-License-Identifier: MIT */
/* The arena: a chain of blocks, filled from the front of the newest. A reset
   keeps the first block, so that a worker which serves small requests never
   asks the allocator again. */
#include "config.h"

#include "wuts/arena.h"

#include "wuts/log.h"
#include "wuts/mem.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK_BYTES 16384

struct block {
	struct block *older;
	size_t size;
	size_t used;
	alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct block *newest;
};

static struct block *
block_new(size_t size, struct block *older)
{
	struct block *block;

	block = mem_realloc(NULL, 1, sizeof(*block) + size);
	block->older = older;
	block->size = size;
	block->used = 0;
	return block;
}

struct arena *
arena_new(void)
{
	struct arena *arena = mem_calloc(1, sizeof(*arena));

	arena->newest = block_new(FIRST_BLOCK_BYTES, NULL);
	return arena;
}

static void *
take(struct arena *arena, size_t len)
{
	struct block *block = arena->newest;
	size_t align = alignof(max_align_t);
	void *p;

	wuts_assert(len < SIZE_MAX / 2);
	len = (len + align - 1) / align * align;
	if (block->size - block->used < len) {
		size_t size = block->size * 2;

		if (size < len)
			size = len;
		block = arena->newest = block_new(size, block);
	}
	p = block->data + block->used;
	block->used += len;
	return p;
}

void *
arena_alloc(struct arena *arena, size_t len)
{
	return memset(take(arena, len), 0, len);
}

void *
arena_memdup(struct arena *arena, const void *data, size_t len)
{
	char *copy = take(arena, len + 1);

	if (len > 0)
		memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}

char *
arena_strdup(struct arena *arena, const char *s)
{
	return arena_memdup(arena, s, strlen(s));
}

char *
arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	wuts_assert(len >= 0);
	text = take(arena, (size_t)len + 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return text;
}

void
arena_reset(struct arena *arena)
{
	struct block *block;

	while ((block = arena->newest)->older != NULL) {
		arena->newest = block->older;
		free(block);
	}
	block->used = 0;
}

void
arena_free(struct arena **arenap)
{
	if (*arenap == NULL)
		return;
	arena_reset(*arenap);
	free((*arenap)->newest);
	free(*arenap);
	*arenap = NULL;
}
