/* SPDX-License-Identifier: MIT */
/* Idempotency-Key on POST (spec/wuts.md §1): whether this request was answered
   before, and keeping its answer when it was not. A change's answer is
   rendered inside the change's transaction and committed with it; a refusal
   and the answer of a request without a transaction are kept afterwards; of a
   fault of ours nothing is kept, so that the client may try again. The stored
   text is header lines, an empty line and the body. */
#include "config.h"

#include "wuts/arena.h"
#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/uuid.h"

#include "http_private.h"

#include <string.h>

void
response_plan(struct exchange *x, response_render *render, const void *ctx)
{
	x->plan.render = render;
	x->plan.ctx = ctx;
	x->plan.is_rendered = false;
}

int
response_render_planned(struct exchange *x)
{
	wuts_assert(x->plan.render != NULL);
	if (!x->plan.is_rendered) {
		response_reset(x);
		x->plan.render(x, x->plan.ctx);
		x->plan.is_rendered = true;
	}
	return 0;
}

/* What has been written to the response, to be kept. */
static void
take_answer(struct exchange *x, struct idempotency_answer *answer_r)
{
	const struct response *r = &x->response;
	struct strbuf text = STRBUF_INIT;

	wuts_assert(!r->started);
	if (r->headers.len > 0)
		strbuf_append(&text, r->headers.data, r->headers.len);
	if (x->ignored != NULL)
		strbuf_printf(&text, "X-WUTS-Ignored: %s\r\n", x->ignored);
	strbuf_append_str(&text, "\r\n");
	if (r->body.len > 0)
		strbuf_append(&text, r->body.data, r->body.len);
	answer_r->status = r->status;
	answer_r->text = arena_memdup(x->arena, text.data, text.len);
	answer_r->len = text.len;
	strbuf_deinit(&text);
}

/* struct reply's: inside the transaction, as often as that is tried. */
static void
render_reply(void *ctx, struct idempotency_answer *answer_r)
{
	struct exchange *x = ctx;

	x->plan.is_rendered = false;
	response_render_planned(x);
	take_answer(x, answer_r);
}

/* Behind the empty line that ends the header lines. */
static const char *
find_body(const char *text, const char *end)
{
	const char *newline;

	while (text < end && *text != '\r') {
		newline = memchr(text, '\n', (size_t)(end - text));
		if (newline == NULL)
			return NULL;
		text = newline + 1;
	}
	return end - text >= 2 && text[1] == '\n' ? text + 2 : NULL;
}

static int
answer_again(struct exchange *x, const struct idempotency_answer *answer,
    struct fault *fault)
{
	const char *end = answer->text + answer->len;
	const char *body = find_body(answer->text, end);

	if (body == NULL)
		return fault_set(fault, FAULT_INTERNAL,
		    "a stored answer is not one that was stored");
	response_reset(x);
	response_status(x, answer->status);
	strbuf_append(&x->response.headers, answer->text,
	    (size_t)(body - 2 - answer->text));
	response_header(x, "Idempotent-Replayed", "true");
	strbuf_append(&x->response.body, body, (size_t)(end - body));
	return 1;
}

/* The path with its query: ?tenant_id= says whose things are meant. */
static const char *
target_of(const struct exchange *x)
{
	const struct request *r = &x->request;

	return r->query[0] == '\0' ? r->path :
	    arena_printf(x->arena, "%s?%s", r->path, r->query);
}

int
idempotency_begin(struct exchange *x, struct fault *fault)
{
	struct idempotency_answer answer;
	const char *body;
	size_t len;
	int found;

	if ((x->dialect->flags & DIALECT_IDEMPOTENT) == 0 ||
	    x->request.method != HTTP_POST ||
	    x->request.idempotency_key == NULL ||
	    (x->route->flags & ROUTE_RELAY) != 0 ||
	    x->route->access == ACCESS_PUBLIC)
		return 0;
	if (request_body(x, &body, &len, NULL, fault) < 0)
		return -1;
	found = idempotency_service_begin(x->service, x->arena, &x->caller,
	    x->request.idempotency_key, target_of(x), body, len,
	    &x->idempotency, &answer, fault);
	if (found < 0)
		return fault_prefix(fault, "Idempotency-Key");
	if (found == 1)
		return answer_again(x, &answer, fault);
	x->is_idempotent = true;
	x->reply = (struct reply) {
		.idempotency = &x->idempotency,
		.render = render_reply,
		.ctx = x
	};
	x->caller.reply = &x->reply;
	return 0;
}

/* 401 and 429 are about the moment and the caller, 5xx about us: none of them
   is the answer to this request. */
static bool
is_kept(unsigned status)
{
	return status < 500 && status != 401 && status != 429;
}

void
idempotency_end(struct exchange *x)
{
	struct idempotency_answer answer;

	if (!x->is_idempotent || x->idempotency.stored)
		return;
	if (x->response.started || !is_kept(x->response.status)) {
		idempotency_service_abandon(x->service, &x->idempotency);
		return;
	}
	take_answer(x, &answer);
	idempotency_service_finish(x->service, &x->idempotency, &answer);
}

/* The key's hash alone would not do: a day later the key may name another
   request. Version 8, RFC 9562: ours to fill. */
void
request_new_id(const struct exchange *x, uint32_t n, struct uuid *id_r)
{
	uint8_t text[2 * CRYPTO_HASH_LEN + 4], hash[CRYPTO_HASH_LEN];
	const struct idempotency *of = &x->idempotency;

	if (!x->is_idempotent) {
		uuid_new_ordered(id_r);
		return;
	}
	memcpy(text, of->key_hash, CRYPTO_HASH_LEN);
	memcpy(text + CRYPTO_HASH_LEN, of->body_hash, CRYPTO_HASH_LEN);
	for (size_t i = 0; i < 4; i++)
		text[2 * CRYPTO_HASH_LEN + i] = (uint8_t)(n >> (8 * i));
	crypto_sha256(text, sizeof(text), hash);
	memcpy(id_r->b, hash, sizeof(id_r->b));
	id_r->b[6] = (uint8_t)((id_r->b[6] & 0x0f) | 0x80);
	id_r->b[8] = (uint8_t)((id_r->b[8] & 0x3f) | 0x80);
}
