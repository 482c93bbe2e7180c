/* SPDX-License-Identifier: MIT */
/* The gate. Each gate_open() has locks of its own, whether or not in another
   process. */
#include "config.h"

#include "wuts/gate.h"

#include "wuts/clock.h"
#include "wuts/fault.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define GATES 5

struct fixture {
	char dir[64];
	char path[96];
	struct gate *gates[GATES];
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/wuts-gate-XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/gate", f->dir);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < GATES; i++)
		gate_close(&f->gates[i]);
	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void
open_all(struct fixture *f, unsigned places, unsigned waiting)
{
	struct fault fault;

	fault_clear(&fault);
	for (int i = 0; i < GATES; i++)
		assert_int_equal(gate_open(&f->gates[i], f->path, places,
		    waiting, &fault), 0);
}

static void
as_many_go_in_as_there_are_places(void **state)
{
	struct fixture *f = *state;

	open_all(f, 2, 0);
	assert_true(gate_enter(f->gates[0], 0));
	assert_true(gate_enter(f->gates[1], 0));
	assert_false(gate_enter(f->gates[2], 1000));
	gate_leave(f->gates[0]);
	assert_true(gate_enter(f->gates[2], 0));
	assert_false(gate_enter(f->gates[0], 1000));
}

static void
who_may_wait_waits_no_longer_than_asked(void **state)
{
	struct fixture *f = *state;
	int64_t begun_us;

	open_all(f, 1, 1);
	assert_true(gate_enter(f->gates[0], 0));
	begun_us = clock_mono_us();
	assert_false(gate_enter(f->gates[1], 30));
	assert_in_range(clock_mono_us() - begun_us, 29000, 20000000);
	/* Its place in front is free again. */
	begun_us = clock_mono_us();
	assert_false(gate_enter(f->gates[2], 30));
	assert_in_range(clock_mono_us() - begun_us, 29000, 20000000);
}

/* A child that is inside until it is killed, or leaves after a moment. */
static pid_t
put_child_inside(struct fixture *f, bool leaves)
{
	struct fault fault;
	struct gate *gate;
	int inside[2];
	char c = 0;
	pid_t pid;

	assert_int_equal(pipe(inside), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		fault_clear(&fault);
		if (gate_open(&gate, f->path, 1, 1, &fault) < 0 ||
		    !gate_enter(gate, 0) || write(inside[1], &c, 1) != 1)
			_exit(1);
		if (leaves)
			usleep(30000);
		else
			pause();
		gate_leave(gate);
		pause();
	}
	assert_int_equal(read(inside[0], &c, 1), 1);
	close(inside[0]);
	close(inside[1]);
	return pid;
}

static void
who_waits_goes_in_when_another_leaves(void **state)
{
	struct fixture *f = *state;
	pid_t pid = put_child_inside(f, true);

	open_all(f, 1, 1);
	assert_true(gate_enter(f->gates[0], 10000));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
a_killed_process_is_inside_no_more(void **state)
{
	struct fixture *f = *state;
	pid_t pid = put_child_inside(f, false);

	open_all(f, 1, 0);
	assert_false(gate_enter(f->gates[0], 0));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(gate_enter(f->gates[0], 0));
}

static void
what_stays_long_leaves_half_of_the_places(void **state)
{
	struct fixture *f = *state;

	open_all(f, 2, 0);
	assert_true(gate_enter_long(f->gates[0], 0));
	assert_false(gate_enter_long(f->gates[1], 1000));
	assert_true(gate_enter(f->gates[1], 0));
	gate_leave(f->gates[0]);
	assert_true(gate_enter_long(f->gates[2], 0));
	gate_leave(f->gates[1]);
	assert_false(gate_enter_long(f->gates[3], 1000));
}

static void
of_one_place_what_stays_long_gets_that_one(void **state)
{
	struct fixture *f = *state;

	open_all(f, 1, 0);
	assert_true(gate_enter_long(f->gates[0], 0));
	assert_false(gate_enter(f->gates[1], 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    as_many_go_in_as_there_are_places, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    who_may_wait_waits_no_longer_than_asked, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    who_waits_goes_in_when_another_leaves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_killed_process_is_inside_no_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    what_stays_long_leaves_half_of_the_places, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    of_one_place_what_stays_long_gets_that_one, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
