/* SPDX-License-Identifier: MIT */
/* What the two files of deliveries share. */
#ifndef WUTS_DELIVERY_PRIVATE_H
#define WUTS_DELIVERY_PRIVATE_H

#include "answer.h"
#include "delivery.h"
#include "guard.h"
#include "headers.h"
#include "watch.h"

#include "wuts/log.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct target;
struct trusts;

struct slot {
	struct delivery delivery;	/* first: a delivery is its slot */
	struct slot *next_free;
	CURL *easy;
	struct guard guard;
	struct trusts *trusts;		/* the pool's, as the next */
	struct watches *watches;
	unsigned policy_version;	/* that easy is set to */
	bool in_multi;
	int64_t began_us;
	struct answer answer;
	char error[CURL_ERROR_SIZE];
	struct header_lines lines;
};

struct delivery_pool {
	CURLM *multi;
	struct watches watches;
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
static inline void
check(CURLcode code)
{
	if (code != CURLE_OK)
		log_fatal("libcurl: %s", curl_easy_strerror(code));
}

static inline void
check_multi(CURLMcode code)
{
	if (code != CURLM_OK)
		log_fatal("libcurl: %s", curl_multi_strerror(code));
}

/* --- delivery_request.c --- */

/* A new slot of the pool. */
struct slot *delivery_slot_new(struct delivery_pool *pool);
/* By the policy of now. */
void delivery_set_guard(const struct delivery_pool *pool,
    struct guard *guard, const struct target *target);

#endif
