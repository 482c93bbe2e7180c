/* SPDX-License-Identifier: MIT */
/* Who asks (spec/wacht.md §1.2). The key names the tenant and nothing else in
   a request does. It is judged before path and method: who has no key learns
   nothing about either. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/identity_service.h"
#include "wuts/user_detail_service.h"

#include "wacht_private.h"

#define KEY_MAX 256

static int
refuse(struct fault *fault, const char *text)
{
	return fault_say(fault, REFUSAL_UNAUTHORIZED, "%s", text);
}

static int
check_attempts(struct exchange *x, struct fault *fault)
{
	unsigned wait_s;

	wait_s = identity_service_wait_s(x->service, x->request.address);
	if (wait_s == 0)
		return 0;
	fault_say(fault, REFUSAL_RATE_LIMITED,
	    "too many failed attempts, try again in %u s", wait_s);
	fault->retry_after_s = wait_s;
	return -1;
}

/* May whoever it is manage the users of a tenant, with this method? */
static int
check_caller(const struct exchange *x, struct fault *fault)
{
	const struct identity *who = &x->caller.identity;

	if (who->kind != IDENTITY_KEY &&
	    (who->kind != IDENTITY_USER || who->role != ROLE_ADMIN))
		return fault_say(fault, REFUSAL_FORBIDDEN,
		    "an API key or an admin's token is required");
	if (who->read_only && x->request.method != HTTP_GET)
		return fault_say(fault, REFUSAL_FORBIDDEN,
		    "this key may only read");
	return 0;
}

int
wacht_authenticate(struct exchange *x, struct fault *fault)
{
	const char *word;
	size_t len;
	int found;

	if (x->request.authorization[0] == '\0')
		return refuse(fault, "missing API key");
	if (!request_authorization(x, "Bearer", &word, &len) || len > KEY_MAX)
		return refuse(fault, "malformed Authorization header");
	if (check_attempts(x, fault) < 0)
		return -1;
	found = identity_service_find(x->service, word, len,
	    &x->caller.identity, fault);
	if (found < 0)
		return fault_prefix(fault, "authenticate");
	if (found == 0) {
		identity_service_count_failure(x->service,
		    x->request.address);
		return refuse(fault, "invalid API key");
	}
	if (check_caller(x, fault) < 0)
		return -1;
	return user_policy_service_admit(x->service, &x->caller.identity,
	    fault);
}
