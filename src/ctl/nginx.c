/* SPDX-License-Identifier: MIT */
/* Reads an nginx configuration, includes and all, far enough to say how
   requests come to our socket. Not a check of nginx's syntax: `nginx -t` is. */
#include "config.h"

#include "ctl_private.h"

#include "wuts/arena.h"
#include "wuts/fault.h"
#include "wuts/file.h"
#include "wuts/strbuf.h"

#include <ctype.h>
#include <glob.h>
#include <libgen.h>
#include <string.h>

#define FILE_MAX ((size_t)4 << 20)
#define DEPTH_MAX 16		/* of blocks and of includes */
#define WORDS_MAX 64

/* One directive; those of its block below it. */
struct directive {
	const char *words[WORDS_MAX];
	size_t nwords;
	struct directive *children, **last_child;
	struct directive *next;
};

struct reader {
	struct arena *arena;
	const char *dir;	/* of the main file: includes are below it */
	const char *path;	/* the file being read */
	const char *at;
	unsigned depth;
	struct fault *fault;
};

/* Where the word that begins here ends: behind its closing quote, or before
   white space and punctuation. NULL: its quote does not end. */
static const char *
word_end(const char *at)
{
	char quote = *at == '"' || *at == '\'' ? *at++ : '\0';
	char before = '\0';

	for (; *at != '\0'; before = *at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		else if (quote != '\0' && *at == quote)
			return at + 1;
		else if (quote == '\0' && (isspace((unsigned char)*at) ||
		    *at == ';' || (*at == '{' && before != '$')))
			break;
	}
	return quote == '\0' ? at : NULL;
}

/* The word without quotes and backslashes, or NULL. */
static const char *
read_word(struct reader *reader)
{
	const char *at = reader->at, *end = word_end(at);
	char *word, *to;

	if (end == NULL)
		return NULL;
	reader->at = end;
	if (*at == '"' || *at == '\'') {
		at++;
		end--;
	}
	word = to = arena_alloc(reader->arena, (size_t)(end - at) + 1);
	while (at < end) {
		if (*at == '\\' && at + 1 < end)
			at++;
		*to++ = *at++;
	}
	return word;
}

static void
skip_blanks(struct reader *reader)
{
	for (;;) {
		reader->at += strspn(reader->at, " \t\r\n");
		if (*reader->at != '#')
			return;
		reader->at += strcspn(reader->at, "\n");
	}
}

static struct directive *
directive_new(struct reader *reader, struct directive *parent)
{
	struct directive *d = arena_alloc(reader->arena, sizeof(*d));

	d->last_child = &d->children;
	*parent->last_child = d;
	parent->last_child = &d->next;
	return d;
}

static int
misunderstood(struct reader *reader, const char *why)
{
	return fault_set(reader->fault, FAULT_CONFIG, "%s: %s", reader->path,
	    why);
}

static int read_file(struct reader *reader, const char *path,
    struct directive *parent);

/* The directives of the files go to where the include stood. */
static int
read_include(struct reader *reader, const char *pattern,
    struct directive *parent)
{
	struct reader inner = *reader;
	glob_t found;
	size_t i;
	int ret = 0;

	if (pattern[0] != '/')
		pattern = arena_printf(reader->arena, "%s/%s", reader->dir,
		    pattern);
	memset(&found, 0, sizeof(found));
	if (glob(pattern, 0, NULL, &found) == 0) {
		for (i = 0; ret == 0 && i < found.gl_pathc; i++)
			ret = read_file(&inner, found.gl_pathv[i], parent);
	} else if (strpbrk(pattern, "*?[") == NULL) {
		ret = fault_set(reader->fault, FAULT_CONFIG,
		    "%s includes %s, which cannot be read", reader->path,
		    pattern);
	}
	globfree(&found);
	return ret;
}

/* Words up to the ; or { behind them, which is left standing. */
static int
read_words(struct reader *reader, struct directive *d)
{
	const char *word;

	for (;;) {
		skip_blanks(reader);
		if (*reader->at == ';' || *reader->at == '{')
			return 0;
		if (*reader->at == '\0' || *reader->at == '}')
			return misunderstood(reader, "a directive does not"
			    " end");
		word = read_word(reader);
		if (word == NULL)
			return misunderstood(reader, "a quote does not end");
		if (d->nwords < WORDS_MAX)
			d->words[d->nwords++] = word;
	}
}

static int
read_block(struct reader *reader, struct directive *parent)
{
	if (++reader->depth > DEPTH_MAX)
		return misunderstood(reader, "blocks or includes too deep");
	for (;;) {
		struct directive *d;

		skip_blanks(reader);
		if (*reader->at == '\0' || *reader->at == '}')
			break;
		d = directive_new(reader, parent);
		if (read_words(reader, d) < 0)
			return -1;
		if (*reader->at++ == '{') {
			if (read_block(reader, d) < 0)
				return -1;
			if (*reader->at++ != '}')
				return misunderstood(reader,
				    "a block does not end");
		} else if (d->nwords == 2 &&
		    strcmp(d->words[0], "include") == 0 &&
		    read_include(reader, d->words[1], parent) < 0) {
			return -1;
		}
	}
	reader->depth--;
	return 0;
}

static int
read_file(struct reader *reader, const char *path, struct directive *parent)
{
	struct strbuf text = STRBUF_INIT;
	int ret;

	reader->path = path;
	ret = file_read(path, FILE_MAX, &text, reader->fault);
	if (ret == 0) {
		reader->at = text.data != NULL ? text.data : "";
		ret = read_block(reader, parent);
		if (ret == 0 && *reader->at != '\0')
			ret = misunderstood(reader, "a } too many");
	} else {
		reader->fault->code = FAULT_CONFIG;
	}
	strbuf_deinit(&text);
	return ret;
}

static const struct directive *
child_find(const struct directive *parent, const char *name)
{
	const struct directive *d;

	for (d = parent->children; d != NULL; d = d->next)
		if (d->nwords > 0 && strcmp(d->words[0], name) == 0)
			return d;
	return NULL;
}

/* unix:PATH, or unix:PATH: as proxy_pass spells it. */
static bool
is_socket(const char *word, const char *socket)
{
	size_t len = strlen(socket);

	return strncmp(word, "unix:", 5) == 0 &&
	    strncmp(word + 5, socket, len) == 0 &&
	    (word[5 + len] == '\0' || strcmp(word + 5 + len, ":") == 0);
}

/* The upstream block of that name that leads to the socket, or NULL. */
static const struct directive *
upstream_find(const struct directive *http, const char *name,
    const char *socket)
{
	const struct directive *d, *server;

	for (d = http->children; d != NULL; d = d->next) {
		if (d->nwords < 2 || strcmp(d->words[0], "upstream") != 0 ||
		    strcmp(d->words[1], name) != 0)
			continue;
		for (server = d->children; server != NULL;
		    server = server->next)
			if (server->nwords > 1 &&
			    strcmp(server->words[0], "server") == 0 &&
			    is_socket(server->words[1], socket))
				return d;
	}
	return NULL;
}

/* What a block has from those around it, as nginx passes it down. */
struct inherited {
	bool keep_conn;
	bool headers;
	bool authorization;	/* not replaced by a fastcgi_param */
};

static struct inherited
inherit(struct inherited above, const struct directive *block)
{
	struct inherited here = above;
	bool has_params = false;
	const struct directive *d;

	for (d = block->children; d != NULL; d = d->next) {
		if (d->nwords < 2)
			continue;
		if (strcmp(d->words[0], "fastcgi_keep_conn") == 0)
			here.keep_conn = strcmp(d->words[1], "on") == 0;
		if (strcmp(d->words[0], "fastcgi_pass_request_headers") == 0)
			here.headers = strcmp(d->words[1], "on") == 0;
		if (strcmp(d->words[0], "fastcgi_param") != 0)
			continue;
		/* A level with parameters of its own has only those. */
		if (!has_params)
			here.authorization = true;
		has_params = true;
		if (d->nwords > 2 &&
		    strcmp(d->words[1], "HTTP_AUTHORIZATION") == 0)
			here.authorization = strcmp(d->words[2],
			    "$http_authorization") == 0;
	}
	return here;
}

struct walk {
	const char *socket;
	const char *engine;		/* the name of its location */
	struct nginx_facts *facts;
};

static void
look_at_pass(const struct walk *walk, const struct directive *http,
    const struct directive *pass, struct inherited here)
{
	const struct directive *upstream;

	upstream = upstream_find(http, pass->words[1], walk->socket);
	if (upstream == NULL && !is_socket(pass->words[1], walk->socket))
		return;
	walk->facts->passes++;
	if (!here.headers || !here.authorization)
		walk->facts->without_authorization++;
	if (upstream == NULL || child_find(upstream, "keepalive") == NULL)
		return;
	walk->facts->keepalive++;
	if (!here.keep_conn)
		walk->facts->without_keep_conn++;
}

/* What only nginx/wuts-onprem-internal.conf and wuts-onprem-engine.conf.in
   have, once a server. */
static void
look_at_onprem(const struct walk *walk, const struct directive *d)
{
	if (d->nwords == 3 && strcmp(d->words[0], "fastcgi_param") == 0 &&
	    strcmp(d->words[1], "WUTS_RELAY") == 0 &&
	    strcmp(d->words[2], "ask") == 0)
		walk->facts->onprem++;
	if (d->nwords == 3 && strcmp(d->words[0], "set") == 0 &&
	    strcmp(d->words[1], "$wuts_onprem_engine") == 0 &&
	    strcmp(d->words[2], "on") == 0)
		walk->facts->onprem_engines++;
}

static void look_at_block(const struct walk *walk,
    const struct directive *http, const struct directive *block,
    struct inherited above);

/* A named location is found in its own server only, directly below it. */
static void
look_at_server(const struct walk *walk, const struct directive *http,
    const struct directive *server, struct inherited above)
{
	unsigned passes = walk->facts->passes, engines = 0;
	unsigned onprem = walk->facts->onprem;
	const struct directive *d;

	look_at_block(walk, http, server, above);
	for (d = server->children; d != NULL; d = d->next) {
		if (d->nwords != 2 || strcmp(d->words[0], "location") != 0 ||
		    strcmp(d->words[1], walk->engine) != 0)
			continue;
		engines++;
		if (child_find(d, "proxy_pass") == NULL)
			walk->facts->engines_without_pass++;
	}
	walk->facts->engine_locations += engines;
	if (walk->facts->passes > passes && engines == 0 &&
	    walk->facts->onprem == onprem)
		walk->facts->servers_without_engine++;
}

static void
look_at_block(const struct walk *walk, const struct directive *http,
    const struct directive *block, struct inherited above)
{
	struct inherited here = inherit(above, block);
	const struct directive *d;

	for (d = block->children; d != NULL; d = d->next) {
		look_at_onprem(walk, d);
		if (d->nwords > 0 && strcmp(d->words[0], "http") == 0)
			look_at_block(walk, d, d, here);
		else if (d->nwords > 0 && strcmp(d->words[0], "server") == 0 &&
		    d->children != NULL)
			look_at_server(walk, http, d, here);
		else if (d->children != NULL)
			look_at_block(walk, http, d, here);
		else if (d->nwords > 1 &&
		    strcmp(d->words[0], "fastcgi_pass") == 0)
			look_at_pass(walk, http, d, here);
	}
}

int
nginx_facts_read(const char *path, const char *socket,
    const char *engine, struct nginx_facts *facts_r, struct fault *fault)
{
	struct inherited initial = { .headers = true, .authorization = true };
	struct walk walk = { .socket = socket, .engine = engine[0] != '\0' ?
	    engine : "@wuts_engine", .facts = facts_r };
	struct arena *arena = arena_new();
	struct directive root = { .last_child = &root.children };
	struct reader reader = { .arena = arena, .fault = fault };
	int ret;

	memset(facts_r, 0, sizeof(*facts_r));
	reader.dir = dirname(arena_strdup(arena, path));
	ret = read_file(&reader, path, &root);
	/* A file of servers alone, for inclusion in http, counts as http. */
	if (ret == 0)
		look_at_block(&walk, &root, &root, initial);
	arena_free(&arena);
	return ret;
}
