/* SPDX-License-Identifier: MIT */
/* A line of JSON to a user: members that are absent or null are what a new user
   has, members that nobody knows are ignored, and a known one of another type
   is refused. What the values may be is the service's to say. */
#include "config.h"

#include "transfer.h"

#include "wuts/arena.h"
#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/role.h"
#include "wuts/user_transfer_service.h"

#include <jansson.h>
#include <string.h>

#define ITEMS_MAX 1000

struct reading {
	struct arena *arena;
	const struct uuid *tenant_id;
	const char *line;
	size_t line_len;
	struct uuid made;	/* of tenant and line */
	uint8_t nmade;
	struct fault *fault;
};

/* The value of a member that is there and not null. */
static json_t *
take(const json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);

	return json_is_null(value) ? NULL : value;
}

static void
complain(struct reading *r, const char *name, const char *problem)
{
	fault_add_field(r->fault, name, problem, NULL);
}

static const char *
take_text(struct reading *r, const json_t *object, const char *name)
{
	const json_t *value = take(object, name);

	if (value == NULL)
		return "";
	if (!json_is_string(value)) {
		complain(r, name, "must be a string");
		return "";
	}
	return arena_strdup(r->arena, json_string_value(value));
}

static void
take_array_text(struct reading *r, const json_t *object, const char *name,
    char *text_r, size_t size)
{
	const char *text = take_text(r, object, name);

	if (strlen(text) >= size)
		complain(r, name, "is too long");
	else
		memcpy(text_r, text, strlen(text) + 1);
}

static bool
take_bool(struct reading *r, const json_t *object, const char *name)
{
	const json_t *value = take(object, name);

	if (value != NULL && !json_is_boolean(value))
		complain(r, name, "must be true or false");
	return json_is_true(value);
}

/* 0: none is given. What lies ahead is a mistake. */
static int64_t
take_time(struct reading *r, const json_t *object, const char *name)
{
	const char *text = take_text(r, object, name);
	int64_t wall_us;

	if (text[0] == '\0')
		return 0;
	if (!clock_parse(text, &wall_us) || wall_us <= 0 ||
	    wall_us > clock_wall_us()) {
		complain(r, name,
		    "must be a time of RFC 3339, after 1970 and not ahead");
		return 0;
	}
	return wall_us;
}

/* The given id, or one that this line always gives. */
static void
take_id(struct reading *r, const json_t *object, struct uuid *id_r)
{
	const char *text = take_text(r, object, "id");

	if (text[0] != '\0') {
		if (!uuid_parse(text, strlen(text), id_r))
			complain(r, "id", "must be a UUID");
		return;
	}
	*id_r = r->made;
	id_r->b[15] = (uint8_t)(id_r->b[15] + r->nmade++);
}

static const uint8_t *
take_bytes(struct reading *r, const json_t *object, const char *name,
    size_t *len_r)
{
	const char *text = take_text(r, object, name);
	const uint8_t *bytes;

	*len_r = 0;
	if (text[0] == '\0')
		return NULL;
	bytes = crypto_unbase64(r->arena, text, strlen(text), len_r);
	if (bytes == NULL)
		complain(r, name, "must be base64");
	return bytes;
}

/* The array of that name as *n_r zeroed items of size bytes. */
static void *
take_items(struct reading *r, const json_t *object, const char *name,
    size_t size, const json_t **array_r, size_t *n_r)
{
	const json_t *array = take(object, name);
	size_t n = 0;

	if (array != NULL && !json_is_array(array))
		complain(r, name, "must be an array");
	else if (array != NULL)
		n = json_array_size(array);
	if (n > ITEMS_MAX) {
		complain(r, name, "has too many items");
		n = 0;
	}
	for (size_t i = 0; i < n; i++)
		if (!json_is_object(json_array_get(array, i))) {
			complain(r, name, "must be an array of objects");
			n = 0;
		}
	*array_r = array;
	*n_r = n;
	return arena_alloc(r->arena, n * size);
}

static void
read_emails(struct reading *r, const json_t *object,
    struct user_details *details)
{
	const json_t *array, *item;
	struct user_email *email;

	details->emails = take_items(r, object, "emails",
	    sizeof(details->emails[0]), &array, &details->nemails);
	for (size_t i = 0; i < details->nemails; i++) {
		item = json_array_get(array, i);
		email = &details->emails[i];
		take_id(r, item, &email->id);
		take_array_text(r, item, "email", email->email,
		    sizeof(email->email));
		email->is_primary = take_bool(r, item, "is_primary");
		email->verified = take_bool(r, item, "verified");
		memcpy(email->strategy, USER_EMAIL_OTP,
		    sizeof(USER_EMAIL_OTP));
	}
}

static void
read_phones(struct reading *r, const json_t *object,
    struct user_details *details)
{
	const json_t *array, *item;
	struct user_phone *phone;
	const char *problem;
	bool bad_code;

	details->phones = take_items(r, object, "phones",
	    sizeof(details->phones[0]), &array, &details->nphones);
	for (size_t i = 0; i < details->nphones; i++) {
		item = json_array_get(array, i);
		phone = &details->phones[i];
		take_id(r, item, &phone->id);
		problem = phone_parse(take_text(r, item, "country_code"),
		    take_text(r, item, "phone_number"), phone->country_code,
		    phone->phone_number, &bad_code);
		if (problem != NULL)
			complain(r, "phones.phone_number", problem);
		phone->is_primary = take_bool(r, item, "is_primary");
		phone->verified = take_bool(r, item, "verified");
	}
}

static void
read_connections(struct reading *r, const json_t *object,
    struct user_details *details)
{
	const json_t *array, *item;
	struct connection *connection;

	details->connections = take_items(r, object, "connections",
	    sizeof(details->connections[0]), &array,
	    &details->nconnections);
	for (size_t i = 0; i < details->nconnections; i++) {
		item = json_array_get(array, i);
		connection = &details->connections[i];
		take_id(r, item, &connection->id);
		connection->provider = take_text(r, item, "provider");
		connection->email = take_text(r, item, "email");
		connection->access_token = take_text(r, item,
		    "access_token");
		connection->refresh_token = take_text(r, item,
		    "refresh_token");
	}
}

static void
read_passkey(struct reading *r, const json_t *item, struct passkey *passkey)
{
	const json_t *count = take(item, "sign_count");
	const char *text;
	size_t len;

	take_id(r, item, &passkey->id);
	passkey->name = take_text(r, item, "name");
	passkey->credential_id = take_bytes(r, item, "credential_id",
	    &passkey->credential_id_len);
	passkey->public_key = take_bytes(r, item, "public_key",
	    &passkey->public_key_len);
	passkey->aaguid = take_bytes(r, item, "aaguid", &len);
	if (passkey->aaguid != NULL && len != 16)
		complain(r, "aaguid", "must have 16 bytes");
	if (count != NULL && (!json_is_integer(count) ||
	    json_integer_value(count) < 0))
		complain(r, "sign_count", "must be a number from 0 on");
	passkey->sign_count = json_integer_value(count);
	text = take_text(r, item, "transports");
	passkey->transports = text[0] != '\0' ? text : NULL;
	if (strlen(text) > PASSKEY_TRANSPORTS_MAX)
		complain(r, "transports", "is too long");
	text = take_text(r, item, "device_type");
	passkey->device_type = text[0] != '\0' ? text : NULL;
	if (strlen(text) > 32)
		complain(r, "device_type", "is too long");
	passkey->backed_up = take(item, "backed_up") == NULL ? -1 :
	    take_bool(r, item, "backed_up");
}

static void
read_passkeys(struct reading *r, const json_t *object,
    struct user_transfer *user)
{
	const json_t *array;

	user->passkeys = take_items(r, object, "passkeys",
	    sizeof(user->passkeys[0]), &array, &user->npasskeys);
	for (size_t i = 0; i < user->npasskeys; i++)
		read_passkey(r, json_array_get(array, i), &user->passkeys[i]);
}

/* The exact text, so that numbers keep their spelling. */
static const char *
take_metadata(struct reading *r, const json_t *object, const char *name)
{
	const json_t *value = take(object, name);
	struct json_span span;

	if (value == NULL)
		return NULL;
	if (!json_is_object(value)) {
		complain(r, name, "must be an object");
		return NULL;
	}
	span = json_text_member(r->line, r->line_len, name);
	if (span.text == NULL || span.len > USER_METADATA_MAX) {
		complain(r, name, "must be at most 65536 bytes");
		return NULL;
	}
	return json_object_size(value) == 0 ? NULL :
	    arena_memdup(r->arena, span.text, span.len);
}

static void
read_profile(struct reading *r, const json_t *object,
    struct user_profile *profile)
{
	const char *text;

	user_profile_init(profile, r->tenant_id, &UUID_NIL);
	take_array_text(r, object, "first_name", profile->first_name,
	    sizeof(profile->first_name));
	take_array_text(r, object, "last_name", profile->last_name,
	    sizeof(profile->last_name));
	profile->public_metadata = take_metadata(r, object,
	    "public_metadata");
	profile->private_metadata = take_metadata(r, object,
	    "private_metadata");
	text = take_text(r, object, "second_factor_policy");
	if (text[0] != '\0' && !second_factor_policy_parse(text,
	    &profile->second_factor_policy))
		complain(r, "second_factor_policy",
		    "must be none, optional or enforced");
}

static void
read_secrets(struct reading *r, const json_t *object,
    struct user_transfer *user)
{
	const json_t *authenticator = take(object, "authenticator");
	const char *text = take_text(r, object, "password_hash");

	user->password_hash = text[0] != '\0' ? text : NULL;
	if (authenticator == NULL)
		return;
	if (!json_is_object(authenticator)) {
		complain(r, "authenticator", "must be an object");
		return;
	}
	user->otp_secret = take_text(r, authenticator, "secret");
	user->otp_account = take_text(r, authenticator, "account_name");
}

static void
read_user(struct reading *r, const json_t *object, struct user_transfer *user)
{
	struct user *account = &user->details.user;
	const char *role = take_text(r, object, "role");

	take_id(r, object, &account->id);
	account->tenant_id = *r->tenant_id;
	account->role = ROLE_USER;
	if (role[0] != '\0' && !role_parse(role, &account->role))
		complain(r, "role", "must be admin, manager or user");
	account->created_us = take_time(r, object, "created_at");
	account->active = !take_bool(r, object, "disabled");
	take_array_text(r, object, "username", account->username,
	    sizeof(account->username));
	read_profile(r, object, &user->details.profile);
	read_emails(r, object, &user->details);
	read_phones(r, object, &user->details);
	read_connections(r, object, &user->details);
	read_passkeys(r, object, user);
	read_secrets(r, object, user);
}

/* In the form of a UUID of version 8, its last byte left to count. */
static void
make_id(struct reading *r)
{
	uint8_t hash[CRYPTO_HASH_LEN];

	crypto_hmac_sha256(r->tenant_id->b, sizeof(r->tenant_id->b), r->line,
	    r->line_len, hash);
	memcpy(r->made.b, hash, sizeof(r->made.b));
	r->made.b[6] = (uint8_t)((r->made.b[6] & 0x0f) | 0x80);
	r->made.b[8] = (uint8_t)((r->made.b[8] & 0x3f) | 0x80);
}

int
transfer_read(struct arena *arena, const struct uuid *tenant_id,
    const char *line, size_t len, struct user_transfer *user_r,
    struct fault *fault)
{
	struct reading r = {
		.arena = arena,
		.tenant_id = tenant_id,
		.line = line,
		.line_len = len,
		.fault = fault
	};
	json_t *object;

	memset(user_r, 0, sizeof(*user_r));
	object = json_text_parse(line, len, fault);
	if (object == NULL)
		return -1;
	make_id(&r);
	if (json_is_object(object))
		read_user(&r, object, user_r);
	else
		complain(&r, "line", "must be a JSON object");
	json_decref(object);
	return fault->nfields > 0 ? -1 : 0;
}
