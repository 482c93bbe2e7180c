/* SPDX-License-Identifier: MIT */
/* Lists of a tenant's users, searched and sorted (spec/wacht.md §3.1): table
   user_search, and pages of users. Every call: FAULT_DATABASE on -1. */
#ifndef WUTS_USER_SEARCH_STORE_H
#define WUTS_USER_SEARCH_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wuts/picture.h"
#include "wuts/user.h"
#include "wuts/user_phone.h"
#include "wuts/user_profile.h"

struct db;
struct fault;

/* What user is found and sorted by. phone and text may be "". */
int user_search_store_put(struct db *db, const struct user *user,
    const char *phone, const char *text, struct fault *fault);

enum user_sort {
	USER_SORT_CREATED,
	USER_SORT_USERNAME,
	USER_SORT_EMAIL,
	USER_SORT_PHONE,
	USER_SORT_COUNT
};

/* A page of a list. Without a search, users that have what is sorted by and
   users that do not are two lists: the second one is in the order of ids. */
struct user_page {
	struct uuid tenant_id;
	enum user_sort sort;
	bool descending;
	bool is_without;
	const char *search;	/* NULL: none; as it was typed */
	unsigned limit;
	uint64_t offset;
};

struct user_summary {
	struct uuid id;
	char email[USER_EMAIL_MAX + 1];
	char username[USER_USERNAME_MAX + 1];
	char phone[PHONE_WHOLE_MAX + 1];
	char first_name[USER_NAME_BYTES + 1];
	char last_name[USER_NAME_BYTES + 1];
	char picture[PICTURE_NAME_MAX + 1];
	int64_t created_us;
	int64_t updated_us;
};
typedef int user_summary_row(void *ctx, const struct user_summary *user,
    struct fault *fault);
int user_search_store_page(struct db *db, const struct user_page *page,
    user_summary_row *row, void *ctx, struct fault *fault);

/* Table user_count. 1: *n_r users; 0: nobody has counted; -1. */
int user_count_store_find(struct db *db, const struct uuid *tenant_id,
    uint64_t *n_r, struct fault *fault);
/* Under the tenant's lock. 1: counted on by so many; 0: there is no row, or one
   that cannot be right; -1. */
int user_count_store_move(struct db *db, const struct uuid *tenant_id, int by,
    struct fault *fault);
/* Count them. 0 / -1. */
int user_count_store_make(struct db *db, const struct uuid *tenant_id,
    struct fault *fault);

/* How many users match / have what is sorted by (all of them have
   USER_SORT_CREATED). 0 / -1. */
int user_search_store_count_matches(struct db *db,
    const struct uuid *tenant_id, const char *search, uint64_t *n_r,
    struct fault *fault);
int user_search_store_count_with(struct db *db, const struct uuid *tenant_id,
    enum user_sort sort, uint64_t *n_r, struct fault *fault);

#endif
