/* SPDX-License-Identifier: MIT */
/* What a receiver says besides the status; pure. */
#ifndef WUTS_SRC_SPOOL_ANSWER_H
#define WUTS_SRC_SPOOL_ANSWER_H

#include "wuts/strbuf.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct answer {
	struct strbuf text;	/* the beginning */
	size_t read;
	int64_t began_us;	/* monotonic; 0: nothing came yet */
};

void answer_begin(struct answer *answer);
/* False: enough, hang up. */
bool answer_take(struct answer *answer, const char *data, size_t len,
    int64_t mono_us);
/* From here on text is valid UTF-8 without control characters. */
void answer_end(struct answer *answer);
void answer_deinit(struct answer *answer);

/* Why there was no whole answer, in words for whoever owns the webhook: names
   no address. refused: by the guard. */
const char *answer_explain(CURLcode code, bool refused);

#endif
