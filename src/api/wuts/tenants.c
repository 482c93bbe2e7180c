/* SPDX-License-Identifier: MIT */
/* POST /register and GET /tenants. */
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

int
tenants_register(struct exchange *x, struct fault *fault)
{
	const json_t *in[IN_COUNT];
	struct tenant_registration registration;
	struct tenant_registered registered;
	struct json_writer *w;

	if (request_object(x, register_fields, IN_COUNT, in, fault) < 0)
		return -1;
	registration = (struct tenant_registration) {
		.tenant_name = input_text(in[IN_TENANT_NAME]),
		.email = input_text(in[IN_EMAIL]),
		.password = input_text(in[IN_PASSWORD]),
		.webhook_url = input_text(in[IN_WEBHOOK_URL])
	};

	if (tenant_service_register(x->service, &x->caller, &registration,
	    &registered, fault) < 0)
		return -1;

	w = response_begin(x, 201);
	json_write_key(w, "user");
	shape_user(w, &registered.admin, registered.token);
	json_write_key(w, "tenant");
	shape_tenant(w, &registered.tenant);
	shape_string(w, "token", registered.token);
	shape_staged_webhook(w, registration.webhook_url);
	json_write_object_end(w);
	return 0;
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
