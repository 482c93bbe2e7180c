/* SPDX-License-Identifier: MIT */
/* What the files of src/http share: the steps of exchange_serve(), each in its
   own file. A step returns 0 / -1 with the refusal or fault. */
#ifndef WUTS_HTTP_PRIVATE_H
#define WUTS_HTTP_PRIVATE_H

#include "wuts/http.h"

/* --- percent.c --- */

/* The decoded text, in the arena. is_form: '+' is a blank. NULL: malformed,
   or a NUL inside. */
const char *percent_decode(struct arena *arena, const char *text, size_t len,
    bool is_form);

/* --- request.c --- */

/* Take nginx's parameters apart into x->request. */
int request_read(struct exchange *x, struct fault *fault);

/* --- router.c --- */

#define ROUTER_METHODS_SIZE 64

struct route_match {
	const struct dialect *dialect;	/* the path's, or the first that has a
					   say in it */
	const struct route *route;	/* NULL: no route for this method */
	unsigned methods;		/* of this path; 0: no such path */
	const char *args[ROUTE_ARGS_MAX];
};

/* Every route of every dialect that has a say in the path is tried; a literal
   segment beats a {name} at the same place, and only routes of the method
   compete. owner: the dialect that has the whole server, or "". -1: the path
   is malformed. */
int router_find(const struct dialect *const *dialects, size_t ndialects,
    struct arena *arena, const char *owner, const char *path,
    enum http_method method, struct route_match *match_r,
    struct fault *fault);

/* The value of Allow for a set of methods; HEAD goes with GET, OPTIONS with
   all of them where the dialect has it. */
char *router_allow(unsigned methods, bool has_options,
    char buf[ROUTER_METHODS_SIZE]);

enum http_method http_method_parse(const char *name);

/* --- auth.c --- */

/* Who asks, and may it call this route? x->caller is set. */
int auth_check(struct exchange *x, struct fault *fault);

/* --- body.c --- */

/* Media type and announced size, before a byte of it is read. */
int body_check(struct exchange *x, struct fault *fault);

/* How many bytes the body of this request may have, and the refusal of
   more. */
size_t body_max(const struct exchange *x);
int body_refuse_size(const struct exchange *x, struct fault *fault);
/* All has been read, total bytes: was that the body? */
int body_check_end(const struct exchange *x, size_t total,
    struct fault *fault);

/* Read what the handler left of the body, so that the connection can carry
   the next request. Past a bound: the connection will be closed instead. */
void body_drain(struct exchange *x);

/* --- idempotency.c --- */

/* The request's Idempotency-Key, when there is one. 1: the answer given before
   is in the response; 0: go on; -1. */
int idempotency_begin(struct exchange *x, struct fault *fault);
/* The answer is in the response, whatever it is: keep it, or forget that the
   request came. */
void idempotency_end(struct exchange *x);

/* --- count.c --- */

/* The request is answered. */
void count_request(const struct exchange *x, int64_t duration_us);

/* --- response.c --- */

/* Begin the answer anew. */
void response_reset(struct exchange *x);
/* Send what has gathered and end the FastCGI request. */
void response_finish(struct exchange *x);
/* The headers are out and the rest cannot follow: cut the connection, so that
   the client sees a broken body, never a short whole one. */
void response_abort(struct exchange *x);

#endif
