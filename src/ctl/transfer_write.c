/* SPDX-License-Identifier: MIT */
/* A user to a line of JSON. */
#include "config.h"

#include "transfer.h"

#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/json.h"
#include "wuts/role.h"
#include "wuts/strbuf.h"
#include "wuts/user_transfer_service.h"

#include <string.h>

static void
put_id(struct json_writer *w, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1];

	json_member_text_or_null(w, "id", uuid_format(id, text));
}

static void
put_bytes(struct json_writer *w, const char *key, const uint8_t *data,
    size_t len)
{
	struct strbuf text = STRBUF_INIT;

	if (data != NULL)
		crypto_base64(&text, data, len);
	json_member_text_or_null(w, key, text.data);
	strbuf_deinit(&text);
}

static void
begin_array(struct json_writer *w, const char *key)
{
	json_write_key(w, key);
	json_write_array_begin(w);
}

static void
put_emails(struct json_writer *w, const struct user_details *details)
{
	begin_array(w, "emails");
	for (size_t i = 0; i < details->nemails; i++) {
		json_write_object_begin(w);
		put_id(w, &details->emails[i].id);
		json_member_text_or_null(w, "email", details->emails[i].email);
		json_member_bool(w, "is_primary",
		    details->emails[i].is_primary);
		json_member_bool(w, "verified", details->emails[i].verified);
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

static void
put_phones(struct json_writer *w, const struct user_details *details)
{
	begin_array(w, "phones");
	for (size_t i = 0; i < details->nphones; i++) {
		json_write_object_begin(w);
		put_id(w, &details->phones[i].id);
		json_member_text_or_null(w, "country_code",
		    details->phones[i].country_code);
		json_member_text_or_null(w, "phone_number",
		    details->phones[i].phone_number);
		json_member_bool(w, "is_primary",
		    details->phones[i].is_primary);
		json_member_bool(w, "verified", details->phones[i].verified);
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

static void
put_connections(struct json_writer *w, const struct user_details *details,
    bool with_secrets)
{
	const struct connection *c;

	begin_array(w, "connections");
	for (size_t i = 0; i < details->nconnections; i++) {
		c = &details->connections[i];
		json_write_object_begin(w);
		put_id(w, &c->id);
		json_member_text_or_null(w, "provider", c->provider);
		json_member_text_or_null(w, "email", c->email);
		if (with_secrets) {
			json_member_text_or_null(w, "access_token",
			    c->access_token);
			json_member_text_or_null(w, "refresh_token",
			    c->refresh_token);
		}
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

static void
put_passkeys(struct json_writer *w, const struct user_transfer *user)
{
	const struct passkey *p;

	begin_array(w, "passkeys");
	for (size_t i = 0; i < user->npasskeys; i++) {
		p = &user->passkeys[i];
		json_write_object_begin(w);
		put_id(w, &p->id);
		json_member_text_or_null(w, "name", p->name);
		put_bytes(w, "credential_id", p->credential_id,
		    p->credential_id_len);
		put_bytes(w, "public_key", p->public_key, p->public_key_len);
		put_bytes(w, "aaguid", p->aaguid, 16);
		json_member_int(w, "sign_count", p->sign_count);
		json_member_text_or_null(w, "transports", p->transports);
		json_member_text_or_null(w, "device_type", p->device_type);
		if (p->backed_up >= 0)
			json_member_bool(w, "backed_up", p->backed_up != 0);
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

static void
put_secrets(struct json_writer *w, const struct user_transfer *user)
{
	json_member_text_or_null(w, "password_hash", user->password_hash);
	json_write_key(w, "authenticator");
	if (user->otp_secret == NULL) {
		json_write_null(w);
		return;
	}
	json_write_object_begin(w);
	json_member_text_or_null(w, "secret", user->otp_secret);
	json_member_text_or_null(w, "account_name", user->otp_account);
	json_write_object_end(w);
}

void
transfer_write(struct json_writer *w, const struct user_transfer *user,
    bool with_secrets)
{
	const struct user_details *details = &user->details;
	const struct user_profile *profile = &details->profile;
	char time[CLOCK_RFC3339_MICROS_SIZE];

	json_write_object_begin(w);
	put_id(w, &details->user.id);
	json_member_text_or_null(w, "created_at",
	    clock_format_micros( details->user.created_us, time));
	json_member_text_or_null(w, "role", role_name(details->user.role));
	json_member_bool(w, "disabled", !details->user.active);
	json_member_text_or_null(w, "username", details->user.username);
	json_member_text_or_null(w, "first_name", profile->first_name);
	json_member_text_or_null(w, "last_name", profile->last_name);
	json_member_text_or_null(w, "second_factor_policy",
	    second_factor_policy_name(profile->second_factor_policy));
	json_member_object(w, "public_metadata", profile->public_metadata);
	json_member_object(w, "private_metadata", profile->private_metadata);
	put_emails(w, details);
	put_phones(w, details);
	put_connections(w, details, with_secrets);
	put_passkeys(w, user);
	if (with_secrets)
		put_secrets(w, user);
	json_write_object_end(w);
}
