/* SPDX-License-Identifier: MIT */
/* Where a worker serves requests, one after the other. Only an answer that
   waits for a sync keeps its seat meanwhile: what came in one round is made
   durable by one sync and answered together. libfcgi reads requests from a
   descriptor it is given and never accepts or closes one itself. */
#include "config.h"

#include "wuts/clock.h"
#include "wuts/event_service.h"
#include "wuts/http.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/metrics.h"

#include "wutsd_private.h"

#include <fcgiapp.h>

#include <stdlib.h>

struct seat {
	struct exchange exchange;
	FCGX_Request fcgi;
	int fd;
};

struct seats {
	const struct heritage *heritage;
	struct board_slot *slot;
	struct conns *conns;
	struct service *service;
	struct metrics *metrics;
	void (*served)(void *ctx);
	void *ctx;
	struct exchange_round round;
	int serving_fd;
	unsigned nheld;
	struct seat seats[EVENT_GROUP_MAX];	/* the first nheld are held */
};

static void
set_busy(struct seats *s, bool is_busy)
{
	atomic_store(&s->slot->busy_since_us,
	    is_busy ? clock_mono_us() : 0);
	metrics_worker_busy(s->metrics, is_busy);
}

/* The answer is out. */
static void
leave_seat(struct seats *s, struct seat *seat)
{
	FCGX_Request *fcgi = &seat->fcgi;

	fcgi->ipcFd = -1;
	FCGX_Free(fcgi, 0);
	if (fcgi->keepConnection != 0)
		conns_keep(s->conns, seat->fd, CONNS_KEPT);
	else
		conns_close(s->conns, seat->fd);
	s->served(s->ctx);
}

/* What is held is judged and answered. */
static void
settle(void *ctx)
{
	struct seats *s = ctx;

	if (s->nheld == 0)
		return;
	event_service_flush(s->service);
	for (unsigned i = 0; i < s->nheld; i++) {
		exchange_release(&s->seats[i].exchange);
		leave_seat(s, &s->seats[i]);
	}
	s->nheld = 0;
}

void
seats_end_round(struct seats *s)
{
	settle(s);
	set_busy(s, false);
}

/* One request from a connection on which something has arrived. A descriptor
   set before FCGX_Accept_r() makes libfcgi read from it instead of accepting;
   keepConnection and detached keep it from closing or lingering on it first.
   With no listening socket it returns when the peer has hung up. */
void
seats_serve(struct seats *s, int fd)
{
	struct seat *seat = &s->seats[s->nheld];
	FCGX_Request *fcgi = &seat->fcgi;

	set_busy(s, true);
	s->serving_fd = fd;
	seat->fd = fd;
	fcgi->ipcFd = fd;
	fcgi->keepConnection = 1;
	fcgi->detached = 1;
	if (FCGX_Accept_r(fcgi) < 0)
		conns_forget(s->conns, fd);
	else if (exchange_serve(&seat->exchange, fcgi, s->heritage->dialects,
	    s->heritage->ndialects))
		leave_seat(s, seat);
	else if (++s->nheld == EVENT_GROUP_MAX)
		settle(s);
	set_busy(s, s->nheld > 0);
}

int
seats_fd(const struct seats *s)
{
	return s->serving_fd;
}

void
seats_tell(struct seats *s, void (*served)(void *ctx), void *ctx)
{
	s->served = served;
	s->ctx = ctx;
}

static void
seat_init(struct seats *s, struct seat *seat)
{
	struct exchange *x = &seat->exchange;

	exchange_init(x, s->service, s->heritage->settings);
	x->metrics = s->metrics;
	x->round = &s->round;
	x->up_since_us = s->heritage->up_since_us;
	if (FCGX_InitRequest(&seat->fcgi, -1, 0) != 0)
		log_fatal("libfcgi cannot be set up");
}

struct seats *
seats_new(const struct heritage *heritage, struct conns *conns,
    struct service *service, struct metrics *metrics)
{
	struct seats *s = mem_calloc(1, sizeof(*s));

	s->heritage = heritage;
	s->slot = &heritage->board->slots[heritage->slot];
	s->conns = conns;
	s->service = service;
	s->metrics = metrics;
	s->round = (struct exchange_round){ .settle = settle, .ctx = s };
	s->serving_fd = -1;
	if (FCGX_Init() != 0)
		log_fatal("libfcgi cannot be set up");
	for (unsigned i = 0; i < EVENT_GROUP_MAX; i++)
		seat_init(s, &s->seats[i]);
	return s;
}

void
seats_free(struct seats **seatsp)
{
	struct seats *s = *seatsp;

	*seatsp = NULL;
	if (s == NULL)
		return;
	for (unsigned i = 0; i < EVENT_GROUP_MAX; i++)
		exchange_deinit(&s->seats[i].exchange);
	free(s);
}
