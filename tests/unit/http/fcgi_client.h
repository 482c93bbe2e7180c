/* SPDX-License-Identifier: MIT */
/* The web server's side of FastCGI for tests: requests as records, answers
   put together from records, over any connected stream socket. */
#ifndef WUTS_TEST_FCGI_CLIENT_H
#define WUTS_TEST_FCGI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

struct fcgi_answer {
	bool is_complete;	/* END_REQUEST came */
	unsigned status;
	char *head;		/* all headers, CRLF between */
	char *body;
	size_t body_len;
};

/* One request: params are NAME=value, the last one NULL. False: the peer has
   closed. Names and values below 64 KiB together. */
bool fcgi_send(int fd, bool is_kept, const char *const *params,
    const char *body, size_t body_len);

/* As fcgi_send(), but announce no more than the params: no end of the body
   follows. */
bool fcgi_send_unfinished(int fd, const char *const *params);

/* Read one answer. False: nothing came before the end of the connection. */
bool fcgi_receive(int fd, struct fcgi_answer *answer);
void fcgi_answer_free(struct fcgi_answer *answer);

/* The value of a header in buf, or NULL. */
const char *fcgi_header(const struct fcgi_answer *answer, const char *name,
    char *buf, size_t size);

#endif
