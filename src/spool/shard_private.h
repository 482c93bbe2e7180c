/* SPDX-License-Identifier: MIT */
/* What the parent (shards.c, shards_child.c) and a shard (shard.c) say to each
   other over a socket pair. Both are the same program file, so structures go as
   they are. */
#ifndef WUTS_SHARD_PRIVATE_H
#define WUTS_SHARD_PRIVATE_H

#include "wuts/crypto.h"
#include "wuts/strbuf.h"
#include "wuts/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* On which descriptor a shard finds its socket. */
#define SHARD_FD 3

enum wire_type {
	WIRE_POLICY,	/* to the shard: struct wire_policy, webhook_allow,
			   webhook_allow_host, onprem_webhook_allow, log_file,
			   queue_dir */
	WIRE_TARGET,	/* to the shard: struct wire_target, a line of the
			   snapshot */
	WIRE_START,	/* to the shard: struct wire_start, event, body */
	WIRE_RESULT	/* from it: struct wire_result, why, error, answer */
};

struct wire_policy {
	uint32_t max_in_flight;
	int32_t log_level;
	int64_t callback_connect_timeout_ms, callback_timeout_ms;
	bool http;
	bool log_json;
	struct crypto_keys keys;	/* what opens secrets, and no more */
};

/* From now on the settings of this endpoint. */
struct wire_target {
	uint32_t endpoint;
};

struct wire_start {
	uint32_t token;		/* of the answer */
	uint32_t endpoint;
	uint32_t attempt;
	int64_t wall_us;
	struct uuid id, tenant_id, device_id;
	int64_t created_us;
};

struct wire_result {
	uint32_t token;
	int64_t status;
	int32_t code;
	int64_t retry_after_s;
	int64_t duration_us;
};

/* One end. */
struct wire {
	int fd;
	struct strbuf in, out;
	size_t in_done, out_done;	/* of these, taken and sent */
	size_t begun;			/* where the message that is being
					   made begins */
	bool is_secret;			/* keys are among what is to be sent */
};

void wire_init(struct wire *wire, int fd);
/* Wipes what is in it, closes the socket. */
void wire_deinit(struct wire *wire);

/* A message: a structure, then strings with their NULs, or bytes. */
void wire_begin(struct wire *wire, enum wire_type type, const void *head,
    size_t size);
void wire_add(struct wire *wire, const void *data, size_t len);
void wire_add_text(struct wire *wire, const char *text);
void wire_end(struct wire *wire);

/* Send what can be sent without waiting. -1: nobody is there any more. */
int wire_flush(struct wire *wire);
bool wire_is_flushed(const struct wire *wire);

/* Receive what is there. -1: nobody is there any more, and all that was said
   has been taken. */
int wire_receive(struct wire *wire);

/* The next whole message; its bytes live until the next call. */
struct wire_message {
	enum wire_type type;
	const char *data;
	size_t len;
};
bool wire_next(struct wire *wire, struct wire_message *message_r);
/* Take the structure and the texts off its front. False, NULL: too short. */
bool wire_take(struct wire_message *message, void *head_r, size_t size);
const char *wire_take_text(struct wire_message *message);

#endif
