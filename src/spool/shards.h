/* SPDX-License-Identifier: MIT */
/* Attempts by other processes (shards.c), and such a process (shard.c). */
#ifndef WUTS_SRC_SPOOL_SHARDS_H
#define WUTS_SRC_SPOOL_SHARDS_H

#include <stdbool.h>
#include <stdint.h>

struct delivery;
struct endpoint;
struct spool;

#define SHARDS_MAX 64

struct shards;

/* n processes, started by shards_run(). */
struct shards *shards_new(struct spool *spool, int epoll_fd, unsigned n);
/* Ends them. What is in flight stays without a result. */
void shards_free(struct shards **shardsp);
/* Does the shard of this endpoint run? */
bool shards_may_start(const struct shards *shards,
    const struct endpoint *endpoint);
/* As delivery_start(), when it does: dispatch_result() or dispatch_lost()
   follows. */
void shards_start(struct shards *shards, struct delivery *delivery,
    unsigned attempt, int64_t wall_us);
/* False: this descriptor is none of theirs. */
bool shards_socket(struct shards *shards, int fd, uint32_t epoll_events);
/* Start what has to be started, say what there is to be said. */
void shards_run(struct shards *shards, int64_t mono_us);
/* When shards_run() must be called; INT64_MAX: not by time. */
int64_t shards_due(const struct shards *shards);
/* About once a second. */
void shards_tick(struct shards *shards, int64_t mono_us);
/* spool->live has changed. */
void shards_reload(struct shards *shards);
unsigned shards_up(const struct shards *shards);
/* All of them run. */
bool shards_are_up(const struct shards *shards);
/* One dies again and again. */
bool shards_are_hopeless(const struct shards *shards);

/* Be a shard of the parent at the other end of fd, until it is gone. The exit
   status. */
int shard_run(int fd);

#endif
