/* SPDX-License-Identifier: MIT */
/* The audit trail: reading it, and proving that nobody edited it. Rows are
   chained per tenant: each row's hash is an HMAC under a key derived from the
   installation key over the hash before it and the row's own content, and the
   head of the chain is kept apart, so that an edited, a deleted and also a
   last row cut off are found. Written by the services' changes. */
#ifndef WUTS_AUDIT_SERVICE_H
#define WUTS_AUDIT_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "wuts/uuid.h"

struct arena;
struct audit_entry;
struct caller;
struct fault;
struct service;

struct audit_query {
	struct uuid tenant_id;
	const char *action;		/* NULL: any */
	const struct uuid *user_id;	/* actor or target; NULL: any */
	const char *cursor;		/* NULL: from the newest */
	unsigned limit;			/* 0: all */
};

/* Newest first, in flat memory; paging as tenant_service_list(). Also of a
   tenant that was deleted. */
typedef int audit_listed(void *ctx, const struct audit_entry *entry,
    struct fault *fault);
int audit_service_list(struct service *service, struct arena *arena,
    const struct audit_query *query, audit_listed *row, void *ctx,
    const char **next_cursor_r, struct fault *fault);

struct audit_verdict {
	struct uuid tenant_id;
	uint64_t rows;
	uint64_t bad_seq;		/* 0: the chain holds */
	char why[160];			/* what is wrong at bad_seq */
};

/* Walk the chain of one tenant, or of every tenant that ever was (NULL);
   verdict is called once a tenant. 0: all walked, -1. */
typedef void audit_judged(void *ctx, const struct audit_verdict *verdict);
int audit_service_verify(struct service *service,
    const struct uuid *tenant_id, audit_judged *verdict, void *ctx,
    struct fault *fault);

#endif
