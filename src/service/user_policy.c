/* SPDX-License-Identifier: MIT */
/* What a tenant asks of its users, as an operator shows and changes it. */
#include "config.h"

#include "user_detail_private.h"

#include "wuts/attempts.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/user_policy_store.h"

int
user_policy_service_get(struct service *service, const struct uuid *tenant_id,
    struct user_policy *policy_r, struct fault *fault)
{
	if (service_check_tenant(service, tenant_id, fault) < 0)
		return -1;
	return user_policy_store_find(service->db, tenant_id, policy_r,
	    fault) < 0 ? fault_prefix(fault, "find policy") : 0;
}

static int
find_limit(struct service *service, const struct uuid *tenant_id,
    unsigned *limit_r, struct fault *fault)
{
	const struct known_limit *known;
	struct known_limit read = { .tenant_id = *tenant_id };
	struct memory_read reading;
	struct user_policy policy;

	known = memory_find(service, &service->request_limits, tenant_id,
	    tenant_id, NULL, &reading);
	if (known == NULL) {
		if (user_policy_store_find(service->db, tenant_id, &policy,
		    fault) < 0)
			return fault_prefix(fault, "find policy");
		read.requests_per_minute = policy.requests_per_minute;
		memory_put(service, &service->request_limits, tenant_id,
		    &read, &reading);
		known = &read;
	}
	*limit_r = known->requests_per_minute;
	return 0;
}

int
user_policy_service_admit(struct service *service,
    const struct identity *identity, struct fault *fault)
{
	char name[UUID_TEXT_LEN + 1];
	unsigned limit = 0, wait_s;

	if (find_limit(service, &identity->tenant_id, &limit, fault) < 0)
		return -1;
	if (limit == 0)
		return 0;
	uuid_format(identity->kind == IDENTITY_KEY ? &identity->key_id :
	    &identity->user_id, name);
	wait_s = attempts_take(service->requests, name, limit,
	    clock_wall_us());
	if (wait_s == 0)
		return 0;
	fault_say(fault, REFUSAL_RATE_LIMITED,
	    "more than %u requests a minute, try again in %u s", limit,
	    wait_s);
	fault->retry_after_s = wait_s;
	return -1;
}

struct policy_change {
	const struct policy_setting *settings;
	size_t n;
	struct user_policy *policy_r;
};

static int
apply(const struct policy_change *pc, struct fault *fault)
{
	const char *problem;

	for (size_t i = 0; i < pc->n; i++) {
		problem = user_policy_set(pc->policy_r,
		    pc->settings[i].name, pc->settings[i].value);
		if (problem != NULL)
			fault_add_field(fault, pc->settings[i].name, problem,
			    pc->settings[i].value);
	}
	if (fault->nfields == 0 &&
	    pc->policy_r->username_min > pc->policy_r->username_max)
		fault_add_field(fault, "username_min",
		    "must not be above username_max", NULL);
	return fault->nfields > 0 ? service_refuse_fields(fault) : 0;
}

static int
tell(struct change *change, const struct policy_change *pc,
    struct fault *fault)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer w;
	int ret;

	json_writer_init(&w, &text);
	json_write_object_begin(&w);
	for (size_t i = 0; i < pc->n; i++)
		json_member_text(&w, pc->settings[i].name,
		    pc->settings[i].value);
	json_write_object_end(&w);
	ret = change_audit(change, "tenant.policy_changed",
	    &change->tenant_id, NULL, text.data, fault);
	strbuf_deinit(&text);
	return ret;
}

static int
change_body_of(struct change *change, void *ctx, struct fault *fault)
{
	const struct policy_change *pc = ctx;

	if (change_lock_tenant(change, fault) < 0 ||
	    change_judge_caller(change, fault) < 0)
		return -1;
	if (!service_is_admin(&change->identity, &change->tenant_id))
		return service_refuse_forbidden(fault);
	if (user_policy_store_find(change->db, &change->tenant_id,
	    pc->policy_r, fault) < 0)
		return fault_prefix(fault, "find policy");
	if (apply(pc, fault) < 0)
		return -1;
	if (user_policy_store_put(change->db, &change->tenant_id,
	    pc->policy_r, change->now_us, fault) < 0)
		return fault_prefix(fault, "put policy");
	change->changed = true;
	return tell(change, pc, fault);
}

int
user_policy_service_change(struct service *service,
    const struct caller *caller, const struct uuid *tenant_id,
    const struct policy_setting *settings, size_t n,
    struct user_policy *policy_r, struct fault *fault)
{
	struct policy_change pc = {
		.settings = settings, .n = n, .policy_r = policy_r
	};

	fault_clear(fault);
	return change_run(service, caller, tenant_id, change_body_of, &pc,
	    fault) < 0 ? fault_prefix(fault, "change policy") : 0;
}
