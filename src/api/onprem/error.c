/* SPDX-License-Identifier: MIT */
/* The envelopes of the On-Premises dialect (spec/onprem.md §1.3, §1.4, §8):
   `meta` in every body, and for an error one row a fault code. Clients read
   code, title and details without looking whether they are there, so they
   always are. The operator's text of a fault never appears. */
#include "config.h"

#include "wuts/api.h"
#include "wuts/arena.h"
#include "wuts/crypto.h"
#include "wuts/fault.h"
#include "wuts/http.h"
#include "wuts/json.h"
#include "wuts/settings.h"

#include "onprem_private.h"

#include <stdio.h>
#include <string.h>

#define REQUEST_ID_LEN 32

struct error_row {
	unsigned status;
	unsigned code;
	const char *details;	/* when the fault says nothing */
	bool is_fixed;		/* whatever it says */
};

static const char denied[] = "Invalid credentials";
static const char no_endpoint[] = "Endpoint not found";
static const char internal[] = "Internal error";

static const struct error_row errors[FAULT_CODE_COUNT] = {
	/* -1 without a cause would be our bug; it must not look like success */
	[FAULT_NONE] = { 500, 1014, internal, true },

	[REFUSAL_VALIDATION] =
	    { 400, 1009, "A parameter has a bad value", false },
	[REFUSAL_INVALID_JSON] =
	    { 400, 1025, "Unable to decode json from the request: Syntax error",
	    false },
	[REFUSAL_UNKNOWN_EVENT] = { 400, 1009, "Unknown event", false },
	[REFUSAL_UNAUTHORIZED] = { 401, 1005, denied, true },
	[REFUSAL_PASSWORD_CHANGE] =
	    { 401, 1024, "Password must be changed", true },
	[REFUSAL_SECOND_FACTOR] =
	    { 401, 1029, "Send the code of the authenticator as otp", true },
	[REFUSAL_FORBIDDEN] = { 403, 1005, "Not permitted", false },
	[REFUSAL_ROLE_TRANSITION] = { 403, 1005, "Not permitted", false },
	[REFUSAL_SELF_MODIFICATION] = { 403, 1005, "Not permitted", false },
	[REFUSAL_NOT_FOUND] = { 404, 1006, no_endpoint, true },
	[REFUSAL_USER_NOT_FOUND] = { 404, 1006, "User not found", true },
	[REFUSAL_TENANT_NOT_FOUND] = { 404, 1006, "Tenant not found", false },
	[REFUSAL_DEVICE_NOT_FOUND] = { 404, 1006, "Device not found", false },
	[REFUSAL_WEBHOOK_NOT_FOUND] = { 404, 1006, "Webhook not found", false },
	[REFUSAL_DELIVERY_NOT_FOUND] =
	    { 404, 1006, "Delivery not found", false },
	[REFUSAL_SESSION_NOT_FOUND] = { 404, 1006, "Session not found", false },
	[REFUSAL_DETAIL_NOT_FOUND] = { 404, 1006, "Not found", false },
	[REFUSAL_CERTIFICATE_NOT_FOUND] =
	    { 404, 1006, "No webhook CA certificates found", false },
	[REFUSAL_METHOD_NOT_ALLOWED] =
	    { 405, 1025, "Method not allowed", true },
	[REFUSAL_TENANT_EXISTS] = { 500, 1014, "Already exists", false },
	[REFUSAL_EMAIL_EXISTS] = { 500, 1014, "Already exists", false },
	/* 500 indeed: the vendor documents it so. */
	[REFUSAL_USERNAME_EXISTS] =
	    { 500, 1014, "Unable to create user. Already exist?", true },
	[REFUSAL_PHONE_EXISTS] = { 500, 1014, "Already exists", false },
	[REFUSAL_AUTHENTICATOR_EXISTS] = { 500, 1014, "Already exists", false },
	[REFUSAL_LAST_ADMIN] =
	    { 403, 1005, "The last admin must stay one", false },
	[REFUSAL_IDEMPOTENCY_IN_FLIGHT] = { 500, 1014, internal, false },
	[REFUSAL_IDEMPOTENCY_MISMATCH] = { 400, 1025, "Bad request", false },
	[REFUSAL_PRECONDITION_FAILED] = { 400, 1025, "Bad request", false },
	[REFUSAL_PAYLOAD_TOO_LARGE] =
	    { 413, 1025, "The body is too large", false },
	[REFUSAL_MEDIA_TYPE] = { 400, 1025, "Unsupported media type", false },
	[REFUSAL_RATE_LIMITED] =
	    { 429, 1015, "Too many failed attempts", false },
	[REFUSAL_BUSY] = { 503, 1016, "Too many requests at once", false },

	[FAULT_INTERNAL] = { 500, 1014, internal, true },
	[FAULT_DATABASE] = { 500, 1023, "The database did not answer", false },
	[FAULT_QUEUE] = { 500, 1014, "The queue did not answer", true },
	[FAULT_QUEUE_FULL] = { 503, 1016, "The webhook queue is full", false },
	[FAULT_NO_ENGINE] = { 503, 1011, "No engine is configured", false },
	[FAULT_ENGINE_AWAY] = { 500, 1014, "Connection timed out. Please check "
	    "if the engine is running", true },
	[FAULT_NOT_READY] = { 503, 1011, "Not set up", false },
	[FAULT_IO] = { 500, 1014, internal, true },
	[FAULT_CONFIG] = { 500, 1014, internal, true }
};

static const struct title {
	unsigned code;
	const char *text;
} titles[] = {
	{ 1005, "Access denied" },
	{ 1006, "Resource not found" },
	{ 1008, "Required parameter is missing" },
	{ 1009, "Parameter value is not valid" },
	{ 1011, "Service not ready" },
	{ 1014, "Internal error" },
	{ 1015, "Too many requests" },
	{ 1016, "System overloaded" },
	{ 1023, "Database error occurred" },
	{ 1024, "Password change required" },
	{ 1025, "Request is not valid" },
	{ 1029, "Second factor required" }
};

static const char *
title_of(unsigned code)
{
	size_t i;

	for (i = 0; titles[i].code != code; i++)
		continue;
	return titles[i].text;
}

static void
write_meta(const struct exchange *x, struct json_writer *w)
{
	const char *version = x->settings->onprem_version;

	json_write_key(w, "meta");
	json_write_object_begin(w);
	json_member_text(w, "api_status", "stable");
	json_member_text(w, "version",
	    version[0] != '\0' ? version : "v" PACKAGE_VERSION);
	json_write_object_end(w);
}

struct json_writer *
onprem_begin(struct exchange *x, unsigned status)
{
	struct json_writer *w = response_json(x);

	response_status(x, status);
	json_write_object_begin(w);
	return w;
}

int
onprem_end(struct exchange *x)
{
	struct json_writer *w = response_json(x);

	write_meta(x, w);
	json_write_object_end(w);
	return 0;
}

int
onprem_answer_empty(struct exchange *x)
{
	(void)onprem_begin(x, 200);
	return onprem_end(x);
}

/* A required field that is absent has a code of its own. */
static bool
is_missing(const struct fault *fault)
{
	return fault->code == REFUSAL_VALIDATION && fault->nfields > 0 &&
	    strcmp(fault->fields[0].message, ONPREM_IS_REQUIRED) == 0;
}

/* What nginx, or the router, could not read is no parameter. */
static bool
is_unread(const struct exchange *x, const struct fault *fault)
{
	return fault->code == REFUSAL_VALIDATION && (x->route == NULL ||
	    x->request.server_error[0] != '\0');
}

/* Of several bad fields the first: there is exactly one element. */
static const char *
details_of(const struct error_row *row, const struct fault *fault,
    char buf[sizeof(struct fault_field) + 4])
{
	const struct fault_field *field = &fault->fields[0];

	if (row->is_fixed)
		return row->details;
	if (fault->nfields > 0) {
		snprintf(buf, sizeof(*field) + 4, "%s %s", field->field,
		    field->message);
		return buf;
	}
	return fault->said[0] != '\0' ? fault->said : row->details;
}

void
onprem_write_error(struct exchange *x, const struct fault *fault)
{
	const struct error_row *row = &errors[fault->code];
	unsigned code = is_missing(fault) ? 1008 :
	    is_unread(x, fault) ? 1025 : row->code;
	char buf[sizeof(struct fault_field) + 4], seconds[16];
	struct json_writer *w = onprem_begin(x, row->status);

	if (row->status == 401 && onprem_is_login(x))
		response_header(x, "WWW-Authenticate",
		    "Basic realm=\"Secured\"");
	if (fault->retry_after_s != 0) {
		snprintf(seconds, sizeof(seconds), "%u", fault->retry_after_s);
		response_header(x, "Retry-After", seconds);
	}
	json_write_key(w, "errors");
	json_write_array_begin(w);
	json_write_object_begin(w);
	json_member_int(w, "code", code);
	json_member_text(w, "title", title_of(code));
	json_member_text(w, "details", details_of(row, fault, buf));
	json_write_object_end(w);
	json_write_array_end(w);
	(void)onprem_end(x);
}

static bool
is_vendor_id(const char *id)
{
	return strlen(id) == REQUEST_ID_LEN &&
	    strspn(id, "0123456789abcdef") == REQUEST_ID_LEN;
}

/* nginx's own id has the vendor's form. One that the client brought is made
   into that form, always the same from the same. */
void
onprem_add_headers(struct exchange *x)
{
	const char *id = x->request.id;
	char hex[2 * CRYPTO_HASH_LEN + 1];
	uint8_t hash[CRYPTO_HASH_LEN];

	if (!is_vendor_id(id)) {
		crypto_sha256(id, strlen(id), hash);
		crypto_hex(hash, sizeof(hash), hex);
		id = arena_memdup(x->arena, hex, REQUEST_ID_LEN);
	}
	response_header(x, "X-Request-ID", id);
	if (x->response.status != 204)
		response_header_default(x, "Content-Type", "application/json");
	response_header_default(x, "Cache-Control", "no-cache, private");
	onprem_relay_say(x);
}
