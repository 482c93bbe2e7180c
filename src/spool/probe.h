/* SPDX-License-Identifier: MIT */
/* Whether the On-Premises engine is there: asked in a thread. */
#ifndef WUTS_SRC_SPOOL_PROBE_H
#define WUTS_SRC_SPOOL_PROBE_H

struct fault;
struct settings;

struct probe;

/* *probe_r NULL: the settings name none. They may go afterwards. */
int probe_new(struct probe **probe_r, const struct settings *settings,
    struct fault *fault);
void probe_free(struct probe **probep);

#endif
