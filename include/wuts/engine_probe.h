/* SPDX-License-Identifier: MIT */
/* Is the On-Premises engine there? wuts-spool asks it, and says what came of it
   in a file of run_dir, where wutsd, which never asks anybody, reads it. */
#ifndef WUTS_ENGINE_PROBE_H
#define WUTS_ENGINE_PROBE_H

#include <stdbool.h>
#include <stdint.h>

struct fault;

/* Between two questions; an answer counts four times as long. Of runs from cron
   one may be missed. */
#define ENGINE_PROBE_EVERY_S 15
#define ENGINE_PROBE_COUNTS_S 60
#define ENGINE_PROBE_ONCE_COUNTS_S 150

enum engine_state {
	ENGINE_ASKED,		/* for the first time, no answer yet */
	ENGINE_CONNECTED,
	ENGINE_DISCONNECTED	/* it did not answer, or nobody asks it */
};

/* The answer counts for counts_s. 0 / -1: FAULT_IO. */
int engine_probe_say(const char *run_dir, bool is_connected, int64_t wall_us,
    unsigned counts_s, struct fault *fault);
enum engine_state engine_probe_read(const char *run_dir, int64_t wall_us);

#endif
