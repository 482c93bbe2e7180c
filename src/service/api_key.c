/* SPDX-License-Identifier: MIT */
/* Use cases on API keys. The text of a key exists once, in the answer to its
   creation: kept are its keyed hash and its first characters. */
#include "config.h"

#include "wuts/api_key_service.h"

#include "service_private.h"
#include "wuts/api_key_store.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/settings.h"

#include <string.h>

#define CURSOR_KIND 'k'
#define TEXT_START "wuts_"

/* --- create --- */

struct key_creation {
	struct api_key *key;
	uint8_t hash[CRYPTO_HASH_LEN];
};

/* 40 of 62 characters, each as likely: 238 bits. */
static void
make_text(char text_r[API_KEY_TEXT_LEN + 1])
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	const size_t letters = sizeof(alphabet) - 1;
	size_t n = sizeof(TEXT_START) - 1;
	uint8_t random[16], i;

	memcpy(text_r, TEXT_START, n);
	while (n < API_KEY_TEXT_LEN) {
		crypto_random(random, sizeof(random));
		for (i = 0; i < sizeof(random) && n < API_KEY_TEXT_LEN; i++)
			/* 248 is four times 62; the rest would favour some. */
			if (random[i] < 248)
				text_r[n++] = alphabet[random[i] % letters];
	}
	text_r[n] = '\0';
	crypto_wipe(random, sizeof(random));
}

static void
describe(struct strbuf *out, const struct api_key *key)
{
	char time[CLOCK_RFC3339_SIZE];
	struct json_writer w;

	json_writer_init(&w, out);
	json_write_object_begin(&w);
	json_member_text(&w, "name", key->name);
	json_member_text(&w, "prefix", key->prefix);
	json_member_text(&w, "scope", api_key_scope_name(key->scope));
	json_write_key(&w, "expires_at");
	if (key->expires_us != 0)
		json_write_string(&w, clock_format(key->expires_us, time));
	else
		json_write_null(&w);
	json_write_object_end(&w);
}

static int
enter_tenant(struct change *change, struct fault *fault)
{
	if (change_lock_tenant(change, fault) < 0 ||
	    change_judge_caller(change, fault) < 0)
		return -1;
	return service_is_admin(&change->identity, &change->tenant_id) ? 0 :
	    service_refuse_forbidden(fault);
}

static int
create_body(struct change *change, void *ctx, struct fault *fault)
{
	struct key_creation *creation = ctx;
	struct api_key *key = creation->key;
	struct strbuf value = STRBUF_INIT;
	int ret;

	if (enter_tenant(change, fault) < 0)
		return -1;
	key->created_us = change->now_us;
	if (api_key_store_insert(change->db, key, creation->hash, fault) < 0)
		return fault_prefix(fault, "insert API key");
	describe(&value, key);
	ret = change_audit(change, "api_key.created", &key->id, NULL,
	    value.data, fault);
	strbuf_deinit(&value);
	return ret;
}

static int
check_input(const struct api_key_input *input, struct api_key *key,
    struct fault *fault)
{
	const char *problem;

	problem = input->name == NULL ? "is required" :
	    api_key_name_check(input->name, key->name);
	if (problem != NULL)
		fault_add_field(fault, "name", problem, input->name);
	key->scope = API_KEY_FULL;
	if (input->scope != NULL &&
	    !api_key_scope_parse(input->scope, &key->scope))
		fault_add_field(fault, "scope", "must be full or read",
		    input->scope);
	if (input->expires_at != NULL &&
	    !clock_parse(input->expires_at, &key->expires_us))
		fault_add_field(fault, "expires_at",
		    "must be an RFC 3339 date and time", input->expires_at);
	else if (input->expires_at != NULL &&
	    key->expires_us <= clock_wall_us())
		fault_add_field(fault, "expires_at",
		    "must be in the future", input->expires_at);
	return fault->nfields > 0 ? service_refuse_fields(fault) : 0;
}

int
api_key_service_create(struct service *service, const struct caller *caller,
    const struct api_key_input *input, struct api_key *key_r,
    char text_r[API_KEY_TEXT_LEN + 1], struct fault *fault)
{
	const struct crypto_keys *keys = &service->settings->keys;
	struct key_creation creation = { .key = key_r };

	memset(key_r, 0, sizeof(*key_r));
	memset(text_r, 0, API_KEY_TEXT_LEN + 1);
	fault_clear(fault);
	if (!service_is_admin(&caller->identity, &input->tenant_id))
		return service_refuse_forbidden(fault);
	if (check_input(input, key_r, fault) < 0)
		return -1;
	uuid_new_ordered(&key_r->id);
	key_r->tenant_id = input->tenant_id;
	make_text(text_r);
	memcpy(key_r->prefix, text_r, API_KEY_PREFIX_LEN);
	service_api_key_hash(&keys->key[0], text_r, creation.hash);
	if (change_run(service, caller, &input->tenant_id, create_body,
	    &creation, fault) == 0)
		return 0;
	crypto_wipe(text_r, API_KEY_TEXT_LEN + 1);
	return fault_prefix(fault, "create API key");
}

/* --- the list --- */

struct key_page {
	api_key_listed *row;
	void *ctx;
	unsigned limit;
	unsigned seen;
	bool has_more;
	struct uuid last;
};

static int
page_row(void *ctx, const struct api_key *key, struct fault *fault)
{
	struct key_page *page = ctx;

	if (page->limit > 0 && page->seen == page->limit) {
		page->has_more = true;
		return 0;
	}
	page->seen++;
	page->last = key->id;
	return page->row(page->ctx, key, fault);
}

int
api_key_service_list(struct service *service, struct arena *arena,
    const struct uuid *tenant_id, const char *cursor, unsigned limit,
    api_key_listed *row, void *ctx, const char **next_cursor_r,
    struct fault *fault)
{
	struct key_page page = { .row = row, .ctx = ctx, .limit = limit };
	struct uuid after;

	*next_cursor_r = NULL;
	if (cursor != NULL &&
	    cursor_parse_id(cursor, CURSOR_KIND, &after, fault) < 0)
		return -1;
	/* One row more than asked for tells whether there is another page. */
	if (api_key_store_list(service->db, tenant_id,
	    cursor != NULL ? &after : NULL, limit > 0 ? limit + 1 : 0,
	    page_row, &page, fault) < 0)
		return fault_prefix(fault, "list API keys");
	if (page.seen == 0)
		return service_check_tenant(service, tenant_id, fault);
	if (page.has_more)
		*next_cursor_r = cursor_format(arena, CURSOR_KIND,
		    page.last.b, sizeof(page.last.b));
	return 0;
}

/* --- delete --- */

static int
delete_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct uuid *id = ctx;
	struct strbuf value = STRBUF_INIT;
	struct api_key key;
	int ret;

	if (enter_tenant(change, fault) < 0)
		return -1;
	memset(&key, 0, sizeof(key));
	ret = api_key_store_delete(change->db, &change->tenant_id, id, &key,
	    fault);
	if (ret < 0)
		return fault_prefix(fault, "delete API key");
	if (ret == 0)
		return fault_say(fault, REFUSAL_NOT_FOUND,
		    "API key not found");
	describe(&value, &key);
	ret = change_audit(change, "api_key.deleted", id, value.data, NULL,
	    fault);
	strbuf_deinit(&value);
	return ret;
}

int
api_key_service_delete(struct service *service, const struct caller *caller,
    const struct uuid *tenant_id, const struct uuid *id, struct fault *fault)
{
	struct uuid target = *id;

	fault_clear(fault);
	if (!service_is_admin(&caller->identity, tenant_id))
		return service_refuse_forbidden(fault);
	if (change_run(service, caller, tenant_id, delete_body, &target,
	    fault) < 0)
		return fault_prefix(fault, "delete API key");
	return 0;
}
