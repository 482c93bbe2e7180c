/* SPDX-License-Identifier: MIT */
/* An arena: memory with one lifetime. A request, a delivery attempt or a
   command owns one; everything allocated in it ends with it, so handlers free
   nothing. Allocation never fails: out of memory ends the process. */
#ifndef WUTS_ARENA_H
#define WUTS_ARENA_H

#include <stddef.h>

struct arena;

/* A new, empty arena. Free it with arena_free(). */
struct arena *arena_new(void);

/* len bytes of zeroed memory aligned for any type; len may be 0. */
void *arena_alloc(struct arena *arena, size_t len);

/* A copy of len bytes, with a NUL behind them. */
void *arena_memdup(struct arena *arena, const void *data, size_t len);

/* A copy of a string. */
char *arena_strdup(struct arena *arena, const char *s);

/* Formatted text. */
char *arena_printf(struct arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Forget everything allocated, keep the first block for reuse. */
void arena_reset(struct arena *arena);

/* Free the arena and clear the caller's pointer; NULL is accepted. */
void arena_free(struct arena **arenap);

#endif
