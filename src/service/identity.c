/* SPDX-License-Identifier: MIT */
/* From a token or an API key to who it is. The master's and the engine's tokens
   are compared by hash in constant time; the others are found by their keyed
   hash, so neither our memory nor the database holds a text to steal. */
#include "config.h"

#include "wuts/identity_service.h"

#include "service_private.h"
#include "wuts/api_key_store.h"
#include "wuts/attempts.h"
#include "wuts/cache.h"
#include "wuts/caller_store.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/settings.h"

#include <string.h>

#define TOUCH_EVERY_US ((int64_t)60 * CLOCK_SECOND_US)

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

/* While installation keys are changed a token may have been hashed with any of
   them. The first is asked once more at the end: a row that is written anew
   between two questions is under neither when it is asked for. */
static unsigned
key_tries(const struct crypto_keys *keys)
{
	return keys->n > 1 ? keys->n + 1 : 1;
}

/* The row of the token's owner and, where one is asked for, that of another
   user of its tenant, which user_service_get() then takes. */
static int
find_rows(struct service *service, const uint8_t hash[CRYPTO_HASH_LEN],
    const struct uuid *target_id, struct token_owner *owner_r,
    struct fault *fault)
{
	struct fetched_user *fetched = &service->fetched;
	int found;

	if (target_id == NULL)
		return caller_store_find(service->db, hash, owner_r, fault);
	found = caller_store_find_both(service->db, hash, target_id, owner_r,
	    &fetched->user, &fetched->is_there, fault);
	fetched->is_set = found == 1;
	fetched->caller_id = owner_r->id;
	fetched->id = *target_id;
	return found;
}

/* Remembered under the first key. What is asked for besides is read only when
   the database has to be asked anyhow. */
static int
find_owner(struct service *service, const char *text,
    const struct uuid *target_id, struct token_owner *owner_r,
    struct fault *fault)
{
	const struct crypto_keys *keys = &service->settings->keys;
	uint8_t first[CRYPTO_HASH_LEN], hash[CRYPTO_HASH_LEN];
	struct fetched_user *fetched = &service->fetched;
	struct memory_read read, target_read;
	const struct token_owner *remembered;
	unsigned i;
	int found = 0;

	service_lookup_hash(&keys->key[0], text, UUID_TEXT_LEN, first);
	remembered = memory_find(service, &service->tokens, first, NULL,
	    NULL, &read);
	if (remembered != NULL) {
		*owner_r = *remembered;
		return 1;
	}
	if (target_id != NULL && memory_find(service, &service->users,
	    target_id, uuid_is_nil(&read.tenant_id) ? NULL : &read.tenant_id,
	    target_id, &target_read) != NULL)
		target_id = NULL;
	for (i = 0; i < key_tries(keys) && found == 0; i++) {
		service_lookup_hash(&keys->key[i % keys->n], text,
		    UUID_TEXT_LEN, hash);
		found = find_rows(service, hash, target_id, owner_r, fault);
	}
	if (found == 1)
		memory_put(service, &service->tokens, first, owner_r, &read);
	if (fetched->is_set && fetched->is_there)
		memory_put(service, &service->users, &fetched->id,
		    &fetched->user, &target_read);
	return found;
}

static int
identify_user(struct service *service, const struct uuid *token,
    const struct uuid *target_id, struct identity *identity_r,
    struct fault *fault)
{
	char text[UUID_TEXT_LEN + 1];
	struct token_owner owner;
	int found;

	/* The hash is of the lower-case text, whatever case came. */
	uuid_format(token, text);
	memset(&owner, 0, sizeof(owner));
	found = find_owner(service, text, target_id, &owner, fault);
	crypto_wipe(text, sizeof(text));
	if (found < 0)
		return fault_prefix(fault, "find token");
	if (found == 0 || !owner.active)
		return 0;
	identity_r->kind = IDENTITY_USER;
	identity_r->user_id = owner.id;
	identity_r->tenant_id = owner.tenant_id;
	identity_r->role = owner.role;
	return 1;
}

/* --- API keys --- */

/* Found by an older installation key: the text is at hand now and never again,
   so it is hashed anew. The request does not depend on it. */
static void
renew_hash(struct service *service, const struct uuid *id,
    const uint8_t hash[CRYPTO_HASH_LEN])
{
	char text[UUID_TEXT_LEN + 1];
	struct fault fault;

	fault_clear(&fault);
	if (api_key_store_update_hash(service->db, id, hash, &fault) < 0)
		log_warn("api_key=%s renew its hash: %s",
		    uuid_format(id, text), fault.text);
}

static int
find_key_row(struct service *service, const char *text,
    const uint8_t first[CRYPTO_HASH_LEN], struct known_key *known_r,
    struct fault *fault)
{
	const struct crypto_keys *keys = &service->settings->keys;
	uint8_t hash[CRYPTO_HASH_LEN];
	struct api_key key;
	unsigned i;
	int found = 0;

	memset(&key, 0, sizeof(key));
	for (i = 0; i < key_tries(keys) && found == 0; i++) {
		service_api_key_hash(&keys->key[i % keys->n], text, hash);
		found = api_key_store_find_by_hash(service->db, hash, &key,
		    fault);
	}
	if (found != 1)
		return found;
	if ((i - 1) % keys->n != 0)
		renew_hash(service, &key.id, first);
	known_r->id = key.id;
	known_r->tenant_id = key.tenant_id;
	known_r->scope = key.scope;
	known_r->expires_us = key.expires_us;
	known_r->last_used_us = key.last_used_us;
	return 1;
}

static int
find_key(struct service *service, const char *text,
    struct known_key *known_r, struct fault *fault)
{
	const struct crypto_keys *keys = &service->settings->keys;
	uint8_t first[CRYPTO_HASH_LEN];
	const struct known_key *remembered;
	struct memory_read read;
	int found;

	memset(known_r, 0, sizeof(*known_r));
	service_api_key_hash(&keys->key[0], text, first);
	remembered = memory_find(service, &service->keys, first, NULL, NULL,
	    &read);
	if (remembered != NULL) {
		*known_r = *remembered;
		return 1;
	}
	found = find_key_row(service, text, first, known_r, fault);
	if (found == 1)
		memory_put(service, &service->keys, first, known_r, &read);
	return found;
}

/* To the minute, and never the request's concern. */
static void
note_use(struct service *service, const struct known_key *known,
    int64_t now_us)
{
	int64_t mono_us = clock_mono_us();
	char text[UUID_TEXT_LEN + 1];
	struct fault fault;
	uint64_t generation;

	if (cache_find(service->touched, &known->id, mono_us, TOUCH_EVERY_US,
	    &generation) != NULL)
		return;
	cache_put(service->touched, &known->id, "", 0, mono_us);
	/* Another process may have noted it. */
	if (now_us >= known->last_used_us &&
	    now_us - known->last_used_us < TOUCH_EVERY_US)
		return;
	fault_clear(&fault);
	if (api_key_store_touch(service->db, &known->id, now_us, &fault) < 0)
		log_warn("api_key=%s note its use: %s",
		    uuid_format(&known->id, text), fault.text);
}

static int
identify_key(struct service *service, const char *token,
    struct identity *identity_r, struct fault *fault)
{
	int64_t now_us = clock_wall_us();
	struct known_key known;
	int found;

	found = find_key(service, token, &known, fault);
	if (found < 0)
		return fault_prefix(fault, "find API key");
	if (found == 0 ||
	    (known.expires_us != 0 && known.expires_us <= now_us))
		return 0;
	note_use(service, &known, now_us);
	identity_r->kind = IDENTITY_KEY;
	identity_r->key_id = known.id;
	identity_r->tenant_id = known.tenant_id;
	identity_r->role = ROLE_ADMIN;
	identity_r->read_only = known.scope != API_KEY_FULL;
	return 1;
}

int
identity_service_find_with_user(struct service *service, const char *token,
    size_t len, const struct uuid *user_id, struct identity *identity_r,
    struct fault *fault)
{
	struct uuid parsed;
	int found;

	service->fetched.is_set = false;
	memset(identity_r, 0, sizeof(*identity_r));
	identity_r->kind = kind_of_configured(service->settings, token, len);
	if (identity_r->kind != IDENTITY_NONE)
		return 1;
	if (api_key_is_text(token, len))
		return identify_key(service, token, identity_r, fault);
	if (!uuid_parse(token, len, &parsed))
		return 0;
	found = identify_user(service, &parsed, user_id, identity_r, fault);
	crypto_wipe(&parsed, sizeof(parsed));
	return found;
}

int
identity_service_find(struct service *service, const char *token, size_t len,
    struct identity *identity_r, struct fault *fault)
{
	return identity_service_find_with_user(service, token, len, NULL,
	    identity_r, fault);
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
