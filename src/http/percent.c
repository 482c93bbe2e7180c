/* SPDX-License-Identifier: MIT */
/* Percent-decoding (RFC 3986 §2.1), strict: two hex digits behind every '%',
   and never a NUL, which would cut the text short for whoever reads it as a
   string. */
#include "config.h"

#include "wuts/arena.h"

#include "http_private.h"

#include <string.h>

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

const char *
percent_decode(struct arena *arena, const char *text, size_t len, bool is_form)
{
	char *out = arena_memdup(arena, text, len);
	size_t i, n = 0;
	int high, low;

	for (i = 0; i < len; i++) {
		if (text[i] == '%') {
			if (len - i < 3)
				return NULL;
			high = hex_value(text[i + 1]);
			low = hex_value(text[i + 2]);
			if (high < 0 || low < 0 || (high == 0 && low == 0))
				return NULL;
			out[n++] = (char)(high << 4 | low);
			i += 2;
		} else if (is_form && text[i] == '+') {
			out[n++] = ' ';
		} else {
			out[n++] = text[i];
		}
	}
	out[n] = '\0';
	return out;
}
