/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store_test.h"

#include <string.h>

static void
insert_then_find_gives_the_same_row_to_the_microsecond(void **state)
{
	static const int64_t times[] = {
		1,			/* the first after 1970 began */
		999999,
		INT64_C(951825599999999),	/* a 29 February */
		SOME_TIME_US,
		INT64_C(4102444799999999),	/* the last of 2099 */
	};
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "microseconds");
	struct user in, out;
	size_t i;

	in = add_user(f, &tenant, "Ada@Example.com", ROLE_MANAGER);
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		in.updated_us = times[i];
		assert_int_equal(user_store_update(f->db, &in, &f->fault), 0);
		assert_int_equal(user_store_find(f->db, &tenant.id, &in.id,
		    &out, &f->fault), 1);
		assert_int_equal(out.updated_us, times[i]);
	}
	assert_true(uuid_is_equal(&out.id, &in.id));
	assert_true(uuid_is_equal(&out.tenant_id, &tenant.id));
	assert_string_equal(out.email, "Ada@Example.com");
	assert_int_equal(out.role, ROLE_MANAGER);
	assert_true(out.active);
	assert_int_equal(out.created_us, SOME_TIME_US);
}

static void
user_of_another_tenant_is_absent(void **state)
{
	struct fixture *f = *state;
	struct tenant own = add_tenant(f, "own");
	struct tenant foreign = add_tenant(f, "foreign");
	struct user user = add_user(f, &own, "x@example.com", ROLE_USER), out;
	const char *url;

	assert_int_equal(user_store_find(f->db, &foreign.id, &user.id, &out,
	    &f->fault), 0);
	assert_int_equal(user_store_pending_webhook(f->db, &foreign.id,
	    &user.id, f->arena, &url, &f->fault), 0);
	assert_int_equal(user_store_find_any_tenant(f->db, &user.id, &out,
	    &f->fault), 1);
	user.tenant_id = foreign.id;
	assert_int_equal(user_store_update(f->db, &user, &f->fault), -1);
	assert_database_fault(f->fault);
}

static void
token_names_its_user_and_no_other(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "tokens");
	struct user one = add_user(f, &tenant, "1@example.com", ROLE_USER);
	struct user two = add_user(f, &tenant, "2@example.com", ROLE_USER);
	struct token_owner out;
	struct user_token token;

	fill_token(&token, &two.id);
	assert_int_equal(caller_store_find(f->db, token.hash, &out,
	    &f->fault), 1);
	assert_true(uuid_is_equal(&out.id, &two.id));
	assert_false(uuid_is_equal(&out.id, &one.id));
	token.hash[CRYPTO_HASH_LEN - 1] ^= 1;
	assert_int_equal(caller_store_find(f->db, token.hash, &out,
	    &f->fault), 0);
}

static int
try_email(struct fixture *f, const struct tenant *tenant, const char *email)
{
	struct user_token token;
	struct user user;

	memset(&user, 0, sizeof(user));
	uuid_new_ordered(&user.id);
	user.tenant_id = tenant->id;
	strcpy(user.email, email);
	user.role = ROLE_USER;
	user.created_us = user.updated_us = SOME_TIME_US;
	fill_token(&token, &user.id);
	return user_store_insert(f->db, &user, "hash", &token, NULL,
	    &f->fault);
}

static void
email_is_unique_in_its_tenant_in_whatever_case(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "emails");
	struct tenant another = add_tenant(f, "other emails");

	assert_int_equal(try_email(f, &tenant, "Jürgen@Example.com"), 1);
	assert_int_equal(try_email(f, &tenant, "Jürgen@Example.com"), 0);
	assert_int_equal(try_email(f, &tenant, "JÜRGEN@EXAMPLE.COM"), 0);
	assert_int_equal(try_email(f, &tenant, "jurgen@example.com"), 1);
	assert_int_equal(try_email(f, &another, "jürgen@example.com"), 1);
}

static void
longest_email_fits(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "long email");
	char email[USER_EMAIL_MAX + 1];
	struct user in, out;

	memset(email, 'a', sizeof(email) - 1);
	email[100] = '@';
	email[sizeof(email) - 1] = '\0';
	in = add_user(f, &tenant, email, ROLE_USER);
	assert_int_equal(user_store_find(f->db, &tenant.id, &in.id, &out,
	    &f->fault), 1);
	assert_string_equal(out.email, email);
}

static void
update_changes_role_active_and_time_only(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "update");
	struct user user = add_user(f, &tenant, "u@example.com", ROLE_USER);
	struct user out;

	user.role = ROLE_ADMIN;
	user.active = false;
	user.updated_us++;
	assert_int_equal(user_store_update(f->db, &user, &f->fault), 0);
	/* The same again matches the row although it changes nothing. */
	assert_int_equal(user_store_update(f->db, &user, &f->fault), 0);
	assert_int_equal(user_store_find(f->db, &tenant.id, &user.id, &out,
	    &f->fault), 1);
	assert_int_equal(out.role, ROLE_ADMIN);
	assert_false(out.active);
	assert_int_equal(out.updated_us, user.updated_us);
	assert_int_equal(out.created_us, SOME_TIME_US);
	assert_string_equal(out.email, "u@example.com");
}

static void
other_admins_are_active_of_the_tenant_and_not_oneself(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "admins");
	struct tenant another = add_tenant(f, "more admins");
	struct user self = add_user(f, &tenant, "1@example.com", ROLE_ADMIN);
	struct user away = add_user(f, &tenant, "2@example.com", ROLE_ADMIN);
	unsigned count = 99;

	add_user(f, &tenant, "3@example.com", ROLE_MANAGER);
	add_user(f, &another, "4@example.com", ROLE_ADMIN);
	assert_int_equal(user_store_count_other_admins(f->db, &tenant.id,
	    &self.id, &count, &f->fault), 0);
	assert_int_equal(count, 1);
	away.active = false;
	assert_int_equal(user_store_update(f->db, &away, &f->fault), 0);
	assert_int_equal(user_store_count_other_admins(f->db, &tenant.id,
	    &self.id, &count, &f->fault), 0);
	assert_int_equal(count, 0);
}

static void
pending_webhook_is_kept_until_cleared(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "pending");
	struct user user = add_user(f, &tenant, "p@example.com", ROLE_USER);
	char url[WEBHOOK_URL_MAX + 1] = "https://example.com/";
	struct user_token token;
	const char *out;

	assert_int_equal(user_store_pending_webhook(f->db, &tenant.id,
	    &user.id, f->arena, &out, &f->fault), 0);
	memset(url + strlen(url), 'x', WEBHOOK_URL_MAX - strlen(url));
	url[WEBHOOK_URL_MAX] = '\0';
	uuid_new_ordered(&user.id);
	strcpy(user.email, "q@example.com");
	fill_token(&token, &user.id);
	assert_int_equal(user_store_insert(f->db, &user, "hash", &token, url,
	    &f->fault), 1);
	assert_int_equal(user_store_pending_webhook(f->db, &tenant.id,
	    &user.id, f->arena, &out, &f->fault), 1);
	assert_string_equal(out, url);
	assert_int_equal(user_store_clear_pending_webhook(f->db, &tenant.id,
	    &user.id, &f->fault), 0);
	assert_int_equal(user_store_pending_webhook(f->db, &tenant.id,
	    &user.id, f->arena, &out, &f->fault), 0);
}

static void
user_needs_its_tenant(void **state)
{
	struct fixture *f = *state;
	struct tenant nowhere;

	memset(&nowhere, 0, sizeof(nowhere));
	uuid_new_ordered(&nowhere.id);
	assert_int_equal(try_email(f, &nowhere, "n@example.com"), -1);
	assert_database_fault(f->fault);
}

static void
role_that_this_release_does_not_know_is_a_fault(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "unknown role");
	struct user user = add_user(f, &tenant, "r@example.com", ROLE_USER);
	struct user out;

	run_sql(f, "UPDATE users SET role = 'owner'"
	    " WHERE email = 'r@example.com'");
	assert_int_equal(user_store_find(f->db, &tenant.id, &user.id, &out,
	    &f->fault), -1);
	assert_database_fault(f->fault);
	assert_non_null(strstr(f->fault.text, "user_find"));
}

static void
password_is_found_by_email_in_its_tenant_only(void **state)
{
	struct fixture *f = *state;
	struct tenant own = add_tenant(f, "own passwords");
	struct tenant foreign = add_tenant(f, "foreign passwords");
	struct user user = add_user(f, &own, "Łada@Example.com", ROLE_USER);
	char hash[CRYPTO_PASSWORD_HASH_MAX], longest[CRYPTO_PASSWORD_HASH_MAX];
	struct user out;

	assert_int_equal(user_store_find_password(f->db, &own.id,
	    "łADA@example.COM", &out, hash, &f->fault), 1);
	assert_true(uuid_is_equal(&out.id, &user.id));
	assert_string_equal(out.email, "Łada@Example.com");
	assert_string_equal(hash, "$argon2id$");
	assert_int_equal(user_store_find_password(f->db, &foreign.id,
	    "łada@example.com", &out, hash, &f->fault), 0);
	assert_int_equal(user_store_find_password(f->db, &own.id,
	    "lada@example.com", &out, hash, &f->fault), 0);
	memset(longest, 'h', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(user_store_update_password(f->db, &own.id, &user.id,
	    longest, &f->fault), 0);
	assert_int_equal(user_store_find_password(f->db, &own.id,
	    "łada@example.com", &out, hash, &f->fault), 1);
	assert_string_equal(hash, longest);
	assert_int_equal(user_store_update_password(f->db, &foreign.id,
	    &user.id, "other", &f->fault), -1);
	assert_database_fault(f->fault);
}

static void
new_token_takes_the_old_ones_place(void **state)
{
	struct fixture *f = *state;
	struct tenant tenant = add_tenant(f, "rotating");
	struct user user = add_user(f, &tenant, "r@example.com", ROLE_USER);
	struct user_token old, new;
	struct token_owner owner;
	struct user out;
	struct uuid seed;

	fill_token(&old, &user.id);
	uuid_new_random(&seed);
	fill_token(&new, &seed);
	user.updated_us = SOME_TIME_US + 5;
	user.role = ROLE_ADMIN;
	assert_int_equal(user_store_update_token(f->db, &user, &new,
	    &f->fault), 0);
	assert_int_equal(caller_store_find(f->db, old.hash, &owner,
	    &f->fault), 0);
	assert_int_equal(caller_store_find(f->db, new.hash, &owner,
	    &f->fault), 1);
	assert_true(uuid_is_equal(&owner.id, &user.id));
	assert_int_equal(user_store_find(f->db, &tenant.id, &user.id, &out,
	    &f->fault), 1);
	assert_int_equal(out.updated_us, SOME_TIME_US + 5);
	/* The token and its time, nothing else. */
	assert_int_equal(out.role, ROLE_USER);
	assert_int_equal(ask_sql(f, "SELECT LEFT(token_sealed, 16) ="
	    " LEFT(token_hash, 16) FROM users"
	    " WHERE email = 'r@example.com'"), 1);
}

static void
delete_works_once_in_its_tenant_with_all_devices(void **state)
{
	struct fixture *f = *state;
	struct tenant own = add_tenant(f, "own users");
	struct tenant foreign = add_tenant(f, "foreign users");
	struct user user = add_user(f, &own, "d@example.com", ROLE_USER);
	struct device device = add_device(f, &user, "phone");

	assert_int_equal(user_store_delete(f->db, &foreign.id, &user.id,
	    &f->fault), 0);
	assert_int_equal(device_store_find(f->db, &own.id, &device.id,
	    &device, &f->fault), 1);
	assert_int_equal(user_store_delete(f->db, &own.id, &user.id,
	    &f->fault), 1);
	assert_int_equal(user_store_delete(f->db, &own.id, &user.id,
	    &f->fault), 0);
	assert_int_equal(device_store_find(f->db, &own.id, &device.id,
	    &device, &f->fault), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    insert_then_find_gives_the_same_row_to_the_microsecond),
		cmocka_unit_test(user_of_another_tenant_is_absent),
		cmocka_unit_test(token_names_its_user_and_no_other),
		cmocka_unit_test(
		    email_is_unique_in_its_tenant_in_whatever_case),
		cmocka_unit_test(longest_email_fits),
		cmocka_unit_test(update_changes_role_active_and_time_only),
		cmocka_unit_test(
		    other_admins_are_active_of_the_tenant_and_not_oneself),
		cmocka_unit_test(pending_webhook_is_kept_until_cleared),
		cmocka_unit_test(user_needs_its_tenant),
		cmocka_unit_test(
		    role_that_this_release_does_not_know_is_a_fault),
		cmocka_unit_test(
		    password_is_found_by_email_in_its_tenant_only),
		cmocka_unit_test(new_token_takes_the_old_ones_place),
		cmocka_unit_test(
		    delete_works_once_in_its_tenant_with_all_devices),
	};

	return cmocka_run_group_tests(tests, store_test_begin, store_test_end);
}
