/* SPDX-License-Identifier: MIT */
/* Users with everything that hangs on them, out of a tenant and into one: what
   wutsctl export and import stand on. For the operator. */
#ifndef WUTS_USER_TRANSFER_SERVICE_H
#define WUTS_USER_TRANSFER_SERVICE_H

#include "wuts/user_detail_service.h"

/* What belongs to it lives as long as the arena. */
struct user_transfer {
	struct user_details details;
	struct passkey *passkeys;
	size_t npasskeys;

	/* Secrets: when asked for; connections have their tokens then. */
	const char *password_hash;	/* PHC string of Argon2id; NULL: none */
	const char *otp_secret;		/* base32; NULL: no authenticator */
	const char *otp_account;
};

/* Calls row with each user of the tenant behind after (nil: from the first), in
   the order of ids, in flat memory. -1: row's, REFUSAL_FORBIDDEN,
   REFUSAL_TENANT_NOT_FOUND, faults. */
typedef int user_transfer_row(void *ctx, const struct user_transfer *user,
    struct fault *fault);
int user_transfer_service_export(struct service *service,
    const struct caller *caller, const struct uuid *tenant_id,
    const struct uuid *after, bool with_secrets, user_transfer_row *row,
    void *ctx, struct fault *fault);

/* One user with all of that, in one transaction: all or nothing. user's ids
   are kept, its times are not. Emits user.created. 1: it is one now; 0: the
   tenant has a user of this id, and nothing was changed: so whoever was
   interrupted begins again at the start. -1: REFUSAL_VALIDATION, REFUSAL_*
   _EXISTS, REFUSAL_TENANT_NOT_FOUND, faults. */
int user_transfer_service_import(struct service *service,
    struct arena *arena, const struct caller *caller,
    const struct uuid *tenant_id, const struct user_transfer *user,
    struct fault *fault);

#endif
