/* SPDX-License-Identifier: MIT */
/* Secrets in memory. Their pages are left out of core dumps by
   privilege_hide_memory(), which every program calls; here they are wiped. */
#include "config.h"

#include "wuts/secret.h"

#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
secret_set(struct secret *secret, const void *data, size_t len)
{
	unsigned char *copy = mem_calloc(len + 1, 1);

	if (len > 0)
		memcpy(copy, data, len);
	secret_deinit(secret);
	secret->data = copy;
	secret->len = len;
}

bool
secret_is_credential(const char *path)
{
	return strncmp(path, SECRET_CREDENTIALS, strlen(SECRET_CREDENTIALS))
	    == 0;
}

/* NULL: path is a credential, and there are none. */
static char *
real_path(const char *path)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	size_t len;
	char *real;

	if (!secret_is_credential(path))
		return mem_strdup(path);
	if (dir == NULL)
		return NULL;
	path += strlen(SECRET_CREDENTIALS);
	len = strlen(dir) + 1 + strlen(path) + 1;
	real = mem_calloc(len, 1);
	(void)snprintf(real, len, "%s/%s", dir, path);
	return real;
}

static int
open_file(const char *path, struct fault *fault)
{
	char *real = real_path(path);
	int fd;

	if (real == NULL)
		return fault_set(fault, FAULT_CONFIG, "secret %s: systemd has"
		    " not passed credentials: LoadCredential= in the unit, or"
		    " systemd-run -p LoadCredential=... by hand", path);
	fd = open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	free(real);
	return fd < 0 ? fault_errno(fault, FAULT_CONFIG, "secret %s", path) :
	    fd;
}

static int
check_file(int fd, const char *path, size_t max_len, size_t *len_r,
    struct fault *fault)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fault_errno(fault, FAULT_CONFIG, "secret %s", path);
	if (!S_ISREG(st.st_mode))
		return fault_set(fault, FAULT_CONFIG,
		    "secret %s: not a regular file", path);
	if ((st.st_mode & 0007) != 0)
		return fault_set(fault, FAULT_CONFIG,
		    "secret %s: everybody may read it: chmod o= it", path);
	if (st.st_size < 1 || (size_t)st.st_size > max_len)
		return fault_set(fault, FAULT_CONFIG,
		    "secret %s: must hold 1 to %zu bytes", path, max_len);
	*len_r = (size_t)st.st_size;
	return 0;
}

static int
read_all(int fd, const char *path, unsigned char *data, size_t len,
    struct fault *fault)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = read(fd, data + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault_errno(fault, FAULT_CONFIG, "secret %s",
			    path);
		if (n == 0)
			return fault_set(fault, FAULT_CONFIG,
			    "secret %s: it shrank while it was read", path);
		done += (size_t)n;
	}
	return 0;
}

int
secret_read_file(struct secret *secret, const char *path, size_t max_len,
    struct fault *fault)
{
	unsigned char *data = NULL;
	size_t len = 0;
	int fd, ret = -1;

	fd = open_file(path, fault);
	if (fd < 0)
		return -1;
	if (check_file(fd, path, max_len, &len, fault) < 0)
		goto out;
	data = mem_calloc(len, 1);
	if (read_all(fd, path, data, len, fault) < 0)
		goto out;
	secret_set(secret, data, len - (data[len - 1] == '\n'));
	if (secret->len == 0) {
		secret_deinit(secret);
		fault_set(fault, FAULT_CONFIG, "secret %s: is empty", path);
		goto out;
	}
	ret = 0;
out:
	if (data != NULL)
		crypto_wipe(data, len);
	free(data);
	close(fd);
	return ret;
}

void
secret_deinit(struct secret *secret)
{
	if (secret->data != NULL)
		crypto_wipe(secret->data, secret->len);
	free(secret->data);
	secret->data = NULL;
	secret->len = 0;
}
