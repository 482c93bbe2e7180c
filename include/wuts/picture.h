/* SPDX-License-Identifier: MIT */
/* A user's picture as a file: which formats there are, told by the leading
   bytes and never by what a client says, and what such a file is called. */
#ifndef WUTS_PICTURE_H
#define WUTS_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PICTURE_BYTES_MAX ((size_t)5 << 20)
/* "3f/3f9c….jpeg": 32 hex digits, below a folder of the first two. */
#define PICTURE_NAME_MAX 47

enum picture_format {
	PICTURE_NONE,
	PICTURE_JPEG,
	PICTURE_PNG,
	PICTURE_GIF,
	PICTURE_WEBP,
	PICTURE_ICO,
	PICTURE_FORMAT_COUNT
};

/* PICTURE_NONE: none of the five. */
enum picture_format picture_format_of(const void *data, size_t len);
/* The suffix of the file's name: "jpeg", "png", "gif", "webp", "ico". */
const char *picture_suffix(enum picture_format format);

/* May an upload be declared as this media type? image/… of another format may
   not; what is no image/… at all may: the bytes decide. */
bool picture_type_is_welcome(const char *media_type);

/* A name that nobody can guess, from 16 random bytes. */
char *picture_name_format(const uint8_t random[16],
    enum picture_format format, char name_r[PICTURE_NAME_MAX + 1]);
/* Is this what picture_name_format() makes? */
bool picture_name_is_ours(const char *name);

#endif
