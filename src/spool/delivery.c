/* SPDX-License-Identifier: MIT */
/* Attempts over HTTP by libcurl's multi socket interface, in the caller's
   epoll. Easy handles are used again, with what never changes set once; the
   connections are kept in the multi handle, and one that speaks HTTP/2 carries
   many attempts at once. Guarantees of every attempt: the body is the record's,
   byte for byte; only http(s), no redirect, no proxy from the environment,
   certificates verified, each address asked of the guard; it ends within the
   webhook's time-out. */
#include "config.h"

#include "spool_private.h"

#include "wuts/clock.h"
#include "wuts/log.h"
#include "wuts/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define CONNECT_MAX_MS 10000L	/* name, connection and TLS */
/* libcurl does not tell what a name server allows: a change of address is
   noticed within these, by new and by kept connections. */
#define DNS_KEEP_S 60L
#define CONNECTION_KEEP_S 300L
#define BUF_KEEP (64 * 1024)	/* larger record buffers are given back */

struct slot {
	struct delivery delivery;	/* first: a delivery is its slot */
	struct slot *next_free;
	CURL *easy;
	struct guard guard;
	struct trusts *trusts;		/* the pool's */
	unsigned policy_version;	/* that easy is set to */
	bool in_multi;
	int64_t began_us;
	struct answer answer;
	char error[CURL_ERROR_SIZE];
	struct header_lines lines;
};

struct delivery_pool {
	CURLM *multi;
	int epoll_fd;
	int64_t due_us;
	void (*result)(void *ctx, struct delivery *delivery,
	    const struct delivery_result *result);
	void *ctx;
	struct slot **slots;
	size_t nslots, cap;
	struct slot *free;
	struct trusts *trusts;
	struct delivery_policy policy;
	unsigned policy_version;
};

/* Options with constant arguments fail only for want of memory or in a
   libcurl built without what we must have: neither can be worked around. */
static void
check(CURLcode code)
{
	if (code != CURLE_OK)
		log_fatal("libcurl: %s", curl_easy_strerror(code));
}

static void
check_multi(CURLMcode code)
{
	if (code != CURLM_OK)
		log_fatal("libcurl: %s", curl_multi_strerror(code));
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
	struct delivery_pool *pool = ctx;
	struct epoll_event event = { 0 };
	int op = known != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(pool->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	event.data.fd = fd;
	event.events = ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0u) |
	    ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0u);
	if (epoll_ctl(pool->epoll_fd, op, fd, &event) < 0) {
		log_error("watch a connection: %m");
		return -1;
	}
	if (known == NULL)
		curl_multi_assign(pool->multi, fd, pool);
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

static size_t
on_answer(char *data, size_t size, size_t n, void *ctx)
{
	struct slot *slot = ctx;

	return answer_take(&slot->answer, data, size * n, clock_mono_us()) ?
	    size * n : 0;
}

/* A connection is about to be made. */
static CURLcode
on_tls(CURL *easy, void *ssl_ctx, void *ctx)
{
	struct slot *slot = ctx;
	const struct target *target = slot->delivery.target;

	(void)easy;
	return trusts_apply(slot->trusts, &target->webhook.tenant_id,
	    &target->trust, ssl_ctx);
}

struct delivery_pool *
delivery_pool_new(int epoll_fd, const char *queue_dir, unsigned max_in_flight,
    void (*result)(void *ctx, struct delivery *delivery,
	const struct delivery_result *result), void *ctx)
{
	struct delivery_pool *pool = mem_calloc(1, sizeof(*pool));

	pool->epoll_fd = epoll_fd;
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
	strbuf_deinit(&slot->lines.scratch);
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
	trusts_free(&pool->trusts);
	free(pool->slots);
	free(pool);
}

static void
set_guard(const struct delivery_pool *pool, struct guard *guard,
    const struct target *target)
{
	guard->policy = pool->policy.addresses[target->kind];
	guard->is_host_allowed = webhook_host_is_allowed(target->webhook.url,
	    guard->policy);
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
			set_guard(pool, &pool->slots[i]->guard, target);
	}
	check_multi(curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS,
	    (long)policy->max_in_flight));
	trusts_read_again(pool->trusts);
}

/* What holds for every attempt. */
static void
set_constants(struct slot *slot)
{
	CURL *easy = slot->easy;

	check(curl_easy_setopt(easy, CURLOPT_POST, 1L));
	check(curl_easy_setopt(easy, CURLOPT_PRIVATE, slot));
	check(curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L));
	check(curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L));
	check(curl_easy_setopt(easy, CURLOPT_PROXY, ""));
	check(curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
	    (long)CURL_HTTP_VERSION_2TLS));
	check(curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L));
	check(curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L));
	check(curl_easy_setopt(easy, CURLOPT_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_2));
	check(curl_easy_setopt(easy, CURLOPT_CAINFO, NULL));
	check(curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls));
	check(curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, slot));
	check(curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, DNS_KEEP_S));
	check(curl_easy_setopt(easy, CURLOPT_USERAGENT,
	    "wuts-spool/" PACKAGE_VERSION));
	check(curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer));
	check(curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot));
	check(curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot->error));
	check(curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION,
	    guard_open_socket));
	check(curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &slot->guard));
#if LIBCURL_VERSION_NUM >= 0x075000
	check(curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION,
	    guard_before_request));
	check(curl_easy_setopt(easy, CURLOPT_PREREQDATA, &slot->guard));
	check(curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN,
	    CONNECTION_KEEP_S));
#endif
}

static void
set_policy(struct delivery_pool *pool, struct slot *slot)
{
	const struct delivery_policy *policy = &pool->policy;
	const struct target *target = slot->delivery.target;

	set_guard(pool, &slot->guard, target);
	slot->guard.refused[0] = '\0';
	if (slot->policy_version == pool->policy_version)
		return;
#if LIBCURL_VERSION_NUM >= 0x075500
	check(curl_easy_setopt(slot->easy, CURLOPT_PROTOCOLS_STR,
	    policy->http ? "https,http" : "https"));
#else
	check(curl_easy_setopt(slot->easy, CURLOPT_PROTOCOLS,
	    (long)(CURLPROTO_HTTPS | (policy->http ? CURLPROTO_HTTP : 0))));
#endif
#if LIBCURL_VERSION_NUM < 0x075000
	/* A kept connection cannot be asked where it leads: one that another
	   policy allowed must not be used again. */
	check(curl_easy_setopt(slot->easy, CURLOPT_FRESH_CONNECT,
	    pool->policy_version == 1 ? 0L : 1L));
#endif
	slot->policy_version = pool->policy_version;
}

static void
set_times(const struct delivery_pool *pool, struct slot *slot)
{
	const struct delivery_policy *policy = &pool->policy;
	const struct target *target = slot->delivery.target;
	long total_ms = (long)target->webhook.timeout_s * 1000;
	long connect_ms = CONNECT_MAX_MS;

	if (target->kind == TARGET_CALLBACK) {
		total_ms = policy->callback_timeout_ms;
		connect_ms = policy->callback_connect_timeout_ms;
	}
	check(curl_easy_setopt(slot->easy, CURLOPT_TIMEOUT_MS, total_ms));
	check(curl_easy_setopt(slot->easy, CURLOPT_CONNECTTIMEOUT_MS,
	    total_ms < connect_ms ? total_ms : connect_ms));
}

static struct slot *
slot_new(struct delivery_pool *pool)
{
	struct slot *slot = mem_calloc(1, sizeof(*slot));

	slot->easy = curl_easy_init();
	if (slot->easy == NULL)
		log_fatal("libcurl: out of memory");
	slot->trusts = pool->trusts;
	set_constants(slot);
	if (pool->nslots == pool->cap) {
		pool->cap = pool->cap * 2 + 16;
		pool->slots = mem_realloc(pool->slots, pool->cap,
		    sizeof(struct slot *));
	}
	pool->slots[pool->nslots++] = slot;
	return slot;
}

struct delivery *
delivery_get(struct delivery_pool *pool)
{
	struct slot *slot = pool->free;

	if (slot != NULL)
		pool->free = slot->next_free;
	else
		slot = slot_new(pool);
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

void
delivery_start(struct delivery_pool *pool, struct delivery *delivery,
    unsigned attempt, int64_t wall_us, int64_t mono_us)
{
	struct slot *slot = (struct slot *)delivery;
	const struct target *target = delivery->target;
	char key[TRUST_KEY_SIZE];
	CURL *easy = slot->easy;

	slot->began_us = mono_us;
	answer_begin(&slot->answer);
	slot->error[0] = '\0';
	set_policy(pool, slot);
	set_times(pool, slot);
	trust_format_key(target, key);
	check(curl_easy_setopt(easy, CURLOPT_CAPATH, key));
	check(curl_easy_setopt(easy, CURLOPT_URL, target->webhook.url));
	check(curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
	    (curl_off_t)delivery->record.body_len));
	check(curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
	    delivery->record.body));
	check(curl_easy_setopt(easy, CURLOPT_HTTPHEADER,
	    headers_set(&slot->lines, delivery, attempt, wall_us)));
	check_multi(curl_multi_add_handle(pool->multi, easy));
	slot->in_multi = true;
}

/* Why there was no whole answer, for one log line: no quotes in it. An address
   that was refused counts only when no other of the host did better. */
static void
explain(struct slot *slot, CURLcode code, struct delivery_result *result)
{
	bool refused = slot->guard.refused[0] != '\0' &&
	    (code == CURLE_COULDNT_CONNECT ||
	    code == CURLE_ABORTED_BY_CALLBACK);

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
