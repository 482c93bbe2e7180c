/* SPDX-License-Identifier: MIT */
/* UUIDs (RFC 9562): 16 bytes in memory and in the database, 36 lower-case
   characters outside. */
#ifndef WUTS_UUID_H
#define WUTS_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UUID_TEXT_LEN 36

struct uuid {
	uint8_t b[16];
};

extern const struct uuid UUID_NIL;

/* Version 4, from the kernel's CSPRNG: for tokens. */
void uuid_new_random(struct uuid *uuid_r);

/* Version 7: milliseconds since 1970, then random; increases within one
   process even inside one millisecond. For row and event ids. */
void uuid_new_ordered(struct uuid *uuid_r);

/* Exactly 36 characters 8-4-4-4-12, hex digits of either case, any version.
   text needs no NUL at len. True and *uuid_r, or false. */
bool uuid_parse(const char *text, size_t len, struct uuid *uuid_r);

/* Lower-case text with NUL; returns buf. */
char *uuid_format(const struct uuid *uuid, char buf[UUID_TEXT_LEN + 1]);

bool uuid_is_nil(const struct uuid *uuid);
bool uuid_is_equal(const struct uuid *a, const struct uuid *b);

#endif
