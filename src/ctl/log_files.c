/* SPDX-License-Identifier: MIT */
/* Logs of the three programs. What cannot be read twice (a pipe) is copied to a
   temporary file that has no name. */
#include "config.h"

#include "log_files.h"

#include "wuts/log.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* file, or a copy of it that can be read again; NULL: errno tells. */
static FILE *
rewindable(FILE *file)
{
	char buf[65536];
	FILE *copy;
	size_t n;

	if (fseek(file, 0, SEEK_SET) == 0)
		return file;
	copy = tmpfile();
	while (copy != NULL && (n = fread(buf, 1, sizeof(buf), file)) > 0)
		if (fwrite(buf, 1, n, copy) != n)
			break;
	if (copy != NULL && (ferror(file) || fflush(copy) != 0)) {
		(void)fclose(copy);
		copy = NULL;
	}
	(void)fclose(file);
	return copy;
}

int
log_files_open(struct log_files *logs, const char *path, struct fault *fault)
{
	FILE *file = fopen(path, "re");

	if (file != NULL)
		file = rewindable(file);
	if (file == NULL)
		return fault_errno(fault, FAULT_IO, "log %s", path);
	wuts_assert(logs->n < sizeof(logs->at) / sizeof(logs->at[0]));
	logs->at[logs->n].file = file;
	logs->at[logs->n++].path = path;
	return 0;
}

void
log_files_close(struct log_files *logs)
{
	while (logs->n > 0)
		(void)fclose(logs->at[--logs->n].file);
}

/* journalctl without `-o cat`: "Nov 21 14:18:30 host wutsd[179]: …". */
static char *
without_prefix(char *line)
{
	char *message = strstr(line, "]: ");

	if (line[0] == '{' || message == NULL)
		return line;
	message += 3;
	return message[0] == '{' || strncmp(message, "20", 2) == 0 ? message :
	    line;
}

int
log_files_read(struct log_files *logs, void (*take)(void *ctx, char *line),
    void *ctx, struct fault *fault)
{
	char *line = NULL;
	size_t size = 0;
	int ret = 0;

	for (size_t i = 0; i < logs->n && ret == 0; i++) {
		FILE *file = logs->at[i].file;

		rewind(file);
		while (getline(&line, &size, file) >= 0)
			take(ctx, without_prefix(line));
		if (ferror(file))
			ret = fault_errno(fault, FAULT_IO, "log %s",
			    logs->at[i].path);
	}
	free(line);
	return ret;
}

static bool
is_id_char(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

bool
log_line_mentions(const char *line, const char *id)
{
	const char *p = line;
	size_t len = strlen(id);

	while ((p = strstr(p, id)) != NULL) {
		if ((p == line || !is_id_char(p[-1])) && !is_id_char(p[len]))
			return true;
		p++;
	}
	return false;
}

bool
log_line_word(const char *line, const char *key, char *value_r, size_t size)
{
	char text[32], json[32];
	const char *p;
	size_t len;

	snprintf(text, sizeof(text), " %s=", key);
	snprintf(json, sizeof(json), "\"%s\":\"", key);
	if ((p = strstr(line, text)) != NULL)
		p += strlen(text);
	else if ((p = strstr(line, json)) != NULL)
		p += strlen(json);
	else
		return false;
	len = strcspn(p, " \"\n");
	if (len == 0 || len >= size)
		return false;
	memcpy(value_r, p, len);
	value_r[len] = '\0';
	return true;
}
