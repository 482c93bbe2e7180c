/* SPDX-License-Identifier: MIT */
/* Phone numbers of a user (spec/wacht.md §3.7). */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/user_detail_service.h"

#include "wacht_private.h"

enum {
	PHONE_NUMBER,
	PHONE_CODE,
	PHONE_VERIFIED,
	PHONE_PRIMARY,
	PHONE_COUNT
};

static const struct input_field add_fields[PHONE_COUNT] = {
	[PHONE_NUMBER] = { "phone_number", INPUT_STRING, INPUT_REQUIRED },
	[PHONE_CODE] = { "country_code", INPUT_STRING, INPUT_REQUIRED },
	[PHONE_VERIFIED] = { "verified", INPUT_BOOL, 0 },
	[PHONE_PRIMARY] = { "is_primary", INPUT_BOOL, 0 }
};

static const struct input_field update_fields[PHONE_COUNT] = {
	[PHONE_NUMBER] = { "phone_number", INPUT_STRING, 0 },
	[PHONE_CODE] = { "country_code", INPUT_STRING, 0 },
	[PHONE_VERIFIED] = { "verified", INPUT_BOOL, 0 },
	[PHONE_PRIMARY] = { "is_primary", INPUT_BOOL, 0 }
};

static int
take_patch(struct exchange *x, const struct input_field *fields,
    struct phone_patch *patch_r, struct fault *fault)
{
	const json_t *in[PHONE_COUNT];

	if (wacht_input_object(x, fields, PHONE_COUNT, in, fault) < 0)
		return -1;
	*patch_r = (struct phone_patch) {
		.phone_number = input_text(in[PHONE_NUMBER]),
		.country_code = input_text(in[PHONE_CODE]),
		.has_verified = in[PHONE_VERIFIED] != NULL,
		.verified = json_is_true(in[PHONE_VERIFIED]),
		.make_primary = json_is_true(in[PHONE_PRIMARY])
	};
	return 0;
}

static int
answer(struct exchange *x, const struct user_phone *phone)
{
	struct json_writer *w = response_json(x);

	response_status(x, 200);
	json_write_object_begin(w);
	user_shape_phone(w, phone);
	json_write_object_end(w);
	return 0;
}

int
wacht_phones_add(struct exchange *x, struct fault *fault)
{
	struct phone_patch patch;
	struct user_phone phone;
	struct uuid user_id;

	if (wacht_input_user(x, &user_id, fault) < 0 ||
	    take_patch(x, add_fields, &patch, fault) < 0 ||
	    user_phone_service_add(x->service, x->arena, &x->caller, &user_id,
	    &patch, &phone, fault) < 0)
		return -1;
	return answer(x, &phone);
}

int
wacht_phones_update(struct exchange *x, struct fault *fault)
{
	struct phone_patch patch;
	struct user_phone phone;
	struct uuid user_id, id;

	if (wacht_input_user_and(x, "phone_id", &user_id, &id, fault) < 0 ||
	    take_patch(x, update_fields, &patch, fault) < 0 ||
	    user_phone_service_update(x->service, x->arena, &x->caller,
	    &user_id, &id, &patch, &phone, fault) < 0)
		return -1;
	return answer(x, &phone);
}

int
wacht_phones_delete(struct exchange *x, struct fault *fault)
{
	struct uuid user_id, id;

	if (wacht_input_user_and(x, "phone_id", &user_id, &id, fault) < 0 ||
	    user_phone_service_delete(x->service, x->arena, &x->caller,
	    &user_id, &id, fault) < 0)
		return -1;
	return wacht_answer_nothing(x);
}

int
wacht_phones_make_primary(struct exchange *x, struct fault *fault)
{
	struct uuid user_id, id;

	if (wacht_input_user_and(x, "phone_id", &user_id, &id, fault) < 0 ||
	    user_phone_service_make_primary(x->service, x->arena, &x->caller,
	    &user_id, &id, fault) < 0)
		return -1;
	return wacht_answer_nothing(x);
}
