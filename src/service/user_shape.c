/* SPDX-License-Identifier: MIT */
/* How a user looks in the Wacht dialect (spec/wacht.md §2). Here and not with
   the dialect, because its events carry the same members as its answers. */
#include "config.h"

#include "user_detail_private.h"

#include "wuts/clock.h"
#include "wuts/json.h"

#include <string.h>

#define SCHEMA "v1"

void
user_shape_summary(struct json_writer *w, const struct user_found *user)
{
	json_member_uuid(w, "id", &user->id);
	json_member_micros(w, "created_at", user->created_us);
	json_member_micros(w, "updated_at", user->updated_us);
	json_member_text(w, "first_name", user->first_name);
	json_member_text(w, "last_name", user->last_name);
	json_member_text_or_null(w, "username", user->username);
	json_member_text(w, "profile_picture_url", user->picture_url);
	json_member_text_or_null(w, "primary_email_address", user->email);
	json_member_text_or_null(w, "primary_phone_number", user->phone);
}

struct user_found
user_shape_found(const struct user_details *details,
    char phone_buf[PHONE_WHOLE_MAX + 1])
{
	phone_buf[0] = '\0';
	for (size_t i = 0; i < details->nphones; i++)
		if (details->phones[i].is_primary)
			phone_whole(&details->phones[i], phone_buf);
	return (struct user_found) {
		.id = details->user.id,
		.first_name = details->profile.first_name,
		.last_name = details->profile.last_name,
		.username = details->user.username,
		.email = details->user.email,
		.phone = phone_buf,
		.picture_url = details->picture_url,
		.created_us = details->user.created_us,
		.updated_us = details->user.updated_us
	};
}

/* For clients it is never null (§2): judge by verified. */
static void
put_verified(struct json_writer *w, bool verified, int64_t verified_us,
    int64_t created_us)
{
	json_member_bool(w, "verified", verified);
	json_member_micros(w, "verified_at",
	    verified_us != 0 ? verified_us : created_us);
}

void
user_shape_email(struct json_writer *w, const struct user_email *email)
{
	json_member_uuid(w, "id", &email->id);
	json_member_micros(w, "created_at", email->created_us);
	json_member_micros(w, "updated_at", email->updated_us);
	json_member_uuid(w, "deployment_id", &email->tenant_id);
	json_member_uuid(w, "user_id", &email->user_id);
	json_member_text(w, "email", email->email);
	json_member_bool(w, "is_primary", email->is_primary);
	put_verified(w, email->verified, email->verified_us,
	    email->created_us);
	json_member_text(w, "verification_strategy", email->strategy);
}

void
user_shape_phone(struct json_writer *w, const struct user_phone *phone)
{
	json_member_uuid(w, "id", &phone->id);
	json_member_micros(w, "created_at", phone->created_us);
	json_member_micros(w, "updated_at", phone->updated_us);
	json_member_uuid(w, "user_id", &phone->user_id);
	json_member_text(w, "phone_number", phone->phone_number);
	json_member_text(w, "country_code", phone->country_code);
	put_verified(w, phone->verified, phone->verified_us,
	    phone->created_us);
}

void
user_shape_connection(struct json_writer *w,
    const struct connection *connection)
{
	json_member_uuid(w, "id", &connection->id);
	json_member_micros(w, "created_at", connection->created_us);
	json_member_micros(w, "updated_at", connection->updated_us);
	json_member_uuid(w, "user_id", &connection->user_id);
	json_member_uuid(w, "user_email_address_id", &connection->email_id);
	json_member_text(w, "provider", connection->provider);
	json_member_text(w, "email_address", connection->email);
	json_member_text(w, "access_token", connection->access_token);
	json_member_text(w, "refresh_token", connection->refresh_token);
}

static void
put_primaries(struct json_writer *w, const struct user_details *details)
{
	const struct user_email *email = NULL;
	const struct user_phone *phone = NULL;
	char whole[PHONE_WHOLE_MAX + 1];

	for (size_t i = 0; i < details->nemails; i++)
		if (details->emails[i].is_primary)
			email = &details->emails[i];
	for (size_t i = 0; i < details->nphones; i++)
		if (details->phones[i].is_primary)
			phone = &details->phones[i];
	if (email != NULL)
		json_member_uuid(w, "primary_email_address_id", &email->id);
	else
		json_member_null(w, "primary_email_address_id");
	json_member_text_or_null(w, "primary_email_address",
	    email != NULL ? email->email : "");
	if (phone != NULL)
		json_member_uuid(w, "primary_phone_number_id", &phone->id);
	else
		json_member_null(w, "primary_phone_number_id");
	json_member_text_or_null(w, "primary_phone_number",
	    phone != NULL ? phone_whole(phone, whole) : "");
}

static void
put_lists(struct json_writer *w, const struct user_details *details)
{
	json_write_key(w, "email_addresses");
	json_write_array_begin(w);
	for (size_t i = 0; i < details->nemails; i++) {
		json_write_object_begin(w);
		user_shape_email(w, &details->emails[i]);
		json_write_object_end(w);
	}
	json_write_array_end(w);
	json_write_key(w, "phone_numbers");
	json_write_array_begin(w);
	for (size_t i = 0; i < details->nphones; i++) {
		json_write_object_begin(w);
		user_shape_phone(w, &details->phones[i]);
		json_write_object_end(w);
	}
	json_write_array_end(w);
	json_write_key(w, "social_connections");
	json_write_array_begin(w);
	for (size_t i = 0; i < details->nconnections; i++) {
		json_write_object_begin(w);
		user_shape_connection(w, &details->connections[i]);
		json_write_object_end(w);
	}
	json_write_array_end(w);
	json_write_key(w, "segments");
	json_write_array_begin(w);
	json_write_array_end(w);
}

void
user_shape_details(struct json_writer *w, const struct user_details *details)
{
	const struct user_profile *profile = &details->profile;

	json_member_uuid(w, "id", &details->user.id);
	json_member_micros(w, "created_at", details->user.created_us);
	json_member_micros(w, "updated_at", details->user.updated_us);
	json_member_text(w, "first_name", profile->first_name);
	json_member_text(w, "last_name", profile->last_name);
	json_member_text_or_null(w, "username", details->user.username);
	json_member_text(w, "profile_picture_url", details->picture_url);
	json_member_text(w, "schema_version", SCHEMA);
	json_member_bool(w, "disabled", !details->user.active);
	json_member_text(w, "second_factor_policy",
	    second_factor_policy_name(profile->second_factor_policy));
	json_member_text(w, "availability", profile->availability);
	json_member_micros_or_null(w, "last_password_reset_at",
	    profile->password_reset_us);
	json_member_null(w, "active_organization_membership_id");
	json_member_null(w, "active_workspace_membership_id");
	json_member_uuid(w, "deployment_id", &details->user.tenant_id);
	json_member_object(w, "public_metadata", profile->public_metadata);
	json_member_object(w, "private_metadata", profile->private_metadata);
	put_primaries(w, details);
	put_lists(w, details);
	json_member_bool(w, "has_password", details->has_password);
	json_member_bool(w, "has_backup_codes", details->has_backup_codes);
}
