/* SPDX-License-Identifier: MIT */
/* The On-Premises form of an event: what a tenant's callback, the webhook of
   its application settings, is sent (spec/onprem.md §6.7). Pure. */
#ifndef WUTS_CALLBACK_H
#define WUTS_CALLBACK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "wuts/json.h"
#include "wuts/uuid.h"

struct onprem_settings;
struct strbuf;

/* By the main array of the payload. */
enum callback_type {
	CALLBACK_MESSAGE,	/* messages */
	CALLBACK_STATUS,	/* statuses */
	CALLBACK_ERROR,		/* errors */
	CALLBACK_SERVICE,	/* services */
	CALLBACK_TYPE_COUNT
};

/* "inbound_message", "status_change", "error", "service". */
const char *callback_type_name(enum callback_type type);
/* The same behind "onprem.": the event of a record in the queue. */
const char *callback_event_name(enum callback_type type);
/* False: it is no such event. */
bool callback_event_parse(const char *event, enum callback_type *type_r);

/* The id of the record that goes with an event: the same for the same event. */
struct uuid callback_id(const struct uuid *event_id);

struct callback_source {
	const char *event;		/* catalogue name */
	struct uuid id;
	int64_t timestamp_us;
	struct json_span data;		/* the object as it came */
	const json_t *data_tree;	/* the same, parsed */
};

/* Append the payload, one line without white space between tokens, as the
   settings of now want it. Data that is a payload already keeps its bytes;
   other data is mapped (doc/onprem.md). False: there is no form, or nothing
   of it is wanted; nothing is appended. */
bool callback_format(struct strbuf *out, const struct callback_source *source,
    const struct onprem_settings *settings, enum callback_type *type_r);

#endif
