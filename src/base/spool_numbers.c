/* SPDX-License-Identifier: MIT */
/* The spooler's numbers in one mapped file: one process writes, no locks. */
#include "config.h"

#include "wuts/spool_numbers.h"

#include "wuts/clock.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Another layout gets another name. */
#define FILE_NAME "spool.1"
/* It speaks once a second. */
#define SILENT_US (10 * CLOCK_SECOND_US)

const int64_t spool_numbers_bounds_us[METRICS_BUCKETS - 1] = {
	5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000,
	5000000, 10000000, 30000000, 60000000
};

struct numbers_file {
	_Atomic int64_t beat_us;	/* monotonic */
	_Atomic uint64_t attempts[SPOOL_ATTEMPT_COUNT];
	_Atomic uint64_t counts[SPOOL_ANSWER_COUNT][METRICS_BUCKETS];
	_Atomic uint64_t sums_us[SPOOL_ANSWER_COUNT];
	_Atomic uint64_t restarts;
	_Atomic int64_t gauges[SPOOL_GAUGE_COUNT];
};

struct spool_numbers {
	struct numbers_file *file;
	int fd;			/* its lock says that we live */
};

static int
open_file(const char *run_dir, int flags)
{
	struct strbuf path = STRBUF_INIT;
	int fd;

	strbuf_printf(&path, "%s/" FILE_NAME, run_dir);
	fd = open(path.data, flags | O_CLOEXEC | O_NOFOLLOW, 0660);
	strbuf_deinit(&path);
	return fd;
}

struct spool_numbers *
spool_numbers_open(const char *run_dir)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct spool_numbers *numbers;
	void *map = MAP_FAILED;
	int fd, error;

	fd = open_file(run_dir, O_RDWR | O_CREAT);
	error = fd < 0 ? errno : posix_fallocate(fd, 0,
	    sizeof(struct numbers_file));
	if (error == 0) {
		map = mmap(NULL, sizeof(struct numbers_file),
		    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		error = errno;
	}
	if (map == MAP_FAILED) {
		log_warn("%s/" FILE_NAME ": %s: /metrics will say that "
		    "wuts-spool is down", run_dir, strerror(error));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0)
		log_warn("%s/" FILE_NAME ": lock: %s", run_dir,
		    strerror(errno));
	numbers = mem_calloc(1, sizeof(*numbers));
	numbers->file = map;
	numbers->fd = fd;
	for (int i = 0; i < SPOOL_GAUGE_COUNT; i++)
		numbers->file->gauges[i] = 0;
	return numbers;
}

void
spool_numbers_close(struct spool_numbers **numbersp)
{
	if (*numbersp == NULL)
		return;
	munmap((*numbersp)->file, sizeof(struct numbers_file));
	close((*numbersp)->fd);
	free(*numbersp);
	*numbersp = NULL;
}

static void
add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

void
spool_numbers_count(struct spool_numbers *numbers, enum spool_attempt attempt)
{
	if (numbers != NULL)
		add(&numbers->file->attempts[attempt], 1);
}

static enum spool_answer
answer_of(long status)
{
	if (status >= 200 && status < 300)
		return SPOOL_ANSWER_2XX;
	if (status >= 300 && status < 400)
		return SPOOL_ANSWER_3XX;
	if (status >= 400 && status < 500)
		return SPOOL_ANSWER_4XX;
	return status >= 500 ? SPOOL_ANSWER_5XX : SPOOL_ANSWER_NONE;
}

void
spool_numbers_observe(struct spool_numbers *numbers, long status,
    int64_t duration_us)
{
	enum spool_answer answer = answer_of(status);
	size_t i = 0;

	if (numbers == NULL)
		return;
	while (i < METRICS_BUCKETS - 1 &&
	    duration_us > spool_numbers_bounds_us[i])
		i++;
	add(&numbers->file->counts[answer][i], 1);
	add(&numbers->file->sums_us[answer],
	    duration_us > 0 ? (uint64_t)duration_us : 0);
}

void
spool_numbers_count_restart(struct spool_numbers *numbers)
{
	if (numbers != NULL)
		add(&numbers->file->restarts, 1);
}

void
spool_numbers_set(struct spool_numbers *numbers, enum spool_gauge gauge,
    int64_t value)
{
	if (numbers != NULL)
		numbers->file->gauges[gauge] = value;
}

void
spool_numbers_beat(struct spool_numbers *numbers)
{
	if (numbers != NULL)
		numbers->file->beat_us = clock_mono_us();
}

static void
take(const struct numbers_file *file, struct spool_report *report_r)
{
	int64_t silent_us = clock_mono_us() - file->beat_us;

	/* The clock begins anew with the machine, and the file may not. */
	report_r->is_up = report_r->is_up && silent_us >= 0 &&
	    silent_us < SILENT_US;
	for (int i = 0; i < SPOOL_ATTEMPT_COUNT; i++)
		report_r->attempts[i] = file->attempts[i];
	for (int i = 0; i < SPOOL_ANSWER_COUNT; i++) {
		for (int j = 0; j < METRICS_BUCKETS; j++)
			report_r->seconds[i].counts[j] = file->counts[i][j];
		report_r->seconds[i].sum_us = file->sums_us[i];
	}
	report_r->restarts = file->restarts;
	for (int i = 0; i < SPOOL_GAUGE_COUNT; i++)
		report_r->gauges[i] = file->gauges[i];
}

void
spool_numbers_read(const char *run_dir, struct spool_report *report_r)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct numbers_file *file;
	struct stat st;
	int fd;

	*report_r = (struct spool_report) { .is_up = false };
	fd = open_file(run_dir, O_RDONLY);
	if (fd < 0)
		return;
	if (fstat(fd, &st) < 0 || st.st_size < (off_t)sizeof(*file)) {
		close(fd);	/* being made */
		return;
	}
	report_r->is_up = fcntl(fd, F_OFD_GETLK, &lock) == 0 &&
	    lock.l_type != F_UNLCK;
	file = mmap(NULL, sizeof(*file), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (file == MAP_FAILED) {
		report_r->is_up = false;
		return;
	}
	take(file, report_r);
	munmap(file, sizeof(*file));
}
