/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "wuts/webhook.h"

#include "wuts/arena.h"
#include "wuts/crypto.h"
#include "wuts/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct webhook_header some[] = {
	{ "X-Custom", "one \"two\" \\" }, { "Authorization", "Bearer abc" }
};

struct fixture {
	struct arena *arena;
	struct crypto_keys keys;
	struct webhook webhook;
	struct fault fault;
};

static int
set_up(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.arena = arena_new();
	f.keys.n = 1;
	memset(&f.keys.key[0], 1, sizeof(f.keys.key[0]));
	memset(f.webhook.id, 9, sizeof(f.webhook.id));
	f.webhook.headers = some;
	f.webhook.nheaders = 2;
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	arena_free(&f->arena);
	return 0;
}

static void
assert_some(const struct webhook *webhook)
{
	assert_int_equal(webhook->nheaders, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(webhook->headers[i].name, some[i].name);
		assert_string_equal(webhook->headers[i].value, some[i].value);
	}
}

static void
sealed_headers_open_in_their_order(void **state)
{
	struct fixture *f = *state;
	struct webhook *webhook = &f->webhook;

	webhook_headers_seal(webhook, f->arena, &f->keys);
	assert_null(memmem(webhook->headers_sealed,
	    webhook->headers_sealed_len, "Bearer", 6));
	webhook->headers = NULL;
	webhook->nheaders = 0;
	assert_int_equal(webhook_headers_open(webhook, f->arena, &f->keys,
	    &f->fault), 0);
	assert_some(webhook);
}

static void
plain_headers_need_no_key(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(webhook_headers_open(&f->webhook, f->arena, &f->keys,
	    &f->fault), 0);
	assert_some(&f->webhook);
}

static void
none_are_sealed_too(void **state)
{
	struct fixture *f = *state;
	struct webhook *webhook = &f->webhook;

	webhook->nheaders = 0;
	webhook_headers_seal(webhook, f->arena, &f->keys);
	assert_non_null(webhook->headers_sealed);
	assert_int_equal(webhook_headers_open(webhook, f->arena, &f->keys,
	    &f->fault), 0);
	assert_int_equal(webhook->nheaders, 0);
}

static void
headers_of_another_webhook_or_key_do_not_open(void **state)
{
	struct fixture *f = *state;
	struct webhook *webhook = &f->webhook;

	webhook_headers_seal(webhook, f->arena, &f->keys);
	webhook->id[0]++;
	assert_int_equal(webhook_headers_open(webhook, f->arena, &f->keys,
	    &f->fault), -1);
	assert_int_equal(f->fault.code, FAULT_INTERNAL);
	webhook->id[0]--;
	memset(&f->keys.key[0], 2, sizeof(f->keys.key[0]));
	assert_int_equal(webhook_headers_open(webhook, f->arena, &f->keys,
	    &f->fault), -1);
	webhook->headers_sealed_len = 3;
	assert_int_equal(webhook_headers_open(webhook, f->arena, &f->keys,
	    &f->fault), -1);
}

/* Both are sealed under the id; one is not the other. */
static void
a_secret_is_no_headers(void **state)
{
	static const char plain[] = "{\"X-A\":\"b\"}";
	struct fixture *f = *state;
	struct webhook *webhook = &f->webhook;
	uint8_t sealed[sizeof(plain) + CRYPTO_SEAL_OVERHEAD];

	crypto_seal(&f->keys, webhook->id, sizeof(webhook->id), plain,
	    strlen(plain), sealed);
	webhook->headers_sealed = sealed;
	webhook->headers_sealed_len = sizeof(sealed) - 1;
	assert_int_equal(webhook_headers_open(webhook, f->arena, &f->keys,
	    &f->fault), -1);
}

static void
only_what_is_plain_or_under_an_older_key_is_sealed_anew(void **state)
{
	struct fixture *f = *state;
	struct webhook *webhook = &f->webhook;
	const uint8_t *sealed;

	assert_int_equal(webhook_headers_reseal(webhook, f->arena, &f->keys),
	    1);
	sealed = webhook->headers_sealed;
	assert_non_null(sealed);
	assert_int_equal(webhook_headers_reseal(webhook, f->arena, &f->keys),
	    0);
	assert_ptr_equal(webhook->headers_sealed, sealed);
	f->keys.n = 2;
	f->keys.key[1] = f->keys.key[0];
	memset(&f->keys.key[0], 2, sizeof(f->keys.key[0]));
	webhook->headers = NULL;
	webhook->nheaders = 0;
	assert_int_equal(webhook_headers_reseal(webhook, f->arena, &f->keys),
	    1);
	f->keys.n = 1;
	assert_int_equal(webhook_headers_open(webhook, f->arena, &f->keys,
	    &f->fault), 0);
	assert_some(webhook);
	memset(&f->keys.key[0], 3, sizeof(f->keys.key[0]));
	assert_int_equal(webhook_headers_reseal(webhook, f->arena, &f->keys),
	    -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sealed_headers_open_in_their_order),
		TEST(plain_headers_need_no_key),
		TEST(none_are_sealed_too),
		TEST(headers_of_another_webhook_or_key_do_not_open),
		TEST(a_secret_is_no_headers),
		TEST(only_what_is_plain_or_under_an_older_key_is_sealed_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
