/* SPDX-License-Identifier: MIT */
/* Use cases of the On-Premises dialect (spec/onprem.md). Which tenant a request
   means is told by nginx; the caller is one of that tenant's users, except
   where wutsctl is meant. */
#ifndef WUTS_ONPREM_SERVICE_H
#define WUTS_ONPREM_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wuts/onprem.h"
#include "wuts/user.h"

struct arena;
struct caller;
struct fault;
struct service;
struct session_opened;	/* wuts/session_service.h */

/* --- the tenant --- */

/* Which tenant is meant by text (WUTS_TENANT: an id or a name; "": that of the
   setting onprem_tenant, else the only one that speaks the dialect)? From
   memory while the generation stands. -1: FAULT_NOT_READY, whose client text
   says what the operator has to do; FAULT_DATABASE. */
int onprem_service_bind(struct service *service, const char *text,
    struct uuid *tenant_id_r, struct fault *fault);

/* For wutsctl. Enable: a settings row and the account `admin` in its
   first-login state, each unless it is there: *was_enabled_r. Disable: the
   settings and the CA go, accounts and sessions stay. -1:
   REFUSAL_TENANT_NOT_FOUND, faults. */
int onprem_service_enable(struct service *service,
    const struct caller *caller, const struct uuid *tenant_id,
    bool *was_enabled_r, struct user *admin_r, struct fault *fault);
int onprem_service_disable(struct service *service,
    const struct caller *caller, const struct uuid *tenant_id,
    bool *was_enabled_r, struct fault *fault);

/* --- accounts: users of the tenant by their user name --- */

struct onprem_login {
	const struct uuid *tenant_id;
	const char *username;
	const char *password;
	const char *user_agent;
	const char *otp;		/* the second factor; NULL: none came */
};

/* The password is the account's: *user_r. It may have to be changed, which is
   the caller's to see. -1: REFUSAL_UNAUTHORIZED (no such account, inactive,
   another password: all take the same time), REFUSAL_RATE_LIMITED, REFUSAL_BUSY
   (too many log-ins at once), FAULT_DATABASE. */
int onprem_service_check_login(struct service *service,
    const struct caller *caller, const struct onprem_login *login,
    struct user *user_r, struct fault *fault);
/* The session of an account whose log-in was checked; before that, with
   new_password not NULL, the password. -1: REFUSAL_PASSWORD_CHANGE (must_change
   and no new one), REFUSAL_VALIDATION, REFUSAL_SECOND_FACTOR (one is enforced
   and none came), REFUSAL_UNAUTHORIZED (gone meanwhile; another otp),
   REFUSAL_RATE_LIMITED (too many of those), faults. */
int onprem_service_login(struct service *service, const struct caller *caller,
    const struct onprem_login *login, const struct user *user,
    const char *new_password, struct session_opened *result_r,
    struct fault *fault);

/* -1: REFUSAL_VALIDATION, REFUSAL_FORBIDDEN, REFUSAL_USERNAME_EXISTS,
   REFUSAL_BUSY, faults. */
int onprem_service_create_user(struct service *service,
    const struct caller *caller, const char *username, const char *password,
    struct fault *fault);
/* Its own account, or the caller is an admin? Whether there is such an account
   is not asked. -1: REFUSAL_FORBIDDEN, FAULT_DATABASE. */
int onprem_service_check_access(struct service *service,
    const struct caller *caller, const char *username, struct fault *fault);
/* -1: REFUSAL_FORBIDDEN (another's, and the caller no admin: whether or not it
   exists), REFUSAL_USER_NOT_FOUND, FAULT_DATABASE. */
int onprem_service_get_user(struct service *service,
    const struct caller *caller, const char *username, struct user *user_r,
    struct fault *fault);
/* Its own, or any for an admin. Clears must_change; ends sessions when the
   setting says so. -1: as get, and REFUSAL_VALIDATION. */
int onprem_service_set_password(struct service *service,
    const struct caller *caller, const char *username, const char *password,
    struct fault *fault);
/* -1: REFUSAL_FORBIDDEN (also for `admin`), REFUSAL_USER_NOT_FOUND, faults. */
int onprem_service_delete_user(struct service *service,
    const struct caller *caller, const char *username, struct fault *fault);

/* --- settings and certificates: of the tenant; changed by its admins --- */

/* 1: *onprem_r / 0: not enabled / -1: FAULT_DATABASE. */
int onprem_service_get(struct service *service,
    const struct uuid *tenant_id, struct onprem *onprem_r,
    struct fault *fault);
int onprem_service_patch(struct service *service, const struct caller *caller,
    const struct uuid *tenant_id, const json_t *patch, struct fault *fault);
int onprem_service_reset(struct service *service, const struct caller *caller,
    const struct uuid *tenant_id, struct fault *fault);

/* -1: REFUSAL_VALIDATION: these are not 1 to 64 certificates and nothing that
   is secret. */
int onprem_service_set_ca(struct service *service, const struct caller *caller,
    const struct uuid *tenant_id, const char *pem, size_t len,
    struct fault *fault);
/* In arena. -1: REFUSAL_CERTIFICATE_NOT_FOUND, FAULT_DATABASE. */
int onprem_service_get_ca(struct service *service, struct arena *arena,
    const struct uuid *tenant_id, const uint8_t **pem_r, size_t *len_r,
    struct fault *fault);
int onprem_service_delete_ca(struct service *service,
    const struct caller *caller, const struct uuid *tenant_id,
    struct fault *fault);

/* What this server itself shows to the world: written to the file that the
   setting onprem_certificate_file names, for nginx. -1: REFUSAL_FORBIDDEN
   (there is no such setting), REFUSAL_VALIDATION, FAULT_IO. */
int onprem_service_set_certificate(struct service *service,
    const struct caller *caller, const struct uuid *tenant_id,
    const char *pem, size_t len, struct fault *fault);
/* The CA certificates of that file, in arena. -1:
   REFUSAL_CERTIFICATE_NOT_FOUND. */
int onprem_service_get_certificate_ca(struct service *service,
    struct arena *arena, const char **pem_r, struct fault *fault);

#endif
