/* SPDX-License-Identifier: MIT */
/* wutsctl key create, delete, list: the API keys of a tenant. The installation
   key is rotate.c's. */
#include "config.h"

#include "ctl_private.h"

#include "wuts/api_key_service.h"
#include "wuts/clock.h"
#include "wuts/crypto.h"
#include "wuts/tenant.h"

#include <stdio.h>
#include <string.h>

/* --- list --- */

static void
write_key(struct json_writer *w, const struct api_key *key)
{
	json_write_object_begin(w);
	json_member_uuid(w, "id", &key->id);
	json_member_text(w, "name", key->name);
	json_member_text(w, "prefix", key->prefix);
	json_member_text(w, "scope", api_key_scope_name(key->scope));
	json_member_time_or_null(w, "created_at", key->created_us);
	json_member_time_or_null(w, "expires_at", key->expires_us);
	json_member_time_or_null(w, "last_used_at", key->last_used_us);
	json_write_object_end(w);
}

static const char *
format_or(int64_t us, const char *never, char buf[CLOCK_RFC3339_SIZE])
{
	return us == 0 ? never : clock_format(us, buf);
}

static int
list_row(void *ctx, const struct api_key *key, struct fault *fault)
{
	struct session *session = ctx;
	char id[UUID_TEXT_LEN + 1];
	char used[CLOCK_RFC3339_SIZE], expires[CLOCK_RFC3339_SIZE];

	(void)fault;
	if (session->ctl->json) {
		write_key(&session->w, key);
		session_flush(session);
	} else {
		printf("%s  %-12s  %-5s  %-20s  %-20s  %s\n",
		    uuid_format(&key->id, id), key->prefix,
		    api_key_scope_name(key->scope),
		    format_or(key->last_used_us, "never", used),
		    format_or(key->expires_us, "never", expires), key->name);
	}
	return 0;
}

static int
list(struct session *session)
{
	struct json_writer *w = &session->w;
	struct tenant tenant;
	const char *next;
	int ret;

	if (session_tenant(session, session->ctl->args[0], &tenant) < 0)
		return -1;
	if (session->ctl->json) {
		json_write_key(w, "api_keys");
		json_write_array_begin(w);
	} else {
		printf("%-36s  %-12s  %-5s  %-20s  %-20s  %s\n", "ID",
		    "PREFIX", "SCOPE", "LAST USED", "EXPIRES", "NAME");
	}
	ret = api_key_service_list(session->service, session->arena,
	    &tenant.id, NULL, 0, list_row, session, &next, &session->fault);
	if (session->ctl->json)
		json_write_array_end(w);
	return ret;
}

int
ctl_key_list(const struct ctl *ctl)
{
	struct session session;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	return session_close(&session, list(&session));
}

/* --- create --- */

static void
show_created(struct session *session, const struct api_key *key,
    const char *text)
{
	struct json_writer *w = &session->w;

	if (session->ctl->json) {
		json_write_key(w, "api_key");
		write_key(w, key);
		json_member_text(w, "key", text);
		return;
	}
	print_uuid("id", &key->id);
	print_text("name", key->name);
	print_text("scope", api_key_scope_name(key->scope));
	print_time("expires", key->expires_us, "never");
	print_text("key", text);
}

static int
create(struct session *session)
{
	const struct ctl *ctl = session->ctl;
	struct api_key_input input = {
		.name = ctl->args[1],
		.scope = ctl->scope,
		.expires_at = ctl->expires
	};
	char text[API_KEY_TEXT_LEN + 1];
	struct tenant tenant;
	struct api_key key;
	int ret;

	if (session_tenant(session, ctl->args[0], &tenant) < 0)
		return -1;
	input.tenant_id = tenant.id;
	ret = api_key_service_create(session->service, &session->caller,
	    &input, &key, text, &session->fault);
	if (ret == 0)
		show_created(session, &key, text);
	crypto_wipe(text, sizeof(text));
	return ret;
}

int
ctl_key_create(const struct ctl *ctl)
{
	struct session session;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	return session_close(&session, create(&session));
}

/* --- delete --- */

static int
delete(struct session *session)
{
	const char *text = session->ctl->args[1];
	struct fault *fault = &session->fault;
	struct tenant tenant;
	struct uuid id;

	if (session_tenant(session, session->ctl->args[0], &tenant) < 0)
		return -1;
	if (!uuid_parse(text, strlen(text), &id))
		return fault_set(fault, FAULT_CONFIG, "\"%s\" is no key's id:"
		    " see wutsctl key list TENANT", text);
	if (api_key_service_delete(session->service, &session->caller,
	    &tenant.id, &id, fault) < 0)
		return fault->code == REFUSAL_NOT_FOUND ?
		    fault_say(fault, REFUSAL_NOT_FOUND, "tenant \"%s\" has no"
		    " key %s: see wutsctl key list TENANT", tenant.name,
		    text) : -1;
	if (session->ctl->json)
		json_member_uuid(&session->w, "id", &id);
	else
		printf("deleted key %s\n", text);
	return 0;
}

int
ctl_key_delete(const struct ctl *ctl)
{
	struct session session;

	if (!session_open(&session, ctl))
		return CTL_FAILED;
	return session_close(&session, delete(&session));
}
