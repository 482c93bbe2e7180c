/* SPDX-License-Identifier: MIT */
/* A growing byte buffer; doubles, so that appending is cheap. */
#include "config.h"

#include "wuts/strbuf.h"

#include "wuts/log.h"
#include "wuts/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST_BYTES 256
/* What is printed mostly fits, and is then printed once. */
#define PRINTF_ROOM 64

void
strbuf_reserve(struct strbuf *sb, size_t more)
{
	size_t want, cap;

	wuts_assert(more < SIZE_MAX / 4);
	want = sb->len + more + 1;
	if (want <= sb->cap)
		return;
	cap = sb->cap == 0 ? SMALLEST_BYTES : sb->cap;
	while (cap < want)
		cap *= 2;
	sb->data = mem_realloc(sb->data, cap, 1);
	sb->cap = cap;
	sb->data[sb->len] = '\0';
}

void
strbuf_append(struct strbuf *sb, const void *data, size_t len)
{
	strbuf_reserve(sb, len);
	if (len > 0)
		memcpy(sb->data + sb->len, data, len);
	sb->len += len;
	sb->data[sb->len] = '\0';
}

void
strbuf_append_str(struct strbuf *sb, const char *s)
{
	strbuf_append(sb, s, strlen(s));
}

void
strbuf_append_char(struct strbuf *sb, char c)
{
	strbuf_append(sb, &c, 1);
}

void
strbuf_printf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;
	size_t room;
	int len;

	strbuf_reserve(sb, PRINTF_ROOM);
	room = sb->cap - sb->len;
	va_start(ap, fmt);
	len = vsnprintf(sb->data + sb->len, room, fmt, ap);
	va_end(ap);
	wuts_assert(len >= 0);
	if ((size_t)len >= room) {
		strbuf_reserve(sb, (size_t)len);
		va_start(ap, fmt);
		vsnprintf(sb->data + sb->len, (size_t)len + 1, fmt, ap);
		va_end(ap);
	}
	sb->len += (size_t)len;
}

void
strbuf_reset(struct strbuf *sb)
{
	sb->len = 0;
	if (sb->data != NULL)
		sb->data[0] = '\0';
}

void
strbuf_deinit(struct strbuf *sb)
{
	free(sb->data);
	*sb = (struct strbuf)STRBUF_INIT;
}
