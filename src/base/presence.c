/* SPDX-License-Identifier: MIT */
/* A process in its lock file: one line, "PID KEY KEY…\n", written whole. */
#include "config.h"

#include "wuts/presence.h"

#include "wuts/fault.h"
#include "wuts/file.h"
#include "wuts/log.h"
#include "wuts/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define LINE_MAX_LEN 128
#define NAME_HEX_LEN (2 * CRYPTO_KEY_NAME_LEN)

void
presence_say(int fd, const struct crypto_keys *keys)
{
	struct strbuf line = STRBUF_INIT;
	char name[NAME_HEX_LEN + 1];
	unsigned i;

	strbuf_printf(&line, "%ld", (long)getpid());
	for (i = 0; keys != NULL && i < keys->n; i++) {
		crypto_hex(keys->key[i].name, CRYPTO_KEY_NAME_LEN, name);
		strbuf_printf(&line, " %s", name);
	}
	strbuf_append_char(&line, '\n');
	/* A longer line of before is cut afterwards: whoever reads meanwhile
	   takes the first line. */
	if (file_write_all_at(fd, line.data, line.len, 0) < 0 ||
	    ftruncate(fd, (off_t)line.len) < 0)
		log_warn("write the lock file: %s", strerror(errno));
	strbuf_deinit(&line);
}

/* What cannot be understood, somebody else's file, says nothing. */
static void
parse(const char *line, struct presence *presence_r)
{
	struct presence found = { 0 };
	char *rest;
	long pid;

	errno = 0;
	pid = strtol(line, &rest, 10);
	if (errno != 0 || rest == line || pid <= 1 || pid > INT32_MAX)
		return;
	found.pid = (pid_t)pid;
	while (*rest == ' ' && found.n < CRYPTO_KEYS_MAX &&
	    strlen(rest) > NAME_HEX_LEN &&
	    crypto_unhex(rest + 1, NAME_HEX_LEN, found.key[found.n])) {
		found.n++;
		rest += 1 + NAME_HEX_LEN;
	}
	if (*rest == '\n')
		*presence_r = found;
}

int
presence_find(const char *path, struct presence *presence_r,
    struct fault *fault)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char line[LINE_MAX_LEN + 1];
	ssize_t n;
	int fd, ret;

	memset(presence_r, 0, sizeof(*presence_r));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return fault_errno(fault, FAULT_IO, "open %s", path);
	ret = fcntl(fd, F_OFD_GETLK, &lock);
	n = pread(fd, line, LINE_MAX_LEN, 0);
	if (ret < 0 || n < 0) {
		ret = fault_errno(fault, FAULT_IO, "read %s", path);
	} else {
		ret = lock.l_type != F_UNLCK;
		line[n] = '\0';
		if (ret == 1)
			parse(line, presence_r);
	}
	close(fd);
	return ret;
}

bool
presence_has_keys(const struct presence *presence,
    const struct crypto_keys *keys)
{
	unsigned i;

	if (presence->n != keys->n)
		return false;
	for (i = 0; i < keys->n; i++)
		if (memcmp(presence->key[i], keys->key[i].name,
		    CRYPTO_KEY_NAME_LEN) != 0)
			return false;
	return true;
}
