/* SPDX-License-Identifier: MIT */
/* The users of a tenant: list, create, look at, update, promote, delete, and
   their tokens. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/user_service.h"

#include "wuts_private.h"

enum {
	CREATE_EMAIL,
	CREATE_PASSWORD,
	CREATE_ROLE,
	CREATE_WEBHOOK_URL,
	CREATE_COUNT
};

static const struct input_field create_fields[CREATE_COUNT] = {
	[CREATE_EMAIL] = { "email", INPUT_STRING, INPUT_REQUIRED },
	[CREATE_PASSWORD] = { "password", INPUT_STRING,
	    INPUT_REQUIRED | INPUT_SECRET },
	[CREATE_ROLE] = { "role", INPUT_STRING, 0 },
	[CREATE_WEBHOOK_URL] = { "webhook_url", INPUT_STRING, 0 }
};

enum {
	UPDATE_ACTIVE,
	UPDATE_ROLE,
	UPDATE_COUNT
};

static const struct input_field update_fields[UPDATE_COUNT] = {
	[UPDATE_ACTIVE] = { "active", INPUT_BOOL, 0 },
	[UPDATE_ROLE] = { "role", INPUT_STRING, 0 }
};

static const struct input_field promote_fields[] = {
	{ "new_role", INPUT_STRING, INPUT_REQUIRED }
};

static int
list_row(void *ctx, const struct user *user, const char *token,
    struct fault *fault)
{
	struct exchange *x = ctx;

	(void)fault;
	shape_user(response_json(x), user, token);
	response_flush(x);
	return 0;
}

int
users_list(struct exchange *x, struct fault *fault)
{
	struct uuid tenant_id;
	const char *cursor, *next_cursor;
	unsigned limit;
	struct json_writer *w;

	if (input_tenant(x, &tenant_id, fault) < 0 ||
	    request_paging(x, &limit, &cursor, fault) < 0)
		return -1;

	w = response_begin(x, 200);
	json_write_key(w, "users");
	json_write_array_begin(w);
	if (user_service_list(x->service, x->arena, &tenant_id, cursor, limit,
	    list_row, x, &next_cursor, fault) < 0)
		return -1;
	json_write_array_end(w);
	shape_next_cursor(w, limit, next_cursor);
	json_write_object_end(w);
	return 0;
}

struct creation {
	struct user_registration registration;
	struct user_registered registered;
};

static void
render_created(struct exchange *x, const void *ctx)
{
	const struct creation *creation = ctx;
	struct json_writer *w = response_begin(x, 201);

	json_write_key(w, "user");
	shape_user(w, &creation->registered.user, creation->registered.token);
	shape_staged_webhook(w, creation->registration.webhook_url);
	json_write_object_end(w);
}

int
users_create(struct exchange *x, struct fault *fault)
{
	const json_t *in[CREATE_COUNT];
	struct creation creation = { .registration.role = ROLE_USER };
	struct user_registration *registration = &creation.registration;

	if (input_tenant(x, &registration->tenant_id, fault) < 0 ||
	    request_object(x, create_fields, CREATE_COUNT, in, fault) < 0)
		return -1;
	if (in[CREATE_ROLE] != NULL && input_role("role",
	    input_text(in[CREATE_ROLE]), &registration->role, fault) < 0)
		return -1;
	registration->email = input_text(in[CREATE_EMAIL]);
	registration->password = input_text(in[CREATE_PASSWORD]);
	registration->webhook_url = input_text(in[CREATE_WEBHOOK_URL]);

	response_plan(x, render_created, &creation);
	if (user_service_create(x->service, &x->caller, registration,
	    &creation.registered, fault) < 0)
		return -1;
	return response_render_planned(x);
}

static void
set_etag(struct exchange *x, const struct user *user)
{
	char etag[USER_ETAG_SIZE];

	response_header(x, "ETag", user_service_etag(user, etag));
}

int
users_get(struct exchange *x, struct fault *fault)
{
	struct uuid id;
	struct user user;
	struct json_writer *w;

	if (request_arg_uuid(x, 0, "id", &id, fault) < 0)
		return -1;

	if (user_service_get(x->service, &x->caller, &id, &user, fault) < 0)
		return -1;

	w = response_begin(x, 200);
	set_etag(x, &user);
	json_write_key(w, "data");
	shape_user(w, &user, NULL);
	json_write_object_end(w);
	return 0;
}

/* At least one of the two members: an empty update is a mistake, most likely a
   misspelt name. */
static int
take_change(struct exchange *x, struct user_change *change_r,
    struct fault *fault)
{
	const json_t *in[UPDATE_COUNT];

	if (request_object(x, update_fields, UPDATE_COUNT, in, fault) < 0)
		return -1;
	if (in[UPDATE_ACTIVE] == NULL && in[UPDATE_ROLE] == NULL)
		return fault_add_field(fault, "active",
		    "active or role is required", NULL);
	*change_r = (struct user_change) {
		.has_active = in[UPDATE_ACTIVE] != NULL,
		.active = json_is_true(in[UPDATE_ACTIVE]),
		.has_role = in[UPDATE_ROLE] != NULL
	};
	if (!change_r->has_role)
		return 0;
	return input_role("role", input_text(in[UPDATE_ROLE]), &change_r->role,
	    fault);
}

int
users_update(struct exchange *x, struct fault *fault)
{
	struct uuid id;
	struct user_change change;
	struct user before, after;
	struct json_writer *w;

	if (request_arg_uuid(x, 0, "id", &id, fault) < 0 ||
	    take_change(x, &change, fault) < 0)
		return -1;

	if (user_service_change(x->service, &x->caller, &id, &change,
	    x->request.if_match, &before, &after, fault) < 0)
		return -1;

	w = response_begin(x, 200);
	set_etag(x, &after);
	json_member_text(w, "message", "User updated successfully");
	json_write_object_end(w);
	return 0;
}

struct promotion {
	struct user before;
	struct user after;
};

static void
render_promoted(struct exchange *x, const void *ctx)
{
	const struct promotion *promotion = ctx;
	struct json_writer *w = response_begin(x, 200);

	set_etag(x, &promotion->after);
	json_member_text(w, "message", "User role updated successfully");
	json_write_key(w, "data");
	json_write_object_begin(w);
	json_member_uuid(w, "user_id", &promotion->after.id);
	json_member_text(w, "old_role", role_name(promotion->before.role));
	json_member_text(w, "new_role", role_name(promotion->after.role));
	json_write_object_end(w);
	json_write_object_end(w);
}

int
users_promote(struct exchange *x, struct fault *fault)
{
	const json_t *in[1];
	struct uuid id;
	struct user_change change = { .has_role = true };
	struct promotion promotion;

	if (request_arg_uuid(x, 0, "id", &id, fault) < 0 ||
	    request_object(x, promote_fields, 1, in, fault) < 0 ||
	    input_role("new_role", input_text(in[0]), &change.role, fault) < 0)
		return -1;

	response_plan(x, render_promoted, &promotion);
	if (user_service_change(x->service, &x->caller, &id, &change,
	    x->request.if_match, &promotion.before, &promotion.after,
	    fault) < 0)
		return -1;
	return response_render_planned(x);
}

int
users_delete(struct exchange *x, struct fault *fault)
{
	struct uuid id;
	struct json_writer *w;

	if (request_arg_uuid(x, 0, "id", &id, fault) < 0)
		return -1;

	if (user_service_delete(x->service, &x->caller, &id,
	    x->request.if_match, fault) < 0)
		return -1;

	w = response_begin(x, 200);
	json_member_text(w, "message", "User permanently deleted");
	json_write_object_end(w);
	return 0;
}

static void
render_rotated(struct exchange *x, const void *token)
{
	struct json_writer *w = response_begin(x, 200);

	json_member_text(w, "token", token);
	json_write_object_end(w);
}

/* There is nothing to say but whose: a body is neither needed nor read. */
int
users_rotate_token(struct exchange *x, struct fault *fault)
{
	char token[UUID_TEXT_LEN + 1];
	struct uuid id;

	if (request_arg_uuid(x, 0, "id", &id, fault) < 0)
		return -1;

	response_plan(x, render_rotated, token);
	if (user_service_rotate_token(x->service, &x->caller, &id, token,
	    fault) < 0)
		return -1;
	return response_render_planned(x);
}
