/* SPDX-License-Identifier: MIT */
/* What the files of wutsd share. master_*.c runs before the fork, worker_*.c
   after it; struct heritage is everything that crosses. */
#ifndef WUTS_WUTSD_PRIVATE_H
#define WUTS_WUTSD_PRIVATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct dialect;
struct fault;
struct metrics;
struct metrics_route;
struct service;
struct settings;

/* --- options.c --- */

struct options {
	const char *config;	/* NULL: the default */
	unsigned workers;	/* 0: the setting, or none on an fd 0 socket */
	bool is_test;
	bool is_routes;
};

/* Takes the command line apart. --help, --version and mistakes end here. */
void options_parse(struct options *options, int argc, char **argv);

/* How many workers are wanted. */
unsigned options_workers(const struct options *options,
    const struct settings *settings);
/* May there be so many? 0, or -1: FAULT_CONFIG. */
int options_check(const struct options *options,
    const struct settings *settings, struct fault *fault);

/* --- owner.c --- */

/* Started as root and settings name a user: path is that user's from now on.
   Otherwise nothing changes. 0 / -1. */
int owner_give(const struct settings *settings, const char *path,
    struct fault *fault);

/* Make a directory that is missing, and give it to the user. 0 / -1. */
int owner_make_dir(const struct settings *settings, const char *path,
    mode_t mode, struct fault *fault);

/* --- listener.c --- */

enum listener_kind {
	LISTENER_OWN,		/* we made it, and remove it */
	LISTENER_STDIN,		/* spawn-fcgi, mod_fcgid: on descriptor 0 */
	LISTENER_ACTIVATED	/* systemd's; it outlives us */
};

struct listener {
	enum listener_kind kind;
	int fd;
	int lock_fd;		/* run_dir/wutsd.lock, or -1 */
	char *path;		/* of LISTENER_OWN */
	dev_t device;
	ino_t inode;
};

/* Find or make the listening socket, and take the lock that keeps a second
   master away; run_dir exists, we are still privileged.
   -1: FAULT_CONFIG or FAULT_IO. */
int listener_open(struct listener *listener, const struct settings *settings,
    struct fault *fault);

/* Remove the path, if it is still ours: nobody new finds us. */
void listener_remove(struct listener *listener);

/* That, and close everything. */
void listener_close(struct listener *listener);

/* --- budget.c --- */

/* For a worker without a master: its place among the database connections that
   settings allow, held until the process ends. Waits for seconds. 0, or -1:
   FAULT_CONFIG when all are taken, FAULT_IO. */
int budget_take(const struct settings *settings, struct fault *fault);

/* --- board.c --- */

/* One worker's place on the board. The worker writes, the master and, of
   is_idle, the siblings read. */
struct board_slot {
	_Alignas(64) _Atomic int64_t busy_since_us;	/* 0: no request */
	_Atomic uint64_t served;
	_Atomic bool is_ready;		/* has begun to serve */
	_Atomic bool is_full;		/* has served its number */
	_Atomic bool is_idle;		/* waits, with nothing to do */
	/* A place for one that waits for a test delivery: its slot + 1. The
	   workers take them, whichever is free, and the master gives that of
	   a dead one back. */
	_Atomic unsigned absent;
};

/* Memory that master and workers share. */
struct board {
	_Atomic bool is_stopping;	/* the whole service ends */
	_Atomic unsigned used;		/* slots ever used: where scans end */
	unsigned nslots;
	struct board_slot slots[];
};

struct board *board_new(unsigned nslots);
void board_free(struct board **boardp);
void board_clear_slot(struct board *board, unsigned slot);
/* Workers other than self that wait with nothing to do. */
unsigned board_idle(const struct board *board, unsigned self);

/* --- what crosses the fork --- */

struct heritage {
	const struct settings *settings;
	const struct dialect *const *dialects;
	size_t ndialects;
	const struct metrics_route *routes;	/* of all dialects */
	int64_t up_since_us;	/* monotonic */
	size_t nroutes;
	int listen_fd;
	bool is_listener_kept;	/* others serve its backlog after us */
	int give_fd;		/* the queue of connections that */
	int take_fd;		/* change hands between workers */
	int doorbell_fd;	/* eventfd to the master; -1: none */
	struct board *board;
	unsigned slot;
	unsigned workers;	/* how many there are to be */
	pid_t master_pid;	/* 0: no master */
};

/* Away for seconds, of at most `most` workers. False: that many are. */
bool board_leave(struct board *board, unsigned slot, unsigned most);
void board_return(struct board *board, unsigned slot);

/* The queue of connections between siblings. 0 / -1. */
int heritage_open_queue(struct heritage *heritage, struct fault *fault);

/* --- master.c, worker.c --- */

/* Run until stopped; the exit status. config is reread on SIGHUP. */
int master_run(struct heritage *heritage, struct listener *listener,
    const struct options *options, struct settings *settings);
int worker_run(const struct heritage *heritage);

/* --- worker_conns.c --- */

struct conns;

enum conns_kind {
	CONNS_NONE,
	CONNS_FRESH,	/* has not carried a request yet */
	CONNS_KEPT
};

#define CONNS_BATCH 64
struct conns_ready {
	int n;
	int fds[CONNS_BATCH];
};

/* The connections of one worker and the descriptors it listens on. */
struct conns *conns_new(const struct heritage *heritage, int signal_fd);
/* Closes the connections that are left. */
void conns_free(struct conns **connsp);

/* What is readable, in the kernel's rotating order; n 0 after timeout_ms or a
   signal. */
void conns_wait(struct conns *conns, int timeout_ms,
    struct conns_ready *ready_r);
/* A new connection from the socket, or one that a sibling gave; -1: none. It
   is in nobody's set yet. */
int conns_accept(struct conns *conns);
int conns_take(struct conns *conns, enum conns_kind *kind_r);

enum conns_kind conns_kind(const struct conns *conns, int fd);
/* Watch it from now on; when it is watched already, note its new kind. */
void conns_keep(struct conns *conns, int fd, enum conns_kind kind);
/* Close it. Its number may be used again. */
void conns_close(struct conns *conns, int fd);
/* libfcgi has closed it. */
void conns_forget(struct conns *conns, int fd);
/* To whichever sibling takes it first. False: the queue is full. */
bool conns_give(struct conns *conns, int fd);
/* Give all away but except_fd (-1: none), waiting for room. The number left.
 */
unsigned conns_give_all(struct conns *conns, int except_fd,
    int64_t timeout_ms);
unsigned conns_count(const struct conns *conns, enum conns_kind kind);
/* No longer look for new connections, or for siblings' ones. */
void conns_stop_taking(struct conns *conns);

/* --- worker_seats.c --- */

struct seats;

/* Everything is borrowed. */
struct seats *seats_new(const struct heritage *heritage, struct conns *conns,
    struct service *service, struct metrics *metrics);
/* Who is told of every request that was served. */
void seats_tell(struct seats *s, void (*served)(void *ctx), void *ctx);
/* Nothing is held. */
void seats_free(struct seats **seatsp);

/* One request, from a connection on which something has arrived. Its answer
   may be held until the end of the round. */
void seats_serve(struct seats *s, int fd);
/* Before waiting for others: everything held is answered. */
void seats_end_round(struct seats *s);
/* The connection whose request is being served. */
int seats_fd(const struct seats *s);

#endif
