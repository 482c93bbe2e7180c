/* SPDX-License-Identifier: MIT */
/* What damage does: a batch cut anywhere is all or nothing, a flipped byte
   costs the record it is in and no other, nothing is invented, what is damaged
   is set aside. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/queue.h"
#include "wuts/strbuf.h"

#include "../../../src/queue/queue_private.h"

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

/* Put it there as a segment that nobody has looked at yet. name NULL: its
   own. Behind it pad zeros. */
static void
image_put(void *const *state, const struct image *image, const char *dir,
    const char *name, size_t len, size_t pad)
{
	static const char zeros[4096];
	char file[SCRATCH_PATH_SIZE + 16], path[SCRATCH_PATH_SIZE];
	int fd;

	snprintf(file, sizeof(file), "%s/%s", dir,
	    name != NULL ? name : image->name);
	fd = open(queue_path(state, file, path),
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, image->bytes, len), len);
	assert_int_equal(write(fd, zeros, pad), pad);
	close(fd);
}

/* The name of segment number n, sorting by n. */
static char *
case_name(size_t n, const char *suffix, char buf[32])
{
	snprintf(buf, 32, "%08zx-00000001%s", n, suffix);
	return buf;
}

/* How many records came from segment number n; has: this one among them. */
static unsigned
came_from(const struct sink *sink, size_t n, unsigned number, bool *has)
{
	unsigned count = 0;

	*has = false;
	for (size_t i = 0; i < sink->ngot; i++) {
		if (sink->got[i].pos.segment != n)
			continue;
		*has |= sink->got[i].n == number;
		count++;
	}
	return count;
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
	char path[SCRATCH_PATH_SIZE], name[32];
	size_t starts[8], whole, cases = 0;
	struct sink sink;
	bool has;

	append(writer, 1, 1);
	append(writer, 2, 4);
	queue_writer_close(&writer);
	image_take(&image, only_file(state, "ready", path));
	unlink(path);
	assert_int_equal(find_records(&image, starts, 8), 5);
	assert_memory_equal(image.bytes + image.len - 2, "\n\n", 2);
	whole = image.len - 1;
	io_skip_syncs();
	for (size_t len = starts[1]; len <= image.len; len++)
		image_put(state, &image, "open",
		    case_name(cases++, ".seg", name), len, len % 2 * 500);
	sink_open(&sink, state);
	sink_drain(&sink);
	for (size_t i = 0; i < cases; i++) {
		assert_int_equal(came_from(&sink, i, 1, &has),
		    starts[1] + i < whole ? 1 : 5);
		assert_true(has);
	}
	assert_int_equal(count_files(state, "corrupt"), 0);
	assert_int_equal(count_files(state, "ready"), cases);
	sink_close(&sink);
}

static void
a_living_writers_append_counts_when_it_is_synced(void **state)
{
	struct queue_writer *writer = writer_open(state, 4096);
	static const char zeros[4096];
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
	assert_int_equal(pwrite(fd, zeros, end - starts[1],
	    (off_t)starts[1]), end - starts[1]);
	/* As a reader on another processor may see an append being made; the
	   last byte is the line that says "synced". */
	sink_open(&sink, state);
	for (size_t at = starts[1]; at < end; at++) {
		sink_drain(&sink);
		assert_int_equal(sink.ngot, 1);
		assert_int_equal(pwrite(fd, image.bytes + at, 1, (off_t)at),
		    1);
	}
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 3);
	close(fd);
	queue_writer_close(&writer);
	sink_close(&sink);
}

/* Records of an append as they may stand in a file; more says what each
   claims. Returns its length. */
static size_t
batch_format(char *out, unsigned from, const unsigned *more, size_t n)
{
	struct queue_record record;
	char body[BODY_MAX];
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		record_make(&record, from + (unsigned)i, body);
		len += queue_record_format(out + len, &record, false, more[i]);
	}
	out[len++] = '\n';
	return len;
}

static void
an_append_whose_records_do_not_count_down_does_not_count(void **state)
{
	static const unsigned wrong[][3] = {
		{ 2, 0, 0 }, { 2, 2, 0 }, { 1, 1, 0 }, { 2, 1, 1 },
	};
	static const unsigned right[] = { 2, 1, 0 };
	static struct image image;
	char path[SCRATCH_PATH_SIZE], name[32];
	struct queue_writer *writer;
	struct sink sink;
	int fds[4];

	/* Its writer lives and may write it right yet. */
	writer = writer_open(state, 0);
	queue_writer_close(&writer);
	for (size_t i = 0; i < 4; i++) {
		image.len = batch_format(image.bytes, 1, wrong[i], 3);
		image_put(state, &image, "open", case_name(i, ".seg", name),
		    image.len, 100);
		snprintf(path, sizeof(path), "%s/queue/open/%s",
		    (const char *)*state, name);
		fds[i] = open(path, O_RDWR | O_CLOEXEC);
		assert_true(fds[i] >= 0);
		assert_int_equal(queue_lock(fds[i]), 0);
	}
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 0);
	image.len = batch_format(image.bytes, 1, right, 3);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pwrite(fds[i], image.bytes, image.len, 0),
		    image.len);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 12);
	sink_close(&sink);
	for (size_t i = 0; i < 4; i++)
		close(fds[i]);
}

/* Flip each byte in turn, each in a segment of its own: the record it is in
   may be missing, the others come, whole. The sink checks that none is
   invented. */
static void
flip_all(void **state, const char *dir)
{
	static const unsigned numbers[] = { 1, 5, 6, 10 };
	struct queue_writer *writer = writer_open(state, 4096);
	static struct image image;
	char path[SCRATCH_PATH_SIZE], name[32];
	size_t starts[8], n;
	unsigned bad = 0;
	struct sink sink;

	append(writer, 1, 1);
	append(writer, 5, 2);
	append(writer, 10, 1);
	queue_writer_close(&writer);
	image_take(&image, only_file(state, "ready", path));
	unlink(path);
	n = find_records(&image, starts, 8);
	assert_int_equal(n, 4);
	starts[n] = image.len;
	io_skip_syncs();
	for (size_t at = 0; at < image.len; at++) {
		char was = image.bytes[at];

		image.bytes[at] = (char)(was ^ 1 << at % 8);
		image_put(state, &image, dir, case_name(at, ".seg", name),
		    image.len, 0);
		image.bytes[at] = was;
	}
	sink_open(&sink, state);
	sink_drain(&sink);
	for (size_t at = 0; at < image.len; at++) {
		for (size_t i = 0; i < n; i++) {
			bool inside = at >= starts[i] && at < starts[i + 1];
			unsigned count;
			bool has;

			count = came_from(&sink, at, numbers[i], &has);
			assert_true(has || inside);
			assert_in_range(count, 3, 4);
			bad += inside && !has;
		}
	}
	/* Not missing are those of which an empty line was hit. */
	assert_in_range(bad, image.len - 6, image.len);
	assert_in_range(count_files(state, "corrupt"), bad, image.len);
	sink_close(&sink);
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
a_damaged_last_append_is_no_torn_one(void **state)
{
	struct queue_writer *writer = writer_open(state, 4096);
	static struct image image;
	char path[SCRATCH_PATH_SIZE];
	struct sink sink;
	char *length;

	append(writer, 1, 1);
	append(writer, 2, 3);
	queue_writer_close(&writer);
	image_take(&image, only_file(state, "ready", path));
	unlink(path);
	/* The last record seems to go on behind the end; but the append was
	   answered for, as its empty line says. */
	length = memmem(image.bytes, image.len, "\"more\":0,\"length\":", 18);
	assert_non_null(length);
	length = memmem(length + 18, (size_t)(image.bytes +
	    image.len - length - 18), "\"more\":0,\"length\":", 18);
	assert_non_null(length);
	length[18] = '9';
	image_put(state, &image, "open", NULL, image.len, 1000);
	sink_open(&sink, state);
	sink_drain(&sink);
	assert_int_equal(sink.ngot, 3);
	assert_int_equal(sink_has(&sink, 4), 0);
	assert_int_equal(count_files(state, "corrupt"), 1);
	sink_close(&sink);
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
	image_put(state, &image, "ready", NULL, image.len, 0);
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
	image_put(state, &image, "ready", NULL, image.len, 0);
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
	image_put(state, &image, "ready", NULL, image.len, 0);
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
		TEST(a_living_writers_append_counts_when_it_is_synced),
		TEST(an_append_whose_records_do_not_count_down_does_not_count),
		TEST(a_flipped_byte_in_a_sealed_segment_costs_one_record),
		TEST(a_flipped_byte_in_a_dead_writers_segment_costs_one_record),
		TEST(a_damaged_last_append_is_no_torn_one),
		TEST(damaged_bytes_are_set_aside_once),
		TEST(a_segment_stays_when_its_damage_cannot_be_set_aside),
		TEST(a_record_damaged_after_it_was_read_is_set_aside_by_load),
		TEST(a_body_cannot_pose_as_a_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
