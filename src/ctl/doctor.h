/* SPDX-License-Identifier: MIT */
/* What the checks of wutsctl doctor share. */
#ifndef WUTS_CTL_DOCTOR_H
#define WUTS_CTL_DOCTOR_H

#include "ctl_private.h"

#include "wuts/json.h"
#include "wuts/strbuf.h"

#include <stdbool.h>
#include <sys/types.h>

struct settings;

enum verdict {
	VERDICT_OK,
	VERDICT_WARN,
	VERDICT_FAIL
};

struct doctor {
	const struct ctl *ctl;
	struct settings *settings;
	bool has_failed;
	struct strbuf out;	/* of --json */
	struct json_writer w;
};

/* One check. todo NULL: nothing. */
void report(struct doctor *d, enum verdict verdict, const char *what,
    const char *todo, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* --- doctor_files.c --- */

/* Who the programs run as: the user of the settings when root starts them,
   else whoever calls us. */
uid_t service_uid(const struct settings *settings);

void check_user(struct doctor *d);
/* Could all of them be read? d->settings has them from then on. */
bool check_secrets(struct doctor *d);
/* Is it there, and ours to use? */
bool check_directory(struct doctor *d, const char *what, const char *path);
void check_run_dir(struct doctor *d);

/* --- doctor_spool.c --- */

/* Of a wuts-spool that runs. */
void check_spool(struct doctor *d);
void check_accounts(struct doctor *d);
void check_metrics(struct doctor *d);

#endif
