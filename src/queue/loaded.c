/* SPDX-License-Identifier: MIT */
/* What is remembered of a few records by their positions: of those that are
   loaded for an attempt whose they are and how large, so that their end need
   not read them again; and which ones the operator had dropped. 32 bytes each.
   A hash table with linear probing. */
#include "config.h"

#include "reader_private.h"

#include "wuts/mem.h"

#include <stdlib.h>

static size_t
place_of(const struct queue_loaded *loaded, struct queue_pos pos)
{
	uint64_t key = (uint64_t)pos.segment << 32 | pos.offset;

	key *= UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(key >> 32) & (loaded->cap - 1);
}

/* Its entry, or the free one where it would be. */
static struct queue_loaded_item *
find(const struct queue_loaded *loaded, struct queue_pos pos)
{
	size_t i = place_of(loaded, pos);

	while (loaded->items[i].bytes > 0 &&
	    (loaded->items[i].pos.segment != pos.segment ||
	    loaded->items[i].pos.offset != pos.offset))
		i = (i + 1) & (loaded->cap - 1);
	return &loaded->items[i];
}

static void
grow(struct queue_loaded *loaded)
{
	struct queue_loaded old = *loaded;

	loaded->cap = old.cap > 0 ? old.cap * 2 : 64;
	loaded->items = mem_calloc(loaded->cap, sizeof(*loaded->items));
	for (size_t i = 0; i < old.cap; i++)
		if (old.items[i].bytes > 0)
			*find(loaded, old.items[i].pos) = old.items[i];
	free(old.items);
}

bool
queue_loaded_has(const struct queue_loaded *loaded, struct queue_pos pos)
{
	return loaded->n > 0 && find(loaded, pos)->bytes > 0;
}

void
queue_loaded_note(struct queue_loaded *loaded, struct queue_pos pos,
    const struct uuid *account, uint32_t bytes)
{
	struct queue_loaded_item *item;

	if ((loaded->n + 1) * 2 > loaded->cap)
		grow(loaded);
	item = find(loaded, pos);
	if (item->bytes == 0)
		loaded->n++;
	*item = (struct queue_loaded_item){ pos, *account, bytes };
}

bool
queue_loaded_take(struct queue_loaded *loaded, struct queue_pos pos,
    struct queue_loaded_item *item_r)
{
	struct queue_loaded_item *item;
	size_t hole, i;

	if (loaded->n == 0)
		return false;
	item = find(loaded, pos);
	if (item->bytes == 0)
		return false;
	*item_r = *item;
	loaded->n--;
	/* Those behind that would no longer be found move up. */
	hole = i = (size_t)(item - loaded->items);
	for (;;) {
		size_t home;

		i = (i + 1) & (loaded->cap - 1);
		if (loaded->items[i].bytes == 0)
			break;
		home = place_of(loaded, loaded->items[i].pos);
		if (((i - home) & (loaded->cap - 1)) <
		    ((i - hole) & (loaded->cap - 1)))
			continue;
		loaded->items[hole] = loaded->items[i];
		hole = i;
	}
	loaded->items[hole].bytes = 0;
	return true;
}

void
queue_loaded_deinit(struct queue_loaded *loaded)
{
	free(loaded->items);
	*loaded = (struct queue_loaded){ NULL, 0, 0 };
}
