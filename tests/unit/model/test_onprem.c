/* SPDX-License-Identifier: MIT */
/* The rules of the On-Premises dialect that need no server: names, passwords,
   and what a PATCH makes of the settings. */
#include "config.h"

#include "wuts/onprem.h"

#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
names_have_4_to_32_characters_of_a_small_set(void **state)
{
	(void)state;
	assert_null(onprem_username_check("abcd"));
	assert_null(onprem_username_check("A.b_c@d-9"));
	assert_null(onprem_username_check("01234567890123456789012345678901"));
	assert_non_null(onprem_username_check("abc"));
	assert_non_null(onprem_username_check(
	    "012345678901234567890123456789012"));
	assert_non_null(onprem_username_check("ab cd"));
	assert_non_null(onprem_username_check("ab:cd"));
	assert_non_null(onprem_username_check("login"));
	assert_non_null(onprem_username_check("logout"));
	assert_null(onprem_username_check("Login"));
}

static void
a_password_needs_all_four_classes(void **state)
{
	static const char marks[] = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
	char password[] = "Passw0rd?";

	(void)state;
	for (size_t i = 0; i < sizeof(marks) - 1; i++) {
		password[8] = marks[i];
		assert_null(onprem_password_check(password));
	}
	assert_int_equal(sizeof(marks) - 1, 32);
	assert_non_null(onprem_password_check("Passw0rd"));
	assert_non_null(onprem_password_check("passw0rd!"));
	assert_non_null(onprem_password_check("PASSW0RD!"));
	assert_non_null(onprem_password_check("Password!"));
	assert_non_null(onprem_password_check("Pa0!567"));
	assert_null(onprem_password_check("Pa0!5678"));
	assert_non_null(onprem_password_check("Pa0!\t5678"));
	/* Letters beyond ASCII are of no class, and each byte counts. */
	assert_non_null(onprem_password_check("Passw0rd\xc3\xa4"));
	assert_non_null(onprem_password_check("secret"));
}

static int
merge(struct onprem_settings *settings, const char *text, struct fault *fault)
{
	json_t *json = json_loads(text, 0, NULL);
	int ret;

	assert_non_null(json);
	ret = onprem_settings_merge(settings, json, fault);
	json_decref(json);
	return ret;
}

static void
what_is_written_reads_back_as_the_same(void **state)
{
	struct onprem_settings settings, again;
	struct strbuf text = STRBUF_INIT;
	struct json_writer w;
	struct fault fault;

	(void)state;
	onprem_settings_init(&settings);
	assert_int_equal(merge(&settings, "{\"callback_backoff_delay_ms\":"
	    "\"7\",\"media\":{\"auto_download\":[\"video\",\"audio\","
	    "\"video\"]},\"log_level\":\"debug\",\"sent_status\":false,"
	    "\"webhooks\":{\"url\":\"https://x.example/\","
	    "\"max_concurrent_requests\":18,\"message\":{\"read\":false}}}",
	    &fault), 0);
	assert_int_equal(settings.callback_backoff_delay_ms, 7);
	assert_int_equal(settings.nauto_download, 2);
	assert_int_equal(settings.auto_download[0], ONPREM_VIDEO);
	assert_false(settings.webhook_sent);
	assert_true(settings.webhook_delivered);
	json_writer_init(&w, &text);
	onprem_settings_write(&w, &settings, NULL);
	onprem_settings_init(&again);
	/* Its members are all it takes. */
	assert_int_equal(merge(&again, text.data, &fault), 0);
	assert_int_equal(again.callback_backoff_delay_ms, 7);
	assert_int_equal(again.nauto_download, 2);
	assert_int_equal(again.log_level, ONPREM_LOG_DEBUG);
	assert_int_equal(again.webhook_max_concurrent, 18);
	assert_string_equal(again.webhook_url, settings.webhook_url);
	assert_false(again.webhook_sent || again.webhook_read);
	assert_true(again.webhook_delivered);
	strbuf_deinit(&text);
}

static void
one_bad_field_changes_nothing(void **state)
{
	struct onprem_settings settings, before;
	struct fault fault;

	(void)state;
	onprem_settings_init(&settings);
	before = settings;
	assert_int_equal(merge(&settings, "{\"heartbeat_interval\":9,"
	    "\"webhooks\":{\"message\":{\"read\":\"no\"}},"
	    "\"log_level\":\"loud\"}", &fault), -1);
	assert_int_equal(fault.code, REFUSAL_VALIDATION);
	assert_int_equal(fault.nfields, 2);
	assert_string_equal(fault.fields[0].field, "webhooks.message.read");
	assert_string_equal(fault.fields[1].field, "log_level");
	assert_memory_equal(&settings, &before, sizeof(before));
	assert_int_equal(merge(&settings, "{\"nothing\":1}", &fault), -1);
	assert_int_equal(fault.nfields, 0);
	assert_int_equal(merge(&settings,
	    "{\"max_callback_backoff_delay_ms\":2999}", &fault), -1);
	assert_memory_equal(&settings, &before, sizeof(before));
}

static void
pass_through_stays_off_and_obsolete_fields_are_forgotten(void **state)
{
	struct onprem_settings settings, before;
	struct fault fault;

	(void)state;
	onprem_settings_init(&settings);
	before = settings;
	assert_int_equal(merge(&settings, "{\"pass_through\":true,"
	    "\"on_call_pager\":5,\"tcp_listen_address\":null,\"wa_id\":\"1\"}",
	    &fault), 0);
	assert_memory_equal(&settings, &before, sizeof(before));
}

static void
the_number_of_an_account_is_in_front_of_its_address(void **state)
{
	static const struct {
		const char *jid;
		const char *number;
	} rows[] = {
		{ "4915112345678:12@s.whatsapp.net", "4915112345678" },
		{ "4915112345678@s.whatsapp.net", "4915112345678" },
		{ "4915112345678.0:1@s.whatsapp.net", "4915112345678" },
		{ "+4915112345678", "4915112345678" },
		{ "0123456789012345678901234567890@x",
		    "0123456789012345678901234567890" },
		{ "01234567890123456789012345678901@x", "" },
		{ "", "" },
		{ "abc@s.whatsapp.net", "" },
		{ "4915x@s.whatsapp.net", "" },
	};
	char number[ONPREM_WA_ID_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		onprem_take_number(rows[i].jid, number);
		assert_string_equal(number, rows[i].number);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_4_to_32_characters_of_a_small_set),
		cmocka_unit_test(a_password_needs_all_four_classes),
		cmocka_unit_test(what_is_written_reads_back_as_the_same),
		cmocka_unit_test(one_bad_field_changes_nothing),
		cmocka_unit_test(
		    pass_through_stays_off_and_obsolete_fields_are_forgotten),
		cmocka_unit_test(
		    the_number_of_an_account_is_in_front_of_its_address),
	};

	return cmocka_run_group_tests_name("model/onprem", tests, NULL, NULL);
}
