/* SPDX-License-Identifier: MIT */
/* The two forms of measured numbers, to the byte. */
#include "config.h"

#include "wuts/arena.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/settings.h"

#include "api/onprem/onprem_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char version[] = "v9";
static struct settings settings = { .onprem_version = version };

struct rig {
	struct exchange x;
	struct samples samples;
	struct fault fault;
};

static int
begin(struct rig *rig, const char *query, const char *inner)
{
	memset(rig, 0, sizeof(*rig));
	fault_clear(&rig->fault);
	rig->x.arena = arena_new();
	rig->x.settings = &settings;
	rig->x.request.query = query;
	json_writer_init(&rig->x.response.json, &rig->x.response.body);
	return samples_begin(&rig->samples, &rig->x, "stats", inner,
	    &rig->fault);
}

static void
expect_body(struct rig *rig, const char *body)
{
	assert_int_equal(samples_end(&rig->samples), 0);
	assert_string_equal(rig->x.response.body.data, body);
}

static void
end(struct rig *rig)
{
	strbuf_deinit(&rig->x.response.body);
	strbuf_deinit(&rig->x.response.headers);
	arena_free(&rig->x.arena);
}

static void
fill(struct rig *rig)
{
	static const struct sample_label labels[] = { { "a", "x\"y\\z\nw" },
	    { "b", "\xc3\xa4" } };

	samples_metric(&rig->samples, "one", "gauge", "First");
	samples_add(&rig->samples, NULL, 0, 7);
	samples_metric(&rig->samples, "two", "counter", "Second");
	samples_add(&rig->samples, labels, 2, 0);
	samples_add(&rig->samples, labels + 1, 1, 9007199254740993);
	samples_metric(&rig->samples, "none", "counter", "Third");
}

static void
prometheus_text_escapes_the_values_of_labels(void **state)
{
	struct rig rig;

	(void)state;
	assert_int_equal(begin(&rig, "format=prometheus", NULL), 0);
	fill(&rig);
	expect_body(&rig,
	    "# HELP one First\n# TYPE one gauge\none 7\n"
	    "# HELP two Second\n# TYPE two counter\n"
	    "two{a=\"x\\\"y\\\\z\\nw\",b=\"\xc3\xa4\"} 0\n"
	    "two{b=\"\xc3\xa4\"} 9007199254740993\n"
	    "# HELP none Third\n# TYPE none counter\n");
	assert_non_null(strstr(rig.x.response.headers.data,
	    "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	end(&rig);
}

static void
json_has_labels_only_where_there_are_some(void **state)
{
	struct rig rig;

	(void)state;
	assert_int_equal(begin(&rig, "", "app"), 0);
	fill(&rig);
	expect_body(&rig, "{\"stats\":{\"app\":{"
	    "\"one\":{\"type\":\"gauge\",\"help\":\"First\","
	    "\"data\":[{\"value\":7}]},"
	    "\"two\":{\"type\":\"counter\",\"help\":\"Second\",\"data\":["
	    "{\"labels\":{\"a\":\"x\\\"y\\\\z\\nw\",\"b\":\"\xc3\xa4\"},"
	    "\"value\":0},"
	    "{\"labels\":{\"b\":\"\xc3\xa4\"},\"value\":9007199254740993}]},"
	    "\"none\":{\"type\":\"counter\",\"help\":\"Third\",\"data\":[]}"
	    "}},\"meta\":{\"api_status\":\"stable\",\"version\":\"v9\"}}");
	end(&rig);
}

static void
another_form_is_refused(void **state)
{
	static const char *const queries[] = { "format=", "format=xml",
	    "format=JSON", "a=b&format=text&format=json" };
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		assert_int_equal(begin(&rig, queries[i], NULL), -1);
		assert_int_equal(rig.fault.code, REFUSAL_VALIDATION);
		assert_string_equal(rig.fault.fields[0].field, "format");
		end(&rig);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prometheus_text_escapes_the_values_of_labels),
		cmocka_unit_test(json_has_labels_only_where_there_are_some),
		cmocka_unit_test(another_form_is_refused)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
