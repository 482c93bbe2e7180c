/* SPDX-License-Identifier: MIT */
/* What one attempt is made with: an easy handle on which everything that never
   changes is set once, and for each attempt its URL, trust, addresses, times,
   headers and body. */
#include "config.h"

#include "delivery_private.h"

#include "wuts/clock.h"
#include "wuts/mem.h"
#include "wuts/webhook.h"

#include <unistd.h>

#define CONNECT_MAX_MS 10000L	/* name, connection and TLS */
/* libcurl does not tell what a name server allows: a change of address is
   noticed within these, by new and by kept connections. */
#define DNS_KEEP_S 60L
#define CONNECTION_KEEP_S 300L
/* libcurl takes one from the heap for each attempt: answers are short, and the
   heap is quick only with small ones. */
#define ANSWER_BUFFER 1024L

static size_t
on_answer(char *data, size_t size, size_t n, void *ctx)
{
	struct slot *slot = ctx;

	return answer_take(&slot->answer, data, size * n, clock_mono_us()) ?
	    size * n : 0;
}

static curl_socket_t
on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct slot *slot = ctx;
	curl_socket_t fd = guard_open_socket(&slot->guard, purpose, address);

	if (fd != CURL_SOCKET_BAD)
		watches_keep(slot->watches, fd);
	return fd;
}

/* A connection may outlive the slot that made it. */
static int
on_close(void *ctx, curl_socket_t fd)
{
	watches_forget(ctx, fd);
	return close(fd);
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

void
delivery_set_guard(const struct delivery_pool *pool, struct guard *guard,
    const struct target *target)
{
	guard->policy = pool->policy.addresses[target->kind];
	guard->is_host_allowed = webhook_host_is_allowed(target->webhook.url,
	    guard->policy);
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
	check(curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open));
	check(curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, slot));
	check(curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close));
	check(curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA,
	    slot->watches));
	check(curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, ANSWER_BUFFER));
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

	delivery_set_guard(pool, &slot->guard, target);
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

struct slot *
delivery_slot_new(struct delivery_pool *pool)
{
	struct slot *slot = mem_calloc(1, sizeof(*slot));

	slot->easy = curl_easy_init();
	if (slot->easy == NULL)
		log_fatal("libcurl: out of memory");
	slot->trusts = pool->trusts;
	slot->watches = &pool->watches;
	set_constants(slot);
	if (pool->nslots == pool->cap) {
		pool->cap = pool->cap * 2 + 16;
		pool->slots = mem_realloc(pool->slots, pool->cap,
		    sizeof(struct slot *));
	}
	pool->slots[pool->nslots++] = slot;
	return slot;
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
