/* SPDX-License-Identifier: MIT */
/* Where UTF-8 sequences begin and end. */
#include "config.h"

#include "wuts/utf8.h"

#include <string.h>

size_t
utf8_sequence_len(const char *text, size_t len)
{
	const unsigned char *b = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	size_t n, i;

	if (len == 0)
		return 0;
	if (b[0] < 0x80)
		return 1;
	if (b[0] >= 0xc2 && b[0] <= 0xdf)
		n = 2;
	else if (b[0] >= 0xe0 && b[0] <= 0xef)
		n = 3;
	else if (b[0] >= 0xf0 && b[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (len < n)
		return 0;
	/* The second byte rules out long forms, surrogates, > U+10FFFF. */
	if (b[0] == 0xe0)
		low = 0xa0;
	else if (b[0] == 0xed)
		high = 0x9f;
	else if (b[0] == 0xf0)
		low = 0x90;
	else if (b[0] == 0xf4)
		high = 0x8f;
	if (b[1] < low || b[1] > high)
		return 0;
	for (i = 2; i < n; i++)
		if ((b[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

bool
utf8_is_valid(const char *text, size_t len)
{
	size_t n;

	for (; len > 0; text += n, len -= n) {
		n = utf8_sequence_len(text, len);
		if (n == 0)
			return false;
	}
	return true;
}

size_t
utf8_prefix_len(const char *text, size_t max)
{
	size_t len = strlen(text);

	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
		max--;
	return max;
}
