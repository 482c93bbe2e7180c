/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "wuts/arena.h"
#include "wuts/fault.h"
#include "wuts/http.h"

#include "../../../src/http/http_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct route first_routes[] = {
	{ HTTP_GET, "/users", ACCESS_ADMIN, NULL, 0 },
	{ HTTP_POST, "/users", ACCESS_ADMIN, NULL, 0 },
	{ HTTP_GET, "/users/{id}", ACCESS_MEMBER, NULL, 0 },
	{ HTTP_PUT, "/users/{id}", ACCESS_MEMBER, NULL, 0 },
	{ HTTP_GET, "/users/me", ACCESS_USER, NULL, 0 },
	{ HTTP_POST, "/users/{id}/promote", ACCESS_MEMBER, NULL, 0 },
	{ HTTP_GET, "/{kind}/all", ACCESS_MEMBER, NULL, 0 },
	{ HTTP_GET, "/users/{id}/{part}", ACCESS_MEMBER, NULL, 0 }
};
static const struct route second_routes[] = {
	{ HTTP_GET, "/healthz", ACCESS_PUBLIC, NULL, 0 }
};
static const struct route third_routes[] = {
	{ HTTP_GET, "/users", ACCESS_ADMIN, NULL, 0 },
	{ HTTP_GET, "/metrics", ACCESS_MEMBER, NULL, 0 }
};
static const struct dialect first = { .name = "first", .routes = first_routes,
    .nroutes = 8 };
static const struct dialect second = { .name = "second",
    .routes = second_routes, .nroutes = 1 };
static const struct dialect third = { .name = "third", .routes = third_routes,
    .nroutes = 2, .prefix = "/v1", .flags = DIALECT_TRAILING_SLASH };
static const struct dialect *const dialects[] = { &first, &second, &third };

#define NONE (-1)

static const struct row {
	const char *sentence;
	enum http_method method;
	const char *path;
	int route;		/* in first_routes, 100 + in second_routes */
	unsigned methods;
	const char *arg;
} rows[] = {
	{ "a literal path", HTTP_GET, "/users", 0, HTTP_GET | HTTP_POST, NULL },
	{ "the method decides between two", HTTP_POST, "/users", 1,
	    HTTP_GET | HTTP_POST, NULL },
	{ "an argument", HTTP_GET, "/users/42", 2, HTTP_GET | HTTP_PUT, "42" },
	{ "a literal beats an argument", HTTP_GET, "/users/me", 4,
	    HTTP_GET | HTTP_PUT, NULL },
	{ "only routes of the method compete", HTTP_PUT, "/users/me", 3,
	    HTTP_GET | HTTP_PUT, "me" },
	{ "the literal further left wins", HTTP_GET, "/users/all", 2,
	    HTTP_GET | HTTP_PUT, "all" },
	{ "an argument in front", HTTP_GET, "/devices/all", 6, HTTP_GET,
	    "devices" },
	{ "a literal behind an argument", HTTP_POST, "/users/7/promote", 5,
	    HTTP_GET | HTTP_POST, "7" },
	{ "the second dialect", HTTP_GET, "/healthz", 100, HTTP_GET, NULL },
	{ "an unknown path", HTTP_GET, "/nothing", NONE, 0, NULL },
	{ "a wrong method keeps the others", HTTP_DELETE, "/users", NONE,
	    HTTP_GET | HTTP_POST, NULL },
	{ "a trailing slash is another path", HTTP_GET, "/users/", NONE, 0,
	    NULL },
	{ "a doubled slash is another path", HTTP_GET, "//users", NONE, 0,
	    NULL },
	{ "the root", HTTP_GET, "/", NONE, 0, NULL },
	{ "the empty path", HTTP_GET, "", NONE, 0, NULL },
	{ "a prefix is not the path", HTTP_GET, "/user", NONE, 0, NULL },
	{ "a longer word is not the path", HTTP_GET, "/userss", NONE, 0, NULL },
	{ "dots are not resolved", HTTP_GET, "/users/../healthz", 7,
	    HTTP_GET, ".." },
	{ "a literal may be written encoded", HTTP_GET, "/%75sers", 0,
	    HTTP_GET | HTTP_POST, NULL },
	{ "an argument is decoded", HTTP_GET, "/users/a%20b%2Fc", 2,
	    HTTP_GET | HTTP_PUT, "a b/c" },
	{ "plus is plus in a path", HTTP_GET, "/users/a+b", 2,
	    HTTP_GET | HTTP_PUT, "a+b" },
	{ "too deep", HTTP_GET, "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r", NONE,
	    0, NULL }
};

static const struct route *
expected_route(int route)
{
	if (route == NONE)
		return NULL;
	return route >= 100 ? &second_routes[route - 100] :
	    &first_routes[route];
}

static void
a_path_finds_its_route(void **state)
{
	struct arena *arena = arena_new();
	struct route_match match;
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		print_message("%s\n", row->sentence);
		assert_int_equal(router_find(dialects, 3, arena, "", row->path,
		    row->method, &match, &fault), 0);
		assert_ptr_equal(match.route, expected_route(row->route));
		assert_int_equal(match.methods, row->methods);
		if (row->arg != NULL)
			assert_string_equal(match.args[0], row->arg);
		else if (match.route != NULL)
			assert_null(match.args[0]);
		assert_ptr_equal(match.dialect,
		    row->route >= 100 ? &second : &first);
	}
	arena_free(&arena);
}

static void
a_malformed_path_is_refused(void **state)
{
	static const char *const paths[] = { "/users/%", "/users/%4",
	    "/users/%zz", "/users/%00", "/users/a%2", "/%-1" };
	struct arena *arena = arena_new();
	struct route_match match;
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		fault_clear(&fault);
		assert_int_equal(router_find(dialects, 3, arena, "", paths[i],
		    HTTP_GET, &match, &fault), -1);
		assert_int_equal(fault.code, REFUSAL_VALIDATION);
	}
	arena_free(&arena);
}

/* Whose path it is: the dialect found, and its route. */
static const struct place {
	const char *sentence, *owner, *path;
	const struct dialect *dialect;
	const struct route *route;
} places[] = {
	{ "below a prefix: its dialect", "", "/v1/users", &third,
	    &third_routes[0] },
	{ "one slash at the end is nothing there", "", "/v1/users/", &third,
	    &third_routes[0] },
	{ "two are something", "", "/v1/users//", &third, NULL },
	{ "elsewhere it is something", "", "/users/", &first, NULL },
	{ "what the prefix has not, nobody has", "", "/v1/healthz", &third,
	    NULL },
	{ "the prefix alone is its dialect's", "", "/v1", &third, NULL },
	{ "a longer word is no prefix", "", "/v10/users", &first, NULL },
	{ "no path of a prefix without it", "", "/metrics", &first, NULL },
	{ "a server of its own: with the prefix", "third", "/v1/metrics",
	    &third, &third_routes[1] },
	{ "a server of its own: without", "third", "/metrics", &third,
	    &third_routes[1] },
	{ "a server of its own serves nobody else", "third", "/healthz",
	    &third, NULL },
	{ "a server of no dialect that is known", "fourth", "/users", &first,
	    NULL }
};

static void
a_prefix_or_a_server_chooses_the_dialect(void **state)
{
	struct arena *arena = arena_new();
	struct route_match match;
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const struct place *place = &places[i];

		print_message("%s\n", place->sentence);
		fault_clear(&fault);
		assert_int_equal(router_find(dialects, 3, arena, place->owner,
		    place->path, HTTP_GET, &match, &fault), 0);
		assert_ptr_equal(match.dialect, place->dialect);
		assert_ptr_equal(match.route, place->route);
	}
	arena_free(&arena);
}

static void
allow_names_head_and_options_too(void **state)
{
	char buf[ROUTER_METHODS_SIZE];

	(void)state;
	assert_string_equal(router_allow(HTTP_GET | HTTP_POST, true, buf),
	    "GET, HEAD, POST, OPTIONS");
	assert_string_equal(router_allow(HTTP_DELETE | HTTP_PATCH, false, buf),
	    "PATCH, DELETE");
	assert_string_equal(router_allow(HTTP_DELETE, true, buf),
	    "DELETE, OPTIONS");
	assert_string_equal(router_allow(0xff, true, buf),
	    "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}

static void
a_form_decodes_plus_and_escapes(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(percent_decode(arena, "a+b%2B%e2%82%ac", 15, true),
	    "a b+\xe2\x82\xac");
	assert_string_equal(percent_decode(arena, "a+b", 3, false), "a+b");
	assert_string_equal(percent_decode(arena, "abc%zz", 3, false), "abc");
	assert_null(percent_decode(arena, "abc%41", 5, false));
	assert_string_equal(percent_decode(arena, "", 0, false), "");
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prefix_or_a_server_chooses_the_dialect),
		cmocka_unit_test(a_path_finds_its_route),
		cmocka_unit_test(a_malformed_path_is_refused),
		cmocka_unit_test(allow_names_head_and_options_too),
		cmocka_unit_test(a_form_decodes_plus_and_escapes)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
