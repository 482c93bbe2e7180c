/* SPDX-License-Identifier: MIT */
/* systemd's notification protocol: one datagram to the socket named in
   NOTIFY_SOCKET. That is all of it, so it needs no library. */
#include "config.h"

#include "wuts/notify.h"

#include "wuts/log.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void
notify_send(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len;
	int fd;

	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
	    strlen(path) >= sizeof(addr.sun_path))
		return;
	memcpy(addr.sun_path, path, strlen(path));
	if (path[0] == '@')
		addr.sun_path[0] = '\0';
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	    strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	    (const struct sockaddr *)&addr, len) < 0)
		log_warn("notify the service manager: %s", strerror(errno));
	close(fd);
}

/* What the manager asked for, looked up once; 0: no signs of life. Three in
   each interval, so that one that comes late does no harm. */
static int64_t
alive_every_us(void)
{
	static int64_t every_us = -1;
	const char *pid = getenv("WATCHDOG_PID");
	const char *interval = getenv("WATCHDOG_USEC");

	if (every_us >= 0)
		return every_us;
	every_us = 0;
	if (interval != NULL &&
	    (pid == NULL || strtol(pid, NULL, 10) == (long)getpid()))
		every_us = strtoll(interval, NULL, 10) / 3;
	return every_us;
}

void
notify_alive(int64_t now_us)
{
	static int64_t due_us;
	int64_t every_us = alive_every_us();

	if (every_us <= 0 || now_us < due_us)
		return;
	due_us = now_us + every_us;
	notify_send("WATCHDOG=1");
}
