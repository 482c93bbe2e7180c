/* SPDX-License-Identifier: MIT */
/* The error body of the Wacht dialect (spec/wacht.md §1.7): what Wacht itself
   sends, and beside it the members that its JavaScript SDK reads. One row a
   fault code; the operator's text of a fault never appears. */
#include "config.h"

#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"

#include "wacht_private.h"

#include <stdio.h>
#include <string.h>

struct error_row {
	unsigned status;
	unsigned retry_after_s;		/* when the fault names none; 0: none */
	const char *message;		/* when the fault says nothing */
};

static const struct error_row errors[FAULT_CODE_COUNT] = {
	[FAULT_NONE] = { 500, 0, "Internal error" },

	[REFUSAL_VALIDATION] = { 400, 0, "Validation failed" },
	[REFUSAL_INVALID_JSON] = { 400, 0, "The body is not valid JSON" },
	[REFUSAL_UNKNOWN_EVENT] = { 400, 0, "Unknown event name" },
	[REFUSAL_UNAUTHORIZED] = { 401, 0, "Invalid API key" },
	[REFUSAL_PASSWORD_CHANGE] = { 401, 0, "The password must be changed" },
	[REFUSAL_SECOND_FACTOR] = { 401, 0, "A second factor is required" },
	[REFUSAL_FORBIDDEN] = { 403, 0, "Not permitted" },
	[REFUSAL_ROLE_TRANSITION] = { 403, 0, "Not permitted" },
	[REFUSAL_SELF_MODIFICATION] = { 403, 0, "Not permitted" },
	[REFUSAL_NOT_FOUND] = { 404, 0, "No such path" },
	[REFUSAL_USER_NOT_FOUND] = { 404, 0, "User not found" },
	[REFUSAL_TENANT_NOT_FOUND] = { 404, 0, "Deployment not found" },
	[REFUSAL_DEVICE_NOT_FOUND] = { 404, 0, "Device not found" },
	[REFUSAL_WEBHOOK_NOT_FOUND] = { 404, 0, "Webhook not found" },
	[REFUSAL_DELIVERY_NOT_FOUND] = { 404, 0, "Delivery not found" },
	[REFUSAL_SESSION_NOT_FOUND] = { 404, 0, "Session not found" },
	[REFUSAL_DETAIL_NOT_FOUND] = { 404, 0, "The user has no such thing" },
	[REFUSAL_CERTIFICATE_NOT_FOUND] = { 404, 0, "Certificate not found" },
	[REFUSAL_METHOD_NOT_ALLOWED] = { 405, 0, "Method not allowed" },
	[REFUSAL_TENANT_EXISTS] = { 409, 0, "Deployment already exists" },
	[REFUSAL_EMAIL_EXISTS] =
	    { 409, 0, "A user with this email address already exists" },
	[REFUSAL_USERNAME_EXISTS] =
	    { 409, 0, "A user with this username already exists" },
	[REFUSAL_PHONE_EXISTS] =
	    { 409, 0, "A user with this phone number already exists" },
	[REFUSAL_AUTHENTICATOR_EXISTS] =
	    { 409, 0, "The user has an authenticator already" },
	[REFUSAL_LAST_ADMIN] =
	    { 409, 0, "The last active admin must stay one" },
	[REFUSAL_IDEMPOTENCY_IN_FLIGHT] =
	    { 409, 1, "The same request is still running" },
	[REFUSAL_IDEMPOTENCY_MISMATCH] = { 422, 0, "Idempotency mismatch" },
	[REFUSAL_PRECONDITION_FAILED] = { 412, 0, "Precondition failed" },
	[REFUSAL_PAYLOAD_TOO_LARGE] = { 413, 0, "The body is too large" },
	[REFUSAL_MEDIA_TYPE] = { 415, 0, "Unsupported media type" },
	[REFUSAL_RATE_LIMITED] = { 429, 60, "Too many requests" },
	[REFUSAL_BUSY] = { 503, 1, "Too many requests at once" },

	[FAULT_INTERNAL] = { 500, 0, "Internal error" },
	[FAULT_DATABASE] = { 503, 5, "The database is not available" },
	[FAULT_QUEUE] = { 503, 5, "The queue is not available" },
	[FAULT_QUEUE_FULL] = { 503, 10, "The queue is full" },
	[FAULT_NO_ENGINE] = { 503, 60, "Not available" },
	[FAULT_ENGINE_AWAY] = { 503, 5, "Not available" },
	[FAULT_NOT_READY] = { 503, 60, "Not available" },
	[FAULT_IO] = { 500, 0, "Internal error" },
	[FAULT_CONFIG] = { 500, 0, "Internal error" }
};

/* "new_password is too short": a field's message goes on where its name
   ends. */
#define FIELD_TEXT_SIZE \
	(sizeof(((struct fault_field *)0)->field) + \
	sizeof(((struct fault_field *)0)->message) + 1)

static const char *
field_text(const struct fault_field *field, char buf[FIELD_TEXT_SIZE])
{
	snprintf(buf, FIELD_TEXT_SIZE, "%s %s", field->field, field->message);
	return buf;
}

static void
write_entry(struct json_writer *w, const char *message, unsigned status)
{
	json_write_object_begin(w);
	json_member_text(w, "message", message);
	json_member_int(w, "code", (int64_t)status);
	json_write_object_end(w);
}

static void
write_one(struct json_writer *w, const char *message, unsigned status)
{
	json_write_key(w, "errors");
	json_write_array_begin(w);
	write_entry(w, message, status);
	json_write_array_end(w);
	json_member_text(w, "message", message);
}

static void
write_details(struct json_writer *w, const struct fault *fault)
{
	char text[FIELD_TEXT_SIZE];

	json_write_key(w, "details");
	json_write_object_begin(w);
	json_write_key(w, "fields");
	json_write_array_begin(w);
	for (size_t i = 0; i < fault->nfields; i++) {
		json_write_object_begin(w);
		json_member_text(w, "field", fault->fields[i].field);
		json_member_text(w, "message", field_text(&fault->fields[i],
		    text));
		json_write_object_end(w);
	}
	json_write_array_end(w);
	json_write_object_end(w);
}

static void
write_fields(struct json_writer *w, const struct fault *fault,
    unsigned status)
{
	char text[FIELD_TEXT_SIZE];
	struct strbuf joined = STRBUF_INIT;

	json_write_key(w, "errors");
	json_write_array_begin(w);
	for (size_t i = 0; i < fault->nfields; i++) {
		field_text(&fault->fields[i], text);
		write_entry(w, text, status);
		if (i > 0)
			strbuf_append_str(&joined, ", ");
		strbuf_append_str(&joined, text);
	}
	json_write_array_end(w);
	json_member_text(w, "message", joined.data);
	strbuf_deinit(&joined);
	write_details(w, fault);
}

static void
add_retry_after(struct exchange *x, unsigned seconds)
{
	char text[16];

	if (seconds == 0)
		return;
	snprintf(text, sizeof(text), "%u", seconds);
	response_header(x, "Retry-After", text);
}

void
wacht_write_error(struct exchange *x, const struct fault *fault)
{
	const struct error_row *row = &errors[fault->code];
	unsigned status = x->server_status != 0 ? x->server_status :
	    row->status;
	struct json_writer *w;

	response_status(x, status);
	add_retry_after(x, fault->retry_after_s != 0 ? fault->retry_after_s :
	    row->retry_after_s);
	w = response_json(x);
	json_write_object_begin(w);
	if (fault->nfields > 0)
		write_fields(w, fault, status);
	else
		write_one(w, fault->said[0] != '\0' ? fault->said :
		    row->message, status);
	json_write_object_end(w);
}
