/* SPDX-License-Identifier: MIT */
/* Use cases on a user with everything that hangs on it, as spec/wacht.md has
   them. The caller is an API key of the tenant or an active admin of it. Every
   change is one transaction with its audit row and its events, in the shape of
   §5.1; either all that one call asks for is done, or nothing. Besides what is
   named, every call: REFUSAL_USER_NOT_FOUND for a user that the tenant does not
   have, REFUSAL_UNAUTHORIZED and REFUSAL_FORBIDDEN for a caller that has lost
   its right meanwhile, REFUSAL_VALIDATION with all rules that were broken,
   faults. */
#ifndef WUTS_USER_DETAIL_SERVICE_H
#define WUTS_USER_DETAIL_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wuts/connection.h"
#include "wuts/picture_service.h"
#include "wuts/user.h"
#include "wuts/user_email.h"
#include "wuts/user_phone.h"
#include "wuts/user_policy.h"
#include "wuts/user_profile.h"

struct arena;
struct caller;
struct fault;
struct json_writer;
struct service;

/* What belongs to it lives as long as the arena. */
struct user_details {
	struct user user;
	struct user_profile profile;
	const char *picture_url;	/* "": none */
	bool has_password;
	bool has_backup_codes;
	struct user_email *emails;	/* the oldest first */
	size_t nemails;
	struct user_phone *phones;	/* the oldest first */
	size_t nphones;
	struct connection *connections;	/* the newest first */
	size_t nconnections;
};

int user_detail_service_get(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *id,
    struct user_details *details_r, struct fault *fault);

/* NULL or "" is absent; so is what is blank, but for the names. */
struct user_creation {
	const char *first_name;
	const char *last_name;
	const char *email;
	const char *phone;
	const char *username;
	const char *password;
	bool skip_password_check;
	struct picture_upload picture;
};
/* Fields that fault holds already are refused together with the others. Emits
   user.created. -1: REFUSAL_EMAIL_EXISTS, REFUSAL_PHONE_EXISTS,
   REFUSAL_USERNAME_EXISTS. */
int user_detail_service_create(struct service *service, struct arena *arena,
    const struct caller *caller, const struct user_creation *input,
    struct user_details *details_r, struct fault *fault);

/* NULL, "" and false leave what is there. */
struct user_patch {
	const char *first_name;
	const char *last_name;
	const char *username;
	const char *public_metadata;	/* a JSON object, or null for {} */
	const char *private_metadata;
	bool has_disabled;
	bool disabled;
	const char *second_factor_policy;
	bool remove_picture;		/* wins over picture */
	struct picture_upload picture;
};
/* As above, of fields. Emits user.updated when anything changes; disabling ends
   all sessions, with session.deleted. -1: REFUSAL_USERNAME_EXISTS, and as
   user_service_change(). */
int user_detail_service_update(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *id,
    const struct user_patch *patch, struct user_details *details_r,
    struct fault *fault);

/* Emits user.deleted. -1: as user_service_delete(). */
int user_detail_service_delete(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *id, struct fault *fault);

/* password NULL: none from now on. Emits user.password.updated. */
int user_detail_service_set_password(struct service *service,
    struct arena *arena, const struct caller *caller, const struct uuid *id,
    const char *password, bool skip_check, struct fault *fault);

/* --- addresses --- */

#define USER_EMAILS_MAX 100

struct email_patch {
	const char *email;	/* NULL: as it is */
	bool has_verified;
	bool verified;
	bool make_primary;
};
/* Emits user.email.added, and .verified. -1: REFUSAL_EMAIL_EXISTS. */
int user_email_service_add(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *user_id,
    const struct email_patch *patch, struct user_email *email_r,
    struct fault *fault);
/* Emits user.email.verified, or user.updated for anything else. -1:
   REFUSAL_DETAIL_NOT_FOUND, REFUSAL_EMAIL_EXISTS. */
int user_email_service_update(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *user_id,
    const struct uuid *id, const struct email_patch *patch,
    struct user_email *email_r, struct fault *fault);
/* With the connections bound to it. Emits user.email.removed. -1:
   REFUSAL_DETAIL_NOT_FOUND. */
int user_email_service_delete(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *user_id,
    const struct uuid *id, struct fault *fault);
/* Emits user.updated. -1: REFUSAL_DETAIL_NOT_FOUND; REFUSAL_VALIDATION: it is
   not verified. */
int user_email_service_make_primary(struct service *service,
    struct arena *arena, const struct caller *caller,
    const struct uuid *user_id, const struct uuid *id, struct fault *fault);

/* --- phone numbers: the same --- */

#define USER_PHONES_MAX 100

struct phone_patch {
	const char *phone_number;	/* NULL: as it is */
	const char *country_code;	/* NULL: as it is */
	bool has_verified;
	bool verified;
	bool make_primary;
};
int user_phone_service_add(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *user_id,
    const struct phone_patch *patch, struct user_phone *phone_r,
    struct fault *fault);
int user_phone_service_update(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *user_id,
    const struct uuid *id, const struct phone_patch *patch,
    struct user_phone *phone_r, struct fault *fault);
int user_phone_service_delete(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *user_id,
    const struct uuid *id, struct fault *fault);
int user_phone_service_make_primary(struct service *service,
    struct arena *arena, const struct caller *caller,
    const struct uuid *user_id, const struct uuid *id, struct fault *fault);

/* --- the list --- */

enum user_order {
	USER_BY_CREATION,
	USER_BY_USERNAME,
	USER_BY_EMAIL,
	USER_BY_PHONE
};

struct user_query {
	unsigned limit;
	uint64_t offset;
	enum user_order order;
	bool descending;
	const char *search;	/* NULL: none */
};

struct user_found {
	struct uuid id;
	const char *first_name, *last_name;
	const char *username, *email, *phone;	/* "": none */
	const char *picture_url;
	int64_t created_us;
	int64_t updated_us;
};
typedef int user_found_row(void *ctx, const struct user_found *user,
    struct fault *fault);
/* Streams a page; *total_r: how many there are in all pages together. */
int user_detail_service_list(struct service *service, struct arena *arena,
    const struct caller *caller, const struct user_query *query,
    user_found_row *row, void *ctx, uint64_t *total_r, struct fault *fault);

/* --- a tenant's policy --- */

/* -1: REFUSAL_TENANT_NOT_FOUND, FAULT_DATABASE. */
int user_policy_service_get(struct service *service,
    const struct uuid *tenant_id, struct user_policy *policy_r,
    struct fault *fault);
/* One more request of this key (or admin) in a minute: -1 when its tenant allows
   no more, REFUSAL_RATE_LIMITED with retry_after_s (spec/wacht.md §1.2), or
   FAULT_DATABASE. */
int user_policy_service_admit(struct service *service,
    const struct identity *identity, struct fault *fault);
/* name and value as user_policy_set() has them, in one change; audit row
   tenant.policy_changed. *policy_r is what holds now. */
struct policy_setting {
	const char *name;
	const char *value;
};
int user_policy_service_change(struct service *service,
    const struct caller *caller, const struct uuid *tenant_id,
    const struct policy_setting *settings, size_t n,
    struct user_policy *policy_r, struct fault *fault);

/* --- how it looks in JSON, in answers and in events (§2): members of an
   object that stands open --- */

/* The common part: what lists and creations give. */
void user_shape_summary(struct json_writer *w, const struct user_found *user);
void user_shape_details(struct json_writer *w,
    const struct user_details *details);
/* The common part of it. */
struct user_found user_shape_found(const struct user_details *details,
    char phone_buf[PHONE_WHOLE_MAX + 1]);
void user_shape_email(struct json_writer *w, const struct user_email *email);
void user_shape_phone(struct json_writer *w, const struct user_phone *phone);
void user_shape_connection(struct json_writer *w,
    const struct connection *connection);

#endif
