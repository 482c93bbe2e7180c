/* SPDX-License-Identifier: MIT */
/* Bad neighbours, simulated: the real scheduler with the settings that the
   spooler gives it, simulated time and receivers. What healthy endpoints wait
   must not depend on who else is there. */
#include "config.h"

#include "spool/breaker.h"
#include "spool/pending.h"
#include "spool/scheduler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1700000000000000)
#define MS INT64_C(1000)
#define SECOND INT64_C(1000000)
#define ENDPOINTS 100
#define FLIGHTS_MAX 256
#define SAMPLES_MAX 400000

struct receiver {
	uint32_t number;
	int64_t answers_us;	/* after so long */
	bool fails;
	bool is_watched;
	int64_t every_us;	/* an event so often; 0: none */
	int64_t next_us;
};

struct flight {
	int64_t ends_us;
	struct receiver *receiver;
	struct pending item;
};

struct simulation {
	struct scheduler *scheduler;
	int64_t now_us;
	uint64_t random;
	struct receiver receivers[ENDPOINTS];
	struct flight flights[FLIGHTS_MAX];
	unsigned nflights;
	unsigned failing_in_flight, most_failing_in_flight;
	int64_t *waits;		/* of watched events, from event to answer */
	size_t nwaits;
};

static uint64_t
chance(struct simulation *sim)
{
	sim->random = sim->random * 6364136223846793005u +
	    1442695040888963407u;
	return sim->random >> 16;
}

static struct receiver *
receiver(struct simulation *sim, int i)
{
	static const struct scheduler_limits limits = {
		.breaker = {
			.window = 16, .first_window = 2,
			.pause_us = 5 * SECOND, .pause_max_us = 300 * SECOND,
		},
	};
	struct receiver *r = &sim->receivers[i];

	r->number = scheduler_add(sim->scheduler);
	assert_int_equal(r->number, i);
	scheduler_open(sim->scheduler, r->number, &limits);
	return r;
}

static struct simulation *
simulation_new(void)
{
	struct simulation *sim = calloc(1, sizeof(*sim));

	assert_non_null(sim);
	sim->waits = calloc(SAMPLES_MAX, sizeof(sim->waits[0]));
	assert_non_null(sim->waits);
	sim->scheduler = scheduler_new(FLIGHTS_MAX);
	sim->now_us = NOW;
	return sim;
}

static void
simulation_free(struct simulation *sim)
{
	scheduler_free(&sim->scheduler);
	free(sim->waits);
	free(sim);
}

static void
event(struct simulation *sim, struct receiver *r, int64_t created_us)
{
	struct queue_pos pos = { .segment = 1 };

	scheduler_push(sim->scheduler, r->number,
	    pending_make(pos, created_us, 0), 0);
}

static void
start_all(struct simulation *sim)
{
	uint32_t number;

	while (scheduler_next(sim->scheduler, sim->now_us, &number)) {
		struct flight *flight = &sim->flights[sim->nflights++];
		struct receiver *r = &sim->receivers[number];

		assert_true(sim->nflights <= FLIGHTS_MAX);
		flight->receiver = r;
		flight->item = scheduler_take(sim->scheduler, number,
		    sim->now_us);
		flight->ends_us = sim->now_us + r->answers_us / 2 +
		    (int64_t)(chance(sim) % (uint64_t)(r->answers_us + 1));
		sim->failing_in_flight += r->fails;
		if (sim->failing_in_flight > sim->most_failing_in_flight)
			sim->most_failing_in_flight = sim->failing_in_flight;
	}
}

static void
land(struct simulation *sim, unsigned i)
{
	struct flight flight = sim->flights[i];
	struct receiver *r = flight.receiver;
	int64_t created_us = (int64_t)flight.item.created_us;

	sim->flights[i] = sim->flights[--sim->nflights];
	sim->failing_in_flight -= r->fails;
	(void)scheduler_report(sim->scheduler, r->number,
	    breaker_judge(r->fails ? 0 : 200, r->answers_us), sim->now_us,
	    chance(sim));
	if (r->fails) {
		flight.item.attempts = 1;
		scheduler_retry(sim->scheduler, r->number, flight.item,
		    sim->now_us + 5 * SECOND);
		return;
	}
	if (r->is_watched && sim->nwaits < SAMPLES_MAX)
		sim->waits[sim->nwaits++] = sim->now_us - created_us;
	scheduler_done(sim->scheduler, r->number);
}

/* The moment of the next event or answer. */
static int64_t
next_moment(const struct simulation *sim)
{
	int64_t next_us = scheduler_due(sim->scheduler);

	for (unsigned i = 0; i < sim->nflights; i++)
		if (sim->flights[i].ends_us < next_us)
			next_us = sim->flights[i].ends_us;
	for (int i = 0; i < ENDPOINTS; i++)
		if (sim->receivers[i].every_us > 0 &&
		    sim->receivers[i].next_us < next_us)
			next_us = sim->receivers[i].next_us;
	return next_us;
}

static void
run_until(struct simulation *sim, int64_t end_us)
{
	int64_t next_us;

	start_all(sim);
	while ((next_us = next_moment(sim)) < end_us) {
		if (next_us > sim->now_us)
			sim->now_us = next_us;
		for (unsigned i = sim->nflights; i-- > 0;)
			if (sim->flights[i].ends_us <= sim->now_us)
				land(sim, i);
		for (int i = 0; i < ENDPOINTS; i++) {
			struct receiver *r = &sim->receivers[i];

			if (r->every_us == 0 || r->next_us > sim->now_us)
				continue;
			event(sim, r, sim->now_us);
			r->next_us = sim->now_us + r->every_us / 2 +
			    (int64_t)(chance(sim) % (uint64_t)r->every_us);
		}
		start_all(sim);
	}
	sim->now_us = end_us;
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int64_t
p99(struct simulation *sim)
{
	qsort(sim->waits, sim->nwaits, sizeof(sim->waits[0]), compare);
	assert_true(sim->nwaits > 1000);
	return sim->waits[sim->nwaits * 99 / 100];
}

/* 98 healthy endpoints, 20 ms an answer, ten events a second each; with nbad
   of those that never answer, each with a backlog, and one that takes 5 s. */
static int64_t
healthy_p99(int nbad, bool slow, unsigned *most_failing_r)
{
	struct simulation *sim = simulation_new();
	int64_t found;

	for (int i = 0; i < ENDPOINTS; i++) {
		struct receiver *r = receiver(sim, i);

		r->answers_us = 20 * MS;
		r->is_watched = i < 98 - nbad;
		r->every_us = i < 98 - nbad ? 100 * MS : 0;
	}
	for (int i = 98 - nbad; i < 98; i++) {
		sim->receivers[i].fails = true;
		sim->receivers[i].answers_us = 10 * SECOND;
		for (int n = 0; n < 1000; n++)
			event(sim, &sim->receivers[i], NOW);
	}
	if (slow) {
		sim->receivers[99].answers_us = 5 * SECOND;
		sim->receivers[99].every_us = 50 * MS;
	}
	run_until(sim, NOW + 120 * SECOND);
	*most_failing_r = sim->most_failing_in_flight;
	found = p99(sim);
	simulation_free(sim);
	return found;
}

static void
one_black_hole_and_one_slow_endpoint_change_nothing_for_others(void **state)
{
	unsigned most_failing;
	int64_t alone_us = healthy_p99(0, false, &most_failing);
	int64_t beside_us = healthy_p99(1, true, &most_failing);

	(void)state;
	assert_in_range(beside_us, alone_us * 9 / 10, alone_us * 11 / 10);
	/* Slow start: it never came to more. */
	assert_in_range(most_failing, 1, 2);
}

static void
nor_does_half_of_the_endpoints_that_never_answer(void **state)
{
	unsigned most_failing;
	int64_t alone_us = healthy_p99(0, false, &most_failing);
	int64_t beside_us = healthy_p99(50, true, &most_failing);

	(void)state;
	assert_in_range(beside_us, alone_us * 9 / 10, alone_us * 11 / 10);
	assert_in_range(most_failing, 1, FLIGHTS_MAX / 2);
}

static void
endpoints_that_fall_silent_together_leave_slots_for_others(void **state)
{
	struct simulation *sim = simulation_new();

	(void)state;
	for (int i = 0; i < ENDPOINTS; i++) {
		struct receiver *r = receiver(sim, i);

		r->answers_us = 20 * MS;
		r->is_watched = i < 20;
		r->every_us = i < 20 ? 100 * MS : 5 * MS;
	}
	/* All have wide windows, then 80 of them never answer again. */
	run_until(sim, NOW + 2 * SECOND);
	sim->nwaits = 0;
	for (int i = 20; i < ENDPOINTS; i++) {
		sim->receivers[i].fails = true;
		sim->receivers[i].answers_us = 30 * SECOND;
	}
	run_until(sim, NOW + 14 * SECOND);
	assert_true(p99(sim) <= 100 * MS);
	simulation_free(sim);
}

static void
a_million_waiting_delay_anothers_event_by_at_most_100_ms(void **state)
{
	struct simulation *sim = simulation_new();
	struct receiver *a = receiver(sim, 0), *b = receiver(sim, 1);

	(void)state;
	a->answers_us = 80 * MS;
	b->answers_us = 0;
	b->is_watched = true;
	for (int i = 0; i < 1000000; i++)
		event(sim, a, NOW);
	run_until(sim, NOW + 5 * SECOND);
	for (int i = 0; i < 100; i++) {
		event(sim, b, sim->now_us);
		run_until(sim, sim->now_us + 200 * MS);
		assert_int_equal(sim->nwaits, i + 1);
		assert_true(sim->waits[i] <= 100 * MS);
	}
	simulation_free(sim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		one_black_hole_and_one_slow_endpoint_change_nothing_for_others),
		cmocka_unit_test(
		    nor_does_half_of_the_endpoints_that_never_answer),
		cmocka_unit_test(
		    endpoints_that_fall_silent_together_leave_slots_for_others),
		cmocka_unit_test(
		    a_million_waiting_delay_anothers_event_by_at_most_100_ms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
