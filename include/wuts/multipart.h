/* SPDX-License-Identifier: MIT */
/* multipart/form-data (RFC 7578, RFC 2046) as spec/wacht.md §1.4 has it, read
   while it arrives: never the whole body in memory, but the values of the
   fields that were asked for, each within its limit. Strict: what is not
   well-formed is refused, never guessed. */
#ifndef WUTS_MULTIPART_H
#define WUTS_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

#include "wuts/strbuf.h"

struct arena;
struct exchange;
struct fault;

#define MULTIPART_PARTS_MAX 64
#define MULTIPART_HEADERS_MAX 8192	/* bytes, of one part */
#define MULTIPART_TEXT_MAX 16384
#define MULTIPART_BOUNDARY_MAX 70

/* What a handler wants to have. Every other part is read past, and keeps to
   the rules all the same. */
struct multipart_field {
	const char *name;
	size_t max;	/* bytes; 0: MULTIPART_TEXT_MAX, or for a file what
			   the route's body may hold */
	bool is_file;	/* any bytes; over max is REFUSAL_PAYLOAD_TOO_LARGE */
};

/* The last part of that name. */
struct multipart_value {
	const char *data;	/* NULL: absent. With a NUL behind len bytes */
	size_t len;
	const char *type;	/* of a file: its Content-Type, "" when none */
};

/* Read the body as a form: values_r[i] is that of fields[i], in the exchange's
   arena. At most one field may be a file. The route has ROUTE_ANY_MEDIA and a
   ROUTE_BODY_KIB(). -1: REFUSAL_MEDIA_TYPE (it is no multipart/form-data),
   REFUSAL_VALIDATION (malformed, truncated, or fields[] of the fault name a
   text that is no UTF-8, holds a NUL or is too long),
   REFUSAL_PAYLOAD_TOO_LARGE, FAULT_IO. */
int request_multipart(struct exchange *x,
    const struct multipart_field *fields, size_t nfields,
    struct multipart_value *values_r, struct fault *fault);

/* --- the parser, fed by anybody --- */

enum multipart_state {
	MULTIPART_START,
	MULTIPART_DELIMITER,	/* behind a boundary */
	MULTIPART_HEADERS,
	MULTIPART_DATA,
	MULTIPART_CLOSED,	/* behind the last boundary's "--" */
	MULTIPART_EPILOGUE
};

struct multipart {
	struct arena *arena;
	const struct multipart_field *fields;
	size_t nfields;
	struct multipart_value *values;
	char delimiter[MULTIPART_BOUNDARY_MAX + 5];	/* CR LF -- boundary */
	size_t delimiter_len;

	enum multipart_state state;
	struct strbuf in;	/* what has come and was not understood yet */
	size_t nparts;

	/* the part being read */
	const char *name;
	const char *type;
	const struct multipart_field *field;	/* NULL: nobody wants it */
	bool is_text;		/* the rules of text hold for it */
	struct strbuf text;
	char *file;		/* of file_cap + 1 bytes, once one has come */
	size_t file_cap;
	size_t file_len;
};

/* content_type: the header's value. body_max bounds what a file may need.
   Borrows fields, values_r and arena until multipart_end(). -1:
   REFUSAL_MEDIA_TYPE, REFUSAL_VALIDATION. Call multipart_deinit() in any
   case. */
int multipart_init(struct multipart *m, struct arena *arena,
    const char *content_type, size_t body_max,
    const struct multipart_field *fields, size_t nfields,
    struct multipart_value *values_r, struct fault *fault);
/* The next bytes, in pieces of any size. */
int multipart_feed(struct multipart *m, const char *data, size_t len,
    struct fault *fault);
/* There are no more. */
int multipart_end(struct multipart *m, struct fault *fault);
void multipart_deinit(struct multipart *m);

#endif
