/* SPDX-License-Identifier: MIT */
/* Who holds a lock is found by what it says in the file, and only while it
   holds it. */
#include "config.h"

#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/presence.h"

#include "scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct crypto_keys
some_keys(unsigned n)
{
	struct crypto_keys keys = { .n = n };
	unsigned i;

	for (i = 0; i < n; i++)
		memset(keys.key[i].name, (int)(0xa0 + i), CRYPTO_KEY_NAME_LEN);
	return keys;
}

static int
open_locked(const char *path, int command)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, command, &lock), 0);
	return fd;
}

static void
who_holds_the_lock_is_found_with_its_keys(void **state)
{
	struct crypto_keys keys = some_keys(3), fewer = some_keys(2);
	char path[SCRATCH_PATH_SIZE];
	struct presence presence;
	struct fault fault;
	int fd = open_locked(scratch_path(state, "held", path), F_OFD_SETLK);

	presence_say(fd, &keys);
	assert_int_equal(presence_find(path, &presence, &fault), 1);
	assert_int_equal(presence.pid, getpid());
	assert_true(presence_has_keys(&presence, &keys));
	assert_false(presence_has_keys(&presence, &fewer));
	/* What is shorter leaves nothing of what was longer. */
	presence_say(fd, &fewer);
	assert_int_equal(presence_find(path, &presence, &fault), 1);
	assert_true(presence_has_keys(&presence, &fewer));
	/* The order counts. */
	memset(fewer.key[0].name, 0xa1, CRYPTO_KEY_NAME_LEN);
	memset(fewer.key[1].name, 0xa0, CRYPTO_KEY_NAME_LEN);
	assert_false(presence_has_keys(&presence, &fewer));
	presence_say(fd, NULL);
	assert_int_equal(presence_find(path, &presence, &fault), 1);
	assert_int_equal(presence.pid, getpid());
	assert_int_equal(presence.n, 0);
	assert_false(presence_has_keys(&presence, &keys));
	close(fd);
}

static void
without_the_lock_nobody_is_there(void **state)
{
	struct crypto_keys keys = some_keys(1);
	char path[SCRATCH_PATH_SIZE];
	struct presence presence;
	struct fault fault;
	int fd;

	assert_int_equal(presence_find(scratch_path(state, "missing", path),
	    &presence, &fault), 0);
	fd = open_locked(scratch_path(state, "left", path), F_OFD_SETLK);
	presence_say(fd, &keys);
	close(fd);
	assert_int_equal(presence_find(path, &presence, &fault), 0);
	assert_int_equal(presence.pid, 0);
}

/* wutsd's lock is of the other kind; our own of that kind we do not see, so a
   child looks. */
static void
look_at_parent(void)
{
	const char *path = "presence.lock";
	struct presence presence;
	struct fault fault;

	if (presence_find(path, &presence, &fault) != 1 ||
	    presence.pid != getppid() || presence.n != 1)
		_exit(1);
	_exit(0);
}

static void
a_lock_of_a_process_counts_too(void **state)
{
	struct crypto_keys keys = some_keys(1);
	char err[SCRATCH_PATH_SIZE], here[4096];
	int fd;

	scratch_path(state, "err", err);
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir(*state), 0);
	fd = open_locked("presence.lock", F_SETLK);
	presence_say(fd, &keys);
	assert_int_equal(scratch_run(look_at_parent, err), 0);
	close(fd);
	assert_int_equal(chdir(here), 0);
}

static void
what_somebody_else_wrote_says_nothing(void **state)
{
	static const char *const texts[] = {
		"", "\n", "1\n", "0 a0a0a0a0\n", "-5\n", "12", "x\n",
		"99999999999\n", "77 a0a0a0\n", "77 a0a0a0a0", "77 zzzzzzzz\n",
		"77 a0a0a0a0 a1a1a1a1 a2a2a2a2 a3a3a3a3 a4a4a4a4\n",
		"77 a0a0a0a0x\n",
	};
	char path[SCRATCH_PATH_SIZE];
	struct presence presence;
	struct fault fault;
	size_t i;
	int fd = open_locked(scratch_path(state, "odd", path), F_OFD_SETLK);

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, texts[i], strlen(texts[i]), 0),
		    strlen(texts[i]));
		assert_int_equal(presence_find(path, &presence, &fault), 1);
		if (presence.pid != 0 || presence.n != 0)
			fail_msg("believed: %s", texts[i]);
	}
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_holds_the_lock_is_found_with_its_keys),
		cmocka_unit_test(without_the_lock_nobody_is_there),
		cmocka_unit_test(a_lock_of_a_process_counts_too),
		cmocka_unit_test(what_somebody_else_wrote_says_nothing),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
