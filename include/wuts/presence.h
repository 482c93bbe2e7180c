/* SPDX-License-Identifier: MIT */
/* What a running process says of itself in the file that it holds locked: its
   number and, by their names, the installation keys that it works with. So it
   can be told to reload, and be seen to have done so. */
#ifndef WUTS_PRESENCE_H
#define WUTS_PRESENCE_H

#include <stdbool.h>
#include <sys/types.h>

#include "wuts/crypto.h"

struct fault;

struct presence {
	pid_t pid;
	unsigned n;		/* keys; 0: none yet, it is starting */
	uint8_t key[CRYPTO_KEYS_MAX][CRYPTO_KEY_NAME_LEN];
};

/* Say it; fd is the lock file's, open for writing. keys NULL: none yet. Failing
   harms nobody but who wants to know: it is logged. */
void presence_say(int fd, const struct crypto_keys *keys);

/* 1: somebody holds the lock, *presence_r is what it says (pid 0: nothing that
   can be read); 0: nobody does; -1: FAULT_IO. */
int presence_find(const char *path, struct presence *presence_r,
    struct fault *fault);

/* Does it work with just these keys, in this order? */
bool presence_has_keys(const struct presence *presence,
    const struct crypto_keys *keys);

#endif
