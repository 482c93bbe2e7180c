/* SPDX-License-Identifier: MIT */
/* Use cases on webhooks (spec/wuts.md §4 "Webhooks"). A change is in force for
   every delivery attempt that starts after it returned. */
#ifndef WUTS_WEBHOOK_SERVICE_H
#define WUTS_WEBHOOK_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "wuts/webhook.h"

struct arena;
struct caller;
struct fault;
struct service;

/* Which webhook: a device's, or (device_id nil) the tenant's. */
struct webhook_scope {
	struct uuid tenant_id;
	struct uuid device_id;
};

struct webhook_input {
	const char *url;
	size_t nevents;
	const char *const *events;	/* names or patterns */
	bool enabled;
	long retry_attempts, timeout_s, max_concurrency, rate_limit;
	bool ordered;
	/* NULL: keep those there are, or generate for a new one. Given, it is
	   the only one from now on. */
	const char *secret;
	size_t nheaders;
	const struct webhook_header *headers;
};

/* Check every field (all problems in one REFUSAL_VALIDATION; unknown event
   names are REFUSAL_UNKNOWN_EVENT when nothing else is wrong), then create or
   replace. 1: created, 0: replaced. *webhook_r lives in arena. *secret_r: the
   secret we generated, in arena, shown this once; NULL when one was given or
   kept. -1. */
int webhook_service_configure(struct service *service, struct arena *arena,
    const struct caller *caller, const struct webhook_scope *scope,
    const struct webhook_input *input, const char *if_match,
    struct webhook *webhook_r, const char **secret_r, struct fault *fault);

/* A new secret, in arena, shown this once; the one before signs besides for
   WEBHOOK_SECRET_OVERLAP_S, the one before that no more. -1:
   REFUSAL_WEBHOOK_NOT_FOUND, REFUSAL_PRECONDITION_FAILED, FAULT_DATABASE. */
int webhook_service_rotate_secret(struct service *service,
    struct arena *arena, const struct caller *caller,
    const struct webhook_scope *scope, const char *if_match,
    struct webhook *webhook_r, const char **secret_r, struct fault *fault);

/* -1: REFUSAL_WEBHOOK_NOT_FOUND, FAULT_DATABASE. */
int webhook_service_get(struct service *service, struct arena *arena,
    const struct webhook_scope *scope, struct webhook *webhook_r,
    struct fault *fault);
int webhook_service_delete(struct service *service,
    const struct caller *caller, const struct webhook_scope *scope,
    const char *if_match, struct fault *fault);

/* Let the spooler deliver a sample of event (NULL: one that fits) to the
   webhook, enabled or not, and wait for what the receiver says: at most
   TRIAL_WAIT_S. Strings of *reply_r in arena. -1: REFUSAL_UNKNOWN_EVENT,
   REFUSAL_WEBHOOK_NOT_FOUND, REFUSAL_BUSY (too many at once),
   FAULT_QUEUE (no spooler, or it does not answer). */
struct trial_reply;
int webhook_service_test(struct service *service, struct arena *arena,
    const struct caller *caller, const struct webhook_scope *scope,
    const char *event, struct trial_reply *reply_r, struct fault *fault);

/* The URL staged for the caller's new devices: the first connect of each makes
   it a webhook for every event, unless that has one. stage replaces what was
   staged, unstage takes it away, whether there is one or not. The caller is a
   user. -1: REFUSAL_VALIDATION, REFUSAL_UNAUTHORIZED, FAULT_DATABASE. */
int webhook_service_stage(struct service *service,
    const struct caller *caller, const char *url, struct fault *fault);
int webhook_service_unstage(struct service *service,
    const struct caller *caller, struct fault *fault);
/* *url_r in arena; NULL: none is staged. */
int webhook_service_get_staged(struct service *service, struct arena *arena,
    const struct caller *caller, const char **url_r, struct fault *fault);

#define WEBHOOK_ETAG_SIZE 24
char *webhook_service_etag(const struct webhook *webhook,
    char buf[WEBHOOK_ETAG_SIZE]);

#endif
