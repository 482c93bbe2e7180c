/* SPDX-License-Identifier: MIT */
/* Dead letters that tenants want again, in a thread. */
#ifndef WUTS_SRC_SPOOL_REPLAY_H
#define WUTS_SRC_SPOOL_REPLAY_H

struct fault;
struct settings;

struct replayer;

/* settings is borrowed and must not change while the replayer lives. */
int replayer_new(struct replayer **replayer_r,
    const struct settings *settings, struct fault *fault);
/* Waits for what is under way, which is cut short. */
void replayer_free(struct replayer **replayerp);
/* Do what is asked for now, in this thread. */
void replay_once(const struct settings *settings);

#endif
