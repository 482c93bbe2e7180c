/* SPDX-License-Identifier: MIT */
/* Backup codes: made and shown once, kept as password hashes.

   A code is 8 of 62 characters, 47 bits: far more than a password that people
   choose, far less than a key, so it gets what a password gets, with the
   parameters of settings. A dozen hashes take a dozen times as long; they are
   made outside of the transaction, and a log-in pays for them only when it
   comes with something of the form of a code. */
#include "config.h"

#include "wuts/second_factor_service.h"

#include "second_factor_private.h"
#include "user_detail_private.h"
#include "wuts/fault.h"
#include "wuts/second_factor_store.h"
#include "wuts/settings.h"

#include <ctype.h>
#include <string.h>

#define HALF 4

static bool
is_letter(char c)
{
	return isalnum((unsigned char)c) != 0;
}

static void
make_code(char code_r[BACKUP_CODE_LEN + 1])
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	uint8_t random[16];
	size_t n = 0;

	while (n < BACKUP_CODE_LEN) {
		crypto_random(random, sizeof(random));
		for (size_t i = 0; i < sizeof(random) &&
		    n < BACKUP_CODE_LEN; i++) {
			/* 248 is four times 62; the rest would favour some. */
			if (random[i] >= 248)
				continue;
			if (n == HALF)
				code_r[n++] = '-';
			code_r[n++] = alphabet[random[i] % 62];
		}
	}
	code_r[n] = '\0';
	crypto_wipe(random, sizeof(random));
}

static bool
is_among(char codes[BACKUP_CODES][BACKUP_CODE_LEN + 1], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(codes[i], codes[n]) == 0)
			return true;
	return false;
}

static void
make_codes(char codes_r[BACKUP_CODES][BACKUP_CODE_LEN + 1])
{
	for (size_t i = 0; i < BACKUP_CODES; i++)
		do {
			make_code(codes_r[i]);
		} while (is_among(codes_r, i));
}

bool
backup_code_is_one(const char *text)
{
	for (size_t i = 0; i < BACKUP_CODE_LEN; i++)
		if (i == HALF ? text[i] != '-' : !is_letter(text[i]))
			return false;
	return text[BACKUP_CODE_LEN] == '\0';
}

/* --- renew --- */

struct code_renewal {
	const struct uuid *user_id;
	char hashes[BACKUP_CODES][CRYPTO_PASSWORD_HASH_MAX];
};

static int
renew_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct code_renewal *renewal = ctx;
	struct user user;
	struct uuid id;

	if (details_begin(change, renewal->user_id, &user, fault) < 0)
		return -1;
	if (backup_code_store_delete_all(change->db, &change->tenant_id,
	    &user.id, fault) < 0)
		return fault_prefix(fault, "delete backup codes");
	for (size_t i = 0; i < BACKUP_CODES; i++) {
		uuid_new_ordered(&id);
		if (backup_code_store_insert(change->db, &change->tenant_id,
		    &user.id, &id, renewal->hashes[i], change->now_us,
		    fault) < 0)
			return fault_prefix(fault, "insert backup code");
	}
	if (details_touch(change, &user, fault) < 0)
		return -1;
	return details_audit(change, "user.backup_codes_renewed", &user.id,
	    NULL, NULL, fault);
}

int
second_factor_service_renew_codes(struct service *service,
    const struct caller *caller, const struct uuid *user_id,
    char codes_r[BACKUP_CODES][BACKUP_CODE_LEN + 1], struct fault *fault)
{
	const struct settings *settings = service->settings;
	struct code_renewal renewal = { .user_id = user_id };
	struct user user;
	int ret;

	fault_clear(fault);
	if (details_find(service, caller, user_id, &user, fault) < 0)
		return -1;
	if (login_begin_hashes(service, fault) < 0)
		return -1;
	make_codes(codes_r);
	for (size_t i = 0; i < BACKUP_CODES; i++)
		crypto_password_hash(codes_r[i],
		    settings->password_memory_kib, settings->password_passes,
		    renewal.hashes[i]);
	login_end_hashes(service);
	ret = details_run(service, caller, renew_body, &renewal, fault);
	if (ret == 0)
		return 0;
	crypto_wipe(codes_r, BACKUP_CODES * (BACKUP_CODE_LEN + 1));
	return fault_prefix(fault, "renew backup codes");
}

/* --- use --- */

struct code_search {
	size_t n;
	struct uuid ids[BACKUP_CODES];
	char hashes[BACKUP_CODES][CRYPTO_PASSWORD_HASH_MAX];
};

static int
take_code(void *ctx, const struct uuid *id,
    const char hash[CRYPTO_PASSWORD_HASH_MAX], struct fault *fault)
{
	struct code_search *search = ctx;

	(void)fault;
	if (search->n == BACKUP_CODES)
		return 0;
	search->ids[search->n] = *id;
	memcpy(search->hashes[search->n++], hash, CRYPTO_PASSWORD_HASH_MAX);
	return 0;
}

int
backup_code_use(struct service *service, const struct uuid *tenant_id,
    const struct uuid *user_id, const char *code, struct fault *fault)
{
	struct code_search search = { .n = 0 };

	if (backup_code_store_list(service->db, tenant_id, user_id, take_code,
	    &search, fault) < 0)
		return fault_prefix(fault, "list backup codes");
	for (size_t i = 0; i < search.n; i++)
		if (crypto_password_verify(code, search.hashes[i]))
			return backup_code_store_delete(service->db,
			    tenant_id, user_id, &search.ids[i], fault);
	return 0;
}
