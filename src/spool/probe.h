/* SPDX-License-Identifier: MIT */
/* Whether the On-Premises engine is there: asked in a thread. */
#ifndef WUTS_SRC_SPOOL_PROBE_H
#define WUTS_SRC_SPOOL_PROBE_H

#include <stdbool.h>

struct fault;
struct settings;

struct probe;

/* *probe_r NULL: the settings name none. They may go afterwards. once: ask a
   single time, and let the answer count until cron's next runs. */
int probe_new(struct probe **probe_r, const struct settings *settings,
    bool once, struct fault *fault);
/* Of one that asks once: until it has. NULL is done. */
void probe_wait(struct probe *probe);
void probe_free(struct probe **probep);

#endif
