/* SPDX-License-Identifier: MIT */
/* What the files on sessions share. */
#ifndef WUTS_SESSION_PRIVATE_H
#define WUTS_SESSION_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wuts/crypto.h"
#include "wuts/session_service.h"

struct caller;
struct change;
struct fault;
struct service;
struct session;
struct strbuf;
struct user;

/* --- session_token.c: the text of a token, which looks like a JWT of algorithm
   HS256 and means nothing without its row --- */

/* user: whom it names. Times in seconds. Signed with the first key. */
void session_token_make(const struct crypto_keys *keys, const char *user,
    int64_t issued_s, int64_t expires_s, char token_r[SESSION_TOKEN_MAX + 1]);

/* False: none of the keys signed it, or it is no such token. *expires_s_r is
   its claim, hash_r what its row is found by: the SHA-256 of the text, whose
   first bytes are the name of the key that signed it, so that the rows tell
   which keys they need. */
bool session_token_check(const struct crypto_keys *keys, const char *token,
    size_t len, int64_t *expires_s_r, uint8_t hash_r[CRYPTO_HASH_LEN]);

/* --- session_end.c --- */

/* Beside a request, once a minute and process: what has expired is refused
   whether or not it is swept. */
void session_sweep_now_and_then(struct service *service);

/* --- session.c --- */

/* A session that is about to begin. */
struct session_opening {
	const struct session *session;
	uint8_t token_hash[CRYPTO_HASH_LEN];
};
/* All but its row: *result_r. self_r is the caller of the change that inserts
   it: the user. */
void session_prepare(struct service *service, const struct caller *caller,
    const struct user *user, int64_t lifetime_s, const char *user_agent,
    struct session_opening *opening_r, struct caller *self_r,
    struct session_opened *result_r);
/* Row, audit row and event, of a user that stands locked. */
int session_insert(struct change *change,
    const struct session_opening *opening, struct fault *fault);

/* --- session_shape.c --- */

/* session.created, .deleted or .expired, in the shape of the Wacht dialect.
   others: NULL, or the ids of more sessions that the event stands for, as a
   JSON array. */
int session_emit(struct change *change, const char *event,
    const struct session *session, const struct strbuf *others,
    struct fault *fault);

#endif
