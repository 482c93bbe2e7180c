/* SPDX-License-Identifier: MIT */
/* The event loop. */
#ifndef WUTS_SRC_SPOOL_LOOP_H
#define WUTS_SRC_SPOOL_LOOP_H

#include <stdbool.h>

struct fault;
struct settings;

struct loop_options {
	const char *config;	/* as given, for SIGHUP; NULL: the default */
	bool once;
	unsigned shards;	/* 0: none */
};

/* Run until told to stop. settings stays the caller's; SIGTERM, SIGINT and
   SIGHUP must be blocked. -1: could not start. */
int loop_run(const struct settings *settings,
    const struct loop_options *options, struct fault *fault);

#endif
