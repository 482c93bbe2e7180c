/* SPDX-License-Identifier: MIT */
/* Text forms of bytes: hexadecimal and base64 (RFC 4648), strict. */
#include "config.h"

#include "wuts/crypto.h"

#include "wuts/arena.h"
#include "wuts/log.h"
#include "wuts/strbuf.h"

#include <openssl/evp.h>

void
crypto_hex(const void *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = data;

	for (; len > 0; len--, b++) {
		*out++ = digits[*b >> 4];
		*out++ = digits[*b & 0x0f];
	}
	*out = '\0';
}

/* One more than the value; 0: it is no digit. */
static const uint8_t hex_values[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6,
	['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

bool
crypto_unhex(const char *text, size_t len, void *out)
{
	const uint8_t *c = (const uint8_t *)text;
	unsigned high, low;
	uint8_t *b = out;

	if (len % 2 != 0)
		return false;
	for (; len > 0; len -= 2, c += 2) {
		high = hex_values[c[0]];
		low = hex_values[c[1]];
		if (high == 0 || low == 0)
			return false;
		*b++ = (uint8_t)((high - 1) << 4 | (low - 1));
	}
	return true;
}

void
crypto_base64(struct strbuf *out, const void *data, size_t len)
{
	strbuf_reserve(out, CRYPTO_BASE64_LEN(len) + 1);
	crypto_base64_text(data, len, out->data + out->len);
	out->len += CRYPTO_BASE64_LEN(len);
}

void
crypto_base64_text(const void *data, size_t len, char *out)
{
	wuts_assert(len < INT32_MAX / 2);
	(void)EVP_EncodeBlock((unsigned char *)out, data, (int)len);
}

static bool
is_base64_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') || c == '+' || c == '/';
}

uint8_t *
crypto_unbase64(struct arena *arena, const char *text, size_t len,
    size_t *out_len_r)
{
	size_t padding = 0, i;
	uint8_t *out;
	int n;

	*out_len_r = 0;
	if (len % 4 != 0 || len > INT32_MAX / 2)
		return NULL;
	while (padding < 2 && padding < len && text[len - padding - 1] == '=')
		padding++;
	/* OpenSSL's decoder skips white space and takes more than the alphabet:
	   what it must not see is refused here. */
	for (i = 0; i < len - padding; i++)
		if (!is_base64_char(text[i]))
			return NULL;
	out = arena_alloc(arena, len / 4 * 3 + 1);
	if (len == 0)
		return out;
	n = EVP_DecodeBlock(out, (const unsigned char *)text, (int)len);
	if (n < 0)
		return NULL;
	*out_len_r = (size_t)n - padding;
	/* In a strict encoding the bits behind the last byte are zero. */
	for (i = *out_len_r; i < (size_t)n; i++)
		if (out[i] != 0)
			return NULL;
	return out;
}
