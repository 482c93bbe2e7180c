/* SPDX-License-Identifier: MIT */
/* Entity tags and If-Match (RFC 9110 §8.8.3, §13.1.1). A tag is made of the
   row's time of change, which every change makes later. */
#include "config.h"

#include "service_private.h"

#include "wuts/fault.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

char *
etag_format(int64_t updated_us, char buf[ETAG_SIZE])
{
	snprintf(buf, ETAG_SIZE, "\"%016" PRIx64 "\"", (uint64_t)updated_us);
	return buf;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The opaque part, quotes included, that starts at s; 0: none does. */
static size_t
tag_length(const char *s)
{
	const char *end;

	if (*s != '"')
		return 0;
	end = strchr(s + 1, '"');
	return end == NULL ? 0 : (size_t)(end - s) + 1;
}

/* Strong comparison: a weak tag (W/"…") matches nothing. A list that is
   malformed matches nothing behind the fault. */
static bool
has_tag(const char *list, const char *etag)
{
	size_t len;
	bool weak;

	for (;;) {
		while (is_blank(*list) || *list == ',')
			list++;
		weak = strncmp(list, "W/", 2) == 0;
		if (weak)
			list += 2;
		len = tag_length(list);
		if (len == 0)
			return false;
		if (!weak && strlen(etag) == len &&
		    memcmp(list, etag, len) == 0)
			return true;
		list += len;
		while (is_blank(*list))
			list++;
		if (*list != ',')
			return false;
	}
}

static bool
is_any(const char *list)
{
	while (is_blank(*list))
		list++;
	if (*list++ != '*')
		return false;
	while (is_blank(*list))
		list++;
	return *list == '\0';
}

int
etag_check(const char *if_match, const char *etag, struct fault *fault)
{
	if (if_match == NULL)
		return 0;
	if (etag != NULL && (is_any(if_match) || has_tag(if_match, etag)))
		return 0;
	return fault_say(fault, REFUSAL_PRECONDITION_FAILED,
	    "it has changed since, or does not exist any more");
}
