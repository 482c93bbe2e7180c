/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "world.h"

#include "wuts/arena.h"
#include "wuts/crypto.h"
#include "wuts/event.h"
#include "wuts/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A tenant whose first admin has staged a webhook and owns a device. */
struct scene {
	struct tenant_registered tenant;
	struct caller owner, engine;
	struct device device;
};

static void
make_scene(struct world *w, struct scene *scene)
{
	struct tenant_registration input = {
		.tenant_name = "Acme",
		.email = "admin@example.com",
		.password = "correct horse battery",
		.webhook_url = "https://hooks.example.com/in"
	};

	assert_ok(w, tenant_service_register(w->service, &w->master, &input,
	    &scene->tenant, &w->fault));
	scene->owner = world_caller(&scene->tenant.admin);
	scene->engine = w->master;
	scene->engine.identity.kind = IDENTITY_ENGINE;
	world_device(w, &scene->owner, "Phone", &scene->device);
}

static struct event_input
input_of(const char *name, const char *data)
{
	struct event_input input;
	struct fault fault;

	memset(&input, 0, sizeof(input));
	fault_clear(&fault);
	input.event = (size_t)event_find(name);
	uuid_new_ordered(&input.id);
	input.data.text = data;
	input.data.len = strlen(data);
	input.data_tree = json_text_parse(data, strlen(data), &fault);
	assert_non_null(input.data_tree);
	return input;
}

static int
report(struct world *w, const struct caller *caller,
    const struct device *device, const char *name, const char *data)
{
	struct event_input input = input_of(name, data);
	int ret;

	fault_clear(&w->fault);
	ret = event_service_accept(w->service, w->arena, caller, device,
	    &input, 1, NULL, &w->fault);
	json_decref((json_t *)(uintptr_t)input.data_tree);
	return ret;
}

/* --- bodies --- */

static void
body_is_one_line_with_the_six_members(void **state)
{
	static const char data[] = "{ \"a\" :\n [ 1.50 , \"x y\" ] }";
	struct strbuf out = STRBUF_INIT;
	struct uuid id, tenant, device;

	(void)state;
	memset(&id, 0x11, sizeof(id));
	memset(&tenant, 0x22, sizeof(tenant));
	memset(&device, 0x33, sizeof(device));
	event_body_format(&out, &id, "message.received",
	    INT64_C(1781524800) * 1000000, &tenant, &device,
	    data, sizeof(data) - 1);
	assert_string_equal(out.data,
	    "{\"id\":\"11111111-1111-1111-1111-111111111111\","
	    "\"event\":\"message.received\","
	    "\"timestamp\":\"2026-06-15T12:00:00Z\","
	    "\"tenant_id\":\"22222222-2222-2222-2222-222222222222\","
	    "\"device_id\":\"33333333-3333-3333-3333-333333333333\","
	    "\"data\":{\"a\":[1.50,\"x y\"]}}");
	strbuf_reset(&out);
	event_body_format(&out, &id, "user.created", 0, &tenant, NULL, "{}",
	    2);
	assert_non_null(strstr(out.data, "\"device_id\":null,\"data\":{}}"));
	strbuf_deinit(&out);
}

/* --- ordinary events --- */

static void
batch_is_durable_in_order_with_its_own_ids_and_times(void **state)
{
	enum { N = 1000 };
	struct world *w = *state;
	struct event_input *inputs;
	const struct seen *seen;
	struct scene scene;
	char data[N][32];
	size_t i, at;

	make_scene(w, &scene);
	inputs = calloc(N, sizeof(*inputs));
	for (i = 0; i < N; i++) {
		snprintf(data[i], sizeof(data[i]), "{\"n\": %zu}", i);
		inputs[i] = input_of("message.received", data[i]);
	}
	inputs[1].timestamp_us = INT64_C(1781524800) * 1000000;
	assert_ok(w, event_service_accept(w->service, w->arena,
	    &scene.engine, &scene.device, inputs, N, NULL, &w->fault));
	seen = world_events(w);
	at = seen->n - N;
	for (i = 0; i < N; i++) {
		const struct seen_event *event = &seen->events[at + i];
		char expected[32];

		assert_true(uuid_is_equal(&event->id, &inputs[i].id));
		assert_true(uuid_is_equal(&event->device_id,
		    &scene.device.id));
		assert_true(uuid_is_equal(&event->tenant_id,
		    &scene.tenant.tenant.id));
		snprintf(expected, sizeof(expected), "\"data\":{\"n\":%zu}}",
		    i);
		assert_non_null(strstr(event->body, expected));
		assert_true(event->created_us == seen->events[at].created_us);
		json_decref((json_t *)(uintptr_t)inputs[i].data_tree);
	}
	/* The event's own time is in its body; its age is since arrival. */
	assert_non_null(strstr(seen->events[at + 1].body,
	    "\"timestamp\":\"2026-06-15T12:00:00Z\""));
	free(inputs);
}

static void
full_queue_accepts_none_of_a_batch(void **state)
{
	struct world *w = *state;
	struct scene scene;
	size_t n;

	make_scene(w, &scene);
	n = world_events(w)->n;
	service_close(&w->service);
	w->settings.queue_disk_reserve = (size_t)1 << 60;
	w->service = world_service(w);
	assert_refused(w, report(w, &scene.engine, &scene.device,
	    "message.received", "{}"), FAULT_QUEUE_FULL);
	assert_int_equal(world_events(w)->n, n);
}

static int
gather(struct world *w, const struct scene *scene, size_t n,
    struct fault *verdict)
{
	struct event_input inputs[3];
	int ret;

	assert_true(n <= 3);
	for (size_t i = 0; i < n; i++)
		inputs[i] = input_of("message.received", "{}");
	ret = event_service_accept(w->service, w->arena, &scene->engine,
	    &scene->device, inputs, n, verdict, &w->fault);
	for (size_t i = 0; i < n; i++)
		json_decref((json_t *)(uintptr_t)inputs[i].data_tree);
	return ret;
}

static void
gathered_events_are_durable_when_flushed(void **state)
{
	struct fault verdicts[EVENT_GROUP_MAX + 1];
	struct world *w = *state;
	struct scene scene;
	size_t n;

	make_scene(w, &scene);
	n = world_events(w)->n;
	for (size_t i = 0; i < EVENT_GROUP_MAX; i++) {
		verdicts[i].code = FAULT_INTERNAL;
		assert_int_equal(gather(w, &scene, 1 + i % 3, &verdicts[i]),
		    1);
	}
	assert_int_equal(world_events(w)->n, n);
	/* One more than there is room for: the others are judged before. */
	assert_int_equal(gather(w, &scene, 2, &verdicts[EVENT_GROUP_MAX]), 1);
	for (size_t i = 0; i < EVENT_GROUP_MAX; i++) {
		assert_int_equal(verdicts[i].code, FAULT_NONE);
		n += 1 + i % 3;
	}
	assert_int_equal(world_events(w)->n, n);
	event_service_flush(w->service);
	assert_int_equal(verdicts[EVENT_GROUP_MAX].code, FAULT_NONE);
	assert_int_equal(world_events(w)->n, n + 2);
	event_service_flush(w->service);
	assert_int_equal(world_events(w)->n, n + 2);
}

static void
events_that_cannot_wait_leave_gathered_ones_their_verdict(void **state)
{
	struct world *w = *state;
	struct fault verdict;
	struct scene scene;
	size_t n;

	make_scene(w, &scene);
	n = world_events(w)->n;
	assert_int_equal(gather(w, &scene, 1, &verdict), 1);
	assert_int_equal(gather(w, &scene, 2, NULL), 0);
	assert_int_equal(verdict.code, FAULT_NONE);
	assert_int_equal(world_events(w)->n, n + 3);
}

static void
one_over_its_quota_takes_no_other_down(void **state)
{
	struct fault verdicts[3];
	struct world *w = *state;
	struct scene scene;
	size_t n;

	make_scene(w, &scene);
	service_close(&w->service);
	w->settings.queue_tenant_max_records =
	    (unsigned)world_events(w)->n + 2;
	w->service = world_service(w);
	n = world_events(w)->n;
	assert_int_equal(gather(w, &scene, 1, &verdicts[0]), 1);
	assert_int_equal(gather(w, &scene, 3, &verdicts[1]), 1);
	assert_int_equal(gather(w, &scene, 1, &verdicts[2]), 1);
	event_service_flush(w->service);
	assert_int_equal(verdicts[0].code, FAULT_NONE);
	assert_int_equal(verdicts[1].code, FAULT_QUEUE_FULL);
	assert_true(verdicts[1].retry_after_s > 0);
	assert_int_equal(verdicts[2].code, FAULT_NONE);
	assert_int_equal(world_events(w)->n, n + 2);
}

static void
warm_ingest_needs_no_database(void **state)
{
	struct world *w = *state;
	struct identity identity;
	struct device device;
	struct scene scene;
	size_t n;
	int i;

	make_scene(w, &scene);
	for (i = 0; i < 3; i++) {
		if (i == 2) {
			w->settings.database_socket[1] = '?';
			world_kill_connections(w);
		}
		assert_int_equal(identity_service_find(w->service,
		    scene.tenant.token, UUID_TEXT_LEN, &identity, &w->fault),
		    1);
		assert_ok(w, device_service_find(w->service, &scene.engine,
		    &scene.device.id, &device, &w->fault));
		assert_ok(w, report(w, &scene.engine, &device,
		    "message.received", "{}"));
	}
	n = world_count_events(w, "message.received");
	assert_int_equal(n, 3);
}

/* --- the On-Premises form --- */

static void
enable_onprem(struct world *w, const struct scene *scene,
    const char *settings)
{
	char id[UUID_TEXT_LEN + 1];

	world_sql(w, "INSERT INTO onprem_settings (tenant_id, settings, wa_id,"
	    " updated_at) VALUES (UNHEX(REPLACE('%s', '-', '')), '%s', '',"
	    " NOW(6))", uuid_format(&scene->tenant.tenant.id, id), settings);
}

#define PAYLOAD "{\"messages\":[{\"id\":\"A\"}]}"

static void
event_of_an_onprem_tenant_is_queued_in_both_forms(void **state)
{
	struct world *w = *state;
	const struct seen *seen;
	struct scene scene;
	size_t n;

	make_scene(w, &scene);
	enable_onprem(w, &scene,
	    "{\"webhooks\":{\"message\":{\"sent\":false}}}");
	n = world_events(w)->n;
	assert_ok(w, report(w, &scene.engine, &scene.device,
	    "message.received", PAYLOAD));
	seen = world_events(w);
	assert_int_equal(seen->n, n + 2);
	assert_string_equal(seen->events[n].name, "message.received");
	assert_string_equal(seen->events[n + 1].name,
	    "onprem.inbound_message");
	assert_string_equal(seen->events[n + 1].body, PAYLOAD);
	assert_false(uuid_is_equal(&seen->events[n].id,
	    &seen->events[n + 1].id));
	assert_true(uuid_is_equal(&seen->events[n].device_id,
	    &seen->events[n + 1].device_id));
	/* Nothing of these is for there. */
	assert_ok(w, report(w, &scene.engine, &scene.device,
	    "contact.presence", "{}"));
	assert_ok(w, report(w, &scene.engine, &scene.device, "message.sent",
	    "{\"statuses\":[{\"status\":\"sent\"}]}"));
	assert_int_equal(world_events(w)->n, n + 4);
}

static void
full_onprem_webhook_refuses_both_forms(void **state)
{
	struct world *w = *state;
	struct scene scene;
	size_t n;

	make_scene(w, &scene);
	enable_onprem(w, &scene, "{\"callback_persist\":true}");
	service_close(&w->service);
	w->settings.onprem_webhook_max_waiting = 1;
	w->service = world_service(w);
	assert_ok(w, report(w, &scene.engine, &scene.device,
	    "message.received", PAYLOAD));
	n = world_events(w)->n;
	assert_refused(w, report(w, &scene.engine, &scene.device,
	    "message.received", PAYLOAD), FAULT_QUEUE_FULL);
	assert_int_equal(world_events(w)->n, n);
	assert_ok(w, report(w, &scene.engine, &scene.device,
	    "message.received", "{}"));
}

/* --- a device's life --- */

static void
connecting_marks_the_device_and_applies_the_staged_webhook(void **state)
{
	struct world *w = *state;
	const struct seen *seen;
	struct webhook_scope scope;
	struct webhook webhook;
	struct scene scene;
	char secret[64];
	uint64_t before;

	make_scene(w, &scene);
	memset(&scope, 0, sizeof(scope));
	scope.tenant_id = scene.tenant.tenant.id;
	scope.device_id = scene.device.id;
	assert_refused(w, webhook_service_get(w->service, w->arena, &scope,
	    &webhook, &w->fault), REFUSAL_WEBHOOK_NOT_FOUND);
	assert_ok(w, report(w, &scene.engine, &scene.device,
	    "device.connected", "{\"jid\":\"4912@s.example\"}"));
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM device WHERE"
	    " connected AND jid = '4912@s.example'"
	    " AND last_seen_at IS NOT NULL"), 1);
	assert_ok(w, webhook_service_get(w->service, w->arena, &scope,
	    &webhook, &w->fault));
	assert_string_equal(webhook.url, "https://hooks.example.com/in");
	assert_string_equal(webhook.enabled_events, "[\"*\"]");
	assert_true(webhook.enabled);
	assert_int_equal(webhook.retry_attempts, WEBHOOK_RETRY_DEFAULT);
	assert_int_equal(webhook.secret_sealed_len,
	    38 + CRYPTO_SEAL_OVERHEAD);
	assert_true(crypto_open(&w->settings.keys, webhook.id,
	    sizeof(webhook.id), webhook.secret_sealed,
	    webhook.secret_sealed_len, secret));
	assert_memory_equal(secret, "whsec_", 6);
	/* for the next new device, too */
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM users WHERE"
	    " pending_webhook_url IS NOT NULL"), 1);
	seen = world_events(w);
	assert_string_equal(seen->events[seen->n - 1].name,
	    "device.connected");
	/* The event that made the webhook is delivered to it. */
	assert_true(seen->events[seen->n - 1].created_us >=
	    webhook.created_us);
	/* The next connect finds nothing staged and changes no webhook. */
	before = (uint64_t)webhook.updated_us;
	assert_ok(w, report(w, &scene.engine, &scene.device,
	    "device.connected", "{}"));
	assert_ok(w, webhook_service_get(w->service, w->arena, &scope,
	    &webhook, &w->fault));
	assert_true((uint64_t)webhook.updated_us == before);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM device WHERE"
	    " jid = '4912@s.example'"), 1);
}

static void
disconnecting_marks_the_device_offline(void **state)
{
	static const char *const names[] = { "device.disconnected",
	    "device.logged_out" };
	struct world *w = *state;
	struct device device;
	struct scene scene;
	size_t i;

	make_scene(w, &scene);
	for (i = 0; i < 2; i++) {
		assert_ok(w, report(w, &scene.owner, &scene.device,
		    "device.connected", "{\"jid\":\"1@s.example\"}"));
		assert_ok(w, device_service_find(w->service, &scene.owner,
		    &scene.device.id, &device, &w->fault));
		assert_true(device.connected);
		assert_ok(w, report(w, &scene.owner, &scene.device, names[i],
		    "{}"));
		assert_ok(w, device_service_find(w->service, &scene.owner,
		    &scene.device.id, &device, &w->fault));
		assert_false(device.connected);
		assert_string_equal(device.jid, i == 0 ? "1@s.example" : "");
	}
	assert_int_equal(world_count_events(w, "device.connected"), 2);
}

static struct device_code
code_of(struct world *w, const struct scene *scene)
{
	struct device_code code;
	struct device device;

	assert_ok(w, device_service_look_for_code(w->service, &scene->owner,
	    &scene->device.id, &device, &code, &w->fault));
	return code;
}

static void
code_is_shown_for_a_minute_or_until_the_device_is_connected(void **state)
{
	struct world *w = *state;
	struct scene scene;

	make_scene(w, &scene);
	assert_string_equal(code_of(w, &scene).text, "");
	assert_ok(w, report(w, &scene.engine, &scene.device, "qr.generated",
	    "{\"code\":\"2@one\"}"));
	assert_ok(w, report(w, &scene.engine, &scene.device, "qr.generated",
	    "{\"code\":\"2@two\"}"));
	assert_string_equal(code_of(w, &scene).text, "2@two");
	/* nothing else of the device has changed */
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM device WHERE"
	    " connected OR last_seen_at IS NOT NULL OR updated_at >"
	    " created_at"), 0);
	world_sql(w, "UPDATE device_code SET reported_at ="
	    " DATE_SUB(reported_at, INTERVAL 60 SECOND)");
	assert_string_equal(code_of(w, &scene).text, "");
	assert_int_equal(code_of(w, &scene).reported_us, 0);
	assert_ok(w, report(w, &scene.engine, &scene.device, "qr.generated",
	    "{\"code\":\"2@three\"}"));
	assert_string_equal(code_of(w, &scene).text, "2@three");
	assert_ok(w, report(w, &scene.engine, &scene.device,
	    "device.connected", "{}"));
	assert_string_equal(code_of(w, &scene).text, "");
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM device_code"),
	    0);
	assert_int_equal(world_count_events(w, "qr.generated"), 3);
}

static void
code_that_cannot_be_kept_is_refused_before_anything_happens(void **state)
{
	static const char *const bad[] = { "{\"code\":7}", "{\"code\":\"\"}",
	    "{\"code\":\"a\\u0001b\"}", "{\"code\":{}}" };
	struct world *w = *state;
	struct scene scene;
	size_t i;

	make_scene(w, &scene);
	for (i = 0; i < 4; i++) {
		assert_refused(w, report(w, &scene.engine, &scene.device,
		    "qr.generated", bad[i]), REFUSAL_VALIDATION);
		assert_string_equal(w->fault.fields[0].field, "data.code");
	}
	/* an engine that tells no code is none the worse for it */
	assert_ok(w, report(w, &scene.engine, &scene.device, "qr.generated",
	    "{\"image\":\"x\"}"));
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM device_code"),
	    0);
	assert_int_equal(world_count_events(w, "qr.generated"), 1);
}

static void
bad_jid_is_refused_before_anything_happens(void **state)
{
	static const char *const bad[] = { "{\"jid\":7}", "{\"jid\":\"\"}",
	    "{\"jid\":\"a\\nb\"}", "{\"jid\":[]}" };
	struct world *w = *state;
	struct scene scene;
	char data[200];
	size_t i, n;

	make_scene(w, &scene);
	n = world_events(w)->n;
	for (i = 0; i < 4; i++) {
		assert_refused(w, report(w, &scene.engine, &scene.device,
		    "device.connected", bad[i]), REFUSAL_VALIDATION);
		assert_string_equal(w->fault.fields[0].field, "data.jid");
	}
	memset(data, 'x', sizeof(data));
	memcpy(data, "{\"jid\":\"", 8);
	memcpy(data + sizeof(data) - 3, "\"}", 3);
	assert_refused(w, report(w, &scene.engine, &scene.device,
	    "device.connected", data), REFUSAL_VALIDATION);
	assert_int_equal(world_events(w)->n, n);
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM webhook"), 0);
}

static void
life_of_a_device_deleted_meanwhile_is_refused(void **state)
{
	struct world *w = *state;
	struct scene scene;

	make_scene(w, &scene);
	world_sql(w, "DELETE FROM device");
	assert_refused(w, report(w, &scene.engine, &scene.device,
	    "device.connected", "{}"), REFUSAL_DEVICE_NOT_FOUND);
	assert_int_equal(world_count_events(w, "device.connected"), 0);
}

static void
webhook_configured_by_hand_keeps_the_staged_one_for_later(void **state)
{
	struct world *w = *state;
	static const char *const names[] = { "message.received" };
	struct webhook_input input = { .url = "https://own.example.com/",
	    .nevents = 1, .events = names, .enabled = true, .timeout_s = 30,
	    .max_concurrency = 1 };
	struct webhook_scope scope;
	struct webhook webhook;
	struct device second;
	const char *secret;
	struct scene scene;

	make_scene(w, &scene);
	memset(&scope, 0, sizeof(scope));
	scope.tenant_id = scene.tenant.tenant.id;
	scope.device_id = scene.device.id;
	assert_ok(w, webhook_service_configure(w->service, w->arena,
	    &scene.owner, &scope, &input, NULL, &webhook, &secret,
	    &w->fault));
	assert_ok(w, report(w, &scene.engine, &scene.device,
	    "device.connected", "{}"));
	assert_string_equal(world_text(w, "SELECT url FROM webhook"),
	    "https://own.example.com/");
	world_device(w, &scene.owner, "Second", &second);
	assert_ok(w, report(w, &scene.engine, &second, "device.connected",
	    "{}"));
	assert_int_equal(world_number(w, "SELECT COUNT(*) FROM webhook WHERE"
	    " url = 'https://hooks.example.com/in'"), 1);
}

static void
two_devices_connecting_at_once_get_the_staged_webhook_each(void **state)
{
	struct world *w = *state;
	struct device devices[2];
	struct scene scene;
	pid_t children[2];
	int i, round, status;

	make_scene(w, &scene);
	for (round = 0; round < 20; round++) {
		int gate[2];

		world_sql(w, "DELETE FROM device");
		world_sql(w, "UPDATE users SET pending_webhook_url ="
		    " 'https://hooks.example.com/in'");
		world_device(w, &scene.owner, "One", &devices[0]);
		world_device(w, &scene.owner, "Two", &devices[1]);
		assert_int_equal(pipe(gate), 0);
		for (i = 0; i < 2; i++) {
			children[i] = fork();
			if (children[i] == 0) {
				char byte;

				close(gate[1]);
				w->service = world_service(w);
				(void)!read(gate[0], &byte, 1);
				_exit(report(w, &scene.engine, &devices[i],
				    "device.connected", "{}") == 0 ? 0 : 1);
			}
		}
		close(gate[0]);
		close(gate[1]);	/* both at once */
		for (i = 0; i < 2; i++) {
			assert_int_equal(waitpid(children[i], &status, 0),
			    children[i]);
			assert_int_equal(status, 0);
		}
		assert_int_equal(world_number(w, "SELECT"
		    " COUNT(DISTINCT device_id) FROM webhook"), 2);
		assert_int_equal(world_number(w,
		    "SELECT COUNT(*) FROM webhook"), 2);
		assert_int_equal(world_number(w, "SELECT COUNT(*) FROM device"
		    " WHERE connected"), 2);
	}
	assert_int_equal(world_count_events(w, "device.connected"), 40);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(body_is_one_line_with_the_six_members),
		TEST(batch_is_durable_in_order_with_its_own_ids_and_times),
		TEST(full_queue_accepts_none_of_a_batch),
		TEST(gathered_events_are_durable_when_flushed),
		TEST(events_that_cannot_wait_leave_gathered_ones_their_verdict),
		TEST(one_over_its_quota_takes_no_other_down),
		TEST(event_of_an_onprem_tenant_is_queued_in_both_forms),
		TEST(full_onprem_webhook_refuses_both_forms),
		TEST(warm_ingest_needs_no_database),
		TEST(connecting_marks_the_device_and_applies_the_staged_webhook),
		TEST(disconnecting_marks_the_device_offline),
		TEST(code_is_shown_for_a_minute_or_until_the_device_is_connected),
		TEST(code_that_cannot_be_kept_is_refused_before_anything_happens),
		TEST(bad_jid_is_refused_before_anything_happens),
		TEST(life_of_a_device_deleted_meanwhile_is_refused),
		TEST(webhook_configured_by_hand_keeps_the_staged_one_for_later),
		TEST(two_devices_connecting_at_once_get_the_staged_webhook_each),
	};

	return cmocka_run_group_tests_name("service/event", tests, NULL,
	    NULL);
}
