/* SPDX-License-Identifier: MIT */
/* See harness.h. */
#include "config.h"

#include "harness.h"

#include "../../../src/queue/queue_private.h"

#include "wuts/fault.h"
#include "wuts/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct queue_io real_io;
static bool errors_expected;
static unsigned io_calls, io_at;
static int io_error;
static const char *io_name;
static bool io_syncs_skipped;

/* --- queue_io --- */

/* 0: go on, 1: crash here, -1: fail with errno. */
static int
io_step(const char *name)
{
	if (io_at == 0 ||
	    (strcmp(io_name, "*") != 0 && strcmp(io_name, name) != 0))
		return 0;
	if (++io_calls < io_at)
		return 0;
	if (io_error == 0)
		return 1;
	errno = io_error;
	return -1;
}

static int
io_gate(const char *name)
{
	int step = io_step(name);

	if (step > 0)
		_exit(CRASHED);
	return step;
}

static ssize_t
test_pwrite(int fd, const void *data, size_t len, off_t offset)
{
	int step = io_step("pwrite");

	if (step == 0)
		return real_io.pwrite(fd, data, len, offset);
	/* Half of it got there, whatever we are told. */
	if (len > 1 && real_io.pwrite(fd, data, len / 2, offset) < 0)
		_exit(1);
	if (step > 0)
		_exit(CRASHED);
	errno = io_error;
	return -1;
}

static int
test_fdatasync(int fd)
{
	if (io_gate("fdatasync") < 0)
		return -1;
	return io_syncs_skipped ? 0 : real_io.fdatasync(fd);
}

static int
test_fsync(int fd)
{
	if (io_gate("fsync") < 0)
		return -1;
	return io_syncs_skipped ? 0 : real_io.fsync(fd);
}

static int
test_fallocate(int fd, int mode, off_t offset, off_t len)
{
	return io_gate("fallocate") < 0 ? -1 :
	    real_io.fallocate(fd, mode, offset, len);
}

static int
test_ftruncate(int fd, off_t len)
{
	return io_gate("ftruncate") < 0 ? -1 : real_io.ftruncate(fd, len);
}

static int
test_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return io_gate("renameat") < 0 ? -1 :
	    real_io.renameat(from_fd, from, to_fd, to);
}

static int
test_unlinkat(int fd, const char *name, int flags)
{
	return io_gate("unlinkat") < 0 ? -1 :
	    real_io.unlinkat(fd, name, flags);
}

static void
io_arm(const char *name, unsigned call, int error)
{
	queue_io = (struct queue_io){
		.pwrite = test_pwrite,
		.fdatasync = test_fdatasync,
		.fsync = test_fsync,
		.fallocate = test_fallocate,
		.ftruncate = test_ftruncate,
		.renameat = test_renameat,
		.unlinkat = test_unlinkat,
	};
	io_name = name;
	io_calls = 0;
	io_at = call;
	io_error = error;
}

void
io_crash_at(unsigned call)
{
	io_arm("*", call, 0);
}

void
io_fail_at(const char *name, unsigned call, int error)
{
	io_arm(name, call, error);
}

void
io_reset(void)
{
	queue_io = real_io;
	io_at = 0;
}

void
io_skip_syncs(void)
{
	io_syncs_skipped = true;
	io_arm("*", 0, 0);
}

bool
io_has_failed(void)
{
	return io_at > 0 && io_calls >= io_at;
}

/* --- set-up --- */

int
harness_setup(void **state)
{
	char path[SCRATCH_PATH_SIZE];

	if (real_io.pwrite == NULL)
		real_io = queue_io;
	io_reset();
	errors_expected = io_syncs_skipped = false;
	if (scratch_setup(state) < 0)
		return -1;
	scratch_path(state, "log", path);
	return log_open("test", path, LOG_LEVEL_DEBUG);
}

unsigned
harness_logged(void *const *state, const char *text)
{
	char path[SCRATCH_PATH_SIZE], line[2048];
	unsigned count = 0;
	FILE *file;

	file = fopen(scratch_path(state, "log", path), "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
		count += strstr(line, text) != NULL;
	fclose(file);
	return count;
}

int
harness_teardown(void **state)
{
	unsigned errors = harness_logged(state, " error ");

	io_reset();
	log_open("test", NULL, LOG_LEVEL_INFO);
	if (scratch_teardown(state) < 0)
		return -1;
	return errors > 0 && !errors_expected ? -1 : 0;
}

void
harness_expect_errors(void)
{
	errors_expected = true;
}

char *
queue_path(void *const *state, const char *name, char buf[SCRATCH_PATH_SIZE])
{
	assert_in_range(snprintf(buf, SCRATCH_PATH_SIZE, "%s/queue/%s",
	    (const char *)*state, name), 1, SCRATCH_PATH_SIZE - 1);
	return buf;
}

static unsigned
look_into(void *const *state, const char *dir, char *last, size_t size)
{
	char path[SCRATCH_PATH_SIZE];
	const struct dirent *entry;
	unsigned count = 0;
	DIR *handle;

	handle = opendir(queue_path(state, dir, path));
	if (handle == NULL)
		return 0;
	while ((entry = readdir(handle)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(last, size, "%s/%s", path, entry->d_name);
		count++;
	}
	closedir(handle);
	return count;
}

unsigned
count_files(void *const *state, const char *dir)
{
	char last[SCRATCH_PATH_SIZE + 256];

	return look_into(state, dir, last, sizeof(last));
}

char *
only_file(void *const *state, const char *dir, char buf[SCRATCH_PATH_SIZE])
{
	assert_int_equal(look_into(state, dir, buf, SCRATCH_PATH_SIZE), 1);
	return buf;
}

/* --- records --- */

struct uuid
record_id(unsigned n)
{
	struct uuid id = { { 0x01, 0x92 } };

	for (int i = 0; i < 4; i++)
		id.b[15 - i] = (uint8_t)(n >> (8 * i));
	return id;
}

void
record_make(struct queue_record *record_r, unsigned n, char body[BODY_MAX])
{
	int len;

	len = snprintf(body, BODY_MAX, "{\"n\":%u,\"pad\":\"%0*u\"}", n,
	    (int)(n % 5) * 20 + 10, n);
	*record_r = (struct queue_record){
		.id = record_id(n),
		.tenant_id = record_id(n + 1),
		.device_id = n % 2 == 0 ? UUID_NIL : record_id(n + 2),
		.event = n % 2 == 0 ? "user.role_changed" : "message.received",
		.created_us = 1000000 + (int64_t)n,
		.body = body,
		.body_len = (size_t)len,
	};
}

struct queue_writer *
writer_open(void *const *state, size_t segment_bytes)
{
	struct queue_limits limits = { .segment_bytes = segment_bytes };
	struct fault fault = { .code = FAULT_NONE };
	char path[SCRATCH_PATH_SIZE];
	struct queue_writer *writer;

	if (queue_writer_open(&writer, queue_path(state, "", path), &limits,
	    &fault) < 0)
		fail_msg("%s", fault.text);
	return writer;
}

void
append(struct queue_writer *writer, unsigned from, unsigned count)
{
	struct fault fault = { .code = FAULT_NONE };
	struct queue_record *records = calloc(count, sizeof(*records));
	char (*bodies)[BODY_MAX] = calloc(count, BODY_MAX);

	assert_true(records != NULL && bodies != NULL);
	for (unsigned i = 0; i < count; i++)
		record_make(&records[i], from + i, bodies[i]);
	if (queue_append(writer, records, count, &fault) < 0)
		fail_msg("%s", fault.text);
	free(bodies);
	free(records);
}

void
prepare(struct queue_writer *writer, unsigned n)
{
	struct fault fault = { .code = FAULT_NONE };
	struct queue_record record;
	char body[BODY_MAX];

	record_make(&record, n, body);
	if (queue_prepare(writer, &record, &fault) < 0)
		fail_msg("%s", fault.text);
}

/* --- reading --- */

static unsigned
id_number(const struct uuid *id)
{
	unsigned n = 0;

	for (int i = 12; i < 16; i++)
		n = n << 8 | id->b[i];
	return n;
}

static void
sink_record(void *ctx, struct queue_pos pos, const struct queue_record *record,
    unsigned attempts, int64_t due_us)
{
	unsigned n = id_number(&record->id);
	struct queue_record made;
	struct sink *sink = ctx;
	char body[BODY_MAX];

	record_make(&made, n, body);
	assert_true(uuid_is_equal(&record->id, &made.id));
	assert_true(uuid_is_equal(&record->tenant_id, &made.tenant_id));
	assert_true(uuid_is_equal(&record->device_id, &made.device_id));
	assert_string_equal(record->event, made.event);
	assert_int_equal(record->created_us, made.created_us);
	assert_int_equal(record->body_len, made.body_len);
	assert_memory_equal(record->body, made.body, made.body_len);
	if (sink->ngot == sink->cap) {
		sink->cap = sink->cap * 2 + 64;
		sink->got = realloc(sink->got, sink->cap * sizeof(*sink->got));
		assert_non_null(sink->got);
	}
	sink->got[sink->ngot++] = (struct got){ n, pos, attempts, due_us };
}

static void
sink_unresolved(void *ctx, struct queue_pos pos, const struct uuid *id,
    int64_t created_us)
{
	struct sink *sink = ctx;

	assert_in_range(sink->nasked, 0, 511);
	assert_int_equal(created_us, 1000000 + (int64_t)id_number(id));
	sink->asked[sink->nasked++] =
	    (struct got){ id_number(id), pos, 0, 0 };
}

void
sink_open(struct sink *sink, void *const *state)
{
	struct queue_events events = { sink_record, sink_unresolved, sink };
	struct fault fault = { .code = FAULT_NONE };
	char path[SCRATCH_PATH_SIZE];

	memset(sink, 0, sizeof(*sink));
	if (queue_reader_open(&sink->reader, queue_path(state, "", path),
	    &events, &fault) < 0)
		fail_msg("%s", fault.text);
}

void
sink_drain(struct sink *sink)
{
	struct fault fault = { .code = FAULT_NONE };
	int more;

	if (queue_reader_adopt(sink->reader, &fault) < 0)
		fail_msg("%s", fault.text);
	/* A small number, so that reading is interrupted in all places. */
	while ((more = queue_reader_scan(sink->reader, 7, &fault)) > 0)
		continue;
	if (more < 0)
		fail_msg("%s", fault.text);
}

unsigned
sink_has(const struct sink *sink, unsigned n)
{
	unsigned count = 0;

	for (size_t i = 0; i < sink->ngot; i++)
		count += sink->got[i].n == n;
	return count;
}

const struct got *
sink_get(const struct sink *sink, unsigned n)
{
	for (size_t i = 0; i < sink->ngot; i++)
		if (sink->got[i].n == n)
			return &sink->got[i];
	fail_msg("record %u did not come", n);
	return NULL;
}

void
sink_finish(struct sink *sink, unsigned n, enum queue_outcome outcome)
{
	queue_reader_finish(sink->reader, sink_get(sink, n)->pos, outcome, 1,
	    0);
}

void
sink_sync(struct sink *sink)
{
	struct fault fault = { .code = FAULT_NONE };

	if (queue_reader_sync(sink->reader, &fault) < 0)
		fail_msg("%s", fault.text);
}

void
sink_close(struct sink *sink)
{
	queue_reader_close(&sink->reader);
	free(sink->got);
	memset(sink, 0, sizeof(*sink));
}
