/* SPDX-License-Identifier: MIT */
/* doc/metrics.md says what metric_table says: every metric once, in its order,
   with its type, labels and sentence, and nothing that is not there. */
#include "config.h"

#include "wuts/metric_text.h"
#include "wuts/metrics.h"
#include "wuts/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINE_MAX_LEN 1024

static void
the_table_of_the_document_is_the_table_of_the_code(void **state)
{
	const char *srcdir = getenv("srcdir");
	char path[4096], line[LINE_MAX_LEN], expected[LINE_MAX_LEN];
	bool is_table = false;
	size_t n = 0;
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/doc/metrics.md",
	    srcdir != NULL ? srcdir : ".");
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		const struct metric *metric = &metric_table[n];

		/* Only what stands below the table's head. */
		if (strncmp(line, "| Metric |", 10) == 0)
			is_table = true;
		else if (line[0] != '|')
			is_table = false;
		if (!is_table || strncmp(line, "| `", 3) != 0)
			continue;
		assert_true(n < METRIC_COUNT);
		snprintf(expected, sizeof(expected),
		    "| `%s` | %s | %s | %s |\n", metric->name, metric->type,
		    metric->labels, metric->help);
		assert_string_equal(line, expected);
		n++;
	}
	fclose(file);
	assert_int_equal(n, METRIC_COUNT);
}

static void
names_follow_the_conventions_of_prometheus(void **state)
{
	(void)state;
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		const struct metric *metric = &metric_table[i];
		size_t len = strlen(metric->name);
		bool is_total = strcmp(metric->name + len - 6, "_total") == 0;

		assert_int_equal(strncmp(metric->name, "wuts_", 5), 0);
		assert_int_equal(strspn(metric->name,
		    "abcdefghijklmnopqrstuvwxyz_"), len);
		assert_true(is_total == (strcmp(metric->type, "counter") ==
		    0));
		assert_null(strpbrk(metric->help, "\\\n|"));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(metric->name,
			    metric_table[j].name);
	}
}

static void
a_histogram_is_told_by_growing_buckets(void **state)
{
	const struct metrics_histogram histogram = {
		.counts = { [0] = 2, [2] = 3, [METRICS_BUCKETS - 1] = 1 },
		.sum_us = 12345678
	};
	struct strbuf out = STRBUF_INIT;

	(void)state;
	metric_histogram(&out, METRIC_HTTP_SECONDS, "class=\"read\"",
	    metrics_bounds_us, &histogram);
	assert_non_null(strstr(out.data, "wuts_http_request_seconds_bucket{"
	    "class=\"read\",le=\"0.0005\"} 2\n"));
	assert_non_null(strstr(out.data, "le=\"0.001\"} 2\n"));
	assert_non_null(strstr(out.data, "le=\"0.0025\"} 5\n"));
	assert_non_null(strstr(out.data, "le=\"10\"} 5\n"));
	assert_non_null(strstr(out.data, "le=\"+Inf\"} 6\n"));
	assert_non_null(strstr(out.data, "wuts_http_request_seconds_sum{"
	    "class=\"read\"} 12.345678\n"));
	assert_non_null(strstr(out.data, "wuts_http_request_seconds_count{"
	    "class=\"read\"} 6\n"));
	strbuf_reset(&out);
	metric_seconds(&out, METRIC_SPOOL_LAG, NULL, -1500000);
	assert_string_equal(out.data, "wuts_spool_due_lag_seconds "
	    "-1.500000\n");
	strbuf_deinit(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_table_of_the_document_is_the_table_of_the_code),
		cmocka_unit_test(names_follow_the_conventions_of_prometheus),
		cmocka_unit_test(a_histogram_is_told_by_growing_buckets)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
