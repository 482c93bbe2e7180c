/* SPDX-License-Identifier: MIT */
/* Where deliveries may go. */
#ifndef WUTS_SRC_SPOOL_POLICY_H
#define WUTS_SRC_SPOOL_POLICY_H

#include "target.h"

#include "wuts/address.h"

struct delivery_pool;
struct fault;
struct settings;

struct policies {
	struct address_policy of[TARGET_KIND_COUNT];
};

/* What the settings say. -1: FAULT_CONFIG, nothing is held. */
int policies_read(struct policies *policies_r,
    const struct settings *settings, struct fault *fault);
void policies_deinit(struct policies *policies);
/* The pool borrows them. */
void policies_apply(const struct policies *policies,
    const struct settings *settings, struct delivery_pool *pool);

#endif
