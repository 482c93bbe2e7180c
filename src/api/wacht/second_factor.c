/* SPDX-License-Identifier: MIT */
/* The authenticator and the backup codes of a user (spec/wacht.md §3.11,
   §3.12). */
#include "config.h"

#include "wuts/crypto.h"
#include "wuts/http.h"
#include "wuts/second_factor_service.h"
#include "wuts/uuid.h"

#include "details_private.h"
#include "wacht_private.h"

int
wacht_authenticators_create(struct exchange *x, struct fault *fault)
{
	static const struct input_field fields[] = {
		{ "secret", INPUT_STRING, INPUT_REQUIRED | INPUT_SECRET },
		{ "account_name", INPUT_STRING, 0 }
	};
	struct authenticator_created created;
	const json_t *values[2];
	struct json_writer *w;
	struct uuid user_id;

	if (wacht_input_user(x, &user_id, fault) < 0 ||
	    wacht_input_object(x, fields, 2, values, fault) < 0 ||
	    second_factor_service_create(x->service, x->arena, &x->caller,
	    &user_id, input_text(values[0]), input_text(values[1]), &created,
	    fault) < 0)
		return -1;
	response_status(x, 200);
	w = response_json(x);
	json_write_object_begin(w);
	json_member_uuid(w, "id", &created.id);
	json_member_text(w, "otp_url", created.otp_url);
	json_write_object_end(w);
	return 0;
}

int
wacht_authenticators_delete(struct exchange *x, struct fault *fault)
{
	struct uuid user_id;

	if (wacht_input_user(x, &user_id, fault) < 0 ||
	    second_factor_service_delete(x->service, &x->caller, &user_id,
	    fault) < 0)
		return -1;
	return wacht_answer_nothing(x);
}

int
wacht_backup_codes_renew(struct exchange *x, struct fault *fault)
{
	char codes[BACKUP_CODES][BACKUP_CODE_LEN + 1];
	struct json_writer *w;
	struct uuid user_id;

	if (wacht_input_user(x, &user_id, fault) < 0 ||
	    second_factor_service_renew_codes(x->service, &x->caller,
	    &user_id, codes, fault) < 0)
		return -1;
	response_status(x, 200);
	w = response_json(x);
	json_write_object_begin(w);
	json_write_key(w, "backup_codes");
	json_write_array_begin(w);
	for (size_t i = 0; i < BACKUP_CODES; i++)
		json_write_string_len(w, codes[i], BACKUP_CODE_LEN);
	json_write_array_end(w);
	json_write_object_end(w);
	crypto_wipe(codes, sizeof(codes));
	return 0;
}
