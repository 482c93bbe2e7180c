/* SPDX-License-Identifier: MIT */
/* What a service tells its manager, systemd: sd_notify(3)'s protocol. Without
   NOTIFY_SOCKET nobody asks, and nothing is said. */
#ifndef WUTS_NOTIFY_H
#define WUTS_NOTIFY_H

#include <stdint.h>

/* "READY=1", "RELOADING=1", "STOPPING=1". */
void notify_send(const char *state);

/* Where the manager wants a sign of life (WATCHDOG_USEC), one when it is due.
   To be called at least once a second from the loop whose going on is what is
   meant. */
void notify_alive(int64_t now_us);

#endif
