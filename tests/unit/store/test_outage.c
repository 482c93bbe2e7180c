/* SPDX-License-Identifier: MIT */
/* What happens while the database is away. */
#include "config.h"

#include "store_test.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#define AT_ONCE_US (CLOCK_SECOND_US / 10)
#define TRIES 10

static int64_t frozen_us;	/* 0: the clock runs */
int64_t __real_clock_mono_us(void);
int64_t __wrap_clock_mono_us(void);

int64_t
__wrap_clock_mono_us(void)
{
	return frozen_us != 0 ? frozen_us : __real_clock_mono_us();
}

static void
assert_ping_fails(struct fixture *f, struct db *db)
{
	assert_int_equal(db_ping(db, &f->fault), -1);
	assert_database_fault(f->fault);
}

static void
wait_until_it_answers(struct fixture *f, struct db *db)
{
	int64_t until_us = clock_mono_us() + 60 * CLOCK_SECOND_US;
	struct timespec pause = { 0, 10000000 };

	while (db_ping(db, &f->fault) < 0) {
		assert_true(clock_mono_us() < until_us);
		(void)nanosleep(&pause, NULL);
	}
}

/* The best of some, as a busy machine may stand still in any of them. */
static void
no_server_fails_at_once(void **state)
{
	int64_t begun_us, took_us, best_us = INT64_MAX;
	struct fixture *f = *state;
	struct settings settings = f->settings;
	char nowhere[] = "/nonexistent/sock";
	struct db *db;

	settings.database_socket = nowhere;
	for (int i = 0; i < TRIES; i++) {
		db = db_new(&settings);
		begun_us = clock_mono_us();
		assert_ping_fails(f, db);
		assert_ping_fails(f, db);
		took_us = clock_mono_us() - begun_us;
		if (took_us < best_us)
			best_us = took_us;
		db_free(&db);
	}
	assert_true(best_us < AT_ONCE_US);
}

static void
who_was_away_is_asked_again_after_a_moment(void **state)
{
	struct fixture *f = *state;
	struct settings settings = f->settings;
	char nowhere[] = "/nonexistent/sock";
	struct db *db;

	settings.database_socket = nowhere;
	db = db_new(&settings);
	frozen_us = clock_mono_us();
	assert_ping_fails(f, db);
	/* It is back, but in the back-off nobody looks. */
	settings.database_socket = f->settings.database_socket;
	assert_ping_fails(f, db);
	frozen_us += CLOCK_SECOND_US;
	assert_int_equal(db_ping(db, &f->fault), 0);
	frozen_us = 0;
	db_free(&db);
}

static pid_t
server_pid(void)
{
	const char *path = getenv("WUTS_TEST_DB_PID_FILE");
	FILE *file;
	int pid = 0;

	assert_non_null(path);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &pid), 1);
	(void)fclose(file);
	assert_true(pid > 1);
	return pid;
}

/* The state letter behind the name, which stands in parentheses. */
static bool
thread_is_stopped(pid_t pid, const char *thread)
{
	char path[300], line[256], *state;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%.200s/stat",
	    (int)pid, thread);
	file = fopen(path, "r");
	if (file == NULL)
		return true;	/* ended meanwhile */
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	(void)fclose(file);
	state = strrchr(line, ')');
	return state != NULL && state[1] == ' ' && state[2] == 'T';
}

/* kill() returns before each of the server's threads has stopped. */
static void
stop_server(pid_t pid)
{
	int64_t until_us = clock_mono_us() + 60 * CLOCK_SECOND_US;
	const struct dirent *entry;
	bool all_stopped;
	char path[64];
	DIR *tasks;

	assert_int_equal(kill(pid, SIGSTOP), 0);
	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	do {
		assert_true(clock_mono_us() < until_us);
		all_stopped = true;
		tasks = opendir(path);
		assert_non_null(tasks);
		while ((entry = readdir(tasks)) != NULL)
			if (entry->d_name[0] != '.' &&
			    !thread_is_stopped(pid, entry->d_name))
				all_stopped = false;
		(void)closedir(tasks);
	} while (!all_stopped);
}

static int
find_a_tenant(struct db *db, void *ctx, struct fault *fault)
{
	struct tenant tenant;

	(void)ctx;
	return tenant_store_find(db, &UUID_NIL, &tenant, fault) < 0 ? -1 : 0;
}

static void
hung_server_fails_within_the_timeout_and_recovers(void **state)
{
	struct fixture *f = *state;
	pid_t pid = server_pid();
	int64_t begun_us, took_us;
	enum tx_result in_tx;
	int outside;

	assert_int_equal(db_ping(f->db, &f->fault), 0);
	assert_int_equal(db_ping(f->other, &f->fault), 0);
	stop_server(pid);
	begun_us = clock_mono_us();
	outside = find_a_tenant(f->other, NULL, &f->fault);
	in_tx = tx_run(f->db, find_a_tenant, NULL, NULL, &f->fault);
	took_us = clock_mono_us() - begun_us;
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(outside, -1);
	assert_int_equal(in_tx, TX_ROLLED_BACK);
	assert_database_fault(f->fault);
	/* A second each, and a margin for a busy machine. */
	assert_true(took_us < 8 * CLOCK_SECOND_US);
	wait_until_it_answers(f, f->db);
	wait_until_it_answers(f, f->other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_server_fails_at_once),
		cmocka_unit_test(
		    who_was_away_is_asked_again_after_a_moment),
		cmocka_unit_test(
		    hung_server_fails_within_the_timeout_and_recovers),
	};

	return cmocka_run_group_tests(tests, store_test_begin, store_test_end);
}
