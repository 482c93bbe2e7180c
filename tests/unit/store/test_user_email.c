/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store_test.h"

#include "wuts/user_email_store.h"

#include <string.h>

static struct user_email
make_email(const struct user *user, const char *text, bool is_primary)
{
	struct user_email email;

	memset(&email, 0, sizeof(email));
	uuid_new_ordered(&email.id);
	email.tenant_id = user->tenant_id;
	email.user_id = user->id;
	strcpy(email.email, text);
	strcpy(email.strategy, USER_EMAIL_OTP);
	email.is_primary = is_primary;
	email.created_us = email.updated_us = SOME_TIME_US;
	return email;
}

static int
add_email(struct fixture *f, const struct user *user, const char *text,
    bool is_primary)
{
	struct user_email email = make_email(user, text, is_primary);

	return user_email_store_insert(f->db, &email, &f->fault);
}

struct seen_emails {
	size_t n;
	struct user_email row[4];
};

static int
see(void *ctx, const struct user_email *email, struct fault *fault)
{
	struct seen_emails *seen = ctx;

	(void)fault;
	assert_true(seen->n < 4);
	seen->row[seen->n++] = *email;
	return 0;
}

static void
address_is_unique_in_its_tenant_over_all_users(void **state)
{
	struct fixture *f = *state;
	struct tenant own = add_tenant(f, "own addresses");
	struct tenant other = add_tenant(f, "other addresses");
	struct user one = add_user(f, &own, "1@example.com", ROLE_USER);
	struct user two = add_user(f, &own, "2@example.com", ROLE_USER);
	struct user far = add_user(f, &other, "1@example.com", ROLE_USER);

	assert_int_equal(add_email(f, &one, "X@example.com", false), 1);
	assert_int_equal(add_email(f, &one, "x@example.com", false), 0);
	assert_int_equal(add_email(f, &two, "x@EXAMPLE.com", false), 0);
	assert_int_equal(add_email(f, &far, "x@example.com", false), 1);
}

static void
update_writes_all_but_ids_and_refuses_a_taken_address(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "updated addresses");
	struct user user = add_user(f, &tenant, "u@example.com", ROLE_USER);
	struct user_email email = make_email(&user, "a@example.com", false);
	struct user_email out;

	assert_int_equal(user_email_store_insert(f->db, &email, &f->fault), 1);
	assert_int_equal(add_email(f, &user, "b@example.com", false), 1);
	strcpy(email.email, "B@example.com");
	assert_int_equal(user_email_store_update(f->db, &email, &f->fault), 0);
	strcpy(email.email, "A@Example.com");	/* its own in other case */
	email.verified = email.is_primary = true;
	email.verified_us = SOME_TIME_US + 1;
	email.updated_us = SOME_TIME_US + 2;
	assert_int_equal(user_email_store_update(f->db, &email, &f->fault), 1);
	assert_int_equal(user_email_store_find(f->db, &tenant.id, &user.id,
	    &email.id, &out, &f->fault), 1);
	assert_string_equal(out.email, "A@Example.com");
	assert_true(out.verified && out.is_primary);
	assert_int_equal(out.verified_us, SOME_TIME_US + 1);
	assert_int_equal(out.updated_us, SOME_TIME_US + 2);
	assert_int_equal(out.created_us, SOME_TIME_US);
	assert_string_equal(out.strategy, "otp");
}

static void
rows_are_reached_through_their_user_and_tenant_only(void **state)
{
	struct fixture *f = *state;
	struct tenant own = add_tenant(f, "reach");
	struct tenant other = add_tenant(f, "reach from elsewhere");
	struct user one = add_user(f, &own, "1@example.com", ROLE_USER);
	struct user two = add_user(f, &own, "2@example.com", ROLE_USER);
	struct user_email email = make_email(&one, "r@example.com", true), out;

	assert_int_equal(user_email_store_insert(f->db, &email, &f->fault), 1);
	assert_int_equal(user_email_store_find(f->db, &own.id, &two.id,
	    &email.id, &out, &f->fault), 0);
	assert_int_equal(user_email_store_find(f->db, &other.id, &one.id,
	    &email.id, &out, &f->fault), 0);
	assert_int_equal(user_email_store_delete(f->db, &own.id, &two.id,
	    &email.id, &f->fault), 0);
	email.user_id = two.id;
	assert_int_equal(user_email_store_update(f->db, &email, &f->fault),
	    -1);
	assert_int_equal(user_email_store_delete(f->db, &own.id, &one.id,
	    &email.id, &f->fault), 1);
	assert_int_equal(user_email_store_delete(f->db, &own.id, &one.id,
	    &email.id, &f->fault), 0);
}

static void
list_is_oldest_first_and_clearing_leaves_no_primary(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "listed addresses");
	struct user user = add_user(f, &tenant, "u@example.com", ROLE_USER);
	struct user_email late = make_email(&user, "late@example.com", true);
	struct seen_emails seen = { .n = 0 };

	late.created_us++;
	assert_int_equal(user_email_store_insert(f->db, &late, &f->fault), 1);
	assert_int_equal(add_email(f, &user, "early@example.com", false), 1);
	assert_int_equal(user_email_store_clear_primary(f->db, &tenant.id,
	    &user.id, SOME_TIME_US + 9, &f->fault), 0);
	assert_int_equal(user_email_store_list(f->db, &tenant.id, &user.id,
	    see, &seen, &f->fault), 0);
	assert_int_equal(seen.n, 2);
	assert_string_equal(seen.row[0].email, "early@example.com");
	assert_int_equal(seen.row[0].updated_us, SOME_TIME_US);
	assert_false(seen.row[1].is_primary);
	assert_int_equal(seen.row[1].updated_us, SOME_TIME_US + 9);
}

static void
addresses_go_with_their_user(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "gone addresses");
	struct user user = add_user(f, &tenant, "u@example.com", ROLE_USER);
	struct user heir = add_user(f, &tenant, "h@example.com", ROLE_USER);

	assert_int_equal(add_email(f, &user, "free@example.com", true), 1);
	assert_int_equal(user_store_delete(f->db, &tenant.id, &user.id,
	    &f->fault), 1);
	assert_int_equal(add_email(f, &heir, "free@example.com", true), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    address_is_unique_in_its_tenant_over_all_users),
		cmocka_unit_test(
		    update_writes_all_but_ids_and_refuses_a_taken_address),
		cmocka_unit_test(
		    rows_are_reached_through_their_user_and_tenant_only),
		cmocka_unit_test(
		    list_is_oldest_first_and_clearing_leaves_no_primary),
		cmocka_unit_test(addresses_go_with_their_user),
	};

	return cmocka_run_group_tests(tests, store_test_begin, store_test_end);
}
