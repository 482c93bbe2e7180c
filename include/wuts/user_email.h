/* SPDX-License-Identifier: MIT */
/* An e-mail address of a user. At most one of a user is the primary one, which
   its user repeats. */
#ifndef WUTS_USER_EMAIL_H
#define WUTS_USER_EMAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "wuts/user.h"
#include "wuts/uuid.h"

#define USER_EMAIL_STRATEGY_MAX 32
#define USER_EMAIL_OTP "otp"	/* how whatever an API call made is verified */

struct user_email {
	struct uuid id;
	struct uuid tenant_id;
	struct uuid user_id;
	char email[USER_EMAIL_MAX + 1];
	bool is_primary;
	bool verified;
	int64_t verified_us;		/* 0: never */
	char strategy[USER_EMAIL_STRATEGY_MAX + 1];
	int64_t created_us;
	int64_t updated_us;
};

#endif
