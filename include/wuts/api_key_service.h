/* SPDX-License-Identifier: MIT */
/* Use cases on API keys. The caller has been found to be an admin of the
   tenant, an API key of full scope, or super; it is judged again under lock. */
#ifndef WUTS_API_KEY_SERVICE_H
#define WUTS_API_KEY_SERVICE_H

#include "wuts/api_key.h"

struct arena;
struct caller;
struct fault;
struct service;

struct api_key_input {
	struct uuid tenant_id;
	const char *name;
	const char *scope;	/* NULL: full */
	const char *expires_at;	/* RFC 3339, in the future; NULL: never */
};

/* text_r is the key itself, shown this once. -1: REFUSAL_VALIDATION with all
   fields, REFUSAL_FORBIDDEN, REFUSAL_TENANT_NOT_FOUND, faults. Audit
   api_key.created. */
int api_key_service_create(struct service *service,
    const struct caller *caller, const struct api_key_input *input,
    struct api_key *key_r, char text_r[API_KEY_TEXT_LEN + 1],
    struct fault *fault);

/* In the order of creation; paging as tenant_service_list(). */
typedef int api_key_listed(void *ctx, const struct api_key *key,
    struct fault *fault);
int api_key_service_list(struct service *service, struct arena *arena,
    const struct uuid *tenant_id, const char *cursor, unsigned limit,
    api_key_listed *row, void *ctx, const char **next_cursor_r,
    struct fault *fault);

/* It stops at once. -1: REFUSAL_NOT_FOUND, REFUSAL_FORBIDDEN, faults.
   Audit api_key.deleted. */
int api_key_service_delete(struct service *service,
    const struct caller *caller, const struct uuid *tenant_id,
    const struct uuid *id, struct fault *fault);

#endif
