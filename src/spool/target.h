/* SPDX-License-Identifier: MIT */
/* One version of a webhook's settings, ready for use. */
#ifndef WUTS_SRC_SPOOL_TARGET_H
#define WUTS_SRC_SPOOL_TARGET_H

#include "trust.h"

#include "wuts/event.h"
#include "wuts/onprem.h"
#include "wuts/secret.h"
#include "wuts/uuid.h"
#include "wuts/webhook.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

struct crypto_hmac;
struct crypto_keys;
struct fault;

enum target_kind {
	TARGET_WEBHOOK,
	TARGET_CALLBACK,	/* a tenant's On-Premises webhook */
	TARGET_KIND_COUNT
};

/* In place of a device's id: the one of the tenant (no device has this id). */
extern const struct uuid TARGET_CALLBACK_ID;

struct target {
	unsigned refs;
	enum target_kind kind;
	/* Everything in it is owned. Of a callback: tenant and device id, url
	   ("": there is none), enabled, max_concurrency, updated_us. */
	struct webhook webhook;
	struct trust trust;
	/* Of a callback. */
	int64_t delay_ms, delay_max_ms;
	bool is_kept;			/* events wait for a URL */
	char wa_id[ONPREM_WA_ID_MAX + 1];
	/* Of a webhook. */
	struct event_set events;
	struct secret key;
	struct secret old_key;		/* none, or until the webhook's
					   old_secret_until_us */
	/* What signs with them, made when the first attempt asks. */
	struct crypto_hmac *hmac, *old_hmac;
	struct curl_slist *headers;	/* those of every attempt */
};

/* Copy, unseal, parse. NULL: FAULT_INTERNAL, the row cannot be used (another
   installation key, say). One reference is the caller's. */
struct target *target_new(const struct webhook *webhook,
    const struct crypto_keys *keys, struct fault *fault);
/* The same of a tenant that speaks the On-Premises dialect. */
struct target *target_new_callback(const struct onprem *onprem);
struct target *target_ref(struct target *target);
void target_unref(struct target **targetp);
/* Seal the secret that a webhook carries along with the first key, where it is
   under another: a snapshot must outlive the older keys. */
void target_reseal(struct target *target, const struct crypto_keys *keys);
/* The same row in the same version? Either may be NULL. */
bool target_is_same(const struct target *a, const struct target *b);
bool target_wants(const struct target *target, const char *event);
/* A webhook's enabled_events, to an empty set. Names that this release does not
   know are passed over: a newer wutsd may have written them. -1:
   FAULT_INTERNAL. */
int target_parse_events(const char *text, struct event_set *events_r,
    struct fault *fault);
bool target_events_have(const struct event_set *events, const char *event);
/* The key that signs besides at this time, or NULL. */
const struct secret *target_old_key(const struct target *target,
    int64_t wall_us);
/* What signs by the webhook's key; by the other one, or NULL. */
struct crypto_hmac *target_hmac(struct target *target);
struct crypto_hmac *target_old_hmac(struct target *target, int64_t wall_us);

#endif
