/* SPDX-License-Identifier: MIT */
/* One command that calls the services, as the operator of this machine: what
   it opens, how its arguments name things, how it ends. Started as root it
   becomes the user that the programs run as, so that what it writes to queue
   and run directory is theirs to read. */
#include "config.h"

#include "ctl_private.h"

#include "wuts/arena.h"
#include "wuts/log.h"
#include "wuts/operator_service.h"
#include "wuts/privilege.h"
#include "wuts/settings.h"
#include "wuts/tenant.h"
#include "wuts/user_service.h"
#include "wuts/uuid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_BYTES 65536

static void
end(struct session *session)
{
	service_close(&session->service);
	settings_free(&session->settings);
	arena_free(&session->arena);
	strbuf_deinit(&session->out);
}

/* What is logged goes where the other programs log, so that the trail of a
   tenant's end is in one place; on a terminal only what is worth a warning. */
static void
open_log(const struct settings *settings)
{
	enum log_level level = settings->log_level;

	if (strcmp(settings->log_file, "-") == 0 && level > LOG_LEVEL_WARN)
		level = LOG_LEVEL_WARN;
	if (log_open("wutsctl", settings->log_file, level) < 0)
		log_warn("%s: %s", settings->log_file, strerror(errno));
}

bool
session_open(struct session *session, const struct ctl *ctl)
{
	struct fault *fault = &session->fault;

	memset(session, 0, sizeof(*session));
	session->ctl = ctl;
	session->caller.identity.kind = IDENTITY_OPERATOR;
	session->caller.request_id = "";
	session->caller.address = "local";
	session->arena = arena_new();
	if (settings_load(&session->settings, ctl->config, fault) < 0 ||
	    privilege_drop(session->settings, fault) < 0 ||
	    service_open(&session->service, session->settings, fault) < 0) {
		(void)ctl_failed(fault);
		end(session);
		return false;
	}
	privilege_hide_memory();
	open_log(session->settings);
	json_writer_init(&session->w, &session->out);
	if (ctl->json)
		json_write_object_begin(&session->w);
	return true;
}

static void
write_out(struct session *session)
{
	if (session->out.len > 0)
		(void)fwrite(session->out.data, 1, session->out.len, stdout);
	strbuf_reset(&session->out);
}

void
session_flush(struct session *session)
{
	if (session->out.len >= FLUSH_BYTES)
		write_out(session);
}

int
session_close(struct session *session, int ret)
{
	int status = CTL_OK;

	if (ret < 0) {
		status = ctl_failed(&session->fault);
	} else if (session->ctl->json) {
		json_write_object_end(&session->w);
		strbuf_append_char(&session->out, '\n');
		write_out(session);
	}
	end(session);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "wutsctl: standard output: %s\n",
		    strerror(errno));
		return CTL_FAILED;
	}
	return status;
}

int
session_tenant(struct session *session, const char *text,
    struct tenant *tenant_r)
{
	struct fault *fault = &session->fault;
	int found;

	found = operator_service_find_tenant(session->service, text, tenant_r,
	    fault);
	if (found == 0)
		return fault_say(fault, REFUSAL_TENANT_NOT_FOUND,
		    "there is no tenant \"%s\"", text);
	return found < 0 ? -1 : 0;
}

static int
find_by_email(struct session *session, const struct tenant *tenant,
    const char *email, struct user *user_r)
{
	struct fault *fault = &session->fault;
	int found;

	found = operator_service_find_user(session->service, &tenant->id,
	    email, user_r, fault);
	if (found == 0)
		return fault_say(fault, REFUSAL_USER_NOT_FOUND,
		    "tenant \"%s\" has no user %s", tenant->name, email);
	return found < 0 ? -1 : 0;
}

int
session_user(struct session *session, struct user *user_r)
{
	const struct ctl *ctl = session->ctl;
	struct fault *fault = &session->fault;
	const char *text = ctl->args[0];
	struct tenant tenant;
	struct uuid id;
	bool is_id = uuid_parse(text, strlen(text), &id);

	if (ctl->tenant != NULL &&
	    session_tenant(session, ctl->tenant, &tenant) < 0)
		return -1;
	if (!is_id && ctl->tenant == NULL)
		return fault_set(fault, FAULT_CONFIG, "\"%s\" is no user's"
		    " id: give the id, or an e-mail with --tenant TENANT",
		    text);
	if (!is_id)
		return find_by_email(session, &tenant, text, user_r);
	if (user_service_get(session->service, &session->caller, &id, user_r,
	    fault) < 0)
		return fault->code == REFUSAL_USER_NOT_FOUND ?
		    fault_say(fault, REFUSAL_USER_NOT_FOUND,
		    "there is no user %s", text) : -1;
	if (ctl->tenant != NULL &&
	    !uuid_is_equal(&user_r->tenant_id, &tenant.id))
		return fault_say(fault, REFUSAL_USER_NOT_FOUND,
		    "tenant \"%s\" has no user %s", tenant.name, text);
	return 0;
}

int
session_role(struct session *session, const char *text, enum role *role_r)
{
	if (role_parse(text, role_r))
		return 0;
	return fault_set(&session->fault, FAULT_CONFIG, "there is no role"
	    " \"%s\": give admin, manager or user", text);
}

int
session_limit(struct session *session, unsigned *limit_r)
{
	return ctl_limit(session->ctl, limit_r, &session->fault);
}
