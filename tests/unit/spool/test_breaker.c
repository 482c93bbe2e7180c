/* SPDX-License-Identifier: MIT */
/* What makes an endpoint's window grow, its breaker open and close. */
#include "config.h"

#include "spool/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NOW INT64_C(1700000000000000)
#define SECOND INT64_C(1000000)

static const struct breaker_limits limits = {
	.window = 16, .first_window = 2,
	.pause_us = 4 * SECOND, .pause_max_us = 60 * SECOND,
};

static struct breaker
fresh(void)
{
	struct breaker breaker = { .window = 0 };

	breaker_limit(&breaker, &limits);
	return breaker;
}

static enum breaker_change
report(struct breaker *breaker, enum breaker_verdict verdict, int times)
{
	enum breaker_change change = BREAKER_AS_BEFORE;

	for (int i = 0; i < times; i++)
		change = breaker_report(breaker, &limits, verdict, NOW, 0);
	return change;
}

static void
an_answer_is_a_sign_of_life_unless_it_is_a_failure(void **state)
{
	static const struct {
		const char *label;
		long status;
		int64_t duration_us;
		enum breaker_verdict verdict;
	} cases[] = {
		{ "success", 200, 10, BREAKER_QUICK },
		{ "success after a second", 200, SECOND, BREAKER_SLOW },
		{ "a redirect", 302, 10, BREAKER_QUICK },
		{ "it does not like the event", 400, 10, BREAKER_QUICK },
		{ "it is not there", 404, 10, BREAKER_QUICK },
		{ "it wants no more", 410, 10, BREAKER_QUICK },
		{ "too much", 429, 10, BREAKER_OVERLOADED },
		{ "its own fault", 500, 10, BREAKER_FAILED },
		{ "somebody behind it", 502, 10, BREAKER_FAILED },
		{ "not now", 503, 10, BREAKER_OVERLOADED },
		{ "no answer", 0, 10 * SECOND, BREAKER_FAILED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (breaker_judge(cases[i].status, cases[i].duration_us) !=
		    cases[i].verdict)
			fail_msg("%s", cases[i].label);
}

static void
the_window_doubles_with_each_window_of_answers(void **state)
{
	static const int answers[] = { 2, 4, 8 };
	struct breaker breaker = fresh();
	unsigned window = 2;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_true(breaker_may_start(&breaker, window - 1));
		assert_false(breaker_may_start(&breaker, window));
		report(&breaker, BREAKER_QUICK, answers[i]);
		window *= 2;
	}
	report(&breaker, BREAKER_QUICK, 1000);
	assert_true(breaker_may_start(&breaker, 15));
	assert_false(breaker_may_start(&breaker, 16));
}

static void
a_narrower_limit_holds_at_once(void **state)
{
	static const struct breaker_limits narrow = { .window = 3 };
	struct breaker breaker = fresh();

	(void)state;
	report(&breaker, BREAKER_QUICK, 100);
	breaker_limit(&breaker, &narrow);
	assert_true(breaker_may_start(&breaker, 2));
	assert_false(breaker_may_start(&breaker, 3));
}

static void
overload_halves_the_window_but_never_closes_it(void **state)
{
	struct breaker breaker = fresh();

	(void)state;
	report(&breaker, BREAKER_QUICK, 100);
	for (unsigned window = 8; window > 0; window /= 2) {
		report(&breaker, BREAKER_OVERLOADED, 1);
		assert_true(breaker_may_start(&breaker, window - 1));
		assert_false(breaker_may_start(&breaker, window));
		if (window > 1)
			report(&breaker, BREAKER_QUICK, 1);
	}
	report(&breaker, BREAKER_OVERLOADED, 1);
	assert_true(breaker_may_start(&breaker, 0));
}

static void
five_failures_in_a_row_open_it_four_do_not(void **state)
{
	struct breaker breaker = fresh();

	(void)state;
	assert_int_equal(report(&breaker, BREAKER_FAILED, 4),
	    BREAKER_AS_BEFORE);
	report(&breaker, BREAKER_QUICK, 1);
	report(&breaker, BREAKER_FAILED, 2);
	assert_int_equal(report(&breaker, BREAKER_OVERLOADED, 2),
	    BREAKER_AS_BEFORE);
	assert_true(breaker_may_start(&breaker, 0));
	assert_int_equal(report(&breaker, BREAKER_FAILED, 1),
	    BREAKER_HAS_OPENED);
	assert_true(breaker_is_open(&breaker));
	assert_false(breaker_may_start(&breaker, 0));
}

static void
what_was_in_flight_when_it_opened_makes_no_pause_longer(void **state)
{
	struct breaker breaker = fresh();
	int64_t until_us;

	(void)state;
	report(&breaker, BREAKER_FAILED, 5);
	until_us = breaker.until_us;
	assert_int_equal(report(&breaker, BREAKER_FAILED, 11),
	    BREAKER_AS_BEFORE);
	assert_int_equal(breaker.until_us, until_us);
}

static void
an_answer_to_an_older_attempt_closes_it_too(void **state)
{
	struct breaker breaker = fresh();

	(void)state;
	report(&breaker, BREAKER_FAILED, 5);
	assert_int_equal(report(&breaker, BREAKER_QUICK, 1),
	    BREAKER_HAS_CLOSED);
	assert_true(breaker_may_start(&breaker, 1));
	assert_false(breaker_may_start(&breaker, 2));
}

static void
each_failed_probe_doubles_the_pause_up_to_its_limit(void **state)
{
	static const int64_t pauses[] = { 4, 8, 16, 32, 60, 60, 60 };
	struct breaker breaker = fresh();
	int64_t now_us = NOW;

	(void)state;
	report(&breaker, BREAKER_FAILED, 4);
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		assert_int_equal(breaker_report(&breaker, &limits,
		    BREAKER_FAILED, now_us, 0),
		    i == 0 ? BREAKER_HAS_OPENED : BREAKER_STAYS_OPEN);
		assert_int_equal(breaker.until_us - now_us,
		    pauses[i] * SECOND);
		assert_false(breaker_wake(&breaker, breaker.until_us - 1));
		now_us = breaker.until_us;
		assert_true(breaker_wake(&breaker, now_us));
		assert_true(breaker_may_start(&breaker, 0));
		breaker_started(&breaker);
		assert_false(breaker_may_start(&breaker, 0));
	}
}

static void
chance_shortens_a_pause_by_at_most_half(void **state)
{
	int64_t shortest = INT64_MAX, longest = 0;

	(void)state;
	for (uint64_t random = 0; random < 4000; random++) {
		struct breaker breaker = fresh();
		int64_t pause_us;

		report(&breaker, BREAKER_FAILED, 4);
		breaker_report(&breaker, &limits, BREAKER_FAILED, NOW,
		    random * 997);
		pause_us = breaker.until_us - NOW;
		if (pause_us < shortest)
			shortest = pause_us;
		if (pause_us > longest)
			longest = pause_us;
	}
	assert_in_range(shortest, 2 * SECOND, 2 * SECOND + SECOND / 10);
	assert_in_range(longest, 4 * SECOND - SECOND / 10, 4 * SECOND);
}

static void
who_answers_at_once_is_trusted(void **state)
{
	struct breaker breaker = fresh();

	(void)state;
	assert_false(breaker_is_trusted(&breaker));
	report(&breaker, BREAKER_QUICK, 1);
	assert_true(breaker_is_trusted(&breaker));
	report(&breaker, BREAKER_SLOW, 1);
	assert_false(breaker_is_trusted(&breaker));
	report(&breaker, BREAKER_QUICK, 1);
	report(&breaker, BREAKER_FAILED, 1);
	assert_false(breaker_is_trusted(&breaker));
}

static void
without_a_pause_it_never_opens(void **state)
{
	static const struct breaker_limits never = { .window = 1 };
	struct breaker breaker = { .window = 0 };

	(void)state;
	breaker_limit(&breaker, &never);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(breaker_report(&breaker, &never,
		    BREAKER_FAILED, NOW, 0), BREAKER_AS_BEFORE);
	assert_true(breaker_may_start(&breaker, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    an_answer_is_a_sign_of_life_unless_it_is_a_failure),
		cmocka_unit_test(
		    the_window_doubles_with_each_window_of_answers),
		cmocka_unit_test(a_narrower_limit_holds_at_once),
		cmocka_unit_test(
		    overload_halves_the_window_but_never_closes_it),
		cmocka_unit_test(five_failures_in_a_row_open_it_four_do_not),
		cmocka_unit_test(
		    what_was_in_flight_when_it_opened_makes_no_pause_longer),
		cmocka_unit_test(an_answer_to_an_older_attempt_closes_it_too),
		cmocka_unit_test(
		    each_failed_probe_doubles_the_pause_up_to_its_limit),
		cmocka_unit_test(chance_shortens_a_pause_by_at_most_half),
		cmocka_unit_test(who_answers_at_once_is_trusted),
		cmocka_unit_test(without_a_pause_it_never_opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
