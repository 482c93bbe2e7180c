/* SPDX-License-Identifier: MIT */
/* The commands of wutsctl and what they share. */
#ifndef WUTS_CTL_PRIVATE_H
#define WUTS_CTL_PRIVATE_H

#include <stdbool.h>

struct arena;
struct fault;
struct settings;

/* Exit statuses: done, failed, called the wrong way. */
enum {
	CTL_OK = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2
};

/* The command line, taken apart. */
struct ctl {
	const char *config;	/* NULL: the default */
	const char *sql_dir;
	bool json;
};

/* One line on standard error, "wutsctl: …". Returns CTL_FAILED. */
int ctl_failed(const struct fault *fault);

int ctl_init(const struct ctl *ctl);
int ctl_migrate(const struct ctl *ctl);
int ctl_doctor(const struct ctl *ctl);
int ctl_queue_status(const struct ctl *ctl);

/* Create the database where needed and bring its schema up to date, saying
   what is done. CTL_OK or CTL_FAILED. */
int ctl_apply_schema(const struct ctl *ctl, const struct settings *settings);

/* What an nginx configuration, with all that it includes, says about us. */
struct nginx_facts {
	unsigned passes;	/* fastcgi_pass to our socket */
	unsigned without_authorization;	/* of these: it is cut off */
	unsigned keepalive;	/* of these: upstream with keepalive */
	unsigned without_keep_conn;	/* of these: it is in vain */
};

/* -1: FAULT_CONFIG, a file cannot be read or understood. */
int nginx_facts_read(const char *path, const char *socket,
    struct nginx_facts *facts_r, struct fault *fault);

#endif
