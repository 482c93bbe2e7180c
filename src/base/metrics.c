/* SPDX-License-Identifier: MIT */
/* The counters of wutsd in one mapped file. Its name carries a hash of the
   routes, so its layout is always the one that its name says, and a release
   with other routes makes another. A worker's place is held by a lock on one
   byte of the file, which ends with the process. */
#include "config.h"

#include "wuts/metrics.h"

#include "base_private.h"

#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/strbuf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NAME_PREFIX "metrics."
#define NAME_SIZE (sizeof(NAME_PREFIX) + 16)
#define WORKERS_MAX 2048
/* Another layout of the structures below gets another number. */
#define LAYOUT 1
/* Where a worker's byte is: beyond anything that is mapped. */
#define LOCKS_AT (INT64_C(1) << 40)

static const unsigned short statuses[] = {
	200, 201, 202, 204, 206, 304, 400, 401, 403, 404, 405, 406, 408, 409,
	410, 411, 412, 413, 414, 415, 420, 422, 429, 431, 500, 501, 502, 503,
	504
};
#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))
_Static_assert(STATUSES < METRICS_STATUS_MAX, "room for the others");

const int64_t metrics_bounds_us[METRICS_BUCKETS - 1] = {
	500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
	1000000, 2500000, 10000000
};

static const char *const class_names[METRICS_CLASS_COUNT] = {
	[METRICS_READ] = "read",
	[METRICS_WRITE] = "write",
	[METRICS_INGEST] = "ingest",
	[METRICS_RELAY] = "relay",
	[METRICS_OPS] = "ops",
	[METRICS_NO_ROUTE] = "none"
};

struct cell {
	_Atomic uint64_t count;
	_Atomic uint64_t sum_us;
};

struct histogram {
	_Atomic uint64_t counts[METRICS_BUCKETS];
	_Atomic uint64_t sum_us;
};

enum place_state {
	PLACE_FREE,
	PLACE_IDLE,
	PLACE_BUSY
};

struct counters {
	struct histogram requests[METRICS_CLASS_COUNT];
	struct histogram statements;
	_Atomic uint64_t failed_statements;
	_Atomic uint64_t workers[METRICS_WORKER_COUNT];
	_Atomic unsigned places_used;	/* where a search ends */
	_Atomic unsigned char places[WORKERS_MAX];
	struct cell routes[][STATUSES + 1];
};

struct metrics {
	struct counters *counters;
	size_t size;
	int fd;				/* -1: nobody shares it */
	unsigned place;			/* of this worker */
	bool is_worker;
	char name[NAME_SIZE];
	const struct metrics_route *routes;
	size_t nroutes;
};

const char *
metrics_class_name(enum metrics_class class)
{
	return class_names[class];
}

static uint64_t
layout_hash(const struct metrics_route *routes, size_t nroutes)
{
	struct strbuf text = STRBUF_INIT;
	uint64_t hash;

	strbuf_printf(&text, "%d %zu %zu", LAYOUT, STATUSES,
	    sizeof(struct counters));
	for (size_t i = 0; i < nroutes; i++)
		strbuf_printf(&text, "\n%s %s %s %d", routes[i].dialect,
		    routes[i].method, routes[i].pattern, routes[i].class);
	hash = hash_bytes(text.data, text.len);
	strbuf_deinit(&text);
	return hash;
}

/* All of its blocks are taken now: a mapped file that finds the disk full later
   ends the process. Two that make it at once do the same. */
static void *
map_file(struct metrics *metrics, const char *run_dir)
{
	struct strbuf path = STRBUF_INIT;
	void *map = MAP_FAILED;
	int error = 0;

	strbuf_printf(&path, "%s/%s", run_dir, metrics->name);
	metrics->fd = open(path.data,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
	if (metrics->fd < 0)
		error = errno;
	else
		error = posix_fallocate(metrics->fd, 0,
		    (off_t)metrics->size);
	if (error == 0) {
		map = mmap(NULL, metrics->size, PROT_READ | PROT_WRITE,
		    MAP_SHARED, metrics->fd, 0);
		error = errno;
	}
	if (map == MAP_FAILED)
		log_warn("%s: %s: this process counts for itself", path.data,
		    strerror(error));
	strbuf_deinit(&path);
	return map;
}

struct metrics *
metrics_open(const char *run_dir, const struct metrics_route *routes,
    size_t nroutes)
{
	struct metrics *metrics = mem_calloc(1, sizeof(*metrics));
	void *map;

	metrics->routes = routes;
	metrics->nroutes = nroutes;
	metrics->size = sizeof(struct counters) +
	    nroutes * sizeof(metrics->counters->routes[0]);
	snprintf(metrics->name, sizeof(metrics->name), NAME_PREFIX "%016"
	    PRIx64, layout_hash(routes, nroutes));
	map = map_file(metrics, run_dir);
	if (map == MAP_FAILED) {
		if (metrics->fd >= 0)
			close(metrics->fd);
		metrics->fd = -1;
		map = mmap(NULL, metrics->size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (map == MAP_FAILED)
			log_fatal("no memory for counters");
	}
	metrics->counters = map;
	return metrics;
}

void
metrics_close(struct metrics **metricsp)
{
	struct metrics *metrics = *metricsp;

	*metricsp = NULL;
	if (metrics == NULL)
		return;
	if (metrics->is_worker)
		atomic_store(&metrics->counters->places[metrics->place],
		    PLACE_FREE);
	munmap(metrics->counters, metrics->size);
	if (metrics->fd >= 0)
		close(metrics->fd);
	free(metrics);
}

void
metrics_remove_others(const struct metrics *metrics, const char *run_dir)
{
	const struct dirent *entry;
	DIR *dir = opendir(run_dir);

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (strncmp(entry->d_name, NAME_PREFIX,
		    sizeof(NAME_PREFIX) - 1) == 0 &&
		    strlen(entry->d_name) == NAME_SIZE - 1 &&
		    strcmp(entry->d_name, metrics->name) != 0)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
}

/* --- counting --- */

static void
add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint64_t
get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void
observe(struct histogram *histogram, uint64_t duration_us)
{
	size_t i = 0;

	while (i < METRICS_BUCKETS - 1 &&
	    duration_us > (uint64_t)metrics_bounds_us[i])
		i++;
	add(&histogram->counts[i], 1);
	add(&histogram->sum_us, duration_us);
}

static size_t
status_column(unsigned status)
{
	size_t i = 0;

	while (i < STATUSES && statuses[i] != status)
		i++;
	return i;
}

void
metrics_count_request(struct metrics *metrics, size_t route, unsigned status,
    int64_t duration_us)
{
	uint64_t us = duration_us > 0 ? (uint64_t)duration_us : 0;
	struct cell *cell;

	if (metrics == NULL)
		return;
	wuts_assert(route < metrics->nroutes);
	cell = &metrics->counters->routes[route][status_column(status)];
	add(&cell->count, 1);
	add(&cell->sum_us, us);
	observe(&metrics->counters->requests[metrics->routes[route].class],
	    us);
}

void
metrics_count_statement(struct metrics *metrics, int64_t duration_us,
    bool failed)
{
	if (metrics == NULL)
		return;
	observe(&metrics->counters->statements,
	    duration_us > 0 ? (uint64_t)duration_us : 0);
	if (failed)
		add(&metrics->counters->failed_statements, 1);
}

void
metrics_count_worker(struct metrics *metrics, enum metrics_worker what)
{
	if (metrics != NULL)
		add(&metrics->counters->workers[what], 1);
}

/* --- the workers' places --- */

static struct flock
byte_of(unsigned place, short type)
{
	return (struct flock) { .l_type = type, .l_whence = SEEK_SET,
	    .l_start = (off_t)(LOCKS_AT + place), .l_len = 1 };
}

/* Does another process hold it? */
static bool
is_held(const struct metrics *metrics, unsigned place)
{
	struct flock lock = byte_of(place, F_WRLCK);

	return fcntl(metrics->fd, F_OFD_GETLK, &lock) == 0 &&
	    lock.l_type != F_UNLCK;
}

static void
take_place(struct metrics *metrics, unsigned place)
{
	struct counters *counters = metrics->counters;
	unsigned used = atomic_load(&counters->places_used);

	while (used <= place && !atomic_compare_exchange_weak(
	    &counters->places_used, &used, place + 1))
		;
	atomic_store(&counters->places[place], PLACE_IDLE);
	metrics->place = place;
	metrics->is_worker = true;
}

void
metrics_worker_begin(struct metrics *metrics)
{
	if (metrics == NULL)
		return;
	for (unsigned i = 0; i < WORKERS_MAX; i++) {
		struct flock lock = byte_of(i, F_WRLCK);

		if (metrics->fd >= 0 &&
		    fcntl(metrics->fd, F_OFD_SETLK, &lock) < 0)
			continue;
		take_place(metrics, i);
		return;
	}
}

void
metrics_worker_busy(struct metrics *metrics, bool is_busy)
{
	if (metrics != NULL && metrics->is_worker)
		atomic_store_explicit(
		    &metrics->counters->places[metrics->place],
		    is_busy ? PLACE_BUSY : PLACE_IDLE, memory_order_relaxed);
}

void
metrics_workers(const struct metrics *metrics, unsigned *busy_r,
    unsigned *idle_r)
{
	unsigned used, state;

	*busy_r = *idle_r = 0;
	if (metrics == NULL)
		return;
	used = atomic_load(&metrics->counters->places_used);
	for (unsigned i = 0; i < used; i++) {
		state = atomic_load(&metrics->counters->places[i]);
		if (state == PLACE_FREE ||
		    (!(metrics->is_worker && i == metrics->place) &&
		    !is_held(metrics, i)))
			continue;
		*(state == PLACE_BUSY ? busy_r : idle_r) += 1;
	}
}

/* --- reading --- */

size_t
metrics_routes(const struct metrics *metrics,
    const struct metrics_route **routes_r)
{
	*routes_r = metrics == NULL ? NULL : metrics->routes;
	return metrics == NULL ? 0 : metrics->nroutes;
}

size_t
metrics_route_counts(const struct metrics *metrics, size_t route,
    struct metrics_count counts_r[METRICS_STATUS_MAX])
{
	size_t n = 0;

	if (metrics == NULL || route >= metrics->nroutes)
		return 0;
	for (size_t i = 0; i <= STATUSES; i++) {
		const struct cell *cell = &metrics->counters->routes[route][i];
		uint64_t count = get(&cell->count);

		if (count == 0)
			continue;
		counts_r[n++] = (struct metrics_count) {
			.status = i < STATUSES ? statuses[i] : 0,
			.count = count,
			.sum_us = get(&cell->sum_us)
		};
	}
	return n;
}

static void
read_histogram(const struct histogram *from,
    struct metrics_histogram *histogram_r)
{
	for (size_t i = 0; i < METRICS_BUCKETS; i++)
		histogram_r->counts[i] = get(&from->counts[i]);
	histogram_r->sum_us = get(&from->sum_us);
}

void
metrics_request_histogram(const struct metrics *metrics,
    enum metrics_class class, struct metrics_histogram *histogram_r)
{
	*histogram_r = (struct metrics_histogram) { .sum_us = 0 };
	if (metrics != NULL)
		read_histogram(&metrics->counters->requests[class],
		    histogram_r);
}

uint64_t
metrics_statement_histogram(const struct metrics *metrics,
    struct metrics_histogram *histogram_r)
{
	*histogram_r = (struct metrics_histogram) { .sum_us = 0 };
	if (metrics == NULL)
		return 0;
	read_histogram(&metrics->counters->statements, histogram_r);
	return get(&metrics->counters->failed_statements);
}

uint64_t
metrics_worker_count(const struct metrics *metrics, enum metrics_worker what)
{
	return metrics == NULL ? 0 : get(&metrics->counters->workers[what]);
}
