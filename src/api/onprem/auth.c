/* SPDX-License-Identifier: MIT */
/* Who asks (spec/onprem.md §1.5, §11). nginx has told which tenant is meant;
   the caller is a user of it, known by the token of a log-in or by the token
   that the WUTS dialect gave it, or, where numbers are read, whoever has the
   operator's key. 401 always says the same; 403 is for who is known and may
   not. */
#include "config.h"

#include "wuts/arena.h"
#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/identity_service.h"
#include "wuts/onprem_service.h"
#include "wuts/session_service.h"
#include "wuts/settings.h"
#include "wuts/user.h"
#include "wuts/utf8.h"

#include "onprem_private.h"

#include <string.h>

static int
refuse(struct fault *fault)
{
	return fault_say(fault, REFUSAL_UNAUTHORIZED, "Invalid credentials");
}

int
onprem_take_basic(const struct exchange *x, const char **username_r,
    const char **password_r, struct fault *fault)
{
	size_t len, plain_len;
	const char *word;
	char *plain, *colon;

	if (!request_authorization(x, "Basic", &word, &len))
		return refuse(fault);
	plain = (char *)crypto_unbase64(x->arena, word, len, &plain_len);
	if (plain == NULL || strlen(plain) != plain_len)
		return refuse(fault);
	colon = strchr(plain, ':');
	if (colon == NULL)
		return refuse(fault);
	*colon = '\0';
	/* No account has such a name, so nothing is told by answering
	   sooner. */
	if (plain[0] == '\0' || strlen(plain) > USER_USERNAME_MAX ||
	    !utf8_is_valid(plain, strlen(plain)))
		return refuse(fault);
	*username_r = plain;
	*password_r = colon + 1;
	return 0;
}

/* A token of the WUTS dialect: guessing one counts as it does there. */
static int
find_user_token(struct exchange *x, const char *word, size_t len,
    struct fault *fault)
{
	unsigned wait_s;
	int found;

	wait_s = identity_service_wait_s(x->service, x->request.address);
	if (wait_s > 0) {
		fault_say(fault, REFUSAL_RATE_LIMITED,
		    "too many failed attempts, try again in %u s", wait_s);
		fault->retry_after_s = wait_s;
		return -1;
	}
	found = identity_service_find(x->service, word, len,
	    &x->caller.identity, fault);
	if (found == 0)
		identity_service_count_failure(x->service,
		    x->request.address);
	return found;
}

static int
check_bearer(struct exchange *x, const struct uuid *tenant_id,
    const char *word, size_t len, struct fault *fault)
{
	struct identity *who = &x->caller.identity;
	struct user user;
	int found;

	found = memchr(word, '.', len) != NULL ?
	    session_service_identify(x->service, tenant_id, word, len, who,
	    &user, fault) : find_user_token(x, word, len, fault);
	if (found < 0)
		return fault_prefix(fault, "authenticate");
	if (found == 1 && who->kind == IDENTITY_USER &&
	    uuid_is_equal(&who->tenant_id, tenant_id))
		return 0;
	memset(who, 0, sizeof(*who));
	return refuse(fault);
}

/* It may look, as a user without rights might. */
static int
check_apikey(struct exchange *x, const struct uuid *tenant_id,
    const char *word, size_t len, struct fault *fault)
{
	struct identity *who = &x->caller.identity;
	uint8_t hash[CRYPTO_HASH_LEN];

	crypto_sha256(word, len, hash);
	if ((x->route->flags & ONPREM_APIKEY) == 0 ||
	    !x->settings->has_onprem_apikey ||
	    !crypto_is_equal(hash, x->settings->onprem_apikey_hash,
	    sizeof(hash)))
		return refuse(fault);
	who->kind = IDENTITY_KEY;
	who->tenant_id = *tenant_id;
	who->role = ROLE_USER;
	who->read_only = true;
	return 0;
}

static int
check_role(const struct exchange *x, struct fault *fault)
{
	if (x->route->access != ACCESS_ADMIN ||
	    x->caller.identity.role == ROLE_ADMIN)
		return 0;
	return fault_say(fault, REFUSAL_FORBIDDEN,
	    "This needs the admin account");
}

int
onprem_authenticate(struct exchange *x, struct fault *fault)
{
	const char *word, *username, *password;
	struct uuid tenant_id;
	size_t len;
	int ret;

	if (x->route->access == ACCESS_PUBLIC && !onprem_is_login(x))
		return 0;
	if (onprem_service_bind(x->service, x->request.server_tenant,
	    &tenant_id, fault) < 0)
		return -1;
	if (onprem_is_login(x)) {
		x->caller.identity.tenant_id = tenant_id;
		return onprem_take_basic(x, &username, &password, fault);
	}
	if (request_authorization(x, "Bearer", &word, &len))
		ret = check_bearer(x, &tenant_id, word, len, fault);
	else if (request_authorization(x, "Apikey", &word, &len))
		ret = check_apikey(x, &tenant_id, word, len, fault);
	else
		ret = refuse(fault);
	return ret < 0 ? -1 : check_role(x, fault);
}
