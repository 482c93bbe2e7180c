/* SPDX-License-Identifier: MIT */
/* Heap memory that does not fail: out of memory ends the process with one log
   line, and its master starts another. Bound every input before allocating. */
#ifndef WUTS_MEM_H
#define WUTS_MEM_H

#include <stddef.h>

/* Zeroed memory for count items of size bytes. Free with free(). */
void *mem_calloc(size_t count, size_t size);

/* Resize to count items of size bytes; the new part is not zeroed. */
void *mem_realloc(void *p, size_t count, size_t size);

/* A copy of s. Free with free(). */
char *mem_strdup(const char *s);

#endif
