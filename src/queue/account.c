/* SPDX-License-Identifier: MIT */
/* The accounts: every record that was ever accepted is delivered, dead, dropped
   or still waits, as the files have it and not as somebody remembers to have
   counted. The reader knows of each segment how many of its records came to
   which end, from its outcome log; when a segment goes, its numbers are retired
   into one mapped file. What is to be retired is written there first, together
   with the name that decides whether it was: so a kill between any two steps
   leaves the sums exact. Only a power cut may leave them behind the files.

   Beside them stands what the writers count when they answer: once all has
   been read, the files must hold at least that. Nobody but the reader writes
   here. */
#include "config.h"

#include "reader_private.h"

#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/log.h"
#include "wuts/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Another layout gets another name. */
#define FILE_NAME "accounts.1"
/* How long nothing may have come in, for the writers' count to be mended. */
#define QUIET_US CLOCK_SECOND_US
/* How long events must be missing: those of a segment that its writer had to
   let go of come to light when it is adopted. */
#define MISSING_US (5 * CLOCK_SECOND_US)

struct account_file {
	_Atomic uint64_t sequence;	/* odd: published is being written */
	_Atomic uint64_t published[QUEUE_TERM_COUNT];
	_Atomic uint64_t missing;
	_Atomic uint64_t mended;
	_Atomic int64_t checked_us;	/* wall; 0: never */

	_Atomic uint64_t retired[QUEUE_TERM_COUNT];
	/* To become retired, when the segment is there (or is not). */
	_Atomic uint64_t next[QUEUE_TERM_COUNT];
	_Atomic unsigned char intent;	/* enum queue_retire, 0: none */
	char intent_name[QUEUE_NAME_MAX];
	_Atomic bool is_current;	/* published by the present reader */
	_Atomic bool is_based;		/* goes on from what was counted
					   before there were accounts */
};

struct queue_accounts {
	struct account_file *file;
	uint64_t quiet_accepted;	/* the two counts, since quiet_us */
	uint64_t quiet_counted;
	int64_t quiet_us;		/* monotonic; 0: they move */
	int64_t missing_us;		/* since when; 0: none */
	uint64_t said_missing;
};

int
queue_accounts_open(struct queue_accounts **accounts_r, int root_fd,
    struct fault *fault)
{
	struct queue_accounts *accounts;
	struct stat st;
	void *map;
	int fd, error = 0;

	fd = openat(root_fd, FILE_NAME,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		error = errno;
	else if (st.st_size < (off_t)sizeof(struct account_file))
		error = posix_fallocate(fd, 0, sizeof(struct account_file));
	map = error != 0 ? MAP_FAILED : mmap(NULL,
	    sizeof(struct account_file), PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	if (error != 0)
		errno = error;
	if (map == MAP_FAILED)
		fault_errno(fault, FAULT_QUEUE, "map " FILE_NAME);
	if (fd >= 0)
		close(fd);
	if (map == MAP_FAILED)
		return -1;
	accounts = mem_calloc(1, sizeof(*accounts));
	accounts->file = map;
	accounts->file->is_current = false;
	*accounts_r = accounts;
	return 0;
}

void
queue_accounts_close(struct queue_accounts **accountsp)
{
	if (*accountsp == NULL)
		return;
	munmap((*accountsp)->file, sizeof(struct account_file));
	free(*accountsp);
	*accountsp = NULL;
}

/* --- retiring --- */

void
queue_accounts_retire(struct queue_accounts *accounts,
    enum queue_retire retire, const char *name,
    const struct queue_account *account)
{
	struct account_file *file = accounts->file;

	for (size_t i = 0; i < QUEUE_TERM_COUNT; i++)
		file->next[i] = file->retired[i] + account->terms[i];
	memset(file->intent_name, 0, sizeof(file->intent_name));
	strcpy(file->intent_name, name);
	file->intent = (unsigned char)retire;
}

void
queue_accounts_retired(struct queue_accounts *accounts, bool was_done)
{
	struct account_file *file = accounts->file;

	for (size_t i = 0; was_done && i < QUEUE_TERM_COUNT; i++)
		file->retired[i] = file->next[i];
	file->intent = QUEUE_RETIRE_NONE;
}

void
queue_accounts_recover(struct queue_accounts *accounts,
    const struct queue_dirs *dirs)
{
	struct account_file *file = accounts->file;
	char name[QUEUE_NAME_MAX];
	struct stat st;
	bool is_there;

	if (file->intent == QUEUE_RETIRE_NONE)
		return;
	memcpy(name, file->intent_name, sizeof(name));
	name[sizeof(name) - 1] = '\0';
	is_there = fstatat(dirs->ready, name, &st, 0) == 0 ||
	    fstatat(dirs->open, name, &st, 0) == 0;
	queue_accounts_retired(accounts,
	    is_there == (file->intent == QUEUE_RETIRE_REWRITTEN));
}

void
queue_accounts_damage(struct queue_accounts *accounts,
    struct queue_segment *seg)
{
	if (seg->account.terms[QUEUE_TERM_ACCEPTED] == 0)
		return;
	seg->account.terms[QUEUE_TERM_ACCEPTED]--;
	accounts->file->retired[QUEUE_TERM_ACCEPTED]++;
	accounts->file->retired[QUEUE_TERM_DAMAGED]++;
}

/* --- publishing --- */

static uint64_t
ended(const _Atomic uint64_t terms[QUEUE_TERM_COUNT])
{
	return terms[QUEUE_TERM_DELIVERED] + terms[QUEUE_TERM_DEAD] +
	    terms[QUEUE_TERM_DROPPED] + terms[QUEUE_TERM_DAMAGED];
}

/* Before there were accounts only ends were counted that can be trusted: what
   had come to one was accepted. */
static void
base(struct account_file *file, struct queue_tally *tally,
    const struct queue_account *here)
{
	static const struct {
		enum queue_term term;
		enum queue_total total;
	} ends[] = {
		{ QUEUE_TERM_DELIVERED, QUEUE_TOTAL_DELIVERED },
		{ QUEUE_TERM_DEAD, QUEUE_TOTAL_DEAD },
		{ QUEUE_TERM_DROPPED, QUEUE_TOTAL_DROPPED },
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		uint64_t before = queue_tally_total(tally, ends[i].total);
		uint64_t now = here->terms[ends[i].term];

		if (before > now && before - now > file->retired[ends[i].term])
			file->retired[ends[i].term] = before - now;
	}
	file->retired[QUEUE_TERM_ACCEPTED] = ended(file->retired);
	/* The writers' count goes on from there, too. */
	queue_tally_put_total(tally, QUEUE_TOTAL_ACCEPTED,
	    file->retired[QUEUE_TERM_ACCEPTED] +
	    here->terms[QUEUE_TERM_ACCEPTED]);
	file->is_based = true;
}

static uint64_t
missing_for_long(struct queue_accounts *accounts, uint64_t missing,
    int64_t now_us)
{
	if (missing == 0)
		accounts->missing_us = 0;
	else if (accounts->missing_us == 0)
		accounts->missing_us = now_us;
	if (missing > 0 && now_us - accounts->missing_us < MISSING_US)
		missing = 0;
	if (missing > accounts->said_missing)
		log_error("queue: %" PRIu64 " accepted events are in no file",
		    missing);
	accounts->said_missing = missing;
	return missing;
}

/* What the files hold, against what the writers counted before that was read. A
   writer counts before it lets anybody see: so what is seen and not counted is
   of one that was killed between its sync and its count, or of a claim. It is
   made good when a second long neither count has moved: until then the counts
   may be of different moments. */
static void
check(struct queue_accounts *accounts, struct queue_tally *tally,
    uint64_t accepted, uint64_t counted)
{
	struct account_file *file = accounts->file;
	int64_t now_us = clock_mono_us();

	file->missing = missing_for_long(accounts, counted > accepted ?
	    counted - accepted : 0, now_us);
	file->checked_us = clock_wall_us();
	if (accepted != accounts->quiet_accepted ||
	    counted != accounts->quiet_counted || accounts->quiet_us == 0) {
		accounts->quiet_accepted = accepted;
		accounts->quiet_counted = counted;
		accounts->quiet_us = now_us;
	}
	if (accepted <= counted || now_us - accounts->quiet_us < QUIET_US)
		return;
	queue_tally_count(tally, QUEUE_TOTAL_ACCEPTED, accepted - counted);
	file->mended += accepted - counted;
	accounts->quiet_us = 0;
}

void
queue_accounts_publish(struct queue_accounts *accounts,
    struct queue_tally *tally, const struct queue_account *here,
    uint64_t counted)
{
	struct account_file *file = accounts->file;
	uint64_t sum[QUEUE_TERM_COUNT];

	if (!file->is_based) {
		base(file, tally, here);
		counted = queue_tally_total(tally, QUEUE_TOTAL_ACCEPTED);
	}
	for (size_t i = 0; i < QUEUE_TERM_COUNT; i++)
		sum[i] = file->retired[i] + here->terms[i];
	file->sequence++;
	for (size_t i = 0; i < QUEUE_TERM_COUNT; i++)
		file->published[i] = sum[i];
	file->sequence++;
	file->is_current = true;
	check(accounts, tally, sum[QUEUE_TERM_ACCEPTED], counted);
}

/* --- looking --- */

static void
take_published(const struct account_file *file, struct queue_books *books_r)
{
	for (int tries = 0; tries < 1000; tries++) {
		uint64_t before = file->sequence;

		for (size_t i = 0; i < QUEUE_TERM_COUNT; i++)
			books_r->account.terms[i] = file->published[i];
		if (before % 2 == 0 && before == file->sequence)
			break;
	}
	books_r->waiting = books_r->account.terms[QUEUE_TERM_ACCEPTED];
	for (size_t i = QUEUE_TERM_ACCEPTED + 1; i < QUEUE_TERM_COUNT; i++)
		books_r->waiting -= books_r->account.terms[i];
	for (size_t i = 0; i < QUEUE_TERM_COUNT; i++)
		books_r->retired.terms[i] = file->retired[i];
	books_r->is_current = books_r->is_current && file->is_current;
	books_r->missing = file->missing;
	books_r->mended = file->mended;
	books_r->checked_us = file->checked_us;
}

int
queue_books_read(const char *dir, struct queue_books *books_r,
    struct fault *fault)
{
	struct account_file *file;
	struct queue_dirs dirs;
	struct stat st;
	int fd, error;

	*books_r = (struct queue_books){ .waiting = 0 };
	if (queue_dirs_open(&dirs, dir, false, fault) < 0)
		return -1;
	books_r->is_current = queue_reader_runs(dirs.root);
	fd = openat(dirs.root, FILE_NAME, O_RDONLY | O_CLOEXEC);
	error = errno;
	queue_dirs_close(&dirs);
	if (fd < 0 || fstat(fd, &st) < 0 ||
	    st.st_size < (off_t)sizeof(*file)) {
		/* There is none yet, or it is being made. */
		books_r->is_current = false;
		if (fd >= 0)
			close(fd);
		errno = error;
		return fd >= 0 || error == ENOENT ? 0 : fault_errno(fault,
		    FAULT_QUEUE, "open %s/" FILE_NAME, dir);
	}
	file = mmap(NULL, sizeof(*file), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (file == MAP_FAILED)
		return fault_errno(fault, FAULT_QUEUE, "map %s/" FILE_NAME,
		    dir);
	take_published(file, books_r);
	munmap(file, sizeof(*file));
	return 0;
}
