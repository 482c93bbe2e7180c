/* SPDX-License-Identifier: MIT */
/* A secret in memory: wiped when freed, kept out of core dumps, accepted by
   no formatting function. */
#ifndef WUTS_SECRET_H
#define WUTS_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct fault;

struct secret {
	unsigned char *data;	/* NULL: not set */
	size_t len;
};

/* Copy len bytes in; the caller wipes its own copy. */
void secret_set(struct secret *secret, const void *data, size_t len);

/* How the path of a systemd credential begins; the rest is its name. */
#define SECRET_CREDENTIALS "$CREDENTIALS_DIRECTORY/"
bool secret_is_credential(const char *path);

/* Read a file, or a credential, into a secret, one trailing newline removed.
   It must be a regular file of 1..max_len bytes that others cannot read
   (mode & 0007 is 0), else FAULT_CONFIG with what to do. 0 / -1. */
int secret_read_file(struct secret *secret, const char *path, size_t max_len,
    struct fault *fault);

/* Wipe and free; usable again. */
void secret_deinit(struct secret *secret);

#endif
