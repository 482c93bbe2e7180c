/* SPDX-License-Identifier: MIT */
/* A user's accounts at identity providers. Their tokens are sealed at rest and
   leave only where the tenant has asked for it. */
#include "config.h"

#include "wuts/connection_service.h"

#include "connection_private.h"
#include "user_detail_private.h"
#include "wuts/arena.h"
#include "wuts/connection_store.h"
#include "wuts/fault.h"
#include "wuts/settings.h"
#include "wuts/user_policy_store.h"

#include <string.h>

/* A token's ciphertext belongs to its row and its place in it. */
#define AAD_LEN 17

static void
make_aad(const struct uuid *id, char which, uint8_t aad_r[AAD_LEN])
{
	memcpy(aad_r, id->b, sizeof(id->b));
	aad_r[AAD_LEN - 1] = (uint8_t)which;
}

size_t
connection_seal(const struct crypto_keys *keys, struct arena *arena,
    const struct uuid *id, char which, const char *token,
    const uint8_t **sealed_r)
{
	size_t len = strlen(token);
	uint8_t aad[AAD_LEN], *sealed;

	*sealed_r = NULL;
	if (len == 0)
		return 0;
	make_aad(id, which, aad);
	sealed = arena_alloc(arena, len + CRYPTO_SEAL_OVERHEAD);
	crypto_seal(keys, aad, sizeof(aad), token, len, sealed);
	*sealed_r = sealed;
	return len + CRYPTO_SEAL_OVERHEAD;
}

bool
connection_open(const struct crypto_keys *keys, struct arena *arena,
    const struct uuid *id, char which, const uint8_t *sealed, size_t len,
    const char **token_r, unsigned *key_r)
{
	uint8_t aad[AAD_LEN];
	char *token;

	*token_r = "";
	*key_r = 0;
	if (len == 0)
		return true;
	if (len < CRYPTO_SEAL_OVERHEAD)
		return false;
	make_aad(id, which, aad);
	token = arena_alloc(arena, len - CRYPTO_SEAL_OVERHEAD + 1);
	if (!crypto_open_which(keys, aad, sizeof(aad), sealed, len, token,
	    key_r))
		return false;
	*token_r = token;
	return true;
}

/* --- the list --- */

struct connection_view {
	const struct crypto_keys *keys;
	struct arena *arena;
	bool shows_tokens;
	connection_listed *row;
	void *ctx;
};

static int
view_row(void *ctx, const struct connection_row *row, struct fault *fault)
{
	const struct connection_view *view = ctx;
	struct connection connection = row->connection;
	char id[UUID_TEXT_LEN + 1];
	unsigned key;

	if (view->shows_tokens &&
	    (!connection_open(view->keys, view->arena, &connection.id,
	    CONNECTION_ACCESS, row->access_sealed, row->access_sealed_len,
	    &connection.access_token, &key) ||
	    !connection_open(view->keys, view->arena, &connection.id,
	    CONNECTION_REFRESH, row->refresh_sealed, row->refresh_sealed_len,
	    &connection.refresh_token, &key)))
		return fault_set(fault, FAULT_INTERNAL,
		    "the tokens of connection %s do not open: is this the "
		    "installation key they were sealed with?",
		    uuid_format(&connection.id, id));
	return view->row(view->ctx, &connection, fault);
}

int
connection_service_list(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *user_id,
    connection_listed *row, void *ctx, struct fault *fault)
{
	struct connection_view view = {
		.keys = &service->settings->keys,
		.arena = arena,
		.row = row,
		.ctx = ctx
	};
	struct user_policy policy;
	struct user user;

	fault_clear(fault);
	if (details_find(service, caller, user_id, &user, fault) < 0)
		return -1;
	if (user_policy_store_find(service->db, &user.tenant_id, &policy,
	    fault) < 0)
		return fault_prefix(fault, "may tokens be seen");
	view.shows_tokens = policy.expose_provider_tokens;
	if (connection_store_list(service->db, arena, &user.tenant_id,
	    &user.id, view_row, &view, fault) < 0)
		return fault_prefix(fault, "list connections");
	return 0;
}

/* --- delete --- */

struct connection_deletion {
	struct arena *arena;
	const struct uuid *user_id;
	const struct uuid *id;
};

static int
delete_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct connection_deletion *deletion = ctx;
	char id[UUID_TEXT_LEN + 1];
	struct user user;
	int deleted;

	if (details_begin(change, deletion->user_id, &user, fault) < 0)
		return -1;
	deleted = connection_store_delete(change->db, &change->tenant_id,
	    &user.id, deletion->id, fault);
	if (deleted < 0)
		return fault_prefix(fault, "delete");
	if (deleted == 0)
		return details_refuse_unknown("connection", fault);
	if (details_audit(change, "user.connection_deleted", &user.id,
	    "connection_id", uuid_format(deletion->id, id), fault) < 0)
		return -1;
	return details_emit_updated(change, deletion->arena, &user, fault);
}

int
connection_service_delete(struct service *service,
    const struct caller *caller, const struct uuid *user_id,
    const struct uuid *id, struct fault *fault)
{
	struct connection_deletion deletion = {
		.arena = arena_new(),
		.user_id = user_id,
		.id = id
	};
	char text[UUID_TEXT_LEN + 1];
	int ret;

	fault_clear(fault);
	ret = details_run(service, caller, delete_body, &deletion, fault);
	arena_free(&deletion.arena);
	return ret < 0 ? fault_prefix(fault, "delete connection %s",
	    uuid_format(id, text)) : 0;
}
