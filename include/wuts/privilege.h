/* SPDX-License-Identifier: MIT */
/* Giving up root. */
#ifndef WUTS_PRIVILEGE_H
#define WUTS_PRIVILEGE_H

struct fault;
struct settings;

/* Started as root and settings name a user: become that user for good, with
   the named group or else the user's, and the user's supplementary groups.
   Otherwise nothing changes. Call before the first thread.
   -1: FAULT_CONFIG, the user or group is unknown or the kernel refuses; the
   process must not go on. */
int privilege_drop(const struct settings *settings, struct fault *fault);

/* Keep this process out of core dumps and away from ptrace by its own user: it
   holds secrets. Also again after privilege_drop(), which the kernel answers
   with its own default. Does nothing in a sanitizer build, whose leak checker
   needs ptrace. */
void privilege_hide_memory(void);

#endif
