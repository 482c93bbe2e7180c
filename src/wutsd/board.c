/* SPDX-License-Identifier: MIT */
/* The board: anonymous shared memory with a slot for each worker, in which
   each says what it is doing, and the socket pair on which siblings pass
   connections to each other. No locks: every field has one writer, except the
   places of absent workers, which change hands by compare and swap. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/log.h"

#include "wutsd_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

static size_t
board_size(unsigned nslots)
{
	return sizeof(struct board) + nslots * sizeof(struct board_slot);
}

struct board *
board_new(unsigned nslots)
{
	struct board *board = mmap(NULL, board_size(nslots),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (board == MAP_FAILED)
		log_fatal("no memory for %u workers' slots", nslots);
	board->nslots = nslots;
	return board;
}

void
board_free(struct board **boardp)
{
	if (*boardp == NULL)
		return;
	munmap(*boardp, board_size((*boardp)->nslots));
	*boardp = NULL;
}

/* As many places as may be absent, each in the slot of that number: so never
   more, and what a killed worker held is found by its own number. */
bool
board_leave(struct board *board, unsigned slot, unsigned most)
{
	for (unsigned i = 0; i < most && i < board->nslots; i++) {
		unsigned nobody = 0;

		if (atomic_compare_exchange_strong(&board->slots[i].absent,
		    &nobody, slot + 1))
			return true;
	}
	return false;
}

void
board_return(struct board *board, unsigned slot)
{
	for (unsigned i = 0; i < board->nslots; i++) {
		unsigned holder = slot + 1;

		(void)atomic_compare_exchange_strong(&board->slots[i].absent,
		    &holder, 0);
	}
}

void
board_clear_slot(struct board *board, unsigned slot)
{
	struct board_slot *s = &board->slots[slot];

	atomic_store(&s->is_idle, false);
	atomic_store(&s->is_ready, false);
	atomic_store(&s->is_full, false);
	atomic_store(&s->busy_since_us, 0);
	atomic_store(&s->served, 0);
	board_return(board, slot);
	if (slot >= atomic_load(&board->used))
		atomic_store(&board->used, slot + 1);
}

unsigned
board_idle(const struct board *board, unsigned self)
{
	unsigned used = atomic_load(&board->used), idle = 0;

	for (unsigned i = 0; i < used; i++)
		if (i != self && atomic_load_explicit(
		    &board->slots[i].is_idle, memory_order_relaxed))
			idle++;
	return idle;
}

int
heritage_open_queue(struct heritage *heritage, struct fault *fault)
{
	int pair[2];

	/* SEQPACKET, not DGRAM: a connection a message, and bounded by the
	   buffer, where a datagram socket stops at ten messages. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0, pair) < 0)
		return fault_errno(fault, FAULT_IO, "socketpair");
	heritage->give_fd = pair[0];
	heritage->take_fd = pair[1];
	return 0;
}
