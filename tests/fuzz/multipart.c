/* SPDX-License-Identifier: MIT */
/* Fuzz target: the first line is a Content-Type, the rest a body. Whatever it
   is, feeding it whole and feeding it in small pieces end alike, and no value
   is over its limit. */
#include "config.h"

#include "wuts/arena.h"
#include "wuts/fault.h"
#include "wuts/multipart.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#define BODY_MAX 300000
#define FILE_MAX 20000
#define NFIELDS 3

static const struct multipart_field fields[NFIELDS] = {
	{ .name = "first_name" },
	{ .name = "public_metadata", .max = 65536 },
	{ .name = "profile_image", .max = FILE_MAX, .is_file = true }
};

static int
parse(struct arena *arena, const char *type, const uint8_t *body, size_t len,
    size_t piece, struct multipart_value *values, struct fault *fault)
{
	struct multipart m;
	int ret;

	fault_clear(fault);
	ret = multipart_init(&m, arena, type, BODY_MAX, fields, NFIELDS,
	    values, fault);
	for (size_t at = 0; ret == 0 && at < len; at += piece)
		ret = multipart_feed(&m, (const char *)body + at,
		    len - at < piece ? len - at : piece, fault);
	if (ret == 0)
		ret = multipart_end(&m, fault);
	multipart_deinit(&m);
	return ret;
}

static void
must(int is_true)
{
	if (!is_true)
		abort();
}

static void
compare(const struct multipart_value *a, const struct multipart_value *b)
{
	for (size_t i = 0; i < NFIELDS; i++) {
		size_t max = fields[i].max > 0 ? fields[i].max :
		    MULTIPART_TEXT_MAX;

		must((a[i].data == NULL) == (b[i].data == NULL));
		if (a[i].data == NULL)
			continue;
		must(a[i].len == b[i].len && a[i].len <= max);
		must(memcmp(a[i].data, b[i].data, a[i].len + 1) == 0);
		must(a[i].data[a[i].len] == '\0');
		must(strcmp(a[i].type, b[i].type) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *line_end = len > 0 ? memchr(data, '\n', len) : NULL;
	struct multipart_value whole[NFIELDS], cut[NFIELDS];
	struct arena *arena = arena_new();
	struct fault fault;
	const char *type;
	int ret;

	if (line_end != NULL) {
		type = arena_memdup(arena, data, (size_t)(line_end - data));
		len -= (size_t)(line_end + 1 - data);
		data = line_end + 1;
		ret = parse(arena, type, data, len, len + 1, whole, &fault);
		must(ret == 0 || fault_is_refusal(fault.code));
		must(parse(arena, type, data, len, 1 + len % 7, cut,
		    &fault) == ret);
		if (ret == 0)
			compare(whole, cut);
	}
	arena_free(&arena);
	return 0;
}
