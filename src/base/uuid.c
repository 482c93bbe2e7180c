/* SPDX-License-Identifier: MIT */
/* UUIDs (RFC 9562). Version 7 uses a 12-bit counter behind the millisecond
   (§6.2, method 1), so that ids of one process increase. */
#include "config.h"

#include "wuts/uuid.h"

#include "wuts/clock.h"
#include "wuts/crypto.h"

#include <string.h>

const struct uuid UUID_NIL;

/* Where the text has its dashes: behind these bytes. */
static bool
is_dash_behind(size_t byte)
{
	return byte == 3 || byte == 5 || byte == 7 || byte == 9;
}

static void
set_version(struct uuid *uuid, unsigned version)
{
	uuid->b[6] = (uint8_t)((uuid->b[6] & 0x0f) | version << 4);
	uuid->b[8] = (uint8_t)((uuid->b[8] & 0x3f) | 0x80);
}

void
uuid_new_random(struct uuid *uuid_r)
{
	crypto_random(uuid_r->b, sizeof(uuid_r->b));
	set_version(uuid_r, 4);
}

void
uuid_new_ordered(struct uuid *uuid_r)
{
	static uint64_t last_ms;
	static unsigned counter;
	uint64_t now_ms = (uint64_t)(clock_wall_us() / 1000);
	size_t i;

	crypto_random(uuid_r->b, sizeof(uuid_r->b));
	if (now_ms > last_ms) {
		last_ms = now_ms;
		/* The upper half of the counter is room to count. */
		counter = (unsigned)(uuid_r->b[6] & 0x07) << 8 | uuid_r->b[7];
	} else if (++counter > 0xfff) {
		/* Also when the clock went back: go on from the last. */
		last_ms++;
		counter = 0;
	}
	for (i = 0; i < 6; i++)
		uuid_r->b[i] = (uint8_t)(last_ms >> (40 - 8 * i));
	uuid_r->b[6] = (uint8_t)(counter >> 8);
	uuid_r->b[7] = (uint8_t)counter;
	set_version(uuid_r, 7);
}

bool
uuid_parse(const char *text, size_t len, struct uuid *uuid_r)
{
	char digits[2 * sizeof(uuid_r->b)];
	struct uuid uuid;

	if (len != UUID_TEXT_LEN || text[8] != '-' || text[13] != '-' ||
	    text[18] != '-' || text[23] != '-')
		return false;
	memcpy(digits, text, 8);
	memcpy(digits + 8, text + 9, 4);
	memcpy(digits + 12, text + 14, 4);
	memcpy(digits + 16, text + 19, 4);
	memcpy(digits + 20, text + 24, 12);
	if (!crypto_unhex(digits, sizeof(digits), &uuid.b))
		return false;
	*uuid_r = uuid;
	return true;
}

char *
uuid_format(const struct uuid *uuid, char buf[UUID_TEXT_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	char *p = buf;
	size_t i;

	for (i = 0; i < sizeof(uuid->b); i++) {
		*p++ = digits[uuid->b[i] >> 4];
		*p++ = digits[uuid->b[i] & 0x0f];
		if (is_dash_behind(i))
			*p++ = '-';
	}
	*p = '\0';
	return buf;
}

bool
uuid_is_nil(const struct uuid *uuid)
{
	return uuid_is_equal(uuid, &UUID_NIL);
}

bool
uuid_is_equal(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}
