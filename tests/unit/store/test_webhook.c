/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store_test.h"

#include <string.h>

static const uint8_t old_secret[40] = { 3, 0, 5 };
static const uint8_t secret[WEBHOOK_SECRET_MAX + CRYPTO_SEAL_OVERHEAD] = {
	1, 0, 255, 0
};

static struct webhook
some_webhook(const struct device *device, uint8_t number)
{
	struct webhook webhook = {
		.id = { 'w', number },
		.tenant_id = device->tenant_id,
		.device_id = device->id,
		.url = "https://example.com/hook",
		.enabled_events = "[\"message.received\"]",
		.enabled = true,
		.retry_attempts = 20,
		.timeout_s = 60,
		.ordered = true,
		.max_concurrency = 256,
		.rate_limit = WEBHOOK_RATE_MAX,
		.secret_sealed = secret,
		.secret_sealed_len = sizeof(secret),
		.created_us = SOME_TIME_US,
		.updated_us = SOME_TIME_US,
	};

	return webhook;
}

static struct device
new_device(struct fixture *f, const char *tenant_name)
{
	struct tenant tenant = add_tenant(f, tenant_name);
	struct user user = add_user(f, &tenant, "w@example.com", ROLE_USER);

	return add_device(f, &user, "phone");
}

static void
assert_same_settings(const struct webhook *a, const struct webhook *b)
{
	size_t i;

	assert_memory_equal(a->id, b->id, WEBHOOK_ID_LEN);
	assert_string_equal(a->url, b->url);
	assert_string_equal(a->enabled_events, b->enabled_events);
	assert_int_equal(a->enabled, b->enabled);
	assert_int_equal(a->retry_attempts, b->retry_attempts);
	assert_int_equal(a->timeout_s, b->timeout_s);
	assert_int_equal(a->ordered, b->ordered);
	assert_int_equal(a->max_concurrency, b->max_concurrency);
	assert_int_equal(a->rate_limit, b->rate_limit);
	assert_int_equal(a->secret_sealed_len, b->secret_sealed_len);
	assert_memory_equal(a->secret_sealed, b->secret_sealed,
	    a->secret_sealed_len);
	assert_int_equal(a->old_secret_sealed_len, b->old_secret_sealed_len);
	if (a->old_secret_sealed_len > 0)
		assert_memory_equal(a->old_secret_sealed,
		    b->old_secret_sealed, a->old_secret_sealed_len);
	assert_int_equal(a->old_secret_until_us, b->old_secret_until_us);
	assert_int_equal(a->nheaders, b->nheaders);
	for (i = 0; i < a->nheaders; i++) {
		assert_string_equal(a->headers[i].name, b->headers[i].name);
		assert_string_equal(a->headers[i].value, b->headers[i].value);
	}
}

static void
insert_then_find_gives_the_same_row(void **state)
{
	struct fixture *f = *state;
	struct device device = new_device(f, "hooks");
	struct webhook in = some_webhook(&device, 1), out;

	assert_int_equal(webhook_store_find(f->db, f->arena, &in.tenant_id,
	    &in.device_id, &out, &f->fault), 0);
	assert_int_equal(webhook_store_insert(f->db, &in, &f->fault), 0);
	assert_int_equal(webhook_store_find(f->db, f->arena, &in.tenant_id,
	    &in.device_id, &out, &f->fault), 1);
	assert_same_settings(&in, &out);
	assert_int_equal(out.created_us, SOME_TIME_US);
}

/* The most that the specification lets a client say. */
static void
longest_headers_and_events_come_back_whole(void **state)
{
	struct fixture *f = *state;
	struct device device = new_device(f, "long hooks");
	struct webhook in = some_webhook(&device, 2), out;
	struct webhook_header headers[WEBHOOK_HEADERS_MAX];
	char value[WEBHOOK_HEADER_VALUE_MAX + 1], events[8192 + 1];
	char url[WEBHOOK_URL_MAX + 1];
	size_t i;

	/* Each quote takes two bytes in the JSON. */
	memset(value, '"', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	memset(events, 'e', sizeof(events) - 1);
	events[sizeof(events) - 1] = '\0';
	memset(url, 'u', sizeof(url) - 1);
	url[sizeof(url) - 1] = '\0';
	for (i = 0; i < WEBHOOK_HEADERS_MAX; i++) {
		headers[i].name = arena_printf(f->arena, "X-Header-%zu", i);
		headers[i].value = value;
	}
	in.headers = headers;
	in.nheaders = WEBHOOK_HEADERS_MAX;
	in.enabled_events = events;
	in.url = url;
	assert_int_equal(webhook_store_insert(f->db, &in, &f->fault), 0);
	assert_int_equal(webhook_store_lock(f->db, f->arena, &in.tenant_id,
	    &in.device_id, &out, &f->fault), 1);
	assert_same_settings(&in, &out);
}

static void
update_replaces_all_but_the_time_of_creation(void **state)
{
	struct fixture *f = *state;
	struct device device = new_device(f, "replaced hooks");
	struct webhook in = some_webhook(&device, 3), out;
	struct webhook_header header = { "X-Key", "value" };

	assert_int_equal(webhook_store_insert(f->db, &in, &f->fault), 0);
	in.url = "https://example.org/";
	in.enabled_events = "[\"*\"]";
	in.enabled = in.ordered = false;
	in.retry_attempts = in.rate_limit = 0;
	in.timeout_s = in.max_concurrency = 1;
	in.secret_sealed_len = 40;
	in.headers = &header;
	in.nheaders = 1;
	in.created_us = in.updated_us = SOME_TIME_US + 5;
	assert_int_equal(webhook_store_update(f->db, &in, &f->fault), 0);
	assert_int_equal(webhook_store_find(f->db, f->arena, &in.tenant_id,
	    &in.device_id, &out, &f->fault), 1);
	assert_same_settings(&in, &out);
	assert_int_equal(out.created_us, SOME_TIME_US);
	assert_int_equal(out.updated_us, SOME_TIME_US + 5);
}

static void
sealed_headers_are_kept_and_plain_ones_are_gone_then(void **state)
{
	struct fixture *f = *state;
	struct device device = new_device(f, "sealed hooks");
	struct webhook in = some_webhook(&device, 77), out;
	struct webhook_header header = { "X-Key", "value" };
	uint8_t sealed[60000];

	in.headers = &header;
	in.nheaders = 1;
	assert_int_equal(webhook_store_insert(f->db, &in, &f->fault), 0);
	memset(sealed, 0xe7, sizeof(sealed));
	in.headers_sealed = sealed;
	in.headers_sealed_len = sizeof(sealed);
	assert_int_equal(webhook_store_update(f->db, &in, &f->fault), 0);
	assert_int_equal(webhook_store_find(f->db, f->arena, &in.tenant_id,
	    &in.device_id, &out, &f->fault), 1);
	assert_int_equal(out.nheaders, 0);
	assert_int_equal(out.headers_sealed_len, sizeof(sealed));
	assert_memory_equal(out.headers_sealed, sealed, sizeof(sealed));
}

static void
tenant_has_one_besides_its_devices(void **state)
{
	struct fixture *f = *state;
	struct device device = new_device(f, "both hooks");
	struct webhook of_device = some_webhook(&device, 4);
	struct webhook of_tenant = some_webhook(&device, 5), out;

	of_tenant.device_id = UUID_NIL;
	of_tenant.url = "https://example.com/tenant";
	assert_int_equal(webhook_store_insert(f->db, &of_device, &f->fault),
	    0);
	assert_int_equal(webhook_store_insert(f->db, &of_tenant, &f->fault),
	    0);
	assert_int_equal(webhook_store_find(f->db, f->arena,
	    &of_tenant.tenant_id, &UUID_NIL, &out, &f->fault), 1);
	assert_string_equal(out.url, "https://example.com/tenant");
	assert_true(uuid_is_nil(&out.device_id));
	of_tenant.id[2] = 1;
	assert_int_equal(webhook_store_insert(f->db, &of_tenant, &f->fault),
	    -1);
	assert_database_fault(f->fault);
}

static void
webhook_of_another_tenant_is_absent(void **state)
{
	struct fixture *f = *state;
	struct device device = new_device(f, "own hooks");
	struct tenant foreign = add_tenant(f, "foreign hooks");
	struct webhook webhook = some_webhook(&device, 6), out;

	assert_int_equal(webhook_store_insert(f->db, &webhook, &f->fault), 0);
	assert_int_equal(webhook_store_find(f->db, f->arena, &foreign.id,
	    &device.id, &out, &f->fault), 0);
	assert_int_equal(webhook_store_delete(f->db, &foreign.id, &device.id,
	    &f->fault), 0);
	webhook.tenant_id = foreign.id;
	assert_int_equal(webhook_store_update(f->db, &webhook, &f->fault), -1);
	assert_database_fault(f->fault);
}

static void
delete_works_once(void **state)
{
	struct fixture *f = *state;
	struct device device = new_device(f, "deleted hooks");
	struct webhook webhook = some_webhook(&device, 7), out;

	assert_int_equal(webhook_store_insert(f->db, &webhook, &f->fault), 0);
	assert_int_equal(webhook_store_delete(f->db, &webhook.tenant_id,
	    &device.id, &f->fault), 1);
	assert_int_equal(webhook_store_delete(f->db, &webhook.tenant_id,
	    &device.id, &f->fault), 0);
	assert_int_equal(webhook_store_find(f->db, f->arena,
	    &webhook.tenant_id, &device.id, &out, &f->fault), 0);
}

struct secrets {
	uint8_t last[WEBHOOK_ID_LEN];
	unsigned rows, old;
};

static int
secret_row(void *ctx, const struct webhook *row,
    struct fault *fault)
{
	struct secrets *secrets = ctx;

	(void)fault;
	assert_true(memcmp(secrets->last, row->id, WEBHOOK_ID_LEN) < 0);
	assert_int_equal(row->secret_sealed_len, sizeof(secret));
	assert_memory_equal(row->secret_sealed, secret, sizeof(secret));
	if (row->old_secret_sealed != NULL) {
		assert_int_equal(row->old_secret_sealed_len,
		    sizeof(old_secret));
		assert_memory_equal(row->old_secret_sealed, old_secret,
		    sizeof(old_secret));
		secrets->old++;
	}
	memcpy(secrets->last, row->id, WEBHOOK_ID_LEN);
	secrets->rows++;
	return 0;
}

static void
secrets_are_listed_by_id_in_pages_and_sealed_anew(void **state)
{
	static const uint8_t anew[40] = { 9, 0, 9 };
	struct fixture *f = *state;
	struct device device = new_device(f, "secrets");
	struct webhook one = some_webhook(&device, 30), two, out;
	struct webhook foreign, sealed_anew;
	struct secrets secrets = { .rows = 0 };
	struct device other = new_device(f, "other secrets");

	two = some_webhook(&device, 31);
	two.device_id = UUID_NIL;
	foreign = some_webhook(&other, 32);
	one.old_secret_sealed = two.old_secret_sealed = old_secret;
	one.old_secret_sealed_len = two.old_secret_sealed_len =
	    sizeof(old_secret);
	one.old_secret_until_us = SOME_TIME_US + 1;
	two.old_secret_until_us = SOME_TIME_US;
	assert_int_equal(webhook_store_insert(f->db, &two, &f->fault), 0);
	assert_int_equal(webhook_store_insert(f->db, &one, &f->fault), 0);
	assert_int_equal(webhook_store_insert(f->db, &foreign, &f->fault), 0);
	assert_int_equal(webhook_store_list_secrets(f->db, &one.tenant_id,
	    secrets.last, SOME_TIME_US, 1, secret_row, &secrets, &f->fault),
	    0);
	assert_memory_equal(secrets.last, one.id, WEBHOOK_ID_LEN);
	assert_int_equal(secrets.old, 1);
	assert_int_equal(webhook_store_list_secrets(f->db, &one.tenant_id,
	    secrets.last, SOME_TIME_US, 5, secret_row, &secrets, &f->fault),
	    0);
	assert_int_equal(secrets.rows, 2);
	/* The old secret of the second has had its time. */
	assert_int_equal(secrets.old, 1);
	sealed_anew = one;
	sealed_anew.secret_sealed = anew;
	sealed_anew.secret_sealed_len = sizeof(anew);
	assert_int_equal(webhook_store_update_secrets(f->db, &one.tenant_id,
	    &sealed_anew, &f->fault), 0);
	assert_int_equal(webhook_store_find(f->db, f->arena, &one.tenant_id,
	    &one.device_id, &out, &f->fault), 1);
	assert_same_settings(&sealed_anew, &out);
	assert_int_equal(out.updated_us, SOME_TIME_US);
}

static void
headers_that_are_no_object_are_a_fault(void **state)
{
	struct fixture *f = *state;
	struct device device = new_device(f, "broken hooks");
	struct webhook webhook = some_webhook(&device, 8), out;

	assert_int_equal(webhook_store_insert(f->db, &webhook, &f->fault), 0);
	run_sql(f, "UPDATE webhook SET headers = '[1]'");
	assert_int_equal(webhook_store_find(f->db, f->arena,
	    &webhook.tenant_id, &device.id, &out, &f->fault), -1);
	assert_database_fault(f->fault);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(insert_then_find_gives_the_same_row),
		cmocka_unit_test(longest_headers_and_events_come_back_whole),
		cmocka_unit_test(update_replaces_all_but_the_time_of_creation),
		cmocka_unit_test(
		    sealed_headers_are_kept_and_plain_ones_are_gone_then),
		cmocka_unit_test(tenant_has_one_besides_its_devices),
		cmocka_unit_test(webhook_of_another_tenant_is_absent),
		cmocka_unit_test(delete_works_once),
		cmocka_unit_test(
		    secrets_are_listed_by_id_in_pages_and_sealed_anew),
		cmocka_unit_test(headers_that_are_no_object_are_a_fault),
	};

	return cmocka_run_group_tests(tests, store_test_begin, store_test_end);
}
