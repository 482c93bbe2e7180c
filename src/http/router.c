/* SPDX-License-Identifier: MIT */
/* From method and path to the route. The tables of all dialects are small and
   scanned whole: what a segment-by-segment comparison of a few dozen patterns
   costs is lost beside one system call, and there is no index to be wrong. */
#include "config.h"

#include "wuts/arena.h"
#include "wuts/fault.h"

#include "http_private.h"

#include <string.h>

#define SEGMENTS_MAX 16

static const struct method_name {
	enum http_method method;
	const char *name;
} method_names[] = {
	{ HTTP_GET, "GET" },
	{ HTTP_HEAD, "HEAD" },
	{ HTTP_POST, "POST" },
	{ HTTP_PUT, "PUT" },
	{ HTTP_PATCH, "PATCH" },
	{ HTTP_DELETE, "DELETE" },
	{ HTTP_OPTIONS, "OPTIONS" }
};
#define METHOD_NAMES (sizeof(method_names) / sizeof(method_names[0]))

static const char *const access_names[] = {
	[ACCESS_PUBLIC] = "public",
	[ACCESS_MASTER] = "master",
	[ACCESS_MEMBER] = "member",
	[ACCESS_ADMIN] = "admin",
	[ACCESS_USER] = "user",
	[ACCESS_METRICS] = "metrics",
	[ACCESS_ENGINE] = "engine"
};

const char *
http_method_name(enum http_method method)
{
	for (size_t i = 0; i < METHOD_NAMES; i++)
		if (method_names[i].method == method)
			return method_names[i].name;
	return "OTHER";
}

enum http_method
http_method_parse(const char *name)
{
	for (size_t i = 0; i < METHOD_NAMES; i++)
		if (strcmp(method_names[i].name, name) == 0)
			return method_names[i].method;
	return HTTP_OTHER;
}

const char *
access_name(enum access access)
{
	return access_names[access];
}

char *
router_allow(unsigned methods, bool has_options, char buf[ROUTER_METHODS_SIZE])
{
	size_t len = 0, name_len;

	if ((methods & HTTP_GET) != 0)
		methods |= HTTP_HEAD;
	if (has_options)
		methods |= HTTP_OPTIONS;
	for (size_t i = 0; i < METHOD_NAMES; i++) {
		if ((methods & (unsigned)method_names[i].method) == 0)
			continue;
		name_len = strlen(method_names[i].name);
		if (len > 0) {
			memcpy(buf + len, ", ", 2);
			len += 2;
		}
		memcpy(buf + len, method_names[i].name, name_len);
		len += name_len;
	}
	buf[len] = '\0';
	return buf;
}

/* The path behind the dialect's prefix, or NULL where it has none. */
static const char *
skip_prefix(const struct dialect *dialect, const char *path)
{
	size_t len;

	if (dialect->prefix == NULL)
		return NULL;
	len = strlen(dialect->prefix);
	if (strncmp(path, dialect->prefix, len) != 0)
		return NULL;
	if (path[len] == '\0')
		return "/";
	return path[len] == '/' ? path + len : NULL;
}

/* What is left of the path for the dialect's patterns; NULL: it has no say. */
static const char *
path_in(const struct dialect *dialect, const char *owner, bool is_taken,
    const char *path)
{
	const char *rest = skip_prefix(dialect, path);

	if (owner[0] != '\0') {
		if (strcmp(owner, dialect->name) != 0)
			return NULL;
		return rest != NULL ? rest : path;
	}
	if (dialect->prefix != NULL)
		return rest;
	return is_taken ? NULL : path;
}

/* The number of decoded segments; 0: none of our paths has such a shape;
   -1: malformed. */
static int
split_path(struct arena *arena, const char *path,
    const char *segments[SEGMENTS_MAX])
{
	int n = 0;
	size_t len;

	if (path[0] != '/')
		return 0;
	while (*path == '/') {
		if (n == SEGMENTS_MAX)
			return 0;
		path++;
		len = strcspn(path, "/");
		segments[n] = percent_decode(arena, path, len, false);
		if (segments[n++] == NULL)
			return -1;
		path += len;
	}
	return n;
}

/* The pattern's weight, higher for literals further left, or 0 when it does
   not match. */
static unsigned
match_pattern(const char *pattern, const char *const *segments, int nsegments,
    const char *args[ROUTE_ARGS_MAX])
{
	unsigned weight = 1u << SEGMENTS_MAX;
	size_t len, nargs = 0;

	for (int i = 0; i < nsegments; i++) {
		if (*pattern != '/')
			return 0;
		pattern++;
		len = strcspn(pattern, "/");
		if (pattern[0] == '{') {
			if (segments[i][0] == '\0' || nargs == ROUTE_ARGS_MAX)
				return 0;
			args[nargs++] = segments[i];
		} else {
			if (strncmp(pattern, segments[i], len) != 0 ||
			    segments[i][len] != '\0')
				return 0;
			weight |= 1u << (SEGMENTS_MAX - 1 - i);
		}
		pattern += len;
	}
	return *pattern == '\0' ? weight : 0;
}

/* Try the routes of one dialect; best is the weight to beat. */
static void
find_in(const struct dialect *dialect, const char *const *segments,
    int nsegments, enum http_method method, unsigned *best,
    struct route_match *match)
{
	const char *args[ROUTE_ARGS_MAX];
	const struct route *route;
	unsigned weight;

	for (size_t i = 0; i < dialect->nroutes; i++) {
		route = &dialect->routes[i];
		memset(args, 0, sizeof(args));
		weight = match_pattern(route->pattern, segments, nsegments,
		    args);
		if (weight == 0)
			continue;
		if (match->methods == 0)
			match->dialect = dialect;
		match->methods |= (unsigned)route->method;
		if (route->method != method || weight <= *best)
			continue;
		*best = weight;
		match->dialect = dialect;
		match->route = route;
		memcpy(match->args, args, sizeof(args));
	}
}

int
router_find(const struct dialect *const *dialects, size_t ndialects,
    struct arena *arena, const char *owner, const char *path,
    enum http_method method, struct route_match *match_r,
    struct fault *fault)
{
	const char *segments[SEGMENTS_MAX], *rest;
	bool is_taken = false, is_first = true;
	unsigned best = 0;
	int nsegments;

	memset(match_r, 0, sizeof(*match_r));
	match_r->dialect = dialects[0];
	for (size_t d = 0; d < ndialects; d++)
		is_taken |= skip_prefix(dialects[d], path) != NULL;
	for (size_t d = 0; d < ndialects; d++) {
		rest = path_in(dialects[d], owner, is_taken, path);
		if (rest == NULL)
			continue;
		if (is_first)
			match_r->dialect = dialects[d];
		is_first = false;
		nsegments = split_path(arena, rest, segments);
		if (nsegments < 0)
			return fault_say(fault, REFUSAL_VALIDATION,
			    "malformed percent-encoding in the path");
		if ((dialects[d]->flags & DIALECT_TRAILING_SLASH) != 0 &&
		    nsegments > 1 && segments[nsegments - 1][0] == '\0')
			nsegments--;
		if (nsegments > 0)
			find_in(dialects[d], segments, nsegments, method,
			    &best, match_r);
	}
	return 0;
}
