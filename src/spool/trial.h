/* SPDX-License-Identifier: MIT */
/* Test deliveries, for workers that wait. */
#ifndef WUTS_SRC_SPOOL_TRIAL_H
#define WUTS_SRC_SPOOL_TRIAL_H

struct delivery;
struct delivery_result;
struct fault;
struct lookup_job;
struct spool;

struct trials;

/* Make the socket in dir, a queue that is ours. */
int trials_open(struct trials **trials_r, const char *dir,
    struct fault *fault);
int trials_fd(const struct trials *trials);
/* The socket is readable. */
void trials_take(struct spool *spool);
/* The settings are read; takes the job's target. */
void trial_found(struct spool *spool, struct lookup_job *job);
void trial_result(struct spool *spool, struct delivery *delivery,
    const struct delivery_result *result);
/* After the pool and the look-up: who waits is told that it failed. */
void trials_close(struct trials **trialsp);

#endif
