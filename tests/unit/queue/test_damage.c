/* SPDX-License-Identifier: MIT */
/* What damage does: a batch cut anywhere is all or nothing, a flipped byte
   costs the record it is in and no other, nothing is invented, what is damaged
   is set aside. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/queue.h"
#include "wuts/strbuf.h"

#include "harness.h"

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

struct image {
	char name[SCRATCH_PATH_SIZE];
	char bytes[16384];
	size_t len;
};

static void
image_take(struct image *image, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, image->bytes, sizeof(image->bytes));
	assert_in_range(n, 1, sizeof(image->bytes));
	close(fd);
	image->len = (size_t)n;
	strcpy(image->name, strrchr(path, '/') + 1);
}

/* Put it there as the only segment, as if nobody had looked at it yet. */
static void
image_put(void *const *state, const struct image *image, const char *dir,
    size_t len, size_t pad)
{
	static const char zeros[4096];
	char name[SCRATCH_PATH_SIZE + 16], path[SCRATCH_PATH_SIZE];
	int fd;

	snprintf(name, sizeof(name), "open/%s", image->name);
	unlink(queue_path(state, name, path));
	snprintf(name, sizeof(name), "ready/%s", image->name);
	unlink(queue_path(state, name, path));
	snprintf(name, sizeof(name), "%s/%s", dir, image->name);
	fd = open(queue_path(state, name, path),
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, image->bytes, len), len);
	assert_int_equal(write(fd, zeros, pad), pad);
	close(fd);
}

/* Everything set aside goes, so that the next case is counted alone. */
static void
corrupt_clear(void *const *state)
{
	char path[SCRATCH_PATH_SIZE];

	if (count_files(state, "corrupt") > 0)
		assert_int_equal(unlink(only_file(state, "corrupt", path)), 0);
}

/* Where records start in an image, and where the last ends. */
static size_t
find_records(const struct image *image, size_t *starts, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i + 7 < image->len; i++) {
		if (memcmp(image->bytes + i, "{\"v\":1,", 7) == 0) {
			assert_in_range(n, 0, max - 1);
			starts[n++] = i;
		}
	}
	return n;
}

static void
a_batch_cut_at_any_byte_is_all_or_nothing(void **state)
{
	struct queue_writer *writer = writer_open(state, 4096);
	static struct image image;
	char path[SCRATCH_PATH_SIZE];
	size_t starts[8], whole;
	struct sink sink;

	append(writer, 1, 1);
	append(writer, 2, 4);
	queue_writer_close(&writer);
	image_take(&image, only_file(state, "ready", path));
	assert_int_equal(find_records(&image, starts, 8), 5);
	assert_memory_equal(image.bytes + image.len - 2, "\n\n", 2);
	whole = image.len - 1;
	io_skip_syncs();
	for (size_t len = starts[1]; len <= image.len; len++) {
		image_put(state, &image, "open", len, len % 2 * 500);
		sink_open(&sink, state);
		sink_drain(&sink);
		assert_int_equal(sink.ngot, len < whole ? 1 : 5);
		assert_int_equal(sink_has(&sink, 1), 1);
		assert_int_equal(count_files(state, "corrupt"), 0);
		sink_close(&sink);
	}
}

static void
a_cut_segment_of_a_living_writer_is_waited_for(void **state)
{
	struct queue_writer *writer = writer_open(state, 4096);
	static struct image image;
	char path[SCRATCH_PATH_SIZE];
	size_t starts[8], end;
	struct sink sink;
	int fd;

	append(writer, 1, 1);
	append(writer, 2, 2);
	image_take(&image, only_file(state, "open", path));
	assert_int_equal(find_records(&image, starts, 8), 3);
	for (end = image.len; image.bytes[end - 1] == '\0'; end--)
		continue;
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	/* As a reader on another processor may see an append being made; the
	   last one lacks the line that says "synced". */
	for (size_t at = starts[1]; at < end; at++) {
		static const char zeros[4096];

		assert_int_equal(pwrite(fd, zeros, end - at, (off_t)at),
		    end - at);
		sink_open(&sink, state);
		sink_drain(&sink);
		assert_int_equal(sink.ngot, 1);
		assert_int_equal(pwrite(fd, image.bytes, end, 0), end);
		sink_drain(&sink);
		assert_int_equal(sink.ngot, 3);
		sink_close(&sink);
	}
	close(fd);
	queue_writer_close(&writer);
}

/* Flip each byte in turn: whatever record it is in may be missing, the others
   come, whole. The sink checks that none is invented. */
static void
flip_all(void **state, const char *dir)
{
	struct queue_writer *writer = writer_open(state, 4096);
	static struct image image;
	char path[SCRATCH_PATH_SIZE];
	size_t starts[8], n;
	struct sink sink;

	append(writer, 1, 1);
	append(writer, 5, 2);
	append(writer, 10, 1);
	queue_writer_close(&writer);
	image_take(&image, only_file(state, "ready", path));
	n = find_records(&image, starts, 8);
	assert_int_equal(n, 4);
	starts[n] = image.len;
	io_skip_syncs();
	for (size_t at = 0; at < image.len; at++) {
		static const unsigned numbers[] = { 1, 5, 6, 10 };

		image.bytes[at] = (char)(image.bytes[at] ^ 1 << at % 8);
		image_put(state, &image, dir, image.len, 0);
		sink_open(&sink, state);
		sink_drain(&sink);
		for (size_t i = 0; i < n; i++) {
			bool inside = at >= starts[i] && at < starts[i + 1];

			assert_in_range(sink_has(&sink, numbers[i]),
			    inside ? 0 : 1, 1);
		}
		assert_in_range(sink.ngot, 3, 4);
		if (sink.ngot == 3 || at + 1 == starts[1])
			assert_int_equal(count_files(state, "corrupt"), 1);
		sink_close(&sink);
		corrupt_clear(state);
		image.bytes[at] = (char)(image.bytes[at] ^ 1 << at % 8);
	}
}

static void
a_flipped_byte_in_a_sealed_segment_costs_one_record(void **state)
{
	flip_all(state, "ready");
}

static void
a_flipped_byte_in_a_dead_writers_segment_costs_one_record(void **state)
{
	flip_all(state, "open");
}

static void
damaged_bytes_are_set_aside_once(void **state)
{
	struct queue_writer *writer = writer_open(state, 4096);
	static struct image image, bad;
	char path[SCRATCH_PATH_SIZE];
	size_t starts[8];
	struct sink sink;

	append(writer, 1, 1);
	append(writer, 2, 1);
	append(writer, 3, 1);
	queue_writer_close(&writer);
	image_take(&image, only_file(state, "ready", path));
	assert_int_equal(find_records(&image, starts, 8), 3);
	memset(image.bytes + starts[1] + 20, 0, 100);
	image_put(state, &image, "ready", image.len, 0);
	for (int run = 0; run < 2; run++) {
		sink_open(&sink, state);
		sink_drain(&sink);
		assert_int_equal(sink.ngot, 2);
		image_take(&bad, only_file(state, "corrupt", path));
		assert_int_equal(bad.len, starts[2] - starts[1]);
		assert_memory_equal(bad.bytes, image.bytes + starts[1],
		    bad.len);
		assert_int_equal(harness_logged(state, " warn "), 1);
		if (run == 1) {
			sink_finish(&sink, 1, QUEUE_DELIVERED);
			sink_finish(&sink, 3, QUEUE_DELIVERED);
			sink_sync(&sink);
		}
		sink_close(&sink);
	}
	assert_int_equal(count_files(state, "ready"), 0);
	assert_int_equal(count_files(state, "corrupt"), 1);
}

static void
a_segment_stays_when_its_damage_cannot_be_set_aside(void **state)
{
	struct queue_writer *writer = writer_open(state, 4096);
	static struct image image;
	char path[SCRATCH_PATH_SIZE];
	struct sink sink;

	append(writer, 1, 1);
	append(writer, 2, 1);
	queue_writer_close(&writer);
	image_take(&image, only_file(state, "ready", path));
	image.bytes[100] = '#';
	image_put(state, &image, "ready", image.len, 0);
	sink_open(&sink, state);
	harness_expect_errors();
	io_fail_at("pwrite", 1, ENOSPC);
	sink_drain(&sink);
	assert_true(io_has_failed());
	io_reset();
	sink_finish(&sink, 2, QUEUE_DELIVERED);
	sink_sync(&sink);
	sink_close(&sink);
	assert_int_equal(count_files(state, "ready"), 1);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 0);
	sink_sync(&sink);
	sink_close(&sink);
	assert_int_equal(count_files(state, "ready"), 0);
	assert_int_equal(count_files(state, "corrupt"), 1);
}

static void
a_record_damaged_after_it_was_read_is_set_aside_by_load(void **state)
{
	struct queue_writer *writer = writer_open(state, 4096);
	struct fault fault = { .code = FAULT_NONE };
	struct strbuf buf = STRBUF_INIT;
	struct queue_record record;
	char path[SCRATCH_PATH_SIZE];
	struct sink sink;
	int fd;

	append(writer, 1, 2);
	queue_writer_close(&writer);
	sink_open(&sink, state);
	sink_drain(&sink);
	fd = open(only_file(state, "ready", path), O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "#", 1, 50), 1);
	close(fd);
	assert_int_equal(queue_reader_load(sink.reader,
	    sink_get(&sink, 1)->pos, &buf, &record, &fault), -1);
	assert_int_equal(fault.code, FAULT_QUEUE);
	assert_int_equal(count_files(state, "corrupt"), 1);
	assert_int_equal(queue_reader_load(sink.reader,
	    sink_get(&sink, 2)->pos, &buf, &record, &fault), 0);
	sink_finish(&sink, 2, QUEUE_DELIVERED);
	sink_sync(&sink);
	assert_int_equal(count_files(state, "ready"), 0);
	strbuf_deinit(&buf);
	sink_close(&sink);
}

static void
a_body_cannot_pose_as_a_record(void **state)
{
	struct queue_writer *writer = writer_open(state, 8192);
	static struct image image;
	struct fault fault = { .code = FAULT_NONE };
	struct queue_record record;
	char path[SCRATCH_PATH_SIZE], body[BODY_MAX], inner[4096];
	size_t starts[8], len;
	struct sink sink;

	/* A whole record of another queue, as data inside a body. */
	append(writer, 1, 1);
	queue_writer_close(&writer);
	image_take(&image, only_file(state, "ready", path));
	unlink(path);
	len = strcspn(image.bytes, "\n");
	snprintf(inner, sizeof(inner), "{\"data\":%.*s}", (int)len,
	    image.bytes);
	writer = writer_open(state, 8192);
	record_make(&record, 2, body);
	record.body = inner;
	record.body_len = strlen(inner);
	assert_int_equal(queue_append(writer, &record, 1, &fault), 0);
	append(writer, 3, 1);
	queue_writer_close(&writer);
	image_take(&image, only_file(state, "ready", path));
	assert_int_equal(find_records(&image, starts, 8), 3);
	image.bytes[starts[0] + 3] = 'w';
	image_put(state, &image, "ready", image.len, 0);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 1);
	assert_int_equal(sink.got[0].n, 3);
	sink_close(&sink);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_batch_cut_at_any_byte_is_all_or_nothing),
		TEST(a_cut_segment_of_a_living_writer_is_waited_for),
		TEST(a_flipped_byte_in_a_sealed_segment_costs_one_record),
		TEST(a_flipped_byte_in_a_dead_writers_segment_costs_one_record),
		TEST(damaged_bytes_are_set_aside_once),
		TEST(a_segment_stays_when_its_damage_cannot_be_set_aside),
		TEST(a_record_damaged_after_it_was_read_is_set_aside_by_load),
		TEST(a_body_cannot_pose_as_a_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
