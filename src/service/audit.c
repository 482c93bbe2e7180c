/* SPDX-License-Identifier: MIT */
/* Reading the audit trail, and proving that nobody has edited it. Nothing here
   writes: what is found wrong stays as it is. */
#include "config.h"

#include "wuts/audit_service.h"

#include "service_private.h"
#include "wuts/audit.h"
#include "wuts/audit_store.h"
#include "wuts/fault.h"
#include "wuts/settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CURSOR_KIND 'a'
#define WALK_BATCH 1000

/* --- the list --- */

struct audit_page {
	audit_listed *row;
	void *ctx;
	unsigned limit;
	unsigned seen;
	bool has_more;
	uint64_t last_seq;
};

static int
page_row(void *ctx, const struct audit_entry *entry, struct fault *fault)
{
	struct audit_page *page = ctx;

	if (page->limit > 0 && page->seen == page->limit) {
		page->has_more = true;
		return 0;
	}
	page->seen++;
	page->last_seq = entry->seq;
	return page->row(page->ctx, entry, fault);
}

static const char *
format_cursor(struct arena *arena, uint64_t seq)
{
	uint8_t data[8];
	size_t i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(seq >> (56 - 8 * i));
	return cursor_format(arena, CURSOR_KIND, data, sizeof(data));
}

static int
parse_cursor(const char *cursor, uint64_t *seq_r, struct fault *fault)
{
	uint8_t data[8];
	size_t len = 0, i;

	if (cursor_parse(cursor, CURSOR_KIND, data, sizeof(data), &len,
	    fault) < 0)
		return -1;
	*seq_r = 0;
	for (i = 0; i < len; i++)
		*seq_r = *seq_r << 8 | data[i];
	/* No row is below the first; to the store, 0 stands for all. */
	if (len != sizeof(data) || *seq_r == 0 || *seq_r > INT64_MAX)
		return cursor_refuse(cursor, fault);
	return 0;
}

int
audit_service_list(struct service *service, struct arena *arena,
    const struct audit_query *query, audit_listed *row, void *ctx,
    const char **next_cursor_r, struct fault *fault)
{
	struct audit_page page = {
		.row = row,
		.ctx = ctx,
		.limit = query->limit
	};
	uint64_t before = 0;

	*next_cursor_r = NULL;
	if (query->cursor != NULL &&
	    parse_cursor(query->cursor, &before, fault) < 0)
		return -1;
	/* One row more than asked for tells whether there is another page. */
	if (audit_store_list(service->db, &query->tenant_id, before,
	    query->action, query->user_id,
	    query->limit > 0 ? query->limit + 1 : 0, page_row, &page,
	    fault) < 0)
		return fault_prefix(fault, "list the audit trail");
	if (page.has_more)
		*next_cursor_r = format_cursor(arena, page.last_seq);
	return 0;
}

/* --- verify --- */

struct audit_walk {
	const struct crypto_keys *keys;
	struct audit_verdict verdict;
	uint64_t seq;			/* the last row that was good */
	uint8_t hash[CRYPTO_HASH_LEN];
	unsigned in_batch;
};

static void __attribute__((format(printf, 3, 4)))
found_bad(struct audit_walk *walk, uint64_t seq, const char *fmt, ...)
{
	va_list ap;

	if (walk->verdict.bad_seq != 0)
		return;
	walk->verdict.bad_seq = seq;
	va_start(ap, fmt);
	vsnprintf(walk->verdict.why, sizeof(walk->verdict.why), fmt, ap);
	va_end(ap);
}

static bool
is_written_under(const struct audit_walk *walk,
    const uint8_t audit_key[CRYPTO_KEY_LEN], const struct audit_entry *entry)
{
	uint8_t hash[CRYPTO_HASH_LEN];

	audit_chain_hash(audit_key, walk->hash, entry, hash);
	return crypto_is_equal(hash, entry->hash, sizeof(hash));
}

/* A row may have been written under any of the keys, also a retired one. */
static bool
is_genuine(const struct audit_walk *walk, const struct audit_entry *entry)
{
	const struct crypto_keys *keys = walk->keys;
	unsigned i;

	for (i = 0; i < keys->n; i++)
		if (is_written_under(walk, keys->key[i].audit, entry))
			return true;
	for (i = 0; i < keys->nretired; i++)
		if (is_written_under(walk, keys->retired_audit[i], entry))
			return true;
	return false;
}

static int
walk_row(void *ctx, const struct audit_entry *entry, struct fault *fault)
{
	struct audit_walk *walk = ctx;
	unsigned long long expected = walk->seq + 1;

	(void)fault;
	walk->in_batch++;
	if (walk->verdict.bad_seq != 0)
		return 0;
	walk->verdict.rows++;
	if (entry->seq != expected)
		found_bad(walk, expected, "row %llu is missing, row %llu "
		    "follows", expected, (unsigned long long)entry->seq);
	else if (!is_genuine(walk, entry))
		found_bad(walk, entry->seq, "row %llu is not as it was "
		    "written, or was written under an installation key "
		    "that the key file does not know", expected);
	walk->seq = entry->seq;
	memcpy(walk->hash, entry->hash, sizeof(walk->hash));
	return 0;
}

static int
walk_to_the_end(struct service *service, struct audit_walk *walk,
    struct fault *fault)
{
	do {
		walk->in_batch = 0;
		if (audit_store_walk(service->db, &walk->verdict.tenant_id,
		    walk->seq, WALK_BATCH, walk_row, walk, fault) < 0)
			return fault_prefix(fault, "walk the audit trail");
	} while (walk->in_batch == WALK_BATCH && walk->verdict.bad_seq == 0);
	return 0;
}

/* The head is read first: every row up to it was there by then. Changes that
   come meanwhile move both, so a longer trail is judged by a newer head. */
static int
walk_tenant(struct service *service, struct audit_walk *walk,
    struct fault *fault)
{
	uint8_t hash[CRYPTO_HASH_LEN];
	uint64_t head, seen = 0;

	for (;;) {
		head = 0;
		if (audit_store_head(service->db, &walk->verdict.tenant_id,
		    &head, hash, fault) < 0)
			return fault_prefix(fault, "end of the audit trail");
		if (head < walk->seq || (seen > 0 && head == seen &&
		    walk->seq > head)) {
			found_bad(walk, head + 1, "row %llu stands behind the "
			    "end of the trail", (unsigned long long)head + 1);
			return 0;
		}
		if (walk_to_the_end(service, walk, fault) < 0)
			return -1;
		if (walk->verdict.bad_seq != 0)
			return 0;
		if (walk->seq < head)
			found_bad(walk, walk->seq + 1, "rows %llu to %llu "
			    "were cut off", (unsigned long long)walk->seq + 1,
			    (unsigned long long)head);
		else if (walk->seq == head && !crypto_is_equal(hash,
		    walk->hash, sizeof(hash)))
			found_bad(walk, head, "the end of the trail is not "
			    "that of row %llu", (unsigned long long)head);
		if (walk->seq <= head)
			return 0;
		seen = head;
	}
}

static int
verify_one(struct service *service, const struct uuid *tenant_id,
    audit_judged *verdict, void *ctx, struct fault *fault)
{
	struct audit_walk walk;

	memset(&walk, 0, sizeof(walk));
	walk.keys = &service->settings->keys;
	walk.verdict.tenant_id = *tenant_id;
	if (walk_tenant(service, &walk, fault) < 0)
		return -1;
	/* A tenant's birth is its first row. */
	if (walk.verdict.rows == 0 && walk.verdict.bad_seq == 0 &&
	    !uuid_is_nil(tenant_id)) {
		if (service_check_tenant(service, tenant_id, fault) < 0)
			return -1;
		found_bad(&walk, 1, "there is no trail: it was removed, or "
		    "nothing has happened since there are trails");
	}
	verdict(ctx, &walk.verdict);
	return 0;
}

struct verifying {
	audit_judged *verdict;
	void *ctx;
};

/* A tenant that lives but has neither rows nor the end of a trail; who has one
   of them was verified before. */
static int
verify_if_without(struct service *service, const struct uuid *tenant_id,
    void *ctx, struct fault *fault)
{
	const struct verifying *verifying = ctx;
	uint8_t hash[CRYPTO_HASH_LEN];
	struct audit_walk walk;
	uint64_t seq;
	int found;

	found = audit_store_head(service->db, tenant_id, &seq, hash, fault);
	if (found != 0)
		return found < 0 ? -1 : 0;
	memset(&walk, 0, sizeof(walk));
	walk.keys = &service->settings->keys;
	if (audit_store_walk(service->db, tenant_id, 0, 1, walk_row, &walk,
	    fault) < 0)
		return fault_prefix(fault, "walk the audit trail");
	if (walk.in_batch > 0)
		return 0;
	return verify_one(service, tenant_id, verifying->verdict,
	    verifying->ctx, fault);
}

int
audit_service_verify(struct service *service, const struct uuid *tenant_id,
    audit_judged *verdict, void *ctx, struct fault *fault)
{
	struct verifying verifying = { .verdict = verdict, .ctx = ctx };
	struct uuid tenant, after;
	bool is_first = true;
	int found;

	if (tenant_id != NULL)
		return verify_one(service, tenant_id, verdict, ctx, fault);
	for (;;) {
		found = audit_store_next_tenant(service->db,
		    is_first ? NULL : &after, &tenant, fault);
		if (found < 0)
			return fault_prefix(fault, "next audit trail");
		if (found == 0)
			break;
		if (verify_one(service, &tenant, verdict, ctx, fault) < 0)
			return -1;
		after = tenant;
		is_first = false;
	}
	return tenant_visit_all(service, verify_if_without, &verifying,
	    fault);
}
