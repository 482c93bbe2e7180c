/* SPDX-License-Identifier: MIT */
/* A real wutsd in a directory of its own, for tests: started, asked over
   FastCGI, signalled, and gone at the end. */
#ifndef WUTS_TEST_RIG_H
#define WUTS_TEST_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct rig {
	char dir[64];
	char config[96], log[96], socket[96];
	pid_t pid;		/* of wutsd, or 0 */
};

/* The directory and a configuration of `workers` workers; extra: further
   lines of it. */
void rig_init(struct rig *rig, unsigned workers, const char *extra);
/* Replace the configuration. */
void rig_configure(const struct rig *rig, unsigned workers, const char *extra);
/* Kills what still runs, removes the directory. */
void rig_deinit(struct rig *rig);

/* How wutsd gets its listening socket. */
enum rig_socket {
	RIG_OWN,
	RIG_STDIN,		/* on descriptor 0 */
	RIG_ACTIVATED		/* LISTEN_FDS */
};

/* args: further arguments, NULL at the end, or NULL. Does not wait. */
void rig_start(struct rig *rig, enum rig_socket kind, const char *const *args);
/* Start and wait until the log says that it is ready. */
void rig_serve(struct rig *rig, enum rig_socket kind, const char *const *args);
void rig_signal(const struct rig *rig, int signo);
/* Wait for wutsd's end; its exit status, or 128 + signal. */
int rig_wait(struct rig *rig);

/* Run wutsd to its end with its standard output in out; the exit status. */
int rig_run(struct rig *rig, const char *const *args, char *out, size_t size);

/* How many lines of the log contain text. */
unsigned rig_log_count(const struct rig *rig, const char *text);
/* Wait until at least n do; fails the test after a generous time. */
void rig_log_wait(const struct rig *rig, const char *text, unsigned n);
/* The process of the newest worker that was started in slot. */
pid_t rig_worker(const struct rig *rig, unsigned slot);

/* A connection to the socket; -1: refused. */
int rig_connect(const struct rig *rig);
/* GET path on it; the status, 0: broken off. */
unsigned rig_get(int fd, bool is_kept, const char *path);
/* Both, once. */
unsigned rig_ask(const struct rig *rig, const char *path);

/* Clients in processes of their own that ask without pause. */
struct rig_load;
struct rig_load *rig_load_start(const struct rig *rig, unsigned kept,
    unsigned fresh);
/* How many requests have been answered so far. */
unsigned long rig_load_answered(const struct rig_load *load);
void rig_load_wait(const struct rig_load *load, unsigned long more);
/* End it; the number of requests that failed. */
unsigned long rig_load_stop(struct rig_load **loadp);

#endif
