/* SPDX-License-Identifier: MIT */
/* How the tokens of connections are kept. */
#ifndef WUTS_CONNECTION_PRIVATE_H
#define WUTS_CONNECTION_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct crypto_keys;
struct uuid;

/* Which of the two tokens of a row. */
#define CONNECTION_ACCESS 'a'
#define CONNECTION_REFRESH 'r'

/* How long the sealed token in arena is; 0 and NULL for "". */
size_t connection_seal(const struct crypto_keys *keys, struct arena *arena,
    const struct uuid *id, char which, const char *token,
    const uint8_t **sealed_r);
/* False: not ours, or changed. *key_r: under which key it was. */
bool connection_open(const struct crypto_keys *keys, struct arena *arena,
    const struct uuid *id, char which, const uint8_t *sealed, size_t len,
    const char **token_r, unsigned *key_r);

#endif
