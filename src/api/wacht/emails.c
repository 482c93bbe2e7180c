/* SPDX-License-Identifier: MIT */
/* Addresses of a user (spec/wacht.md §3.6). */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/user_detail_service.h"

#include "wacht_private.h"

enum {
	EMAIL_TEXT,
	EMAIL_VERIFIED,
	EMAIL_PRIMARY,
	EMAIL_COUNT
};

static const struct input_field add_fields[EMAIL_COUNT] = {
	[EMAIL_TEXT] = { "email", INPUT_STRING, INPUT_REQUIRED },
	[EMAIL_VERIFIED] = { "verified", INPUT_BOOL, 0 },
	[EMAIL_PRIMARY] = { "is_primary", INPUT_BOOL, 0 }
};

static const struct input_field update_fields[EMAIL_COUNT] = {
	[EMAIL_TEXT] = { "email", INPUT_STRING, 0 },
	[EMAIL_VERIFIED] = { "verified", INPUT_BOOL, 0 },
	[EMAIL_PRIMARY] = { "is_primary", INPUT_BOOL, 0 }
};

static int
take_patch(struct exchange *x, const struct input_field *fields,
    struct email_patch *patch_r, struct fault *fault)
{
	const json_t *in[EMAIL_COUNT];

	if (wacht_input_object(x, fields, EMAIL_COUNT, in, fault) < 0)
		return -1;
	*patch_r = (struct email_patch) {
		.email = input_text(in[EMAIL_TEXT]),
		.has_verified = in[EMAIL_VERIFIED] != NULL,
		.verified = json_is_true(in[EMAIL_VERIFIED]),
		.make_primary = json_is_true(in[EMAIL_PRIMARY])
	};
	return 0;
}

static int
answer(struct exchange *x, const struct user_email *email)
{
	struct json_writer *w = response_json(x);

	response_status(x, 200);
	json_write_object_begin(w);
	user_shape_email(w, email);
	json_write_object_end(w);
	return 0;
}

int
wacht_emails_add(struct exchange *x, struct fault *fault)
{
	struct email_patch patch;
	struct user_email email;
	struct uuid user_id;

	if (wacht_input_user(x, &user_id, fault) < 0 ||
	    take_patch(x, add_fields, &patch, fault) < 0 ||
	    user_email_service_add(x->service, x->arena, &x->caller, &user_id,
	    &patch, &email, fault) < 0)
		return -1;
	return answer(x, &email);
}

int
wacht_emails_update(struct exchange *x, struct fault *fault)
{
	struct email_patch patch;
	struct user_email email;
	struct uuid user_id, id;

	if (wacht_input_user_and(x, "email_id", &user_id, &id, fault) < 0 ||
	    take_patch(x, update_fields, &patch, fault) < 0 ||
	    user_email_service_update(x->service, x->arena, &x->caller,
	    &user_id, &id, &patch, &email, fault) < 0)
		return -1;
	return answer(x, &email);
}

int
wacht_emails_delete(struct exchange *x, struct fault *fault)
{
	struct uuid user_id, id;

	if (wacht_input_user_and(x, "email_id", &user_id, &id, fault) < 0 ||
	    user_email_service_delete(x->service, x->arena, &x->caller,
	    &user_id, &id, fault) < 0)
		return -1;
	return wacht_answer_nothing(x);
}

int
wacht_emails_make_primary(struct exchange *x, struct fault *fault)
{
	struct uuid user_id, id;

	if (wacht_input_user_and(x, "email_id", &user_id, &id, fault) < 0 ||
	    user_email_service_make_primary(x->service, x->arena, &x->caller,
	    &user_id, &id, fault) < 0)
		return -1;
	return wacht_answer_nothing(x);
}
