/* SPDX-License-Identifier: MIT */
/* Users: listed, made, shown, changed, deleted, and their passwords
   (spec/wacht.md §3.1-3.5). */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/multipart.h"
#include "wuts/picture.h"
#include "wuts/user_detail_service.h"

#include "wacht_private.h"

#include <string.h>

/* --- list --- */

static const struct order_name {
	const char *name;
	enum user_order order;
} order_names[] = {
	{ "created_at", USER_BY_CREATION },
	{ "username", USER_BY_USERNAME },
	{ "email", USER_BY_EMAIL },
	{ "phone_number", USER_BY_PHONE }
};

static void
take_order(const struct exchange *x, struct user_query *query,
    struct fault *fault)
{
	const char *key = request_query(x, "sort_key");
	const char *direction = request_query(x, "sort_order");
	size_t i, n = sizeof(order_names) / sizeof(order_names[0]);

	for (i = 0; key != NULL && i < n; i++) {
		if (strcmp(order_names[i].name, key) != 0)
			continue;
		query->order = order_names[i].order;
		break;
	}
	if (i == n)
		fault_add_field(fault, "sort_key", "must be created_at, "
		    "username, email or phone_number", key);
	query->descending = direction == NULL ||
	    strcmp(direction, "desc") == 0;
	if (!query->descending && strcmp(direction, "asc") != 0)
		fault_add_field(fault, "sort_order", "must be asc or desc",
		    direction);
}

static int
take_query(struct exchange *x, struct user_query *query, struct fault *fault)
{
	uint64_t limit = LIST_DEFAULT;

	if (request_query_check(x, fault) < 0)
		return -1;
	fault_clear(fault);
	wacht_input_query_number(x, "limit", LIST_MAX, &limit, fault);
	query->limit = (unsigned)limit;
	wacht_input_query_number(x, "offset", INT64_MAX, &query->offset,
	    fault);
	take_order(x, query, fault);
	wacht_input_query_search(x, &query->search, fault);
	return fault->nfields > 0 ? -1 : 0;
}

static int
list_row(void *ctx, const struct user_found *user, struct fault *fault)
{
	struct exchange *x = ctx;
	struct json_writer *w = response_json(x);

	(void)fault;
	json_write_object_begin(w);
	user_shape_summary(w, user);
	json_write_object_end(w);
	response_flush(x);
	return 0;
}

struct counted {
	struct exchange *x;
	uint64_t n;
};

static int
count_row(void *ctx, const struct user_found *user, struct fault *fault)
{
	struct counted *counted = ctx;

	counted->n++;
	return list_row(counted->x, user, fault);
}

int
wacht_users_list(struct exchange *x, struct fault *fault)
{
	struct user_query query = { .order = USER_BY_CREATION };
	struct counted counted = { .x = x };
	uint64_t total;

	if (take_query(x, &query, fault) < 0)
		return -1;
	wacht_list_begin(x);
	if (user_detail_service_list(x->service, x->arena, &x->caller, &query,
	    count_row, &counted, &total, fault) < 0)
		return -1;
	return wacht_list_end(x, total, query.limit, query.offset,
	    query.offset < total && counted.n < total - query.offset);
}

/* --- forms --- */

/* A boolean field: empty is absent. */
static bool
take_bool(const struct multipart_value *value, const char *name,
    bool *value_r, struct fault *fault)
{
	*value_r = false;
	if (value->data == NULL || value->len == 0)
		return false;
	*value_r = strcmp(value->data, "true") == 0;
	if (!*value_r && strcmp(value->data, "false") != 0)
		fault_add_field(fault, name, "must be true or false",
		    value->data);
	return true;
}

static struct picture_upload
take_picture(const struct multipart_value *value)
{
	return (struct picture_upload) {
		.type = value->type != NULL ? value->type : "",
		.data = value->data,
		.len = value->len
	};
}

static int
answer_details(struct exchange *x, const struct user_details *details)
{
	struct json_writer *w = response_json(x);

	response_status(x, 200);
	json_write_object_begin(w);
	user_shape_details(w, details);
	json_write_object_end(w);
	return 0;
}

/* --- create --- */

enum {
	CREATE_FIRST_NAME,
	CREATE_LAST_NAME,
	CREATE_EMAIL,
	CREATE_PHONE,
	CREATE_USERNAME,
	CREATE_PASSWORD,
	CREATE_SKIP_CHECK,
	CREATE_IMAGE,
	CREATE_COUNT
};

static const struct multipart_field create_fields[CREATE_COUNT] = {
	[CREATE_FIRST_NAME] = { "first_name", 0, false },
	[CREATE_LAST_NAME] = { "last_name", 0, false },
	[CREATE_EMAIL] = { "email_address", 0, false },
	[CREATE_PHONE] = { "phone_number", 0, false },
	[CREATE_USERNAME] = { "username", 0, false },
	[CREATE_PASSWORD] = { "password", 0, false },
	[CREATE_SKIP_CHECK] = { "skip_password_check", 0, false },
	[CREATE_IMAGE] = { "profile_image", PICTURE_BYTES_MAX, true }
};

int
wacht_users_create(struct exchange *x, struct fault *fault)
{
	struct multipart_value in[CREATE_COUNT];
	struct user_creation input;
	struct user_details details;
	char phone[PHONE_WHOLE_MAX + 1];
	struct user_found found;
	struct json_writer *w;

	if (request_query_check(x, fault) < 0 ||
	    request_multipart(x, create_fields, CREATE_COUNT, in, fault) < 0)
		return -1;
	input = (struct user_creation) {
		.first_name = in[CREATE_FIRST_NAME].data,
		.last_name = in[CREATE_LAST_NAME].data,
		.email = in[CREATE_EMAIL].data,
		.phone = in[CREATE_PHONE].data,
		.username = in[CREATE_USERNAME].data,
		.password = in[CREATE_PASSWORD].data,
		.picture = take_picture(&in[CREATE_IMAGE])
	};
	fault_clear(fault);
	take_bool(&in[CREATE_SKIP_CHECK], "skip_password_check",
	    &input.skip_password_check, fault);
	if (user_detail_service_create(x->service, x->arena, &x->caller,
	    &input, &details, fault) < 0)
		return -1;

	w = response_json(x);
	response_status(x, 200);
	found = user_shape_found(&details, phone);
	json_write_object_begin(w);
	user_shape_summary(w, &found);
	json_write_object_end(w);
	return 0;
}

/* --- show, update, delete --- */

int
wacht_users_get(struct exchange *x, struct fault *fault)
{
	struct user_details details;
	struct uuid id;

	if (wacht_input_user(x, &id, fault) < 0 ||
	    user_detail_service_get(x->service, x->arena, &x->caller, &id,
	    &details, fault) < 0)
		return -1;
	return answer_details(x, &details);
}

enum {
	UPDATE_FIRST_NAME,
	UPDATE_LAST_NAME,
	UPDATE_USERNAME,
	UPDATE_PUBLIC_METADATA,
	UPDATE_PRIVATE_METADATA,
	UPDATE_DISABLED,
	UPDATE_SECOND_FACTOR,
	UPDATE_REMOVE_IMAGE,
	UPDATE_IMAGE,
	UPDATE_COUNT
};

static const struct multipart_field update_fields[UPDATE_COUNT] = {
	[UPDATE_FIRST_NAME] = { "first_name", 0, false },
	[UPDATE_LAST_NAME] = { "last_name", 0, false },
	[UPDATE_USERNAME] = { "username", 0, false },
	[UPDATE_PUBLIC_METADATA] =
	    { "public_metadata", USER_METADATA_MAX, false },
	[UPDATE_PRIVATE_METADATA] =
	    { "private_metadata", USER_METADATA_MAX, false },
	[UPDATE_DISABLED] = { "disabled", 0, false },
	[UPDATE_SECOND_FACTOR] = { "second_factor_policy", 0, false },
	[UPDATE_REMOVE_IMAGE] = { "remove_profile_image", 0, false },
	[UPDATE_IMAGE] = { "profile_image", PICTURE_BYTES_MAX, true }
};

int
wacht_users_update(struct exchange *x, struct fault *fault)
{
	struct multipart_value in[UPDATE_COUNT];
	struct user_details details;
	struct user_patch patch;
	struct uuid id;

	if (wacht_input_user(x, &id, fault) < 0 ||
	    request_multipart(x, update_fields, UPDATE_COUNT, in, fault) < 0)
		return -1;
	patch = (struct user_patch) {
		.first_name = in[UPDATE_FIRST_NAME].data,
		.last_name = in[UPDATE_LAST_NAME].data,
		.username = in[UPDATE_USERNAME].data,
		.public_metadata = in[UPDATE_PUBLIC_METADATA].data,
		.private_metadata = in[UPDATE_PRIVATE_METADATA].data,
		.second_factor_policy = in[UPDATE_SECOND_FACTOR].data,
		.picture = take_picture(&in[UPDATE_IMAGE])
	};
	fault_clear(fault);
	patch.has_disabled = take_bool(&in[UPDATE_DISABLED], "disabled",
	    &patch.disabled, fault);
	take_bool(&in[UPDATE_REMOVE_IMAGE], "remove_profile_image",
	    &patch.remove_picture, fault);
	if (user_detail_service_update(x->service, x->arena, &x->caller, &id,
	    &patch, &details, fault) < 0)
		return -1;
	return answer_details(x, &details);
}

int
wacht_users_delete(struct exchange *x, struct fault *fault)
{
	struct uuid id;

	if (wacht_input_user(x, &id, fault) < 0 ||
	    user_detail_service_delete(x->service, x->arena, &x->caller, &id,
	    fault) < 0)
		return -1;
	return wacht_answer_nothing(x);
}

/* --- password --- */

enum {
	PASSWORD_NEW,
	PASSWORD_SKIP_CHECK,
	PASSWORD_COUNT
};

static const struct input_field password_fields[PASSWORD_COUNT] = {
	[PASSWORD_NEW] = { "new_password", INPUT_STRING,
	    INPUT_REQUIRED | INPUT_SECRET },
	[PASSWORD_SKIP_CHECK] = { "skip_password_check", INPUT_BOOL, 0 }
};

int
wacht_password_set(struct exchange *x, struct fault *fault)
{
	const json_t *in[PASSWORD_COUNT];
	struct uuid id;

	if (wacht_input_user(x, &id, fault) < 0 ||
	    wacht_input_object(x, password_fields, PASSWORD_COUNT, in,
	    fault) < 0 ||
	    user_detail_service_set_password(x->service, x->arena, &x->caller,
	    &id, input_text(in[PASSWORD_NEW]),
	    json_is_true(in[PASSWORD_SKIP_CHECK]), fault) < 0)
		return -1;
	return wacht_answer_nothing(x);
}

int
wacht_password_remove(struct exchange *x, struct fault *fault)
{
	struct uuid id;

	if (wacht_input_user(x, &id, fault) < 0 ||
	    user_detail_service_set_password(x->service, x->arena, &x->caller,
	    &id, NULL, true, fault) < 0)
		return -1;
	return wacht_answer_nothing(x);
}
