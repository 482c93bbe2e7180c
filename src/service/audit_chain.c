/* SPDX-License-Identifier: MIT */
/* The audit trail, row by row. Each row's hash is an HMAC over the hash before
   it and every column of its own, so no row can be edited or taken out without
   the key; the head of the chain is moved once a change, however many rows that
   writes. */
#include "config.h"

#include "service_private.h"

#include "wuts/audit.h"
#include "wuts/audit_store.h"
#include "wuts/fault.h"
#include "wuts/settings.h"
#include "wuts/utf8.h"

#include <string.h>

/* The columns' sizes, in characters; so many bytes always fit. */
#define REQUEST_ID_MAX 128
#define ADDRESS_MAX 64

/* Outside text is cut, so that an odd one never makes a change fail; at the
   start of a character, so that the row reads back as it was hashed. */
static const char *
cut(const char *text, size_t max_len, char *buf)
{
	size_t len;

	if (text == NULL)
		return "";
	len = utf8_prefix_len(text, max_len);
	if (text[len] == '\0')
		return text;
	memcpy(buf, text, len);
	buf[len] = '\0';
	return buf;
}

/* The head came along with the tenant's lock, unless this is a new tenant, or
   none. */
static int
need_head(struct change *change, struct fault *fault)
{
	struct audit_chain *chain = &change->chain;

	if (chain->is_read)
		return 0;
	if (audit_store_head(change->db, &change->tenant_id, &chain->seq,
	    chain->hash, fault) < 0)
		return fault_prefix(fault, "end of the audit trail");
	chain->is_read = true;
	return 0;
}

int
change_audit(struct change *change, const char *action,
    const struct uuid *target_id, const char *old_value,
    const char *new_value, struct fault *fault)
{
	const struct crypto_keys *keys = &change->service->settings->keys;
	char request_id[REQUEST_ID_MAX + 1], address[ADDRESS_MAX + 1];
	struct audit_chain *chain = &change->chain;
	struct audit_entry entry;

	if (need_head(change, fault) < 0)
		return -1;
	memset(&entry, 0, sizeof(entry));
	uuid_new_ordered(&entry.id);
	entry.tenant_id = change->tenant_id;
	entry.actor = change->identity;
	entry.action = action;
	entry.target_id = *target_id;
	entry.old_value = old_value;
	entry.new_value = new_value;
	entry.request_id = cut(change->caller->request_id, REQUEST_ID_MAX,
	    request_id);
	entry.address = cut(change->caller->address, ADDRESS_MAX, address);
	entry.created_us = change->now_us;
	entry.seq = chain->seq + 1;
	audit_chain_hash(keys->key[0].audit, chain->hash, &entry, entry.hash);
	if (audit_store_insert(change->db, &entry, fault) < 0)
		return fault_prefix(fault, "audit %s", action);
	chain->seq = entry.seq;
	memcpy(chain->hash, entry.hash, sizeof(chain->hash));
	chain->has_grown = true;
	change->changed = true;
	return 0;
}

int
change_close_audit(struct change *change, struct fault *fault)
{
	const struct audit_chain *chain = &change->chain;

	if (!chain->has_grown)
		return 0;
	if (audit_store_set_head(change->db, &change->tenant_id, chain->seq,
	    chain->hash, fault) < 0)
		return fault_prefix(fault, "end of the audit trail");
	return 0;
}
