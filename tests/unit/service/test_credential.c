/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "world.h"

#include "wuts/arena.h"
#include "wuts/clock.h"
#include "wuts/crypto.h"

#include <string.h>
#include <time.h>

#define PASSWORD "correct horse battery"

static int
find(struct world *w, const char *token)
{
	struct identity identity;

	fault_clear(&w->fault);
	return identity_service_find(w->service, token, strlen(token),
	    &identity, &w->fault);
}

static int
rotate(struct world *w, const struct caller *caller, const struct user *user,
    char token_r[UUID_TEXT_LEN + 1])
{
	fault_clear(&w->fault);
	return user_service_rotate_token(w->service, caller, &user->id,
	    token_r, &w->fault);
}

static void
rotated_token_is_new_and_the_old_one_stops_at_once(void **state)
{
	struct world *w = *state;
	struct service *other = world_service(w);
	char token[UUID_TEXT_LEN + 1];
	struct world_cast cast;
	struct caller self;
	char etag[2][USER_ETAG_SIZE];
	struct user user;
	int i;

	world_cast(w, &cast, "Acme");
	self = world_caller(&cast.target.user);
	for (i = 0; i < 3; i++)
		assert_int_equal(find(w, cast.target.token), 1);
	assert_ok(w, user_service_rotate_token(other, &self,
	    &cast.target.user.id, token, &w->fault));
	assert_string_not_equal(token, cast.target.token);
	assert_int_equal(find(w, cast.target.token), 0);
	assert_int_equal(find(w, token), 1);
	assert_int_equal(world_count_events(w, "user.token_rotated"), 1);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit"
	    " WHERE action = 'user.token_rotated' AND old_value IS NULL"
	    " AND new_value IS NULL"), 1);
	assert_ok(w, user_service_get(w->service, &w->master,
	    &cast.target.user.id, &user, &w->fault));
	assert_string_not_equal(user_service_etag(&user, etag[0]),
	    user_service_etag(&cast.target.user, etag[1]));
	service_close(&other);
}

static void
event_of_a_rotation_names_who_and_never_the_token(void **state)
{
	struct world *w = *state;
	char token[UUID_TEXT_LEN + 1], id[UUID_TEXT_LEN + 1];
	const struct seen *seen;
	struct world_cast cast;
	struct caller admin;
	size_t i;

	world_cast(w, &cast, "Acme");
	admin = world_caller(&cast.tenant.admin);
	assert_ok(w, rotate(w, &admin, &cast.target.user, token));
	seen = world_events(w);
	for (i = 0; i < seen->n; i++) {
		assert_null(strstr(seen->events[i].body, token));
		assert_null(strstr(seen->events[i].body, cast.target.token));
		if (strcmp(seen->events[i].name, "user.token_rotated") != 0)
			continue;
		assert_non_null(strstr(seen->events[i].body,
		    uuid_format(&cast.target.user.id, id)));
		assert_non_null(strstr(seen->events[i].body,
		    uuid_format(&cast.tenant.admin.id, id)));
	}
}

static void
token_is_rotated_by_itself_an_admin_or_super_only(void **state)
{
	struct world *w = *state;
	char token[UUID_TEXT_LEN + 1];
	struct world_cast cast, other;
	struct caller caller;
	struct user nobody;
	int role, target;

	world_cast(w, &cast, "Acme");
	world_cast(w, &other, "Other");
	for (role = 0; role < ROLE_COUNT; role++) {
		const struct user *self = &cast.by_role[role].user;

		caller = world_caller(self);
		for (target = 0; target < ROLE_COUNT; target++) {
			const struct user *user = target == role ?
			    self : &cast.by_role[target].user;

			if (role == ROLE_ADMIN || target == role)
				assert_ok(w, rotate(w, &caller, user, token));
			else
				assert_refused(w, rotate(w, &caller, user,
				    token), REFUSAL_FORBIDDEN);
		}
		assert_refused(w, rotate(w, &caller, &other.target.user,
		    token), REFUSAL_USER_NOT_FOUND);
		assert_string_equal(token, "");
	}
	assert_ok(w, rotate(w, &w->master, &other.target.user, token));
	assert_int_equal(find(w, token), 1);
	memset(&nobody, 0, sizeof(nobody));
	uuid_new_ordered(&nobody.id);
	assert_refused(w, rotate(w, &w->master, &nobody, token),
	    REFUSAL_USER_NOT_FOUND);
	caller.identity.kind = IDENTITY_ENGINE;
	assert_refused(w, rotate(w, &caller, &cast.target.user, token),
	    REFUSAL_FORBIDDEN);
}

/* --- passwords --- */

static int
check(struct world *w, const struct uuid *tenant_id, const char *username,
    const char *password)
{
	static const struct caller nobody = { .address = "192.0.2.1" };
	struct user user;

	fault_clear(&w->fault);
	return user_service_check_password(w->service, &nobody, tenant_id,
	    username, password, &user, &w->fault);
}

/* A cast whose target is called tess. */
static void
named_cast(struct world *w, struct world_cast *cast)
{
	world_cast(w, cast, "Acme");
	world_sql(w, "UPDATE users SET username = 'tess',"
	    " username_key = 'tess' WHERE email = 't@example.com'");
}

static void
password_opens_for_its_own_active_user_only(void **state)
{
	struct world *w = *state;
	const struct uuid *tenant_id;
	struct world_cast cast, other;
	struct user user;

	named_cast(w, &cast);
	world_cast(w, &other, "Other");
	tenant_id = &cast.tenant.tenant.id;
	assert_int_equal(user_service_check_password(w->service, &w->master,
	    tenant_id, "tess", PASSWORD, &user, &w->fault), 1);
	assert_true(uuid_is_equal(&user.id, &cast.target.user.id));
	assert_int_equal(check(w, tenant_id, "tess", "correct horse batterx"),
	    0);
	assert_int_equal(check(w, tenant_id, "tess", ""), 0);
	assert_int_equal(check(w, tenant_id, "Tess", PASSWORD), 0);
	assert_int_equal(check(w, tenant_id, "tess ", PASSWORD), 0);
	assert_int_equal(check(w, tenant_id, "t@example.com", PASSWORD), 0);
	assert_int_equal(check(w, tenant_id, "nobody", PASSWORD), 0);
	/* What an unknown user is compared with is nobody's password. */
	assert_int_equal(check(w, tenant_id, "nobody", ""), 0);
	assert_int_equal(check(w, &other.tenant.tenant.id, "tess", PASSWORD),
	    0);
	world_sql(w, "UPDATE users SET active = FALSE"
	    " WHERE username = 'tess'");
	assert_int_equal(user_service_check_password(w->service, &w->master,
	    tenant_id, "tess", PASSWORD, &user, &w->fault), 0);
	assert_true(uuid_is_nil(&user.id));
}

static void
after_too_many_failures_even_the_right_password_waits(void **state)
{
	struct world *w = *state;
	struct world_cast cast;
	int i;

	named_cast(w, &cast);
	service_close(&w->service);
	w->settings.login_failure_limit = 3;
	w->settings.login_address_failure_limit = 5;
	w->settings.login_failure_window_ms = 300000;
	w->service = world_service(w);
	for (i = 0; i < 2; i++)
		assert_int_equal(check(w, &cast.tenant.tenant.id, "tess",
		    "wrong horse battery"), 0);
	assert_int_equal(check(w, &cast.tenant.tenant.id, "tess", PASSWORD),
	    1);
	for (i = 0; i < 3; i++)
		assert_int_equal(check(w, &cast.tenant.tenant.id, "tess",
		    "wrong horse battery"), 0);
	assert_refused(w, check(w, &cast.tenant.tenant.id, "tess", PASSWORD),
	    REFUSAL_RATE_LIMITED);
	assert_in_range(w->fault.retry_after_s, 1, 300);
	/* The fifth failure of the address: from there nobody. */
	assert_refused(w, check(w, &cast.tenant.tenant.id, "nobody", ""),
	    REFUSAL_RATE_LIMITED);
}

static void
hash_is_renewed_when_the_parameters_have_changed(void **state)
{
	struct world *w = *state;
	const char *before, *after;
	struct world_cast cast;

	named_cast(w, &cast);
	before = world_text(w, "SELECT password_hash FROM users"
	    " WHERE email = 't@example.com'");
	assert_int_equal(check(w, &cast.tenant.tenant.id, "tess",
	    PASSWORD), 1);
	assert_string_equal(world_text(w, "SELECT password_hash FROM users"
	    " WHERE email = 't@example.com'"), before);
	w->settings.password_memory_kib = 16;
	w->settings.password_passes = 2;
	assert_int_equal(check(w, &cast.tenant.tenant.id, "tess",
	    "wrong horse battery"), 0);
	assert_string_equal(world_text(w, "SELECT password_hash FROM users"
	    " WHERE email = 't@example.com'"), before);
	assert_int_equal(check(w, &cast.tenant.tenant.id, "tess",
	    PASSWORD), 1);
	after = world_text(w, "SELECT password_hash FROM users"
	    " WHERE email = 't@example.com'");
	assert_int_equal(strncmp(after, "$argon2id$v=19$m=16,t=2,p=1$", 28),
	    0);
	assert_int_equal(check(w, &cast.tenant.tenant.id, "tess",
	    PASSWORD), 1);
	assert_int_equal(world_number(w, "SELECT COUNT(DISTINCT"
	    " SUBSTRING_INDEX(password_hash, '$', 4)) FROM users"), 2);
}

static void
log_in_goes_on_when_the_hash_cannot_be_renewed(void **state)
{
	struct world *w = *state;
	struct world_cast cast;

	named_cast(w, &cast);
	w->settings.password_passes = 2;
	world_sql(w, "CREATE TRIGGER no BEFORE UPDATE ON users FOR EACH ROW"
	    " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'declared'");
	assert_int_equal(check(w, &cast.tenant.tenant.id, "tess",
	    PASSWORD), 1);
}

/* Of the processor, not of the clock: others use it as well. */
static int64_t
time_used_us(void)
{
	struct timespec ts;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts), 0);
	return ts.tv_sec * CLOCK_SECOND_US + ts.tv_nsec / 1000;
}

static int64_t
best_time_of(struct world *w, const struct uuid *tenant_id, const char *email,
    const char *password)
{
	int64_t best_us = INT64_MAX, start_us, us;
	int i;

	for (i = 0; i < 5; i++) {
		start_us = time_used_us();
		assert_int_equal(check(w, tenant_id, email, password), 0);
		us = time_used_us() - start_us;
		if (us < best_us)
			best_us = us;
	}
	return best_us;
}

/* Hashing takes some 20 ms here, a look-up alone not one. */
static void
failure_takes_as_long_whether_there_is_such_a_user_or_not(void **state)
{
	struct world *w = *state;
	int64_t wrong_us, unknown_us, inactive_us;
	struct tenant_registered tenant;
	struct user_registered sleeper;

	w->settings.password_memory_kib = 19456;
	w->settings.password_passes = 2;
	world_tenant(w, "Acme", &tenant);
	world_user(w, &tenant.tenant.id, "s@example.com", ROLE_USER,
	    &sleeper);
	world_sql(w, "UPDATE users SET active = email <> 's@example.com',"
	    " username = LEFT(email, LOCATE('@', email) - 1)");
	wrong_us = best_time_of(w, &tenant.tenant.id, "admin",
	    "wrong horse battery");
	unknown_us = best_time_of(w, &tenant.tenant.id, "nobody",
	    PASSWORD);
	inactive_us = best_time_of(w, &tenant.tenant.id, "s",
	    PASSWORD);
	assert_true(unknown_us > wrong_us / 2 && unknown_us < wrong_us * 2);
	assert_true(inactive_us > wrong_us / 2 && inactive_us < wrong_us * 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rotated_token_is_new_and_the_old_one_stops_at_once),
		TEST(event_of_a_rotation_names_who_and_never_the_token),
		TEST(token_is_rotated_by_itself_an_admin_or_super_only),
		TEST(password_opens_for_its_own_active_user_only),
		TEST(after_too_many_failures_even_the_right_password_waits),
		TEST(hash_is_renewed_when_the_parameters_have_changed),
		TEST(log_in_goes_on_when_the_hash_cannot_be_renewed),
		TEST(failure_takes_as_long_whether_there_is_such_a_user_or_not),
	};

	return cmocka_run_group_tests_name("service/credential", tests, NULL,
	    NULL);
}
