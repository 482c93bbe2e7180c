/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "spool/delivery.h"
#include "spool/journal.h"
#include "spool/spool_private.h"

#include "wuts/delivery_store.h"
#include "wuts/queue.h"
#include "wuts/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW_US INT64_C(1781526896789012)

static struct settings settings = { .delivery_log_keep_ms = 1 };

/* Away, so that nothing is asked of a database. */
static struct spool
new_spool(void)
{
	struct spool spool = { .live = &settings, .away = true };

	return spool;
}

static void
note(struct spool *spool, uint32_t number, enum queue_outcome outcome,
    const char *answer)
{
	struct queue_record record = {
		.event = "message.received", .created_us = NOW_US - 5
	};
	struct delivery_result result = {
		.status = 500, .duration_us = 3, .error = "", .answer = answer
	};

	memcpy(record.id.b, &number, sizeof(number));
	journal_note(spool, &record, 2, outcome, &result, NOW_US,
	    outcome == QUEUE_RETRY ? NOW_US + 7 : 0);
}

static const struct delivery_note *
nth(const struct journal *journal, size_t i)
{
	return &journal->notes[(journal->first + i) % journal->cap];
}

static void
a_note_says_what_the_attempt_came_to(void **state)
{
	struct spool spool = new_spool();
	const struct delivery_note *noted;

	(void)state;
	note(&spool, 1, QUEUE_RETRY, "try later");
	note(&spool, 2, QUEUE_DELIVERED, "thanks");
	note(&spool, 3, QUEUE_DEAD, "");
	note(&spool, 4, QUEUE_DISCARDED, "");
	assert_int_equal(spool.journal.count, 3);
	noted = nth(&spool.journal, 0);
	assert_int_equal(noted->state, DELIVERY_PENDING);
	assert_int_equal(noted->attempt, 2);
	assert_int_equal(noted->status, 500);
	assert_true(noted->at_us == NOW_US - 3);
	assert_true(noted->noted_us == NOW_US);
	assert_true(noted->created_us == NOW_US - 5);
	assert_true(noted->next_attempt_us == NOW_US + 7);
	assert_string_equal(noted->event, "message.received");
	assert_string_equal(noted->answer, "try later");
	/* What a success answered is nobody's concern. */
	assert_int_equal(nth(&spool.journal, 1)->state, DELIVERY_DELIVERED);
	assert_null(nth(&spool.journal, 1)->answer);
	assert_int_equal(nth(&spool.journal, 2)->state, DELIVERY_DEAD);
	journal_deinit(&spool.journal);
}

static void
without_a_log_nothing_is_noted(void **state)
{
	struct settings off = { .delivery_log_keep_ms = 0 };
	struct spool spool = new_spool();

	(void)state;
	spool.live = &off;
	note(&spool, 1, QUEUE_DEAD, "");
	assert_int_equal(spool.journal.count, 0);
	journal_deinit(&spool.journal);
}

static void
beyond_its_bound_the_oldest_are_given_up(void **state)
{
	struct spool spool = new_spool();
	struct journal *journal = &spool.journal;
	static char answer[4097];
	uint32_t n, number;

	(void)state;
	memset(answer, 'x', sizeof(answer) - 1);
	for (n = 0; n < 100000; n++)
		note(&spool, n, QUEUE_DEAD, n % 3 == 0 ? answer : "");
	assert_true(journal->bytes <= (size_t)16 << 20);
	assert_true(journal->lost > 0);
	assert_int_equal(journal->count + journal->lost, 100000);
	for (n = 0; n < journal->count; n++) {
		memcpy(&number, nth(journal, n)->id.b, sizeof(number));
		assert_int_equal(number, journal->lost + n);
	}
	journal_deinit(journal);
}

/* Nobody is there to be asked: what is, ends this program. */
static void
nothing_is_told_before_the_queue_knows_it(void **state)
{
	struct spool spool = new_spool();

	(void)state;
	note(&spool, 1, QUEUE_DEAD, "");
	spool.away = false;
	for (uint32_t n = 2; n <= 3000; n++)
		note(&spool, n, QUEUE_DEAD, "");
	journal_tick(&spool, 1);
	assert_false(spool.journal.asking);
	assert_int_equal(spool.journal.kept, 0);
	spool.away = true;
	journal_kept(&spool);
	note(&spool, 3001, QUEUE_DEAD, "");
	assert_int_equal(spool.journal.kept, 3000);
	assert_int_equal(spool.journal.count, 3001);
	journal_deinit(&spool.journal);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_note_says_what_the_attempt_came_to),
		cmocka_unit_test(without_a_log_nothing_is_noted),
		cmocka_unit_test(beyond_its_bound_the_oldest_are_given_up),
		cmocka_unit_test(nothing_is_told_before_the_queue_knows_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
