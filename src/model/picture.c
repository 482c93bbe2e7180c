/* SPDX-License-Identifier: MIT */
/* The five formats of pictures, and the names of their files. */
#include "config.h"

#include "wuts/picture.h"

#include "wuts/crypto.h"

#include <string.h>
#include <strings.h>

static const char *const suffixes[PICTURE_FORMAT_COUNT] = {
	[PICTURE_NONE] = "",
	[PICTURE_JPEG] = "jpeg",
	[PICTURE_PNG] = "png",
	[PICTURE_GIF] = "gif",
	[PICTURE_WEBP] = "webp",
	[PICTURE_ICO] = "ico"
};

static const char *const welcome_types[] = {
	"image/jpeg", "image/jpg", "image/png", "image/gif", "image/webp",
	"image/x-icon", "image/vnd.microsoft.icon"
};

#define RANDOM_HEX 32
#define FOLDER_LEN 3		/* "3f/" */

static bool
starts_with(const void *data, size_t len, const char *bytes, size_t n)
{
	return len >= n && memcmp(data, bytes, n) == 0;
}

enum picture_format
picture_format_of(const void *data, size_t len)
{
	if (starts_with(data, len, "\xff\xd8\xff", 3))
		return PICTURE_JPEG;
	if (starts_with(data, len, "\x89PNG\r\n\x1a\n", 8))
		return PICTURE_PNG;
	if (starts_with(data, len, "GIF87a", 6) ||
	    starts_with(data, len, "GIF89a", 6))
		return PICTURE_GIF;
	if (len >= 12 && starts_with(data, len, "RIFF", 4) &&
	    memcmp((const char *)data + 8, "WEBP", 4) == 0)
		return PICTURE_WEBP;
	if (starts_with(data, len, "\0\0\1\0", 4))
		return PICTURE_ICO;
	return PICTURE_NONE;
}

const char *
picture_suffix(enum picture_format format)
{
	return suffixes[format];
}

bool
picture_type_is_welcome(const char *media_type)
{
	size_t len = strcspn(media_type, "; \t");

	if (strncasecmp(media_type, "image/", 6) != 0)
		return true;
	for (size_t i = 0; i < sizeof(welcome_types) /
	    sizeof(welcome_types[0]); i++)
		if (strlen(welcome_types[i]) == len &&
		    strncasecmp(welcome_types[i], media_type, len) == 0)
			return true;
	return false;
}

char *
picture_name_format(const uint8_t random[16], enum picture_format format,
    char name_r[PICTURE_NAME_MAX + 1])
{
	char *p = name_r;

	crypto_hex(random, 1, p);
	p[2] = '/';
	crypto_hex(random, RANDOM_HEX / 2, p + FOLDER_LEN);
	p += FOLDER_LEN + RANDOM_HEX;
	*p++ = '.';
	memcpy(p, suffixes[format], strlen(suffixes[format]) + 1);
	return name_r;
}

bool
picture_name_is_ours(const char *name)
{
	const char *hex = name + FOLDER_LEN;

	if (strspn(name, "0123456789abcdef") != 2 || name[2] != '/' ||
	    strspn(hex, "0123456789abcdef") != RANDOM_HEX ||
	    memcmp(name, hex, 2) != 0 || hex[RANDOM_HEX] != '.')
		return false;
	for (int i = PICTURE_NONE + 1; i < PICTURE_FORMAT_COUNT; i++)
		if (strcmp(hex + RANDOM_HEX + 1, suffixes[i]) == 0)
			return true;
	return false;
}
