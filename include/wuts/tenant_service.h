/* SPDX-License-Identifier: MIT */
/* Use cases on tenants (spec/wuts.md §4 "Super admin"). */
#ifndef WUTS_TENANT_SERVICE_H
#define WUTS_TENANT_SERVICE_H

#include "wuts/tenant.h"
#include "wuts/user.h"

struct arena;
struct caller;
struct fault;
struct service;

struct tenant_registration {
	const char *tenant_name;
	const char *email;
	const char *password;
	const char *webhook_url;	/* NULL: none staged */
};

struct tenant_registered {
	struct tenant tenant;
	struct user admin;
	char token[UUID_TEXT_LEN + 1];
};

/* A tenant with its first user, an admin. Checks every field, collecting all
   problems in one REFUSAL_VALIDATION. -1 besides: REFUSAL_TENANT_EXISTS,
   faults. One transaction: a crash leaves all or nothing. Emits tenant.created
   and user.created. The caller has been found to be super. */
int tenant_service_register(struct service *service,
    const struct caller *caller, const struct tenant_registration *input,
    struct tenant_registered *result_r, struct fault *fault);

/* By name. cursor: next_cursor of the page before, or NULL; limit 0: all.
   *next_cursor_r in arena, NULL at the end. -1: row's, REFUSAL_VALIDATION for
   a bad cursor, FAULT_DATABASE. */
typedef int tenant_listed(void *ctx, const struct tenant *tenant,
    struct fault *fault);
int tenant_service_list(struct service *service, struct arena *arena,
    const char *cursor, unsigned limit, tenant_listed *row, void *ctx,
    const char **next_cursor_r, struct fault *fault);

struct tenant_details {
	struct tenant tenant;
	uint64_t users;
	uint64_t devices;
};

/* -1: REFUSAL_TENANT_NOT_FOUND, FAULT_DATABASE. */
int tenant_service_get(struct service *service, const struct uuid *id,
    struct tenant_details *details_r, struct fault *fault);

/* For good: users, devices, webhooks, keys, sessions; queued events find no
   webhook and are dropped; the audit trail stays. First one transaction marks
   the tenant: from then on it exists for nobody. Then its rows go in batches
   of bounded size, however many there are; what a crash leaves is finished by
   tenant_service_sweep(). *deleted_us_r is the time of the mark. Logged as
   critical. -1: REFUSAL_TENANT_NOT_FOUND, faults. */
int tenant_service_delete(struct service *service,
    const struct caller *caller, const struct uuid *id,
    struct tenant *tenant_r, int64_t *deleted_us_r, struct fault *fault);

/* Remove at most about 1000 rows of tenants that are marked as deleted. 1:
   there may be more, 0: none left, -1. */
int tenant_service_sweep(struct service *service, struct fault *fault);

#endif
