/* SPDX-License-Identifier: MIT */
/* The second factor of a user: one authenticator (TOTP), whose secret is
   sealed, and backup codes, of which password hashes are kept. */
#ifndef WUTS_SECOND_FACTOR_SERVICE_H
#define WUTS_SECOND_FACTOR_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "wuts/totp.h"
#include "wuts/uuid.h"

struct arena;
struct caller;
struct fault;
struct service;
struct user;

#define BACKUP_CODES 12
#define BACKUP_CODE_LEN 9		/* XXXX-XXXX */
#define AUTHENTICATOR_ACCOUNT_MAX 255	/* characters */

/* --- at a log-in --- */

enum second_factor_verdict {
	SECOND_FACTOR_FAULT = -1,	/* FAULT_DATABASE, REFUSAL_RATE_LIMITED,
					   REFUSAL_BUSY */
	SECOND_FACTOR_WRONG,		/* otp is not right, or was used */
	SECOND_FACTOR_MISSING,		/* one is asked for, and otp is NULL
					   or "" */
	SECOND_FACTOR_PASSED		/* right and used up, or not asked */
};

/* After the password was found right. One is asked of a user whose policy is
   "enforced" and who has an authenticator; without one there is nothing to ask
   for, and the log-in passes (backup codes stand in for an authenticator, they
   are none). otp: the authenticator's code, of this step or one beside it and
   of a later one than was used before; or a backup code, which is gone
   afterwards. From the fifth wrong one in a row on the next may be tried after
   30 s, then after twice as long, up to an hour: REFUSAL_RATE_LIMITED. Costs
   one look-up when none is asked for. */
enum second_factor_verdict second_factor_service_check(
    struct service *service, const struct user *user, const char *otp,
    struct fault *fault);

/* --- administration (spec/wacht.md §3.11, §3.12) --- */

struct authenticator_created {
	struct uuid id;
	const char *otp_url;	/* in arena; holds the secret */
};

/* secret: as typed; account: NULL for the user's own name. Emits
   user.mfa.enabled. -1: REFUSAL_VALIDATION, REFUSAL_USER_NOT_FOUND,
   REFUSAL_AUTHENTICATOR_EXISTS, faults. */
int second_factor_service_create(struct service *service,
    struct arena *arena, const struct caller *caller,
    const struct uuid *user_id, const char *secret, const char *account,
    struct authenticator_created *result_r, struct fault *fault);

/* Emits user.mfa.disabled. -1: REFUSAL_USER_NOT_FOUND,
   REFUSAL_DETAIL_NOT_FOUND, faults. */
int second_factor_service_delete(struct service *service,
    const struct caller *caller, const struct uuid *user_id,
    struct fault *fault);

/* New ones; those before are gone. Takes a dozen password hashes' time. -1:
   REFUSAL_USER_NOT_FOUND, faults. */
int second_factor_service_renew_codes(struct service *service,
    const struct caller *caller, const struct uuid *user_id,
    char codes_r[BACKUP_CODES][BACKUP_CODE_LEN + 1], struct fault *fault);

#endif
