/* SPDX-License-Identifier: MIT */
/* The configuration file: read line by line by inih, each value checked by the
   type and limits of its row in settings_table. */
#include "config.h"

#include "settings_private.h"

#include "wuts/fault.h"
#include "wuts/mem.h"

#include <ini.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One reading of one file. */
struct reading {
	struct settings *settings;
	const char *path;
	FILE *file;
	unsigned line;
	bool failed;
	bool *given;		/* per row: stood in the file already */
	struct fault *fault;
};

struct unit {
	const char *suffix;
	int64_t factor;
};

static const struct unit size_units[] = {
	{ "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 }, { "G", 1 << 30 },
	{ "k", 1 << 10 }, { "m", 1 << 20 }, { "g", 1 << 30 }, { NULL, 0 }
};
static const struct unit duration_units[] = {
	{ "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
	{ "h", 3600000 }, { "d", 86400000 }, { NULL, 0 }
};
static const struct unit no_units[] = { { "", 1 }, { NULL, 0 } };

/* A number without sign in that base, one of the units behind it. */
static bool
parse_number(const char *text, int base, const struct unit *units,
    int64_t *value_r)
{
	long long value;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoll(text, &end, base);
	if (errno != 0)
		return false;
	for (; units->suffix != NULL; units++)
		if (strcmp(end, units->suffix) == 0)
			return !__builtin_mul_overflow((int64_t)value,
			    units->factor, value_r);
	return false;
}

static bool
parse_bool(const char *text, bool *value_r)
{
	static const char *const words[2][4] = {
		{ "no", "false", "off", "0" }, { "yes", "true", "on", "1" }
	};
	size_t value, i;

	for (value = 0; value < 2; value++)
		for (i = 0; i < 4; i++)
			if (strcmp(text, words[value][i]) == 0) {
				*value_r = value == 1;
				return true;
			}
	return false;
}

static bool
parse_log_level(const char *text, enum log_level *level_r)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0) {
			*level_r = (enum log_level)i;
			return true;
		}
	return false;
}

/* Store a number that has passed its limits. */
static void
store_number(void *place, enum setting_type type, int64_t value)
{
	if (type == SETTING_SIZE)
		*(size_t *)place = (size_t)value;
	else if (type == SETTING_DURATION)
		*(int64_t *)place = value;
	else
		*(unsigned *)place = (unsigned)value;
}

/* NULL: taken. Else what the value should have been. */
static const char *
set_number(void *place, const struct setting *setting, const char *text)
{
	static const struct {
		const struct unit *units;
		int base;
		const char *wanted;
	} forms[] = {
		[SETTING_NUMBER] = { no_units, 10, "must be a whole number" },
		[SETTING_OCTAL] = { no_units, 8, "must be an octal number" },
		[SETTING_SIZE] = { size_units, 10,
		    "must be a size like 512K, 16M or 1G" },
		[SETTING_DURATION] = { duration_units, 10,
		    "must be a duration like 500ms, 5s, 2m, 1h or 30d" },
	};
	int64_t value;

	if (!parse_number(text, forms[setting->type].base,
	    forms[setting->type].units, &value))
		return forms[setting->type].wanted;
	if (value < setting->min)
		return "is too small";
	if (value > setting->max)
		return "is too large";
	store_number(place, setting->type, value);
	return NULL;
}

static const char *
set_value(struct settings *settings, const struct setting *setting,
    const char *text)
{
	void *place = setting_place(settings, setting);

	switch (setting->type) {
	case SETTING_TEXT:
		free(*(char **)place);
		*(char **)place = mem_strdup(text);
		return NULL;
	case SETTING_BOOL:
		return parse_bool(text, place) ? NULL : "must be yes or no";
	case SETTING_LOG_LEVEL:
		return parse_log_level(text, place) ? NULL :
		    "must be error, warn, info or debug";
	case SETTING_NUMBER:
	case SETTING_OCTAL:
	case SETTING_SIZE:
	case SETTING_DURATION:
		break;
	}
	return set_number(place, setting, text);
}

static int
fail(struct reading *reading, const char *what, const char *why)
{
	if (!reading->failed)
		fault_set(reading->fault, FAULT_CONFIG, "%s line %u: %s%s%s",
		    reading->path, reading->line, what,
		    what[0] == '\0' ? "" : ": ", why);
	reading->failed = true;
	return 0;
}

/* inih's callback: 1 to go on. */
static int
take_pair(void *ctx, const char *section, const char *name, const char *value)
{
	struct reading *reading = ctx;
	const struct setting *setting;
	const char *problem;
	size_t i;

	if (reading->failed)
		return 0;
	if (section[0] != '\0')
		return fail(reading, section,
		    "sections are not used: remove the line in brackets");
	for (i = 0; i < settings_table_len; i++)
		if (strcmp(settings_table[i].name, name) == 0)
			break;
	if (i == settings_table_len)
		return fail(reading, name, "no such setting");
	setting = &settings_table[i];
	if (reading->given[i])
		return fail(reading, name, "is set a second time");
	reading->given[i] = true;
	problem = set_value(reading->settings, setting, value);
	return problem == NULL ? 1 : fail(reading, name, problem);
}

/* inih's line source: counts lines, refuses one that inih would split, and
   drops indentation, which to inih continues the line above. */
static char *
next_line(char *buf, int size, void *ctx)
{
	struct reading *reading = ctx;
	size_t len, indent;

	if (reading->failed || fgets(buf, size, reading->file) == NULL)
		return NULL;
	reading->line++;
	len = strlen(buf);
	if (len == (size_t)size - 1 && buf[len - 1] != '\n') {
		fail(reading, "", "the line is too long");
		return NULL;
	}
	indent = strspn(buf, " \t");
	memmove(buf, buf + indent, len - indent + 1);
	return buf;
}

int
settings_file_read(struct settings *settings, const char *path,
    struct fault *fault)
{
	struct reading reading = {
		.settings = settings, .path = path, .fault = fault
	};
	size_t i;
	int ret;

	for (i = 0; i < settings_table_len; i++)
		wuts_assert(set_value(settings, &settings_table[i],
		    settings_table[i].initial) == NULL);
	reading.file = fopen(path, "re");
	if (reading.file == NULL)
		return fault_errno(fault, FAULT_CONFIG,
		    "configuration %s", path);
	reading.given = mem_calloc(settings_table_len, sizeof(bool));
	ret = ini_parse_stream(next_line, &reading, take_pair, &reading);
	if (ret != 0 && !reading.failed) {
		/* inih reads on to the end; this is where it stumbled. */
		if (ret > 0)
			reading.line = (unsigned)ret;
		fail(&reading, "", "must be `name = value`");
	}
	if (ferror(reading.file) && !reading.failed) {
		reading.failed = true;
		fault_errno(fault, FAULT_CONFIG, "configuration %s", path);
	}
	free(reading.given);
	fclose(reading.file);
	return reading.failed ? -1 : 0;
}
