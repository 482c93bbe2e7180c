/* SPDX-License-Identifier: MIT */
/* What a row of the audit trail is hashed over: the hash before it and every
   column of its own, so that no row can be edited or taken out without the key.
   Pure. */
#include "config.h"

#include "wuts/audit.h"

#include "wuts/strbuf.h"

#include <string.h>

static const char *const actor_words[] = {
	[IDENTITY_NONE] = "none",
	[IDENTITY_USER] = "user",
	[IDENTITY_KEY] = "api_key",
	[IDENTITY_MASTER] = "master",
	[IDENTITY_ENGINE] = "engine",
	[IDENTITY_OPERATOR] = "operator",
};

const char *
audit_actor_word(enum identity_kind kind)
{
	return actor_words[kind];
}

bool
audit_actor_parse(const char *word, enum identity_kind *kind_r)
{
	for (size_t i = 0; i < sizeof(actor_words) / sizeof(actor_words[0]);
	    i++) {
		if (strcmp(word, actor_words[i]) == 0) {
			*kind_r = (enum identity_kind)i;
			return true;
		}
	}
	return false;
}

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
	put_text(out, audit_actor_word(actor->kind));
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
