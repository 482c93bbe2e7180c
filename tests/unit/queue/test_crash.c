/* SPDX-License-Identifier: MIT */
/* Crashes and failures at every step: what was answered for is delivered, what
   was refused or never committed is not, and every start goes on from what the
   last one left. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/queue.h"

#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NUMBERS 4096

/* What a child told before it ended: how the world saw each record. */
enum told {
	NOTHING,
	TRIED = 'T',		/* append begun */
	ACKNOWLEDGED = 'A',	/* append returned 0 */
	REFUSED = 'R',		/* append returned -1 */
	PREPARED = 'P',		/* prepare begun */
	COMMITTED = 'C',	/* its transaction is committed */
	FINISHED = 'F'		/* its outcome is synced */
};

struct story {
	enum told told[NUMBERS];
	int pipe_fd;		/* of the child */
};

/* One message, in one write: it is told or it is not. */
static void
tell(struct story *story, enum told told, unsigned n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%c%010u\n", (int)told, n);

	story->told[n] = told;
	if (write(story->pipe_fd, text, (size_t)len) != len)
		_exit(1);
}

/* Run body in a child and learn what it told. kill_after > 0: end it after so
   many messages. Its wait status. */
static int
run_child(struct story *story, void (*body)(void *const *, struct story *),
    void *const *state, unsigned kill_after)
{
	char text[13] = "";
	unsigned messages = 0;
	int fds[2], status;
	FILE *from;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fds[0]);
		story->pipe_fd = fds[1];
		body(state, story);
		_exit(0);
	}
	close(fds[1]);
	from = fdopen(fds[0], "r");
	assert_non_null(from);
	while (fgets(text, sizeof(text), from) != NULL) {
		unsigned long n = strtoul(text + 1, NULL, 10);

		assert_in_range(n, 0, NUMBERS - 1);
		story->told[n] = (enum told)text[0];
		if (++messages == kill_after)
			kill(pid, SIGKILL);
	}
	fclose(from);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
child_append(struct queue_writer *writer, struct story *story, unsigned from,
    unsigned count)
{
	struct fault fault = { .code = FAULT_NONE };
	struct queue_record records[8];
	char bodies[8][BODY_MAX];
	enum told told;

	for (unsigned i = 0; i < count; i++) {
		record_make(&records[i], from + i, bodies[i]);
		tell(story, TRIED, from + i);
	}
	told = queue_append(writer, records, count, &fault) == 0 ?
	    ACKNOWLEDGED : REFUSED;
	for (unsigned i = 0; i < count; i++)
		tell(story, told, from + i);
}

static void
child_prepare(struct queue_writer *writer, struct story *story, unsigned n,
    bool committed, bool marked)
{
	struct fault fault = { .code = FAULT_NONE };
	struct uuid id = record_id(n);
	struct queue_record record;
	char body[BODY_MAX];

	record_make(&record, n, body);
	tell(story, PREPARED, n);
	if (queue_prepare(writer, &record, &fault) < 0) {
		tell(story, REFUSED, n);
		return;
	}
	if (committed)
		tell(story, COMMITTED, n);
	if (marked && committed)
		queue_commit(writer, &id);
	else if (marked)
		queue_discard(writer, &id);
}

static struct queue_writer *
child_open(void *const *state)
{
	struct queue_limits limits = { .segment_bytes = 3000 };
	struct fault fault = { .code = FAULT_NONE };
	char path[SCRATCH_PATH_SIZE];
	struct queue_writer *writer;

	if (queue_writer_open(&writer, queue_path(state, "", path), &limits,
	    &fault) < 0)
		return NULL;
	return writer;
}

/* Everything a writer does, over several segments. */
static void
write_all(void *const *state, struct story *story)
{
	struct queue_writer *writer = child_open(state);

	if (writer == NULL)
		return;
	for (unsigned n = 10; n < 100; n += 10) {
		child_append(writer, story, n, 1);
		child_prepare(writer, story, n + 1, true, true);
		child_append(writer, story, n + 2, 4);
		child_prepare(writer, story, n + 6, false, true);
		if (n % 40 == 0)
			child_prepare(writer, story, n + 7, true, false);
		if (n % 60 == 0)
			child_prepare(writer, story, n + 8, false, false);
	}
	queue_writer_close(&writer);
}

/* Read all, answer the claims as the database would, and compare. */
static void
expect_story(void *const *state, const struct story *story)
{
	static const struct got none;
	struct sink sink;

	sink_open(&sink, state);
	sink_drain(&sink);
	for (size_t i = 0; i < sink.nasked; i++)
		queue_resolve(sink.reader, sink.asked[i].pos,
		    story->told[sink.asked[i].n] == COMMITTED);
	for (unsigned n = 0; n < NUMBERS; n++) {
		unsigned times = sink_has(&sink, n);
		bool must = story->told[n] == ACKNOWLEDGED ||
		    story->told[n] == COMMITTED;
		bool may = must || story->told[n] == TRIED;

		if (times < must || times > may)
			fail_msg("record %u told %c came %u times", n,
			    (int)story->told[n], times);
	}
	/* The batch of which nobody was told: all or nothing. */
	for (unsigned n = 12; n < 100; n += 10)
		for (unsigned i = 1; i < 4; i++)
			assert_int_equal(sink_has(&sink, n + i),
			    sink_has(&sink, n));
	for (size_t i = 0; i < sink.ngot; i++) {
		assert_memory_not_equal(&sink.got[i], &none, sizeof(none));
		queue_reader_finish(sink.reader, sink.got[i].pos,
		    QUEUE_DELIVERED, 1, 0);
	}
	sink_sync(&sink);
	assert_int_equal(count_files(state, "ready"), 0);
	assert_int_equal(count_files(state, "done"), 0);
	assert_int_equal(count_files(state, "corrupt"), 0);
	sink_close(&sink);
}

static unsigned crash_step;

static void
write_and_crash(void *const *state, struct story *story)
{
	io_crash_at(crash_step);
	write_all(state, story);
	if (!io_has_failed())
		_exit(0);
	_exit(CRASHED);
}

static void
a_writer_may_crash_at_any_step(void **state)
{
	static struct story story;
	int status;

	io_skip_syncs();
	for (crash_step = 1; ; crash_step++) {
		memset(&story, 0, sizeof(story));
		status = run_child(&story, write_and_crash, state, 0);
		assert_true(WIFEXITED(status));
		expect_story(state, &story);
		if (WEXITSTATUS(status) == 0)
			break;
		assert_int_equal(WEXITSTATUS(status), CRASHED);
	}
	assert_in_range(crash_step, 80, 400);
	print_message("%u steps\n", crash_step);
}

static void
a_writer_may_be_killed_at_any_moment(void **state)
{
	static struct story story;
	unsigned seed = 20260615;

	io_skip_syncs();
	for (int round = 0; round < 30; round++) {
		seed = seed * 1103515245 + 12345;
		memset(&story, 0, sizeof(story));
		run_child(&story, write_all, state, 1 + (seed >> 16) % 110);
		expect_story(state, &story);
	}
}

static const char *fail_call;
static unsigned fail_step;
static int fail_error;

static void
write_and_fail(void *const *state, struct story *story)
{
	struct queue_writer *writer = child_open(state);

	if (writer == NULL)
		_exit(1);
	child_append(writer, story, 200, 1);
	io_fail_at(fail_call, fail_step, fail_error);
	for (unsigned n = 201; n < 240 && !io_has_failed(); n++)
		child_append(writer, story, n, 1);
	for (unsigned n = 250; n < 253 && !io_has_failed(); n++)
		child_prepare(writer, story, n, true, true);
	io_reset();
	/* Whatever happened: the next one is accepted again. */
	child_append(writer, story, 300, 1);
	if (story->told[300] != ACKNOWLEDGED)
		_exit(2);
	queue_writer_close(&writer);
}

static void
what_fails_is_refused_and_not_delivered(void **state)
{
	static const char *const calls[] = {
		"pwrite", "fdatasync", "fsync", "fallocate", "renameat",
		"ftruncate"
	};
	static const int errors[] = { EIO, ENOSPC };
	static struct story story;

	harness_expect_errors();
	io_skip_syncs();
	for (size_t i = 0; i < 12; i++) {
		for (fail_step = 1; fail_step < 8; fail_step++) {
			fail_call = calls[i / 2];
			fail_error = errors[i % 2];
			memset(&story, 0, sizeof(story));
			assert_int_equal(run_child(&story, write_and_fail,
			    state, 0), 0);
			expect_story(state, &story);
		}
	}
}

static void
a_full_disk_says_so(void **state)
{
	static const char *const calls[] = {
		"pwrite", "fdatasync", "fallocate"
	};

	for (size_t i = 0; i < 3; i++) {
		struct queue_writer *writer = writer_open(state, 4096);
		struct fault fault = { .code = FAULT_NONE };
		struct queue_record record;
		char body[BODY_MAX];

		record_make(&record, 1, body);
		io_fail_at(calls[i], 1, i == 1 ? EDQUOT : ENOSPC);
		assert_int_equal(queue_append(writer, &record, 1, &fault), -1);
		assert_int_equal(fault.code, FAULT_QUEUE_FULL);
		assert_true(fault.retry_after_s > 0);
		fault_clear(&fault);
		io_fail_at(calls[i], 1, EIO);
		assert_int_equal(queue_append(writer, &record, 1, &fault), -1);
		assert_int_equal(fault.code, FAULT_QUEUE);
		assert_int_equal(fault.retry_after_s, 0);
		io_reset();
		queue_writer_close(&writer);
	}
}

static void
a_disk_that_cannot_reserve_gets_zeros(void **state)
{
	struct queue_writer *writer = writer_open(state, 100000);
	char path[SCRATCH_PATH_SIZE];
	struct sink sink;
	struct stat st;

	io_fail_at("fallocate", 1, EOPNOTSUPP);
	append(writer, 1, 1);
	assert_true(io_has_failed());
	assert_int_equal(stat(only_file(state, "open", path), &st), 0);
	assert_int_equal(st.st_size, 100000);
	assert_true(st.st_blocks * 512 >= 100000);
	queue_writer_close(&writer);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 1);
	sink_close(&sink);
}

/* One round of a spooler: everything gets an outcome in two syncs. */
static void
read_and_crash(void *const *state, struct story *story)
{
	static const enum queue_outcome outcomes[] = {
		QUEUE_DELIVERED, QUEUE_DEAD, QUEUE_RETRY, QUEUE_DROPPED
	};
	struct fault fault = { .code = FAULT_NONE };
	struct sink sink;

	io_crash_at(crash_step);
	sink_open(&sink, state);
	sink_drain(&sink);
	for (size_t i = 0; i < sink.nasked; i++)
		queue_resolve(sink.reader, sink.asked[i].pos,
		    sink.asked[i].n % 2 == 0);
	for (size_t half = 0; half < 2; half++) {
		for (size_t i = half; i < sink.ngot; i += 2)
			queue_reader_finish(sink.reader, sink.got[i].pos,
			    outcomes[sink.got[i].n % 4], 1, 5);
		if (queue_reader_sync(sink.reader, &fault) < 0)
			_exit(1);
		for (size_t i = half; i < sink.ngot; i += 2)
			if (sink.got[i].n % 4 != 2)
				tell(story, FINISHED, sink.got[i].n);
	}
	sink_close(&sink);
	_exit(io_has_failed() ? CRASHED : 0);
}

/* A queue with all a spooler can meet at start: sealed and abandoned segments,
   a torn append, prepared records without a mark. */
static void
fill_for_reader(void *const *state)
{
	struct queue_writer *writer = writer_open(state, 2000);
	char path[SCRATCH_PATH_SIZE];
	struct stat st;

	for (unsigned n = 400; n < 412; n++)
		append(writer, n, 1);
	prepare(writer, 412);
	prepare(writer, 413);
	queue_writer_close(&writer);
	writer = writer_open(state, 2000);
	append(writer, 420, 2);
	queue_abandon(writer);
	queue_writer_close(&writer);
	only_file(state, "open", path);
	assert_int_equal(stat(path, &st), 0);
	writer = writer_open(state, 2000);
	append(writer, 424, 1);
	queue_writer_close(&writer);
}

static void
a_reader_may_crash_at_any_step(void **state)
{
	static struct story story;
	int status;

	io_skip_syncs();
	for (crash_step = 1; ; crash_step++) {
		struct queue_status queue;
		struct fault fault = { .code = FAULT_NONE };
		char path[SCRATCH_PATH_SIZE];
		unsigned dead = 0;
		struct sink sink;

		fill_for_reader(state);
		memset(&story, 0, sizeof(story));
		status = run_child(&story, read_and_crash, state, 0);
		assert_true(WIFEXITED(status));
		sink_open(&sink, state);
		sink_drain(&sink);
		for (size_t i = 0; i < sink.nasked; i++)
			queue_resolve(sink.reader, sink.asked[i].pos,
			    sink.asked[i].n % 2 == 0);
		for (unsigned n = 400; n <= 424; n++) {
			bool retry = n % 4 == 2;
			bool exists = n != 413 && (n <= 412 || n == 420 ||
			    n == 421 || n == 424);
			unsigned times = sink_has(&sink, n);

			assert_in_range(times, 0, exists);
			if (story.told[n] == FINISHED)
				assert_int_equal(times, 0);
			dead += exists && n % 4 == 1 && times == 0;
			/* Gone without having been finished? */
			if (exists && retry)
				assert_int_equal(times, 1);
		}
		assert_int_equal(queue_status_read(queue_path(state, "",
		    path), &queue, &fault), 0);
		assert_true(queue.dead >= dead);
		for (size_t i = 0; i < sink.ngot; i++)
			queue_reader_finish(sink.reader, sink.got[i].pos,
			    QUEUE_DELIVERED, 1, 0);
		sink_sync(&sink);
		assert_int_equal(count_files(state, "ready"), 0);
		assert_int_equal(count_files(state, "done"), 0);
		assert_int_equal(count_files(state, "open"), 0);
		sink_close(&sink);
		if (count_files(state, "dead") > 0)
			unlink(only_file(state, "dead", path));
		if (WEXITSTATUS(status) == 0)
			break;
		assert_int_equal(WEXITSTATUS(status), CRASHED);
	}
	assert_in_range(crash_step, 15, 400);
	print_message("%u steps\n", crash_step);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_writer_may_crash_at_any_step),
		TEST(a_writer_may_be_killed_at_any_moment),
		TEST(what_fails_is_refused_and_not_delivered),
		TEST(a_full_disk_says_so),
		TEST(a_disk_that_cannot_reserve_gets_zeros),
		TEST(a_reader_may_crash_at_any_step),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
