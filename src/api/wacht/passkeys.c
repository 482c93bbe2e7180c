/* SPDX-License-Identifier: MIT */
/* Passkeys (spec/wacht.md §3.10). */
#include "config.h"

#include "wuts/connection_service.h"
#include "wuts/http.h"
#include "wuts/uuid.h"

#include "details_private.h"
#include "wacht_private.h"

#include <string.h>

struct passkey_answer {
	struct json_writer *w;
	size_t n;
};

/* "usb,nfc" as an array. */
static void
put_transports(struct json_writer *w, const char *transports)
{
	size_t len;

	if (transports == NULL) {
		json_member_null(w, "transports");
		return;
	}
	json_write_key(w, "transports");
	json_write_array_begin(w);
	while (*transports != '\0') {
		len = strcspn(transports, ",");
		json_write_string_len(w, transports, len);
		transports += len;
		transports += *transports == ',';
	}
	json_write_array_end(w);
}

static int
put_row(void *ctx, const struct passkey *passkey, struct fault *fault)
{
	struct passkey_answer *answer = ctx;
	struct json_writer *w = answer->w;

	(void)fault;
	json_write_object_begin(w);
	json_member_uuid(w, "id", &passkey->id);
	json_member_micros(w, "created_at", passkey->created_us);
	json_member_micros(w, "updated_at", passkey->updated_us);
	json_member_uuid(w, "user_id", &passkey->user_id);
	json_member_text(w, "name", passkey->name);
	json_member_int(w, "sign_count", passkey->sign_count);
	put_transports(w, passkey->transports);
	json_member_micros_or_null(w, "last_used_at", passkey->last_used_us);
	if (passkey->backed_up >= 0)
		json_member_bool(w, "backed_up", passkey->backed_up != 0);
	else
		json_member_null(w, "backed_up");
	json_member_text_or_null(w, "device_type", passkey->device_type);
	json_write_object_end(w);
	answer->n++;
	return 0;
}

int
wacht_passkeys_list(struct exchange *x, struct fault *fault)
{
	struct passkey_answer answer = { .n = 0 };
	struct uuid user_id;

	if (wacht_input_user(x, &user_id, fault) < 0)
		return -1;
	answer.w = wacht_list_begin(x);
	if (passkey_service_list(x->service, x->arena, &x->caller, &user_id,
	    put_row, &answer, fault) < 0)
		return -1;
	return wacht_list_end_whole(x, answer.n);
}

int
wacht_passkeys_rename(struct exchange *x, struct fault *fault)
{
	static const struct input_field fields[] = {
		{ "name", INPUT_STRING, INPUT_REQUIRED }
	};
	const json_t *name;
	struct uuid user_id, id;

	if (wacht_input_user_and(x, "passkey_id", &user_id, &id, fault) < 0 ||
	    wacht_input_object(x, fields, 1, &name, fault) < 0 ||
	    passkey_service_rename(x->service, &x->caller, &user_id, &id,
	    input_text(name), fault) < 0)
		return -1;
	return wacht_answer_nothing(x);
}

int
wacht_passkeys_delete(struct exchange *x, struct fault *fault)
{
	struct uuid user_id, id;

	if (wacht_input_user_and(x, "passkey_id", &user_id, &id, fault) < 0 ||
	    passkey_service_delete(x->service, &x->caller, &user_id, &id,
	    fault) < 0)
		return -1;
	return wacht_answer_nothing(x);
}
