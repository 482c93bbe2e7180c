/* SPDX-License-Identifier: MIT */
/* What hangs on a user: pictures, connections, passkeys, the second factor. */
#include "config.h"

#include "store_test.h"

#include "wuts/connection_store.h"
#include "wuts/picture_store.h"
#include "wuts/second_factor_store.h"
#include "wuts/user_profile_store.h"

#include <stdio.h>
#include <string.h>

struct world {
	struct user user, sibling, stranger;
};

static struct world
make_world(struct fixture *f)
{
	static unsigned n;
	struct tenant here, there;
	struct world w;
	char name[32];

	snprintf(name, sizeof(name), "here %u", ++n);
	here = add_tenant(f, name);
	snprintf(name, sizeof(name), "there %u", n);
	there = add_tenant(f, name);
	w.user = add_user(f, &here, "a@example.com", ROLE_USER);
	w.sibling = add_user(f, &here, "b@example.com", ROLE_USER);
	w.stranger = add_user(f, &there, "a@example.com", ROLE_USER);
	return w;
}

/* --- pictures --- */

#define NAME_1 "aa/aa000000000000000000000000000001.png"
#define NAME_2 "bb/bb000000000000000000000000000002.gif"

static int
put_picture(struct fixture *f, const struct user *user, const char *name)
{
	return picture_store_put(f->db, &user->tenant_id, &user->id, name,
	    SOME_TIME_US, &f->fault);
}

static void
a_picture_is_replaced_and_goes_with_its_user(void **state)
{
	struct fixture *f = *state;
	struct world w = make_world(f);
	char name[PICTURE_NAME_MAX + 1];

	assert_int_equal(picture_store_find(f->db, &w.user.tenant_id,
	    &w.user.id, name, &f->fault), 0);
	assert_int_equal(put_picture(f, &w.user, NAME_1), 0);
	assert_int_equal(put_picture(f, &w.user, NAME_2), 0);
	assert_int_equal(picture_store_find(f->db, &w.user.tenant_id,
	    &w.user.id, name, &f->fault), 1);
	assert_string_equal(name, NAME_2);
	assert_int_equal(picture_store_find(f->db, &w.stranger.tenant_id,
	    &w.user.id, name, &f->fault), 0);
	assert_int_equal(picture_store_is_used_any_tenant(f->db, NAME_1,
	    &f->fault), 0);
	assert_int_equal(picture_store_is_used_any_tenant(f->db, NAME_2,
	    &f->fault), 1);
	assert_int_equal(user_store_delete(f->db, &w.user.tenant_id,
	    &w.user.id, &f->fault), 1);
	assert_int_equal(picture_store_is_used_any_tenant(f->db, NAME_2,
	    &f->fault), 0);
}

static void
a_picture_is_deleted_once(void **state)
{
	struct fixture *f = *state;
	struct world w = make_world(f);

	assert_int_equal(put_picture(f, &w.user, NAME_1), 0);
	assert_int_equal(picture_store_delete(f->db, &w.user.tenant_id,
	    &w.sibling.id, &f->fault), 0);
	assert_int_equal(picture_store_delete(f->db, &w.user.tenant_id,
	    &w.user.id, &f->fault), 1);
	assert_int_equal(picture_store_delete(f->db, &w.user.tenant_id,
	    &w.user.id, &f->fault), 0);
}

/* --- connections --- */

static struct uuid
add_connection(struct fixture *f, const struct user *user,
    const struct uuid *email_id, int64_t created_us)
{
	static const uint8_t sealed[40] = { 1, 2, 3 };
	struct connection_row row;

	memset(&row, 0, sizeof(row));
	uuid_new_ordered(&row.connection.id);
	row.connection.tenant_id = user->tenant_id;
	row.connection.user_id = user->id;
	row.connection.email_id = *email_id;
	row.connection.provider = "github_oauth";
	row.connection.email = "a@example.org";
	row.connection.created_us = row.connection.updated_us = created_us;
	row.access_sealed = sealed;
	row.access_sealed_len = sizeof(sealed);
	assert_int_equal(connection_store_insert(f->db, &row, &f->fault), 1);
	return row.connection.id;
}

struct seen {
	size_t n;
	struct uuid ids[4];
	bool sealed_ok;
};

static int
see_connection(void *ctx, const struct connection_row *row,
    struct fault *fault)
{
	struct seen *seen = ctx;

	(void)fault;
	assert_true(seen->n < 4);
	seen->ids[seen->n++] = row->connection.id;
	seen->sealed_ok = row->access_sealed_len == 40 &&
	    row->access_sealed[2] == 3 && row->refresh_sealed_len == 0;
	assert_string_equal(row->connection.provider, "github_oauth");
	assert_string_equal(row->connection.access_token, "");
	return 0;
}

static struct seen
list_connections(struct fixture *f, const struct uuid *tenant_id,
    const struct uuid *user_id)
{
	struct seen seen = { .n = 0 };

	assert_int_equal(connection_store_list(f->db, f->arena, tenant_id,
	    user_id, see_connection, &seen, &f->fault), 0);
	return seen;
}

static void
connections_are_listed_the_newest_first(void **state)
{
	struct fixture *f = *state;
	struct world w = make_world(f);
	struct uuid old, new;
	struct seen seen;

	new = add_connection(f, &w.user, &UUID_NIL, SOME_TIME_US + 1);
	old = add_connection(f, &w.user, &UUID_NIL, SOME_TIME_US);
	seen = list_connections(f, &w.user.tenant_id, &w.user.id);
	assert_int_equal(seen.n, 2);
	assert_true(uuid_is_equal(&seen.ids[0], &new));
	assert_true(uuid_is_equal(&seen.ids[1], &old));
	assert_true(seen.sealed_ok);
	assert_int_equal(list_connections(f, &w.stranger.tenant_id,
	    &w.user.id).n, 0);
	assert_int_equal(list_connections(f, &w.user.tenant_id,
	    &w.sibling.id).n, 0);
}

static void
a_connection_is_deleted_by_its_user_only(void **state)
{
	struct fixture *f = *state;
	struct world w = make_world(f);
	struct uuid id = add_connection(f, &w.user, &UUID_NIL, SOME_TIME_US);

	assert_int_equal(connection_store_delete(f->db, &w.user.tenant_id,
	    &w.sibling.id, &id, &f->fault), 0);
	assert_int_equal(connection_store_delete(f->db,
	    &w.stranger.tenant_id, &w.user.id, &id, &f->fault), 0);
	assert_int_equal(connection_store_delete(f->db, &w.user.tenant_id,
	    &w.user.id, &id, &f->fault), 1);
	assert_int_equal(connection_store_delete(f->db, &w.user.tenant_id,
	    &w.user.id, &id, &f->fault), 0);
}

static void
connections_go_with_the_address_they_are_bound_to(void **state)
{
	struct fixture *f = *state;
	struct world w = make_world(f);
	struct uuid email, other;

	uuid_new_ordered(&email);
	uuid_new_ordered(&other);
	(void)add_connection(f, &w.user, &email, SOME_TIME_US);
	(void)add_connection(f, &w.user, &email, SOME_TIME_US);
	(void)add_connection(f, &w.user, &other, SOME_TIME_US);
	(void)add_connection(f, &w.user, &UUID_NIL, SOME_TIME_US);
	assert_int_equal(connection_store_delete_of_email(f->db,
	    &w.user.tenant_id, &w.sibling.id, &email, &f->fault), 0);
	assert_int_equal(connection_store_delete_of_email(f->db,
	    &w.user.tenant_id, &w.user.id, &email, &f->fault), 2);
	assert_int_equal(list_connections(f, &w.user.tenant_id,
	    &w.user.id).n, 2);
}

/* --- passkeys --- */

static struct uuid
add_passkey(struct fixture *f, const struct user *user, bool is_known)
{
	struct passkey passkey;

	memset(&passkey, 0, sizeof(passkey));
	uuid_new_ordered(&passkey.id);
	passkey.tenant_id = user->tenant_id;
	passkey.user_id = user->id;
	passkey.name = "key";
	passkey.sign_count = INT64_C(4294967296);
	passkey.credential_id = (const uint8_t *)"id";
	passkey.credential_id_len = 2;
	passkey.public_key = (const uint8_t *)"key";
	passkey.public_key_len = 3;
	passkey.backed_up = is_known ? 0 : -1;
	passkey.transports = is_known ? "usb,nfc" : NULL;
	passkey.created_us = passkey.updated_us = SOME_TIME_US;
	assert_int_equal(passkey_store_insert(f->db, &passkey, &f->fault), 1);
	return passkey.id;
}

static int
see_passkey(void *ctx, const struct passkey *passkey, struct fault *fault)
{
	struct passkey *seen = ctx;

	(void)fault;
	*seen = *passkey;
	return 0;
}

static struct passkey
read_passkey(struct fixture *f, const struct user *user)
{
	struct passkey passkey;

	memset(&passkey, 0, sizeof(passkey));
	assert_int_equal(passkey_store_list(f->db, f->arena,
	    &user->tenant_id, &user->id, see_passkey, &passkey, &f->fault),
	    0);
	return passkey;
}

static void
a_passkey_keeps_what_is_known_of_it(void **state)
{
	struct fixture *f = *state;
	struct world w = make_world(f);
	struct passkey passkey;

	(void)add_passkey(f, &w.user, false);
	passkey = read_passkey(f, &w.user);
	assert_int_equal(passkey.backed_up, -1);
	assert_null(passkey.transports);
	assert_null(passkey.aaguid);
	assert_true(passkey.sign_count == INT64_C(4294967296));
	(void)add_passkey(f, &w.sibling, true);
	passkey = read_passkey(f, &w.sibling);
	assert_int_equal(passkey.backed_up, 0);
	assert_string_equal(passkey.transports, "usb,nfc");
	assert_memory_equal(passkey.public_key, "key", 3);
}

static void
a_passkey_is_renamed_and_deleted_by_its_user_only(void **state)
{
	struct fixture *f = *state;
	struct world w = make_world(f);
	struct uuid id = add_passkey(f, &w.user, true);

	assert_int_equal(passkey_store_rename(f->db, &w.user.tenant_id,
	    &w.sibling.id, &id, "x", SOME_TIME_US, &f->fault), 0);
	assert_int_equal(passkey_store_rename(f->db, &w.user.tenant_id,
	    &w.user.id, &id, "new", SOME_TIME_US, &f->fault), 1);
	assert_string_equal(read_passkey(f, &w.user).name, "new");
	assert_int_equal(passkey_store_delete(f->db, &w.stranger.tenant_id,
	    &w.user.id, &id, &f->fault), 0);
	assert_int_equal(passkey_store_delete(f->db, &w.user.tenant_id,
	    &w.user.id, &id, &f->fault), 1);
	assert_int_equal(passkey_store_delete(f->db, &w.user.tenant_id,
	    &w.user.id, &id, &f->fault), 0);
}

/* --- the second factor --- */

static struct authenticator
make_authenticator(const struct user *user)
{
	struct authenticator a;

	memset(&a, 0, sizeof(a));
	uuid_new_ordered(&a.id);
	a.tenant_id = user->tenant_id;
	a.user_id = user->id;
	memset(a.sealed, 7, sizeof(a.sealed));
	a.sealed_len = sizeof(a.sealed);
	a.account = "me";
	a.created_us = a.updated_us = SOME_TIME_US;
	return a;
}

static void
a_user_has_one_authenticator(void **state)
{
	struct fixture *f = *state;
	struct world w = make_world(f);
	struct authenticator a = make_authenticator(&w.user), b;

	assert_int_equal(authenticator_store_insert(f->db, &a, &f->fault), 1);
	b = make_authenticator(&w.user);
	assert_int_equal(authenticator_store_insert(f->db, &b, &f->fault), 0);
	assert_int_equal(authenticator_store_find(f->db, f->arena,
	    &w.user.tenant_id, &w.user.id, &b, &f->fault), 1);
	assert_true(uuid_is_equal(&a.id, &b.id));
	assert_int_equal(b.sealed_len, sizeof(a.sealed));
	assert_memory_equal(b.sealed, a.sealed, a.sealed_len);
	assert_int_equal(authenticator_store_delete(f->db,
	    &w.stranger.tenant_id, &w.user.id, &f->fault), 0);
	assert_int_equal(authenticator_store_delete(f->db,
	    &w.user.tenant_id, &w.user.id, &f->fault), 1);
	assert_int_equal(authenticator_store_delete(f->db,
	    &w.user.tenant_id, &w.user.id, &f->fault), 0);
}

static void
a_step_is_used_once_and_never_after_a_later_one(void **state)
{
	struct fixture *f = *state;
	struct world w = make_world(f);
	struct authenticator a = make_authenticator(&w.user);

	assert_int_equal(authenticator_store_insert(f->db, &a, &f->fault), 1);
	assert_int_equal(authenticator_store_use(f->db, &a, 100, &f->fault),
	    1);
	assert_int_equal(authenticator_store_use(f->db, &a, 100, &f->fault),
	    0);
	assert_int_equal(authenticator_store_use(f->db, &a, 99, &f->fault),
	    0);
	assert_int_equal(authenticator_store_use(f->db, &a, 101, &f->fault),
	    1);
}

static void
of_two_tries_at_the_same_time_one_goes_on(void **state)
{
	struct fixture *f = *state;
	struct world w = make_world(f);
	struct authenticator a = make_authenticator(&w.user), b;

	assert_int_equal(authenticator_store_insert(f->db, &a, &f->fault), 1);
	assert_int_equal(authenticator_store_try(f->db, &a, SOME_TIME_US,
	    &f->fault), 1);
	assert_int_equal(authenticator_store_try(f->other, &a, SOME_TIME_US,
	    &f->fault), 0);
	assert_int_equal(authenticator_store_find(f->db, f->arena,
	    &a.tenant_id, &a.user_id, &b, &f->fault), 1);
	assert_int_equal(b.failures, 1);
	assert_true(b.tried_us == SOME_TIME_US);
	/* A backup code was right: the count is gone, the last step stays. */
	assert_int_equal(authenticator_store_use(f->db, &b, 50, &f->fault),
	    1);
	assert_int_equal(authenticator_store_use(f->db, &b, 0, &f->fault), 1);
	assert_int_equal(authenticator_store_find(f->db, f->arena,
	    &a.tenant_id, &a.user_id, &b, &f->fault), 1);
	assert_int_equal(b.failures, 0);
	assert_int_equal(b.last_step, 50);
}

static void
only_an_enforced_authenticator_is_asked_for(void **state)
{
	struct fixture *f = *state;
	struct world w = make_world(f);
	struct authenticator a = make_authenticator(&w.user), b;
	struct user_profile profile;

	assert_int_equal(authenticator_store_insert(f->db, &a, &f->fault), 1);
	for (int p = 0; p < SECOND_FACTOR_POLICY_COUNT; p++) {
		user_profile_init(&profile, &a.tenant_id, &a.user_id);
		profile.second_factor_policy = (enum second_factor_policy)p;
		assert_int_equal(user_profile_store_put(f->db, &profile,
		    &f->fault), 0);
		assert_int_equal(authenticator_store_find_enforced(f->db,
		    f->arena, &a.tenant_id, &a.user_id, &b, &f->fault),
		    p == SECOND_FACTOR_ENFORCED);
	}
}

static int
see_code(void *ctx, const struct uuid *id,
    const char hash[CRYPTO_PASSWORD_HASH_MAX], struct fault *fault)
{
	(void)fault;
	assert_string_equal(hash, "$argon2id$");
	*(struct uuid *)ctx = *id;
	return 0;
}

static void
a_backup_code_is_used_once(void **state)
{
	struct fixture *f = *state;
	struct world w = make_world(f);
	char hash[CRYPTO_PASSWORD_HASH_MAX] = "$argon2id$";
	struct uuid id, seen = UUID_NIL;

	assert_int_equal(backup_code_store_exists(f->db, &w.user.tenant_id,
	    &w.user.id, &f->fault), 0);
	uuid_new_ordered(&id);
	assert_int_equal(backup_code_store_insert(f->db, &w.user.tenant_id,
	    &w.user.id, &id, hash, SOME_TIME_US, &f->fault), 0);
	assert_int_equal(backup_code_store_list(f->db, &w.user.tenant_id,
	    &w.user.id, see_code, &seen, &f->fault), 0);
	assert_true(uuid_is_equal(&seen, &id));
	assert_int_equal(backup_code_store_exists(f->db, &w.user.tenant_id,
	    &w.sibling.id, &f->fault), 0);
	assert_int_equal(backup_code_store_delete(f->db, &w.user.tenant_id,
	    &w.sibling.id, &id, &f->fault), 0);
	assert_int_equal(backup_code_store_delete(f->db, &w.user.tenant_id,
	    &w.user.id, &id, &f->fault), 1);
	assert_int_equal(backup_code_store_delete(f->other,
	    &w.user.tenant_id, &w.user.id, &id, &f->fault), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_picture_is_replaced_and_goes_with_its_user),
		cmocka_unit_test(a_picture_is_deleted_once),
		cmocka_unit_test(connections_are_listed_the_newest_first),
		cmocka_unit_test(a_connection_is_deleted_by_its_user_only),
		cmocka_unit_test(
		    connections_go_with_the_address_they_are_bound_to),
		cmocka_unit_test(a_passkey_keeps_what_is_known_of_it),
		cmocka_unit_test(
		    a_passkey_is_renamed_and_deleted_by_its_user_only),
		cmocka_unit_test(a_user_has_one_authenticator),
		cmocka_unit_test(
		    a_step_is_used_once_and_never_after_a_later_one),
		cmocka_unit_test(of_two_tries_at_the_same_time_one_goes_on),
		cmocka_unit_test(only_an_enforced_authenticator_is_asked_for),
		cmocka_unit_test(a_backup_code_is_used_once)
	};

	return cmocka_run_group_tests(tests, store_test_begin,
	    store_test_end);
}
