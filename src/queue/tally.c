/* SPDX-License-Identifier: MIT */
/* What waits, in numbers: records and bytes, of all and of each tenant, its
   callbacks apart, in one mapped file that writers and the reader share without
   locks. Writers add what they have appended, the reader subtracts what is
   finished and counts anew when it starts. A process that is killed between a
   step and its count leaves the numbers off by that one step until then: good
   enough for limits, and no statement about any record. */
#include "config.h"

#include "queue_private.h"

#include "wuts/fault.h"
#include "wuts/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Another layout gets another name. */
#define FILE_NAME "tally.1"
#define SLOTS 32768		/* tenants between two starts of the reader */
#define PROBES 64
/* RFC 9562: 10 in every id that we make, so 01 is nobody's. */
#define VARIANT_BITS 0xc0
#define VARIANT_OURS 0x80

struct slot {
	_Atomic uint64_t low;		/* of the account; 0: free */
	_Atomic uint64_t high;
	_Atomic int64_t records;
	_Atomic int64_t bytes;
};

struct tally_file {
	_Atomic int64_t records;
	_Atomic int64_t bytes;
	_Atomic uint64_t totals[QUEUE_TOTAL_COUNT];
	struct slot slots[SLOTS];
};

struct queue_tally {
	struct tally_file *file;
};

/* All of its blocks are taken now: a mapped file that finds the disk full
   later ends the process. */
static int
file_open(int root_fd, int *fd_r, struct fault *fault)
{
	struct stat st;
	int error;

	*fd_r = openat(root_fd, FILE_NAME,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd_r < 0 || fstat(*fd_r, &st) < 0)
		return fault_errno(fault, FAULT_QUEUE, "open " FILE_NAME);
	if (st.st_size >= (off_t)sizeof(struct tally_file))
		return 0;
	error = posix_fallocate(*fd_r, 0, sizeof(struct tally_file));
	if (error == 0)
		return 0;
	errno = error;
	return fault_errno(fault, error == ENOSPC || error == EDQUOT ?
	    FAULT_QUEUE_FULL : FAULT_QUEUE, "allocate " FILE_NAME);
}

int
queue_tally_open(struct queue_tally **tally_r, int root_fd,
    struct fault *fault)
{
	void *map = MAP_FAILED;
	int fd;

	*tally_r = NULL;
	if (file_open(root_fd, &fd, fault) == 0) {
		map = mmap(NULL, sizeof(struct tally_file),
		    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			fault_errno(fault, FAULT_QUEUE, "map " FILE_NAME);
	}
	if (fd >= 0)
		close(fd);
	if (map == MAP_FAILED)
		return -1;
	*tally_r = mem_calloc(1, sizeof(**tally_r));
	(*tally_r)->file = map;
	return 0;
}

void
queue_tally_close(struct queue_tally **tallyp)
{
	if (*tallyp == NULL)
		return;
	munmap((*tallyp)->file, sizeof(struct tally_file));
	free(*tallyp);
	*tallyp = NULL;
}

bool
queue_tally_is_callback(const char *event)
{
	return strncmp(event, QUEUE_CALLBACK_PREFIX,
	    sizeof(QUEUE_CALLBACK_PREFIX) - 1) == 0;
}

/* The tenant's id with other variant bits, which no id of ours has. */
struct uuid
queue_tally_account(const struct queue_record *record)
{
	struct uuid account = record->tenant_id;

	if (queue_tally_is_callback(record->event))
		account.b[8] ^= VARIANT_BITS;
	return account;
}

/* In ids of version 7 the low half is random. */
static void
halves(const struct uuid *account, uint64_t *high_r, uint64_t *low_r)
{
	memcpy(high_r, account->b, sizeof(*high_r));
	memcpy(low_r, account->b + 8, sizeof(*low_r));
	if (*low_r == 0)
		*low_r = 1;
}

/* make: take a free one when it has none. */
static struct slot *
find(const struct queue_tally *tally, const struct uuid *account, bool make)
{
	uint64_t high, low, seen;

	halves(account, &high, &low);
	for (uint64_t i = 0; i < PROBES; i++) {
		struct slot *slot;

		slot = &tally->file->slots[(low + low / SLOTS + i) % SLOTS];
		seen = atomic_load(&slot->low);
		if (seen == low)
			return slot;
		if (seen != 0)
			continue;
		if (!make)
			return NULL;
		if (atomic_compare_exchange_strong(&slot->low, &seen,
		    low)) {
			atomic_store(&slot->high, high);
			return slot;
		}
		if (seen == low)
			return slot;
	}
	return NULL;
}

void
queue_tally_add(struct queue_tally *tally, const struct uuid *account,
    int64_t records, int64_t bytes)
{
	struct slot *slot = find(tally, account, true);

	atomic_fetch_add(&tally->file->records, records);
	atomic_fetch_add(&tally->file->bytes, bytes);
	if (slot == NULL)
		return;		/* more tenants than places: not limited */
	atomic_fetch_add(&slot->records, records);
	atomic_fetch_add(&slot->bytes, bytes);
}

void
queue_tally_count(struct queue_tally *tally, enum queue_total total,
    uint64_t n)
{
	atomic_fetch_add(&tally->file->totals[total], n);
}

uint64_t
queue_tally_total(const struct queue_tally *tally, enum queue_total total)
{
	return atomic_load(&tally->file->totals[total]);
}

void
queue_tally_put_total(struct queue_tally *tally, enum queue_total total,
    uint64_t n)
{
	atomic_store(&tally->file->totals[total], n);
}

void
queue_tally_clear(struct queue_tally *tally)
{
	struct tally_file *file = tally->file;

	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &file->slots[i];

		/* Pages that nobody used stay untouched. */
		if (atomic_load(&slot->low) == 0)
			continue;
		atomic_store(&slot->records, 0);
		atomic_store(&slot->bytes, 0);
		atomic_store(&slot->low, 0);
	}
	atomic_store(&file->records, 0);
	atomic_store(&file->bytes, 0);
}

static uint64_t
positive(int64_t number)
{
	return number > 0 ? (uint64_t)number : 0;
}

static bool
is_over(uint64_t now, uint64_t more, uint64_t max)
{
	return max > 0 && (now >= max || more > max - now);
}

uint64_t
queue_tally_waiting(const struct queue_tally *tally,
    const struct uuid *account)
{
	const struct slot *slot = find(tally, account, false);

	return slot == NULL ? 0 : positive(atomic_load(&slot->records));
}

static const char *
over_of_tenant(const struct queue_tally *tally,
    const struct queue_limits *limits, const struct queue_record *first,
    uint64_t records, uint64_t bytes)
{
	bool callback = queue_tally_is_callback(first->event);
	size_t max = callback ? limits->tenant_max_callbacks :
	    limits->tenant_max_records;
	struct uuid account = queue_tally_account(first);
	const struct slot *slot;

	if (max == 0 && limits->tenant_max_bytes == 0)
		return NULL;
	slot = find(tally, &account, false);
	if (is_over(slot == NULL ? 0 : positive(atomic_load(&slot->records)),
	    records, max))
		return callback ? "tenant_max_callbacks reached" :
		    "tenant_max_records reached";
	if (is_over(slot == NULL ? 0 : positive(atomic_load(&slot->bytes)),
	    bytes, limits->tenant_max_bytes))
		return "tenant_max_bytes reached";
	return NULL;
}

const char *
queue_tally_over(const struct queue_tally *tally,
    const struct queue_limits *limits, const struct queue_record *first,
    uint64_t records, uint64_t bytes)
{
	if (is_over(positive(atomic_load(&tally->file->records)), records,
	    limits->max_records))
		return "max_records reached";
	return first == NULL ? NULL :
	    over_of_tenant(tally, limits, first, records, bytes);
}

/* --- looking --- */

static int
tenant_compare(const void *a, const void *b)
{
	const struct queue_tenant_counts *x = a, *y = b;

	return x->records < y->records ? 1 : x->records > y->records ? -1 :
	    memcmp(x->tenant_id.b, y->tenant_id.b, sizeof(x->tenant_id.b));
}

/* The largest stay, sorted. */
static void
tenants_list(const struct tally_file *file, struct queue_counts *counts)
{
	for (size_t i = 0; i < SLOTS; i++) {
		const struct slot *slot = &file->slots[i];
		struct queue_tenant_counts *place;
		uint64_t low = atomic_load(&slot->low), high;
		uint64_t records = positive(atomic_load(&slot->records));

		if (low == 0 || records == 0)
			continue;
		place = &counts->tenants[QUEUE_COUNTS_TENANTS - 1];
		if (counts->ntenants < QUEUE_COUNTS_TENANTS)
			place = &counts->tenants[counts->ntenants++];
		else if (place->records >= records)
			continue;
		high = atomic_load(&slot->high);
		memcpy(place->tenant_id.b, &high, sizeof(high));
		memcpy(place->tenant_id.b + 8, &low, sizeof(low));
		place->callbacks = (place->tenant_id.b[8] & VARIANT_BITS) ==
		    (VARIANT_OURS ^ VARIANT_BITS);
		if (place->callbacks)
			place->tenant_id.b[8] ^= VARIANT_BITS;
		place->records = records;
		place->bytes = positive(atomic_load(&slot->bytes));
		if (counts->ntenants == QUEUE_COUNTS_TENANTS)
			qsort(counts->tenants, counts->ntenants,
			    sizeof(*place), tenant_compare);
	}
	if (counts->ntenants > 0)
		qsort(counts->tenants, counts->ntenants,
		    sizeof(counts->tenants[0]), tenant_compare);
}

int
queue_counts_read(const char *dir, struct queue_counts *counts_r,
    struct fault *fault)
{
	struct tally_file *file;
	struct queue_dirs dirs;
	struct stat st;
	int fd;

	*counts_r = (struct queue_counts){ .records = 0 };
	if (queue_dirs_open(&dirs, dir, false, fault) < 0)
		return -1;
	fd = openat(dirs.root, FILE_NAME, O_RDONLY | O_CLOEXEC);
	queue_dirs_close(&dirs);
	if (fd < 0)
		return errno == ENOENT ? 0 : fault_errno(fault, FAULT_QUEUE,
		    "open %s/" FILE_NAME, dir);
	if (fstat(fd, &st) < 0 || st.st_size < (off_t)sizeof(*file)) {
		close(fd);	/* being made */
		return 0;
	}
	file = mmap(NULL, sizeof(*file), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (file == MAP_FAILED)
		return fault_errno(fault, FAULT_QUEUE, "map %s/" FILE_NAME,
		    dir);
	counts_r->records = positive(atomic_load(&file->records));
	counts_r->bytes = positive(atomic_load(&file->bytes));
	for (size_t i = 0; i < QUEUE_TOTAL_COUNT; i++)
		counts_r->totals[i] = atomic_load(&file->totals[i]);
	tenants_list(file, counts_r);
	munmap(file, sizeof(*file));
	return 0;
}
