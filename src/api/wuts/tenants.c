/* SPDX-License-Identifier: MIT */
/* Tenants, for the super admin: register, list, look at, delete. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/tenant_service.h"

#include "wuts_private.h"

enum {
	IN_TENANT_NAME,
	IN_EMAIL,
	IN_PASSWORD,
	IN_ROLE,
	IN_WEBHOOK_URL,
	IN_COUNT
};

/* `role` is what existing clients send; the first user is always an admin. */
static const struct input_field register_fields[IN_COUNT] = {
	[IN_TENANT_NAME] = { "tenant_name", INPUT_STRING, INPUT_REQUIRED },
	[IN_EMAIL] = { "email", INPUT_STRING, INPUT_REQUIRED },
	[IN_PASSWORD] = { "password", INPUT_STRING,
	    INPUT_REQUIRED | INPUT_SECRET },
	[IN_ROLE] = { "role", INPUT_STRING, 0 },
	[IN_WEBHOOK_URL] = { "webhook_url", INPUT_STRING, 0 }
};

struct birth {
	struct tenant_registration registration;
	struct tenant_registered registered;
};

static void
render_registered(struct exchange *x, const void *ctx)
{
	const struct birth *birth = ctx;
	const struct tenant_registered *registered = &birth->registered;
	struct json_writer *w = response_begin(x, 201);

	json_write_key(w, "user");
	shape_user(w, &registered->admin, registered->token);
	json_write_key(w, "tenant");
	shape_tenant(w, &registered->tenant);
	json_member_text(w, "token", registered->token);
	shape_staged_webhook(w, birth->registration.webhook_url);
	json_write_object_end(w);
}

int
tenants_register(struct exchange *x, struct fault *fault)
{
	const json_t *in[IN_COUNT];
	struct birth birth;

	if (request_object(x, register_fields, IN_COUNT, in, fault) < 0)
		return -1;
	birth.registration = (struct tenant_registration) {
		.tenant_name = input_text(in[IN_TENANT_NAME]),
		.email = input_text(in[IN_EMAIL]),
		.password = input_text(in[IN_PASSWORD]),
		.webhook_url = input_text(in[IN_WEBHOOK_URL])
	};

	response_plan(x, render_registered, &birth);
	if (tenant_service_register(x->service, &x->caller,
	    &birth.registration, &birth.registered, fault) < 0)
		return -1;
	return response_render_planned(x);
}

static int
list_row(void *ctx, const struct tenant *tenant, struct fault *fault)
{
	struct exchange *x = ctx;

	(void)fault;
	shape_tenant(response_json(x), tenant);
	response_flush(x);
	return 0;
}

int
tenants_list(struct exchange *x, struct fault *fault)
{
	const char *cursor, *next_cursor;
	unsigned limit;
	struct json_writer *w;

	if (request_paging(x, &limit, &cursor, fault) < 0)
		return -1;

	w = response_begin(x, 200);
	json_write_key(w, "tenants");
	json_write_array_begin(w);
	if (tenant_service_list(x->service, x->arena, cursor, limit, list_row,
	    x, &next_cursor, fault) < 0)
		return -1;
	json_write_array_end(w);
	shape_next_cursor(w, limit, next_cursor);
	json_write_object_end(w);
	return 0;
}

int
tenants_get(struct exchange *x, struct fault *fault)
{
	struct tenant_details details;
	struct uuid id;
	struct json_writer *w;

	if (request_arg_uuid(x, 0, "id", &id, fault) < 0)
		return -1;

	if (tenant_service_get(x->service, &id, &details, fault) < 0)
		return -1;

	w = response_begin(x, 200);
	json_write_key(w, "data");
	shape_tenant_details(w, &details);
	json_write_object_end(w);
	return 0;
}

int
tenants_delete(struct exchange *x, struct fault *fault)
{
	struct tenant tenant;
	struct uuid id;
	int64_t deleted_us;
	struct json_writer *w;

	if (request_arg_uuid(x, 0, "id", &id, fault) < 0)
		return -1;

	if (tenant_service_delete(x->service, &x->caller, &id, &tenant,
	    &deleted_us, fault) < 0)
		return -1;

	w = response_begin(x, 200);
	json_member_text(w, "message", "Tenant permanently deleted");
	json_write_key(w, "data");
	json_write_object_begin(w);
	json_member_uuid(w, "tenant_id", &tenant.id);
	json_member_text(w, "tenant_name", tenant.name);
	json_member_time(w, "deleted_at", deleted_us);
	json_write_object_end(w);
	json_write_object_end(w);
	return 0;
}
