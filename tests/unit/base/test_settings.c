/* SPDX-License-Identifier: MIT */
/* The configuration file: every type, every complaint with its line, and the
   secrets that it names. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/settings.h"

#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define KEY_HEX \
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

struct fixture {
	char *dir;
	char conf[SCRATCH_PATH_SIZE];
	char key[SCRATCH_PATH_SIZE];
};

static struct fixture fx;

static int
setup(void **state)
{
	if (scratch_setup(state) < 0)
		return -1;
	fx.dir = *state;
	scratch_path((void *const *)&fx.dir, "wuts.conf", fx.conf);
	scratch_path((void *const *)&fx.dir, "key", fx.key);
	scratch_write(fx.key, KEY_HEX "\n", 0600);
	return 0;
}

/* Load the lines behind a line 1 that names the key. NULL: see fault. */
static struct settings *
load(const char *lines, struct fault *fault)
{
	struct settings *settings = NULL;
	char text[4096];

	assert_in_range(snprintf(text, sizeof(text),
	    "installation_key_file = %s\n%s", fx.key, lines), 1,
	    sizeof(text) - 1);
	scratch_write(fx.conf, text, 0644);
	fault_clear(fault);
	if (settings_load(&settings, fx.conf, fault) < 0) {
		assert_int_equal(fault->code, FAULT_CONFIG);
		assert_null(settings);
	}
	return settings;
}

static struct settings *
load_good(const char *lines)
{
	struct fault fault;
	struct settings *settings = load(lines, &fault);

	if (settings == NULL)
		fail_msg("%s: %s", lines, fault.text);
	return settings;
}

static void
the_table_is_sorted_and_complete(void **state)
{
	const struct setting *setting;
	size_t i, len;

	(void)state;
	for (i = 0; i < settings_table_len; i++) {
		setting = &settings_table[i];
		if (i > 0 && strcmp(settings_table[i - 1].name,
		    setting->name) >= 0)
			fail_msg("%s is not in order", setting->name);
		assert_true(setting->min <= setting->max);
		assert_true(setting->offset < sizeof(struct settings));
		len = strlen(setting->meaning);
		if (len == 0 || setting->meaning[len - 1] != '.')
			fail_msg("%s: its meaning is no sentence",
			    setting->name);
	}
}

static void
what_is_not_set_has_its_documented_default(void **state)
{
	struct settings *s = load_good("");

	(void)state;
	assert_int_equal(s->auth_failure_limit, 20);
	assert_int_equal(s->body_limit, 1 << 20);
	assert_string_equal(s->cors_origin, "");
	assert_string_equal(s->database_host, "127.0.0.1");
	assert_string_equal(s->database_name, "wuts");
	assert_int_equal(s->database_port, 3306);
	assert_string_equal(s->database_socket, "");
	assert_int_equal(s->database_timeout_ms, 1000);
	assert_string_equal(s->database_user, "wuts");
	assert_true(s->dead_letter_keep_ms == INT64_C(30) * 86400000);
	assert_int_equal(s->delivery_log_keep_ms, 7 * 86400000);
	assert_true(s->webhook_disable_after_ms == INT64_C(5) * 86400000);
	assert_int_equal(s->drain_timeout_ms, 30000);
	assert_string_equal(s->group, "");
	assert_int_equal(s->identity_cache_ttl_ms, 1000);
	assert_int_equal(s->ingest_body_limit, 8 << 20);
	assert_string_equal(s->log_file, "-");
	assert_int_equal(s->log_level, LOG_LEVEL_INFO);
	assert_int_equal(s->password_memory_kib, 19456);
	assert_int_equal(s->password_passes, 2);
	assert_string_equal(s->queue_dir, WUTS_DEFAULT_QUEUE_DIR);
	assert_int_equal(s->queue_disk_reserve, 64 << 20);
	assert_int_equal(s->queue_max_bytes, 0);
	assert_int_equal(s->queue_segment_bytes, 16 << 20);
	assert_int_equal(s->request_timeout_ms, 30000);
	assert_int_equal(s->retry_base_ms, 5000);
	assert_int_equal(s->retry_cap_ms, 3600000);
	assert_string_equal(s->run_dir, WUTS_DEFAULT_RUN_DIR);
	assert_true(s->show_tokens);
	assert_string_equal(s->socket,
	    WUTS_DEFAULT_RUN_DIR "/wutsd.sock");
	assert_int_equal(s->socket_mode, 0660);
	assert_int_equal(s->spool_max_in_flight, 256);
	assert_string_equal(s->user, "");
	assert_string_equal(s->webhook_allow, "");
	assert_false(s->webhook_http);
	assert_int_equal(s->worker_max_requests, 100000);
	assert_int_equal(s->workers, 4);
	assert_false(s->has_master_token);
	assert_false(s->has_engine_token);
	assert_null(s->database_password.data);
	settings_free(&s);
	assert_null(s);
	settings_free(&s);
}

static void
texts_are_taken_as_they_stand(void **state)
{
	struct settings *s = load_good(
	    "# a comment\n; another\n\n"
	    "run_dir = /tmp/x y\n"
	    "database_user=someone\n"
	    "  \n"
	    "webhook_allow =   10.0.0.0/8 ::1   \n"
	    "cors_origin = https://a.example:8443\n"
	    "database_name =\n"
	    " \tengine_token_file =\n"
	    "log_file = /x#y");

	(void)state;
	assert_string_equal(s->run_dir, "/tmp/x y");
	assert_string_equal(s->socket, "/tmp/x y/wutsd.sock");
	assert_string_equal(s->database_user, "someone");
	assert_string_equal(s->webhook_allow, "10.0.0.0/8 ::1");
	assert_string_equal(s->cors_origin, "https://a.example:8443");
	assert_string_equal(s->database_name, "");
	assert_string_equal(s->log_file, "/x#y");
	settings_free(&s);
}

static void
a_socket_that_is_set_stays(void **state)
{
	struct settings *s = load_good("run_dir = /a\nsocket = /b/s\n");

	(void)state;
	assert_string_equal(s->socket, "/b/s");
	settings_free(&s);
}

static void
an_engine_is_behind_a_named_location(void **state)
{
	static const char *const bad[] = { "engine_location = wuts_engine",
	    "engine_location = /engine", "engine_location = @",
	    "engine_location = @a b", "engine_location = @a/b",
	    "engine_location = @a.b", "engine_location = http://engine/" };
	struct settings *s = load_good("engine_location = @wuts-Engine_2");
	struct fault fault;
	size_t i;

	(void)state;
	assert_string_equal(s->engine_location, "@wuts-Engine_2");
	settings_free(&s);
	s = load_good("");
	assert_string_equal(s->engine_location, "");
	settings_free(&s);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(load(bad[i], &fault));
		assert_int_equal(fault.code, FAULT_CONFIG);
		assert_non_null(strstr(fault.text, "engine_location"));
	}
}

static void
booleans_have_four_spellings_each(void **state)
{
	static const struct {
		const char *line;
		bool value;
	} rows[] = {
		{ "webhook_http = yes", true }, { "webhook_http = on", true },
		{ "webhook_http = true", true }, { "webhook_http = 1", true },
		{ "webhook_http = no", false },
		{ "webhook_http = off", false },
		{ "webhook_http = false", false },
		{ "webhook_http = 0", false },
	};
	struct settings *s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s = load_good(rows[i].line);
		assert_int_equal(s->webhook_http, rows[i].value);
		settings_free(&s);
	}
}

static void
log_levels_have_names(void **state)
{
	static const char *const names[] = {
		[LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARN] = "warn",
		[LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_DEBUG] = "debug",
	};
	struct settings *s;
	char line[64];
	int level;

	(void)state;
	for (level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
		snprintf(line, sizeof(line), "log_level = %s", names[level]);
		s = load_good(line);
		assert_int_equal(s->log_level, level);
		settings_free(&s);
	}
}

static void
numbers_sizes_and_durations_have_units(void **state)
{
	struct settings *s = load_good(
	    "workers = 1\nworker_max_requests = 4294967295\n"
	    "socket_mode = 600\n"
	    "body_limit = 1024\ningest_body_limit = 64M\n"
	    "queue_segment_bytes = 64K\nqueue_max_bytes = 3G\n"
	    "queue_disk_reserve = 2g\n"
	    "retry_base = 500ms\nretry_cap = 2m\ndatabase_timeout = 5\n"
	    "request_timeout = 1h\ndead_letter_keep = 2d\n"
	    "drain_timeout = 0s\nidentity_cache_ttl = 0\n");

	(void)state;
	assert_int_equal(s->workers, 1);
	assert_int_equal(s->worker_max_requests, UINT32_MAX);
	assert_int_equal(s->socket_mode, 0600);
	assert_int_equal(s->body_limit, 1024);
	assert_int_equal(s->ingest_body_limit, 64 << 20);
	assert_int_equal(s->queue_segment_bytes, 65536);
	assert_true(s->queue_max_bytes == UINT64_C(3) << 30);
	assert_true(s->queue_disk_reserve == UINT64_C(2) << 30);
	assert_int_equal(s->retry_base_ms, 500);
	assert_int_equal(s->retry_cap_ms, 120000);
	assert_int_equal(s->database_timeout_ms, 5000);
	assert_int_equal(s->request_timeout_ms, 3600000);
	assert_int_equal(s->dead_letter_keep_ms, 172800000);
	assert_int_equal(s->drain_timeout_ms, 0);
	assert_int_equal(s->identity_cache_ttl_ms, 0);
	settings_free(&s);
}

static void
a_bad_line_is_refused_with_file_line_and_name(void **state)
{
	static const struct {
		const char *line, *name, *why;
	} rows[] = {
		{ "no_such_setting = 1", "no_such_setting", "no such" },
		{ "Workers = 1", "Workers", "no such" },
		{ "workers = 0", "workers", "too small" },
		{ "workers = 1025", "workers", "too large" },
		{ "workers = four", "workers", "whole number" },
		{ "workers =", "workers", "whole number" },
		{ "workers = -1", "workers", "whole number" },
		{ "workers = +1", "workers", "whole number" },
		{ "workers = 1.5", "workers", "whole number" },
		{ "workers = 0x10", "workers", "whole number" },
		{ "workers = 1K", "workers", "whole number" },
		{ "workers = 1 2", "workers", "whole number" },
		{ "workers = 99999999999999999999", "workers",
		    "whole number" },
		{ "socket_mode = 0888", "socket_mode", "octal" },
		{ "socket_mode = 01000", "socket_mode", "too large" },
		{ "socket_mode = rw", "socket_mode", "octal" },
		{ "body_limit = 1T", "body_limit", "a size like" },
		{ "body_limit = M", "body_limit", "a size like" },
		{ "body_limit = 1MB", "body_limit", "a size like" },
		{ "body_limit = 1023", "body_limit", "too small" },
		{ "body_limit = 65M", "body_limit", "too large" },
		{ "queue_max_bytes = 9223372036854775807G",
		    "queue_max_bytes", "a size like" },
		{ "retry_cap = 1w", "retry_cap", "a duration like" },
		{ "retry_cap = s", "retry_cap", "a duration like" },
		{ "retry_cap = 1 s", "retry_cap", "a duration like" },
		{ "retry_cap = 0", "retry_cap", "too small" },
		{ "retry_cap = 9223372036854775807d", "retry_cap",
		    "a duration like" },
		{ "database_timeout = 61s", "database_timeout", "too large" },
		{ "database_timeout = 999ms", "database_timeout",
		    "too small" },
		{ "webhook_http = maybe", "webhook_http", "yes or no" },
		{ "webhook_http = YES", "webhook_http", "yes or no" },
		{ "webhook_http =", "webhook_http", "yes or no" },
		{ "log_level = verbose", "log_level", "error, warn, info" },
		{ "database_port = 0", "database_port", "too small" },
		{ "database_port = 65536", "database_port", "too large" },
		{ "run_dir = /b", "run_dir", "second time" },
		{ "[section]\nworkers = 1", "section", "section" },
		{ "just words", "", "name = value" },
	};
	struct fault fault;
	char lines[256], place[SCRATCH_PATH_SIZE + 32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(lines, sizeof(lines),
		    "# comment\n\nrun_dir = /a\n%s\nuser = x\n",
		    rows[i].line);
		snprintf(place, sizeof(place), "%s line %d", fx.conf,
		    rows[i].line[0] == '[' ? 6 : 5);
		if (load(lines, &fault) != NULL)
			fail_msg("%s was taken", rows[i].line);
		if (strstr(fault.text, place) == NULL ||
		    strstr(fault.text, rows[i].name) == NULL ||
		    strstr(fault.text, rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].line, fault.text);
	}
}

static void
a_line_too_long_is_refused_and_not_split(void **state)
{
	struct fault fault;
	char lines[1024];

	(void)state;
	memset(lines, 'x', sizeof(lines));
	memcpy(lines, "user = ", 7);
	lines[sizeof(lines) - 1] = '\0';
	assert_null(load(lines, &fault));
	assert_non_null(strstr(fault.text, "line 2"));
	assert_non_null(strstr(fault.text, "too long"));
}

static void
a_missing_file_is_named(void **state)
{
	struct settings *settings;
	struct fault fault;

	(void)state;
	fault_clear(&fault);
	assert_int_equal(settings_load(&settings, "/no/such/wuts.conf",
	    &fault), -1);
	assert_int_equal(fault.code, FAULT_CONFIG);
	assert_non_null(strstr(fault.text, "/no/such/wuts.conf"));
}

static void
the_environment_names_the_file_when_nobody_else_does(void **state)
{
	struct settings *settings = load_good("workers = 7");
	struct fault fault;

	(void)state;
	settings_free(&settings);
	assert_int_equal(setenv("WUTS_CONFIG", fx.conf, 1), 0);
	assert_int_equal(settings_load(&settings, NULL, &fault), 0);
	assert_int_equal(settings->workers, 7);
	settings_free(&settings);
	assert_int_equal(setenv("WUTS_CONFIG", "/no/such/file", 1), 0);
	assert_int_equal(settings_load(&settings, fx.conf, &fault), 0);
	settings_free(&settings);
	unsetenv("WUTS_CONFIG");
}

static void
the_installation_key_is_required_and_checked(void **state)
{
	struct settings *settings;
	struct fault fault;

	(void)state;
	scratch_write(fx.conf, "workers = 1\n", 0644);
	fault_clear(&fault);
	assert_int_equal(settings_load(&settings, fx.conf, &fault), -1);
	assert_non_null(strstr(fault.text, "installation_key_file"));

	scratch_write(fx.key, "too short", 0600);
	assert_null(load("", &fault));
	assert_non_null(strstr(fault.text, "installation_key_file"));
	assert_null(strstr(fault.text, "too short"));
	scratch_write(fx.key, KEY_HEX, 0604);
	assert_null(load("", &fault));
	assert_non_null(strstr(fault.text, fx.key));
	unlink(fx.key);
	assert_null(load("", &fault));
	assert_non_null(strstr(fault.text, fx.key));
	scratch_write(fx.key, KEY_HEX, 0600);
}

static void
the_installation_key_becomes_the_keys(void **state)
{
	struct settings *settings = load_good("");
	struct secret secret = { NULL, 0 };
	struct crypto_keys keys;
	struct fault fault;

	(void)state;
	secret_set(&secret, KEY_HEX, 64);
	assert_int_equal(crypto_keys_derive(&keys, &secret, &fault), 0);
	assert_memory_equal(&settings->keys, &keys, sizeof(keys));
	secret_deinit(&secret);
	settings_free(&settings);
}

static void
further_lines_of_the_key_file_are_older_keys(void **state)
{
	static const char two[] = KEY_HEX "\n"
	    "ff112233445566778899aabbccddeeff"
	    "ff112233445566778899aabbccddeeff\n";
	struct settings *settings;
	struct fault fault;

	(void)state;
	scratch_write(fx.key, two, 0600);
	settings = load_good("");
	assert_int_equal(settings->keys.n, 2);
	settings_free(&settings);
	scratch_write(fx.key, KEY_HEX "\n" KEY_HEX "\n", 0600);
	assert_null(load("", &fault));
	assert_non_null(strstr(fault.text, fx.key));
	scratch_write(fx.key, KEY_HEX, 0600);
}

static void
tokens_come_from_a_file_or_as_a_hash(void **state)
{
	uint8_t master[CRYPTO_HASH_LEN], engine[CRYPTO_HASH_LEN];
	char path[SCRATCH_PATH_SIZE], lines[1024], hex[65];
	struct settings *settings;

	crypto_sha256("master!", 7, master);
	crypto_sha256("engine!", 7, engine);
	crypto_hex(engine, sizeof(engine), hex);
	scratch_write(scratch_path(state, "master", path), "master!\n", 0600);
	snprintf(lines, sizeof(lines),
	    "master_token_file = %s\nengine_token_sha256 = %s\n", path, hex);
	settings = load_good(lines);
	assert_true(settings->has_master_token);
	assert_memory_equal(settings->master_token_hash, master, 32);
	assert_true(settings->has_engine_token);
	assert_memory_equal(settings->engine_token_hash, engine, 32);
	settings_free(&settings);
}

static void
bad_tokens_are_refused_without_showing_them(void **state)
{
	char path[SCRATCH_PATH_SIZE], lines[1200];
	struct fault fault;

	assert_null(load("master_token_sha256 = 0011\n", &fault));
	assert_non_null(strstr(fault.text, "master_token_sha256"));
	assert_null(load("engine_token_sha256 = " KEY_HEX "00\n", &fault));
	assert_non_null(strstr(fault.text, "engine_token_sha256"));

	scratch_write(scratch_path(state, "token", path), "hush", 0644);
	snprintf(lines, sizeof(lines), "master_token_file = %s\n", path);
	assert_null(load(lines, &fault));
	assert_non_null(strstr(fault.text, "master_token_file"));
	assert_non_null(strstr(fault.text, path));
	assert_null(strstr(fault.text, "hush"));

	scratch_write(path, "hush", 0600);
	snprintf(lines, sizeof(lines), "master_token_file = %s\n"
	    "master_token_sha256 = " KEY_HEX "\n", path);
	assert_null(load(lines, &fault));
	assert_non_null(strstr(fault.text, "both"));
}

static void
the_database_password_is_read_from_its_file(void **state)
{
	char path[SCRATCH_PATH_SIZE], lines[600];
	struct settings *settings;
	struct fault fault;

	scratch_write(scratch_path(state, "db", path), "pass word\n", 0640);
	snprintf(lines, sizeof(lines), "database_password_file = %s", path);
	settings = load_good(lines);
	assert_int_equal(settings->database_password.len, 9);
	assert_memory_equal(settings->database_password.data, "pass word", 9);
	settings_free(&settings);
	unlink(path);
	assert_null(load(lines, &fault));
	assert_non_null(strstr(fault.text, "database_password_file"));
	assert_non_null(strstr(fault.text, path));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_sorted_and_complete),
		cmocka_unit_test(what_is_not_set_has_its_documented_default),
		cmocka_unit_test(texts_are_taken_as_they_stand),
		cmocka_unit_test(a_socket_that_is_set_stays),
		cmocka_unit_test(an_engine_is_behind_a_named_location),
		cmocka_unit_test(booleans_have_four_spellings_each),
		cmocka_unit_test(log_levels_have_names),
		cmocka_unit_test(numbers_sizes_and_durations_have_units),
		cmocka_unit_test(a_bad_line_is_refused_with_file_line_and_name),
		cmocka_unit_test(a_line_too_long_is_refused_and_not_split),
		cmocka_unit_test(a_missing_file_is_named),
		cmocka_unit_test(
		    the_environment_names_the_file_when_nobody_else_does),
		cmocka_unit_test(the_installation_key_is_required_and_checked),
		cmocka_unit_test(the_installation_key_becomes_the_keys),
		cmocka_unit_test(further_lines_of_the_key_file_are_older_keys),
		cmocka_unit_test(tokens_come_from_a_file_or_as_a_hash),
		cmocka_unit_test(bad_tokens_are_refused_without_showing_them),
		cmocka_unit_test(the_database_password_is_read_from_its_file),
	};

	return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
