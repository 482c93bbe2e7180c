/* SPDX-License-Identifier: MIT */
/* Users out of a tenant, a page of rows at a time: while a page is given out
   no statement is open, so a slow reader holds nothing up. */
#include "config.h"

#include "wuts/user_transfer_service.h"

#include "connection_private.h"
#include "user_detail_private.h"
#include "wuts/arena.h"
#include "wuts/connection_store.h"
#include "wuts/fault.h"
#include "wuts/second_factor_store.h"
#include "wuts/settings.h"

#include <string.h>

#define PAGE 100
#define PASSKEYS_MAX 1000

struct export_page {
	size_t n;
	struct user users[PAGE];
};

static int
take_user(void *ctx, const struct user *user,
    const uint8_t token_sealed[USER_TOKEN_SEALED_LEN], struct fault *fault)
{
	struct export_page *page = ctx;

	(void)token_sealed;
	(void)fault;
	page->users[page->n++] = *user;
	return 0;
}

struct passkey_taking {
	struct arena *arena;
	struct user_transfer *user;
};

static int
take_passkey(void *ctx, const struct passkey *passkey, struct fault *fault)
{
	struct passkey_taking *taking = ctx;
	struct user_transfer *user = taking->user;
	struct passkey *more;

	(void)fault;
	if (user->npasskeys == PASSKEYS_MAX)
		return 0;
	more = arena_alloc(taking->arena,
	    (user->npasskeys + 1) * sizeof(*more));
	if (user->npasskeys > 0)
		memcpy(more, user->passkeys, user->npasskeys * sizeof(*more));
	more[user->npasskeys++] = *passkey;
	user->passkeys = more;
	return 0;
}

/* --- secrets --- */

struct token_taking {
	const struct crypto_keys *keys;
	struct arena *arena;
	struct user_details *details;
	size_t n;
};

static int
take_tokens(void *ctx, const struct connection_row *row, struct fault *fault)
{
	struct token_taking *taking = ctx;
	const struct uuid *id = &row->connection.id;
	struct connection *kept;
	unsigned key;

	/* Both lists are in the same order; one may have grown meanwhile. */
	if (taking->n == taking->details->nconnections)
		return 0;
	kept = &taking->details->connections[taking->n++];
	if (!uuid_is_equal(&kept->id, id))
		return 0;
	if (!connection_open(taking->keys, taking->arena, id,
	    CONNECTION_ACCESS, row->access_sealed, row->access_sealed_len,
	    &kept->access_token, &key) ||
	    !connection_open(taking->keys, taking->arena, id,
	    CONNECTION_REFRESH, row->refresh_sealed, row->refresh_sealed_len,
	    &kept->refresh_token, &key))
		return fault_set(fault, FAULT_INTERNAL,
		    "the tokens of a connection do not open: is this the "
		    "installation key they were sealed with?");
	return 0;
}

static int
open_authenticator(struct service *service, struct arena *arena,
    const struct user *user, struct user_transfer *transfer,
    struct fault *fault)
{
	uint8_t secret[AUTHENTICATOR_SEALED_MAX];
	char text[TOTP_TEXT_MAX + 1];
	struct authenticator row;
	int found;

	found = authenticator_store_find(service->db, arena, &user->tenant_id,
	    &user->id, &row, fault);
	if (found != 1)
		return found;
	if (row.sealed_len < CRYPTO_SEAL_OVERHEAD ||
	    !crypto_open(&service->settings->keys, row.id.b, sizeof(row.id.b),
	    row.sealed, row.sealed_len, secret))
		return fault_set(fault, FAULT_INTERNAL,
		    "the secret of an authenticator does not open: is this "
		    "the installation key it was sealed with?");
	transfer->otp_secret = arena_strdup(arena, totp_secret_format(secret,
	    row.sealed_len - CRYPTO_SEAL_OVERHEAD, text));
	transfer->otp_account = row.account;
	crypto_wipe(secret, sizeof(secret));
	crypto_wipe(text, sizeof(text));
	return 0;
}

static int
load_secrets(struct service *service, struct arena *arena,
    const struct user *user, struct user_transfer *transfer,
    struct fault *fault)
{
	struct token_taking taking = {
		.keys = &service->settings->keys,
		.arena = arena,
		.details = &transfer->details
	};
	char *hash = arena_alloc(arena, CRYPTO_PASSWORD_HASH_MAX);
	int found;

	found = user_store_find_hash(service->db, &user->tenant_id, &user->id,
	    hash, fault);
	if (found < 0)
		return fault_prefix(fault, "find password");
	if (found == 1 && hash[0] != '\0')
		transfer->password_hash = hash;
	if (connection_store_list(service->db, arena, &user->tenant_id,
	    &user->id, take_tokens, &taking, fault) < 0)
		return fault_prefix(fault, "list tokens");
	if (open_authenticator(service, arena, user, transfer, fault) < 0)
		return fault_prefix(fault, "find authenticator");
	return 0;
}

/* --- all --- */

static int
export_user(struct service *service, struct arena *arena,
    const struct user *user, bool with_secrets, user_transfer_row *row,
    void *ctx, struct fault *fault)
{
	struct user_transfer transfer;
	struct passkey_taking taking = { arena, &transfer };

	memset(&transfer, 0, sizeof(transfer));
	if (details_read(service, arena, user, &transfer.details, fault) < 0)
		return -1;
	if (passkey_store_list(service->db, arena, &user->tenant_id,
	    &user->id, take_passkey, &taking, fault) < 0)
		return fault_prefix(fault, "list passkeys");
	if (with_secrets && load_secrets(service, arena, user, &transfer,
	    fault) < 0)
		return -1;
	return row(ctx, &transfer, fault);
}

int
user_transfer_service_export(struct service *service,
    const struct caller *caller, const struct uuid *tenant_id,
    const struct uuid *after, bool with_secrets, user_transfer_row *row,
    void *ctx, struct fault *fault)
{
	struct arena *arena, *of_page;
	struct export_page *page;
	struct uuid last = *after;
	int ret;

	fault_clear(fault);
	if (!identity_is_super(&caller->identity))
		return service_refuse_forbidden(fault);
	if (service_check_tenant(service, tenant_id, fault) < 0)
		return -1;
	arena = arena_new();
	of_page = arena_new();
	page = arena_alloc(of_page, sizeof(*page));
	do {
		page->n = 0;
		ret = user_store_list(service->db, tenant_id, &last, PAGE,
		    take_user, page, fault);
		for (size_t i = 0; ret == 0 && i < page->n; i++) {
			arena_reset(arena);
			ret = export_user(service, arena, &page->users[i],
			    with_secrets, row, ctx, fault);
			last = page->users[i].id;
		}
	} while (ret == 0 && page->n == PAGE);
	arena_free(&arena);
	arena_free(&of_page);
	return ret < 0 ? fault_prefix(fault, "export users") : 0;
}
