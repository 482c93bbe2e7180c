/* SPDX-License-Identifier: MIT */
/* wutsctl tenant: list, show, create, delete. */
#include "config.h"

#include "ctl_private.h"

#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/tenant_service.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- list, show --- */

static int
list_row(void *ctx, const struct tenant *tenant, struct fault *fault)
{
	struct session *session = ctx;
	char id[UUID_TEXT_LEN + 1], created[CLOCK_RFC3339_SIZE];

	(void)fault;
	if (session->ctl->json) {
		json_write_object_begin(&session->w);
		write_tenant_members(&session->w, tenant);
		json_write_object_end(&session->w);
		session_flush(session);
	} else {
		printf("%s  %s  %s\n", uuid_format(&tenant->id, id),
		    clock_format(tenant->created_us, created), tenant->name);
	}
	return 0;
}

int
ctl_tenant_list(const struct ctl *ctl)
{
	struct session session;
	const char *next;
	int ret;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	if (ctl->json) {
		json_write_key(&session.w, "tenants");
		json_write_array_begin(&session.w);
	} else {
		printf("%-36s  %-20s  %s\n", "ID", "CREATED", "NAME");
	}
	ret = tenant_service_list(session.service, session.arena, NULL, 0,
	    list_row, &session, &next, &session.fault);
	if (ctl->json)
		json_write_array_end(&session.w);
	return session_close(&session, ret);
}

static void
show(struct session *session, const struct tenant_details *details)
{
	const struct tenant *tenant = &details->tenant;
	struct json_writer *w = &session->w;

	if (session->ctl->json) {
		json_write_key(w, "data");
		json_write_object_begin(w);
		write_tenant_members(w, tenant);
		write_number(w, "users", details->users);
		write_number(w, "devices", details->devices);
		json_write_object_end(w);
		return;
	}
	print_uuid("id", &tenant->id);
	print_text("name", tenant->name);
	print_time("created", tenant->created_us, "");
	print_time("updated", tenant->updated_us, "");
	print_number("users", details->users);
	print_number("devices", details->devices);
}

int
ctl_tenant_show(const struct ctl *ctl)
{
	struct tenant_details details;
	struct session session;
	struct tenant tenant;
	int ret;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	ret = session_tenant(&session, ctl->args[0], &tenant);
	if (ret == 0)
		ret = tenant_service_get(session.service, &tenant.id,
		    &details, &session.fault);
	if (ret == 0)
		show(&session, &details);
	return session_close(&session, ret);
}

/* --- create --- */

/* password NULL: it is known to whoever gave it. */
static void
show_registered(struct session *session,
    const struct tenant_registered *result, const char *password)
{
	struct json_writer *w = &session->w;

	if (session->ctl->json) {
		json_write_key(w, "tenant");
		json_write_object_begin(w);
		write_tenant_members(w, &result->tenant);
		json_write_object_end(w);
		json_write_key(w, "user");
		write_user(w, &result->admin, result->token);
		json_member_text(w, "token", result->token);
		if (password != NULL)
			json_member_text(w, "password", password);
		return;
	}
	print_uuid("tenant", &result->tenant.id);
	print_text("name", result->tenant.name);
	print_uuid("admin", &result->admin.id);
	print_text("e-mail", result->admin.email);
	if (password != NULL)
		print_text("password", password);
	print_text("token", result->token);
}

static int
create(struct session *session)
{
	const struct ctl *ctl = session->ctl;
	char password[PROMPT_LINE_MAX];
	struct tenant_registration input = {
		.tenant_name = ctl->args[0],
		.email = ctl->args[1],
		.password = password,
		.webhook_url = ctl->webhook
	};
	struct tenant_registered result;
	bool is_generated;
	int ret;

	ret = prompt_password(ctl, password, &is_generated, &session->fault);
	if (ret == 0)
		ret = tenant_service_register(session->service,
		    &session->caller, &input, &result, &session->fault);
	if (ret == 0)
		show_registered(session, &result,
		    is_generated ? password : NULL);
	crypto_wipe(password, sizeof(password));
	if (ret < 0 && session->fault.code == REFUSAL_TENANT_EXISTS)
		return fault_say(&session->fault, REFUSAL_TENANT_EXISTS,
		    "there is a tenant \"%s\" already", ctl->args[0]);
	return ret;
}

int
ctl_tenant_create(const struct ctl *ctl)
{
	struct session session;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	return session_close(&session, create(&session));
}

/* --- delete --- */

static int
confirm(struct session *session, const struct tenant_details *details)
{
	char warning[256 + TENANT_NAME_SIZE];

	snprintf(warning, sizeof(warning), "this deletes tenant \"%s\" with"
	    " %" PRIu64 " users and %" PRIu64 " devices for good",
	    details->tenant.name, details->users, details->devices);
	return prompt_confirm(session->ctl, warning, details->tenant.name,
	    &session->fault);
}

/* The tenant is gone for everybody; its rows go now, and whoever waits sees
   that they do. */
static int
sweep(struct session *session)
{
	bool is_shown = isatty(STDERR_FILENO) != 0;
	uint64_t batches = 0;
	int more;

	while ((more = tenant_service_sweep(session->service,
	    &session->fault)) == 1) {
		batches++;
		if (is_shown)
			fprintf(stderr, "\rremoved about %" PRIu64
			    " rows", batches * 1000);
	}
	if (is_shown && batches > 0)
		fputc('\n', stderr);
	return more < 0 ? fault_prefix(&session->fault, "the tenant is"
	    " deleted, not yet all of its rows (wuts-spool goes on)") : 0;
}

static void
show_deleted(struct session *session, const struct tenant *tenant,
    int64_t deleted_us)
{
	struct json_writer *w = &session->w;

	if (!session->ctl->json) {
		printf("deleted tenant \"%s\"\n", tenant->name);
		return;
	}
	json_write_key(w, "data");
	json_write_object_begin(w);
	json_member_uuid(w, "tenant_id", &tenant->id);
	json_member_text(w, "tenant_name", tenant->name);
	json_member_time_or_null(w, "deleted_at", deleted_us);
	json_write_object_end(w);
}

static int
delete(struct session *session)
{
	struct tenant_details details;
	struct tenant tenant;
	int64_t deleted_us;

	if (session_tenant(session, session->ctl->args[0], &tenant) < 0 ||
	    tenant_service_get(session->service, &tenant.id, &details,
	    &session->fault) < 0 || confirm(session, &details) < 0 ||
	    tenant_service_delete(session->service, &session->caller,
	    &details.tenant.id, &tenant, &deleted_us,
	    &session->fault) < 0 || sweep(session) < 0)
		return -1;
	show_deleted(session, &tenant, deleted_us);
	return 0;
}

int
ctl_tenant_delete(const struct ctl *ctl)
{
	struct session session;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	return session_close(&session, delete(&session));
}
