/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "spool/signature.h"

#include "wuts/crypto.h"
#include "wuts/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
check_standard(const char *secret, const char *id, int64_t timestamp,
    const char *body, const char *expected)
{
	struct secret key = { NULL, 0 };
	struct crypto_hmac *hmac;
	char text[SIGNATURE_STANDARD_SIZE];

	signature_key(&key, secret, strlen(secret));
	hmac = crypto_hmac_new(key.data, key.len);
	signature_standard(hmac, id, timestamp, body, strlen(body), text);
	assert_string_equal(text, expected);
	crypto_hmac_free(&hmac);
	secret_deinit(&key);
}

/* The vector published with the Standard Webhooks libraries. */
static void
the_published_vector_of_standard_webhooks_holds(void **state)
{
	(void)state;
	check_standard("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	    "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
	    "{\"test\": 2432232314}",
	    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

/* RFC 4231 test case 2, with a key that is a secret's own bytes. */
static void
the_body_signature_is_hmac_sha256(void **state)
{
	static const char body[] = "what do ya want for nothing?";
	struct secret key = { NULL, 0 };
	struct crypto_hmac *hmac;
	char text[SIGNATURE_HEX_SIZE];

	(void)state;
	signature_key(&key, "Jefe", 4);
	hmac = crypto_hmac_new(key.data, key.len);
	signature_hex(hmac, body, strlen(body), text);
	crypto_hmac_free(&hmac);
	assert_string_equal(text, "sha256=5bdcc146bf60754e6a042426089575c7"
	    "5a003f089d2739839dec58b964ec3843");
	secret_deinit(&key);
}

static void
a_key_is_decoded_only_when_all_of_it_is_base64(void **state)
{
	static const struct {
		const char *secret;
		const char *key;
		size_t len;
	} rows[] = {
		{ "whsec_AAEC", "\0\1\2", 3 },
		{ "whsec_YWJjZA==", "abcd", 4 },
		{ "plain secret", "plain secret", 12 },
		{ "YWJjZA==", "YWJjZA==", 8 },
		{ "whsec_not base64", "whsec_not base64", 16 },
		{ "whsec_", "whsec_", 6 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct secret key = { NULL, 0 };

		signature_key(&key, rows[i].secret, strlen(rows[i].secret));
		assert_int_equal(key.len, rows[i].len);
		assert_memory_equal(key.data, rows[i].key, rows[i].len);
		secret_deinit(&key);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_published_vector_of_standard_webhooks_holds),
		cmocka_unit_test(the_body_signature_is_hmac_sha256),
		cmocka_unit_test(
		    a_key_is_decoded_only_when_all_of_it_is_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
