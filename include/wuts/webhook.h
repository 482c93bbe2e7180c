/* SPDX-License-Identifier: MIT */
/* A webhook's settings and what they may be (spec/wuts.md §4 "Webhooks"). */
#ifndef WUTS_WEBHOOK_H
#define WUTS_WEBHOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wuts/uuid.h"

struct address_policy;
struct arena;
struct crypto_keys;
struct fault;
struct strbuf;

#define WEBHOOK_ID_LEN 8		/* bytes; wh_ and 16 hex digits outside */
#define WEBHOOK_URL_MAX 2048
#define WEBHOOK_HEADERS_MAX 20
#define WEBHOOK_HEADER_VALUE_MAX 1024
#define WEBHOOK_SECRET_MIN 8
#define WEBHOOK_SECRET_MAX 128
#define WEBHOOK_SECRET_OVERLAP_S 86400
#define WEBHOOK_RETRY_MAX 20
#define WEBHOOK_RETRY_DEFAULT 3
#define WEBHOOK_TIMEOUT_MAX_S 60
#define WEBHOOK_TIMEOUT_DEFAULT_S 30
#define WEBHOOK_CONCURRENCY_MAX 256
#define WEBHOOK_CONCURRENCY_DEFAULT 16
#define WEBHOOK_RATE_MAX 100000

struct webhook_header {
	const char *name;
	const char *value;
};

/* Strings and headers live in the arena it was read or parsed with. */
struct webhook {
	uint8_t id[WEBHOOK_ID_LEN];
	struct uuid tenant_id;
	struct uuid device_id;		/* nil: the tenant webhook */
	const char *url;
	const char *enabled_events;	/* compact JSON array of names */
	bool enabled;
	unsigned retry_attempts;
	unsigned timeout_s;
	bool ordered;
	unsigned max_concurrency;
	unsigned rate_limit;		/* per second, 0: none */
	size_t nheaders;
	const struct webhook_header *headers;
	/* As a row holds them; NULL: in plain, as rows did once. */
	const uint8_t *headers_sealed;
	size_t headers_sealed_len;
	const uint8_t *secret_sealed;	/* aad: id */
	size_t secret_sealed_len;
	/* The one before the last rotation: signs besides until then. */
	const uint8_t *old_secret_sealed;	/* NULL: none; aad: id */
	size_t old_secret_sealed_len;
	int64_t old_secret_until_us;
	int64_t created_us;
	int64_t updated_us;
};

/* What the installation allows (settings webhook_http, webhook_allow,
   webhook_allow_host). */
struct webhook_policy {
	bool http;
	const struct address_policy *addresses;
};

/* NULL when good, else the sentence for the client.
   url: https (http where allowed), at most 2048 visible ASCII bytes, no user
   info, no fragment, a host name or literal address; a host that ends in a
   number must be a plain dotted quad (WHATWG), so no odd spelling of an
   address passes; a literal address must be one that may be connected to. */
const char *webhook_url_check(const char *url,
    const struct webhook_policy *policy);
/* Is the host of this URL, which was found good, one that the operator allows
   by its name, whatever its address? */
bool webhook_host_is_allowed(const char *url,
    const struct address_policy *addresses);
/* name: RFC 9110 token, none of the names we own; value: visible ASCII and
   inner blanks, 1 KiB. */
const char *webhook_header_check(const char *name, const char *value);
const char *webhook_secret_check(const char *secret);

/* The headers as one JSON object, name to value, in their order; and back,
   into arena. -1: FAULT_INTERNAL, it is none. */
void webhook_headers_format(const struct webhook *webhook,
    struct strbuf *out);
int webhook_headers_parse(struct webhook *webhook, struct arena *arena,
    const char *text, size_t len, struct fault *fault);
/* That, sealed and bound to the webhook's id: a receiver's credential may be
   among them. open leaves headers that are in plain as they are. -1:
   FAULT_INTERNAL, none of the keys opens them. */
void webhook_headers_seal(struct webhook *webhook, struct arena *arena,
    const struct crypto_keys *keys);
int webhook_headers_open(struct webhook *webhook, struct arena *arena,
    const struct crypto_keys *keys, struct fault *fault);
/* Seal them anew when they are in plain or under another key than the first.
   1: they were / 0 / -1: none of the keys opens them. */
int webhook_headers_reseal(struct webhook *webhook, struct arena *arena,
    const struct crypto_keys *keys);

#endif
