/* SPDX-License-Identifier: MIT */
/* The headers of one attempt, in a list that is built in place: a webhook's
   with its signatures, or those of an On-Premises webhook, which has none. */
#include "config.h"

#include "headers.h"

#include "delivery.h"
#include "signature.h"
#include "target.h"

#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/uuid.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REQUEST_ID_LEN 16

/* Of a webhook. */
enum {
	LINE_ID,
	LINE_TIMESTAMP,
	LINE_SIGNATURE,
	LINE_EVENT,
	LINE_DELIVERY,
	LINE_ATTEMPT,
	LINE_BODY_SIGNATURE,
	LINE_COUNT
};
_Static_assert(LINE_COUNT <= HEADER_LINES_MAX, "every line has a place");

/* Of an On-Premises webhook. */
enum {
	LINE_REQUEST_ID,
	LINE_ACCOUNT_ID,
	LINE_CALLBACK_COUNT
};

/* What follows in the line; returns where it ends. */
static char *
put(char *to, const char *end, const char *text)
{
	size_t len = strnlen(text, (size_t)(end - to));

	memcpy(to, text, len);
	return to + len;
}

/* By hand: there are seven in an attempt. */
static void
set_line(struct header_lines *lines, unsigned line, const char *name,
    const char *value)
{
	char *text = lines->text[line];
	const char *end = text + HEADER_LINE_SIZE - 1;

	/* libcurl takes "Name:" for "do not send", "Name;" for an empty
	   value. */
	text = put(text, end, name);
	text = put(text, end, value[0] == '\0' ? ";" : ": ");
	*put(text, end, value) = '\0';
}

/* One v1 signature a secret that is valid, the newer one first. */
static void
set_signatures(struct header_lines *lines, const struct delivery *delivery,
    const char *id, int64_t wall_us)
{
	const struct queue_record *record = &delivery->record;
	struct target *target = delivery->target;
	struct crypto_hmac *old = target_old_hmac(target, wall_us);
	int64_t timestamp = wall_us / CLOCK_SECOND_US;
	char text[2 * SIGNATURE_STANDARD_SIZE];

	signature_standard(target_hmac(target), id, timestamp, record->body,
	    record->body_len, text);
	if (old != NULL) {
		size_t len = strlen(text);

		text[len] = ' ';
		signature_standard(old, id, timestamp, record->body,
		    record->body_len, text + len + 1);
	}
	set_line(lines, LINE_SIGNATURE, "webhook-signature", text);
}

static unsigned
set_webhook(struct header_lines *lines, const struct delivery *delivery,
    unsigned attempt, int64_t wall_us)
{
	const struct queue_record *record = &delivery->record;
	char id[UUID_TEXT_LEN + 1], number[24];
	char hex[SIGNATURE_HEX_SIZE];

	uuid_format(&record->id, id);
	signature_hex(target_hmac(delivery->target), record->body,
	    record->body_len, hex);
	set_line(lines, LINE_ID, "webhook-id", id);
	snprintf(number, sizeof(number), "%" PRId64,
	    wall_us / CLOCK_SECOND_US);
	set_line(lines, LINE_TIMESTAMP, "webhook-timestamp", number);
	set_signatures(lines, delivery, id, wall_us);
	set_line(lines, LINE_EVENT, "X-WUTS-Event", record->event);
	set_line(lines, LINE_DELIVERY, "X-WUTS-Delivery", id);
	snprintf(number, sizeof(number), "%u", attempt);
	set_line(lines, LINE_ATTEMPT, "X-WUTS-Attempt", number);
	set_line(lines, LINE_BODY_SIGNATURE, "X-WUTS-Signature", hex);
	return LINE_COUNT;
}

static unsigned
set_callback(struct header_lines *lines, const struct delivery *delivery)
{
	uint8_t random[REQUEST_ID_LEN];
	char hex[2 * REQUEST_ID_LEN + 1];

	crypto_random(random, sizeof(random));
	crypto_hex(random, sizeof(random), hex);
	set_line(lines, LINE_REQUEST_ID, "X-Request-Id", hex);
	set_line(lines, LINE_ACCOUNT_ID, "X-WA-Account-Id",
	    delivery->target->wa_id);
	return LINE_CALLBACK_COUNT;
}

struct curl_slist *
headers_set(struct header_lines *lines, const struct delivery *delivery,
    unsigned attempt, int64_t wall_us)
{
	const struct target *target = delivery->target;
	unsigned n = target->kind == TARGET_CALLBACK ?
	    set_callback(lines, delivery) :
	    set_webhook(lines, delivery, attempt, wall_us);

	for (unsigned i = 0; i < n; i++) {
		lines->nodes[i].data = lines->text[i];
		lines->nodes[i].next = &lines->nodes[i + 1];
	}
	lines->nodes[n - 1].next = target->headers;
	return lines->nodes;
}
