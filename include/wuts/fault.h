/* SPDX-License-Identifier: MIT */
/* Why a call returned -1. A refusal (the caller asked for something it may not
   have) is a normal result; a fault means this request or record failed. The
   code is from one closed set; each dialect maps it to its own status and
   shape in one table. Two texts travel along and never mix: `text` is for the
   operator's log, `said` is for the client and holds nothing internal. */
#ifndef WUTS_FAULT_H
#define WUTS_FAULT_H

#include <stddef.h>

enum fault_code {
	FAULT_NONE = 0,

	/* Refusals: the caller's business, never an error in the log. */
	REFUSAL_VALIDATION,		/* fields[] says which and why */
	REFUSAL_INVALID_JSON,
	REFUSAL_UNKNOWN_EVENT,
	REFUSAL_UNAUTHORIZED,
	REFUSAL_PASSWORD_CHANGE,	/* the log-in must set a new one */
	REFUSAL_SECOND_FACTOR,		/* the log-in must bring one */
	REFUSAL_FORBIDDEN,
	REFUSAL_ROLE_TRANSITION,
	REFUSAL_SELF_MODIFICATION,
	REFUSAL_NOT_FOUND,		/* no such path */
	REFUSAL_USER_NOT_FOUND,
	REFUSAL_TENANT_NOT_FOUND,
	REFUSAL_DEVICE_NOT_FOUND,
	REFUSAL_WEBHOOK_NOT_FOUND,
	REFUSAL_DELIVERY_NOT_FOUND,
	REFUSAL_SESSION_NOT_FOUND,
	REFUSAL_DETAIL_NOT_FOUND,	/* of a user: an address, number, … */
	REFUSAL_CERTIFICATE_NOT_FOUND,
	REFUSAL_METHOD_NOT_ALLOWED,
	REFUSAL_TENANT_EXISTS,
	REFUSAL_EMAIL_EXISTS,
	REFUSAL_USERNAME_EXISTS,
	REFUSAL_PHONE_EXISTS,
	REFUSAL_AUTHENTICATOR_EXISTS,
	REFUSAL_LAST_ADMIN,
	REFUSAL_IDEMPOTENCY_IN_FLIGHT,
	REFUSAL_IDEMPOTENCY_MISMATCH,
	REFUSAL_PRECONDITION_FAILED,
	REFUSAL_PAYLOAD_TOO_LARGE,
	REFUSAL_MEDIA_TYPE,
	REFUSAL_RATE_LIMITED,		/* retry_after_s is set */
	REFUSAL_BUSY,			/* as many do that as may at once;
					   retry_after_s is set */

	/* Faults: ours. */
	FAULT_INTERNAL,			/* a bug or a broken installation */
	FAULT_DATABASE,			/* did not answer, or answered nonsense */
	FAULT_QUEUE,			/* the event could not be made durable */
	FAULT_QUEUE_FULL,		/* limits or disk */
	FAULT_NO_ENGINE,		/* none is configured to ask */
	FAULT_ENGINE_AWAY,		/* it does not answer */
	FAULT_NOT_READY,		/* the operator has to set it up; said
					   tells how */
	FAULT_IO,			/* a file or socket */
	FAULT_CONFIG,			/* the operator's configuration */
	FAULT_CODE_COUNT
};

#define FAULT_FIELDS_MAX 16

struct fault_field {
	char field[64];
	char message[160];
	char value[64];		/* what was sent, cut; "***" for secrets */
};

struct fault {
	enum fault_code code;
	unsigned retry_after_s;		/* 0: none */
	char text[320];			/* for the operator */
	char said[256];			/* for the client; empty: dialect's own */
	size_t nfields;
	struct fault_field fields[FAULT_FIELDS_MAX];
};

/* Every function below except fault_clear() returns -1, so that a caller can
   write `return fault_set(…)`. */

/* Begin anew: no fault. */
void fault_clear(struct fault *fault);

/* Set code and operator text, replacing what was there. */
int fault_set(struct fault *fault, enum fault_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As fault_set() with ": " and the text of errno behind it. */
int fault_errno(struct fault *fault, enum fault_code code,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Put "what: " in front of the operator text. */
int fault_prefix(struct fault *fault, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Set code and the client's text (also the operator's, when that is empty). */
int fault_say(struct fault *fault, enum fault_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Add one field to a REFUSAL_VALIDATION (sets the code). value may be NULL;
   it is cut to fit, at a UTF-8 boundary. Past FAULT_FIELDS_MAX: ignored. */
int fault_add_field(struct fault *fault, const char *field,
    const char *message, const char *value);

/* Is this code a refusal (as against a fault of ours)? */
int fault_is_refusal(enum fault_code code);

#endif
