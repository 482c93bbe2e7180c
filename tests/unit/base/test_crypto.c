/* SPDX-License-Identifier: MIT */
/* The published vectors of the algorithms, and what sealing, passwords and
   text forms promise beyond them. */
#include "config.h"

#include "wuts/arena.h"
#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/secret.h"
#include "wuts/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
assert_hex(const void *data, size_t len, const char *hex)
{
	char text[2 * 128 + 1];

	assert_in_range(len, 0, 128);
	crypto_hex(data, len, text);
	assert_string_equal(text, hex);
}

static void
sha_256_has_the_values_of_fips_180(void **state)
{
	uint8_t hash[CRYPTO_HASH_LEN];
	char *million = malloc(1000000);

	(void)state;
	crypto_sha256("", 0, hash);
	assert_hex(hash, sizeof(hash), "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855");
	crypto_sha256("abc", 3, hash);
	assert_hex(hash, sizeof(hash), "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	crypto_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnop"
	    "nopq", 56, hash);
	assert_hex(hash, sizeof(hash), "248d6a61d20638b8e5c026930c3e6039"
	    "a33ce45964ff2167f6ecedd419db06c1");
	assert_non_null(million);
	memset(million, 'a', 1000000);
	crypto_sha256(million, 1000000, hash);
	free(million);
	assert_hex(hash, sizeof(hash), "cdc76e5c9914fb9281a1c7e284d73e67"
	    "f1809a48a497200e046d39ccc7112cd0");
}

static void
hmac_sha_256_has_the_values_of_rfc_4231(void **state)
{
	uint8_t mac[CRYPTO_HASH_LEN], key[131], data[50];

	(void)state;
	memset(key, 0x0b, 20);
	crypto_hmac_sha256(key, 20, "Hi There", 8, mac);
	assert_hex(mac, sizeof(mac), "b0344c61d8db38535ca8afceaf0bf12b"
	    "881dc200c9833da726e9376c2e32cff7");
	crypto_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28,
	    mac);
	assert_hex(mac, sizeof(mac), "5bdcc146bf60754e6a042426089575c7"
	    "5a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	memset(data, 0xdd, sizeof(data));
	crypto_hmac_sha256(key, 20, data, 50, mac);
	assert_hex(mac, sizeof(mac), "773ea91e36800e46854db8ebd09181a7"
	    "2959098b3ef8c122d9635514ced565fe");
	crypto_hmac_sha256(key, sizeof(key),
	    "Test Using Larger Than Block-Size Key - Hash Key First", 54,
	    mac);
	assert_hex(mac, sizeof(mac), "60e431591ee0b67f0d8a26aacbf5b77f"
	    "8e0bc6213728c5140546040f0ee37f54");
}

static void
hmac_takes_an_empty_key_and_no_data(void **state)
{
	uint8_t mac[CRYPTO_HASH_LEN];

	(void)state;
	crypto_hmac_sha256("other", 5, "x", 1, mac);
	crypto_hmac_sha256(NULL, 0, NULL, 0, mac);
	assert_hex(mac, sizeof(mac), "b613679a0814d9ec772f95d778c35fc5"
	    "ff1697c493715653c6c712144292c5ad");
}

static void
check_kept(const void *key, size_t key_len, const char *data, size_t len)
{
	struct crypto_hmac *hmac = crypto_hmac_new(key, key_len);
	uint8_t expected[CRYPTO_HASH_LEN], mac[CRYPTO_HASH_LEN];

	crypto_hmac_sha256(key, key_len, data, len, expected);
	for (size_t first = 0; first <= len; first += len / 3 + 1) {
		crypto_hmac_add(hmac, data, first);
		crypto_hmac_add(hmac, data + first, len - first);
		crypto_hmac_end(hmac, mac);
		assert_memory_equal(mac, expected, sizeof(mac));
	}
	crypto_hmac_free(&hmac);
	assert_null(hmac);
}

static void
hmac_with_a_key_that_is_kept_is_the_same_each_time(void **state)
{
	uint8_t key[131], mac[CRYPTO_HASH_LEN];
	struct crypto_hmac *hmac;

	(void)state;
	memset(key, 0xaa, sizeof(key));
	for (size_t len = 62; len <= 66; len++)
		check_kept(key, len, "what do ya want for nothing?", 28);
	check_kept(key, sizeof(key), "", 0);
	hmac = crypto_hmac_new(NULL, 0);
	crypto_hmac_end(hmac, mac);
	assert_hex(mac, sizeof(mac), "b613679a0814d9ec772f95d778c35fc5"
	    "ff1697c493715653c6c712144292c5ad");
	crypto_hmac_free(&hmac);
}

static void
crc_32c_has_the_values_of_rfc_3720(void **state)
{
	uint8_t data[32];
	size_t i;

	(void)state;
	assert_int_equal(crypto_crc32c(0, "", 0), 0);
	assert_int_equal(crypto_crc32c(0, "123456789", 9), 0xe3069283);
	memset(data, 0, sizeof(data));
	assert_int_equal(crypto_crc32c(0, data, 32), 0x8a9136aa);
	memset(data, 0xff, sizeof(data));
	assert_int_equal(crypto_crc32c(0, data, 32), 0x62a8ab43);
	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	assert_int_equal(crypto_crc32c(0, data, 32), 0x46dd794e);
	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(31 - i);
	assert_int_equal(crypto_crc32c(0, data, 32), 0x113fdb5c);
}

static void
crc_32c_in_pieces_is_that_of_the_whole(void **state)
{
	uint8_t data[67];
	uint32_t whole;
	size_t i, k;

	(void)state;
	crypto_random(data, sizeof(data));
	whole = crypto_crc32c(0, data, sizeof(data));
	for (i = 0; i <= sizeof(data); i++) {
		assert_int_equal(crypto_crc32c(crypto_crc32c(0, data, i),
		    data + i, sizeof(data) - i), whole);
	}
	/* Any start, aligned or not, bit by bit. */
	for (i = 0; i < 9; i++) {
		uint32_t crc = 0xffffffff;

		for (k = i * 8; k < sizeof(data) * 8; k++) {
			crc ^= (uint32_t)(data[k / 8] >> k % 8 & 1);
			crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
		}
		assert_int_equal(crypto_crc32c(0, data + i,
		    sizeof(data) - i), ~crc);
	}
}

static struct crypto_keys
keys_of(const void *installation, size_t len)
{
	struct secret secret = { NULL, 0 };
	struct crypto_keys keys;
	struct fault fault;

	secret_set(&secret, installation, len);
	assert_int_equal(crypto_keys_derive(&keys, &secret, &fault), 0);
	secret_deinit(&secret);
	return keys;
}

/* Keys that need no installation. */
static struct crypto_keys
test_keys(uint8_t fill)
{
	struct crypto_keys keys;

	memset(&keys, 0, sizeof(keys));
	keys.n = 1;
	memset(&keys.key[0], fill, sizeof(keys.key[0]));
	return keys;
}

/* RFC 5869 is HMAC-SHA-256 twice: extract with a salt of zeroes, expand one
   block. Computed here by the other means, so that an update of the library or
   a changed label cannot make stored tokens unreadable unnoticed. */
static void
assert_derived(const uint8_t key[CRYPTO_KEY_LEN], const char *label,
    const uint8_t derived[CRYPTO_KEY_LEN])
{
	uint8_t salt[32] = { 0 }, extracted[32], expanded[32], info[64];
	size_t len = strlen(label);

	crypto_hmac_sha256(salt, sizeof(salt), key, CRYPTO_KEY_LEN,
	    extracted);
	memcpy(info, label, len);
	info[len] = 1;
	crypto_hmac_sha256(extracted, sizeof(extracted), info, len + 1,
	    expanded);
	assert_memory_equal(derived, expanded, sizeof(expanded));
}

static void
keys_are_derived_by_hkdf_with_a_label_each(void **state)
{
	struct crypto_keys keys;
	uint8_t key[CRYPTO_KEY_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	keys = keys_of(key, sizeof(key));
	assert_derived(key, "wuts token look-up", keys.key[0].lookup);
	assert_derived(key, "wuts encryption at rest", keys.key[0].seal);
	assert_memory_not_equal(keys.key[0].lookup, keys.key[0].seal, CRYPTO_KEY_LEN);
}

static void
the_installation_key_may_be_bytes_or_hex(void **state)
{
	static const char hex[] =
	    "00ff102030405060708090a0b0c0d0e0f0112233445566778899AABBCCDDEEFF";
	struct crypto_keys from_hex, from_bytes;
	uint8_t bytes[CRYPTO_KEY_LEN];

	(void)state;
	assert_true(crypto_unhex(hex, sizeof(hex) - 1, bytes));
	from_hex = keys_of(hex, sizeof(hex) - 1);
	from_bytes = keys_of(bytes, sizeof(bytes));
	assert_memory_equal(&from_hex, &from_bytes, sizeof(from_hex));
}

static void
other_lengths_are_no_installation_key(void **state)
{
	static const char text[] = "0123456789012345678901234567890123456789"
	    "012345678901234567890123zz";
	static const size_t lens[] = { 0, 1, 16, 31, 33, 63, 65, 66 };
	struct secret secret = { NULL, 0 };
	struct crypto_keys keys;
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		fault_clear(&fault);
		secret_set(&secret, text, lens[i]);
		assert_int_equal(crypto_keys_derive(&keys, &secret, &fault),
		    -1);
		assert_int_equal(fault.code, FAULT_CONFIG);
		assert_null(strstr(fault.text, "0123"));
	}
	secret_set(&secret, text + 2, 64);	/* ends in zz */
	assert_int_equal(crypto_keys_derive(&keys, &secret, &fault), -1);
	secret_deinit(&secret);
}

#define HEX_A "00112233445566778899aabbccddeeff" \
    "00112233445566778899aabbccddeeff"
#define HEX_B "10112233445566778899aabbccddeeff" \
    "00112233445566778899aabbccddeeff"
#define HEX_C "20112233445566778899aabbccddeeff" \
    "00112233445566778899aabbccddeeff"
#define HEX_D "30112233445566778899aabbccddeeff" \
    "00112233445566778899aabbccddeeff"
#define HEX_E "40112233445566778899aabbccddeeff" \
    "00112233445566778899aabbccddeeff"

static void
every_line_is_a_key_of_its_own(void **state)
{
	static const char lines[] = HEX_A "\n" HEX_B "\n" HEX_C "\n" HEX_D;
	struct crypto_keys keys = keys_of(lines, sizeof(lines) - 1), one;
	unsigned i;

	(void)state;
	assert_int_equal(keys.n, 4);
	for (i = 0; i < keys.n; i++) {
		one = keys_of(lines + 65 * i, 64);
		assert_int_equal(one.n, 1);
		assert_memory_equal(&keys.key[i], &one.key[0],
		    sizeof(one.key[0]));
		assert_memory_not_equal(one.key[0].lookup, one.key[0].audit,
		    CRYPTO_KEY_LEN);
		assert_memory_not_equal(one.key[0].seal, one.key[0].audit,
		    CRYPTO_KEY_LEN);
	}
	assert_memory_not_equal(keys.key[0].name, keys.key[1].name,
	    CRYPTO_KEY_NAME_LEN);
}

static void
of_a_retired_key_only_the_chain_is_left(void **state)
{
	static const char lines[] = HEX_A "\n" HEX_B "\naudit " HEX_C
	    "\naudit " HEX_D;
	struct crypto_keys keys = keys_of(lines, sizeof(lines) - 1);
	uint8_t chain[CRYPTO_KEY_LEN];

	(void)state;
	assert_int_equal(keys.n, 2);
	assert_int_equal(keys.nretired, 2);
	/* The line holds the derived key itself, the oldest first. */
	assert_true(crypto_unhex(HEX_C, 64, chain));
	assert_memory_equal(keys.retired_audit[0], chain, sizeof(chain));
	assert_true(crypto_unhex(HEX_D, 64, chain));
	assert_memory_equal(keys.retired_audit[1], chain, sizeof(chain));
}

static void
lines_that_are_no_keys_are_refused(void **state)
{
	static const char *const files[] = {
		HEX_A "\n" HEX_B "\n" HEX_C "\n" HEX_D "\n" HEX_E,
		HEX_A "\n\n" HEX_B,
		HEX_A "\n" HEX_B "\n",
		HEX_A " " HEX_B,
		HEX_A "\r\n" HEX_B,
		HEX_A HEX_B,
		HEX_A "\n0011",
		"\n" HEX_A,
		"# old\n" HEX_A,
		HEX_A "\n" HEX_B "\n" HEX_A,
		"audit " HEX_A,
		"audit " HEX_B "\n" HEX_A,
		HEX_A "\naudit " HEX_B "\n" HEX_C,
		HEX_A "\naudit " HEX_B "00",
		HEX_A "\nother " HEX_B,
	};
	struct secret secret = { NULL, 0 };
	struct crypto_keys keys;
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		fault_clear(&fault);
		secret_set(&secret, files[i], strlen(files[i]));
		if (crypto_keys_derive(&keys, &secret, &fault) != -1)
			fail_msg("taken: %s", files[i]);
		assert_int_equal(fault.code, FAULT_CONFIG);
		assert_null(strstr(fault.text, "2233"));
	}
	secret_deinit(&secret);
}

static void
first_key_seals_and_any_opens(void **state)
{
	struct crypto_keys old = test_keys(1), both = test_keys(2), other;
	uint8_t sealed[6 + CRYPTO_SEAL_OVERHEAD], out[6];
	unsigned which = 9;

	(void)state;
	both.key[both.n++] = old.key[0];
	crypto_seal(&old, "id", 2, "secret", 6, sealed);
	assert_true(crypto_open_which(&both, "id", 2, sealed, sizeof(sealed),
	    out, &which));
	assert_int_equal(which, 1);
	assert_memory_equal(out, "secret", 6);
	crypto_seal(&both, "id", 2, "secret", 6, sealed);
	assert_false(crypto_open(&old, "id", 2, sealed, sizeof(sealed), out));
	assert_true(crypto_open_which(&both, "id", 2, sealed, sizeof(sealed),
	    out, &which));
	assert_int_equal(which, 0);
	other = test_keys(3);
	other.key[other.n++] = old.key[0];
	assert_false(crypto_open(&other, "id", 2, sealed, sizeof(sealed),
	    out));
}

static void
what_is_sealed_opens_to_itself(void **state)
{
	static const size_t lens[] = { 0, 1, 15, 16, 17, 36, 1000 };
	struct crypto_keys keys = test_keys(7);
	uint8_t plain[1000], sealed[1000 + CRYPTO_SEAL_OVERHEAD], out[1000];
	size_t i;

	(void)state;
	crypto_random(plain, sizeof(plain));
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		memset(out, 0, sizeof(out));
		crypto_seal(&keys, "id", 2, plain, lens[i], sealed);
		assert_true(crypto_open(&keys, "id", 2, sealed,
		    lens[i] + CRYPTO_SEAL_OVERHEAD, out));
		assert_memory_equal(out, plain, lens[i]);
	}
}

static void
sealing_twice_differs(void **state)
{
	struct crypto_keys keys = test_keys(1);
	uint8_t a[8 + CRYPTO_SEAL_OVERHEAD], b[8 + CRYPTO_SEAL_OVERHEAD];

	(void)state;
	crypto_seal(&keys, "id", 2, "password", 8, a);
	crypto_seal(&keys, "id", 2, "password", 8, b);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(a[0], 1);
	assert_int_equal(b[0], 1);
}

/* Test case 16 of the GCM specification in our format: what a release has once
   stored, every later one must open. */
static void
an_old_sealed_text_still_opens(void **state)
{
	static const char vector[] = "01" "cafebabefacedbaddecaf888"
	    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
	    "76fc6ece0f4e1768cddf8853bb2d551b";
	static const char key[] =
	    "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
	static const char aad_hex[] =
	    "feedfacedeadbeeffeedfacedeadbeefabaddad2";
	struct crypto_keys keys = test_keys(0);
	uint8_t sealed[sizeof(vector) / 2], aad[20], plain[60];

	(void)state;
	assert_true(crypto_unhex(key, sizeof(key) - 1, keys.key[0].seal));
	assert_true(crypto_unhex(aad_hex, sizeof(aad_hex) - 1, aad));
	assert_true(crypto_unhex(vector, sizeof(vector) - 1, sealed));
	assert_true(crypto_open(&keys, aad, sizeof(aad), sealed,
	    sizeof(sealed), plain));
	assert_hex(plain, sizeof(plain), "d9313225f88406e5a55909c5aff5269a"
	    "86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
	    "b16aedf5aa0de657ba637b39");
}

static void
any_changed_bit_and_any_other_row_does_not_open(void **state)
{
	struct crypto_keys keys = test_keys(1), other = test_keys(2);
	uint8_t sealed[6 + CRYPTO_SEAL_OVERHEAD], out[6];
	size_t i;

	(void)state;
	crypto_seal(&keys, "row 1", 5, "secret", 6, sealed);
	for (i = 0; i < sizeof(sealed) * 8; i++) {
		sealed[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_false(crypto_open(&keys, "row 1", 5, sealed,
		    sizeof(sealed), out));
		assert_memory_not_equal(out, "secret", 6);
		sealed[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_false(crypto_open(&keys, "row 2", 5, sealed, sizeof(sealed),
	    out));
	assert_false(crypto_open(&keys, "row 1", 4, sealed, sizeof(sealed),
	    out));
	assert_false(crypto_open(&other, "row 1", 5, sealed, sizeof(sealed),
	    out));
	for (i = 0; i < sizeof(sealed); i++)
		assert_false(crypto_open(&keys, "row 1", 5, sealed, i, out));
	assert_true(crypto_open(&keys, "row 1", 5, sealed, sizeof(sealed),
	    out));
}

static void
a_hash_is_current_while_its_parameters_are(void **state)
{
	char hash[CRYPTO_PASSWORD_HASH_MAX];

	(void)state;
	crypto_password_hash("correct horse", 8, 1, hash);
	assert_true(crypto_password_is_current(hash, 8, 1));
	assert_false(crypto_password_is_current(hash, 80, 1));
	assert_false(crypto_password_is_current(hash, 8, 2));
	assert_false(crypto_password_is_current(hash, 8, 11));
	assert_false(crypto_password_is_current("$argon2i$v=19$m=8,t=1,p=1$"
	    "c2FsdHNhbHQ$aGFzaA", 8, 1));
	assert_false(crypto_password_is_current("$argon2id$v=16$m=8,t=1,p=1$"
	    "c2FsdHNhbHQ$aGFzaA", 8, 1));
	assert_false(crypto_password_is_current("", 8, 1));
}

static void
a_password_verifies_against_its_own_hash_only(void **state)
{
	char a[CRYPTO_PASSWORD_HASH_MAX], b[CRYPTO_PASSWORD_HASH_MAX];

	(void)state;
	crypto_password_hash("correct horse", 8, 1, a);
	crypto_password_hash("correct horse", 8, 1, b);
	assert_int_equal(strncmp(a, "$argon2id$v=19$m=8,t=1,p=1$", 27), 0);
	assert_string_not_equal(a, b);
	assert_true(crypto_password_verify("correct horse", a));
	assert_true(crypto_password_verify("correct horse", b));
	assert_false(crypto_password_verify("correct horsf", a));
	assert_false(crypto_password_verify("correct horse ", a));
	assert_false(crypto_password_verify("", a));
}

/* The reference implementation's own test: "password", "somesalt", 2 passes,
   64 MiB, one lane. */
static void
a_reference_hash_of_argon2id_verifies(void **state)
{
	static const char phc[] = "$argon2id$v=19$m=65536,t=2,p=1$"
	    "c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

	(void)state;
	assert_true(crypto_password_verify("password", phc));
	assert_false(crypto_password_verify("Password", phc));
}

static void
text_that_is_no_hash_verifies_nothing(void **state)
{
	static const char *const hashes[] = {
		"", "password", "$", "$argon2id$", "$argon2id$v=19$m=8,t=1",
		"$2b$12$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=8,t=1,p=1$$",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		assert_false(crypto_password_verify("password", hashes[i]));
}

static void
the_longest_password_with_the_largest_settings_fits(void **state)
{
	char password[4 * 128 + 1], phc[CRYPTO_PASSWORD_HASH_MAX];

	(void)state;
	memset(password, 0xf0, sizeof(password) - 1);
	password[sizeof(password) - 1] = '\0';
	crypto_password_hash(password, 64, 100, phc);
	assert_true(crypto_password_verify(password, phc));
	/* Digits of memory 4194304 and passes 100 in place of 64 and 100. */
	assert_true(strlen(phc) + 5 < CRYPTO_PASSWORD_HASH_MAX);
}

static void
equality_looks_at_every_byte(void **state)
{
	uint8_t a[40] = { 0 }, b[40] = { 0 };
	size_t i;

	(void)state;
	assert_true(crypto_is_equal(a, b, sizeof(a)));
	assert_true(crypto_is_equal(a, b, 0));
	for (i = 0; i < sizeof(a); i++) {
		b[i] = 0x80;
		assert_false(crypto_is_equal(a, b, sizeof(a)));
		b[i] = 0;
	}
}

static void
wiped_memory_is_zero(void **state)
{
	uint8_t data[64], zero[64] = { 0 };

	(void)state;
	memset(data, 0xff, sizeof(data));
	crypto_wipe(data, sizeof(data));
	assert_memory_equal(data, zero, sizeof(data));
}

static void
random_bytes_differ_and_fill_all_of_the_room(void **state)
{
	uint8_t a[4096], b[4096], seen = 0;
	size_t i;

	(void)state;
	crypto_random(a, sizeof(a));
	crypto_random(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	for (i = 4000; i < sizeof(a); i++)
		seen |= a[i];
	assert_int_equal(seen, 0xff);
}

static void
hexadecimal_maps_both_ways_and_is_strict(void **state)
{
	static const char *const bad[] = {
		"0", "0g", "g0", " 0", "0x", "+1", "00 0", "000",
	};
	uint8_t bytes[8];
	char text[17];
	size_t i;

	(void)state;
	crypto_hex("\x00\x01\x9a\xff", 4, text);
	assert_string_equal(text, "00019aff");
	crypto_hex("", 0, text);
	assert_string_equal(text, "");
	assert_true(crypto_unhex("00019aFF", 8, bytes));
	assert_memory_equal(bytes, "\x00\x01\x9a\xff", 4);
	assert_true(crypto_unhex("", 0, bytes));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (crypto_unhex(bad[i], strlen(bad[i]), bytes))
			fail_msg("\"%s\" was taken for hex", bad[i]);
	}
}

static void
base64_has_the_values_of_rfc_4648(void **state)
{
	static const struct {
		const char *plain, *text;
	} rows[] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xbf", "+/+/" },
	};
	struct strbuf sb = STRBUF_INIT;
	struct arena *arena = arena_new();
	uint8_t *plain;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strbuf_reset(&sb);
		strbuf_append_char(&sb, '|');
		crypto_base64(&sb, rows[i].plain, strlen(rows[i].plain));
		assert_string_equal(sb.data + 1, rows[i].text);
		assert_int_equal(sb.len, strlen(rows[i].text) + 1);
		plain = crypto_unbase64(arena, rows[i].text,
		    strlen(rows[i].text), &len);
		assert_non_null(plain);
		assert_int_equal(len, strlen(rows[i].plain));
		assert_memory_equal(plain, rows[i].plain, len);
	}
	arena_free(&arena);
	strbuf_deinit(&sb);
}

static void
base64_of_any_bytes_comes_back(void **state)
{
	struct strbuf sb = STRBUF_INIT;
	struct arena *arena = arena_new();
	uint8_t bytes[300], *back;
	size_t i, len;

	(void)state;
	crypto_random(bytes, sizeof(bytes));
	for (i = 0; i <= sizeof(bytes); i++) {
		strbuf_reset(&sb);
		crypto_base64(&sb, bytes, i);
		back = crypto_unbase64(arena, sb.data, sb.len, &len);
		assert_non_null(back);
		assert_int_equal(len, i);
		assert_memory_equal(back, bytes, i);
	}
	arena_free(&arena);
	strbuf_deinit(&sb);
}

static void
other_text_is_no_base64(void **state)
{
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "Zg===", "Zm9v=", "====", "=", "Z===",
		"Zg==Zg==", "Zm=v", "Z=9v", " Zg==", "Zg==\n", "Zm9 ",
		"Zm\n9v", "-_-_", "Zh==", "Zm9=", "Zg=A",
		"Zm9v\xff\xff\xff\xff", "Zm9v....",
	};
	struct arena *arena = arena_new();
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (crypto_unbase64(arena, bad[i], strlen(bad[i]), &len) !=
		    NULL)
			fail_msg("\"%s\" was taken for base64", bad[i]);
	}
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha_256_has_the_values_of_fips_180),
		cmocka_unit_test(hmac_sha_256_has_the_values_of_rfc_4231),
		cmocka_unit_test(hmac_takes_an_empty_key_and_no_data),
		cmocka_unit_test(
		    hmac_with_a_key_that_is_kept_is_the_same_each_time),
		cmocka_unit_test(crc_32c_has_the_values_of_rfc_3720),
		cmocka_unit_test(crc_32c_in_pieces_is_that_of_the_whole),
		cmocka_unit_test(keys_are_derived_by_hkdf_with_a_label_each),
		cmocka_unit_test(the_installation_key_may_be_bytes_or_hex),
		cmocka_unit_test(other_lengths_are_no_installation_key),
		cmocka_unit_test(every_line_is_a_key_of_its_own),
		cmocka_unit_test(of_a_retired_key_only_the_chain_is_left),
		cmocka_unit_test(lines_that_are_no_keys_are_refused),
		cmocka_unit_test(first_key_seals_and_any_opens),
		cmocka_unit_test(what_is_sealed_opens_to_itself),
		cmocka_unit_test(sealing_twice_differs),
		cmocka_unit_test(an_old_sealed_text_still_opens),
		cmocka_unit_test(
		    any_changed_bit_and_any_other_row_does_not_open),
		cmocka_unit_test(a_hash_is_current_while_its_parameters_are),
		cmocka_unit_test(a_password_verifies_against_its_own_hash_only),
		cmocka_unit_test(a_reference_hash_of_argon2id_verifies),
		cmocka_unit_test(text_that_is_no_hash_verifies_nothing),
		cmocka_unit_test(
		    the_longest_password_with_the_largest_settings_fits),
		cmocka_unit_test(equality_looks_at_every_byte),
		cmocka_unit_test(wiped_memory_is_zero),
		cmocka_unit_test(random_bytes_differ_and_fill_all_of_the_room),
		cmocka_unit_test(hexadecimal_maps_both_ways_and_is_strict),
		cmocka_unit_test(base64_has_the_values_of_rfc_4648),
		cmocka_unit_test(base64_of_any_bytes_comes_back),
		cmocka_unit_test(other_text_is_no_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
