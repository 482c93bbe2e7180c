/* SPDX-License-Identifier: MIT */
/* The installation key's file and, while a rotation is under way, the note
   beside it. */
#ifndef WUTS_CTL_KEY_FILE_H
#define WUTS_CTL_KEY_FILE_H

#include <limits.h>
#include <stdbool.h>

#include "wuts/crypto.h"

struct fault;

struct key_file {
	char path[PATH_MAX];		/* not a link */
	char note_path[PATH_MAX];
	int note_fd;			/* locked: one rotation at a time */
	struct crypto_keys keys;	/* what the programs make of it */
	uint8_t raw[CRYPTO_KEYS_MAX][CRYPTO_KEY_LEN];
};

/* Take the lock, read the file. -1: FAULT_CONFIG, FAULT_IO; also when another
   rotation is under way. */
int key_file_open(struct key_file *file, const char *path,
    struct fault *fault);

/* Wipe; remove the note when is_done. */
void key_file_close(struct key_file *file, bool is_done);

/* The name of the key that is to become the first. True: there is a note and
   it can be read. */
bool key_file_next(const struct key_file *file,
    uint8_t name_r[CRYPTO_KEY_NAME_LEN]);

/* Where the key of that name stands, or file->keys.n. */
unsigned key_file_find(const struct key_file *file,
    const uint8_t name[CRYPTO_KEY_NAME_LEN]);

/* Each is durable when it returns 0, and one replacement of the file: add a
   new key behind the others, noted as the next one; make the key at that place
   the first; keep the first only, and of the others what proves old entries of
   the audit trail. */
int key_file_add(struct key_file *file, struct fault *fault);
int key_file_make_first(struct key_file *file, unsigned place,
    struct fault *fault);
int key_file_retire(struct key_file *file, struct fault *fault);

#endif
