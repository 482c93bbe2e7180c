/* SPDX-License-Identifier: MIT */
/* The shards, as the parent sees them: processes (shards_child.c) that make the
   attempts of the endpoints that fall to them. Queue, schedule, database and
   outcomes stay here, in the one process that has always had them, so nothing
   on the disk knows of shards, and their number may change from one start to
   the next.

   A shard that dies has told nothing of what it had under way: that is tried
   again. Its endpoints wait for the next one, which is started after a pause
   that doubles while shards die young. Nobody else notices. */
#include "config.h"

#include "shards_private.h"

#include "delivery.h"
#include "directory.h"
#include "dispatch.h"
#include "endpoint.h"
#include "snapshot.h"
#include "spool_private.h"
#include "target.h"

#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/settings.h"
#include "wuts/spool_numbers.h"
#include "wuts/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

/* One that has lived for so long did not die young. */
#define OLD_US (10 * CLOCK_SECOND_US)
#define YOUNG_HOPELESS 8
/* Beyond the webhook's own time-out: then the shard hangs, not the receiver. */
#define OVERDUE_US (30 * CLOCK_SECOND_US)
/* At the end: what was in flight is not waited for any more. */
#define END_MS 2000

static unsigned
shard_of(const struct shards *shards, const struct endpoint *endpoint)
{
	uint32_t crc = crypto_crc32c(0, endpoint->tenant_id.b,
	    sizeof(endpoint->tenant_id.b));

	return crypto_crc32c(crc, endpoint->device_id.b,
	    sizeof(endpoint->device_id.b)) % shards->n;
}

/* --- attempts --- */

static uint32_t
take_token(struct shards *shards)
{
	uint32_t token = shards->first_free;
	uint32_t n = shards->nflights * 2 + 64;

	if (token == NO_FLIGHT) {
		shards->flights = mem_realloc(shards->flights, n,
		    sizeof(shards->flights[0]));
		token = shards->nflights;
		for (uint32_t i = token; i < n; i++)
			shards->flights[i] = (struct flight){
				.next_free = i + 1 < n ? i + 1 : NO_FLIGHT,
			};
		shards->nflights = n;
	}
	shards->first_free = shards->flights[token].next_free;
	return token;
}

static struct delivery *
give_token(struct shards *shards, uint32_t token)
{
	struct flight *flight = &shards->flights[token];
	struct delivery *delivery = flight->delivery;

	flight->delivery = NULL;
	flight->next_free = shards->first_free;
	shards->first_free = token;
	return delivery;
}

static struct told *
told_of(struct shards *shards, uint32_t endpoint)
{
	size_t n = (size_t)endpoint * 2 + 64;

	if (endpoint >= shards->ntold) {
		shards->told = mem_realloc(shards->told, n,
		    sizeof(shards->told[0]));
		memset(shards->told + shards->ntold, 0,
		    (n - shards->ntold) * sizeof(shards->told[0]));
		shards->ntold = n;
	}
	return &shards->told[endpoint];
}

/* Its settings first, unless it has them. */
static void
tell_target(struct shards *shards, unsigned i, uint32_t number,
    struct target *target)
{
	const struct wire_target head = { .endpoint = number };
	struct wire *wire = &shards->children[i].wire;
	struct told *told = told_of(shards, number);
	struct strbuf line = STRBUF_INIT;

	if (told->target == target && told->shard == i)
		return;
	target_unref(&told->target);
	told->target = target_ref(target);
	told->shard = i;
	snapshot_format_line(&line, target, 0, &shards->spool->live->keys);
	wire_begin(wire, WIRE_TARGET, &head, sizeof(head));
	wire_add(wire, line.data, line.len);
	wire_end(wire);
	strbuf_deinit(&line);
}

bool
shards_may_start(const struct shards *shards, const struct endpoint *endpoint)
{
	return shards->children[shard_of(shards, endpoint)].pid > 0;
}

static int64_t
timeout_us(const struct shards *shards, const struct target *target)
{
	return target->kind == TARGET_CALLBACK ?
	    shards->spool->live->onprem_webhook_timeout_ms * 1000 :
	    (int64_t)target->webhook.timeout_s * CLOCK_SECOND_US;
}

void
shards_start(struct shards *shards, struct delivery *delivery,
    unsigned attempt, int64_t wall_us)
{
	const struct queue_record *record = &delivery->record;
	unsigned i = shard_of(shards, delivery->endpoint);
	struct wire *wire = &shards->children[i].wire;
	struct wire_start head = {
		.token = take_token(shards),
		.endpoint = delivery->endpoint->number,
		.attempt = attempt,
		.wall_us = wall_us,
		.id = record->id,
		.tenant_id = record->tenant_id,
		.device_id = record->device_id,
		.created_us = record->created_us,
	};

	shards->flights[head.token].delivery = delivery;
	shards->flights[head.token].shard = i;
	shards->flights[head.token].overdue_us = clock_mono_us() +
	    timeout_us(shards, delivery->target) + OVERDUE_US;
	tell_target(shards, i, head.endpoint, delivery->target);
	wire_begin(wire, WIRE_START, &head, sizeof(head));
	wire_add_text(wire, record->event);
	wire_add(wire, record->body, record->body_len);
	wire_end(wire);
}

/* --- the end of a shard --- */

/* What it had under way has told nothing. */
static void
take_back(struct shards *shards, unsigned i)
{
	for (uint32_t token = 0; token < shards->nflights; token++) {
		struct flight *flight = &shards->flights[token];

		if (flight->delivery != NULL && flight->shard == i)
			dispatch_lost(shards->spool,
			    give_token(shards, token));
	}
	for (size_t e = 0; e < shards->ntold; e++)
		if (shards->told[e].shard == i)
			target_unref(&shards->told[e].target);
}

static void
died(struct shards *shards, unsigned i)
{
	struct child *child = &shards->children[i];
	int64_t now_us = clock_mono_us();

	wire_deinit(&child->wire);
	shards_child_reap(i, child);
	if (now_us - child->started_us >= OLD_US)
		child->young = 0;
	shards_child_put_off(child, now_us);
	take_back(shards, i);
	spool_numbers_count_restart(shards->spool->numbers);
}

/* --- answers --- */

static const char *
keep_error(struct shards *shards, const char *error)
{
	for (size_t i = 0; i < shards->nerrors; i++)
		if (strcmp(shards->errors[i], error) == 0)
			return shards->errors[i];
	if (shards->nerrors == ERRORS_MAX)
		return "no answer";
	shards->errors[shards->nerrors] = mem_strdup(error);
	return shards->errors[shards->nerrors++];
}

static bool
take_result(struct shards *shards, unsigned i, struct wire_message *message)
{
	struct delivery_result result = { .error = "", .answer = "" };
	struct delivery *delivery;
	struct wire_result head;
	const char *why;

	if (message->type != WIRE_RESULT ||
	    !wire_take(message, &head, sizeof(head)) ||
	    (why = wire_take_text(message)) == NULL ||
	    (result.error = wire_take_text(message)) == NULL ||
	    (result.answer = wire_take_text(message)) == NULL ||
	    head.token >= shards->nflights ||
	    shards->flights[head.token].delivery == NULL ||
	    shards->flights[head.token].shard != i)
		return false;
	result.error = keep_error(shards, result.error);
	snprintf(result.why, sizeof(result.why), "%s", why);
	result.status = (long)head.status;
	result.code = (CURLcode)head.code;
	result.retry_after_s = head.retry_after_s;
	result.duration_us = head.duration_us;
	delivery = give_token(shards, head.token);
	dispatch_result(shards->spool, delivery, &result);
	delivery_release(shards->spool->pool, delivery);
	return true;
}

bool
shards_socket(struct shards *shards, int fd, uint32_t events)
{
	struct wire_message message;
	struct wire *wire;
	unsigned i = 0;
	bool is_on;

	while (i < shards->n && (shards->children[i].pid == 0 ||
	    shards->children[i].wire.fd != fd))
		i++;
	if (i == shards->n)
		return false;
	wire = &shards->children[i].wire;
	if ((events & ~(uint32_t)EPOLLOUT) == 0)
		return true;
	/* What it said last counts, also when it is dead by now. */
	is_on = wire_receive(wire) == 0;
	while (is_on && wire_next(wire, &message))
		is_on = take_result(shards, i, &message);
	if (!is_on)
		died(shards, i);
	return true;
}

/* --- the loop's calls --- */

static void
flush(struct shards *shards, unsigned i)
{
	struct child *child = &shards->children[i];
	struct epoll_event event = { .events = EPOLLIN };
	bool is_full;

	if (wire_flush(&child->wire) < 0) {
		/* What it has said is still to be read: its socket tells. */
		return;
	}
	is_full = !wire_is_flushed(&child->wire);
	if (is_full == child->is_writing)
		return;
	event.data.fd = child->wire.fd;
	if (is_full)
		event.events |= EPOLLOUT;
	if (epoll_ctl(shards->epoll_fd, EPOLL_CTL_MOD, child->wire.fd,
	    &event) < 0)
		log_fatal("epoll_ctl: %m");
	child->is_writing = is_full;
}

void
shards_run(struct shards *shards, int64_t mono_us)
{
	for (unsigned i = 0; i < shards->n; i++) {
		struct child *child = &shards->children[i];

		if (child->pid == 0 && mono_us >= child->start_at_us) {
			shards_child_start(shards, i, mono_us);
			if (child->pid > 0)
				directory_apply_all(shards->spool);
		}
		if (child->pid > 0)
			flush(shards, i);
	}
}

void
shards_tick(struct shards *shards, int64_t mono_us)
{
	unsigned up = shards_up(shards);

	spool_numbers_set(shards->spool->numbers, SPOOL_SHARDS_UP, up);
	spool_numbers_set(shards->spool->numbers, SPOOL_SHARDS_DOWN,
	    shards->n - up);
	for (uint32_t token = 0; token < shards->nflights; token++) {
		const struct flight *flight = &shards->flights[token];

		if (flight->delivery == NULL || mono_us < flight->overdue_us)
			continue;
		log_error("shard=%u hangs: killed", flight->shard);
		died(shards, flight->shard);
	}
}

int64_t
shards_due(const struct shards *shards)
{
	int64_t due_us = INT64_MAX;

	for (unsigned i = 0; i < shards->n; i++)
		if (shards->children[i].pid == 0 &&
		    shards->children[i].start_at_us < due_us)
			due_us = shards->children[i].start_at_us;
	return due_us;
}

unsigned
shards_up(const struct shards *shards)
{
	unsigned up = 0;

	for (unsigned i = 0; i < shards->n; i++)
		up += shards->children[i].pid > 0;
	return up;
}

bool
shards_are_up(const struct shards *shards)
{
	return shards_up(shards) == shards->n;
}

bool
shards_are_hopeless(const struct shards *shards)
{
	for (unsigned i = 0; i < shards->n; i++)
		if (shards->children[i].pid == 0 &&
		    shards->children[i].young >= YOUNG_HOPELESS)
			return true;
	return false;
}

void
shards_reload(struct shards *shards)
{
	/* Under other keys the same settings are another line. */
	for (size_t e = 0; e < shards->ntold; e++)
		target_unref(&shards->told[e].target);
	for (unsigned i = 0; i < shards->n; i++)
		if (shards->children[i].pid > 0)
			shards_child_say_policy(shards, &shards->children[i]);
}

struct shards *
shards_new(struct spool *spool, int epoll_fd, unsigned n)
{
	struct shards *shards = mem_calloc(1, sizeof(*shards));

	shards->spool = spool;
	shards->epoll_fd = epoll_fd;
	shards->n = n;
	shards->first_free = NO_FLIGHT;
	shards->children = mem_calloc(n, sizeof(shards->children[0]));
	return shards;
}

void
shards_free(struct shards **shardsp)
{
	struct shards *shards = *shardsp;
	int64_t until_us = clock_mono_us() + END_MS * 1000;

	*shardsp = NULL;
	if (shards == NULL)
		return;
	for (unsigned i = 0; i < shards->n; i++)
		if (shards->children[i].pid > 0)
			wire_deinit(&shards->children[i].wire);
	for (unsigned i = 0; i < shards->n; i++)
		if (shards->children[i].pid > 0)
			shards_child_wait(&shards->children[i], until_us);
	for (size_t e = 0; e < shards->ntold; e++)
		target_unref(&shards->told[e].target);
	for (size_t i = 0; i < shards->nerrors; i++)
		free(shards->errors[i]);
	free(shards->told);
	free(shards->flights);
	free(shards->children);
	free(shards);
}
