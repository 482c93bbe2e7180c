/* SPDX-License-Identifier: MIT */
/* At most so many processes at once behind a gate, and a few that wait in front
   of it. The places are locks on the bytes of a file, so what a killed process
   held is free at that moment. */
#ifndef WUTS_GATE_H
#define WUTS_GATE_H

#include <stdbool.h>

struct fault;
struct gate;

/* places >= 1; waiting may be 0. Each process opens its own. -1: FAULT_IO. */
int gate_open(struct gate **gate_r, const char *path, unsigned places,
    unsigned waiting, struct fault *fault);
void gate_close(struct gate **gatep);

/* Go in, or wait for it where there is room to wait, wait_ms at most. False:
   no. A process is inside once. */
bool gate_enter(struct gate *gate, unsigned wait_ms);
/* The same for what stays long: only half of the places, one at least. */
bool gate_enter_long(struct gate *gate, unsigned wait_ms);
void gate_leave(struct gate *gate);

#endif
