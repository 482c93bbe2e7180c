/* SPDX-License-Identifier: MIT */
/* Writes under the first installation key what hangs on users and is sealed
   under another: the secrets of authenticators and the tokens of connections.
   A batch is one transaction under its tenant's lock, as in key.c. */
#include "config.h"

#include "connection_private.h"
#include "key_private.h"
#include "service_private.h"
#include "wuts/arena.h"
#include "wuts/connection_store.h"
#include "wuts/db.h"
#include "wuts/fault.h"
#include "wuts/key_service.h"
#include "wuts/second_factor_store.h"
#include "wuts/settings.h"
#include "wuts/tenant.h"
#include "wuts/tenant_store.h"

#include <string.h>

#define BATCH 200

/* A tenant's rows of one kind, a batch at a time. */
struct detail_batch {
	const struct crypto_keys *keys;
	const struct uuid *tenant_id;
	struct uuid after;
	struct arena *arena;
	size_t n;
	struct authenticator authenticators[BATCH];
	struct connection_row connections[BATCH];
	uint64_t sealed, lost;
};

/* 0: the tenant was deleted meanwhile, and all its rows with it. */
static int
begin(struct detail_batch *batch, struct db *db, struct fault *fault)
{
	struct tenant tenant;

	batch->n = 0;
	batch->sealed = batch->lost = 0;
	arena_reset(batch->arena);
	return tenant_store_lock(db, batch->tenant_id, &tenant, fault);
}

/* --- authenticators --- */

static int
take_authenticator(void *ctx, const struct authenticator *authenticator,
    struct fault *fault)
{
	struct detail_batch *batch = ctx;

	(void)fault;
	batch->authenticators[batch->n++] = *authenticator;
	return 0;
}

static int
reseal_authenticator(struct detail_batch *batch, struct db *db,
    struct authenticator *row, struct fault *fault)
{
	uint8_t secret[AUTHENTICATOR_SEALED_MAX];
	unsigned which;

	if (row->sealed_len < CRYPTO_SEAL_OVERHEAD ||
	    !crypto_open_which(batch->keys, row->id.b, sizeof(row->id.b),
	    row->sealed, row->sealed_len, secret, &which)) {
		batch->lost++;
		return 0;
	}
	if (which != 0)
		crypto_seal(batch->keys, row->id.b, sizeof(row->id.b), secret,
		    row->sealed_len - CRYPTO_SEAL_OVERHEAD, row->sealed);
	crypto_wipe(secret, sizeof(secret));
	if (which == 0)
		return 0;
	batch->sealed++;
	return authenticator_store_reseal(db, row, fault);
}

static int
reseal_authenticators(struct db *db, void *ctx, struct fault *fault)
{
	struct detail_batch *batch = ctx;
	int found;

	found = begin(batch, db, fault);
	if (found != 1)
		return found;
	if (authenticator_store_list(db, batch->arena, batch->tenant_id,
	    &batch->after, BATCH, take_authenticator, batch, fault) < 0)
		return fault_prefix(fault, "list authenticators");
	for (size_t i = 0; i < batch->n; i++)
		if (reseal_authenticator(batch, db,
		    &batch->authenticators[i], fault) < 0)
			return fault_prefix(fault, "update authenticator");
	return 0;
}

/* --- connections --- */

static int
take_connection(void *ctx, const struct connection_row *row,
    struct fault *fault)
{
	struct detail_batch *batch = ctx;
	struct connection_row *kept = &batch->connections[batch->n++];

	(void)fault;
	*kept = *row;
	kept->access_sealed = arena_memdup(batch->arena,
	    row->access_sealed_len > 0 ? row->access_sealed :
	    (const uint8_t *)"", row->access_sealed_len);
	kept->refresh_sealed = arena_memdup(batch->arena,
	    row->refresh_sealed_len > 0 ? row->refresh_sealed :
	    (const uint8_t *)"", row->refresh_sealed_len);
	return 0;
}

/* One of the two tokens. True: it is sealed anew. */
static bool
reseal_token(struct detail_batch *batch, const struct uuid *id, char which,
    const uint8_t **sealed, size_t len)
{
	const char *token;
	unsigned key;

	if (!connection_open(batch->keys, batch->arena, id, which, *sealed,
	    len, &token, &key)) {
		batch->lost++;
		return false;
	}
	if (len == 0 || key == 0)
		return false;
	(void)connection_seal(batch->keys, batch->arena, id, which, token,
	    sealed);
	batch->sealed++;
	return true;
}

static int
reseal_connections(struct db *db, void *ctx, struct fault *fault)
{
	struct detail_batch *batch = ctx;
	struct connection_row *row;
	bool is_new;
	int found;

	found = begin(batch, db, fault);
	if (found != 1)
		return found;
	if (connection_store_list_of_tenant(db, batch->arena,
	    batch->tenant_id, &batch->after, BATCH, take_connection, batch,
	    fault) < 0)
		return fault_prefix(fault, "list connections");
	for (size_t i = 0; i < batch->n; i++) {
		row = &batch->connections[i];
		is_new = reseal_token(batch, &row->connection.id,
		    CONNECTION_ACCESS, &row->access_sealed,
		    row->access_sealed_len);
		is_new |= reseal_token(batch, &row->connection.id,
		    CONNECTION_REFRESH, &row->refresh_sealed,
		    row->refresh_sealed_len);
		if (is_new && connection_store_reseal(db, row, fault) < 0)
			return fault_prefix(fault, "update connection");
	}
	return 0;
}

/* --- both --- */

static int
reseal_all(struct service *service, struct detail_batch *batch, tx_body *body,
    struct key_reseal *total, struct fault *fault)
{
	batch->after = UUID_NIL;
	do {
		if (tx_run(service->db, body, NULL, batch, fault) !=
		    TX_COMMITTED)
			return -1;
		total->secrets += batch->sealed;
		total->lost += batch->lost;
		if (batch->n > 0)
			batch->after = body == reseal_connections ?
			    batch->connections[batch->n - 1].connection.id :
			    batch->authenticators[batch->n - 1].id;
	} while (batch->n == BATCH);
	return 0;
}

int
key_reseal_details(struct service *service, const struct uuid *tenant_id,
    struct key_reseal *total, struct fault *fault)
{
	struct arena *arena = arena_new();
	struct detail_batch *batch = arena_alloc(arena, sizeof(*batch));
	int ret;

	batch->keys = &service->settings->keys;
	batch->tenant_id = tenant_id;
	batch->arena = arena_new();
	ret = reseal_all(service, batch, reseal_authenticators, total, fault);
	if (ret == 0)
		ret = reseal_all(service, batch, reseal_connections, total,
		    fault);
	arena_free(&batch->arena);
	arena_free(&arena);
	return ret;
}
