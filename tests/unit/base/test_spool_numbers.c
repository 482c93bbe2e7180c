/* SPDX-License-Identifier: MIT */
/* What a spooler says is seen, and that it says nothing any more, too. */
#include "config.h"

#include "wuts/clock.h"
#include "wuts/spool_numbers.h"

#include "scratch.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int64_t later_us;
int64_t __real_clock_mono_us(void);
int64_t __wrap_clock_mono_us(void);

int64_t
__wrap_clock_mono_us(void)
{
	return __real_clock_mono_us() + later_us;
}

static struct spool_report
report(void *const *state)
{
	char path[SCRATCH_PATH_SIZE];
	struct spool_report report;

	spool_numbers_read(scratch_path(state, ".", path), &report);
	return report;
}

static struct spool_numbers *
open_in(void *const *state)
{
	char path[SCRATCH_PATH_SIZE];
	struct spool_numbers *numbers;

	numbers = spool_numbers_open(scratch_path(state, ".", path));
	assert_non_null(numbers);
	spool_numbers_beat(numbers);
	return numbers;
}

static void
counters_go_on_and_gauges_begin_anew(void **state)
{
	struct spool_numbers *numbers;

	assert_false(report(state).is_up);
	for (int run = 1; run <= 2; run++) {
		numbers = open_in(state);
		assert_int_equal(report(state).gauges[SPOOL_OPEN], 0);
		spool_numbers_set(numbers, SPOOL_OPEN, 7);
		spool_numbers_count(numbers, SPOOL_RETRY);
		spool_numbers_observe(numbers, 503, 6000);
		spool_numbers_observe(numbers, 0, 61000000);
		spool_numbers_count_restart(numbers);
		assert_true(report(state).is_up);
		assert_int_equal(report(state).gauges[SPOOL_OPEN], 7);
		assert_int_equal(report(state).attempts[SPOOL_RETRY], run);
		assert_int_equal(report(state).seconds[SPOOL_ANSWER_5XX].
		    counts[1], run);
		assert_int_equal(report(state).seconds[SPOOL_ANSWER_NONE].
		    counts[METRICS_BUCKETS - 1], run);
		assert_int_equal(report(state).seconds[SPOOL_ANSWER_NONE].
		    sum_us, run * 61000000);
		assert_int_equal(report(state).restarts, run);
		spool_numbers_close(&numbers);
		assert_null(numbers);
	}
}

static void
one_that_was_killed_is_down(void **state)
{
	int pipe_fds[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(pipe_fds), 0);
	pid = fork();
	if (pid == 0) {
		(void)open_in(state);
		if (write(pipe_fds[1], "", 1) == 1)
			(void)pause();
		_exit(1);
	}
	assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
	assert_true(report(state).is_up);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(report(state).is_up);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void
one_that_hangs_is_down(void **state)
{
	struct spool_numbers *numbers = open_in(state);

	assert_true(report(state).is_up);
	later_us += 30 * CLOCK_SECOND_US;
	assert_false(report(state).is_up);
	spool_numbers_beat(numbers);
	assert_true(report(state).is_up);
	/* The machine was started anew, the file was not. */
	later_us -= 20 * CLOCK_SECOND_US;
	assert_false(report(state).is_up);
	spool_numbers_close(&numbers);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define SCRATCHED(test) \
		cmocka_unit_test_setup_teardown(test, scratch_setup, \
		    scratch_teardown)
		SCRATCHED(counters_go_on_and_gauges_begin_anew),
		SCRATCHED(one_that_was_killed_is_down),
		SCRATCHED(one_that_hangs_is_down)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
