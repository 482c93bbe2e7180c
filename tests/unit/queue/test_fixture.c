/* SPDX-License-Identifier: MIT */
/* Queues as earlier releases left them, in fixtures/v<n>/: each later release
   goes on from there. Files are never changed, only added. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/queue.h"

#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void
copy_file(const char *from, const char *to)
{
	char bytes[16384];
	ssize_t n;
	int fd;

	fd = open(from, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	n = read(fd, bytes, sizeof(bytes));
	assert_in_range(n, 1, sizeof(bytes) - 1);
	close(fd);
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, (size_t)n), n);
	close(fd);
}

static void
copy_dir(void *const *state, const char *version, const char *dir)
{
	char from[SCRATCH_PATH_SIZE], to[SCRATCH_PATH_SIZE];
	char file[2 * SCRATCH_PATH_SIZE], copy[2 * SCRATCH_PATH_SIZE];
	const char *srcdir = getenv("srcdir");
	const struct dirent *entry;
	DIR *handle;

	snprintf(from, sizeof(from), "%s/tests/unit/queue/fixtures/%s/%s",
	    srcdir != NULL ? srcdir : ".", version, dir);
	handle = opendir(from);
	if (handle == NULL)
		fail_msg("%s: %s", from, strerror(errno));
	assert_int_equal(mkdir(queue_path(state, dir, to), 0700), 0);
	while ((entry = readdir(handle)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", from, entry->d_name);
		snprintf(copy, sizeof(copy), "%s/%s", to, entry->d_name);
		copy_file(file, copy);
	}
	closedir(handle);
}

static void
copy_queue(void *const *state, const char *version)
{
	static const char *const dirs[] = {
		"open", "ready", "done", "dead", "requests"
	};
	char path[SCRATCH_PATH_SIZE];

	assert_int_equal(mkdir(queue_path(state, "", path), 0700), 0);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		copy_dir(state, version, dirs[i]);
}

/* v1: see the comments; what is not named is finished, torn or damaged. */
static void
a_queue_of_format_1_is_read_on(void **state)
{
	static const unsigned waiting[] = {
		1, 2, 3, 4,		/* an append, a batch, writer gone */
		11,			/* retried */
		14,			/* commit mark */
		16,			/* claimed, committed */
		20,
		40, 41			/* in a rewritten segment */
	};
	static const unsigned unresolved[] = { 5, 18 };
	const size_t n = sizeof(waiting) / sizeof(waiting[0]);
	struct sink sink;

	copy_queue(state, "v1");
	sink_open(&sink, state);
	sink_drain(&sink);
	sink_drain(&sink);
	/* 19 was read, and dropped by a request that was there. */
	assert_int_equal(sink.ngot, n + 1);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(sink_has(&sink, waiting[i]), 1);
	assert_int_equal(sink_has(&sink, 19), 1);
	assert_int_equal(count_files(state, "requests"), 0);
	assert_int_equal(sink_get(&sink, 11)->attempts, 2);
	assert_true(sink_get(&sink, 11)->due_us == 1781524800000000);
	assert_int_equal(sink_get(&sink, 40)->attempts, 3);
	assert_int_equal(sink_get(&sink, 41)->attempts, 0);
	assert_int_equal(sink.nasked, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_true(sink.asked[i].n == unresolved[0] ||
		    sink.asked[i].n == unresolved[1]);
		queue_resolve(sink.reader, sink.asked[i].pos, false);
	}
	for (size_t i = 0; i < n; i++)
		sink_finish(&sink, waiting[i], QUEUE_DELIVERED);
	sink_sync(&sink);
	assert_int_equal(count_files(state, "open"), 0);
	assert_int_equal(count_files(state, "ready"), 0);
	assert_int_equal(count_files(state, "done"), 0);
	sink_close(&sink);
}

/* A record of a later release, and one that is damaged. */
static void
lines_of_an_unknown_version_are_set_aside(void **state)
{
	char path[SCRATCH_PATH_SIZE], bytes[512];
	struct sink sink;

	copy_queue(state, "v1");
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(count_files(state, "corrupt"), 2);
	scratch_read(queue_path(state,
	    "corrupt/653f1a2b.102.0b-2-1935.bad", path), bytes,
	    sizeof(bytes));
	assert_memory_equal(bytes, "{\"v\":2,\"id\":\"01920000-0000-0000-0000-"
	    "00000000005a\"", 49);
	sink_close(&sink);
}

static bool
count_entry(void *ctx, const struct queue_entry *entry)
{
	((unsigned *)ctx)[entry->state]++;
	return true;
}

static bool
is_any(void *ctx, const struct queue_entry *entry)
{
	(void)ctx;
	(void)entry;
	return true;
}

static void
letters_of_format_1_can_be_put_back(void **state)
{
	struct queue_limits limits = { .segment_bytes = 1 << 16 };
	struct fault fault = { .code = FAULT_NONE };
	unsigned counts[QUEUE_STATE_COUNT] = { 0 };
	struct queue_visitor visitor = {
		.entry = count_entry, .ctx = counts,
	};
	struct queue_mender *mender;
	char path[SCRATCH_PATH_SIZE];
	struct sink sink;
	size_t done;

	copy_queue(state, "v1");
	queue_path(state, "", path);
	assert_int_equal(queue_visit(path, &visitor, &fault), 0);
	assert_int_equal(counts[QUEUE_STATE_DEAD], 1);
	assert_int_equal(counts[QUEUE_STATE_REPLAYED], 1);
	assert_int_equal(counts[QUEUE_STATE_DIED], 1);
	assert_int_equal(counts[QUEUE_STATE_RETRYING], 2);
	assert_int_equal(queue_mender_open(&mender, path, &limits, &fault),
	    0);
	assert_int_equal(queue_mender_letters(mender, QUEUE_LETTER_REPLAY,
	    is_any, NULL, &done, &fault), 0);
	assert_int_equal(done, 1);
	queue_mender_close(&mender);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink_has(&sink, 12), 1);
	sink_close(&sink);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_queue_of_format_1_is_read_on),
		TEST(lines_of_an_unknown_version_are_set_aside),
		TEST(letters_of_format_1_can_be_put_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
