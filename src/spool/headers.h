/* SPDX-License-Identifier: MIT */
/* The header fields of an attempt. */
#ifndef WUTS_SRC_SPOOL_HEADERS_H
#define WUTS_SRC_SPOOL_HEADERS_H

#include <curl/curl.h>
#include <stdint.h>

struct delivery;

#define HEADER_LINES_MAX 8
#define HEADER_LINE_SIZE 160

struct header_lines {
	struct curl_slist nodes[HEADER_LINES_MAX];
	char text[HEADER_LINES_MAX][HEADER_LINE_SIZE];
};

/* The list for one attempt, good until the next call; its end is the
   target's. */
struct curl_slist *headers_set(struct header_lines *lines,
    const struct delivery *delivery, unsigned attempt, int64_t wall_us);

#endif
