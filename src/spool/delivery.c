/* SPDX-License-Identifier: MIT */
/* Attempts over HTTP by libcurl's multi socket interface, in the caller's
   epoll. Easy handles are used again, with what never changes set once; the
   connections are kept in the multi handle, and one that speaks HTTP/2 carries
   many attempts at once. Guarantees of every attempt: the body is the record's,
   byte for byte; only http(s), no redirect, no proxy from the environment,
   certificates verified, each address asked of the guard; it ends within the
   webhook's time-out. */
#include "config.h"

#include "delivery_private.h"

#include "wuts/clock.h"
#include "wuts/log.h"
#include "wuts/mem.h"
#include "wuts/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define BUF_KEEP (64 * 1024)	/* larger record buffers are given back */

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
	struct delivery_pool *pool = ctx;
	uint32_t events = ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0u) |
	    ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0u);

	(void)easy;
	(void)known;
	if (what == CURL_POLL_REMOVE)
		events = 0;
	if (watches_want(&pool->watches, fd, events) < 0) {
		log_error("watch a connection: %m");
		return -1;
	}
	return 0;
}

static int
on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
	struct delivery_pool *pool = ctx;

	(void)multi;
	if (timeout_ms < 0)
		pool->due_us = INT64_MAX;
	else if (timeout_ms == 0)
		pool->due_us = 0;
	else
		pool->due_us = clock_mono_us() + timeout_ms * 1000;
	return 0;
}

struct delivery_pool *
delivery_pool_new(int epoll_fd, const char *queue_dir, unsigned max_in_flight,
    void (*result)(void *ctx, struct delivery *delivery,
	const struct delivery_result *result), void *ctx)
{
	struct delivery_pool *pool = mem_calloc(1, sizeof(*pool));

	watches_init(&pool->watches, epoll_fd);
	pool->due_us = INT64_MAX;
	pool->result = result;
	pool->ctx = ctx;
	pool->trusts = trusts_new(queue_dir);
	pool->multi = curl_multi_init();
	if (pool->multi == NULL)
		log_fatal("libcurl: out of memory");
	check_multi(curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION,
	    on_socket));
	check_multi(curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool));
	check_multi(curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION,
	    on_timer));
	check_multi(curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool));
	check_multi(curl_multi_setopt(pool->multi, CURLMOPT_PIPELINING,
	    (long)CURLPIPE_MULTIPLEX));
	check_multi(curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS,
	    (long)max_in_flight));
	return pool;
}

static void
slot_free(struct delivery_pool *pool, struct slot *slot)
{
	if (slot->in_multi)
		(void)curl_multi_remove_handle(pool->multi, slot->easy);
	curl_easy_cleanup(slot->easy);
	target_unref(&slot->delivery.target);
	strbuf_deinit(&slot->delivery.buf);
	answer_deinit(&slot->answer);
	free(slot);
}

void
delivery_pool_free(struct delivery_pool **poolp)
{
	struct delivery_pool *pool = *poolp;

	*poolp = NULL;
	if (pool == NULL)
		return;
	for (size_t i = 0; i < pool->nslots; i++)
		slot_free(pool, pool->slots[i]);
	curl_multi_cleanup(pool->multi);
	watches_deinit(&pool->watches);
	trusts_free(&pool->trusts);
	free(pool->slots);
	free(pool);
}

void
delivery_pool_set_policy(struct delivery_pool *pool,
    const struct delivery_policy *policy)
{
	pool->policy = *policy;
	pool->policy_version++;
	/* What is in flight meets its next address under the new policy. */
	for (size_t i = 0; i < pool->nslots; i++) {
		const struct target *target = pool->slots[i]->delivery.target;

		if (target != NULL)
			delivery_set_guard(pool, &pool->slots[i]->guard,
			    target);
	}
	check_multi(curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS,
	    (long)policy->max_in_flight));
	trusts_read_again(pool->trusts);
}

struct delivery *
delivery_get(struct delivery_pool *pool)
{
	struct slot *slot = pool->free;

	if (slot != NULL)
		pool->free = slot->next_free;
	else
		slot = delivery_slot_new(pool);
	return &slot->delivery;
}

void
delivery_release(struct delivery_pool *pool, struct delivery *delivery)
{
	struct slot *slot = (struct slot *)delivery;

	target_unref(&delivery->target);
	if (delivery->buf.cap > BUF_KEEP)
		strbuf_deinit(&delivery->buf);
	slot->next_free = pool->free;
	pool->free = slot;
}

/* Why there was no whole answer, for one log line: no quotes in it. An address
   that was refused counts only when no other of the host did better. */
static void
explain(struct slot *slot, CURLcode code, struct delivery_result *result)
{
	bool refused = slot->guard.refused[0] != '\0' &&
	    (code == CURLE_COULDNT_CONNECT ||
	    code == CURLE_ABORTED_BY_CALLBACK);
	long sent = 0;

	/* One code for a scheme that is not allowed, when nothing was sent yet,
	   and for an answer that has no status line. */
	if (code == CURLE_UNSUPPORTED_PROTOCOL) {
		check(curl_easy_getinfo(slot->easy, CURLINFO_REQUEST_SIZE,
		    &sent));
		if (sent > 0)
			code = CURLE_WEIRD_SERVER_REPLY;
	}
	result->error = answer_explain(code, refused);
	if (refused)
		snprintf(result->why, sizeof(result->why),
		    "address %s may not be connected to (%s)",
		    slot->guard.refused,
		    slot->delivery.target->kind == TARGET_CALLBACK ?
		    "onprem_webhook_allow" : "webhook_allow");
	else
		snprintf(result->why, sizeof(result->why), "%s",
		    slot->error[0] != '\0' ? slot->error :
		    curl_easy_strerror(code));
	for (char *c = result->why; *c != '\0'; c++)
		if (*c == '"')
			*c = '\'';
}

/* The status decides, also when the rest of the answer broke off: the receiver
   has said what it did with the event. */
static void
finish(struct delivery_pool *pool, struct slot *slot, CURLcode code)
{
	struct delivery_result result = { .error = "", .answer = "" };
	curl_off_t retry_after = 0;

	result.duration_us = clock_mono_us() - slot->began_us;
	check(curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE,
	    &result.status));
	result.code = code;
	if (code != CURLE_OK)
		explain(slot, code, &result);
	answer_end(&slot->answer);
	if (slot->answer.text.len > 0)
		result.answer = slot->answer.text.data;
	if (result.status == 429 || result.status == 503) {
		check(curl_easy_getinfo(slot->easy, CURLINFO_RETRY_AFTER,
		    &retry_after));
		result.retry_after_s = retry_after;
	}
	check_multi(curl_multi_remove_handle(pool->multi, slot->easy));
	slot->in_multi = false;
	pool->result(pool->ctx, &slot->delivery, &result);
	delivery_release(pool, &slot->delivery);
}

static void
collect(struct delivery_pool *pool)
{
	CURLMsg *message;
	int more;

	while ((message = curl_multi_info_read(pool->multi, &more)) != NULL) {
		struct slot *slot = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		check(curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
		    (char **)&slot));
		finish(pool, slot, message->data.result);
	}
}

void
delivery_pool_socket(struct delivery_pool *pool, int fd,
    uint32_t epoll_events)
{
	int running, what = 0;

	if (!watches_are_for(&pool->watches, fd))
		return;
	if ((epoll_events & (EPOLLIN | EPOLLHUP)) != 0)
		what |= CURL_CSELECT_IN;
	if ((epoll_events & EPOLLOUT) != 0)
		what |= CURL_CSELECT_OUT;
	if ((epoll_events & EPOLLERR) != 0)
		what |= CURL_CSELECT_ERR;
	check_multi(curl_multi_socket_action(pool->multi, fd, what, &running));
}

void
delivery_pool_run(struct delivery_pool *pool, int64_t mono_us)
{
	int running;

	if (pool->due_us <= mono_us) {
		pool->due_us = INT64_MAX;
		check_multi(curl_multi_socket_action(pool->multi,
		    CURL_SOCKET_TIMEOUT, 0, &running));
	}
	collect(pool);
}

int64_t
delivery_pool_due(const struct delivery_pool *pool)
{
	return pool->due_us;
}
