/* SPDX-License-Identifier: MIT */
/* A tenant's API keys: create, list, delete. The key itself is in one answer,
   that of its creation, and never again. */
#include "config.h"

#include "wuts/api_key_service.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"

#include "wuts_private.h"

enum {
	IN_NAME,
	IN_SCOPE,
	IN_EXPIRES_AT,
	IN_COUNT
};

static const struct input_field create_fields[IN_COUNT] = {
	[IN_NAME] = { "name", INPUT_STRING, INPUT_REQUIRED },
	[IN_SCOPE] = { "scope", INPUT_STRING, 0 },
	[IN_EXPIRES_AT] = { "expires_at", INPUT_STRING, 0 }
};

struct creation {
	struct api_key key;
	char text[API_KEY_TEXT_LEN + 1];
};

static void
render_created(struct exchange *x, const void *ctx)
{
	const struct creation *creation = ctx;
	struct json_writer *w = response_begin(x, 201);

	json_write_key(w, "api_key");
	shape_api_key(w, &creation->key);
	json_member_text(w, "key", creation->text);
	json_write_object_end(w);
}

int
api_keys_create(struct exchange *x, struct fault *fault)
{
	const json_t *in[IN_COUNT];
	struct api_key_input input;
	struct creation creation;

	if (input_tenant(x, &input.tenant_id, fault) < 0 ||
	    request_object(x, create_fields, IN_COUNT, in, fault) < 0)
		return -1;
	input.name = input_text(in[IN_NAME]);
	input.scope = input_text(in[IN_SCOPE]);
	input.expires_at = input_text(in[IN_EXPIRES_AT]);

	response_plan(x, render_created, &creation);
	if (api_key_service_create(x->service, &x->caller, &input,
	    &creation.key, creation.text, fault) < 0)
		return -1;
	return response_render_planned(x);
}

static int
list_row(void *ctx, const struct api_key *key, struct fault *fault)
{
	struct exchange *x = ctx;

	(void)fault;
	shape_api_key(response_json(x), key);
	response_flush(x);
	return 0;
}

int
api_keys_list(struct exchange *x, struct fault *fault)
{
	struct uuid tenant_id;
	const char *cursor, *next_cursor;
	unsigned limit;
	struct json_writer *w;

	if (input_tenant(x, &tenant_id, fault) < 0 ||
	    request_paging(x, &limit, &cursor, fault) < 0)
		return -1;

	w = response_begin(x, 200);
	json_write_key(w, "api_keys");
	json_write_array_begin(w);
	if (api_key_service_list(x->service, x->arena, &tenant_id, cursor,
	    limit, list_row, x, &next_cursor, fault) < 0)
		return -1;
	json_write_array_end(w);
	shape_next_cursor(w, limit, next_cursor);
	json_write_object_end(w);
	return 0;
}

int
api_keys_delete(struct exchange *x, struct fault *fault)
{
	struct uuid tenant_id, id;
	struct json_writer *w;

	if (input_tenant(x, &tenant_id, fault) < 0 ||
	    request_arg_uuid(x, 0, "id", &id, fault) < 0)
		return -1;

	if (api_key_service_delete(x->service, &x->caller, &tenant_id, &id,
	    fault) < 0)
		return -1;

	w = response_begin(x, 200);
	json_member_text(w, "message", "API key deleted successfully");
	json_write_object_end(w);
	return 0;
}
