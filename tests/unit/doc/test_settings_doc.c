/* SPDX-License-Identifier: MIT */
/* The sample configuration and the manual say what settings_table says: every
   setting once, its sentence, its default, and nothing that is not there. Read
   as installed, with the places of this build. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TEXT_MAX 512
#define SETTINGS_MAX 128

/* What one document says of one setting. */
struct entry {
	char name[64];
	char meaning[TEXT_MAX];
	char initial[TEXT_MAX];
	bool active;		/* sample: not commented out */
};

static FILE *
document_open(const char *name)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "placed/%s", name);
	file = fopen(path, "r");
	if (file == NULL)
		fail_msg("cannot open %s", path);
	return file;
}

static void
append(char text[TEXT_MAX], const char *more)
{
	size_t len = strlen(text);

	snprintf(text + len, TEXT_MAX - len, "%s%s", len > 0 ? " " : "", more);
}

static bool
next_line(FILE *file, char line[TEXT_MAX])
{
	if (fgets(line, TEXT_MAX, file) == NULL)
		return false;
	line[strcspn(line, "\n")] = '\0';
	return true;
}

/* "#name = value" or "name = value" below its comment. */
static size_t
read_sample(struct entry *entries)
{
	FILE *file = document_open("wuts.conf.sample");
	char line[TEXT_MAX], meaning[TEXT_MAX] = "";
	size_t n = 0;

	while (next_line(file, line)) {
		const char *setting = line + (line[0] == '#');
		size_t len = strspn(setting, "abcdefghijklmnopqrstuvwxyz0123456789_");

		if (strncmp(line, "# ", 2) == 0) {
			append(meaning, line + 2);
			continue;
		}
		if (len > 0 && strncmp(setting + len, " =", 2) == 0) {
			struct entry *entry = &entries[n++];

			assert_true(n < SETTINGS_MAX && len < sizeof(entry->name));
			memcpy(entry->name, setting, len);
			setting += len + 2;
			append(entry->initial, setting + strspn(setting, " "));
			append(entry->meaning, meaning);
			entry->active = line[0] != '#';
		}
		meaning[0] = '\0';
	}
	fclose(file);
	return n;
}

/* ".It Cm name", sentences, "Default: value." */
static size_t
read_manual(struct entry *entries)
{
	FILE *file = document_open("wuts.conf.5");
	char line[TEXT_MAX];
	struct entry *entry = NULL;
	size_t n = 0;

	while (next_line(file, line)) {
		if (strncmp(line, ".It Cm ", 7) == 0) {
			entry = &entries[n++];
			assert_true(n < SETTINGS_MAX);
			snprintf(entry->name, sizeof(entry->name), "%.63s",
			    line + 7);
		} else if (entry != NULL &&
		    strncmp(line, "Default: ", 9) == 0) {
			line[strlen(line) - 1] = '\0';
			append(entry->initial,
			    strcmp(line + 9, "empty") != 0 ? line + 9 : "");
			entry = NULL;
		} else if (entry != NULL) {
			append(entry->meaning, line);
		}
	}
	fclose(file);
	return n;
}

static const struct entry *
entry_find(const struct entry *entries, size_t n, const char *name)
{
	const struct entry *found = NULL;
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(entries[i].name, name) == 0) {
			if (found != NULL)
				fail_msg("%s stands twice", name);
			found = &entries[i];
		}
	if (found == NULL)
		fail_msg("%s is missing", name);
	return found;
}

static void
assert_documented(const struct entry *entries, size_t n)
{
	size_t i;

	for (i = 0; i < settings_table_len; i++) {
		const struct setting *setting = &settings_table[i];
		const struct entry *entry = entry_find(entries, n,
		    setting->name);

		assert_string_equal(entry->meaning, setting->meaning);
		if (!entry->active)
			assert_string_equal(entry->initial, setting->initial);
	}
	assert_int_equal(n, settings_table_len);
}

static void
the_sample_names_every_setting_with_its_sentence_and_default(void **state)
{
	static struct entry entries[SETTINGS_MAX];

	(void)state;
	assert_documented(entries, read_sample(entries));
}

static void
the_manual_names_every_setting_with_its_sentence_and_default(void **state)
{
	static struct entry entries[SETTINGS_MAX];

	(void)state;
	assert_documented(entries, read_manual(entries));
}

static void
write_secret(const char *dir, const char *name, char path[TEXT_MAX])
{
	FILE *file;

	snprintf(path, TEXT_MAX, "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%064d\n", 7);
	fclose(file);
	assert_int_equal(chmod(path, 0600), 0);
}

/* With every comment sign of a setting removed; only the paths of the secret
   files are this test's own. */
static void
the_sample_is_accepted_as_configuration(void **state)
{
	static struct entry entries[SETTINGS_MAX];
	char dir[] = "/tmp/wuts-doc.XXXXXX";
	char key[TEXT_MAX], token[TEXT_MAX], config[TEXT_MAX];
	size_t i, n = read_sample(entries);
	struct settings *settings = NULL;
	struct fault fault;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(dir));
	write_secret(dir, "key", key);
	write_secret(dir, "token", token);
	snprintf(config, sizeof(config), "%s/wuts.conf", dir);
	file = fopen(config, "w");
	assert_non_null(file);
	for (i = 0; i < n; i++) {
		const char *value = entries[i].initial;

		if (strcmp(entries[i].name, "installation_key_file") == 0)
			value = key;
		if (strcmp(entries[i].name, "master_token_file") == 0)
			value = token;
		fprintf(file, "%s = %s\n", entries[i].name, value);
	}
	fclose(file);
	fault_clear(&fault);
	if (settings_load(&settings, config, &fault) < 0)
		fail_msg("%s", fault.text);
	settings_free(&settings);
	unlink(key);
	unlink(token);
	unlink(config);
	rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_sample_names_every_setting_with_its_sentence_and_default),
		cmocka_unit_test(
		    the_manual_names_every_setting_with_its_sentence_and_default),
		cmocka_unit_test(the_sample_is_accepted_as_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
