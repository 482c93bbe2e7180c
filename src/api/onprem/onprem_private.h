/* SPDX-License-Identifier: MIT */
/* What the files of the On-Premises dialect share. */
#ifndef WUTS_API_ONPREM_PRIVATE_H
#define WUTS_API_ONPREM_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

struct exchange;
struct fault;
struct json_writer;

/* --- handlers: 0, or -1 with the fault --- */

int root_greet(struct exchange *x, struct fault *fault);
/* Every route that nginx relays. */
int relay_authorise(struct exchange *x, struct fault *fault);

/* --- error.c: the envelopes --- */

/* Begin an answer; write the payload's member; end it with meta (returns
   0). */
struct json_writer *onprem_begin(struct exchange *x, unsigned status);
int onprem_end(struct exchange *x);
/* Nothing but meta. */
int onprem_answer_empty(struct exchange *x);

/* A field with this message is missing, any other message says it is bad. */
#define ONPREM_IS_REQUIRED "is required"

/* --- relay.c --- */

/* When nginx only asks: what the answer's body would say, as a header. */
void onprem_relay_say(struct exchange *x);

/* --- error.c: errors and headers --- */

void onprem_write_error(struct exchange *x, const struct fault *fault);
void onprem_add_headers(struct exchange *x);

#endif
