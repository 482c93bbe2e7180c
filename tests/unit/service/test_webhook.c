/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "world.h"

#include "wuts/arena.h"
#include "wuts/crypto.h"
#include "wuts/generations.h"

#include "../src/service/service_private.h"

#include <stdio.h>
#include <string.h>

struct scene {
	struct tenant_registered tenant;
	struct user_registered user;
	struct caller admin, caller;
	struct device device;		/* the user's */
	struct webhook_scope scope;
	struct webhook_scope tenant_scope;
};

static const char *const some_events[] = { "message.received",
    "message.sent", "message.received" };

static void
make_scene(struct world *w, struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	world_tenant(w, "Acme", &scene->tenant);
	world_user(w, &scene->tenant.tenant.id, "u@example.com", ROLE_USER,
	    &scene->user);
	scene->admin = world_caller(&scene->tenant.admin);
	scene->caller = world_caller(&scene->user.user);
	world_device(w, &scene->caller, "Phone", &scene->device);
	scene->scope.tenant_id = scene->tenant.tenant.id;
	scene->scope.device_id = scene->device.id;
	scene->tenant_scope.tenant_id = scene->tenant.tenant.id;
}

static struct webhook_input
good_input(void)
{
	struct webhook_input input = {
		.url = "https://hooks.example.com/path?key=topsecret",
		.nevents = 3,
		.events = some_events,
		.enabled = true,
		.retry_attempts = 3,
		.timeout_s = 30,
		.max_concurrency = 16
	};

	return input;
}

static int
configure(struct world *w, const struct caller *caller,
    const struct webhook_scope *scope, const struct webhook_input *input,
    const char *if_match, struct webhook *webhook_r, const char **secret_r)
{
	fault_clear(&w->fault);
	return webhook_service_configure(w->service, w->arena, caller, scope,
	    input, if_match, webhook_r, secret_r, &w->fault);
}

/* The secret that the spooler would sign with. */
static const char *
stored_secret(struct world *w, const struct webhook_scope *scope)
{
	struct webhook webhook;
	char *secret;

	assert_ok(w, webhook_service_get(w->service, w->arena, scope,
	    &webhook, &w->fault));
	secret = arena_alloc(w->arena, webhook.secret_sealed_len);
	assert_true(crypto_open(&w->settings.keys, webhook.id,
	    sizeof(webhook.id), webhook.secret_sealed,
	    webhook.secret_sealed_len, secret));
	return secret;
}

static void
secret_is_generated_once_kept_and_replaced(void **state)
{
	struct world *w = *state;
	struct webhook_input input = good_input();
	const char *generated, *secret;
	struct webhook first, second;
	struct scene scene;

	make_scene(w, &scene);
	assert_int_equal(configure(w, &scene.caller, &scene.scope, &input,
	    NULL, &first, &generated), 1);
	assert_non_null(generated);
	assert_int_equal(strlen(generated), 38);
	assert_memory_equal(generated, "whsec_", 6);
	assert_string_equal(stored_secret(w, &scene.scope), generated);
	assert_int_equal(configure(w, &scene.caller, &scene.scope, &input,
	    NULL, &second, &secret), 0);
	assert_null(secret);
	assert_string_equal(stored_secret(w, &scene.scope), generated);
	assert_memory_equal(first.id, second.id, sizeof(first.id));
	assert_true(first.created_us == second.created_us);
	assert_true(first.updated_us < second.updated_us);
	input.secret = "a better secret";
	assert_int_equal(configure(w, &scene.caller, &scene.scope, &input,
	    NULL, &second, &secret), 0);
	assert_null(secret);
	assert_string_equal(stored_secret(w, &scene.scope),
	    "a better secret");
}

static void
given_secret_is_not_shown_again(void **state)
{
	struct world *w = *state;
	struct webhook_input input = good_input();
	struct webhook webhook;
	struct scene scene;
	const char *secret;

	make_scene(w, &scene);
	input.secret = "my own secret";
	assert_int_equal(configure(w, &scene.caller, &scene.scope, &input,
	    NULL, &webhook, &secret), 1);
	assert_null(secret);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM webhook WHERE"
	    " INSTR(secret_sealed, 'my own secret')"), 0);
}

static void
second_call_replaces_every_setting(void **state)
{
	struct world *w = *state;
	struct webhook_header headers[] = { { "X-Custom", "one" },
	    { "Authorization", "Bearer abc" } };
	struct webhook_input input = good_input();
	struct webhook webhook;
	struct scene scene;
	const char *secret;

	make_scene(w, &scene);
	input.nheaders = 2;
	input.headers = headers;
	input.ordered = true;
	input.rate_limit = 5;
	assert_int_equal(configure(w, &scene.caller, &scene.scope, &input,
	    NULL, &webhook, &secret), 1);
	assert_ok(w, webhook_service_get(w->service, w->arena, &scene.scope,
	    &webhook, &w->fault));
	assert_string_equal(webhook.enabled_events,
	    "[\"message.received\",\"message.sent\"]");
	assert_int_equal(webhook.nheaders, 2);
	assert_string_equal(webhook.headers[1].value, "Bearer abc");
	assert_string_equal(world_text(w, "SELECT headers FROM webhook"),
	    "{}");
	assert_true(webhook.ordered);
	assert_int_equal(webhook.rate_limit, 5);
	input = good_input();
	input.events = (const char *const[]){ "*", "message.sent", "*" };
	input.nevents = 3;
	input.enabled = false;
	input.url = "https://192.0.2.5:8443/";
	assert_int_equal(configure(w, &scene.caller, &scene.scope, &input,
	    NULL, &webhook, &secret), 0);
	assert_ok(w, webhook_service_get(w->service, w->arena, &scene.scope,
	    &webhook, &w->fault));
	assert_string_equal(webhook.url, "https://192.0.2.5:8443/");
	assert_string_equal(webhook.enabled_events,
	    "[\"*\",\"message.sent\"]");
	assert_int_equal(webhook.nheaders, 0);
	assert_false(webhook.enabled);
	assert_false(webhook.ordered);
	assert_int_equal(webhook.rate_limit, 0);
}

static void
every_bad_setting_is_named_and_no_secret_is_echoed(void **state)
{
	struct world *w = *state;
	struct webhook_header header = { "Host", "hidden-value" };
	struct webhook_header twice[] = { { "X-One", "1" }, { "x-one", "2" } };
	struct webhook_input input = {
		.url = "http://127.0.0.1/",
		.retry_attempts = 21,
		.timeout_s = 0,
		.max_concurrency = 257,
		.rate_limit = -1,
		.secret = "short",
		.nheaders = 1,
		.headers = &header
	};
	static const char *const fields[] = { "webhook_url",
	    "enabled_events", "retry_attempts", "timeout", "max_concurrency",
	    "rate_limit", "secret", "headers.Host" };
	struct webhook webhook;
	const char *secret;
	struct scene scene;
	size_t i;

	make_scene(w, &scene);
	assert_refused(w, configure(w, &scene.caller, &scene.scope, &input,
	    NULL, &webhook, &secret), REFUSAL_VALIDATION);
	assert_int_equal(w->fault.nfields, 8);
	for (i = 0; i < 8; i++)
		assert_string_equal(w->fault.fields[i].field, fields[i]);
	assert_string_equal(w->fault.fields[2].value, "21");
	assert_string_equal(w->fault.fields[6].value, "***");
	assert_string_equal(w->fault.fields[7].value, "***");
	input = good_input();
	input.nheaders = 2;
	input.headers = twice;
	assert_refused(w, configure(w, &scene.caller, &scene.scope, &input,
	    NULL, &webhook, &secret), REFUSAL_VALIDATION);
	assert_int_equal(w->fault.nfields, 1);
	assert_string_equal(w->fault.fields[0].field, "headers.x-one");
	input.nheaders = WEBHOOK_HEADERS_MAX + 1;
	assert_refused(w, configure(w, &scene.caller, &scene.scope, &input,
	    NULL, &webhook, &secret), REFUSAL_VALIDATION);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM webhook"), 0);
}

static void
unknown_event_is_named_when_nothing_else_is_wrong(void **state)
{
	struct world *w = *state;
	struct webhook_input input = good_input();
	struct webhook webhook;
	const char *secret;
	struct scene scene;

	make_scene(w, &scene);
	input.events = (const char *const[]){ "message.sent", "no.such" };
	input.nevents = 2;
	assert_refused(w, configure(w, &scene.caller, &scene.scope, &input,
	    NULL, &webhook, &secret), REFUSAL_UNKNOWN_EVENT);
	assert_non_null(strstr(w->fault.said, "no.such"));
	input.timeout_s = 61;
	assert_refused(w, configure(w, &scene.caller, &scene.scope, &input,
	    NULL, &webhook, &secret), REFUSAL_VALIDATION);
}

static void
webhook_is_configured_by_whom_it_concerns(void **state)
{
	struct world *w = *state;
	struct webhook_input input = good_input();
	struct tenant_registered foreign;
	struct user_registered other;
	struct caller caller;
	struct webhook webhook;
	const char *secret;
	struct scene scene;

	make_scene(w, &scene);
	world_tenant(w, "Other", &foreign);
	world_user(w, &scene.tenant.tenant.id, "x@example.com", ROLE_USER,
	    &other);
	caller = world_caller(&other.user);
	assert_refused(w, configure(w, &caller, &scene.scope, &input, NULL,
	    &webhook, &secret), REFUSAL_DEVICE_NOT_FOUND);
	caller = world_caller(&foreign.admin);
	assert_refused(w, configure(w, &caller, &scene.scope, &input, NULL,
	    &webhook, &secret), REFUSAL_DEVICE_NOT_FOUND);
	assert_refused(w, configure(w, &caller, &scene.tenant_scope, &input,
	    NULL, &webhook, &secret), REFUSAL_FORBIDDEN);
	assert_refused(w, configure(w, &scene.caller, &scene.tenant_scope,
	    &input, NULL, &webhook, &secret), REFUSAL_FORBIDDEN);
	assert_int_equal(configure(w, &scene.admin, &scene.scope, &input,
	    NULL, &webhook, &secret), 1);
	assert_int_equal(configure(w, &scene.admin, &scene.tenant_scope,
	    &input, NULL, &webhook, &secret), 1);
	assert_int_equal(configure(w, &w->master, &scene.tenant_scope,
	    &input, NULL, &webhook, &secret), 0);
	/* An admin no more, though it was one when it was authenticated. */
	world_sql(w, "UPDATE users SET role = 'user'");
	assert_refused(w, configure(w, &scene.admin, &scene.tenant_scope,
	    &input, NULL, &webhook, &secret), REFUSAL_FORBIDDEN);
	assert_refused(w, configure(w, &scene.admin, &scene.scope, &input,
	    NULL, &webhook, &secret), REFUSAL_DEVICE_NOT_FOUND);
}

static void
conditions_and_deletion(void **state)
{
	struct world *w = *state;
	struct webhook_input input = good_input();
	struct webhook webhook;
	const char *secret;
	struct scene scene;
	char etag[WEBHOOK_ETAG_SIZE], old[WEBHOOK_ETAG_SIZE];

	make_scene(w, &scene);
	assert_refused(w, configure(w, &scene.caller, &scene.scope, &input,
	    "*", &webhook, &secret), REFUSAL_PRECONDITION_FAILED);
	assert_refused(w, webhook_service_delete(w->service, &scene.caller,
	    &scene.scope, NULL, &w->fault), REFUSAL_WEBHOOK_NOT_FOUND);
	assert_int_equal(configure(w, &scene.caller, &scene.scope, &input,
	    NULL, &webhook, &secret), 1);
	webhook_service_etag(&webhook, old);
	assert_int_equal(configure(w, &scene.caller, &scene.scope, &input,
	    old, &webhook, &secret), 0);
	webhook_service_etag(&webhook, etag);
	assert_string_not_equal(etag, old);
	assert_refused(w, configure(w, &scene.caller, &scene.scope, &input,
	    old, &webhook, &secret), REFUSAL_PRECONDITION_FAILED);
	assert_refused(w, webhook_service_delete(w->service, &scene.caller,
	    &scene.scope, old, &w->fault), REFUSAL_PRECONDITION_FAILED);
	assert_ok(w, webhook_service_delete(w->service, &scene.caller,
	    &scene.scope, etag, &w->fault));
	assert_refused(w, webhook_service_get(w->service, w->arena,
	    &scene.scope, &webhook, &w->fault), REFUSAL_WEBHOOK_NOT_FOUND);
}

static void
changes_leave_a_trail_without_secrets_and_move_the_generation(void **state)
{
	struct world *w = *state;
	struct webhook_header header = { "Authorization", "Bearer abc" };
	struct webhook_input input = good_input();
	const struct uuid *tenant_id;
	struct webhook webhook;
	const char *secret;
	struct scene scene;
	uint64_t generation;

	make_scene(w, &scene);
	tenant_id = &scene.tenant.tenant.id;
	input.secret = "my own secret";
	input.nheaders = 1;
	input.headers = &header;
	generation = generations_get(w->service->generations, tenant_id);
	assert_int_equal(configure(w, &scene.caller, &scene.scope, &input,
	    NULL, &webhook, &secret), 1);
	assert_true(generations_get(w->service->generations, tenant_id) >
	    generation);
	generation = generations_get(w->service->generations, tenant_id);
	assert_ok(w, webhook_service_delete(w->service, &scene.caller,
	    &scene.scope, NULL, &w->fault));
	assert_true(generations_get(w->service->generations, tenant_id) >
	    generation);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit WHERE"
	    " action IN ('webhook.configured', 'webhook.deleted')"), 2);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit WHERE"
	    " CONCAT(COALESCE(old_value, ''), COALESCE(new_value, ''))"
	    " REGEXP 'secret|Bearer'"), 0);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM audit WHERE"
	    " INSTR(new_value, 'https://hooks.example.com\"')"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(secret_is_generated_once_kept_and_replaced),
		TEST(given_secret_is_not_shown_again),
		TEST(second_call_replaces_every_setting),
		TEST(every_bad_setting_is_named_and_no_secret_is_echoed),
		TEST(unknown_event_is_named_when_nothing_else_is_wrong),
		TEST(webhook_is_configured_by_whom_it_concerns),
		TEST(conditions_and_deletion),
		TEST(changes_leave_a_trail_without_secrets_and_move_the_generation),
	};

	return cmocka_run_group_tests_name("service/webhook", tests, NULL,
	    NULL);
}
