/* SPDX-License-Identifier: MIT */
/* wutsctl queue verify: reads every byte of the queue, checks every checksum,
   and that each record has come to exactly one end: delivered, dead with its
   letter, dropped, discarded, or it waits. */
#include "config.h"

#include "queue_look.h"

#include "wuts/clock.h"
#include "wuts/mem.h"
#include "wuts/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A record that died: it must have a letter, unless that may have expired. */
struct died {
	struct uuid id;
	uint32_t offset;
	char file[80];
};

struct verify {
	const struct ctl *ctl;
	struct progress progress;
	uint64_t counts[QUEUE_STATE_COUNT];
	uint64_t troubles;
	struct died *died;
	size_t ndied, died_cap;
	struct uuid *letters;
	size_t nletters, letters_cap;
	int64_t kept_from_us;	/* letters from then on are there */
	struct queue_books books;	/* before the files were read */
	bool is_still;		/* nothing has moved meanwhile, and the reader
				   has told all */
	struct strbuf out;
	struct json_writer w;
};

static const char *const term_names[QUEUE_TERM_COUNT] = {
	[QUEUE_TERM_ACCEPTED] = "accepted",
	[QUEUE_TERM_DELIVERED] = "delivered",
	[QUEUE_TERM_DEAD] = "dead",
	[QUEUE_TERM_DROPPED] = "dropped",
	[QUEUE_TERM_DAMAGED] = "damaged"
};

static void
report(struct verify *verify, const char *file, uint64_t offset,
    const char *what)
{
	progress_end(&verify->progress);
	verify->troubles++;
	if (!verify->ctl->json) {
		printf("%s, byte %" PRIu64 ": %s\n", file, offset, what);
		return;
	}
	json_write_object_begin(&verify->w);
	json_member_text(&verify->w, "file", file);
	write_number(&verify->w, "offset", offset);
	json_member_text(&verify->w, "what", what);
	json_write_object_end(&verify->w);
}

static void
on_trouble(void *ctx, const char *file, uint64_t offset, const char *what)
{
	report(ctx, file, offset, what);
}

static void
note_died(struct verify *verify, const struct queue_entry *entry)
{
	struct died *died;

	if (verify->ndied == verify->died_cap) {
		verify->died_cap = verify->died_cap * 2 + 64;
		verify->died = mem_realloc(verify->died, verify->died_cap,
		    sizeof(*verify->died));
	}
	died = &verify->died[verify->ndied++];
	died->id = entry->record.id;
	died->offset = entry->offset;
	snprintf(died->file, sizeof(died->file), "%s", entry->file);
}

static void
note_letter(struct verify *verify, const struct uuid *id)
{
	if (verify->nletters == verify->letters_cap) {
		verify->letters_cap = verify->letters_cap * 2 + 64;
		verify->letters = mem_realloc(verify->letters,
		    verify->letters_cap, sizeof(*verify->letters));
	}
	verify->letters[verify->nletters++] = *id;
}

static bool
on_entry(void *ctx, const struct queue_entry *entry)
{
	struct verify *verify = ctx;
	bool is_letter = strncmp(entry->file, "dead/", 5) == 0;

	/* A letter is told of by its record's file as well, while that is
	   there. */
	if (is_letter)
		note_letter(verify, &entry->record.id);
	else if (entry->state == QUEUE_STATE_DIED &&
	    entry->record.created_us >= verify->kept_from_us)
		note_died(verify, entry);
	if (!is_letter || entry->state == QUEUE_STATE_DEAD)
		verify->counts[entry->state]++;
	return true;
}

static void
on_progress(void *ctx, uint64_t done, uint64_t all)
{
	struct verify *verify = ctx;

	progress_tell(&verify->progress, done, all);
}

static int
id_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

static void
check_letters(struct verify *verify)
{
	if (verify->nletters > 0)
		qsort(verify->letters, verify->nletters,
		    sizeof(*verify->letters), id_compare);
	for (size_t i = 0; i < verify->ndied; i++) {
		const struct died *died = &verify->died[i];

		if (verify->nletters == 0 || bsearch(&died->id,
		    verify->letters, verify->nletters,
		    sizeof(*verify->letters), id_compare) == NULL)
			report(verify, died->file, died->offset,
			    "a dead record without its letter");
	}
}

static uint64_t
waiting(const struct verify *verify)
{
	return verify->counts[QUEUE_STATE_WAITING] +
	    verify->counts[QUEUE_STATE_RETRYING];
}

/* Two independent counts: the reader's accounts, and what was just read. */
static void
check_account(struct verify *verify, const char *name, uint64_t told,
    uint64_t found)
{
	char what[128];

	if (told == found)
		return;
	snprintf(what, sizeof(what), "the accounts say %" PRIu64
	    " %s, the files hold %" PRIu64, told, name, found);
	report(verify, "accounts.1", 0, what);
}

static void
check_accounts(struct verify *verify)
{
	const struct queue_books *books = &verify->books;
	const uint64_t *all = books->account.terms;
	const uint64_t *gone = books->retired.terms;

	if (books->missing > 0)
		report(verify, "accounts.1", 0,
		    "accepted events are in no file");
	if (!verify->is_still)
		return;
	check_account(verify, "waiting", books->waiting, waiting(verify));
	check_account(verify, "delivered", all[QUEUE_TERM_DELIVERED] -
	    gone[QUEUE_TERM_DELIVERED], verify->counts[QUEUE_STATE_DELIVERED]);
	check_account(verify, "died", all[QUEUE_TERM_DEAD] -
	    gone[QUEUE_TERM_DEAD], verify->counts[QUEUE_STATE_DIED]);
	check_account(verify, "dropped", all[QUEUE_TERM_DROPPED] -
	    gone[QUEUE_TERM_DROPPED], verify->counts[QUEUE_STATE_DROPPED]);
}

static uint64_t
records(const struct verify *verify)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < QUEUE_STATE_COUNT; i++)
		if (i != QUEUE_STATE_DEAD)
			sum += verify->counts[i];
	return sum;
}

static void
print_result(struct verify *verify, const struct queue_counts *counts)
{
	const uint64_t *n = verify->counts;
	const uint64_t *all = verify->books.account.terms;

	printf("records   %12" PRIu64 "  in the segments, of these\n",
	    records(verify));
	for (size_t i = 0; i < QUEUE_STATE_COUNT; i++)
		if (i != QUEUE_STATE_DEAD && n[i] > 0)
			printf("%-10s%12" PRIu64 "\n",
			    queue_state_name((enum queue_state)i), n[i]);
	printf("letters   %12" PRIu64 "  dead, not put back\n",
	    n[QUEUE_STATE_DEAD]);
	printf("accepted  %12" PRIu64 "  since the queue was made = %" PRIu64
	    " delivered + %" PRIu64 " dead + %" PRIu64 " dropped + %" PRIu64
	    " damaged + %" PRIu64 " waiting%s\n", all[QUEUE_TERM_ACCEPTED],
	    all[QUEUE_TERM_DELIVERED], all[QUEUE_TERM_DEAD],
	    all[QUEUE_TERM_DROPPED], all[QUEUE_TERM_DAMAGED],
	    verify->books.waiting, verify->is_still ? "" :
	    "; as far as wuts-spool has read");
	if (counts->records != waiting(verify))
		printf("counted   %12" PRIu64 "  waiting, by the running"
		    " count: a start of wuts-spool puts it right\n",
		    counts->records);
	printf("%s\n", verify->troubles == 0 ? "ok" : "NOT ok");
}

static void
write_result(struct verify *verify, const struct queue_counts *counts)
{
	json_write_array_end(&verify->w);
	write_number(&verify->w, "records", records(verify));
	for (size_t i = 0; i < QUEUE_STATE_COUNT; i++)
		write_number(&verify->w, i == QUEUE_STATE_DEAD ? "letters" :
		    queue_state_name((enum queue_state)i),
		    verify->counts[i]);
	write_number(&verify->w, "counted", counts->records);
	json_write_key(&verify->w, "accounts");
	json_write_object_begin(&verify->w);
	for (size_t i = 0; i < QUEUE_TERM_COUNT; i++)
		write_number(&verify->w, term_names[i],
		    verify->books.account.terms[i]);
	write_number(&verify->w, "waiting", verify->books.waiting);
	write_number(&verify->w, "missing", verify->books.missing);
	json_member_bool(&verify->w, "compared", verify->is_still);
	json_write_object_end(&verify->w);
	json_member_bool(&verify->w, "ok", verify->troubles == 0);
	json_write_object_end(&verify->w);
	puts(verify->out.data);
}

static int
verify_all(struct verify *verify, const struct settings *settings,
    struct fault *fault)
{
	const struct queue_visitor visitor = {
		on_entry, on_trouble, on_progress, verify
	};
	const char *dir = settings->queue_dir;
	struct queue_counts counts, counts_before;
	struct queue_books after;
	int ret;

	/* A day more: letters expire by whole days. */
	verify->kept_from_us = clock_wall_us() + INT64_C(86400) *
	    CLOCK_SECOND_US - settings->dead_letter_keep_ms * 1000;
	progress_begin(&verify->progress);
	ret = queue_books_read(dir, &verify->books, fault);
	if (ret == 0)
		ret = queue_counts_read(dir, &counts_before, fault);
	if (ret == 0)
		ret = queue_visit(dir, &visitor, fault);
	progress_end(&verify->progress);
	if (ret < 0 || queue_books_read(dir, &after, fault) < 0 ||
	    queue_counts_read(dir, &counts, fault) < 0)
		return -1;
	verify->is_still = verify->books.is_current && after.is_current &&
	    memcmp(&after.account, &verify->books.account,
	    sizeof(after.account)) == 0 &&
	    memcmp(&after.retired, &verify->books.retired,
	    sizeof(after.retired)) == 0 &&
	    counts.totals[QUEUE_TOTAL_ACCEPTED] ==
	    counts_before.totals[QUEUE_TOTAL_ACCEPTED] &&
	    counts.totals[QUEUE_TOTAL_ACCEPTED] <=
	    after.account.terms[QUEUE_TERM_ACCEPTED];
	check_letters(verify);
	check_accounts(verify);
	if (verify->ctl->json)
		write_result(verify, &counts);
	else
		print_result(verify, &counts);
	return 0;
}

int
ctl_queue_verify(const struct ctl *ctl)
{
	struct verify verify = { .ctl = ctl, .out = STRBUF_INIT };
	struct settings *settings;
	struct fault fault;
	int status;

	fault_clear(&fault);
	if (settings_load_paths(&settings, ctl->config, &fault) < 0)
		return ctl_failed(&fault);
	json_writer_init(&verify.w, &verify.out);
	if (ctl->json) {
		json_write_object_begin(&verify.w);
		json_write_key(&verify.w, "troubles");
		json_write_array_begin(&verify.w);
	}
	if (verify_all(&verify, settings, &fault) < 0)
		status = ctl_failed(&fault);
	else
		status = verify.troubles == 0 ? CTL_OK : CTL_FAILED;
	settings_free(&settings);
	strbuf_deinit(&verify.out);
	free(verify.died);
	free(verify.letters);
	return status;
}
