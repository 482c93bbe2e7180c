/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store_test.h"

#include "wuts/user_policy_store.h"
#include "wuts/user_profile_store.h"
#include "wuts/user_search_store.h"

#include <stdio.h>
#include <string.h>

struct seen {
	size_t n;
	char names[64];
};

static int
see(void *ctx, const struct user_summary *user, struct fault *fault)
{
	struct seen *seen = ctx;

	(void)fault;
	assert_true(strlen(seen->names) + strlen(user->email) + 2 <
	    sizeof(seen->names));
	if (seen->n++ > 0)
		strcat(seen->names, " ");
	strncat(seen->names, user->email, strcspn(user->email, "@"));
	return 0;
}

static struct user
add_indexed(struct fixture *f, const struct tenant *tenant,
    const char *email, const char *username, const char *phone,
    const char *text)
{
	struct user user = add_user(f, tenant, email, ROLE_USER);

	strcpy(user.username, username);
	assert_int_equal(user_store_update_account(f->db, &user, &f->fault),
	    1);
	assert_int_equal(user_search_store_put(f->db, &user, phone, text,
	    &f->fault), 0);
	return user;
}

static const char *
page(struct fixture *f, const struct tenant *tenant, enum user_sort sort,
    bool descending, bool is_without, const char *search)
{
	static struct seen seen;
	struct user_page page = {
		.tenant_id = tenant->id,
		.sort = sort,
		.descending = descending,
		.is_without = is_without,
		.search = search,
		.limit = 10
	};

	memset(&seen, 0, sizeof(seen));
	if (user_search_store_page(f->db, &page, see, &seen, &f->fault) < 0)
		fail_msg("%s", f->fault.text);
	return seen.names;
}

static void
pages_are_sorted_each_way_and_stay_in_their_tenant(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "sorted");
	struct tenant other = add_tenant(f, "sorted elsewhere");

	add_indexed(f, &tenant, "B@example.com", "zoe", "", "one");
	add_indexed(f, &tenant, "a@example.com", "", "+2", "two");
	add_indexed(f, &tenant, "c@example.com", "Abe", "+1", "three");
	add_indexed(f, &other, "x@example.com", "xavier", "+3", "two");
	assert_string_equal(page(f, &tenant, USER_SORT_CREATED, false, false,
	    NULL), "B a c");
	assert_string_equal(page(f, &tenant, USER_SORT_CREATED, true, false,
	    NULL), "c a B");
	assert_string_equal(page(f, &tenant, USER_SORT_EMAIL, false, false,
	    NULL), "a B c");
	assert_string_equal(page(f, &tenant, USER_SORT_EMAIL, true, false,
	    NULL), "c B a");
	assert_string_equal(page(f, &tenant, USER_SORT_USERNAME, false, false,
	    NULL), "c B");
	assert_string_equal(page(f, &tenant, USER_SORT_USERNAME, true, true,
	    NULL), "a");
	assert_string_equal(page(f, &tenant, USER_SORT_PHONE, false, false,
	    NULL), "c a");
	assert_string_equal(page(f, &tenant, USER_SORT_PHONE, false, true,
	    NULL), "B");
	assert_string_equal(page(f, &tenant, USER_SORT_USERNAME, true, false,
	    "o"), "B a");
	assert_string_equal(page(f, &tenant, USER_SORT_PHONE, true, false,
	    "E"), "c B");
}

static void
a_search_is_for_any_part_in_any_case_and_nothing_is_a_wildcard(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "searched");
	struct user user;

	user = add_indexed(f, &tenant, "u@example.com", "", "",
	    "\xc3\x89mile 100% a_b \\");
	assert_string_equal(page(f, &tenant, USER_SORT_CREATED, false, false,
	    "\xc3\xa9MIL"), "u");
	assert_string_equal(page(f, &tenant, USER_SORT_CREATED, false, false,
	    "emil"), "");
	assert_string_equal(page(f, &tenant, USER_SORT_CREATED, false, false,
	    "0% A_B \\"), "u");
	assert_string_equal(page(f, &tenant, USER_SORT_CREATED, false, false,
	    "1_0"), "");
	assert_string_equal(page(f, &tenant, USER_SORT_CREATED, false, false,
	    "1%0"), "");
	/* What is put again takes the place of what was. */
	assert_int_equal(user_search_store_put(f->db, &user, "", "new",
	    &f->fault), 0);
	assert_string_equal(page(f, &tenant, USER_SORT_CREATED, false, false,
	    "100"), "");
	assert_string_equal(page(f, &tenant, USER_SORT_CREATED, false, false,
	    "ew"), "u");
}

static void
users_are_counted_once_and_moved_on(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "counted");
	uint64_t n = 99;

	add_user(f, &tenant, "1@example.com", ROLE_USER);
	add_user(f, &tenant, "2@example.com", ROLE_USER);
	assert_int_equal(user_count_store_find(f->db, &tenant.id, &n,
	    &f->fault), 0);
	assert_int_equal(user_count_store_move(f->db, &tenant.id, 1,
	    &f->fault), 0);
	assert_int_equal(user_count_store_make(f->db, &tenant.id,
	    &f->fault), 0);
	assert_int_equal(user_count_store_find(f->db, &tenant.id, &n,
	    &f->fault), 1);
	assert_int_equal(n, 2);
	assert_int_equal(user_count_store_move(f->db, &tenant.id, -1,
	    &f->fault), 1);
	assert_int_equal(user_count_store_find(f->db, &tenant.id, &n,
	    &f->fault), 1);
	assert_int_equal(n, 1);
	/* Rows that came past everything: what cannot be is counted anew. */
	assert_int_equal(user_count_store_move(f->db, &tenant.id, -2,
	    &f->fault), 0);
	assert_int_equal(user_count_store_make(f->db, &tenant.id,
	    &f->fault), 0);
	assert_int_equal(user_count_store_find(f->db, &tenant.id, &n,
	    &f->fault), 1);
	assert_int_equal(n, 2);
}

static void
profile_and_policy_have_defaults_until_they_are_written(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "profiled");
	struct user user = add_user(f, &tenant, "p@example.com", ROLE_USER);
	struct user_profile profile;
	struct user_policy policy, out;

	assert_int_equal(user_profile_store_find(f->db, f->arena, &tenant.id,
	    &user.id, &profile, &f->fault), 0);
	assert_int_equal(profile.second_factor_policy,
	    SECOND_FACTOR_OPTIONAL);
	assert_string_equal(profile.availability, "away");
	assert_null(profile.public_metadata);
	strcpy(profile.first_name, "Ada");
	profile.public_metadata = "{\"n\":18446744073709551615}";
	profile.password_reset_us = SOME_TIME_US;
	assert_int_equal(user_profile_store_put(f->db, &profile, &f->fault),
	    0);
	memset(&profile, 0, sizeof(profile));
	assert_int_equal(user_profile_store_find(f->db, f->arena, &tenant.id,
	    &user.id, &profile, &f->fault), 1);
	assert_string_equal(profile.first_name, "Ada");
	assert_string_equal(profile.public_metadata,
	    "{\"n\":18446744073709551615}");
	assert_null(profile.private_metadata);
	assert_int_equal(profile.password_reset_us, SOME_TIME_US);

	assert_int_equal(user_policy_store_find(f->db, &tenant.id, &policy,
	    &f->fault), 0);
	assert_true(policy.names_required);
	policy.names_required = false;
	policy.username_max = 77;
	for (int i = 0; i < 2; i++)
		assert_int_equal(user_policy_store_put(f->db, &tenant.id,
		    &policy, SOME_TIME_US, &f->fault), 0);
	assert_int_equal(user_policy_store_find(f->db, &tenant.id, &out,
	    &f->fault), 1);
	assert_false(out.names_required);
	assert_int_equal(out.username_max, 77);
	assert_true(out.password_special);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    pages_are_sorted_each_way_and_stay_in_their_tenant),
		cmocka_unit_test(
		    a_search_is_for_any_part_in_any_case_and_nothing_is_a_wildcard),
		cmocka_unit_test(users_are_counted_once_and_moved_on),
		cmocka_unit_test(
		    profile_and_policy_have_defaults_until_they_are_written),
	};

	return cmocka_run_group_tests(tests, store_test_begin, store_test_end);
}
