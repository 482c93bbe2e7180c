/* SPDX-License-Identifier: MIT */
/* Table audit: one row per successful change, written in its transaction. It
   has no foreign key: it survives its tenant. */
#ifndef WUTS_AUDIT_STORE_H
#define WUTS_AUDIT_STORE_H

#include <stdint.h>

#include "wuts/user.h"
#include "wuts/uuid.h"

struct db;
struct fault;

struct audit_entry {
	struct uuid id;			/* version 7 */
	struct uuid tenant_id;
	struct identity actor;
	const char *action;		/* "user.role_changed" */
	struct uuid target_id;
	const char *old_value;		/* JSON or NULL */
	const char *new_value;		/* JSON or NULL; never a secret */
	const char *request_id;		/* "" from wutsctl */
	const char *address;
	int64_t created_us;
};

int audit_store_insert(struct db *db, const struct audit_entry *entry,
    struct fault *fault);

#endif
