/* SPDX-License-Identifier: MIT */
/* Where UTF-8 sequences begin and end. */
#ifndef WUTS_UTF8_H
#define WUTS_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The length of the UTF-8 sequence (RFC 3629: shortest form, no surrogates, at
   most U+10FFFF) at the start of text, 1..4; 0 when there is none. */
size_t utf8_sequence_len(const char *text, size_t len);

/* Is all of it UTF-8? */
bool utf8_is_valid(const char *text, size_t len);

/* The longest prefix of text that is at most max bytes and cuts no sequence. */
size_t utf8_prefix_len(const char *text, size_t max);

#endif
