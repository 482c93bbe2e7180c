/* SPDX-License-Identifier: MIT */
/* Records and marks as text. The order of the members is fixed, so writing is
   copying and reading is comparing; whatever deviates by a byte is not ours. */
#include "config.h"

#include "queue_private.h"

#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/uuid.h"

#include <inttypes.h>
#include <string.h>

struct cursor {
	const char *p;
	const char *end;
};

#define PUT(p, text) put(p, text, sizeof(text) - 1)
#define EAT(cursor, text) eat(cursor, text, sizeof(text) - 1)

static inline char *
put(char *p, const char *text, size_t len)
{
	memcpy(p, text, len);
	return p + len;
}

char *
queue_put_uint(char *p, uint64_t value)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	while (n > 0)
		*p++ = digits[--n];
	return p;
}

/* Nothing, when it is not what can be kept. */
static char *
put_request(char *p, const char *request)
{
	size_t len = 0;

	if (request == NULL)
		return p;
	for (; request[len] != '\0'; len++)
		if (len == QUEUE_REQUEST_MAX || request[len] <= ' ' ||
		    request[len] > '~' || request[len] == '"' ||
		    request[len] == '\\')
			return p;
	if (len == 0)
		return p;
	p = PUT(p, ",\"request\":\"");
	p = put(p, request, len);
	return PUT(p, "\"");
}

/* Its NUL is written over by what follows. */
static char *
put_uuid(char *p, const struct uuid *uuid)
{
	return uuid_format(uuid, p) + UUID_TEXT_LEN;
}

char *
queue_put_hex32(char *p, uint32_t value)
{
	for (int shift = 28; shift >= 0; shift -= 4)
		*p++ = "0123456789abcdef"[(value >> shift) & 15];
	return p;
}

bool
queue_get_hex32(const char *p, uint32_t *value_r)
{
	uint32_t value = 0;

	for (int i = 0; i < 8; i++) {
		unsigned digit;

		if (p[i] >= '0' && p[i] <= '9')
			digit = (unsigned)(p[i] - '0');
		else if (p[i] >= 'a' && p[i] <= 'f')
			digit = (unsigned)(p[i] - 'a') + 10;
		else
			return false;
		value = value << 4 | digit;
	}
	*value_r = value;
	return true;
}

int
queue_record_check(const struct queue_record *record, struct fault *fault)
{
	size_t event_len;

	event_len = record->event != NULL ? strlen(record->event) : 0;
	if (event_len == 0 || event_len > QUEUE_EVENT_MAX)
		return fault_set(fault, FAULT_QUEUE,
		    "append: an event name has 1 to %d characters",
		    QUEUE_EVENT_MAX);
	for (size_t i = 0; i < event_len; i++)
		if (record->event[i] <= ' ' || record->event[i] > '~' ||
		    record->event[i] == '"' || record->event[i] == '\\')
			return fault_set(fault, FAULT_QUEUE,
			    "append: not an event name: %s", record->event);
	if (record->created_us < 0)
		return fault_set(fault, FAULT_QUEUE,
		    "append: created before 1970");
	if (record->body_len > QUEUE_APPEND_MAX / 2)
		return fault_set(fault, FAULT_QUEUE,
		    "append: body of %zu bytes", record->body_len);
	/* A newline would let a body pose as a record after damage; a zero
	   means "not written yet". */
	if (record->body_len > 0 &&
	    (memchr(record->body, '\n', record->body_len) != NULL ||
	    memchr(record->body, '\0', record->body_len) != NULL))
		return fault_set(fault, FAULT_QUEUE,
		    "append: a newline or NUL in the body");
	return 0;
}

size_t
queue_record_format(char *out, const struct queue_record *record,
    bool prepared, unsigned more)
{
	uint32_t crc;
	char *p = out;

	p = PUT(p, "{\"v\":1,\"id\":\"");
	p = put_uuid(p, &record->id);
	p = PUT(p, "\",\"tenant\":\"");
	p = put_uuid(p, &record->tenant_id);
	if (uuid_is_nil(&record->device_id)) {
		p = PUT(p, "\",\"device\":null");
	} else {
		p = PUT(p, "\",\"device\":\"");
		p = put_uuid(p, &record->device_id);
		p = PUT(p, "\"");
	}
	p = PUT(p, ",\"event\":\"");
	p = put(p, record->event, strlen(record->event));
	p = PUT(p, "\",\"created\":");
	p = queue_put_uint(p, (uint64_t)record->created_us);
	p = put_request(p, record->request);
	if (prepared)
		p = PUT(p, ",\"state\":\"prepared\",\"more\":");
	else
		p = PUT(p, ",\"state\":\"ready\",\"more\":");
	p = queue_put_uint(p, more);
	p = PUT(p, ",\"length\":");
	p = queue_put_uint(p, record->body_len);
	crc = crypto_crc32c(0, out, (size_t)(p - out));
	crc = crypto_crc32c(crc, record->body, record->body_len);
	p = PUT(p, ",\"crc\":\"");
	p = queue_put_hex32(p, crc);
	p = PUT(p, "\"}\n");
	if (record->body_len > 0)
		p = put(p, record->body, record->body_len);
	*p++ = '\n';
	return (size_t)(p - out);
}

size_t
queue_mark_format(char out[QUEUE_MARK_MAX], const struct uuid *id, bool commit)
{
	uint32_t crc;
	char *p = out;

	p = PUT(p, "{\"v\":1,\"id\":\"");
	p = put_uuid(p, id);
	if (commit)
		p = PUT(p, "\",\"mark\":\"commit\"");
	else
		p = PUT(p, "\",\"mark\":\"discard\"");
	crc = crypto_crc32c(0, out, (size_t)(p - out));
	p = PUT(p, ",\"crc\":\"");
	p = queue_put_hex32(p, crc);
	p = PUT(p, "\"}\n");
	return (size_t)(p - out);
}

static inline bool
eat(struct cursor *c, const char *text, size_t len)
{
	if ((size_t)(c->end - c->p) < len || memcmp(c->p, text, len) != 0)
		return false;
	c->p += len;
	return true;
}

/* Digits as queue_put_uint() writes them, at most max. */
static bool
eat_uint(struct cursor *c, uint64_t max, uint64_t *value_r)
{
	const char *begin = c->p;
	uint64_t value = 0;

	for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++) {
		unsigned digit = (unsigned)(*c->p - '0');

		if (value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (c->p == begin || (*begin == '0' && c->p > begin + 1))
		return false;
	*value_r = value;
	return true;
}

static bool
eat_uuid(struct cursor *c, struct uuid *uuid_r)
{
	if (c->end - c->p < UUID_TEXT_LEN ||
	    !uuid_parse(c->p, UUID_TEXT_LEN, uuid_r))
		return false;
	c->p += UUID_TEXT_LEN;
	return true;
}

/* Up to the quote: 1 to max bytes, into text of max + 1. */
static bool
eat_word(struct cursor *c, size_t max, char *text)
{
	const char *quote;
	size_t len;

	quote = memchr(c->p, '"', (size_t)(c->end - c->p));
	if (quote == NULL || quote == c->p)
		return false;
	len = (size_t)(quote - c->p);
	if (len > max)
		return false;
	memcpy(text, c->p, len);
	text[len] = '\0';
	c->p = quote;
	return true;
}

/* The end of every line of ours: the checksum. */
static bool
eat_crc(struct cursor *c, const char *text, struct queue_line *line_r)
{
	line_r->covered = (uint32_t)(c->p - text);
	if (!EAT(c, ",\"crc\":\"") || c->end - c->p != 10 ||
	    !queue_get_hex32(c->p, &line_r->crc))
		return false;
	c->p += 8;
	return EAT(c, "\"}");
}

static bool
mark_parse(struct cursor *c, const char *text, struct queue_line *line_r)
{
	line_r->kind = QUEUE_LINE_MARK;
	line_r->commit = EAT(c, "commit\"");
	if (!line_r->commit && !EAT(c, "discard\""))
		return false;
	return eat_crc(c, text, line_r);
}

bool
queue_header_parse(const char *text, size_t len, struct queue_line *line_r)
{
	struct queue_record *record = &line_r->record;
	struct cursor c = { text, text + len };
	uint64_t created, more, length;

	if (!EAT(&c, "{\"v\":1,\"id\":\"") || !eat_uuid(&c, &record->id))
		return false;
	if (EAT(&c, "\",\"mark\":\""))
		return mark_parse(&c, text, line_r);
	line_r->kind = QUEUE_LINE_RECORD;
	if (!EAT(&c, "\",\"tenant\":\"") || !eat_uuid(&c, &record->tenant_id))
		return false;
	record->device_id = UUID_NIL;
	if (!EAT(&c, "\",\"device\":null") &&
	    (!EAT(&c, "\",\"device\":\"") ||
	    !eat_uuid(&c, &record->device_id) || !EAT(&c, "\"")))
		return false;
	if (!EAT(&c, ",\"event\":\"") ||
	    !eat_word(&c, QUEUE_EVENT_MAX, line_r->event) ||
	    !EAT(&c, "\",\"created\":") || !eat_uint(&c, INT64_MAX, &created))
		return false;
	line_r->request[0] = '\0';
	if (EAT(&c, ",\"request\":\"") &&
	    (!eat_word(&c, QUEUE_REQUEST_MAX, line_r->request) ||
	    !EAT(&c, "\"")))
		return false;
	line_r->prepared = EAT(&c, ",\"state\":\"prepared\"");
	if (!line_r->prepared && !EAT(&c, ",\"state\":\"ready\""))
		return false;
	if (!EAT(&c, ",\"more\":") ||
	    !eat_uint(&c, QUEUE_BATCH_MAX - 1, &more) ||
	    !EAT(&c, ",\"length\":") ||
	    !eat_uint(&c, QUEUE_APPEND_MAX, &length))
		return false;
	queue_line_bind(line_r);
	record->created_us = (int64_t)created;
	record->body_len = length;
	line_r->more = (unsigned)more;
	return eat_crc(&c, text, line_r);
}
