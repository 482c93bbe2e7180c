/* SPDX-License-Identifier: MIT */
/* Where deliveries may go, as the configuration has it: for webhooks, and for
   the webhooks of On-Premises tenants, which usually are private. */
#include "config.h"

#include "policy.h"

#include "delivery.h"
#include "target.h"

#include "wuts/address.h"
#include "wuts/fault.h"
#include "wuts/settings.h"

static int
read_both(struct policies *policies, const struct settings *settings,
    struct fault *fault)
{
	struct address_policy *webhook = &policies->of[TARGET_WEBHOOK];
	struct address_policy *callback = &policies->of[TARGET_CALLBACK];

	if (address_policy_init(webhook, settings->webhook_allow, fault) < 0)
		return fault_prefix(fault, "setting webhook_allow");
	if (address_policy_allow_hosts(webhook, settings->webhook_allow_host,
	    fault) < 0)
		return fault_prefix(fault, "setting webhook_allow_host");
	if (address_policy_init(callback, settings->onprem_webhook_allow,
	    fault) < 0)
		return fault_prefix(fault, "setting onprem_webhook_allow");
	return 0;
}

int
policies_read(struct policies *policies_r, const struct settings *settings,
    struct fault *fault)
{
	*policies_r = (struct policies){ .of = { { 0 } } };
	if (read_both(policies_r, settings, fault) == 0)
		return 0;
	policies_deinit(policies_r);
	return -1;
}

void
policies_deinit(struct policies *policies)
{
	for (int kind = 0; kind < TARGET_KIND_COUNT; kind++)
		address_policy_deinit(&policies->of[kind]);
}

void
policies_apply(const struct policies *policies,
    const struct settings *settings, struct delivery_pool *pool)
{
	struct delivery_policy policy = {
		.http = settings->webhook_http,
		.max_in_flight = settings->spool_max_in_flight,
		.callback_connect_timeout_ms =
		    (long)settings->onprem_webhook_connect_timeout_ms,
		.callback_timeout_ms =
		    (long)settings->onprem_webhook_timeout_ms,
	};

	for (int kind = 0; kind < TARGET_KIND_COUNT; kind++)
		policy.addresses[kind] = &policies->of[kind];
	delivery_pool_set_policy(pool, &policy);
}
