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

#include <string.h>

/* The columns' sizes, in characters; so many bytes always fit. */
#define REQUEST_ID_MAX 128
#define ADDRESS_MAX 64

/* Part of the hash: never to be changed. */
static const char *const kind_names[] = {
	[IDENTITY_NONE] = "none",
	[IDENTITY_USER] = "user",
	[IDENTITY_KEY] = "api_key",
	[IDENTITY_MASTER] = "master",
	[IDENTITY_ENGINE] = "engine",
	[IDENTITY_OPERATOR] = "operator",
};

static void
put_number(struct strbuf *out, uint64_t number, unsigned bytes)
{
	while (bytes-- > 0)
		strbuf_append_char(out, (char)(number >> 8 * bytes & 0xff));
}

/* Every field with its length in front: no two rows read the same. */
static void
put_field(struct strbuf *out, const void *data, size_t len)
{
	put_number(out, len, 4);
	strbuf_append(out, data, len);
}

static void
put_text(struct strbuf *out, const char *text)
{
	if (text == NULL)
		put_number(out, UINT32_MAX, 4);
	else
		put_field(out, text, strlen(text));
}

static void
put_uuid(struct strbuf *out, const struct uuid *uuid)
{
	put_field(out, uuid->b, sizeof(uuid->b));
}

static void
put_actor(struct strbuf *out, const struct identity *actor)
{
	put_text(out, kind_names[actor->kind]);
	if (actor->kind == IDENTITY_USER)
		put_uuid(out, &actor->user_id);
	else if (actor->kind == IDENTITY_KEY)
		put_uuid(out, &actor->key_id);
	else
		put_text(out, NULL);
	put_text(out, actor->kind == IDENTITY_USER ?
	    role_name(actor->role) : NULL);
}

void
audit_chain_hash(const uint8_t audit_key[CRYPTO_KEY_LEN],
    const uint8_t previous[CRYPTO_HASH_LEN], const struct audit_entry *entry,
    uint8_t hash_r[CRYPTO_HASH_LEN])
{
	struct strbuf row = STRBUF_INIT;

	strbuf_append(&row, previous, CRYPTO_HASH_LEN);
	put_uuid(&row, &entry->tenant_id);
	put_number(&row, entry->seq, 8);
	put_uuid(&row, &entry->id);
	put_actor(&row, &entry->actor);
	put_text(&row, entry->action);
	put_uuid(&row, &entry->target_id);
	put_text(&row, entry->old_value);
	put_text(&row, entry->new_value);
	put_text(&row, entry->request_id);
	put_text(&row, entry->address);
	put_number(&row, (uint64_t)entry->created_us, 8);
	crypto_hmac_sha256(audit_key, CRYPTO_KEY_LEN, row.data, row.len,
	    hash_r);
	strbuf_deinit(&row);
}

/* Outside text is cut, so that an odd one never makes a change fail; at the
   start of a character, so that the row reads back as it was hashed. */
static const char *
cut(const char *text, size_t max_len, char *buf)
{
	size_t len;

	if (text == NULL)
		return "";
	len = strlen(text);
	if (len <= max_len)
		return text;
	for (len = max_len; len > 0 && (text[len] & 0xc0) == 0x80; len--)
		continue;
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
