/* SPDX-License-Identifier: MIT */
/* A device: one WhatsApp connection of one user. */
#ifndef WUTS_DEVICE_H
#define WUTS_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "wuts/uuid.h"

#define DEVICE_NAME_MAX 100		/* characters */
#define DEVICE_JID_MAX 127		/* bytes */
#define DEVICE_CODE_MAX 2048		/* bytes */
#define DEVICE_CODE_LIFE_US INT64_C(60000000)

struct device {
	struct uuid id;
	struct uuid tenant_id;
	struct uuid user_id;
	char name[DEVICE_NAME_MAX * 4 + 1];
	char jid[DEVICE_JID_MAX + 1];	/* empty: unknown */
	bool connected;
	int64_t last_seen_us;		/* 0: never */
	int64_t created_us;
	int64_t updated_us;
};

/* The last code for pairing that the engine has reported. */
struct device_code {
	char text[DEVICE_CODE_MAX + 1];
	int64_t reported_us;
};

/* Trimmed into name_r. NULL when good: 1-100 characters, no control
   characters; else the sentence for the client. */
const char *device_name_check(const char *text,
    char name_r[DEVICE_NAME_MAX * 4 + 1]);

/* Is the device paired with an account: linked, whether or not the connection
   stands? */
bool device_is_logged_in(const struct device *device);

/* Can the code still be scanned? */
bool device_code_is_fresh(const struct device_code *code, int64_t now_us);

#endif
