/* SPDX-License-Identifier: MIT */
/* The request's body as a form: read from the web server piece by piece and
   handed to the parser, never gathered. */
#include "config.h"

#include "wuts/multipart.h"

#include "wuts/arena.h"
#include "wuts/fault.h"

#include "http_private.h"

#define PIECE_BYTES ((size_t)32 << 10)

static int
feed_all(struct exchange *x, struct multipart *m, struct fault *fault)
{
	char *piece = arena_alloc(x->arena, PIECE_BYTES);
	size_t total = 0, max = body_max(x);
	int got;

	do {
		got = FCGX_GetStr(piece, (int)PIECE_BYTES, x->fcgi->in);
		if (got <= 0)
			break;
		total += (size_t)got;
		if (total > max)
			return body_refuse_size(x, fault);
		if (multipart_feed(m, piece, (size_t)got, fault) < 0)
			return -1;
	} while (got == (int)PIECE_BYTES);
	if (body_check_end(x, total, fault) < 0)
		return -1;
	return multipart_end(m, fault);
}

int
request_multipart(struct exchange *x, const struct multipart_field *fields,
    size_t nfields, struct multipart_value *values_r, struct fault *fault)
{
	size_t max = body_max(x);
	struct multipart m;
	int ret;

	fault_clear(fault);
	x->body_read = true;
	if (x->content_length >= 0 && (uint64_t)x->content_length < max)
		max = (size_t)x->content_length;
	ret = multipart_init(&m, x->arena, x->request.content_type, max,
	    fields, nfields, values_r, fault);
	if (ret == 0)
		ret = feed_all(x, &m, fault);
	multipart_deinit(&m);
	return ret;
}
