/* SPDX-License-Identifier: MIT */
/* Failed authentications per client address, or per whatever else is counted,
   in one mapped file that all workers share (spec/wuts.md §2): after limit
   failures in one window the address is refused until the window passes. No
   locks; a slot taken over by another address forgets, which errs on the side
   of letting in. */
#ifndef WUTS_ATTEMPTS_H
#define WUTS_ATTEMPTS_H

#include <stdint.h>

struct attempts;
struct fault;

/* -1: FAULT_IO. limit 0: never refuses. */
int attempts_open(struct attempts **attempts_r, const char *path,
    unsigned limit, unsigned window_s, struct fault *fault);
void attempts_close(struct attempts **attemptsp);

/* Seconds the address must wait, 0 when it may try. now_us: wall clock. */
unsigned attempts_wait_s(const struct attempts *attempts, const char *address,
    int64_t now_us);
void attempts_count_failure(struct attempts *attempts, const char *address,
    int64_t now_us);
/* Count one more of this name in the present window. Seconds to wait when that
   makes more than limit, else 0: a rate limit that its caller knows. */
unsigned attempts_take(struct attempts *attempts, const char *name,
    unsigned limit, int64_t now_us);
/* Its failures so far are forgotten. */
void attempts_forget(struct attempts *attempts, const char *address);

#endif
