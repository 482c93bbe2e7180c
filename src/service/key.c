/* SPDX-License-Identifier: MIT */
/* Writes under the first installation key what is still under another. A batch
   is one transaction under its tenant's lock: a token that is rotated or a
   secret that is replaced meanwhile is never overwritten by the one before. */
#include "config.h"

#include "wuts/key_service.h"

#include "key_private.h"
#include "service_private.h"
#include "wuts/api_key.h"
#include "wuts/api_key_store.h"
#include "wuts/arena.h"
#include "wuts/clock.h"
#include "wuts/db.h"
#include "wuts/fault.h"
#include "wuts/idempotency_service.h"
#include "wuts/idempotency_store.h"
#include "wuts/session_store.h"
#include "wuts/settings.h"
#include "wuts/tenant.h"
#include "wuts/tenant_store.h"
#include "wuts/webhook_store.h"

#include <string.h>

#define BATCH 200
#define SECRET_SEALED_MAX (WEBHOOK_SECRET_MAX * 4 + CRYPTO_SEAL_OVERHEAD)

struct sealed_token {
	struct user user;
	uint8_t sealed[USER_TOKEN_SEALED_LEN];
};

struct sealed_secret {
	uint8_t sealed[SECRET_SEALED_MAX];
	size_t len;
};

/* Of one webhook: the one that is valid, the one before; and its headers, in
   the arena. */
struct sealed_secrets {
	struct webhook row;
	struct sealed_secret now, old;
};

/* One tenant's rows, a batch at a time. */
struct resealing {
	const struct crypto_keys *keys;
	key_resealed *said;
	void *ctx;
	struct key_reseal total;

	struct arena *arena;		/* of one batch */
	const struct uuid *tenant_id;
	struct key_reseal batch;
	struct uuid after_user;
	uint8_t after_webhook[WEBHOOK_ID_LEN];
	size_t n;
	struct sealed_token tokens[BATCH];
	struct sealed_secrets secrets[BATCH];
};

static int
begin_batch(struct resealing *resealing, struct db *db, struct fault *fault)
{
	struct tenant tenant;

	resealing->n = 0;
	arena_reset(resealing->arena);
	memset(&resealing->batch, 0, sizeof(resealing->batch));
	/* 0: deleted meanwhile, and all its rows with it. */
	return tenant_store_lock(db, resealing->tenant_id, &tenant, fault);
}

static int
take_token(void *ctx, const struct user *user,
    const uint8_t token_sealed[USER_TOKEN_SEALED_LEN], struct fault *fault)
{
	struct resealing *resealing = ctx;
	struct sealed_token *token = &resealing->tokens[resealing->n++];

	(void)fault;
	token->user = *user;
	memcpy(token->sealed, token_sealed, sizeof(token->sealed));
	return 0;
}

static int
reseal_token(struct resealing *resealing, struct db *db,
    const struct sealed_token *token, struct fault *fault)
{
	const struct uuid *id = &token->user.id;
	char text[UUID_TEXT_LEN + 1];
	struct user_token kept;
	unsigned which;

	if (!crypto_open_which(resealing->keys, id->b, sizeof(id->b),
	    token->sealed, sizeof(token->sealed), text, &which)) {
		resealing->batch.lost++;
		return 0;
	}
	if (which != 0) {
		text[UUID_TEXT_LEN] = '\0';
		new_user_keep_token(resealing->keys, id, text, &kept);
	}
	crypto_wipe(text, sizeof(text));
	if (which == 0)
		return 0;
	resealing->batch.tokens++;
	return user_store_update_token(db, &token->user, &kept, fault);
}

static int
reseal_tokens(struct db *db, void *ctx, struct fault *fault)
{
	struct resealing *resealing = ctx;
	size_t i;
	int found;

	found = begin_batch(resealing, db, fault);
	if (found != 1)
		return found;
	if (user_store_list(db, resealing->tenant_id, &resealing->after_user,
	    BATCH, take_token, resealing, fault) < 0)
		return fault_prefix(fault, "list users");
	for (i = 0; i < resealing->n; i++)
		if (reseal_token(resealing, db, &resealing->tokens[i],
		    fault) < 0)
			return fault_prefix(fault, "update token");
	return 0;
}

static void
copy_secret(struct sealed_secret *secret, const uint8_t *sealed, size_t len)
{
	/* The column holds no more than this. */
	secret->len = len <= sizeof(secret->sealed) ? len : 0;
	if (secret->len > 0)
		memcpy(secret->sealed, sealed, secret->len);
}

/* Sealed or in plain, the row's are gone when the next one is read. */
static void
copy_headers(struct arena *arena, struct webhook *to,
    const struct webhook *from)
{
	struct webhook_header *headers;
	uint8_t *sealed;
	size_t i;

	memcpy(to->id, from->id, sizeof(to->id));
	if (from->headers_sealed != NULL) {
		sealed = arena_alloc(arena, from->headers_sealed_len);
		memcpy(sealed, from->headers_sealed, from->headers_sealed_len);
		to->headers_sealed = sealed;
		to->headers_sealed_len = from->headers_sealed_len;
		return;
	}
	headers = arena_alloc(arena, from->nheaders * sizeof(headers[0]));
	for (i = 0; i < from->nheaders; i++) {
		headers[i].name = arena_strdup(arena, from->headers[i].name);
		headers[i].value = arena_strdup(arena,
		    from->headers[i].value);
	}
	to->headers = headers;
	to->nheaders = from->nheaders;
}

static int
take_secrets(void *ctx, const struct webhook *row, struct fault *fault)
{
	struct resealing *resealing = ctx;
	struct sealed_secrets *secrets = &resealing->secrets[resealing->n++];

	(void)fault;
	memset(&secrets->row, 0, sizeof(secrets->row));
	copy_headers(resealing->arena, &secrets->row, row);
	copy_secret(&secrets->now, row->secret_sealed,
	    row->secret_sealed_len);
	copy_secret(&secrets->old, row->old_secret_sealed,
	    row->old_secret_sealed_len);
	return 0;
}

/* True: it is sealed anew, in place. */
static bool
reseal_secret(struct resealing *resealing, const uint8_t id[WEBHOOK_ID_LEN],
    struct sealed_secret *secret)
{
	uint8_t plain[SECRET_SEALED_MAX];
	unsigned which;

	if (!crypto_open_which(resealing->keys, id, WEBHOOK_ID_LEN,
	    secret->sealed, secret->len, plain, &which)) {
		resealing->batch.lost++;
		return false;
	}
	if (which != 0) {
		crypto_seal(resealing->keys, id, WEBHOOK_ID_LEN, plain,
		    secret->len - CRYPTO_SEAL_OVERHEAD, secret->sealed);
		resealing->batch.secrets++;
	}
	crypto_wipe(plain, sizeof(plain));
	return which != 0;
}

static bool
reseal_headers(struct resealing *resealing, struct webhook *row)
{
	int ret = webhook_headers_reseal(row, resealing->arena,
	    resealing->keys);

	if (ret < 0)
		resealing->batch.lost++;
	else if (ret > 0)
		resealing->batch.headers++;
	return ret > 0;
}

static int
reseal_webhook(struct resealing *resealing, struct db *db,
    struct sealed_secrets *secrets, struct fault *fault)
{
	struct webhook *row = &secrets->row;
	bool is_new = reseal_secret(resealing, row->id, &secrets->now);

	row->secret_sealed = secrets->now.sealed;
	row->secret_sealed_len = secrets->now.len;
	if (secrets->old.len > 0) {
		is_new |= reseal_secret(resealing, row->id, &secrets->old);
		row->old_secret_sealed = secrets->old.sealed;
		row->old_secret_sealed_len = secrets->old.len;
	}
	is_new |= reseal_headers(resealing, row);
	return is_new ? webhook_store_update_secrets(db,
	    resealing->tenant_id, row, fault) : 0;
}

static int
reseal_secrets(struct db *db, void *ctx, struct fault *fault)
{
	struct resealing *resealing = ctx;
	size_t i;
	int found;

	found = begin_batch(resealing, db, fault);
	if (found != 1)
		return found;
	if (webhook_store_list_secrets(db, resealing->tenant_id,
	    resealing->after_webhook, clock_wall_us(), BATCH, take_secrets,
	    resealing, fault) < 0)
		return fault_prefix(fault, "list webhooks");
	for (i = 0; i < resealing->n; i++)
		if (reseal_webhook(resealing, db, &resealing->secrets[i],
		    fault) < 0)
			return fault_prefix(fault, "update secrets");
	return 0;
}

/* A batch whose fate is unknown counts as failed; done again it finds less. */
static int
run_batch(struct service *service, struct resealing *resealing,
    tx_body *body, struct fault *fault)
{
	struct key_reseal *total = &resealing->total;

	if (tx_run(service->db, body, NULL, resealing, fault) != TX_COMMITTED)
		return -1;
	total->tokens += resealing->batch.tokens;
	total->secrets += resealing->batch.secrets;
	total->headers += resealing->batch.headers;
	total->lost += resealing->batch.lost;
	if (resealing->said != NULL)
		resealing->said(resealing->ctx, total);
	return 0;
}

static int
reseal_tenant(struct service *service, const struct uuid *tenant_id,
    void *ctx, struct fault *fault)
{
	struct resealing *resealing = ctx;

	resealing->tenant_id = tenant_id;
	resealing->after_user = UUID_NIL;
	do {
		if (run_batch(service, resealing, reseal_tokens, fault) < 0)
			return fault_prefix(fault, "tokens");
		if (resealing->n > 0)
			resealing->after_user =
			    resealing->tokens[resealing->n - 1].user.id;
	} while (resealing->n == BATCH);
	memset(resealing->after_webhook, 0, sizeof(resealing->after_webhook));
	do {
		if (run_batch(service, resealing, reseal_secrets, fault) < 0)
			return fault_prefix(fault, "webhook secrets");
		if (resealing->n > 0)
			memcpy(resealing->after_webhook,
			    resealing->secrets[resealing->n - 1].row.id,
			    sizeof(resealing->after_webhook));
	} while (resealing->n == BATCH);
	if (key_reseal_details(service, tenant_id, &resealing->total,
	    fault) < 0)
		return fault_prefix(fault, "secrets of users");
	return 0;
}

int
key_service_reseal(struct service *service, key_resealed *said, void *ctx,
    struct key_reseal *result_r, struct fault *fault)
{
	const struct crypto_keys *keys = &service->settings->keys;
	struct arena *arena = arena_new();
	struct resealing *resealing = arena_alloc(arena, sizeof(*resealing));
	int ret;

	fault_clear(fault);
	resealing->keys = keys;
	resealing->arena = arena_new();
	resealing->said = said;
	resealing->ctx = ctx;
	ret = tenant_visit_all(service, reseal_tenant, resealing, fault);
	if (ret == 0)
		ret = api_key_store_count_others(service->db,
		    keys->key[0].name, &resealing->total.api_keys, fault);
	*result_r = resealing->total;
	arena_free(&resealing->arena);
	arena_free(&arena);
	return ret < 0 ? fault_prefix(fault, "reseal") : 0;
}

/* --- what is left --- */

struct left {
	key_left *row;
	void *ctx;
	int64_t now_us;
};

static int
left_row(void *ctx, const struct api_key *key, struct fault *fault)
{
	const struct left *left = ctx;

	if (key->expires_us != 0 && key->expires_us <= left->now_us)
		return 0;
	return left->row(left->ctx, key, fault);
}

static int
count_others(struct service *service, const struct crypto_key *key,
    int64_t now_us, struct key_others_left *left, struct fault *fault)
{
	int64_t after_us = now_us -
	    (int64_t)IDEMPOTENCY_KEEP_S * CLOCK_SECOND_US;
	uint64_t answers, sessions;

	if (idempotency_store_count_under(service->db, key->name, after_us,
	    &answers, fault) < 0 ||
	    session_store_count_under(service->db, key->name, now_us,
	    &sessions, fault) < 0)
		return -1;
	left->answers += answers;
	left->sessions += sessions;
	return 0;
}

/* Under a key that the file does not hold any more nothing can be used: that
   needs no key. */
int
key_service_list_left(struct service *service, key_left *row, void *ctx,
    struct key_others_left *left_r, struct fault *fault)
{
	const struct crypto_keys *keys = &service->settings->keys;
	struct left left = { row, ctx, clock_wall_us() };
	unsigned i;

	fault_clear(fault);
	memset(left_r, 0, sizeof(*left_r));
	for (i = 1; i < keys->n; i++)
		if (api_key_store_list_under(service->db, keys->key[i].name,
		    left_row, &left, fault) < 0 ||
		    count_others(service, &keys->key[i], left.now_us, left_r,
		    fault) < 0)
			return fault_prefix(fault, "what needs an older key");
	return 0;
}
