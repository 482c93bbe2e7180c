/* SPDX-License-Identifier: MIT */
/* The handlers of what hangs on a user beside its addresses and numbers:
   operations 16 to 28 of spec/wacht.md §3. 0, or -1 with the fault. */
#ifndef WUTS_API_WACHT_DETAILS_PRIVATE_H
#define WUTS_API_WACHT_DETAILS_PRIVATE_H

struct exchange;
struct fault;

int wacht_connections_list(struct exchange *x, struct fault *fault);
int wacht_connections_delete(struct exchange *x, struct fault *fault);

int wacht_organizations_list(struct exchange *x, struct fault *fault);
int wacht_workspaces_list(struct exchange *x, struct fault *fault);

int wacht_sessions_list(struct exchange *x, struct fault *fault);
int wacht_sessions_revoke(struct exchange *x, struct fault *fault);
int wacht_sessions_revoke_all(struct exchange *x, struct fault *fault);

int wacht_passkeys_list(struct exchange *x, struct fault *fault);
int wacht_passkeys_rename(struct exchange *x, struct fault *fault);
int wacht_passkeys_delete(struct exchange *x, struct fault *fault);

int wacht_authenticators_create(struct exchange *x, struct fault *fault);
int wacht_authenticators_delete(struct exchange *x, struct fault *fault);
int wacht_backup_codes_renew(struct exchange *x, struct fault *fault);

#endif
