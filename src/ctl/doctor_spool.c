/* SPDX-License-Identifier: MIT */
/* doctor's look at the delivery: what a running wuts-spool says of itself, the
   accounts of the queue, and who may read the metrics. */
#include "config.h"

#include "doctor.h"

#include "wuts/address.h"
#include "wuts/fault.h"
#include "wuts/queue.h"
#include "wuts/settings.h"
#include "wuts/spool_numbers.h"

#include <inttypes.h>
#include <unistd.h>

/* Shards beyond that wait for each other. */
#define SHARDS_A_PROCESSOR 2

static void
check_shards(struct doctor *d, const struct spool_report *spool)
{
	int64_t up = spool->gauges[SPOOL_SHARDS_UP];
	int64_t down = spool->gauges[SPOOL_SHARDS_DOWN];
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (down > 0)
		report(d, VERDICT_FAIL, "shards", "look at wuts-spool's log:"
		    " why do they end?", "%" PRId64 " of %" PRId64 " do not"
		    " run, their webhooks wait", down, up + down);
	else if (up > 0 && processors > 0 &&
	    up > SHARDS_A_PROCESSOR * processors)
		report(d, VERDICT_WARN, "shards", "start wuts-spool with a"
		    " smaller number", "%" PRId64 " on %ld processors", up,
		    processors);
	else if (up > 0)
		report(d, VERDICT_OK, "shards", NULL, "%" PRId64 " run", up);
}

void
check_spool(struct doctor *d)
{
	struct spool_report spool;

	spool_numbers_read(d->settings->run_dir, &spool);
	if (!spool.is_up) {
		report(d, VERDICT_WARN, "wuts-spool's numbers", "let it use"
		    " the same run_dir, or restart it: it may hang",
		    "it runs and has said nothing for 10 seconds");
		return;
	}
	if (spool.gauges[SPOOL_STUCK] != 0)
		report(d, VERDICT_FAIL, "outcomes", "look at the queue's disk"
		    " and at wuts-spool's log", "cannot be written, nothing is"
		    " delivered");
	check_shards(d, &spool);
}

void
check_accounts(struct doctor *d)
{
	struct queue_books books;
	const uint64_t *terms = books.account.terms;
	struct fault fault;

	fault_clear(&fault);
	if (queue_books_read(d->settings->queue_dir, &books, &fault) < 0)
		report(d, VERDICT_FAIL, "accounts", "make the queue directory"
		    " readable", "%s", fault.text);
	else if (books.missing > 0)
		report(d, VERDICT_FAIL, "accounts", "look at the disk, and for"
		    " who removes files from the queue directory", "%" PRIu64
		    " accepted events are in no file", books.missing);
	else
		report(d, VERDICT_OK, "accounts", NULL, "%" PRIu64
		    " events accepted = %" PRIu64 " delivered + %" PRIu64
		    " dead + %" PRIu64 " dropped + %" PRIu64 " damaged + %"
		    PRIu64 " waiting", terms[QUEUE_TERM_ACCEPTED],
		    terms[QUEUE_TERM_DELIVERED], terms[QUEUE_TERM_DEAD],
		    terms[QUEUE_TERM_DROPPED], terms[QUEUE_TERM_DAMAGED],
		    books.waiting);
}

/* Addresses for documentation, far from each other: who lets both in lets
   everybody in. */
static bool
is_for_everybody(const struct address_policy *readers)
{
	return (address_is_listed(readers, "198.51.100.7") &&
	    address_is_listed(readers, "203.0.113.7")) ||
	    address_is_listed(readers, "2001:db8::7");
}

void
check_metrics(struct doctor *d)
{
	struct address_policy readers;
	struct fault fault;

	fault_clear(&fault);
	if (address_policy_init(&readers, d->settings->metrics_allow,
	    &fault) < 0) {
		report(d, VERDICT_FAIL, "metrics", "correct metrics_allow:"
		    " wutsd does not start with it", "%s", fault.text);
		return;
	}
	if (is_for_everybody(&readers))
		report(d, VERDICT_WARN, "metrics", "name Prometheus's address"
		    " in metrics_allow and no more", "everybody may read GET"
		    " /metrics");
	else if (address_is_listed(&readers, "127.0.0.1") ||
	    address_is_listed(&readers, "::1"))
		report(d, VERDICT_WARN, "metrics", "use another address in"
		    " metrics_allow, unless nginx is the first that clients"
		    " meet", "loopback may read GET /metrics: behind a proxy"
		    " or tunnel on this machine that is everybody");
	else
		report(d, VERDICT_OK, "metrics", NULL, "for the master token"
		    " and %zu ranges of addresses", readers.nallowed);
	address_policy_deinit(&readers);
}
