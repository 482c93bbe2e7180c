/* SPDX-License-Identifier: MIT */
/* A gate: one byte of the file for each place behind it, then one for each in
   front of it, taken by open file description locks. A file system without
   such locks has the gate open for everybody. */
#include "config.h"

#include "wuts/gate.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A lock cannot be waited for on any of several bytes. */
#define LOOK_EVERY_MS 2

struct gate {
	int fd;
	unsigned places;
	unsigned waiting;
	unsigned inside;	/* our byte */
};

int
gate_open(struct gate **gate_r, const char *path, unsigned places,
    unsigned waiting, struct fault *fault)
{
	struct gate *gate;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);

	*gate_r = NULL;
	if (fd < 0)
		return fault_errno(fault, FAULT_IO, "open %s", path);
	gate = mem_calloc(1, sizeof(*gate));
	gate->fd = fd;
	gate->places = places;
	gate->waiting = waiting;
	*gate_r = gate;
	return 0;
}

void
gate_close(struct gate **gatep)
{
	if (*gatep == NULL)
		return;
	close((*gatep)->fd);
	free(*gatep);
	*gatep = NULL;
}

static bool
set_lock(const struct gate *gate, unsigned at, short type)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = at,
		.l_len = 1
	};

	return fcntl(gate->fd, F_OFD_SETLK, &lock) == 0 ||
	    (errno != EAGAIN && errno != EACCES);
}

/* Any of n bytes from the first on. */
static bool
take_any(const struct gate *gate, unsigned first, unsigned n,
    unsigned *taken_r)
{
	for (*taken_r = first; *taken_r < first + n; ++*taken_r)
		if (set_lock(gate, *taken_r, F_WRLCK))
			return true;
	return false;
}

/* The places from the first on. */
static bool
enter(struct gate *gate, unsigned first, unsigned wait_ms)
{
	unsigned n = gate->places - first, waiting;
	int64_t until_us = clock_mono_us() + (int64_t)wait_ms * 1000;
	bool is_in;

	if (take_any(gate, first, n, &gate->inside))
		return true;
	if (!take_any(gate, gate->places, gate->waiting, &waiting))
		return false;
	do {
		(void)poll(NULL, 0, LOOK_EVERY_MS);
		is_in = take_any(gate, first, n, &gate->inside);
	} while (!is_in && clock_mono_us() < until_us);
	(void)set_lock(gate, waiting, F_UNLCK);
	return is_in;
}

bool
gate_enter(struct gate *gate, unsigned wait_ms)
{
	return enter(gate, 0, wait_ms);
}

bool
gate_enter_long(struct gate *gate, unsigned wait_ms)
{
	return enter(gate, gate->places / 2, wait_ms);
}

void
gate_leave(struct gate *gate)
{
	(void)set_lock(gate, gate->inside, F_UNLCK);
}
