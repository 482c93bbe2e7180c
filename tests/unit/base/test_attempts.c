/* SPDX-License-Identifier: MIT */
/* Failures are counted per address and window, by all processes together. */
#include "config.h"

#include "wuts/attempts.h"
#include "wuts/clock.h"
#include "wuts/fault.h"

#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LIMIT 20
#define WINDOW_S 60
#define NOW_S INT64_C(1781524800)
#define AT(seconds) ((NOW_S + (seconds)) * CLOCK_SECOND_US)

static struct attempts *
open_in(void *const *state, const char *name, unsigned limit)
{
	char path[SCRATCH_PATH_SIZE];
	struct attempts *attempts;
	struct fault fault;

	assert_int_equal(attempts_open(&attempts,
	    scratch_path(state, name, path), limit, WINDOW_S, &fault),
	    0);
	return attempts;
}

static void
fail_times(struct attempts *attempts, const char *address, unsigned times,
    int64_t now_us)
{
	while (times-- > 0)
		attempts_count_failure(attempts, address, now_us);
}

static void
what_is_forgotten_counts_no_more(void **state)
{
	struct attempts *attempts = open_in(state, "forget", LIMIT);

	fail_times(attempts, "192.0.2.1", LIMIT, AT(0));
	attempts_forget(attempts, "192.0.2.2");
	assert_int_not_equal(attempts_wait_s(attempts, "192.0.2.1", AT(0)),
	    0);
	attempts_forget(attempts, "192.0.2.1");
	assert_int_equal(attempts_wait_s(attempts, "192.0.2.1", AT(0)), 0);
	attempts_close(&attempts);
}

static void
so_many_are_admitted_in_a_window(void **state)
{
	struct attempts *attempts = open_in(state, "take", 0);

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(attempts_take(attempts, "key", 3, AT(i)), 0);
	assert_int_equal(attempts_take(attempts, "key", 3, AT(10)),
	    WINDOW_S - 10);
	assert_int_equal(attempts_take(attempts, "key", 9, AT(10)), 0);
	assert_int_equal(attempts_take(attempts, "other", 3, AT(10)), 0);
	assert_int_equal(attempts_take(attempts, "key", 3, AT(WINDOW_S)), 0);
	attempts_close(&attempts);
}

static void
the_window_is_as_long_as_was_said(void **state)
{
	char path[SCRATCH_PATH_SIZE];
	struct attempts *attempts;
	struct fault fault;

	assert_int_equal(attempts_open(&attempts,
	    scratch_path(state, "window", path), 1, 300, &fault), 0);
	fail_times(attempts, "192.0.2.1", 1, AT(0));
	assert_int_equal(attempts_wait_s(attempts, "192.0.2.1", AT(299)), 1);
	assert_int_equal(attempts_wait_s(attempts, "192.0.2.1", AT(300)), 0);
	attempts_close(&attempts);
}

static void
the_limit_is_reached_by_that_many_failures(void **state)
{
	struct attempts *attempts = open_in(state, "limit", LIMIT);

	assert_int_equal(attempts_wait_s(attempts, "192.0.2.1", AT(0)), 0);
	fail_times(attempts, "192.0.2.1", LIMIT - 1, AT(0));
	assert_int_equal(attempts_wait_s(attempts, "192.0.2.1", AT(0)), 0);
	fail_times(attempts, "192.0.2.1", 1, AT(0));
	assert_int_equal(attempts_wait_s(attempts, "192.0.2.1", AT(0)), 60);
	attempts_close(&attempts);
	assert_null(attempts);
	attempts_close(&attempts);
}

static void
the_wait_ends_with_the_window(void **state)
{
	struct attempts *attempts = open_in(state, "window", LIMIT);

	fail_times(attempts, "192.0.2.1", 1, AT(0));
	fail_times(attempts, "192.0.2.1", LIMIT - 1, AT(10));
	assert_int_equal(attempts_wait_s(attempts, "192.0.2.1", AT(10)), 50);
	assert_int_equal(attempts_wait_s(attempts, "192.0.2.1", AT(59)), 1);
	assert_int_equal(attempts_wait_s(attempts, "192.0.2.1", AT(60)), 0);
	/* The next window begins with its own first failure. */
	fail_times(attempts, "192.0.2.1", LIMIT - 1, AT(75));
	assert_int_equal(attempts_wait_s(attempts, "192.0.2.1", AT(75)), 0);
	fail_times(attempts, "192.0.2.1", 1, AT(80));
	assert_int_equal(attempts_wait_s(attempts, "192.0.2.1", AT(80)), 55);
	attempts_close(&attempts);
}

static void
failures_while_refused_do_not_prolong(void **state)
{
	struct attempts *attempts = open_in(state, "prolong", LIMIT);

	fail_times(attempts, "192.0.2.1", LIMIT, AT(0));
	fail_times(attempts, "192.0.2.1", 100, AT(50));
	assert_int_equal(attempts_wait_s(attempts, "192.0.2.1", AT(50)), 10);
	assert_int_equal(attempts_wait_s(attempts, "192.0.2.1", AT(60)), 0);
	attempts_close(&attempts);
}

static void
other_addresses_are_not_refused(void **state)
{
	struct attempts *attempts = open_in(state, "others", LIMIT);
	char address[32];
	int i;

	fail_times(attempts, "192.0.2.1", LIMIT, AT(0));
	for (i = 2; i < 255; i++) {
		snprintf(address, sizeof(address), "192.0.2.%d", i);
		assert_int_equal(attempts_wait_s(attempts, address, AT(0)),
		    0);
	}
	assert_int_equal(attempts_wait_s(attempts, "2001:db8::1", AT(0)), 0);
	assert_int_equal(attempts_wait_s(attempts, "", AT(0)), 0);
	assert_int_equal(attempts_wait_s(attempts, "192.0.2.1", AT(0)), 60);
	attempts_close(&attempts);
}

static void
limit_0_never_refuses(void **state)
{
	struct attempts *attempts = open_in(state, "zero", 0);

	fail_times(attempts, "192.0.2.1", 1000, AT(0));
	assert_int_equal(attempts_wait_s(attempts, "192.0.2.1", AT(0)), 0);
	attempts_close(&attempts);
}

static void
a_clock_that_goes_back_ends_the_window(void **state)
{
	struct attempts *attempts = open_in(state, "back", LIMIT);

	fail_times(attempts, "192.0.2.1", LIMIT, AT(0));
	assert_int_equal(attempts_wait_s(attempts, "192.0.2.1", AT(-3600)),
	    0);
	fail_times(attempts, "192.0.2.1", LIMIT, AT(-3600));
	assert_int_equal(attempts_wait_s(attempts, "192.0.2.1", AT(-3600)),
	    60);
	attempts_close(&attempts);
}

static void
all_processes_count_together(void **state)
{
	struct attempts *attempts = open_in(state, "many", 400);
	int i, status;
	pid_t pid;

	for (i = 0; i < 4; i++) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct attempts *own = open_in(state, "many", 400);

			fail_times(own, "192.0.2.1", 100, AT(0));
			attempts_close(&own);
			_exit(0);
		}
		/* One after the other: that the first failures of two at the
		   same moment may count as one is the header's bargain. */
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(attempts_wait_s(attempts, "192.0.2.1",
		    AT(0)), i < 3 ? 0 : 60);
	}
	attempts_close(&attempts);
}

static void
another_file_is_refused(void **state)
{
	char path[SCRATCH_PATH_SIZE];
	struct attempts *attempts;
	struct fault fault;

	scratch_write(scratch_path(state, "text", path), "not ours", 0600);
	fault_clear(&fault);
	assert_int_equal(attempts_open(&attempts, path, LIMIT, WINDOW_S,
	    &fault), -1);
	assert_int_equal(fault.code, FAULT_IO);
	assert_non_null(strstr(fault.text, path));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_forgotten_counts_no_more),
		cmocka_unit_test(so_many_are_admitted_in_a_window),
		cmocka_unit_test(the_window_is_as_long_as_was_said),
		cmocka_unit_test(the_limit_is_reached_by_that_many_failures),
		cmocka_unit_test(the_wait_ends_with_the_window),
		cmocka_unit_test(failures_while_refused_do_not_prolong),
		cmocka_unit_test(other_addresses_are_not_refused),
		cmocka_unit_test(limit_0_never_refuses),
		cmocka_unit_test(a_clock_that_goes_back_ends_the_window),
		cmocka_unit_test(all_processes_count_together),
		cmocka_unit_test(another_file_is_refused),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
