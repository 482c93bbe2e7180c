/* SPDX-License-Identifier: MIT */
/* What a worker and the spooler say to each other for POST /webhook/test: one
   datagram each way, a JSON object. The spooler's socket is TRIAL_SOCKET in the
   queue's directory. */
#ifndef WUTS_TRIAL_H
#define WUTS_TRIAL_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "wuts/uuid.h"

struct strbuf;

#define TRIAL_SOCKET "test.sock"
#define TRIAL_DATAGRAM_MAX 65536
/* The receiver's time, within that of its webhook; and what a worker waits. */
#define TRIAL_TIMEOUT_S 8
#define TRIAL_WAIT_S 10

struct trial_request {
	struct uuid id;		/* of the event */
	struct uuid tenant_id, device_id;
	const char *event;
	const char *body;
};

enum trial_end {
	TRIAL_DONE,
	TRIAL_BUSY,		/* too many at once */
	TRIAL_NO_WEBHOOK,
	TRIAL_FAILED		/* the webhook could not be read or used */
};

struct trial_reply {
	struct uuid id;
	enum trial_end end;
	unsigned status;	/* 0: no answer */
	int64_t duration_us;
	const char *error;	/* "": none */
	const char *excerpt;	/* how the answer begins */
};

void trial_request_format(struct strbuf *out,
    const struct trial_request *request);
void trial_reply_format(struct strbuf *out, const struct trial_reply *reply);
/* What a datagram says; the strings live in the tree, which is the caller's.
   NULL: it is none. */
json_t *trial_request_parse(const char *data, size_t len,
    struct trial_request *request_r);
json_t *trial_reply_parse(const char *data, size_t len,
    struct trial_reply *reply_r);

#endif
