/* SPDX-License-Identifier: MIT */
/* RFC 6238 on RFC 4226, and base32. */
#include "config.h"

#include "wuts/totp.h"

#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/log.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdio.h>
#include <string.h>

#define SHA1_LEN 20

static int
base32_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

/* Upper-case, without what people put between groups. 0: too long. */
static size_t
normalise(const char *text, char text_r[TOTP_TEXT_MAX + 1])
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (strchr(" \t\r\n\v\f-", *text) != NULL)
			continue;
		/* Padding may be longer than a secret of full length. */
		if (*text == '=' && strspn(text, "= \t\r\n\v\f-") ==
		    strlen(text))
			break;
		if (n == TOTP_TEXT_MAX)
			return 0;
		text_r[n++] = *text >= 'a' && *text <= 'z' ?
		    (char)(*text - 'a' + 'A') : *text;
	}
	text_r[n] = '\0';
	return n;
}

bool
totp_secret_parse(const char *text, char text_r[TOTP_TEXT_MAX + 1],
    uint8_t secret_r[TOTP_SECRET_MAX], size_t *len_r)
{
	size_t n = normalise(text, text_r), len = 0;
	unsigned bits = 0, nbits = 0;
	int value;

	/* 1, 3 or 6 characters over are no whole byte. */
	if (n % 8 == 1 || n % 8 == 3 || n % 8 == 6)
		return false;
	for (size_t i = 0; i < n; i++) {
		value = base32_value(text_r[i]);
		if (value < 0)
			return false;
		bits = (bits << 5 | (unsigned)value) & 0xfff;
		nbits += 5;
		if (nbits < 8)
			continue;
		nbits -= 8;
		if (len == TOTP_SECRET_MAX)
			return false;
		secret_r[len++] = (uint8_t)(bits >> nbits);
	}
	*len_r = len;
	return len >= TOTP_SECRET_MIN;
}

char *
totp_secret_format(const uint8_t *secret, size_t len,
    char text_r[TOTP_TEXT_MAX + 1])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	unsigned bits = 0, nbits = 0;
	size_t n = 0;

	wuts_assert(len <= TOTP_SECRET_MAX);
	for (size_t i = 0; i < len; i++) {
		bits = (bits << 8 | secret[i]) & 0xfff;
		for (nbits += 8; nbits >= 5; nbits -= 5)
			text_r[n++] = alphabet[bits >> (nbits - 5) & 31];
	}
	if (nbits > 0)
		text_r[n++] = alphabet[bits << (5 - nbits) & 31];
	text_r[n] = '\0';
	return text_r;
}

uint64_t
totp_step(int64_t wall_us)
{
	return wall_us < 0 ? 0 :
	    (uint64_t)(wall_us / CLOCK_SECOND_US) / TOTP_STEP_S;
}

void
totp_code(const uint8_t *secret, size_t len, uint64_t step,
    char code_r[TOTP_DIGITS + 1])
{
	uint8_t counter[8], mac[SHA1_LEN];
	unsigned mac_len = sizeof(mac), at;
	uint32_t number;

	for (size_t i = 0; i < sizeof(counter); i++)
		counter[i] = (uint8_t)(step >> (56 - 8 * i));
	if (HMAC(EVP_sha1(), secret, (int)len, counter, sizeof(counter), mac,
	    &mac_len) == NULL || mac_len != sizeof(mac))
		log_fatal("HMAC-SHA-1 does not work: is OpenSSL whole?");
	at = mac[SHA1_LEN - 1] & 0x0f;
	number = (uint32_t)(mac[at] & 0x7f) << 24 |
	    (uint32_t)mac[at + 1] << 16 | (uint32_t)mac[at + 2] << 8 |
	    mac[at + 3];
	(void)snprintf(code_r, TOTP_DIGITS + 1, "%06u",
	    (unsigned)(number % 1000000));
	crypto_wipe(mac, sizeof(mac));
}

bool
totp_verify(const uint8_t *secret, size_t len, const char *code,
    int64_t now_us, uint64_t last_step, uint64_t *step_r)
{
	uint64_t now = totp_step(now_us), step;
	char expected[TOTP_DIGITS + 1];
	bool is_right = false, is_equal;

	if (strlen(code) != TOTP_DIGITS)
		return false;
	/* All three are computed, whichever it is. */
	for (step = now == 0 ? 0 : now - 1; step <= now + 1; step++) {
		totp_code(secret, len, step, expected);
		is_equal = crypto_is_equal(expected, code, TOTP_DIGITS);
		if (is_equal && step > last_step && !is_right) {
			is_right = true;
			*step_r = step;
		}
	}
	crypto_wipe(expected, sizeof(expected));
	return is_right;
}
