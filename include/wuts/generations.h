/* SPDX-License-Identifier: MIT */
/* The generation counters (design §6): one file of 4096 64-bit counters,
   mapped shared by workers, spooler and wutsctl. Whoever commits a change to a
   tenant bumps the tenant's counter after the commit, or, where nothing but the
   row of one user has changed, that user's; what was cached under an older
   value is no longer believed. No locks. Counters are shared by hash: a
   collision costs a look-up, never a stale answer. They only rise. */
#ifndef WUTS_GENERATIONS_H
#define WUTS_GENERATIONS_H

#include <stdint.h>

struct fault;
struct generations;
struct uuid;

/* Map the file, made when missing. -1: FAULT_IO. */
int generations_open(struct generations **gens_r, const char *path,
    struct fault *fault);
void generations_close(struct generations **gensp);

/* id: a tenant's or a user's. NULL: the counter of what belongs to no tenant
   (the role matrix). */
uint64_t generations_get(const struct generations *gens,
    const struct uuid *id);
void generations_bump(struct generations *gens, const struct uuid *id);

#endif
