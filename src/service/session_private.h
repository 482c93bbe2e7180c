/* SPDX-License-Identifier: MIT */
/* What the files on sessions share. */
#ifndef WUTS_SESSION_PRIVATE_H
#define WUTS_SESSION_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wuts/crypto.h"
#include "wuts/session_service.h"

struct json_writer;

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

void session_write_time(struct json_writer *w, const char *key,
    int64_t wall_us);

#endif
