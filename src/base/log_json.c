/* SPDX-License-Identifier: MIT */
/* A log line as a JSON object: the key=value words that a text begins with are
   its members, whatever follows is its message. */
#include "config.h"

#include "base_private.h"

#include <stdbool.h>
#include <string.h>

#define KEYS_MAX 24

struct word {
	const char *key, *value;
	size_t key_len, value_len;
	bool is_quoted;
};

struct out {
	char *p;
	const char *end;
};

/* What does not fit is left out; the caller has room for the end. */
static void
put(struct out *out, const char *text, size_t len)
{
	size_t room = (size_t)(out->end - out->p);

	if (len > room)
		len = room;
	memcpy(out->p, text, len);
	out->p += len;
}

/* The text holds no control characters and is UTF-8. */
static void
put_string(struct out *out, const char *text, size_t len)
{
	put(out, "\"", 1);
	for (size_t i = 0; i < len && out->end - out->p >= 8; i++) {
		if (text[i] == '"' || text[i] == '\\')
			put(out, "\\", 1);
		put(out, text + i, 1);
	}
	put(out, "\"", 1);
}

static bool
is_key_char(char c)
{
	return (c >= 'a' && c <= 'z') || c == '_';
}

/* Behind the word at text, or NULL when it is no key=value. */
static const char *
take_word(const char *text, struct word *word_r)
{
	const char *p = text;

	while (is_key_char(*p))
		p++;
	if (p == text || *p != '=')
		return NULL;
	word_r->key = text;
	word_r->key_len = (size_t)(p - text);
	word_r->is_quoted = p[1] == '"';
	word_r->value = p += 1 + word_r->is_quoted;
	if (!word_r->is_quoted) {
		p += strcspn(p, " ");
		word_r->value_len = (size_t)(p - word_r->value);
		return p;
	}
	/* quotes inside are not escaped: one before a blank ends it */
	for (; *p != '\0'; p++)
		if (*p == '"' && (p[1] == ' ' || p[1] == '\0')) {
			word_r->value_len = (size_t)(p - word_r->value);
			return p + 1;
		}
	return NULL;
}

/* An integer or decimal as JSON writes it, of a length that a double holds. */
static bool
is_number(const struct word *word)
{
	const char *p = word->value, *end = p + word->value_len;
	bool has_point = false;

	if (word->is_quoted || word->value_len == 0 || word->value_len > 15 ||
	    *p < '0' || *p > '9' || end[-1] == '.' ||
	    (*p == '0' && word->value_len > 1 && p[1] != '.'))
		return false;
	for (; p < end; p++) {
		if (*p == '.' && !has_point)
			has_point = true;
		else if (*p < '0' || *p > '9')
			return false;
	}
	return true;
}

static bool
is_known(const struct word *words, size_t n, const struct word *word)
{
	for (size_t i = 0; i < n; i++)
		if (words[i].key_len == word->key_len &&
		    memcmp(words[i].key, word->key, word->key_len) == 0)
			return true;
	return false;
}

static void
put_word(struct out *out, const struct word *word)
{
	put(out, ",", 1);
	put_string(out, word->key, word->key_len);
	put(out, ":", 1);
	if (is_number(word))
		put(out, word->value, word->value_len);
	else
		put_string(out, word->value, word->value_len);
}

size_t
log_json_members(char *buf, size_t size, const char *text)
{
	struct out out = { buf, buf + size };
	struct word words[KEYS_MAX];
	const char *rest;
	size_t n = 0;

	while (n < KEYS_MAX && (rest = take_word(text, &words[n])) != NULL &&
	    !is_known(words, n, &words[n]) &&
	    (size_t)(out.end - out.p) > 2 * (size_t)(rest - text) + 16) {
		put_word(&out, &words[n++]);
		text = rest + (*rest == ' ');
	}
	if (*text != '\0' && out.end - out.p > 32) {
		put(&out, ",\"message\":", 11);
		put_string(&out, text, strlen(text));
	}
	return (size_t)(out.p - buf);
}
