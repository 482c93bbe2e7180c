/* SPDX-License-Identifier: MIT */
/* wutsctl export and import: users as lines of JSON. Both in flat memory, both
   to be begun again after an interruption: export behind the last id that it
   gave, import from the start. */
#include "config.h"

#include "ctl_private.h"
#include "transfer.h"

#include "wuts/arena.h"
#include "wuts/clock.h"
#include "wuts/tenant.h"
#include "wuts/user_transfer_service.h"
#include "wuts/uuid.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)4 << 20)
#define TELL_EVERY 10000

/* --- export --- */

struct exporting {
	bool with_secrets;
	struct strbuf line;
	uint64_t n;
};

static int
export_row(void *ctx, const struct user_transfer *user, struct fault *fault)
{
	struct exporting *exporting = ctx;
	struct json_writer w;

	strbuf_reset(&exporting->line);
	json_writer_init(&w, &exporting->line);
	transfer_write(&w, user, exporting->with_secrets);
	strbuf_append_char(&exporting->line, '\n');
	if (fwrite(exporting->line.data, 1, exporting->line.len, stdout) !=
	    exporting->line.len)
		return fault_errno(fault, FAULT_IO, "write");
	if (++exporting->n % TELL_EVERY == 0)
		fprintf(stderr, "%" PRIu64 " users\n", exporting->n);
	return 0;
}

static int
export_all(struct session *session)
{
	struct exporting exporting = {
		.with_secrets = session->ctl->secrets
	};
	const char *text = session->ctl->after;
	struct uuid after = UUID_NIL;
	struct tenant tenant;
	int ret;

	if (text != NULL && !uuid_parse(text, strlen(text), &after))
		return fault_add_field(&session->fault, "after",
		    "must be a user's id", text);
	if (session_tenant(session, session->ctl->args[0], &tenant) < 0)
		return -1;
	ret = user_transfer_service_export(session->service,
	    &session->caller, &tenant.id, &after, exporting.with_secrets,
	    export_row, &exporting, &session->fault);
	if (exporting.line.len > 0)
		memset(exporting.line.data, 0, exporting.line.len);
	strbuf_deinit(&exporting.line);
	if (ret == 0 && fflush(stdout) != 0)
		ret = fault_errno(&session->fault, FAULT_IO, "write");
	if (ret == 0)
		fprintf(stderr, "%" PRIu64 " users\n", exporting.n);
	return ret;
}

int
ctl_export(const struct ctl *ctl)
{
	struct session session;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	return session_close(&session, export_all(&session));
}

/* --- import --- */

struct import {
	uint64_t lines, made, there, refused;
};

static void
tell(const struct import *import)
{
	fprintf(stderr, "%" PRIu64 " lines: %" PRIu64 " new, %" PRIu64
	    " there already, %" PRIu64 " refused\n", import->lines,
	    import->made, import->there, import->refused);
}

static void
tell_refused(const struct import *import, const struct fault *fault)
{
	fprintf(stderr, "wutsctl: line %" PRIu64 ":", import->lines);
	for (size_t i = 0; i < fault->nfields; i++)
		fprintf(stderr, "%s %s %s", i > 0 ? "," : "",
		    fault->fields[i].field, fault->fields[i].message);
	if (fault->nfields == 0)
		fprintf(stderr, " %s", fault->said);
	fprintf(stderr, "\n");
}

/* 0, or -1 when there is no going on. */
static int
import_line(struct session *session, const struct uuid *tenant_id,
    const char *line, size_t len, struct import *import)
{
	struct fault *fault = &session->fault;
	struct user_transfer user;
	int ret;

	import->lines++;
	if (strspn(line, " \t\r\n") == len)
		return 0;
	fault_clear(fault);
	arena_reset(session->arena);
	if (len > LINE_MAX_BYTES)
		ret = fault_say(fault, REFUSAL_VALIDATION,
		    "the line is too long");
	else
		ret = transfer_read(session->arena, tenant_id, line, len,
		    &user, fault);
	if (ret == 0)
		ret = user_transfer_service_import(session->service,
		    session->arena, &session->caller, tenant_id, &user,
		    fault);
	if (ret < 0 && (!fault_is_refusal(fault->code) ||
	    fault->code == REFUSAL_TENANT_NOT_FOUND ||
	    fault->code == REFUSAL_FORBIDDEN))
		return fault_prefix(fault, "line %" PRIu64, import->lines);
	if (ret < 0) {
		import->refused++;
		tell_refused(import, fault);
	}
	import->made += ret == 1;
	import->there += ret == 0;
	if (import->lines % TELL_EVERY == 0)
		tell(import);
	return 0;
}

static int
import_stream(struct session *session, FILE *in)
{
	struct import import = { 0 };
	struct tenant tenant;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int ret = 0;

	if (session_tenant(session, session->ctl->args[0], &tenant) < 0)
		return -1;
	while (ret == 0 && (len = getline(&line, &size, in)) > 0)
		ret = import_line(session, &tenant.id, line, (size_t)len,
		    &import);
	if (ret == 0 && ferror(in))
		ret = fault_errno(&session->fault, FAULT_IO, "read");
	if (line != NULL)
		memset(line, 0, size);
	free(line);
	tell(&import);
	if (ret == 0 && import.refused > 0) {
		fault_clear(&session->fault);
		ret = fault_say(&session->fault, REFUSAL_VALIDATION,
		    "%" PRIu64 " lines were refused, see above",
		    import.refused);
	}
	return ret;
}

static int
import_all(struct session *session)
{
	const char *path = session->ctl->args[1];
	FILE *in = stdin;
	int ret;

	if (path != NULL) {
		in = fopen(path, "re");
		if (in == NULL)
			return fault_errno(&session->fault, FAULT_IO,
			    "open %s", path);
	}
	ret = import_stream(session, in);
	if (in != stdin)
		fclose(in);
	return ret;
}

int
ctl_import(const struct ctl *ctl)
{
	struct session session;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	return session_close(&session, import_all(&session));
}
