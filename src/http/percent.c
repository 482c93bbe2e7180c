/* SPDX-License-Identifier: MIT */
/* Percent-decoding (RFC 3986 §2.1), strict: two hex digits behind every '%',
   and never a NUL, which would cut the text short for whoever reads it as a
   string. */
#include "config.h"

#include "wuts/arena.h"
#include "wuts/crypto.h"

#include "http_private.h"

const char *
percent_decode(struct arena *arena, const char *text, size_t len, bool is_form)
{
	char *out = arena_memdup(arena, text, len);
	size_t i, n = 0;
	unsigned char byte;

	for (i = 0; i < len; i++) {
		if (text[i] == '%') {
			if (len - i < 3 ||
			    !crypto_unhex(text + i + 1, 2, &byte) || byte == 0)
				return NULL;
			out[n++] = (char)byte;
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
