/* SPDX-License-Identifier: MIT */
/* Finds the running processes by their lock files, signals them, and believes
   only what they then say there: wutsd when all its workers are of the new
   configuration and the last one of the old has ended, wuts-spool when nothing
   is under way with the keys before. */
#include "config.h"

#include "reload.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/presence.h"
#include "wuts/settings.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define POLL_MS 20
#define GRACE_MS 10000

struct process {
	const char *program;
	char lock_path[PATH_MAX];
	pid_t signalled;	/* 0: not yet */
};

/* The number in a lock file is another one's if the process lives in another
   pid name space, such as a container. */
static bool
is_program(pid_t pid, const char *program)
{
	char path[32], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	if (fgets(name, sizeof(name), file) == NULL)
		name[0] = '\0';
	fclose(file);
	name[strcspn(name, "\n")] = '\0';
	return strcmp(name, program) == 0;
}

/* A process that was started meanwhile gets its own signal. */
static int
signal_once(struct process *process, const struct presence *presence,
    struct fault *fault)
{
	if (presence->pid == 0 || process->signalled == presence->pid)
		return 0;
	if (!is_program(presence->pid, process->program))
		return fault_set(fault, FAULT_CONFIG, "%s holds %s but is not"
		    " to be found as process %ld: run wutsctl where it runs",
		    process->program, process->lock_path,
		    (long)presence->pid);
	if (kill(presence->pid, SIGHUP) < 0 && errno != ESRCH)
		return fault_errno(fault, FAULT_IO, "signal %s (pid %ld)",
		    process->program, (long)presence->pid);
	process->signalled = presence->pid;
	return 0;
}

/* 1: it works with the keys, or does not run (*runs_r); 0: not yet; -1. */
static int
ask(struct process *process, const struct crypto_keys *keys, bool *runs_r,
    struct fault *fault)
{
	struct presence presence;
	int found;

	found = presence_find(process->lock_path, &presence, fault);
	*runs_r = found == 1;
	if (found < 0)
		return -1;
	if (found == 0 || presence_has_keys(&presence, keys))
		return 1;
	/* While it is starting it has its reading of the file behind it or
	   not, and no handler for the signal yet. */
	if (presence.n == 0)
		return 0;
	return signal_once(process, &presence, fault);
}

static int
wait_for(struct process *process, const struct crypto_keys *keys,
    int64_t timeout_ms, reload_said *said, void *ctx, struct fault *fault)
{
	int64_t until_us = clock_mono_us() + timeout_ms * 1000;
	char text[128];
	bool runs;
	int has;

	while ((has = ask(process, keys, &runs, fault)) == 0) {
		if (clock_mono_us() >= until_us)
			return fault_set(fault, FAULT_CONFIG, "%s (pid %ld)"
			    " has not taken up the key file in %lld s: its"
			    " log says why; then run this again",
			    process->program, (long)process->signalled,
			    (long long)timeout_ms / 1000);
		(void)poll(NULL, 0, POLL_MS);
	}
	if (has < 0)
		return -1;
	snprintf(text, sizeof(text), runs ? "%s has taken it up" :
	    "%s does not run on this machine", process->program);
	said(ctx, text);
	return 0;
}

int
reload_keys(const struct settings *settings, const struct crypto_keys *keys,
    reload_said *said, void *ctx, struct fault *fault)
{
	struct process processes[] = {
		{ .program = "wutsd" },
		{ .program = "wuts-spool" }
	};
	int64_t timeout_ms = settings->drain_timeout_ms +
	    settings->request_timeout_ms + GRACE_MS;
	size_t i;

	snprintf(processes[0].lock_path, sizeof(processes[0].lock_path),
	    "%s/wutsd.lock", settings->run_dir);
	snprintf(processes[1].lock_path, sizeof(processes[1].lock_path),
	    "%s/reader.lock", settings->queue_dir);
	for (i = 0; i < sizeof(processes) / sizeof(processes[0]); i++)
		if (wait_for(&processes[i], keys, timeout_ms, said, ctx,
		    fault) < 0)
			return -1;
	return 0;
}
