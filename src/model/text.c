/* SPDX-License-Identifier: MIT */
/* Characters and white space of UTF-8 text, and the shape of host names. The
   text was found to be valid UTF-8 where it came in; should it not be, a stray
   byte counts as one character and nothing is read past the NUL. */
#include "config.h"

#include "model_private.h"

#include <stdint.h>
#include <string.h>

#define LABEL_MAX 63
#define HOST_NAME_MAX_LEN 253

/* The character at text, which is not the NUL; its length in bytes. */
static size_t
char_next(const char *text, uint32_t *char_r)
{
	const uint8_t *bytes = (const uint8_t *)text;
	uint32_t value;
	size_t len, i;

	if (bytes[0] >= 0xf0) {
		len = 4;
		value = bytes[0] & 0x07U;
	} else if (bytes[0] >= 0xe0) {
		len = 3;
		value = bytes[0] & 0x0fU;
	} else if (bytes[0] >= 0xc0) {
		len = 2;
		value = bytes[0] & 0x1fU;
	} else {
		*char_r = bytes[0];
		return 1;
	}
	for (i = 1; i < len; i++) {
		if ((bytes[i] & 0xc0) != 0x80) {
			*char_r = bytes[0];
			return 1;
		}
		value = value << 6 | (bytes[i] & 0x3fU);
	}
	*char_r = value;
	return len;
}

/* The property White_Space of Unicode. */
static bool
char_is_space(uint32_t c)
{
	return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 ||
	    c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	    c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
	    c == 0x3000;
}

/* The category Cc of Unicode. */
static bool
char_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f);
}

size_t
text_chars(const char *text)
{
	size_t chars = 0;
	uint32_t c;

	for (; *text != '\0'; text += char_next(text, &c))
		chars++;
	return chars;
}

enum text_name_verdict
text_name_trim(const char *text, size_t chars_max, char *name_r)
{
	const char *p, *begin = NULL, *end = NULL;
	size_t len, chars = 0, chars_inside = 0;
	bool control = false, control_inside = false;
	uint32_t c;

	*name_r = '\0';
	for (p = text; *p != '\0'; p += len) {
		len = char_next(p, &c);
		if (begin == NULL) {
			if (char_is_space(c))
				continue;
			begin = p;
		}
		chars++;
		control = control || char_is_control(c);
		/* What lies behind the last character that is not white space
		   does not count: some white space is also control. */
		if (!char_is_space(c)) {
			end = p + len;
			chars_inside = chars;
			control_inside = control;
		}
	}
	if (begin == NULL || chars_inside > chars_max)
		return TEXT_NAME_LENGTH;
	if (control_inside)
		return TEXT_NAME_CONTROL;
	len = (size_t)(end - begin);
	memcpy(name_r, begin, len);
	name_r[len] = '\0';
	return TEXT_NAME_GOOD;
}

static bool
is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool
text_is_host_name(const char *host, size_t len)
{
	size_t i, label = 0;

	if (len == 0 || len > HOST_NAME_MAX_LEN)
		return false;
	for (i = 0; i < len; i++) {
		if (host[i] == '.') {
			if (label == 0 || host[i - 1] == '-')
				return false;
			label = 0;
			continue;
		}
		if (!is_label_char(host[i]) || ++label > LABEL_MAX ||
		    (label == 1 && host[i] == '-'))
			return false;
	}
	return label > 0 && host[len - 1] != '-';
}

/* WHATWG "ends in a number": the last label is digits, or 0x and hex digits.
   Resolvers take such a host for an address in some spelling. */
bool
text_ends_in_number(const char *host, size_t host_len)
{
	const char *end = host + host_len, *label = end;
	size_t len;

	while (label > host && label[-1] != '.')
		label--;
	len = (size_t)(end - label);
	if (len >= 2 && label[0] == '0' && (label[1] | 0x20) == 'x') {
		label += 2;
		return strspn(label, "0123456789abcdefABCDEF") >=
		    (size_t)(end - label);
	}
	return len > 0 && strspn(label, "0123456789") >= len;
}
