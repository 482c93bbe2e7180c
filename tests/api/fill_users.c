/* SPDX-License-Identifier: MIT */
/* Fills a tenant with users faster than the API would: the rows are those that
   it makes, in few transactions and with one password's hash for all. Prints
   each user's id and token.
   Usage: fill_users CONFIG TENANT_ID COUNT */
#include "config.h"

#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/db.h"
#include "wuts/fault.h"
#include "wuts/settings.h"
#include "wuts/user.h"
#include "wuts/user_store.h"
#include "wuts/uuid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 5000

struct batch {
	const struct settings *settings;
	const char *password_hash;
	struct uuid tenant_id;
	unsigned first, n;
	char (*lines)[2 * UUID_TEXT_LEN + 2];
};

static void
die(const char *what, const struct fault *fault)
{
	fprintf(stderr, "fill_users: %s: %s\n", what, fault->text);
	exit(1);
}

static void
make_token(const struct crypto_keys *keys, const struct uuid *user_id,
    char text[UUID_TEXT_LEN + 1], struct user_token *token_r)
{
	struct uuid token;

	uuid_new_random(&token);
	uuid_format(&token, text);
	crypto_hmac_sha256(keys->key[0].lookup, sizeof(keys->key[0].lookup),
	    text, UUID_TEXT_LEN, token_r->hash);
	crypto_seal(keys, user_id->b, sizeof(user_id->b), text,
	    UUID_TEXT_LEN, token_r->sealed);
}

static int
insert(struct db *db, struct batch *batch, unsigned i, struct fault *fault)
{
	struct user user = {
		.tenant_id = batch->tenant_id,
		.role = ROLE_USER,
		.active = true,
		.created_us = clock_wall_us()
	};
	char id[UUID_TEXT_LEN + 1], text[UUID_TEXT_LEN + 1];
	struct user_token token;

	user.updated_us = user.created_us;
	uuid_new_ordered(&user.id);
	snprintf(user.email, sizeof(user.email), "user%u@example.com",
	    batch->first + i);
	make_token(&batch->settings->keys, &user.id, text, &token);
	snprintf(batch->lines[i], sizeof(batch->lines[i]), "%s %s",
	    uuid_format(&user.id, id), text);
	return user_store_insert(db, &user, batch->password_hash, &token,
	    NULL, fault);
}

static int
fill(struct db *db, void *ctx, struct fault *fault)
{
	struct batch *batch = ctx;
	unsigned i;
	int inserted;

	for (i = 0; i < batch->n; i++) {
		inserted = insert(db, batch, i, fault);
		if (inserted == 0)
			fault_set(fault, FAULT_INTERNAL, "user %u is there",
			    batch->first + i);
		if (inserted != 1)
			return -1;
	}
	return 0;
}

static void
fill_all(struct batch *batch, unsigned count)
{
	struct db *db = db_new(batch->settings);
	struct fault fault;
	unsigned i;

	fault_clear(&fault);
	for (; batch->first < count; batch->first += batch->n) {
		batch->n = count - batch->first < BATCH ?
		    count - batch->first : BATCH;
		if (tx_run(db, fill, NULL, batch, &fault) != TX_COMMITTED)
			die("insert", &fault);
		for (i = 0; i < batch->n; i++)
			puts(batch->lines[i]);
	}
	db_free(&db);
}

int
main(int argc, char **argv)
{
	static char lines[BATCH][2 * UUID_TEXT_LEN + 2];
	char password_hash[CRYPTO_PASSWORD_HASH_MAX];
	struct batch batch = { .lines = lines };
	struct settings *settings;
	struct fault fault;

	fault_clear(&fault);
	if (argc != 4 || !uuid_parse(argv[2], strlen(argv[2]),
	    &batch.tenant_id)) {
		fprintf(stderr, "usage: fill_users CONFIG TENANT_ID COUNT\n");
		return 2;
	}
	if (settings_load(&settings, argv[1], &fault) < 0)
		die("settings", &fault);
	crypto_password_hash("long enough", settings->password_memory_kib,
	    settings->password_passes, password_hash);
	batch.settings = settings;
	batch.password_hash = password_hash;
	fill_all(&batch, (unsigned)strtoul(argv[3], NULL, 10));
	settings_free(&settings);
	return 0;
}
