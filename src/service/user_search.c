/* SPDX-License-Identifier: MIT */
/* What users are found by: the row that searches read, and pages of lists. */
#include "config.h"

#include "user_detail_private.h"

#include "wuts/fault.h"
#include "wuts/user_search_store.h"

#include <string.h>

static void
add_word(struct strbuf *text, const char *word)
{
	if (word[0] == '\0')
		return;
	if (text->len > 0)
		strbuf_append_char(text, ' ');
	strbuf_append_str(text, word);
}

/* §3.1: one text, in this order, single spaces between. */
static void
make_text(struct strbuf *text, const struct user_details *details)
{
	char whole[PHONE_WHOLE_MAX + 1];

	add_word(text, details->profile.first_name);
	add_word(text, details->profile.last_name);
	add_word(text, details->user.username);
	add_word(text, details->user.email);
	for (size_t i = 0; i < details->nemails; i++)
		add_word(text, details->emails[i].email);
	for (size_t i = 0; i < details->nphones; i++) {
		add_word(text, phone_whole(&details->phones[i], whole));
		add_word(text, details->phones[i].phone_number);
	}
}

int
details_index(struct change *change, const struct user_details *details,
    struct fault *fault)
{
	char phone[PHONE_WHOLE_MAX + 1];
	struct strbuf text = STRBUF_INIT;
	int ret;

	(void)user_shape_found(details, phone);
	strbuf_reserve(&text, 256);
	make_text(&text, details);
	ret = user_search_store_put(change->db, &details->user, phone,
	    text.data, fault);
	strbuf_deinit(&text);
	return ret < 0 ? fault_prefix(fault, "index user") : 0;
}

int
details_index_account(struct change *change, const struct user *user,
    struct fault *fault)
{
	struct user_email email;
	struct user_details details;

	memset(&details, 0, sizeof(details));
	details.user = *user;
	if (user->email[0] != '\0') {
		memcpy(email.email, user->email, sizeof(email.email));
		details.emails = &email;
		details.nemails = 1;
	}
	return details_index(change, &details, fault);
}

int
details_count(struct change *change, int by, struct fault *fault)
{
	int moved;

	moved = user_count_store_move(change->db, &change->tenant_id, by,
	    fault);
	if (moved == 0)
		moved = user_count_store_make(change->db, &change->tenant_id,
		    fault);
	return moved < 0 ? fault_prefix(fault, "count users") : 0;
}

/* --- the list --- */

struct listing {
	struct service *service;
	struct arena *arena;
	user_found_row *row;
	void *ctx;
	unsigned n;
};

static int
list_row(void *ctx, const struct user_summary *user, struct fault *fault)
{
	struct listing *listing = ctx;
	struct user_found found = {
		.id = user->id,
		.first_name = user->first_name,
		.last_name = user->last_name,
		.username = user->username,
		.email = user->email,
		.phone = user->phone,
		.picture_url = picture_url(listing->service->settings,
		    listing->arena, user->picture),
		.created_us = user->created_us,
		.updated_us = user->updated_us
	};

	listing->n++;
	return listing->row(listing->ctx, &found, fault);
}

static const enum user_sort sorts[] = {
	[USER_BY_CREATION] = USER_SORT_CREATED,
	[USER_BY_USERNAME] = USER_SORT_USERNAME,
	[USER_BY_EMAIL] = USER_SORT_EMAIL,
	[USER_BY_PHONE] = USER_SORT_PHONE,
};

static int
count_users(struct service *service, const struct uuid *tenant_id,
    uint64_t *n_r, struct fault *fault)
{
	int found;

	found = user_count_store_find(service->db, tenant_id, n_r, fault);
	if (found != 0)
		return found < 0 ? -1 : 0;
	return user_search_store_count_with(service->db, tenant_id,
	    USER_SORT_CREATED, n_r, fault);
}

/* Those without what is sorted by follow behind those with it, in either
   order. */
static int
list_without(struct listing *listing, struct user_page *page,
    struct fault *fault)
{
	struct service *service = listing->service;
	uint64_t with = 0;

	if (page->sort == USER_SORT_CREATED || listing->n >= page->limit)
		return 0;
	if (listing->n == 0 && page->offset > 0 &&
	    user_search_store_count_with(service->db, &page->tenant_id,
	    page->sort, &with, fault) < 0)
		return -1;
	page->offset = page->offset > with && listing->n == 0 ?
	    page->offset - with : 0;
	page->limit -= listing->n;
	page->is_without = true;
	return user_search_store_page(service->db, page, list_row, listing,
	    fault);
}

/* A look at all texts is dear. A page that is not full tells how many match. */
static int
list_matching(struct listing *listing, const struct user_page *page,
    uint64_t *total_r, struct fault *fault)
{
	struct service *service = listing->service;

	if (page->limit > 0 && user_search_store_page(service->db, page,
	    list_row, listing, fault) < 0)
		return -1;
	*total_r = page->offset + listing->n;
	if (listing->n < page->limit && (listing->n > 0 || page->offset == 0))
		return 0;
	return user_search_store_count_matches(service->db, &page->tenant_id,
	    page->search, total_r, fault);
}

static int
list_all(struct listing *listing, struct user_page *page, uint64_t *total_r,
    struct fault *fault)
{
	struct service *service = listing->service;

	if (count_users(service, &page->tenant_id, total_r, fault) < 0)
		return -1;
	if (page->limit == 0 || page->offset >= *total_r)
		return 0;
	if (user_search_store_page(service->db, page, list_row, listing,
	    fault) < 0)
		return -1;
	return list_without(listing, page, fault);
}

int
user_detail_service_list(struct service *service, struct arena *arena,
    const struct caller *caller, const struct user_query *query,
    user_found_row *row, void *ctx, uint64_t *total_r, struct fault *fault)
{
	struct listing listing = {
		.service = service, .arena = arena, .row = row, .ctx = ctx
	};
	struct user_page page = {
		.tenant_id = caller->identity.tenant_id,
		.sort = sorts[query->order],
		.descending = query->descending,
		.search = query->search,
		.limit = query->limit,
		.offset = query->offset
	};
	int ret;

	if (details_check_caller(caller, fault) < 0)
		return -1;
	ret = query->search != NULL ?
	    list_matching(&listing, &page, total_r, fault) :
	    list_all(&listing, &page, total_r, fault);
	return ret < 0 ? fault_prefix(fault, "list users") : 0;
}
