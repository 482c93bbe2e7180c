/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "spool/backoff.h"

#include "wuts/queue.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define S INT64_C(1000000)

static void
the_longest_wait_doubles_up_to_the_cap(void **state)
{
	static const struct {
		unsigned attempt;
		int64_t most_s;
	} rows[] = {
		{ 1, 5 }, { 2, 10 }, { 3, 20 }, { 4, 40 }, { 10, 2560 },
		{ 11, 3600 }, { 21, 3600 }, { 200, 3600 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t most = (uint64_t)(rows[i].most_s * S);

		assert_int_equal(backoff_delay_us(rows[i].attempt, 5000,
		    3600000, 0, most), rows[i].most_s * S);
		/* One more wraps round to nothing: full jitter. */
		assert_int_equal(backoff_delay_us(rows[i].attempt, 5000,
		    3600000, 0, most + 1), 0);
	}
}

static void
retry_after_is_honoured_up_to_an_hour(void **state)
{
	(void)state;
	assert_int_equal(backoff_delay_us(1, 5000, 3600000, 120, 0), 120 * S);
	assert_int_equal(backoff_delay_us(1, 5000, 3600000, 86400, 0),
	    3600 * S);
	/* Not before our own delay. */
	assert_int_equal(backoff_delay_us(4, 5000, 3600000, 1, 30 * S),
	    30 * S);
	assert_int_equal(backoff_delay_us(1, 5000, 3600000, -5, 0), 0);
}

static void
extreme_settings_do_not_overflow(void **state)
{
	(void)state;
	assert_true(backoff_delay_us(255, 1, INT64_C(31536000000), 0,
	    UINT64_MAX) >= 0);
	assert_int_equal(backoff_delay_us(1, 0, 0, 0, UINT64_MAX), 0);
	assert_true(backoff_delay_us(3, 60000, 1000, 0, UINT64_MAX) <=
	    1000000);
}

static void
any_2xx_is_delivered_and_nothing_else(void **state)
{
	static const long good[] = { 200, 201, 202, 204, 299 };
	static const long bad[] = { 0, 100, 199, 300, 301, 304, 400, 404, 410,
	    429, 500, 503 };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(backoff_outcome(good[i], 1, 0),
		    QUEUE_DELIVERED);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(backoff_outcome(bad[i], 1, 3), QUEUE_RETRY);
}

static void
it_is_dead_after_one_attempt_and_all_retries(void **state)
{
	(void)state;
	assert_int_equal(backoff_outcome(500, 3, 3), QUEUE_RETRY);
	assert_int_equal(backoff_outcome(500, 4, 3), QUEUE_DEAD);
	assert_int_equal(backoff_outcome(500, 1, 0), QUEUE_DEAD);
	assert_int_equal(backoff_outcome(200, 4, 3), QUEUE_DELIVERED);
}

static void
a_callback_waits_along_a_line_up_to_its_cap(void **state)
{
	static const struct {
		unsigned attempt;
		int64_t seconds;
	} rows[] = {
		{ 1, 3 }, { 2, 6 }, { 3, 9 }, { 299, 897 }, { 300, 900 },
		{ 301, 900 }, { 4096, 900 }, { UINT_MAX, 900 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(backoff_callback_delay_us(rows[i].attempt,
		    3000, 900000), rows[i].seconds * 1000000);
	assert_int_equal(backoff_callback_delay_us(7, 1, 86400000), 7000);
	assert_int_equal(backoff_callback_delay_us(2, 86400000, 86400000),
	    INT64_C(86400000000));
}

static void
a_callback_is_delivered_by_200_and_given_up_by_age(void **state)
{
	static const long bad[] = { 0, 100, 199, 201, 202, 204, 299, 300, 301,
	    304, 400, 404, 410, 429, 500, 503 };

	(void)state;
	assert_int_equal(backoff_callback_outcome(200, 0, 10),
	    QUEUE_DELIVERED);
	assert_int_equal(backoff_callback_outcome(200, 99, 10),
	    QUEUE_DELIVERED);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(backoff_callback_outcome(bad[i], 9, 10),
		    QUEUE_RETRY);
		assert_int_equal(backoff_callback_outcome(bad[i], 10, 10),
		    QUEUE_DROPPED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_wait_doubles_up_to_the_cap),
		cmocka_unit_test(retry_after_is_honoured_up_to_an_hour),
		cmocka_unit_test(extreme_settings_do_not_overflow),
		cmocka_unit_test(any_2xx_is_delivered_and_nothing_else),
		cmocka_unit_test(it_is_dead_after_one_attempt_and_all_retries),
		cmocka_unit_test(a_callback_waits_along_a_line_up_to_its_cap),
		cmocka_unit_test(a_callback_is_delivered_by_200_and_given_up_by_age),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
