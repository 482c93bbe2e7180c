/* SPDX-License-Identifier: MIT */
/* A growing byte buffer, always NUL-terminated behind len. */
#ifndef WUTS_STRBUF_H
#define WUTS_STRBUF_H

#include <stddef.h>

struct strbuf {
	char *data;	/* NULL until the first append */
	size_t len;
	size_t cap;
};

#define STRBUF_INIT { NULL, 0, 0 }

/* Make room for more further bytes (and the NUL). */
void strbuf_reserve(struct strbuf *sb, size_t more);
void strbuf_append(struct strbuf *sb, const void *data, size_t len);
void strbuf_append_str(struct strbuf *sb, const char *s);
void strbuf_append_char(struct strbuf *sb, char c);
void strbuf_printf(struct strbuf *sb, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Empty it, keep its memory. */
void strbuf_reset(struct strbuf *sb);

/* Free its memory; usable again afterwards. */
void strbuf_deinit(struct strbuf *sb);

#endif
