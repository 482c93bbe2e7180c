/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "test_support.h"

#include "spool/endpoint.h"
#include "spool/snapshot.h"
#include "spool/target.h"

#include "wuts/fault.h"
#include "wuts/file.h"
#include "wuts/strbuf.h"
#include "wuts/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	char dir[64];
	char path[96];
	struct crypto_keys keys;
	struct endpoints *table;
	struct target *found[8];
	int64_t failing_us[8];
	size_t nfound;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/wuts-snapshot-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/settings.snapshot", f->dir);
	test_keys(&f->keys, "0123456789abcdef0123456789abcdef");
	f->table = endpoints_new();
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < f->nfound; i++)
		target_unref(&f->found[i]);
	endpoints_free(&f->table);
	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void
add(struct fixture *f, uint32_t number, struct uuid device)
{
	struct uuid tenant = test_uuid(200);
	struct endpoint *endpoint;

	endpoint = endpoints_add(f->table, number, &tenant, &device);
	endpoint_learn(endpoint, test_target(&f->keys, device,
	    "https://example.com/a?b=c", "[\"message.received\"]"), 1, 1);
}

static void
save(struct fixture *f)
{
	struct fault fault = { .code = FAULT_NONE };

	assert_int_equal(snapshot_save(f->path, f->table, &f->keys, &fault),
	    0);
}

static void
found(void *ctx, struct target *target, int64_t failing_us)
{
	struct fixture *f = ctx;

	assert_true(f->nfound < 8);
	f->failing_us[f->nfound] = failing_us;
	f->found[f->nfound++] = target;
}

static size_t
load(struct fixture *f, const struct crypto_keys *keys)
{
	struct fault fault = { .code = FAULT_NONE };
	size_t refused = 99;

	assert_int_equal(snapshot_load(f->path, keys, found, f, &refused,
	    &fault), 0);
	return refused;
}

static void
read_text(struct fixture *f, struct strbuf *text)
{
	struct fault fault = { .code = FAULT_NONE };

	assert_int_equal(file_read(f->path, 1 << 20, text, &fault), 0);
}

static void
what_was_saved_is_loaded_again_whole(void **state)
{
	struct fixture *f = *state;
	const struct webhook *got;

	add(f, 0, test_uuid(1));
	add(f, 5, UUID_NIL);
	endpoints_at(f->table, 5)->failing_us = INT64_C(1700000000000003);
	save(f);
	assert_int_equal(load(f, &f->keys), 0);
	assert_int_equal(f->nfound, 2);
	assert_true(target_is_same(f->found[0],
	    endpoints_at(f->table, 0)->target));
	got = &f->found[0]->webhook;
	assert_true(uuid_is_equal(&got->device_id,
	    &endpoints_at(f->table, 0)->device_id));
	assert_true(uuid_is_equal(&got->tenant_id,
	    &endpoints_at(f->table, 0)->tenant_id));
	assert_string_equal(got->url, "https://example.com/a?b=c");
	assert_true(got->enabled && got->ordered);
	assert_int_equal(got->retry_attempts, 3);
	assert_int_equal(got->timeout_s, 5);
	assert_int_equal(got->max_concurrency, 16);
	assert_int_equal(got->rate_limit, 7);
	assert_int_equal(got->nheaders, 2);
	assert_string_equal(got->headers[0].name, "Authorization");
	assert_string_equal(got->headers[0].value, "Basic dTpw");
	assert_string_equal(got->headers[1].value, "");
	assert_true(target_wants(f->found[0], "message.received"));
	assert_false(target_wants(f->found[0], "message.sent"));
	assert_int_equal(f->found[0]->key.len,
	    endpoints_at(f->table, 0)->target->key.len);
	assert_memory_equal(f->found[0]->key.data,
	    endpoints_at(f->table, 0)->target->key.data,
	    f->found[0]->key.len);
	assert_non_null(target_old_key(f->found[0], TEST_OLD_UNTIL_US - 1));
	assert_memory_equal(f->found[0]->old_key.data, TEST_OLD_SECRET,
	    strlen(TEST_OLD_SECRET));
	assert_null(target_old_key(f->found[0], TEST_OLD_UNTIL_US));
	assert_true(uuid_is_nil(&f->found[1]->webhook.device_id));
	assert_int_equal(f->failing_us[0], 0);
	assert_int_equal(f->failing_us[1], INT64_C(1700000000000003));
}

static void
without_a_file_nothing_is_known(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(load(f, &f->keys), 0);
	assert_int_equal(f->nfound, 0);
}

static void
the_file_is_private_and_shows_nothing(void **state)
{
	struct fixture *f = *state;
	struct strbuf text = STRBUF_INIT;
	struct stat st;

	add(f, 0, test_uuid(1));
	save(f);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	read_text(f, &text);
	assert_null(strstr(text.data, "example.com"));
	assert_null(strstr(text.data, "dTpw"));
	strbuf_deinit(&text);
}

static void
a_damaged_line_is_left_out_and_counted(void **state)
{
	struct fixture *f = *state;
	struct fault fault = { .code = FAULT_NONE };
	struct strbuf text = STRBUF_INIT;

	add(f, 0, test_uuid(1));
	add(f, 1, test_uuid(2));
	save(f);
	read_text(f, &text);
	text.data[60] = text.data[60] == 'A' ? 'B' : 'A';
	assert_int_equal(file_replace(f->path, text.data, text.len, 0600,
	    &fault), 0);
	assert_int_equal(load(f, &f->keys), 1);
	assert_int_equal(f->nfound, 1);
	/* Cut short: the last line has no end. */
	assert_int_equal(file_replace(f->path, text.data, text.len - 9, 0600,
	    &fault), 0);
	assert_int_equal(load(f, &f->keys), 2);
	assert_int_equal(f->nfound, 1);
	strbuf_deinit(&text);
}

static void
the_file_of_another_installation_is_refused(void **state)
{
	struct fixture *f = *state;
	struct crypto_keys others;

	add(f, 0, test_uuid(1));
	save(f);
	test_keys(&others, "another key another key another!");
	assert_int_equal(load(f, &others), 1);
	assert_int_equal(f->nfound, 0);
}

static void
callbacks_and_whom_they_trust_are_loaded_again(void **state)
{
	struct fixture *f = *state;
	struct onprem onprem = {
		.tenant_id = test_uuid(200),
		.wa_id = "16315550000",
		.updated_us = 1700000000000002,
		.settings = {
			.webhook_url = "https://example.com/hook",
			.callback_backoff_delay_ms = 3000,
			.max_callback_backoff_delay_ms = 900000,
			.callback_persist = true,
			.webhook_max_concurrent = 12,
		},
	};
	struct target *target = target_new_callback(&onprem), *got;

	target->trust.is_set = true;
	memset(target->trust.hash, 0xa5, sizeof(target->trust.hash));
	endpoint_learn(endpoints_add(f->table, 3, &onprem.tenant_id,
	    &TARGET_CALLBACK_ID), target, 1, 1);
	add(f, 0, test_uuid(1));
	save(f);
	assert_int_equal(load(f, &f->keys), 0);
	assert_int_equal(f->nfound, 2);
	assert_false(f->found[0]->trust.is_set);
	got = f->found[1];
	assert_true(target_is_same(got, target));
	assert_int_equal(got->kind, TARGET_CALLBACK);
	assert_string_equal(got->webhook.url, "https://example.com/hook");
	assert_string_equal(got->wa_id, "16315550000");
	assert_int_equal(got->delay_ms, 3000);
	assert_int_equal(got->delay_max_ms, 900000);
	assert_int_equal(got->webhook.max_concurrency, 12);
	assert_true(got->is_kept && got->webhook.enabled);
	/* Other certificates are other settings. */
	got->trust.hash[0] ^= 1;
	assert_false(target_is_same(got, target));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    what_was_saved_is_loaded_again_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    without_a_file_nothing_is_known, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    the_file_is_private_and_shows_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_damaged_line_is_left_out_and_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    the_file_of_another_installation_is_refused, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(callbacks_and_whom_they_trust_are_loaded_again,
		    setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
