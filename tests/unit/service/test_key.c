/* SPDX-License-Identifier: MIT */
/* The installation key changes while everything goes on, and what the database
   holds is of no use without it. */
#include "config.h"

#include "world.h"

#include "wuts/api_key_service.h"
#include "wuts/arena.h"
#include "wuts/crypto.h"
#include "wuts/idempotency_service.h"
#include "wuts/key_service.h"
#include "wuts/strbuf.h"
#include "wuts/webhook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WEBHOOK_SECRET "a-secret-to-be-found-nowhere"

struct things {
	struct world_cast cast;
	struct api_key key;
	char key_text[API_KEY_TEXT_LEN + 1];
	struct webhook_scope scope;
};

static void
make_webhook(struct world *w, struct things *things)
{
	const char *events[] = { "*" };
	struct webhook_input input = {
		.url = "https://example.com/hook",
		.events = events,
		.nevents = 1,
		.enabled = true,
		.retry_attempts = 3,
		.timeout_s = 30,
		.max_concurrency = 16,
		.secret = WEBHOOK_SECRET
	};
	struct webhook webhook;
	const char *generated;

	memset(&things->scope, 0, sizeof(things->scope));
	things->scope.tenant_id = things->cast.tenant.tenant.id;
	assert_ok(w, webhook_service_configure(w->service, w->arena,
	    &w->master, &things->scope, &input, NULL, &webhook, &generated,
	    &w->fault));
}

static void
make_things(struct world *w, struct things *things)
{
	struct api_key_input input = { .name = "k" };

	world_cast(w, &things->cast, "Acme");
	input.tenant_id = things->cast.tenant.tenant.id;
	assert_ok(w, api_key_service_create(w->service, &w->master, &input,
	    &things->key, things->key_text, &w->fault));
	make_webhook(w, things);
}

static int
find(struct world *w, struct service *service, const char *text)
{
	struct identity identity;

	fault_clear(&w->fault);
	return identity_service_find(service, text, strlen(text), &identity,
	    &w->fault);
}

/* Keys of which each byte is this number, as a process started with them. */
static struct service *
service_with(struct world *w, struct settings *settings, unsigned first,
    unsigned second)
{
	struct service *service = NULL;
	unsigned numbers[2] = { first, second }, i;

	*settings = w->settings;
	settings->keys.n = second != 0 ? 2 : 1;
	for (i = 0; i < settings->keys.n; i++)
		memset(&settings->keys.key[i], (int)numbers[i],
		    sizeof(settings->keys.key[i]));
	assert_ok(w, service_open(&service, settings, &w->fault));
	return service;
}

static bool
secret_opens(struct world *w, const struct settings *settings)
{
	uint8_t id[WEBHOOK_ID_LEN], sealed[512], plain[512];
	const char *hex = world_text(w, "SELECT HEX(IFNULL("
	    "old_secret_sealed, secret_sealed)) FROM webhook");
	const char *id_hex = world_text(w, "SELECT HEX(id) FROM webhook");
	size_t len = strlen(hex) / 2;

	assert_true(crypto_unhex(hex, 2 * len, sealed));
	assert_true(crypto_unhex(id_hex, strlen(id_hex), id));
	if (!crypto_open(&settings->keys, id, sizeof(id), sealed, len, plain))
		return false;
	assert_int_equal(len - CRYPTO_SEAL_OVERHEAD, strlen(WEBHOOK_SECRET));
	assert_memory_equal(plain, WEBHOOK_SECRET, strlen(WEBHOOK_SECRET));
	return true;
}

struct shown {
	unsigned n;
	char token[UUID_TEXT_LEN + 1];	/* the target's */
	const struct uuid *target_id;
};

static int
note_user(void *ctx, const struct user *user, const char *token,
    struct fault *fault)
{
	struct shown *shown = ctx;

	(void)fault;
	shown->n++;
	if (uuid_is_equal(&user->id, shown->target_id))
		snprintf(shown->token, sizeof(shown->token), "%s", token);
	return 0;
}

static void
assert_everything_works(struct world *w, struct service *service,
    const struct settings *settings, const struct things *things)
{
	struct shown shown = { .target_id = &things->cast.target.user.id };
	const char *next;
	int i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(find(w, service, things->cast.target.token),
		    1);
		assert_int_equal(find(w, service, things->key_text), 1);
	}
	assert_ok(w, user_service_list(service, w->arena,
	    &things->cast.tenant.tenant.id, NULL, 0, note_user, &shown,
	    &next, &w->fault));
	assert_int_equal(shown.n, 5);
	assert_string_equal(shown.token, things->cast.target.token);
	assert_true(secret_opens(w, settings));
}

/* The secret that is looked for is the old one from now on. */
static void
rotate_secret(struct world *w, const struct things *things)
{
	struct webhook_scope scope = {
		.tenant_id = things->cast.tenant.tenant.id,
	};
	struct webhook webhook;
	const char *secret;

	assert_ok(w, webhook_service_rotate_secret(w->service, w->arena,
	    &w->master, &scope, NULL, &webhook, &secret, &w->fault));
}

static struct key_reseal
reseal(struct world *w, struct service *service)
{
	struct key_reseal result;

	assert_ok(w, key_service_reseal(service, NULL, NULL, &result,
	    &w->fault));
	return result;
}

static void
key_changes_in_steps_while_everything_works(void **state)
{
	struct world *w = *state;
	struct settings old_set, added_set, swapped_set, new_set;
	struct service *added, *swapped, *final;
	struct key_reseal result;
	struct things things;
	struct user_registered later;

	make_things(w, &things);
	rotate_secret(w, &things);
	old_set = w->settings;
	/* Step 1: processes that know both, beside one that does not yet. */
	added = service_with(w, &added_set, 1, 2);
	assert_everything_works(w, w->service, &old_set, &things);
	assert_everything_works(w, added, &added_set, &things);
	/* Step 2: the new one writes; all others know it. */
	service_close(&w->service);
	swapped = service_with(w, &swapped_set, 2, 1);
	assert_everything_works(w, swapped, &swapped_set, &things);
	assert_everything_works(w, added, &added_set, &things);
	w->service = swapped;
	world_user(w, &things.cast.tenant.tenant.id, "l@example.com",
	    ROLE_USER, &later);
	w->service = NULL;
	assert_int_equal(find(w, added, later.token), 1);
	assert_ok(w, user_service_delete(added, &w->master, &later.user.id,
	    NULL, &w->fault));
	service_close(&added);
	/* Step 3: all is written anew; the API key is, when it is used. */
	assert_int_equal(find(w, swapped, things.key_text), 1);
	result = reseal(w, swapped);
	assert_int_equal(result.tokens, 5);
	assert_int_equal(result.secrets, 2);
	assert_int_equal(result.headers, 1);
	assert_int_equal(result.lost, 0);
	assert_int_equal(result.api_keys, 0);
	assert_everything_works(w, swapped, &swapped_set, &things);
	service_close(&swapped);
	/* The old key is gone. */
	final = service_with(w, &new_set, 2, 0);
	assert_everything_works(w, final, &new_set, &things);
	result = reseal(w, final);
	assert_int_equal(result.tokens + result.secrets + result.lost, 0);
	w->service = final;
}

static void
assert_header(struct world *w, struct service *service,
    const struct things *things, const char *value)
{
	struct webhook webhook;

	assert_ok(w, webhook_service_get(service, w->arena, &things->scope,
	    &webhook, &w->fault));
	assert_int_equal(webhook.nheaders, 1);
	assert_string_equal(webhook.headers[0].value, value);
}

/* As a release has left them that knew no other way. */
static void
headers_in_plain_are_read_and_sealed_with_the_rest(void **state)
{
	struct world *w = *state;
	struct settings swapped_set, new_set;
	struct service *swapped, *final;
	struct things things;

	make_things(w, &things);
	world_sql(w, "UPDATE webhook SET headers_sealed = NULL,"
	    " headers = '{\"X-Key\":\"in plain\"}'");
	assert_header(w, w->service, &things, "in plain");
	swapped = service_with(w, &swapped_set, 2, 1);
	assert_int_equal(reseal(w, swapped).headers, 1);
	assert_string_equal(world_text(w, "SELECT headers FROM webhook"),
	    "{}");
	assert_int_equal(reseal(w, swapped).headers, 0);
	service_close(&swapped);
	final = service_with(w, &new_set, 2, 0);
	assert_header(w, final, &things, "in plain");
	service_close(&final);
}

static void
rotating_the_secret_seals_headers_in_plain(void **state)
{
	struct world *w = *state;
	struct things things;

	make_things(w, &things);
	world_sql(w, "UPDATE webhook SET headers_sealed = NULL,"
	    " headers = '{\"X-Key\":\"in plain\"}'");
	rotate_secret(w, &things);
	assert_string_equal(world_text(w, "SELECT headers FROM webhook"),
	    "{}");
	assert_header(w, w->service, &things, "in plain");
}

static void
resealing_changes_no_time_and_no_trail(void **state)
{
	struct world *w = *state;
	struct settings set;
	struct service *service;
	struct things things;
	long rows;

	make_things(w, &things);
	world_sql(w, "CREATE TABLE before_it AS SELECT id, updated_at"
	    " FROM users");
	rows = world_number(w, "SELECT COUNT(*) FROM audit");
	service = service_with(w, &set, 2, 1);
	assert_int_equal(reseal(w, service).tokens, 5);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM users"
	    " JOIN before_it USING (id, updated_at)"), 5);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"), rows);
	world_sql(w, "DROP TABLE before_it");
	service_close(&service);
}

static void
keys_that_nobody_uses_are_counted_until_they_are_used(void **state)
{
	struct world *w = *state;
	struct settings set;
	struct service *service;
	struct things things;

	make_things(w, &things);
	service = service_with(w, &set, 2, 1);
	assert_int_equal(reseal(w, service).api_keys, 1);
	assert_int_equal(reseal(w, service).api_keys, 1);
	assert_int_equal(find(w, service, things.key_text), 1);
	assert_int_equal(reseal(w, service).api_keys, 0);
	service_close(&service);
}

static void
what_no_key_opens_is_counted_and_left_alone(void **state)
{
	struct world *w = *state;
	struct settings set;
	struct service *service;
	struct key_reseal result;
	struct things things;

	make_things(w, &things);
	service = service_with(w, &set, 7, 8);
	result = reseal(w, service);
	assert_int_equal(result.tokens + result.secrets, 0);
	assert_int_equal(result.lost, 7);
	service_close(&service);
	assert_everything_works(w, w->service, &w->settings, &things);
}

struct said {
	unsigned n;
	uint64_t last;
};

static void
note_said(void *ctx, const struct key_reseal *so_far)
{
	struct said *said = ctx;

	assert_true(so_far->tokens >= said->last);
	said->last = so_far->tokens;
	said->n++;
}

/* 450 users are three batches; another process rotates tokens meanwhile. */
static void
many_rows_go_in_batches_and_progress_is_told(void **state)
{
	struct world *w = *state;
	struct said said = { .n = 0 };
	struct key_reseal result;
	struct settings set;
	struct service *service;
	struct things things;
	struct user_registered user;
	char email[32];
	int i;

	make_things(w, &things);
	for (i = 0; i < 445; i++) {
		snprintf(email, sizeof(email), "n%d@example.com", i);
		world_user(w, &things.cast.tenant.tenant.id, email, ROLE_USER,
		    &user);
	}
	service = service_with(w, &set, 2, 1);
	assert_ok(w, key_service_reseal(service, note_said, &said, &result,
	    &w->fault));
	assert_int_equal(result.tokens, 450);
	assert_int_equal(said.last, 450);
	assert_int_equal(said.n, 4);
	assert_int_equal(find(w, service, user.token), 1);
	service_close(&service);
}

/* --- the dump --- */

/* Every value of every row of every table, byte by byte. */
static void
dump_table(struct world *w, const char *table, struct strbuf *dump)
{
	MYSQL_RES *result;
	MYSQL_ROW row;
	unsigned i;

	world_sql(w, "SELECT * FROM `%s`", table);
	result = mysql_store_result(w->sql);
	assert_non_null(result);
	while ((row = mysql_fetch_row(result)) != NULL) {
		const unsigned long *lens = mysql_fetch_lengths(result);

		for (i = 0; i < mysql_num_fields(result); i++) {
			if (row[i] != NULL)
				strbuf_append(dump, row[i], lens[i]);
			strbuf_append_char(dump, '\n');
		}
	}
	mysql_free_result(result);
}

static void
take_dump(struct world *w, struct strbuf *dump)
{
	const char *name = "";

	while ((name = world_text(w, "SELECT MIN(table_name) FROM"
	    " information_schema.tables WHERE table_schema = '%s'"
	    " AND table_name > '%s'", w->database, name)) != NULL)
		dump_table(w, name, dump);
}

static bool
is_in(const struct strbuf *dump, const void *data, size_t len)
{
	return memmem(dump->data, dump->len, data, len) != NULL;
}

static void
assert_bytes_not_in(const struct strbuf *dump, const void *data, size_t len,
    const char *what)
{
	char hex[2 * 256 + 1];
	size_t i;

	assert_true(len <= 256);
	crypto_hex(data, len, hex);
	if (is_in(dump, data, len) || is_in(dump, hex, 2 * len))
		fail_msg("the database holds %s", what);
	for (i = 0; hex[i] != '\0'; i++)
		if (hex[i] >= 'a')
			hex[i] = (char)(hex[i] - 'a' + 'A');
	if (is_in(dump, hex, 2 * len))
		fail_msg("the database holds %s", what);
}

static void
assert_not_in(const struct strbuf *dump, const char *text)
{
	uint8_t hash[CRYPTO_HASH_LEN];

	assert_bytes_not_in(dump, text, strlen(text), text);
	crypto_sha256(text, strlen(text), hash);
	assert_bytes_not_in(dump, hash, sizeof(hash), "a plain hash");
}

static void
render_token(void *ctx, struct idempotency_answer *answer_r)
{
	const struct user_registered *result = ctx;

	answer_r->status = 201;
	answer_r->text = result->token;
	answer_r->len = strlen(result->token);
}

static void
database_holds_nothing_that_opens(void **state)
{
	static const char key[] = "the-idempotency-key-1";
	struct world *w = *state;
	char rotated[UUID_TEXT_LEN + 1];
	struct idempotency_answer answer;
	struct idempotency idempotency;
	struct user_registered user;
	struct reply reply = { &idempotency, render_token, &user };
	struct user_registration input = {
		.email = "new@example.com",
		.password = "another horse battery"
	};
	struct caller caller = w->master;
	struct things things;
	struct strbuf dump = STRBUF_INIT;
	int role;

	make_things(w, &things);
	input.tenant_id = things.cast.tenant.tenant.id;
	assert_int_equal(idempotency_service_begin(w->service, w->arena,
	    &caller, key, "/users", input.password, strlen(input.password),
	    &idempotency, &answer, &w->fault), 0);
	caller.reply = &reply;
	assert_ok(w, user_service_create(w->service, &caller, &input, &user,
	    &w->fault));
	assert_ok(w, user_service_rotate_token(w->service, &w->master,
	    &things.cast.target.user.id, rotated, &w->fault));
	assert_int_equal(find(w, w->service, things.key_text), 1);
	take_dump(w, &dump);
	/* All tables are in it. */
	assert_true(is_in(&dump, "new@example.com", 15));
	assert_true(is_in(&dump, "api_key.created", 15));
	assert_true(is_in(&dump, things.key.prefix, API_KEY_PREFIX_LEN));
	assert_true(is_in(&dump, idempotency.key_hash, CRYPTO_HASH_LEN));
	assert_not_in(&dump, user.token);
	assert_not_in(&dump, rotated);
	assert_not_in(&dump, things.cast.target.token);
	assert_not_in(&dump, things.cast.tenant.token);
	for (role = 0; role < ROLE_COUNT; role++)
		assert_not_in(&dump, things.cast.by_role[role].token);
	assert_not_in(&dump, things.key_text);
	assert_not_in(&dump, WEBHOOK_SECRET);
	assert_not_in(&dump, "correct horse battery");
	assert_not_in(&dump, input.password);
	assert_not_in(&dump, key);
	strbuf_deinit(&dump);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(key_changes_in_steps_while_everything_works),
		TEST(headers_in_plain_are_read_and_sealed_with_the_rest),
		TEST(rotating_the_secret_seals_headers_in_plain),
		TEST(resealing_changes_no_time_and_no_trail),
		TEST(keys_that_nobody_uses_are_counted_until_they_are_used),
		TEST(what_no_key_opens_is_counted_and_left_alone),
		TEST(many_rows_go_in_batches_and_progress_is_told),
		TEST(database_holds_nothing_that_opens),
	};

	return cmocka_run_group_tests_name("service/key", tests, NULL,
	    NULL);
}
