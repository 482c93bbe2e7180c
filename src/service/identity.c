/* SPDX-License-Identifier: MIT */
/* From a token to who it is. The master's and the engine's tokens are compared
   by hash in constant time; a user's is found by its keyed hash, so neither
   our memory nor the database holds a text to steal. */
#include "config.h"

#include "wuts/identity_service.h"

#include "service_private.h"
#include "wuts/attempts.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/settings.h"

#include <string.h>

static enum identity_kind
kind_of_configured(const struct settings *settings, const char *token,
    size_t len)
{
	uint8_t hash[CRYPTO_HASH_LEN];

	crypto_sha256(token, len, hash);
	if (settings->has_master_token && crypto_is_equal(hash,
	    settings->master_token_hash, sizeof(hash)))
		return IDENTITY_MASTER;
	if (settings->has_engine_token && crypto_is_equal(hash,
	    settings->engine_token_hash, sizeof(hash)))
		return IDENTITY_ENGINE;
	return IDENTITY_NONE;
}

static int
find_user(struct service *service, const uint8_t hash[CRYPTO_HASH_LEN],
    struct user *user_r, struct fault *fault)
{
	struct memory_read read;
	const struct user *remembered;
	int found;

	remembered = memory_find(service, &service->tokens, hash, NULL,
	    &read);
	if (remembered != NULL) {
		*user_r = *remembered;
		return 1;
	}
	found = user_store_find_by_token(service->db, hash, user_r, fault);
	if (found == 1)
		memory_put(service, &service->tokens, hash, user_r, &read);
	return found;
}

int
identity_service_find(struct service *service, const char *token, size_t len,
    struct identity *identity_r, struct fault *fault)
{
	uint8_t hash[CRYPTO_HASH_LEN];
	char text[UUID_TEXT_LEN + 1];
	struct uuid parsed;
	struct user user;
	int found;

	memset(identity_r, 0, sizeof(*identity_r));
	identity_r->kind = kind_of_configured(service->settings, token, len);
	if (identity_r->kind != IDENTITY_NONE)
		return 1;
	if (!uuid_parse(token, len, &parsed))
		return 0;
	/* The hash is of the lower-case text, whatever case came. */
	uuid_format(&parsed, text);
	new_user_token_hash(service, text, hash);
	crypto_wipe(&parsed, sizeof(parsed));
	crypto_wipe(text, sizeof(text));
	memset(&user, 0, sizeof(user));
	found = find_user(service, hash, &user, fault);
	if (found < 0)
		return fault_prefix(fault, "find token");
	if (found == 0 || !user.active)
		return 0;
	identity_r->kind = IDENTITY_USER;
	identity_r->user_id = user.id;
	identity_r->tenant_id = user.tenant_id;
	identity_r->role = user.role;
	return 1;
}

unsigned
identity_service_wait_s(struct service *service, const char *address)
{
	return attempts_wait_s(service->attempts, address, clock_wall_us());
}

void
identity_service_count_failure(struct service *service, const char *address)
{
	attempts_count_failure(service->attempts, address, clock_wall_us());
}
