/* SPDX-License-Identifier: MIT */
/* The states of a delivery, as the database and clients name them. */
#include "config.h"

#include "wuts/delivery.h"

#include <stddef.h>
#include <string.h>

static const char *const names[DELIVERY_STATE_COUNT] = {
	[DELIVERY_PENDING] = "pending",
	[DELIVERY_DELIVERED] = "delivered",
	[DELIVERY_DEAD] = "dead",
	[DELIVERY_DROPPED] = "dropped",
};

const char *
delivery_state_name(enum delivery_state state)
{
	return names[state];
}

bool
delivery_state_parse(const char *name, enum delivery_state *state_r)
{
	size_t i;

	for (i = 0; i < DELIVERY_STATE_COUNT; i++) {
		if (strcmp(name, names[i]) == 0) {
			*state_r = (enum delivery_state)i;
			return true;
		}
	}
	return false;
}
