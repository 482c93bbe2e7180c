/* SPDX-License-Identifier: MIT */
/* Durable appends of a 600-byte event: the limit (a bare pwrite and fdatasync
   into a preallocated file) and ours (queue_append), each writer a process.
       append limit|queue DIR WRITERS BATCH SECONDS
   prints events a second. */
#include "config.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/queue.h"

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENT_LEN 600
#define SEGMENT_BYTES (16 << 20)
#define BATCH_MAX 1000

static char event_body[EVENT_LEN + 1];

static int
limit_open(const char *dir, int writer)
{
	static char zeros[1 << 20];
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/limit-%d", dir, writer);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		err(1, "%s", path);
	for (int i = 0; i < SEGMENT_BYTES; i += (int)sizeof(zeros))
		if (pwrite(fd, zeros, sizeof(zeros), i) < 0)
			err(1, "%s", path);
	if (fsync(fd) < 0)
		err(1, "%s", path);
	unlink(path);
	return fd;
}

static long
limit_run(const char *dir, int writer, int batch, int64_t end_us)
{
	size_t len = (size_t)batch * EVENT_LEN;
	char *bytes = malloc(len);
	int fd = limit_open(dir, writer);
	off_t at = 0;
	long done = 0;

	memset(bytes, 'e', len);
	while (clock_mono_us() < end_us) {
		if (at + (off_t)len > SEGMENT_BYTES)
			at = 0;
		if (pwrite(fd, bytes, len, at) != (ssize_t)len ||
		    fdatasync(fd) < 0)
			err(1, "append");
		at += (off_t)len;
		done += batch;
	}
	free(bytes);
	close(fd);
	return done;
}

static long
queue_run(const char *dir, int batch, int64_t end_us)
{
	struct queue_limits limits = { .segment_bytes = SEGMENT_BYTES };
	static struct queue_record records[BATCH_MAX];
	struct queue_writer *writer;
	struct fault fault = { .code = FAULT_NONE };
	long done = 0;

	if (queue_writer_open(&writer, dir, &limits, &fault) < 0)
		errx(1, "%s", fault.text);
	while (clock_mono_us() < end_us) {
		for (int i = 0; i < batch; i++) {
			uuid_new_ordered(&records[i].id);
			records[i].event = "message.received";
			records[i].created_us = clock_wall_us();
			records[i].body = event_body;
			records[i].body_len = EVENT_LEN;
		}
		if (queue_append(writer, records, (size_t)batch, &fault) < 0)
			errx(1, "%s", fault.text);
		done += batch;
	}
	queue_writer_close(&writer);
	return done;
}

int
main(int argc, char **argv)
{
	int writers, batch, seconds;
	int64_t end_us;
	long *done, total = 0;

	if (argc != 6)
		errx(2, "usage: append limit|queue DIR WRITERS BATCH SECONDS");
	writers = atoi(argv[3]);
	batch = atoi(argv[4]);
	seconds = atoi(argv[5]);
	if (writers < 1 || batch < 1 || batch > BATCH_MAX || seconds < 1)
		errx(2, "writers, batch (1..%d) or seconds out of range",
		    BATCH_MAX);
	memset(event_body, 'e', EVENT_LEN);
	done = mmap(NULL, sizeof(*done) * (size_t)writers,
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (done == MAP_FAILED)
		err(1, "mmap");
	end_us = clock_mono_us() + (int64_t)seconds * CLOCK_SECOND_US;
	for (int i = 0; i < writers; i++) {
		if (fork() == 0) {
			done[i] = strcmp(argv[1], "limit") == 0 ?
			    limit_run(argv[2], i, batch, end_us) :
			    queue_run(argv[2], batch, end_us);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		continue;
	for (int i = 0; i < writers; i++)
		total += done[i];
	printf("%ld\n", total / seconds);
	return 0;
}
