/* SPDX-License-Identifier: MIT */
/* A profile's defaults and words (spec/wacht.md §2). */
#include "config.h"

#include "wuts/user_profile.h"

#include <string.h>

static const char *const policy_names[SECOND_FACTOR_POLICY_COUNT] = {
	[SECOND_FACTOR_NONE] = "none",
	[SECOND_FACTOR_OPTIONAL] = "optional",
	[SECOND_FACTOR_ENFORCED] = "enforced",
};

void
user_profile_init(struct user_profile *profile, const struct uuid *tenant_id,
    const struct uuid *user_id)
{
	memset(profile, 0, sizeof(*profile));
	profile->tenant_id = *tenant_id;
	profile->user_id = *user_id;
	profile->second_factor_policy = SECOND_FACTOR_OPTIONAL;
	memcpy(profile->availability, "away", sizeof("away"));
}

const char *
second_factor_policy_name(enum second_factor_policy policy)
{
	return policy_names[policy];
}

bool
second_factor_policy_parse(const char *name,
    enum second_factor_policy *policy_r)
{
	for (size_t i = 0; i < SECOND_FACTOR_POLICY_COUNT; i++) {
		if (strcmp(policy_names[i], name) == 0) {
			*policy_r = (enum second_factor_policy)i;
			return true;
		}
	}
	return false;
}
