/* SPDX-License-Identifier: MIT */
/* What is counted is the same for all processes of a run_dir, and a worker
   that is killed is no worker any more. */
#include "config.h"

#include "wuts/log.h"
#include "wuts/metrics.h"

#include "scratch.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CHILDREN 4
#define REQUESTS 1000

static const struct metrics_route routes[] = {
	{ "wuts", "GET", "/users", METRICS_READ },
	{ "wuts", "POST", "/users", METRICS_WRITE },
	{ "wuts", "", "", METRICS_NO_ROUTE }
};

static struct metrics *
open_in(void *const *state, size_t nroutes)
{
	char path[SCRATCH_PATH_SIZE];

	return metrics_open(scratch_path(state, ".", path), routes, nroutes);
}

static void
a_request_is_counted_by_route_and_status(void **state)
{
	struct metrics *metrics = open_in(state, 3);
	struct metrics_count counts[METRICS_STATUS_MAX];

	metrics_count_request(metrics, 0, 200, 1500);
	metrics_count_request(metrics, 0, 404, 20);
	metrics_count_request(metrics, 0, 200, 500);
	metrics_count_request(metrics, 1, 299, 7);
	assert_int_equal(metrics_route_counts(metrics, 0, counts), 2);
	assert_int_equal(counts[0].status, 200);
	assert_int_equal(counts[0].count, 2);
	assert_int_equal(counts[0].sum_us, 2000);
	assert_int_equal(counts[1].status, 404);
	assert_int_equal(metrics_route_counts(metrics, 1, counts), 1);
	assert_int_equal(counts[0].status, 0);
	assert_int_equal(metrics_route_counts(metrics, 2, counts), 0);
	assert_int_equal(metrics_route_counts(metrics, 3, counts), 0);
	metrics_close(&metrics);
	assert_null(metrics);
}

static void
a_duration_on_a_bound_is_within_it(void **state)
{
	struct metrics *metrics = open_in(state, 3);
	struct metrics_histogram histogram;

	metrics_count_request(metrics, 1, 201, metrics_bounds_us[2]);
	metrics_count_request(metrics, 1, 201, metrics_bounds_us[2] + 1);
	metrics_count_request(metrics, 1, 201, INT64_MAX);
	metrics_request_histogram(metrics, METRICS_WRITE, &histogram);
	assert_int_equal(histogram.counts[2], 1);
	assert_int_equal(histogram.counts[3], 1);
	assert_int_equal(histogram.counts[METRICS_BUCKETS - 1], 1);
	metrics_close(&metrics);
}

static void
all_processes_count_together(void **state)
{
	struct metrics *metrics = open_in(state, 3);
	struct metrics_count counts[METRICS_STATUS_MAX];
	int i, n;

	for (i = 0; i < CHILDREN; i++)
		if (fork() == 0) {
			struct metrics *own = open_in(state, 3);

			for (n = 0; n < REQUESTS; n++)
				metrics_count_request(own, 2, 404, 3);
			_exit(0);
		}
	for (i = 0; i < CHILDREN; i++)
		assert_true(wait(NULL) > 0);
	assert_int_equal(metrics_route_counts(metrics, 2, counts), 1);
	assert_int_equal(counts[0].count, CHILDREN * REQUESTS);
	assert_int_equal(counts[0].sum_us, 3 * CHILDREN * REQUESTS);
	metrics_close(&metrics);
}

static void
a_worker_that_was_killed_is_counted_no_more(void **state)
{
	struct metrics *metrics = open_in(state, 3);
	unsigned busy, idle;
	int pipe_fds[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(pipe_fds), 0);
	pid = fork();
	if (pid == 0) {
		struct metrics *own = open_in(state, 3);

		metrics_worker_begin(own);
		metrics_worker_busy(own, true);
		if (write(pipe_fds[1], "", 1) == 1)
			(void)pause();
		_exit(1);
	}
	assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
	metrics_worker_begin(metrics);
	metrics_workers(metrics, &busy, &idle);
	assert_int_equal(busy, 1);
	assert_int_equal(idle, 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	metrics_workers(metrics, &busy, &idle);
	assert_int_equal(busy, 0);
	assert_int_equal(idle, 1);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	metrics_close(&metrics);
}

static void
another_set_of_routes_has_a_file_of_its_own(void **state)
{
	struct metrics *metrics = open_in(state, 3), *other;
	struct metrics_count counts[METRICS_STATUS_MAX];
	char path[SCRATCH_PATH_SIZE];

	metrics_count_request(metrics, 0, 200, 1);
	other = open_in(state, 2);
	assert_int_equal(metrics_route_counts(other, 0, counts), 0);
	metrics_remove_others(other, scratch_path(state, ".", path));
	metrics_close(&metrics);
	metrics = open_in(state, 3);
	assert_int_equal(metrics_route_counts(metrics, 0, counts), 0);
	metrics_close(&metrics);
	metrics_close(&other);
}

static void
without_a_directory_a_process_counts_for_itself(void **state)
{
	struct metrics_count counts[METRICS_STATUS_MAX];
	char path[SCRATCH_PATH_SIZE];
	struct metrics *metrics;
	unsigned busy, idle;

	assert_int_equal(log_open("test", scratch_path(state, "log", path),
	    LOG_LEVEL_INFO), 0);
	metrics = metrics_open(scratch_path(state, "missing", path), routes,
	    3);
	metrics_worker_begin(metrics);
	metrics_count_request(metrics, 0, 200, 1);
	assert_int_equal(metrics_route_counts(metrics, 0, counts), 1);
	metrics_workers(metrics, &busy, &idle);
	assert_int_equal(busy + idle, 1);
	metrics_close(&metrics);
}

static void
nobody_counts_without_metrics(void **state)
{
	struct metrics_histogram histogram;
	unsigned busy, idle;

	(void)state;
	metrics_count_request(NULL, 0, 200, 1);
	metrics_count_statement(NULL, 1, false);
	metrics_count_worker(NULL, METRICS_WORKER_DIED);
	metrics_worker_begin(NULL);
	metrics_worker_busy(NULL, true);
	metrics_workers(NULL, &busy, &idle);
	assert_int_equal(busy + idle, 0);
	assert_int_equal(metrics_statement_histogram(NULL, &histogram), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define SCRATCHED(test) \
		cmocka_unit_test_setup_teardown(test, scratch_setup, \
		    scratch_teardown)
		SCRATCHED(a_request_is_counted_by_route_and_status),
		SCRATCHED(a_duration_on_a_bound_is_within_it),
		SCRATCHED(all_processes_count_together),
		SCRATCHED(a_worker_that_was_killed_is_counted_no_more),
		SCRATCHED(another_set_of_routes_has_a_file_of_its_own),
		SCRATCHED(without_a_directory_a_process_counts_for_itself),
		cmocka_unit_test(nobody_counts_without_metrics)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
