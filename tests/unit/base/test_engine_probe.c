/* SPDX-License-Identifier: MIT */
/* What is said of the engine, and for how long it counts. */
#include "config.h"

#include "wuts/engine_probe.h"
#include "wuts/fault.h"

#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW INT64_C(1781524800000000)
#define SECOND INT64_C(1000000)

static enum engine_state
read_at(void *const *state, int64_t now_us)
{
	char path[SCRATCH_PATH_SIZE];

	return engine_probe_read(scratch_path(state, ".", path), now_us);
}

static void
say(void *const *state, bool is_connected, int64_t now_us, unsigned counts_s)
{
	char path[SCRATCH_PATH_SIZE];
	struct fault fault;

	fault_clear(&fault);
	assert_int_equal(engine_probe_say(scratch_path(state, ".", path),
	    is_connected, now_us, counts_s, &fault), 0);
}

static void
before_the_first_answer_it_is_being_asked(void **state)
{
	assert_int_equal(read_at(state, NOW), ENGINE_ASKED);
}

static void
the_last_answer_counts_as_long_as_it_says(void **state)
{
	char path[SCRATCH_PATH_SIZE];

	say(state, false, NOW, 60);
	assert_int_equal(read_at(state, NOW), ENGINE_DISCONNECTED);
	say(state, true, NOW, 60);
	assert_int_equal(read_at(state, NOW), ENGINE_CONNECTED);
	assert_int_equal(read_at(state, NOW + 60 * SECOND),
	    ENGINE_CONNECTED);
	assert_int_equal(read_at(state, NOW + 61 * SECOND),
	    ENGINE_DISCONNECTED);
	say(state, true, NOW, 150);
	assert_int_equal(read_at(state, NOW + 150 * SECOND),
	    ENGINE_CONNECTED);
	assert_int_equal(read_at(state, NOW + 151 * SECOND),
	    ENGINE_DISCONNECTED);
	/* of an earlier release: a minute */
	scratch_write(scratch_path(state, "engine", path),
	    "connected 1781524800000000\n", 0644);
	assert_int_equal(read_at(state, NOW + 60 * SECOND),
	    ENGINE_CONNECTED);
	assert_int_equal(read_at(state, NOW + 61 * SECOND),
	    ENGINE_DISCONNECTED);
}

static void
what_cannot_be_understood_says_that_nobody_is_there(void **state)
{
	static const char *const lines[] = { "", "connected\n", "connected x\n",
	    "disconnected 1781524800000000\n", "connectedx 1781524800000000",
	    "a line that is longer than any that this program writes there" };
	char path[SCRATCH_PATH_SIZE];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		scratch_write(scratch_path(state, "engine", path), lines[i],
		    0644);
		assert_int_equal(read_at(state, NOW), ENGINE_DISCONNECTED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define SCRATCHED(test) \
		cmocka_unit_test_setup_teardown(test, scratch_setup, \
		    scratch_teardown)
		SCRATCHED(before_the_first_answer_it_is_being_asked),
		SCRATCHED(the_last_answer_counts_as_long_as_it_says),
		SCRATCHED(what_cannot_be_understood_says_that_nobody_is_there)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
