/* SPDX-License-Identifier: MIT */
/* A user's authenticator as its administrator sees it: made with a secret that
   is never shown again, and deleted. */
#include "config.h"

#include "wuts/second_factor_service.h"

#include "user_detail_private.h"
#include "wuts/arena.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/second_factor_store.h"
#include "wuts/settings.h"
#include "wuts/tenant.h"
#include "wuts/tenant_store.h"
#include "wuts/user_policy.h"
#include "wuts/user_profile_store.h"

#include <ctype.h>
#include <string.h>

#define MASKED "***"

static void
append_escaped(struct strbuf *out, const char *text)
{
	for (; *text != '\0'; text++)
		if (isalnum((unsigned char)*text) ||
		    strchr("-_.~", *text) != NULL)
			strbuf_append_char(out, *text);
		else
			strbuf_printf(out, "%%%02X", (unsigned char)*text);
}

static void
append_url(struct strbuf *out, const char *issuer, const char *account,
    const char *secret)
{
	strbuf_append_str(out, "otpauth://totp/");
	append_escaped(out, issuer);
	strbuf_append_char(out, ':');
	append_escaped(out, account);
	strbuf_append_str(out, "?secret=");
	strbuf_append_str(out, secret);
	strbuf_append_str(out, "&issuer=");
	append_escaped(out, issuer);
	strbuf_append_str(out, "&algorithm=SHA1&digits=6&period=30");
}

/* --- events --- */

struct telling {
	const struct authenticator *authenticator;
	const char *issuer;
};

static void
write_authenticator(struct json_writer *w, const void *ctx)
{
	const struct telling *telling = ctx;
	const struct authenticator *row = telling->authenticator;
	struct strbuf url = STRBUF_INIT;

	append_url(&url, telling->issuer, row->account, MASKED);
	json_member_uuid(w, "id", &row->id);
	json_member_micros(w, "created_at", row->created_us);
	json_member_micros(w, "updated_at", row->updated_us);
	json_member_uuid(w, "user_id", &row->user_id);
	json_member_text(w, "otp_url", url.data);
	strbuf_deinit(&url);
}

static int
find_issuer(struct change *change, struct tenant *tenant_r,
    struct fault *fault)
{
	/* It is locked, so it is there. */
	if (tenant_store_find(change->db, &change->tenant_id, tenant_r,
	    fault) < 0)
		return fault_prefix(fault, "find tenant");
	return 0;
}

static int
tell(struct change *change, struct user *user, const char *event,
    const struct authenticator *authenticator, const char *issuer,
    struct fault *fault)
{
	struct telling telling = { authenticator, issuer };

	if (details_touch(change, user, fault) < 0 ||
	    details_audit(change, event, &user->id, NULL, NULL, fault) < 0)
		return -1;
	return details_emit(change, event, "user_authenticator",
	    &authenticator->id, write_authenticator, &telling, fault);
}

/* --- create --- */

struct authenticator_creation {
	const struct uuid *user_id;
	const char *account;		/* NULL: the user's own name */
	char text[TOTP_TEXT_MAX + 1];
	struct authenticator row;
	struct arena *arena;
	struct authenticator_created *result_r;
};

/* What a person would look for in a list of accounts. 0 / -1. */
static int
name_account(struct change *change, struct arena *arena,
    const struct user *user, const char **account_r, struct fault *fault)
{
	struct user_profile profile;
	char id[UUID_TEXT_LEN + 1];
	const char *whole;

	*account_r = user->email[0] != '\0' ? user->email : user->username;
	if ((*account_r)[0] != '\0') {
		*account_r = arena_strdup(arena, *account_r);
		return 0;
	}
	if (user_profile_store_find(change->db, arena, &change->tenant_id,
	    &user->id, &profile, fault) < 0)
		return fault_prefix(fault, "find profile");
	whole = arena_printf(arena, "%s %s", profile.first_name,
	    profile.last_name);
	*account_r = user_text_is_blank(whole) || strchr(whole, ':') != NULL ?
	    arena_printf(arena, "user-%s", uuid_format(&user->id, id)) :
	    whole;
	return 0;
}

static int
create_body(struct change *change, void *ctx, struct fault *fault)
{
	struct authenticator_creation *creation = ctx;
	struct authenticator *row = &creation->row;
	struct strbuf url = STRBUF_INIT;
	struct tenant tenant;
	struct user user;
	int ret;

	if (details_begin(change, creation->user_id, &user, fault) < 0 ||
	    find_issuer(change, &tenant, fault) < 0)
		return -1;
	row->tenant_id = change->tenant_id;
	row->user_id = user.id;
	row->created_us = change->now_us;
	row->updated_us = change->now_us;
	row->account = creation->account;
	if (row->account == NULL && name_account(change, creation->arena,
	    &user, &row->account, fault) < 0)
		return -1;
	ret = authenticator_store_insert(change->db, row, fault);
	if (ret < 0)
		return fault_prefix(fault, "insert authenticator");
	if (ret == 0)
		return fault_say(fault, REFUSAL_AUTHENTICATOR_EXISTS,
		    "the user has an authenticator already");
	append_url(&url, tenant.name, row->account, creation->text);
	creation->result_r->id = row->id;
	creation->result_r->otp_url = arena_strdup(creation->arena, url.data);
	crypto_wipe(url.data, url.len);
	strbuf_deinit(&url);
	return tell(change, &user, "user.mfa.enabled", row, tenant.name,
	    fault);
}

/* Trimmed, in arena; *account_r NULL when nothing is left. */
static const char *
check_account(struct arena *arena, const char *text, const char **account_r)
{
	size_t len = strlen(text), chars = 0;

	*account_r = NULL;
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	while (len > 0 && isspace((unsigned char)*text)) {
		text++;
		len--;
	}
	if (len == 0)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == ':')
			return "must not hold a colon";
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return "must not hold control characters";
		chars += ((unsigned char)text[i] & 0xc0) != 0x80;
	}
	*account_r = arena_memdup(arena, text, len);
	return chars > AUTHENTICATOR_ACCOUNT_MAX ?
	    "must have at most 255 characters" : NULL;
}

static int
check_input(struct service *service, const char *secret, const char *account,
    struct authenticator_creation *creation, struct fault *fault)
{
	uint8_t bytes[TOTP_SECRET_MAX];
	struct authenticator *row = &creation->row;
	const char *problem;
	size_t len = 0;

	if (!totp_secret_parse(secret, creation->text, bytes, &len))
		fault_add_field(fault, "secret",
		    "must be base32 (RFC 4648) of 16 to 128 bytes", "***");
	if (account != NULL) {
		problem = check_account(creation->arena, account,
		    &creation->account);
		if (problem != NULL)
			fault_add_field(fault, "account_name", problem,
			    account);
	}
	if (fault->nfields > 0)
		return service_refuse_fields(fault);
	uuid_new_ordered(&row->id);
	crypto_seal(&service->settings->keys, row->id.b, sizeof(row->id.b),
	    bytes, len, row->sealed);
	row->sealed_len = len + CRYPTO_SEAL_OVERHEAD;
	crypto_wipe(bytes, sizeof(bytes));
	return 0;
}

int
second_factor_service_create(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *user_id,
    const char *secret, const char *account,
    struct authenticator_created *result_r, struct fault *fault)
{
	struct authenticator_creation creation = {
		.user_id = user_id,
		.arena = arena,
		.result_r = result_r
	};
	int ret;

	fault_clear(fault);
	ret = check_input(service, secret, account, &creation, fault);
	if (ret == 0)
		ret = details_run(service, caller, create_body, &creation,
		    fault);
	crypto_wipe(creation.text, sizeof(creation.text));
	return ret < 0 ? fault_prefix(fault, "create authenticator") : 0;
}

/* --- delete --- */

struct authenticator_deletion {
	const struct uuid *user_id;
	struct arena *arena;
};

static int
delete_body(struct change *change, void *ctx, struct fault *fault)
{
	const struct authenticator_deletion *deletion = ctx;
	struct authenticator row;
	struct tenant tenant;
	struct user user;
	int found;

	if (details_begin(change, deletion->user_id, &user, fault) < 0 ||
	    find_issuer(change, &tenant, fault) < 0)
		return -1;
	found = authenticator_store_find(change->db, deletion->arena,
	    &change->tenant_id, &user.id, &row, fault);
	if (found < 0)
		return fault_prefix(fault, "find authenticator");
	if (found == 0)
		return details_refuse_unknown("authenticator", fault);
	if (authenticator_store_delete(change->db, &change->tenant_id,
	    &user.id, fault) < 0)
		return fault_prefix(fault, "delete authenticator");
	return tell(change, &user, "user.mfa.disabled", &row, tenant.name,
	    fault);
}

int
second_factor_service_delete(struct service *service,
    const struct caller *caller, const struct uuid *user_id,
    struct fault *fault)
{
	struct authenticator_deletion deletion = {
		.user_id = user_id,
		.arena = arena_new()
	};
	int ret;

	fault_clear(fault);
	ret = details_run(service, caller, delete_body, &deletion, fault);
	arena_free(&deletion.arena);
	return ret < 0 ? fault_prefix(fault, "delete authenticator") : 0;
}
