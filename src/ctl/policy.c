/* SPDX-License-Identifier: MIT */
/* wutsctl tenant policy: what a tenant asks of its users' fields in the Wacht
   dialect, shown and changed. */
#include "config.h"

#include "ctl_private.h"

#include "wuts/arena.h"
#include "wuts/tenant.h"
#include "wuts/user_detail_service.h"

#include <stdio.h>
#include <string.h>

static void
show_json(struct session *session, const struct user_policy *policy)
{
	struct json_writer *w = &session->w;
	char value[USER_POLICY_VALUE_SIZE];

	json_write_key(w, "data");
	json_write_object_begin(w);
	for (size_t i = 0; i < user_policy_count(); i++) {
		user_policy_format(policy, i, value);
		json_write_key(w, user_policy_name(i));
		/* true, false, and numbers are JSON as they stand. */
		json_write_raw(w, value, strlen(value));
	}
	json_write_object_end(w);
}

static void
show(struct session *session, const struct user_policy *policy)
{
	char value[USER_POLICY_VALUE_SIZE];

	if (session->ctl->json) {
		show_json(session, policy);
		return;
	}
	for (size_t i = 0; i < user_policy_count(); i++)
		printf("%-24s%s\n", user_policy_name(i),
		    user_policy_format(policy, i, value));
}

static int
change(struct session *session, const struct uuid *tenant_id,
    const char *asked, struct user_policy *policy_r)
{
	const char *equals = strchr(asked, '=');
	struct policy_setting setting;

	if (equals == NULL)
		return fault_say(&session->fault, REFUSAL_VALIDATION,
		    "%s: NAME=VALUE is expected", asked);
	setting.name = arena_memdup(session->arena, asked,
	    (size_t)(equals - asked));
	setting.value = equals + 1;
	return user_policy_service_change(session->service, &session->caller,
	    tenant_id, &setting, 1, policy_r, &session->fault);
}

static int
run(struct session *session)
{
	const struct ctl *ctl = session->ctl;
	struct user_policy policy;
	struct tenant tenant;
	int ret;

	if (session_tenant(session, ctl->args[0], &tenant) < 0)
		return -1;
	ret = ctl->args[1] != NULL ?
	    change(session, &tenant.id, ctl->args[1], &policy) :
	    user_policy_service_get(session->service, &tenant.id, &policy,
	    &session->fault);
	if (ret == 0)
		show(session, &policy);
	return ret;
}

int
ctl_tenant_policy(const struct ctl *ctl)
{
	struct session session;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	return session_close(&session, run(&session));
}
