/* SPDX-License-Identifier: MIT */
/* The few records of FastCGI 1.0 that a responder's web server speaks. */
#include "config.h"

#include "fcgi_client.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECORD_MAX 65535
#define HEADER_LEN 8

enum record_type {
	RECORD_BEGIN = 1,
	RECORD_END = 3,
	RECORD_PARAMS = 4,
	RECORD_STDIN = 5,
	RECORD_STDOUT = 6
};

struct bytes {
	unsigned char *data;
	size_t len, cap;
};

static void
append(struct bytes *b, const void *data, size_t len)
{
	if (b->len + len + 1 > b->cap) {
		b->cap = 2 * (b->len + len + 1);
		b->data = realloc(b->data, b->cap);
		if (b->data == NULL)
			abort();
	}
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

static void
append_record(struct bytes *b, enum record_type type, const void *data,
    size_t len)
{
	unsigned char header[HEADER_LEN] = { 1, (unsigned char)type, 0, 1,
	    (unsigned char)(len >> 8), (unsigned char)len, 0, 0 };

	append(b, header, sizeof(header));
	append(b, data, len);
}

static void
append_length(struct bytes *b, size_t len)
{
	unsigned char four[4] = { (unsigned char)(0x80 | len >> 24),
	    (unsigned char)(len >> 16), (unsigned char)(len >> 8),
	    (unsigned char)len };

	if (len < 128)
		append(b, &four[3], 1);
	else
		append(b, four, 4);
}

static void
append_params(struct bytes *b, const char *const *params)
{
	struct bytes pairs = { NULL, 0, 0 };

	for (; *params != NULL; params++) {
		const char *value = strchr(*params, '=') + 1;
		size_t name_len = (size_t)(value - *params) - 1;

		append_length(&pairs, name_len);
		append_length(&pairs, strlen(value));
		append(&pairs, *params, name_len);
		append(&pairs, value, strlen(value));
	}
	append_record(b, RECORD_PARAMS, pairs.data, pairs.len);
	append_record(b, RECORD_PARAMS, NULL, 0);
	free(pairs.data);
}

static bool
write_all(int fd, const unsigned char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = send(fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static void
append_begin(struct bytes *b, bool is_kept)
{
	unsigned char body[8] = { 0, 1, is_kept };

	append_record(b, RECORD_BEGIN, body, sizeof(body));
}

bool
fcgi_send(int fd, bool is_kept, const char *const *params, const char *body,
    size_t body_len)
{
	struct bytes b = { NULL, 0, 0 };
	size_t piece;
	bool ok;

	append_begin(&b, is_kept);
	append_params(&b, params);
	for (; body_len > 0; body += piece, body_len -= piece) {
		piece = body_len < RECORD_MAX ? body_len : RECORD_MAX;
		append_record(&b, RECORD_STDIN, body, piece);
	}
	append_record(&b, RECORD_STDIN, NULL, 0);
	ok = write_all(fd, b.data, b.len);
	free(b.data);
	return ok;
}

bool
fcgi_send_unfinished(int fd, const char *const *params)
{
	struct bytes b = { NULL, 0, 0 };
	bool ok;

	append_begin(&b, false);
	append_params(&b, params);
	ok = write_all(fd, b.data, b.len);
	free(b.data);
	return ok;
}

static bool
read_all(int fd, unsigned char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = read(fd, data, len);
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static void
split_answer(struct fcgi_answer *answer, struct bytes *out)
{
	char *text = (char *)out->data, *end = strstr(text, "\r\n\r\n");
	const char *status;

	answer->head = text;
	if (end == NULL)
		return;
	*end = '\0';
	answer->body = end + 4;
	answer->body_len = out->len - (size_t)(answer->body - text);
	status = strstr(text, "Status: ");
	answer->status = status == NULL ? 200 :
	    (unsigned)strtoul(status + 8, NULL, 10);
}

bool
fcgi_receive(int fd, struct fcgi_answer *answer)
{
	static unsigned char content[RECORD_MAX + 256];
	unsigned char header[HEADER_LEN];
	struct bytes out = { NULL, 0, 0 };
	size_t len;

	memset(answer, 0, sizeof(*answer));
	append(&out, "", 0);
	while (read_all(fd, header, sizeof(header))) {
		len = (size_t)header[4] << 8 | header[5];
		if (!read_all(fd, content, len + header[6]))
			break;
		if (header[1] == RECORD_STDOUT)
			append(&out, content, len);
		if (header[1] == RECORD_END) {
			answer->is_complete = true;
			break;
		}
	}
	split_answer(answer, &out);
	return answer->is_complete || out.len > 0;
}

void
fcgi_answer_free(struct fcgi_answer *answer)
{
	free(answer->head);
	memset(answer, 0, sizeof(*answer));
}

const char *
fcgi_header(const struct fcgi_answer *answer, const char *name, char *buf,
    size_t size)
{
	const char *line = answer->head;
	size_t len = strlen(name);

	while (line != NULL && *line != '\0') {
		if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
			snprintf(buf, size, "%.*s",
			    (int)strcspn(line + len + 2, "\r\n"),
			    line + len + 2);
			return buf;
		}
		line = strchr(line, '\n');
		if (line != NULL)
			line++;
	}
	return NULL;
}
