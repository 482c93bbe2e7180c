/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "wuts/callback_counts.h"

#include "wuts/fault.h"

#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MAX 8

static struct callback_counts *
open_counts(void **state)
{
	struct fault fault = { .code = FAULT_NONE };
	struct callback_counts *counts;
	char path[SCRATCH_PATH_SIZE];

	if (callback_counts_open(&counts, scratch_path(state, "callbacks",
	    path), &fault) < 0)
		fail_msg("%s", fault.text);
	return counts;
}

static void
each_tenant_sees_its_own(void **state)
{
	struct callback_counts *counts = open_counts(state);
	struct callback_count read[MAX];
	struct uuid a = { { 1 } }, b = { { 2 } };

	assert_int_equal(callback_counts_read(counts, &a, read, MAX), 0);
	callback_counts_add(counts, &a, 1, 0, 100);
	callback_counts_add(counts, &a, 1, 0, 250);
	callback_counts_add(counts, &b, 1, 404, 7);
	assert_int_equal(callback_counts_read(counts, &a, read, MAX), 1);
	assert_int_equal(read[0].type, 1);
	assert_int_equal(read[0].result, 0);
	assert_int_equal(read[0].count, 2);
	assert_int_equal(read[0].sum_us, 350);
	assert_int_equal(callback_counts_read(counts, &b, read, MAX), 1);
	assert_int_equal(read[0].result, 404);
	callback_counts_add(counts, &b, 1, -28, 5);
	callback_counts_add(counts, &b, 0, -28, 5);
	assert_int_equal(callback_counts_read(counts, &b, read, MAX), 3);
	assert_int_equal(callback_counts_read(counts, &b, read, 2), 2);
	callback_counts_close(&counts);
	assert_null(counts);
}

static void
another_process_reads_what_one_has_counted(void **state)
{
	struct callback_counts *one = open_counts(state);
	struct callback_counts *other = open_counts(state);
	struct callback_count read[MAX];
	struct uuid a = { { 1 } };

	callback_counts_add(one, &a, 2, 500, 10);
	callback_counts_add(other, &a, 2, 500, 20);
	assert_int_equal(callback_counts_read(other, &a, read, MAX), 1);
	assert_int_equal(read[0].sum_us, 30);
	callback_counts_close(&one);
	callback_counts_close(&other);
	one = open_counts(state);
	assert_int_equal(callback_counts_read(one, &a, read, MAX), 1);
	assert_int_equal(read[0].count, 2);
	callback_counts_close(&one);
}

static void
a_full_table_goes_on_with_what_it_has(void **state)
{
	struct callback_counts *counts = open_counts(state);
	struct callback_count read[MAX];
	struct uuid first = { { 1 } }, other = { { 2 } };

	callback_counts_add(counts, &first, 0, 0, 1);
	for (uint32_t n = 0; n < 40000; n++) {
		memcpy(other.b + 8, &n, sizeof(n));
		callback_counts_add(counts, &other, 0, 0, 1);
	}
	callback_counts_add(counts, &first, 0, 0, 1);
	assert_int_equal(callback_counts_read(counts, &first, read, MAX), 1);
	assert_int_equal(read[0].count, 2);
	callback_counts_close(&counts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_tenant_sees_its_own,
		    scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(
		    another_process_reads_what_one_has_counted,
		    scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(
		    a_full_table_goes_on_with_what_it_has,
		    scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
