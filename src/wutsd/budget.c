/* SPDX-License-Identifier: MIT */
/* A place among the database connections, for a worker without a master to
   count it: mod_fcgid and spawn-fcgi -F start several, and none knows of the
   others. A place is a lock on one byte of run_dir/connections, which ends with
   the process however it ends. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/settings.h"

#include "wutsd_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* One that has just been told to end gives its place up soon. */
#define TRIES 20
#define PAUSE_MS 100

/* 1: taken; 0: all are; -1. */
static int
take_any(int fd, unsigned places)
{
	for (unsigned i = 0; i < places; i++) {
		struct flock lock = { .l_type = F_WRLCK,
		    .l_whence = SEEK_SET, .l_start = (off_t)i, .l_len = 1 };

		if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
			return 1;
		if (errno != EAGAIN && errno != EACCES)
			return -1;
	}
	return 0;
}

int
budget_take(const struct settings *settings, struct fault *fault)
{
	unsigned places = settings_workers_max(settings);
	char path[PATH_MAX];
	int fd, ret = 0;

	if (settings->database_connections == 0)
		return 0;
	if (snprintf(path, sizeof(path), "%s/connections",
	    settings->run_dir) >= (int)sizeof(path))
		return fault_set(fault, FAULT_CONFIG, "run_dir is too long");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fault_errno(fault, FAULT_IO, "%s", path);
	for (int i = 0; i < TRIES && ret == 0; i++) {
		if (i > 0)
			(void)poll(NULL, 0, PAUSE_MS);
		ret = take_any(fd, places);
	}
	if (ret == 1)
		return 0;	/* fd stays open: it is the place */
	if (ret < 0)
		(void)fault_errno(fault, FAULT_IO, "lock %s", path);
	else
		(void)fault_set(fault, FAULT_CONFIG, "database_connections ="
		    " %u has room for %u workers, and they are there: have"
		    " fewer started (FcgidMaxProcessesPerClass, spawn-fcgi"
		    " -F), or raise it", settings->database_connections,
		    places);
	close(fd);
	return -1;
}
