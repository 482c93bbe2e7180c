/* SPDX-License-Identifier: MIT */
/* The master's decisions, told as stories: a row is what happens, and what the
   plan then asks for. */
#include "config.h"

#include "../../../src/wutsd/master_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define MS INT64_C(1000)
#define SLOTS 9

enum happening {
	TIME_PASSES,		/* arg: ms */
	READY,			/* arg: slot */
	FULL,
	EXITED,
	BUSY,			/* since now */
	FREE,
	RELOAD,			/* arg: workers */
	STOP
};

struct step {
	const char *sentence;
	enum happening what;
	int arg;
	/* the actions in their order: s start, r retire, k kill, x exit */
	const char *wanted;
};

static struct master_plan plan;
static struct plan_slot slots[SLOTS];
static int64_t now_us;

static void
happen(const struct step *step)
{
	struct plan_limits limits = plan.limits;
	size_t slot = (size_t)step->arg;

	switch (step->what) {
	case TIME_PASSES:
		now_us += step->arg * MS;
		break;
	case READY:
		master_plan_ready(&plan, slot, now_us);
		break;
	case FULL:
		master_plan_full(&plan, slot);
		break;
	case EXITED:
		(void)master_plan_exited(&plan, slot, now_us);
		break;
	case BUSY:
		master_plan_busy(&plan, slot, now_us);
		break;
	case FREE:
		master_plan_busy(&plan, slot, 0);
		break;
	case RELOAD:
		limits.workers = (unsigned)step->arg;
		master_plan_reload(&plan, &limits);
		break;
	case STOP:
		master_plan_stop(&plan);
		break;
	}
}

static void
actions(char *out, size_t size)
{
	static const char letters[] = { [PLAN_START] = 's',
	    [PLAN_RETIRE] = 'r', [PLAN_KILL] = 'k', [PLAN_EXIT] = 'x' };
	struct plan_action action;
	size_t len = 0;

	out[0] = '\0';
	for (;;) {
		action = master_plan_next(&plan, now_us);
		if (action.verb == PLAN_WAIT)
			return;
		len += (size_t)snprintf(out + len, size - len, "%s%c",
		    len > 0 ? " " : "", letters[action.verb]);
		if (action.verb == PLAN_EXIT)
			return;
		len += (size_t)snprintf(out + len, size - len, "%zu",
		    action.slot);
	}
}

static void
tell(const struct step *steps, size_t nsteps)
{
	char got[128];

	for (size_t i = 0; i < nsteps; i++) {
		print_message("%s\n", steps[i].sentence);
		happen(&steps[i]);
		actions(got, sizeof(got));
		assert_string_equal(got, steps[i].wanted);
	}
}

#define TELL(steps) tell(steps, sizeof(steps) / sizeof((steps)[0]))

static int
set_up(void **state)
{
	const struct plan_limits limits = { .workers = 2,
	    .request_timeout_us = 5000 * MS, .drain_timeout_us = 10000 * MS };

	(void)state;
	now_us = 1000000 * MS;
	master_plan_init(&plan, slots, SLOTS, &limits);
	return 0;
}

static const struct step two_serve[] = {
	{ "at first as many start as are wanted", TIME_PASSES, 0, "s0 s1" },
	{ "one is ready", READY, 0, "" },
	{ "the other too", READY, 1, "" }
};

static void
a_worker_that_dies_is_replaced_at_once(void **state)
{
	static const struct step steps[] = {
		{ "one dies", EXITED, 0, "s0" },
		{ "its successor is ready", READY, 0, "" },
		{ "nothing more happens", TIME_PASSES, 60000, "" }
	};

	(void)state;
	TELL(two_serve);
	TELL(steps);
	assert_true(master_plan_is_settled(&plan));
}

static void
workers_that_die_on_and_on_are_waited_for(void **state)
{
	static const struct step steps[] = {
		{ "the first time nobody waits", EXITED, 0, "s0" },
		{ "the second time a little", EXITED, 0, "" },
		{ "not yet", TIME_PASSES, 99, "" },
		{ "now", TIME_PASSES, 1, "s0" },
		{ "the third time twice that", EXITED, 0, "" },
		{ "not yet", TIME_PASSES, 199, "" },
		{ "now", TIME_PASSES, 1, "s0" },
		{ "the fourth", EXITED, 0, "" },
		{ "after 400 ms", TIME_PASSES, 400, "s0" },
		{ "the fifth", EXITED, 0, "" },
		{ "after 800 ms", TIME_PASSES, 800, "s0" },
		{ "the sixth", EXITED, 0, "" },
		{ "after 1600 ms", TIME_PASSES, 1600, "s0" },
		{ "the seventh", EXITED, 0, "" },
		{ "after 3200 ms", TIME_PASSES, 3200, "s0" },
		{ "the eighth", EXITED, 0, "" },
		{ "never more than five seconds", TIME_PASSES, 5000, "s0" },
		{ "the ninth", EXITED, 0, "" },
		{ "not less either", TIME_PASSES, 4999, "" },
		{ "five seconds", TIME_PASSES, 1, "s0" },
		{ "this one lives", READY, 0, "" },
		{ "for half a minute", TIME_PASSES, 30001, "" },
		{ "so the next death is the first again", EXITED, 0, "s0" }
	};

	(void)state;
	TELL(two_serve);
	TELL(steps);
}

static void
a_reload_starts_the_new_before_it_retires_the_old(void **state)
{
	static const struct step steps[] = {
		{ "the new ones start beside the old", RELOAD, 2, "s2 s3" },
		{ "one old one goes for a new one", READY, 2, "r0" },
		{ "the other for the other", READY, 3, "r1" },
		{ "they end", EXITED, 0, "" },
		{ "both", EXITED, 1, "" },
		{ "and that was it", TIME_PASSES, 60000, "" }
	};

	(void)state;
	TELL(two_serve);
	TELL(steps);
	assert_true(master_plan_is_settled(&plan));
}

static void
the_old_go_on_when_the_new_cannot_start(void **state)
{
	static const struct step steps[] = {
		{ "a bad configuration comes", RELOAD, 2, "s2 s3" },
		{ "a new one dies in its start", EXITED, 2, "s2" },
		{ "the other too, and they are waited for", EXITED, 3, "" },
		{ "the old serve", TIME_PASSES, 100, "s3" },
		{ "a better one comes: those starting are let go", RELOAD, 2,
		    "r2 r3 s4 s5" },
		{ "ready", READY, 4, "r0" },
		{ "ready", READY, 5, "r1" }
	};

	(void)state;
	TELL(two_serve);
	TELL(steps);
}

static void
a_reload_may_change_the_number(void **state)
{
	static const struct step steps[] = {
		{ "more", RELOAD, 3, "s2 s3 s4" },
		{ "two old and a new one are three", READY, 2, "" },
		{ "one more", READY, 3, "r0" },
		{ "and the last", READY, 4, "r1" },
		{ "gone", EXITED, 0, "" },
		{ "gone", EXITED, 1, "" },
		{ "fewer: two old ones are too many now", RELOAD, 1,
		    "r2 r3 s0" },
		{ "the new one replaces the last", READY, 0, "r4" }
	};

	(void)state;
	TELL(two_serve);
	TELL(steps);
}

static void
a_full_worker_goes_when_its_successor_serves(void **state)
{
	static const struct step steps[] = {
		{ "a successor starts", FULL, 0, "s2" },
		{ "nothing changes while it starts", TIME_PASSES, 100, "" },
		{ "it serves: the full one retires", READY, 2, "r0" },
		{ "and ends, which is no crash", EXITED, 0, "" },
		{ "a death after it is the first", EXITED, 1, "s0" }
	};

	(void)state;
	TELL(two_serve);
	TELL(steps);
}

static void
a_request_that_overstays_costs_its_worker(void **state)
{
	static const struct step steps[] = {
		{ "a request begins", BUSY, 1, "" },
		{ "it takes long", TIME_PASSES, 4999, "" },
		{ "too long: another takes its place at once", TIME_PASSES, 1,
		    "k1 s2" },
		{ "killed once only", TIME_PASSES, 1000, "" },
		{ "it is gone, which is no crash", EXITED, 1, "" },
		{ "ready", READY, 2, "" },
		{ "a request", BUSY, 0, "" },
		{ "in time", TIME_PASSES, 4999, "" },
		{ "is answered", FREE, 0, "" },
		{ "and nobody is killed", TIME_PASSES, 60000, "" }
	};

	(void)state;
	TELL(two_serve);
	TELL(steps);
}

static void
a_worker_that_never_gets_ready_is_killed_and_counts(void **state)
{
	static const struct step steps[] = {
		{ "they hang", TIME_PASSES, 30000, "k0 k1 s2 s3" },
		{ "the first death", EXITED, 0, "" },
		{ "the second", EXITED, 1, "" },
		{ "so the third waits", EXITED, 2, "" },
		{ "a little", TIME_PASSES, 200, "s0" }
	};

	(void)state;
	tell(two_serve, 1);
	TELL(steps);
}

static void
stopping_drains_then_kills_then_ends(void **state)
{
	static const struct step steps[] = {
		{ "stop", STOP, 0, "r0 r1" },
		{ "one has ended", EXITED, 0, "" },
		{ "the other drains", TIME_PASSES, 9999, "" },
		{ "too long", TIME_PASSES, 1, "k1" },
		{ "the end", EXITED, 1, "x" }
	};

	(void)state;
	TELL(two_serve);
	TELL(steps);
}

static void
nothing_starts_while_stopping(void **state)
{
	static const struct step steps[] = {
		{ "one dies, its successor waits", EXITED, 0, "s0" },
		{ "again", EXITED, 0, "" },
		{ "stop", STOP, 0, "r1" },
		{ "time for a start", TIME_PASSES, 5000, "" },
		{ "a reload changes nothing", RELOAD, 4, "" },
		{ "the end", EXITED, 1, "x" }
	};

	(void)state;
	TELL(two_serve);
	TELL(steps);
}

static void
the_master_sleeps_until_something_is_due(void **state)
{
	(void)state;
	TELL(two_serve);
	assert_int_equal(master_plan_wait_us(&plan, now_us), -1);
	master_plan_busy(&plan, 0, now_us - 1000 * MS);
	assert_int_equal(master_plan_wait_us(&plan, now_us), 4000 * MS);
	master_plan_busy(&plan, 0, 0);
	(void)master_plan_exited(&plan, 0, now_us);
	assert_int_equal(master_plan_wait_us(&plan, now_us), 0);
	(void)master_plan_next(&plan, now_us);
	(void)master_plan_exited(&plan, 0, now_us);
	assert_int_equal(master_plan_wait_us(&plan, now_us), 100 * MS);
	assert_false(master_plan_is_settled(&plan));
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

/* One connection to the database each, and not one more. */
static void
where_no_successor_fits_in_the_old_one_goes_first(void **state)
{
	static const struct step steps[] = {
		{ "a new configuration", RELOAD, 2, "r0" },
		{ "it is on its way", TIME_PASSES, 1, "" },
		{ "it is gone", EXITED, 0, "s0" },
		{ "its successor starts", TIME_PASSES, 1, "" },
		{ "and serves: now the other", READY, 0, "r1" },
		{ "which goes", EXITED, 1, "s1" },
		{ "and is replaced", READY, 1, "" }
	};

	(void)state;
	plan.limits.alive_max = 2;
	TELL(two_serve);
	TELL(steps);
	assert_true(master_plan_is_settled(&plan));
}

static void
with_room_for_one_they_change_over_one_by_one(void **state)
{
	static const struct step steps[] = {
		{ "a new configuration", RELOAD, 2, "s2" },
		{ "the successor serves", READY, 2, "r0" },
		{ "the old one lingers", TIME_PASSES, 100, "" },
		{ "and goes", EXITED, 0, "s0" },
		{ "the next successor", READY, 0, "r1" },
		{ "the last old one goes", EXITED, 1, "" }
	};

	(void)state;
	plan.limits.alive_max = 3;
	TELL(two_serve);
	TELL(steps);
	assert_true(master_plan_is_settled(&plan));
	assert_int_equal(master_plan_wait_us(&plan, now_us), -1);
}

static void
while_there_is_no_room_the_master_sleeps(void **state)
{
	static const struct step steps[] = {
		{ "a new configuration", RELOAD, 2, "r0" }
	};

	(void)state;
	plan.limits.alive_max = 2;
	TELL(two_serve);
	TELL(steps);
	assert_true(master_plan_wait_us(&plan, now_us) == 10000 * MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_worker_that_dies_is_replaced_at_once),
		TEST(workers_that_die_on_and_on_are_waited_for),
		TEST(a_reload_starts_the_new_before_it_retires_the_old),
		TEST(the_old_go_on_when_the_new_cannot_start),
		TEST(a_reload_may_change_the_number),
		TEST(a_full_worker_goes_when_its_successor_serves),
		TEST(a_request_that_overstays_costs_its_worker),
		TEST(a_worker_that_never_gets_ready_is_killed_and_counts),
		TEST(stopping_drains_then_kills_then_ends),
		TEST(nothing_starts_while_stopping),
		TEST(the_master_sleeps_until_something_is_due),
		TEST(where_no_successor_fits_in_the_old_one_goes_first),
		TEST(with_room_for_one_they_change_over_one_by_one),
		TEST(while_there_is_no_room_the_master_sleeps)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
