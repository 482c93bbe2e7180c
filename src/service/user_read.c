/* SPDX-License-Identifier: MIT */
/* Use cases that read users: one, and the list of a tenant's, with the token of
   each, masked unless the settings want it whole. */
#include "config.h"

#include "wuts/user_service.h"

#include "service_private.h"
#include "wuts/fault.h"
#include "wuts/settings.h"

#include <string.h>

#define CURSOR_KIND 'u'

/* --- one --- */

/* What came along with the caller in this request. Whoever asks for a user
   takes it, or leaves it for nobody. */
static bool
take_fetched(struct service *service, const struct identity *identity,
    const struct uuid *id, struct user *user_r, int *found_r)
{
	struct fetched_user *fetched = &service->fetched;
	bool is_set = fetched->is_set;

	fetched->is_set = false;
	if (!is_set || identity->kind != IDENTITY_USER ||
	    !uuid_is_equal(&fetched->caller_id, &identity->user_id) ||
	    !uuid_is_equal(&fetched->id, id))
		return false;
	*user_r = fetched->user;
	*found_r = fetched->is_there;
	return true;
}

static int
find_user(struct service *service, const struct identity *identity,
    const struct uuid *id, struct user *user_r, struct fault *fault)
{
	bool is_super = identity_is_super(identity);
	const struct user *remembered;
	struct memory_read read;
	int found;

	if (take_fetched(service, identity, id, user_r, &found))
		return found;
	remembered = memory_find(service, &service->users, id,
	    is_super ? NULL : &identity->tenant_id, id, &read);
	if (remembered != NULL) {
		*user_r = *remembered;
		return 1;
	}
	memset(user_r, 0, sizeof(*user_r));
	if (is_super)
		found = user_store_find_any_tenant(service->db, id, user_r,
		    fault);
	else
		found = user_store_find(service->db, &identity->tenant_id, id,
		    user_r, fault);
	if (found == 1)
		memory_put(service, &service->users, id, user_r, &read);
	return found;
}

int
user_service_get(struct service *service, const struct caller *caller,
    const struct uuid *id, struct user *user_r, struct fault *fault)
{
	int found;

	found = find_user(service, &caller->identity, id, user_r, fault);
	if (found < 0)
		return fault_prefix(fault, "find user");
	if (found == 0)
		return fault_say(fault, REFUSAL_USER_NOT_FOUND,
		    "user not found");
	return user_check_manage(&caller->identity, user_r, MANAGE_VIEW,
	    fault);
}

/* --- the list --- */

struct user_page {
	const struct settings *settings;
	user_listed *row;
	void *ctx;
	unsigned limit;
	unsigned seen;
	bool has_more;
	struct uuid last;
};

/* 8f7e…5a60 */
static void
mask_token(const char *token, char out[16])
{
	static const char ellipsis[] = "\xe2\x80\xa6";

	memcpy(out, token, 4);
	memcpy(out + 4, ellipsis, 3);
	memcpy(out + 7, token + UUID_TEXT_LEN - 4, 4);
	out[11] = '\0';
}

static int
page_row(void *ctx, const struct user *user,
    const uint8_t token_sealed[USER_TOKEN_SEALED_LEN], struct fault *fault)
{
	struct user_page *page = ctx;
	char token[UUID_TEXT_LEN + 1], masked[16];
	int ret;

	if (page->limit > 0 && page->seen == page->limit) {
		page->has_more = true;
		return 0;
	}
	page->seen++;
	page->last = user->id;
	if (!crypto_open(&page->settings->keys, user->id.b,
	    sizeof(user->id.b), token_sealed, USER_TOKEN_SEALED_LEN, token))
		return fault_set(fault, FAULT_INTERNAL,
		    "the token of user %s does not open: is this the "
		    "installation key it was sealed with?",
		    uuid_format(&user->id, token));
	token[UUID_TEXT_LEN] = '\0';
	mask_token(token, masked);
	ret = page->row(page->ctx, user,
	    page->settings->show_tokens ? token : masked, fault);
	crypto_wipe(token, sizeof(token));
	return ret;
}

int
user_service_list(struct service *service, struct arena *arena,
    const struct uuid *tenant_id, const char *cursor, unsigned limit,
    user_listed *row, void *ctx, const char **next_cursor_r,
    struct fault *fault)
{
	struct user_page page = {
		.settings = service->settings,
		.row = row,
		.ctx = ctx,
		.limit = limit
	};
	struct uuid after;

	*next_cursor_r = NULL;
	if (cursor != NULL &&
	    cursor_parse_id(cursor, CURSOR_KIND, &after, fault) < 0)
		return -1;
	/* One row more than asked for tells whether there is another page. */
	if (user_store_list(service->db, tenant_id,
	    cursor != NULL ? &after : NULL, limit > 0 ? limit + 1 : 0,
	    page_row, &page, fault) < 0)
		return fault_prefix(fault, "list users");
	/* Every tenant has a user, so an empty list may be that of none. */
	if (page.seen == 0)
		return service_check_tenant(service, tenant_id, fault);
	if (page.has_more)
		*next_cursor_r = cursor_format(arena, CURSOR_KIND,
		    page.last.b, sizeof(page.last.b));
	return 0;
}

char *
user_service_etag(const struct user *user, char buf[USER_ETAG_SIZE])
{
	return etag_format(user->updated_us, buf);
}
