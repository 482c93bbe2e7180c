/* SPDX-License-Identifier: MIT */
/* What the name of a device may be, and what its state means. */
#include "config.h"

#include "wuts/device.h"

#include "model_private.h"

const char *
device_name_check(const char *text, char name_r[DEVICE_NAME_MAX * 4 + 1])
{
	switch (text_name_trim(text, DEVICE_NAME_MAX, name_r)) {
	case TEXT_NAME_LENGTH:
		return "must be 1 to 100 characters";
	case TEXT_NAME_CONTROL:
		return "must not contain control characters";
	case TEXT_NAME_GOOD:
		break;
	}
	return NULL;
}

/* The account is known from the first connection until it is logged out. */
bool
device_is_logged_in(const struct device *device)
{
	return device->connected || device->jid[0] != '\0';
}

/* A clock that was set back makes no code live longer. */
bool
device_code_is_fresh(const struct device_code *code, int64_t now_us)
{
	return code->reported_us <= now_us &&
	    now_us - code->reported_us < DEVICE_CODE_LIFE_US;
}
