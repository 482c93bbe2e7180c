/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "test_support.h"

#include "spool/target.h"

#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

void
test_keys(struct crypto_keys *keys, const char *installation)
{
	struct fault fault = { .code = FAULT_NONE };
	struct secret secret = { NULL, 0 };

	secret_set(&secret, installation, strlen(installation));
	assert_int_equal(crypto_keys_derive(keys, &secret, &fault), 0);
	secret_deinit(&secret);
}

struct uuid
test_uuid(uint8_t last)
{
	struct uuid id = { { 0x01, 0x92, 0, 0, 0, 0, 0x70, 0, 0x80 } };

	id.b[15] = last;
	return id;
}

struct target *
test_target(const struct crypto_keys *keys, struct uuid device_id,
    const char *url, const char *events)
{
	static const struct webhook_header headers[] = {
		{ "Authorization", "Basic dTpw" }, { "X-Empty", "" },
	};
	uint8_t sealed[sizeof(TEST_SECRET) - 1 + CRYPTO_SEAL_OVERHEAD];
	uint8_t old_sealed[sizeof(TEST_OLD_SECRET) - 1 +
	    CRYPTO_SEAL_OVERHEAD];
	struct fault fault = { .code = FAULT_NONE };
	struct webhook webhook = {
		.id = { 1, 2, 3, 4, 5, 6, 7, device_id.b[15] },
		.tenant_id = test_uuid(200),
		.device_id = device_id,
		.url = url,
		.enabled_events = events,
		.enabled = true,
		.retry_attempts = 3,
		.timeout_s = 5,
		.max_concurrency = 16,
		.rate_limit = 7,
		.ordered = true,
		.headers = headers,
		.nheaders = 2,
		.secret_sealed = sealed,
		.secret_sealed_len = sizeof(sealed),
		.old_secret_sealed = old_sealed,
		.old_secret_sealed_len = sizeof(old_sealed),
		.old_secret_until_us = TEST_OLD_UNTIL_US,
		.created_us = 1700000000000001,
		.updated_us = 1700000000000002,
	};
	struct target *target;

	crypto_seal(keys, webhook.id, sizeof(webhook.id), TEST_OLD_SECRET,
	    sizeof(TEST_OLD_SECRET) - 1, old_sealed);
	crypto_seal(keys, webhook.id, sizeof(webhook.id), TEST_SECRET,
	    sizeof(TEST_SECRET) - 1, sealed);
	target = target_new(&webhook, keys, &fault);
	assert_non_null(target);
	return target;
}
