/* SPDX-License-Identifier: MIT */
/* A log-in of a user. One set for all dialects: what one makes, the others list
   and end (design §2). */
#ifndef WUTS_SESSION_H
#define WUTS_SESSION_H

#include <stdint.h>

#include "wuts/uuid.h"

#define SESSION_ADDRESS_MAX 63
#define SESSION_USER_AGENT_MAX 255
#define SESSION_KEEP_S 604800		/* behind its end, as a row */

struct session {
	struct uuid id;
	struct uuid tenant_id;
	struct uuid user_id;
	char address[SESSION_ADDRESS_MAX + 1];	/* of the log-in */
	char user_agent[SESSION_USER_AGENT_MAX + 1];
	int64_t created_us;
	int64_t updated_us;
	int64_t expires_us;
	int64_t last_active_us;		/* to the minute */
	int64_t revoked_us;		/* 0: not */
};

#endif
