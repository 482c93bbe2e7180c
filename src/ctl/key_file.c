/* SPDX-License-Identifier: MIT */
/* The installation key's file, changed as a whole only: whoever starts or
   reloads reads the one before or the one after, and either works. It keeps
   its owner and mode. The note beside it tells a key that is not yet used from
   one that is not used any more; it holds the key's name, no secret, and its
   lock keeps a second rotation away. */
#include "config.h"

#include "key_file.h"

#include "wuts/fault.h"
#include "wuts/file.h"
#include "wuts/secret.h"
#include "wuts/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX_LEN 4096
#define HEX_LEN (2 * CRYPTO_KEY_LEN)
#define NAME_HEX_LEN (2 * CRYPTO_KEY_NAME_LEN)

/* --- reading --- */

/* What crypto_keys_derive() accepted: 32 bytes, or lines. */
static void
take_raw(struct key_file *file, const struct secret *text)
{
	const char *line = (const char *)text->data;
	unsigned i;

	if (text->len == CRYPTO_KEY_LEN) {
		memcpy(file->raw[0], text->data, CRYPTO_KEY_LEN);
		return;
	}
	for (i = 0; i < file->keys.n; i++, line += HEX_LEN + 1)
		(void)crypto_unhex(line, HEX_LEN, file->raw[i]);
}

static int
read_keys(struct key_file *file, struct fault *fault)
{
	struct secret text = { NULL, 0 };
	int ret;

	if (secret_read_file(&text, file->path, FILE_MAX_LEN, fault) < 0)
		return -1;
	ret = crypto_keys_derive(&file->keys, &text, fault);
	if (ret == 0)
		take_raw(file, &text);
	secret_deinit(&text);
	return ret < 0 ? fault_prefix(fault, "%s", file->path) : 0;
}

/* --- the note --- */

/* Whoever held the lock may have removed the file meanwhile: then what we have
   locked is not the note any more. */
static bool
is_still_there(const struct key_file *file)
{
	struct stat ours, there;

	return fstat(file->note_fd, &ours) == 0 &&
	    stat(file->note_path, &there) == 0 &&
	    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

static int
lock_note(struct key_file *file, struct fault *fault)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	for (;;) {
		file->note_fd = open(file->note_path, O_RDWR | O_CREAT |
		    O_CLOEXEC | O_NOFOLLOW, 0600);
		if (file->note_fd < 0)
			return fault_errno(fault, FAULT_IO, "%s",
			    file->note_path);
		if (fcntl(file->note_fd, F_OFD_SETLK, &lock) < 0)
			return errno == EAGAIN || errno == EACCES ?
			    fault_set(fault, FAULT_CONFIG, "another wutsctl"
			    " key rotate is under way: wait for its end") :
			    fault_errno(fault, FAULT_IO, "lock %s",
			    file->note_path);
		if (is_still_there(file))
			return 0;
		close(file->note_fd);
	}
}

bool
key_file_next(const struct key_file *file,
    uint8_t name_r[CRYPTO_KEY_NAME_LEN])
{
	char text[NAME_HEX_LEN + 2];

	return pread(file->note_fd, text, sizeof(text), 0) ==
	    NAME_HEX_LEN + 1 && text[NAME_HEX_LEN] == '\n' &&
	    crypto_unhex(text, NAME_HEX_LEN, name_r);
}

/* Durable with the directory, which the replacement that follows syncs. */
static int
write_note(struct key_file *file, const uint8_t name[CRYPTO_KEY_NAME_LEN],
    struct fault *fault)
{
	char text[NAME_HEX_LEN + 2];

	crypto_hex(name, CRYPTO_KEY_NAME_LEN, text);
	memcpy(text + NAME_HEX_LEN, "\n", 2);
	if (ftruncate(file->note_fd, 0) < 0 ||
	    file_write_all_at(file->note_fd, text, NAME_HEX_LEN + 1, 0) < 0 ||
	    fsync(file->note_fd) < 0)
		return fault_errno(fault, FAULT_IO, "write %s",
		    file->note_path);
	return 0;
}

/* --- open, close --- */

int
key_file_open(struct key_file *file, const char *path, struct fault *fault)
{
	memset(file, 0, sizeof(*file));
	file->note_fd = -1;
	/* A link stays one: what it leads to is replaced. */
	if (realpath(path, file->path) == NULL)
		return fault_errno(fault, FAULT_CONFIG, "%s", path);
	if (snprintf(file->note_path, sizeof(file->note_path), "%s.rotation",
	    file->path) >= (int)sizeof(file->note_path))
		return fault_set(fault, FAULT_CONFIG, "%s: too long", path);
	if (lock_note(file, fault) < 0) {
		/* It is another's. */
		if (file->note_fd >= 0)
			close(file->note_fd);
		file->note_fd = -1;
		return -1;
	}
	return read_keys(file, fault);
}

void
key_file_close(struct key_file *file, bool is_done)
{
	if (file->note_fd >= 0) {
		if (is_done)
			(void)unlink(file->note_path);
		close(file->note_fd);
	}
	crypto_wipe(file, sizeof(*file));
}

unsigned
key_file_find(const struct key_file *file,
    const uint8_t name[CRYPTO_KEY_NAME_LEN])
{
	unsigned i;

	for (i = 0; i < file->keys.n; i++)
		if (memcmp(file->keys.key[i].name, name,
		    CRYPTO_KEY_NAME_LEN) == 0)
			break;
	return i;
}

/* --- changing --- */

static void
append_hex(struct strbuf *text, const uint8_t key[CRYPTO_KEY_LEN])
{
	char hex[HEX_LEN + 1];

	crypto_hex(key, CRYPTO_KEY_LEN, hex);
	strbuf_append(text, hex, HEX_LEN);
	strbuf_append_char(text, '\n');
	crypto_wipe(hex, sizeof(hex));
}

/* Write the n keys and what is left of the retired ones, and read it again. */
static int
write_keys(struct key_file *file, unsigned n, struct fault *fault)
{
	struct strbuf text = STRBUF_INIT;
	unsigned i;
	int ret;

	strbuf_reserve(&text, FILE_MAX_LEN);
	for (i = 0; i < n; i++)
		append_hex(&text, file->raw[i]);
	for (i = 0; i < file->keys.nretired; i++) {
		strbuf_append_str(&text, "audit ");
		append_hex(&text, file->keys.retired_audit[i]);
	}
	ret = file_replace_alike(file->path, text.data, text.len, fault);
	crypto_wipe(text.data, text.len);
	strbuf_deinit(&text);
	return ret < 0 ? -1 : read_keys(file, fault);
}

static int
name_of(const uint8_t raw[CRYPTO_KEY_LEN], uint8_t name_r[CRYPTO_KEY_NAME_LEN],
    struct fault *fault)
{
	struct secret secret = { NULL, 0 };
	struct crypto_keys keys;
	int ret;

	secret_set(&secret, raw, CRYPTO_KEY_LEN);
	ret = crypto_keys_derive(&keys, &secret, fault);
	memcpy(name_r, keys.key[0].name, CRYPTO_KEY_NAME_LEN);
	crypto_wipe(&keys, sizeof(keys));
	secret_deinit(&secret);
	return ret;
}

int
key_file_add(struct key_file *file, struct fault *fault)
{
	uint8_t name[CRYPTO_KEY_NAME_LEN];
	unsigned n = file->keys.n;

	if (n == CRYPTO_KEYS_MAX)
		return fault_set(fault, FAULT_CONFIG, "%s holds %u keys, no"
		    " more are allowed", file->path, n);
	crypto_random(file->raw[n], CRYPTO_KEY_LEN);
	/* The note first: a key in the file without it counts as an old one. */
	if (name_of(file->raw[n], name, fault) < 0 ||
	    write_note(file, name, fault) < 0)
		return -1;
	return write_keys(file, n + 1, fault);
}

int
key_file_make_first(struct key_file *file, unsigned place,
    struct fault *fault)
{
	uint8_t key[CRYPTO_KEY_LEN];
	unsigned i;

	memcpy(key, file->raw[place], sizeof(key));
	for (i = place; i > 0; i--)
		memcpy(file->raw[i], file->raw[i - 1], CRYPTO_KEY_LEN);
	memcpy(file->raw[0], key, sizeof(key));
	crypto_wipe(key, sizeof(key));
	return write_keys(file, file->keys.n, fault);
}

int
key_file_retire(struct key_file *file, struct fault *fault)
{
	struct crypto_keys *keys = &file->keys;
	unsigned i;

	if (keys->nretired + keys->n - 1 > CRYPTO_RETIRED_MAX)
		return fault_set(fault, FAULT_CONFIG, "%s remembers %u retired"
		    " keys, no more are allowed: remove the first of its"
		    " \"audit\" lines, and the oldest entries of the audit"
		    " trail can no longer be verified", file->path,
		    keys->nretired);
	/* The oldest first. */
	for (i = keys->n - 1; i > 0; i--)
		memcpy(keys->retired_audit[keys->nretired++],
		    keys->key[i].audit, CRYPTO_KEY_LEN);
	return write_keys(file, 1, fault);
}
