/* SPDX-License-Identifier: MIT */
/* What a user is besides its account: names, metadata, the wish for a second
   factor (spec/wacht.md §2). */
#ifndef WUTS_USER_PROFILE_H
#define WUTS_USER_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "wuts/uuid.h"

#define USER_NAME_MAX 255		/* characters */
#define USER_NAME_BYTES (USER_NAME_MAX * 4)
#define USER_METADATA_MAX 65536		/* bytes */
#define USER_AVAILABILITY_MAX 16

enum second_factor_policy {
	SECOND_FACTOR_NONE,
	SECOND_FACTOR_OPTIONAL,
	SECOND_FACTOR_ENFORCED,
	SECOND_FACTOR_POLICY_COUNT
};

struct user_profile {
	struct uuid tenant_id;
	struct uuid user_id;
	char first_name[USER_NAME_BYTES + 1];
	char last_name[USER_NAME_BYTES + 1];
	/* Texts of JSON objects; NULL: {}. Borrowed. */
	const char *public_metadata;
	const char *private_metadata;
	enum second_factor_policy second_factor_policy;
	char availability[USER_AVAILABILITY_MAX + 1];
	int64_t password_reset_us;	/* 0: never */
};

/* What a user has of whom nobody has said anything. */
void user_profile_init(struct user_profile *profile,
    const struct uuid *tenant_id, const struct uuid *user_id);

/* "none", "optional", "enforced". */
const char *second_factor_policy_name(enum second_factor_policy policy);
bool second_factor_policy_parse(const char *name,
    enum second_factor_policy *policy_r);

#endif
