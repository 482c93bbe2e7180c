/* SPDX-License-Identifier: MIT */
/* The error envelope of the WUTS dialect (spec/wuts.md §1, §8): one row a
   fault code. The operator's text of a fault never appears in it. */
#include "config.h"

#include "wuts/api.h"
#include "wuts/clock.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"

#include "wuts_private.h"

#include <stdio.h>

struct error_row {
	unsigned status;
	unsigned retry_after_s;		/* when the fault names none; 0: none */
	const char *error_code;
	const char *error;		/* when the fault says nothing */
};

static const struct error_row errors[FAULT_CODE_COUNT] = {
	/* -1 without a cause would be our bug; it must not look like success */
	[FAULT_NONE] =
	    { 500, 0, "INTERNAL_ERROR", "internal error" },

	[REFUSAL_VALIDATION] =
	    { 400, 0, "VALIDATION_ERROR", "validation failed" },
	[REFUSAL_INVALID_JSON] =
	    { 400, 0, "INVALID_JSON", "the body is not valid JSON" },
	[REFUSAL_UNKNOWN_EVENT] =
	    { 400, 0, "UNKNOWN_EVENT", "unknown event name" },
	[REFUSAL_UNAUTHORIZED] =
	    { 401, 0, "UNAUTHORIZED", "invalid token" },
	[REFUSAL_PASSWORD_CHANGE] =
	    { 401, 0, "UNAUTHORIZED", "the password must be changed" },
	[REFUSAL_SECOND_FACTOR] =
	    { 401, 0, "UNAUTHORIZED", "a second factor is required" },
	[REFUSAL_FORBIDDEN] =
	    { 403, 0, "FORBIDDEN", "not permitted" },
	[REFUSAL_ROLE_TRANSITION] =
	    { 403, 0, "ROLE_TRANSITION_DENIED",
	    "this role transition is not permitted" },
	[REFUSAL_SELF_MODIFICATION] =
	    { 403, 0, "SELF_MODIFICATION",
	    "nobody changes their own role or active flag or deletes "
	    "themself" },
	[REFUSAL_NOT_FOUND] =
	    { 404, 0, "NOT_FOUND", "no such path" },
	[REFUSAL_USER_NOT_FOUND] =
	    { 404, 0, "USER_NOT_FOUND", "user not found" },
	[REFUSAL_TENANT_NOT_FOUND] =
	    { 404, 0, "TENANT_NOT_FOUND", "tenant not found" },
	[REFUSAL_DEVICE_NOT_FOUND] =
	    { 404, 0, "DEVICE_NOT_FOUND", "device not found" },
	[REFUSAL_WEBHOOK_NOT_FOUND] =
	    { 404, 0, "WEBHOOK_NOT_FOUND", "webhook not found" },
	[REFUSAL_DELIVERY_NOT_FOUND] =
	    { 404, 0, "DELIVERY_NOT_FOUND", "delivery not found" },
	[REFUSAL_SESSION_NOT_FOUND] =
	    { 404, 0, "NOT_FOUND", "session not found" },
	[REFUSAL_DETAIL_NOT_FOUND] =
	    { 404, 0, "NOT_FOUND", "the user has no such thing" },
	[REFUSAL_CERTIFICATE_NOT_FOUND] =
	    { 404, 0, "NOT_FOUND", "certificate not found" },
	[REFUSAL_METHOD_NOT_ALLOWED] =
	    { 405, 0, "METHOD_NOT_ALLOWED", "method not allowed" },
	[REFUSAL_TENANT_EXISTS] =
	    { 409, 0, "TENANT_EXISTS", "tenant already exists - please contact "
	    "your administrator to create an account" },
	[REFUSAL_EMAIL_EXISTS] =
	    { 409, 0, "EMAIL_EXISTS", "a user with this email already exists" },
	[REFUSAL_USERNAME_EXISTS] =
	    { 409, 0, "EMAIL_EXISTS", "a user with this name already exists" },
	[REFUSAL_PHONE_EXISTS] =
	    { 409, 0, "EMAIL_EXISTS",
	    "a user with this phone number already exists" },
	[REFUSAL_AUTHENTICATOR_EXISTS] =
	    { 409, 0, "EMAIL_EXISTS", "the user has an authenticator" },
	[REFUSAL_LAST_ADMIN] =
	    { 409, 0, "LAST_ADMIN",
	    "the tenant's last active admin must stay one" },
	[REFUSAL_IDEMPOTENCY_IN_FLIGHT] =
	    { 409, 1, "IDEMPOTENCY_IN_FLIGHT",
	    "a request with this Idempotency-Key is still running" },
	[REFUSAL_IDEMPOTENCY_MISMATCH] =
	    { 422, 0, "IDEMPOTENCY_MISMATCH",
	    "this Idempotency-Key was used with another body" },
	[REFUSAL_PRECONDITION_FAILED] =
	    { 412, 0, "PRECONDITION_FAILED",
	    "If-Match does not name the present state" },
	[REFUSAL_PAYLOAD_TOO_LARGE] =
	    { 413, 0, "PAYLOAD_TOO_LARGE", "the body is too large" },
	[REFUSAL_MEDIA_TYPE] =
	    { 415, 0, "UNSUPPORTED_MEDIA_TYPE",
	    "the body must be application/json" },
	[REFUSAL_RATE_LIMITED] =
	    { 429, 60, "RATE_LIMITED", "too many failed attempts" },
	[REFUSAL_BUSY] =
	    { 503, 2, "SERVICE_UNAVAILABLE", "too many of these at once" },

	[FAULT_INTERNAL] =
	    { 500, 0, "INTERNAL_ERROR", "internal error" },
	[FAULT_DATABASE] =
	    { 503, 5, "SERVICE_UNAVAILABLE", "the database is not available" },
	[FAULT_QUEUE] =
	    { 503, 5, "SERVICE_UNAVAILABLE", "the queue is not available" },
	[FAULT_QUEUE_FULL] =
	    { 503, 10, "QUEUE_FULL", "the queue is full" },
	[FAULT_NO_ENGINE] =
	    { 503, 60, "DEVICE_NOT_READY",
	    "no WhatsApp engine is configured" },
	[FAULT_ENGINE_AWAY] =
	    { 503, 5, "DEVICE_NOT_READY",
	    "the WhatsApp engine is not available" },
	[FAULT_NOT_READY] =
	    { 503, 60, "SERVICE_UNAVAILABLE", "not set up" },
	[FAULT_IO] =
	    { 500, 0, "INTERNAL_ERROR", "internal error" },
	[FAULT_CONFIG] =
	    { 500, 0, "INTERNAL_ERROR", "internal error" }
};

static void
write_fields(struct json_writer *w, const struct fault *fault)
{
	size_t i;

	json_write_key(w, "validation");
	json_write_array_begin(w);
	for (i = 0; i < fault->nfields; i++) {
		json_write_object_begin(w);
		json_member_text(w, "field", fault->fields[i].field);
		json_member_text(w, "message", fault->fields[i].message);
		json_member_text(w, "value", fault->fields[i].value);
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

void
api_wuts_write_error(struct exchange *x, const struct fault *fault)
{
	const struct error_row *row = &errors[fault->code];
	unsigned retry_after_s = fault->retry_after_s;
	struct json_writer *w;
	char text[16];

	response_status(x, row->status);
	if (row->status == 401)
		response_header(x, "WWW-Authenticate", "Bearer");
	if (retry_after_s == 0)
		retry_after_s = row->retry_after_s;
	if (retry_after_s != 0) {
		snprintf(text, sizeof(text), "%u", retry_after_s);
		response_header(x, "Retry-After", text);
	}
	w = response_json(x);
	json_write_object_begin(w);
	json_member_bool(w, "success", false);
	json_member_text(w, "error",
	    fault->said[0] != '\0' ? fault->said : row->error);
	json_member_text(w, "error_code", row->error_code);
	json_member_time(w, "timestamp", clock_wall_us());
	if (fault->nfields > 0)
		write_fields(w, fault);
	json_write_object_end(w);
}
