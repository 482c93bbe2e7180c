/* SPDX-License-Identifier: MIT */
/* wutsctl onprem: which tenants speak the On-Premises dialect, and with what
   settings. */
#include "config.h"

#include "ctl_private.h"

#include "wuts/clock.h"
#include "wuts/onprem_service.h"
#include "wuts/settings.h"
#include "wuts/tenant.h"
#include "wuts/user_service.h"

#include <stdio.h>
#include <string.h>

/* What has to stand in nginx, and the way in. The password is in the
   configuration for everybody who may read that, and is not said again. */
static void
print_next_steps(const struct tenant *tenant, const struct user *admin)
{
	char id[UUID_TEXT_LEN + 1];

	printf("nginx: @TENANT@ in wuts-onprem.conf.in is %s or %s\n",
	    tenant->name, uuid_format(&tenant->id, id));
	if (admin->role != ROLE_ADMIN)
		printf("the user %s is %s, not admin: see wutsctl user"
		    " role\n", ONPREM_ADMIN, role_name(admin->role));
	else if (admin->must_change_password)
		printf("the account %s has the password of the setting"
		    " onprem_admin_password\nuntil its first log-in changes"
		    " it\n", ONPREM_ADMIN);
}

static int
enable(struct session *session)
{
	struct json_writer *w = &session->w;
	struct tenant tenant;
	bool was_enabled;
	struct user admin;

	if (session_tenant(session, session->ctl->args[0], &tenant) < 0 ||
	    onprem_service_enable(session->service, &session->caller,
	    &tenant.id, &was_enabled, &admin, &session->fault) < 0)
		return -1;
	if (session->ctl->json) {
		json_member_uuid(w, "tenant_id", &tenant.id);
		json_member_bool(w, "was_enabled", was_enabled);
		json_write_key(w, "admin");
		write_user(w, &admin, NULL);
		return 0;
	}
	printf("tenant %s %s the On-Premises dialect\n", tenant.name,
	    was_enabled ? "already speaks" : "speaks");
	print_next_steps(&tenant, &admin);
	return 0;
}

int
ctl_onprem_enable(const struct ctl *ctl)
{
	struct session session;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	return session_close(&session, enable(&session));
}

static int
disable(struct session *session)
{
	static const char warning[] = "this deletes the tenant's On-Premises"
	    " settings and CA certificates for good";
	struct json_writer *w = &session->w;
	struct tenant tenant;
	bool was_enabled = false;

	if (session_tenant(session, session->ctl->args[0], &tenant) < 0 ||
	    prompt_confirm(session->ctl, warning, tenant.name,
	    &session->fault) < 0 ||
	    onprem_service_disable(session->service, &session->caller,
	    &tenant.id, &was_enabled, &session->fault) < 0)
		return -1;
	if (session->ctl->json) {
		json_member_uuid(w, "tenant_id", &tenant.id);
		json_member_bool(w, "was_enabled", was_enabled);
	} else {
		printf("tenant %s %s the On-Premises dialect\n", tenant.name,
		    was_enabled ? "no longer speaks" : "did not speak");
	}
	return 0;
}

int
ctl_onprem_disable(const struct ctl *ctl)
{
	struct session session;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	return session_close(&session, disable(&session));
}

static void
print_settings(const struct onprem *onprem)
{
	const struct onprem_settings *settings = &onprem->settings;
	char concurrency[16], delays[64];

	snprintf(concurrency, sizeof(concurrency), "%u",
	    settings->webhook_max_concurrent);
	snprintf(delays, sizeof(delays), "%u ms more each time, at most %u",
	    settings->callback_backoff_delay_ms,
	    settings->max_callback_backoff_delay_ms);
	print_text("webhook", settings->webhook_url[0] != '\0' ?
	    settings->webhook_url : "none");
	print_text("at once", concurrency);
	print_text("retries", delays);
	print_text("no webhook", settings->callback_persist ?
	    "events wait for one" : "events are dropped");
	print_text("number", onprem->wa_id[0] != '\0' ? onprem->wa_id :
	    "not known");
	print_time("updated", onprem->updated_us, "");
}

static int
show(struct session *session)
{
	struct json_writer *w = &session->w;
	struct tenant tenant;
	struct onprem onprem;
	int found;

	if (session_tenant(session, session->ctl->args[0], &tenant) < 0)
		return -1;
	found = onprem_service_get(session->service, &tenant.id, &onprem,
	    &session->fault);
	if (found < 0)
		return -1;
	if (session->ctl->json) {
		json_member_uuid(w, "tenant_id", &tenant.id);
		json_member_bool(w, "enabled", found == 1);
		if (found == 1) {
			json_write_key(w, "application");
			onprem_settings_write(w, &onprem.settings,
			    onprem.wa_id);
		}
		return 0;
	}
	print_text("tenant", tenant.name);
	print_text("enabled", found == 1 ? "yes" : "no");
	if (found == 1)
		print_settings(&onprem);
	return 0;
}

int
ctl_onprem_show(const struct ctl *ctl)
{
	struct session session;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	return session_close(&session, show(&session));
}
