/* SPDX-License-Identifier: MIT */
/* What became of the requests to the On-Premises webhooks of each tenant, in
   one mapped file that the spoolers write and the workers read. No locks; it
   begins at zero when the file is new. Beyond its size what is new is not
   counted. */
#ifndef WUTS_CALLBACK_COUNTS_H
#define WUTS_CALLBACK_COUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "wuts/uuid.h"

struct callback_counts;
struct fault;

/* In run_dir. */
#define CALLBACK_COUNTS_FILE "callbacks.1"

struct callback_count {
	unsigned type;		/* enum callback_type */
	int result;		/* 0: success; the HTTP status of another
				   answer; negative: the error number of
				   libcurl */
	uint64_t count;
	uint64_t sum_us;	/* of the durations */
};

/* -1: FAULT_IO. */
int callback_counts_open(struct callback_counts **counts_r, const char *path,
    struct fault *fault);
void callback_counts_close(struct callback_counts **countsp);

void callback_counts_add(struct callback_counts *counts,
    const struct uuid *tenant_id, unsigned type, int result,
    int64_t duration_us);
/* Those of one tenant, at most max, in no order; how many. */
size_t callback_counts_read(const struct callback_counts *counts,
    const struct uuid *tenant_id, struct callback_count *counts_r,
    size_t max);

#endif
