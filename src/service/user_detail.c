/* SPDX-License-Identifier: MIT */
/* A user with everything that hangs on it: read, told of, and the frame that
   all changes of it share. */
#include "config.h"

#include "user_detail_private.h"

#include "wuts/arena.h"
#include "wuts/connection_service.h"
#include "wuts/connection_store.h"
#include "wuts/fault.h"
#include "wuts/json.h"
#include "wuts/picture_store.h"
#include "wuts/second_factor_store.h"
#include "wuts/user_email_store.h"
#include "wuts/user_phone_store.h"
#include "wuts/user_profile_store.h"
#include "wuts/user_search_store.h"
#include "wuts/user_store.h"

#include <string.h>

/* --- who asks --- */

/* A key that may only read gets as far as reading. */
int
details_check_caller(const struct caller *caller, struct fault *fault)
{
	const struct identity *identity = &caller->identity;

	return identity->kind == IDENTITY_KEY ||
	    (identity->kind == IDENTITY_USER && identity->role == ROLE_ADMIN) ?
	    0 : service_refuse_forbidden(fault);
}

int
details_run(struct service *service, const struct caller *caller,
    change_body *body, void *ctx, struct fault *fault)
{
	if (details_check_caller(caller, fault) < 0)
		return -1;
	return change_run(service, caller, &caller->identity.tenant_id, body,
	    ctx, fault);
}

int
details_begin(struct change *change, const struct uuid *user_id,
    struct user *user_r, struct fault *fault)
{
	if (user_lock_target(change, user_id, user_r, fault) < 0)
		return -1;
	return service_is_admin(&change->identity, &change->tenant_id) ? 0 :
	    service_refuse_forbidden(fault);
}

int
details_refuse_unknown(const char *what, struct fault *fault)
{
	return fault_say(fault, REFUSAL_DETAIL_NOT_FOUND,
	    "the user has no such %s", what);
}

bool
details_is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

const char *
details_trim(struct arena *arena, const char *text)
{
	size_t len;

	if (text == NULL)
		return "";
	text += strspn(text, " \t\r\n\v\f");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r\n\v\f", text[len - 1]) != NULL)
		len--;
	return arena_memdup(arena, text, len);
}

/* --- reading --- */

struct loading {
	struct arena *arena;
	struct user_details *details;
	size_t emails_cap, phones_cap, connections_cap;
};

/* Room for one more; what was there moves along. */
static void *
grow(struct arena *arena, void *items, size_t n, size_t *cap, size_t size)
{
	void *more;

	if (n < *cap)
		return items;
	*cap = *cap == 0 ? 4 : *cap * 2;
	more = arena_alloc(arena, *cap * size);
	if (n > 0)
		memcpy(more, items, n * size);
	return more;
}

static int
add_email(void *ctx, const struct user_email *email, struct fault *fault)
{
	struct loading *loading = ctx;
	struct user_details *details = loading->details;

	(void)fault;
	details->emails = grow(loading->arena, details->emails,
	    details->nemails, &loading->emails_cap, sizeof(*email));
	details->emails[details->nemails++] = *email;
	return 0;
}

static int
add_phone(void *ctx, const struct user_phone *phone, struct fault *fault)
{
	struct loading *loading = ctx;
	struct user_details *details = loading->details;

	(void)fault;
	details->phones = grow(loading->arena, details->phones,
	    details->nphones, &loading->phones_cap, sizeof(*phone));
	details->phones[details->nphones++] = *phone;
	return 0;
}

static void
keep_connection(struct loading *loading, const struct connection *connection,
    const char *access_token, const char *refresh_token)
{
	struct user_details *details = loading->details;
	struct connection *kept;

	details->connections = grow(loading->arena, details->connections,
	    details->nconnections, &loading->connections_cap,
	    sizeof(*connection));
	kept = &details->connections[details->nconnections++];
	*kept = *connection;
	kept->provider = arena_strdup(loading->arena, connection->provider);
	kept->email = arena_strdup(loading->arena, connection->email);
	kept->access_token = arena_strdup(loading->arena, access_token);
	kept->refresh_token = arena_strdup(loading->arena, refresh_token);
}

/* Without the tokens: this is what events are made of. */
static int
add_connection(void *ctx, const struct connection_row *row,
    struct fault *fault)
{
	(void)fault;
	keep_connection(ctx, &row->connection, "", "");
	return 0;
}

static int
load_lists(struct db *db, struct loading *loading, const struct user *user,
    struct fault *fault)
{
	const struct uuid *tenant_id = &user->tenant_id;

	if (user_email_store_list(db, tenant_id, &user->id, add_email,
	    loading, fault) < 0 ||
	    user_phone_store_list(db, tenant_id, &user->id, add_phone,
	    loading, fault) < 0 ||
	    connection_store_list(db, loading->arena, tenant_id, &user->id,
	    add_connection, loading, fault) < 0)
		return -1;
	return 0;
}

static int
load(struct service *service, struct db *db, struct arena *arena,
    const struct user *user, struct user_details *details_r,
    struct fault *fault)
{
	struct loading loading = { .arena = arena, .details = details_r };
	char name[PICTURE_NAME_MAX + 1];
	int has_password, has_codes;

	memset(details_r, 0, sizeof(*details_r));
	details_r->user = *user;
	if (user_profile_store_find(db, arena, &user->tenant_id, &user->id,
	    &details_r->profile, fault) < 0 ||
	    load_lists(db, &loading, user, fault) < 0)
		return -1;
	name[0] = '\0';
	if (picture_store_find(db, &user->tenant_id, &user->id, name,
	    fault) < 0)
		return -1;
	details_r->picture_url = picture_url(service->settings, arena, name);
	has_password = user_store_has_password(db, &user->tenant_id,
	    &user->id, fault);
	has_codes = has_password < 0 ? -1 : backup_code_store_exists(db,
	    &user->tenant_id, &user->id, fault);
	if (has_codes < 0)
		return -1;
	details_r->has_password = has_password == 1;
	details_r->has_backup_codes = has_codes == 1;
	return 0;
}

int
details_read(struct service *service, struct arena *arena,
    const struct user *user, struct user_details *details_r,
    struct fault *fault)
{
	if (load(service, service->db, arena, user, details_r, fault) < 0)
		return fault_prefix(fault, "load details");
	return 0;
}

int
details_load(struct change *change, struct arena *arena,
    const struct user *user, struct user_details *details_r,
    struct fault *fault)
{
	if (load(change->service, change->db, arena, user, details_r,
	    fault) < 0)
		return fault_prefix(fault, "load details");
	return 0;
}

static int
show_connection(void *ctx, const struct connection *connection,
    struct fault *fault)
{
	(void)fault;
	keep_connection(ctx, connection, connection->access_token,
	    connection->refresh_token);
	return 0;
}

int
details_show_tokens(struct service *service, struct arena *arena,
    const struct caller *caller, struct user_details *details,
    struct fault *fault)
{
	struct loading loading = { .arena = arena, .details = details };

	if (details->nconnections == 0)
		return 0;
	details->connections = NULL;
	details->nconnections = 0;
	return connection_service_list(service, arena, caller,
	    &details->user.id, show_connection, &loading, fault);
}

int
details_find(struct service *service, const struct caller *caller,
    const struct uuid *id, struct user *user_r, struct fault *fault)
{
	int found;

	if (details_check_caller(caller, fault) < 0)
		return -1;
	found = user_store_find(service->db, &caller->identity.tenant_id, id,
	    user_r, fault);
	if (found < 0)
		return fault_prefix(fault, "find user");
	if (found == 0)
		return fault_say(fault, REFUSAL_USER_NOT_FOUND,
		    "user not found");
	return 0;
}

int
user_detail_service_get(struct service *service, struct arena *arena,
    const struct caller *caller, const struct uuid *id,
    struct user_details *details_r, struct fault *fault)
{
	struct user user;

	if (details_find(service, caller, id, &user, fault) < 0)
		return -1;
	if (load(service, service->db, arena, &user, details_r, fault) < 0)
		return fault_prefix(fault, "load details");
	return details_show_tokens(service, arena, caller, details_r, fault);
}

/* --- changing --- */

int
details_touch(struct change *change, struct user *user, struct fault *fault)
{
	int updated;

	user->updated_us = change_time_after(change, user->updated_us);
	updated = user_store_update_account(change->db, user, fault);
	if (updated < 0)
		return fault_prefix(fault, "update user");
	/* Addresses are judged in user_email before; what is left is the
	   name. */
	if (updated == 0)
		return fault_say(fault, REFUSAL_USERNAME_EXISTS,
		    "a user with this username already exists");
	return 0;
}

int
details_settle(struct change *change, struct arena *arena, struct user *user,
    struct user_details *details_r, struct fault *fault)
{
	if (details_touch(change, user, fault) < 0 ||
	    details_load(change, arena, user, details_r, fault) < 0)
		return -1;
	return details_index(change, details_r, fault);
}

/* --- telling --- */

int
details_emit(struct change *change, const char *event, const char *entity_type,
    const struct uuid *entity_id, details_write *write, const void *ctx,
    struct fault *fault)
{
	struct strbuf data = STRBUF_INIT;
	struct json_writer w;
	int ret;

	json_writer_init(&w, &data);
	json_write_object_begin(&w);
	json_member_uuid(&w, "entity_id", entity_id);
	json_member_text(&w, "entity_type", entity_type);
	write(&w, ctx);
	json_write_object_end(&w);
	ret = change_emit_typed(change, event, data.data, data.len, fault);
	strbuf_deinit(&data);
	return ret;
}

static void
write_details(struct json_writer *w, const void *ctx)
{
	user_shape_details(w, ctx);
}

int
details_emit_user(struct change *change, const char *event,
    const struct user_details *details, struct fault *fault)
{
	return details_emit(change, event, "user", &details->user.id,
	    write_details, details, fault);
}

int
details_emit_updated(struct change *change, struct arena *arena,
    struct user *user, struct fault *fault)
{
	struct user_details details;

	if (details_touch(change, user, fault) < 0 ||
	    details_load(change, arena, user, &details, fault) < 0)
		return -1;
	return details_emit_user(change, "user.updated", &details, fault);
}

int
details_audit(struct change *change, const char *action,
    const struct uuid *user_id, const char *key, const char *value,
    struct fault *fault)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer w;
	int ret;

	if (value == NULL)
		return change_audit(change, action, user_id, NULL, NULL,
		    fault);
	json_writer_init(&w, &text);
	json_write_object_begin(&w);
	json_member_text(&w, key, value);
	json_write_object_end(&w);
	ret = change_audit(change, action, user_id, NULL, text.data, fault);
	strbuf_deinit(&text);
	return ret;
}
