/* SPDX-License-Identifier: MIT */
/* How a user looks in the Wacht dialect (spec/wacht.md §2). Here and not with
   the dialect, because its events carry the same members as its answers. */
#include "config.h"

#include "user_detail_private.h"

#include "wuts/clock.h"
#include "wuts/json.h"

#include <string.h>

#define SCHEMA "v1"

static void
put_time(struct json_writer *w, const char *key, int64_t wall_us)
{
	char text[CLOCK_RFC3339_MICROS_SIZE];

	change_write_text(w, key, clock_format_micros(wall_us, text));
}

static void
put_time_or_null(struct json_writer *w, const char *key, int64_t wall_us)
{
	if (wall_us != 0) {
		put_time(w, key, wall_us);
		return;
	}
	json_write_key(w, key);
	json_write_null(w);
}

static void
put_bool(struct json_writer *w, const char *key, bool value)
{
	json_write_key(w, key);
	json_write_bool(w, value);
}

static void
put_null(struct json_writer *w, const char *key)
{
	json_write_key(w, key);
	json_write_null(w);
}

static void
put_text_or_null(struct json_writer *w, const char *key, const char *value)
{
	if (value[0] != '\0')
		change_write_text(w, key, value);
	else
		put_null(w, key);
}

static void
put_metadata(struct json_writer *w, const char *key, const char *text)
{
	json_write_key(w, key);
	if (text == NULL)
		text = "{}";
	json_write_raw(w, text, strlen(text));
}

void
user_shape_summary(struct json_writer *w, const struct user_found *user)
{
	change_write_uuid(w, "id", &user->id);
	put_time(w, "created_at", user->created_us);
	put_time(w, "updated_at", user->updated_us);
	change_write_text(w, "first_name", user->first_name);
	change_write_text(w, "last_name", user->last_name);
	put_text_or_null(w, "username", user->username);
	change_write_text(w, "profile_picture_url", user->picture_url);
	put_text_or_null(w, "primary_email_address", user->email);
	put_text_or_null(w, "primary_phone_number", user->phone);
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
	put_bool(w, "verified", verified);
	put_time(w, "verified_at", verified_us != 0 ? verified_us :
	    created_us);
}

void
user_shape_email(struct json_writer *w, const struct user_email *email)
{
	change_write_uuid(w, "id", &email->id);
	put_time(w, "created_at", email->created_us);
	put_time(w, "updated_at", email->updated_us);
	change_write_uuid(w, "deployment_id", &email->tenant_id);
	change_write_uuid(w, "user_id", &email->user_id);
	change_write_text(w, "email", email->email);
	put_bool(w, "is_primary", email->is_primary);
	put_verified(w, email->verified, email->verified_us,
	    email->created_us);
	change_write_text(w, "verification_strategy", email->strategy);
}

void
user_shape_phone(struct json_writer *w, const struct user_phone *phone)
{
	change_write_uuid(w, "id", &phone->id);
	put_time(w, "created_at", phone->created_us);
	put_time(w, "updated_at", phone->updated_us);
	change_write_uuid(w, "user_id", &phone->user_id);
	change_write_text(w, "phone_number", phone->phone_number);
	change_write_text(w, "country_code", phone->country_code);
	put_verified(w, phone->verified, phone->verified_us,
	    phone->created_us);
}

void
user_shape_connection(struct json_writer *w,
    const struct connection *connection)
{
	change_write_uuid(w, "id", &connection->id);
	put_time(w, "created_at", connection->created_us);
	put_time(w, "updated_at", connection->updated_us);
	change_write_uuid(w, "user_id", &connection->user_id);
	change_write_uuid(w, "user_email_address_id", &connection->email_id);
	change_write_text(w, "provider", connection->provider);
	change_write_text(w, "email_address", connection->email);
	change_write_text(w, "access_token", connection->access_token);
	change_write_text(w, "refresh_token", connection->refresh_token);
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
		change_write_uuid(w, "primary_email_address_id", &email->id);
	else
		put_null(w, "primary_email_address_id");
	put_text_or_null(w, "primary_email_address",
	    email != NULL ? email->email : "");
	if (phone != NULL)
		change_write_uuid(w, "primary_phone_number_id", &phone->id);
	else
		put_null(w, "primary_phone_number_id");
	put_text_or_null(w, "primary_phone_number",
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

	change_write_uuid(w, "id", &details->user.id);
	put_time(w, "created_at", details->user.created_us);
	put_time(w, "updated_at", details->user.updated_us);
	change_write_text(w, "first_name", profile->first_name);
	change_write_text(w, "last_name", profile->last_name);
	put_text_or_null(w, "username", details->user.username);
	change_write_text(w, "profile_picture_url", details->picture_url);
	change_write_text(w, "schema_version", SCHEMA);
	put_bool(w, "disabled", !details->user.active);
	change_write_text(w, "second_factor_policy",
	    second_factor_policy_name(profile->second_factor_policy));
	change_write_text(w, "availability", profile->availability);
	put_time_or_null(w, "last_password_reset_at",
	    profile->password_reset_us);
	put_null(w, "active_organization_membership_id");
	put_null(w, "active_workspace_membership_id");
	change_write_uuid(w, "deployment_id", &details->user.tenant_id);
	put_metadata(w, "public_metadata", profile->public_metadata);
	put_metadata(w, "private_metadata", profile->private_metadata);
	put_primaries(w, details);
	put_lists(w, details);
	put_bool(w, "has_password", details->has_password);
	put_bool(w, "has_backup_codes", details->has_backup_codes);
}
