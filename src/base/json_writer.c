/* SPDX-License-Identifier: MIT */
/* JSON out, as it is said: no tree is built. */
#include "config.h"

#include "wuts/json.h"

#include "wuts/log.h"
#include "wuts/strbuf.h"
#include "wuts/utf8.h"

#include <inttypes.h>
#include <string.h>

void
json_writer_init(struct json_writer *w, struct strbuf *out)
{
	w->out = out;
	w->depth = 0;
	w->has_item = 0;
}

/* The comma before every item but the first of its level. A key clears the
   mark for the value that follows it. */
static void
begin_item(struct json_writer *w)
{
	uint32_t bit = UINT32_C(1) << w->depth;

	if ((w->has_item & bit) != 0)
		strbuf_append_char(w->out, ',');
	w->has_item |= bit;
}

static void
begin_level(struct json_writer *w, char bracket)
{
	begin_item(w);
	strbuf_append_char(w->out, bracket);
	wuts_assert(w->depth < 31);
	w->depth++;
	w->has_item &= ~(UINT32_C(1) << w->depth);
}

static void
end_level(struct json_writer *w, char bracket)
{
	wuts_assert(w->depth > 0);
	w->depth--;
	strbuf_append_char(w->out, bracket);
	/* A level is left as an item that stands. */
	w->has_item |= UINT32_C(1) << w->depth;
}

void
json_write_object_begin(struct json_writer *w)
{
	begin_level(w, '{');
}

void
json_write_object_end(struct json_writer *w)
{
	end_level(w, '}');
}

void
json_write_array_begin(struct json_writer *w)
{
	begin_level(w, '[');
}

void
json_write_array_end(struct json_writer *w)
{
	end_level(w, ']');
}

void
json_write_key(struct json_writer *w, const char *key)
{
	json_write_string(w, key);
	strbuf_append_char(w->out, ':');
	w->has_item &= ~(UINT32_C(1) << w->depth);
}

static void
append_escaped(struct strbuf *out, unsigned char c)
{
	static const char shorts[] = "\bb\ff\nn\rr\tt\"\"\\\\";
	const char *p;

	for (p = shorts; *p != '\0'; p += 2)
		if ((unsigned char)*p == c) {
			strbuf_append_char(out, '\\');
			strbuf_append_char(out, p[1]);
			return;
		}
	strbuf_printf(out, "\\u%04x", c);
}

void
json_write_string_len(struct json_writer *w, const char *s, size_t len)
{
	size_t plain, i, step;

	begin_item(w);
	strbuf_append_char(w->out, '"');
	for (plain = i = 0; i < len; i += step) {
		unsigned char c = (unsigned char)s[i];

		step = c < 0x80 ? 1 : utf8_sequence_len(s + i, len - i);
		if (step > 0 && c >= 0x20 && c != '"' && c != '\\' &&
		    c != 0x7f)
			continue;
		strbuf_append(w->out, s + plain, i - plain);
		/* What is not UTF-8 would make the whole text invalid. */
		if (step == 0)
			strbuf_append_str(w->out, "\xef\xbf\xbd");
		else
			append_escaped(w->out, c);
		step = 1;
		plain = i + 1;
	}
	strbuf_append(w->out, s + plain, len - plain);
	strbuf_append_char(w->out, '"');
}

void
json_write_string(struct json_writer *w, const char *s)
{
	json_write_string_len(w, s, strlen(s));
}

void
json_write_int(struct json_writer *w, int64_t v)
{
	begin_item(w);
	strbuf_printf(w->out, "%" PRId64, v);
}

void
json_write_bool(struct json_writer *w, bool v)
{
	begin_item(w);
	strbuf_append_str(w->out, v ? "true" : "false");
}

void
json_write_null(struct json_writer *w)
{
	begin_item(w);
	strbuf_append_str(w->out, "null");
}

void
json_write_raw(struct json_writer *w, const char *text, size_t len)
{
	begin_item(w);
	strbuf_append(w->out, text, len);
}

void
json_write_raw_or_null(struct json_writer *w, const char *text)
{
	if (text != NULL)
		json_write_raw(w, text, strlen(text));
	else
		json_write_null(w);
}
